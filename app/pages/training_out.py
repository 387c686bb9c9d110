"""Where the model of a run that trains all weights is written: a file outside the vault, which is asked for."""

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog

from app.widgets.basic import Card, row
from app.widgets.buttons import button
from app.widgets.forms import Check, Field, line_edit

MODELS = "Models (*.gguf)"


class OutCard(Card):
    """`out` is the file's path, or nothing where the weights stay sealed. `changed` says that it is another one."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__(
            "Model file",
            "All weights make another model. It stays sealed in the vault until it is written as a file; an evaluation needs the file.",
        )
        self.file = Field(
            "New file",
            line_edit("None: it stays sealed"),
            "A .gguf file, as f16. It is registered as a model, and the audit log keeps that it was written.",
            new_model_file,
        )
        self.file.edit.textChanged.connect(lambda _: self._turned())  # type: ignore[union-attr]
        choose = button("Choose…", "folder", small=True)
        choose.setAccessibleName("Choose where the model is written")
        choose.clicked.connect(self._choose)
        self.clear = Check("This file lies outside the vault, readable by whoever may read its folder")
        self.body.addWidget(self.file)
        self.body.addLayout(row(choose, None))
        self.body.addWidget(self.clear)
        self.clear.hide()

    def out(self) -> str:
        """The path of the new file, or nothing."""
        text = self.file.text.strip()
        return str(Path(text).expanduser().absolute()) if text else ""

    def good(self, evaluated: bool, runs: int = 1) -> bool:
        """Check, and show what is wrong; `evaluated` where an evaluation was chosen, `runs` that would be trained."""
        if runs > 1 and (self.file.text.strip() or evaluated):
            several = "The runs of a sweep would write the same file. Leave it empty, and choose no evaluation."
            self.file.fail(several)
        elif not self.file.text.strip():
            self.file.fail("An evaluation needs the model as a file. Name one." if evaluated else "")
        elif self.file.good() and not self.clear.isChecked():
            self.file.fail("Say below that the file may lie outside the vault.")
        return not self.file.error

    def _turned(self) -> None:
        self.clear.setVisible(bool(self.file.text.strip()))
        self.changed.emit()

    def _choose(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Where the model is written", "", MODELS)
        if path:
            self.file.edit.setText(path if path.endswith(".gguf") else f"{path}.gguf")  # type: ignore[union-attr]
            self.file.good()


def new_model_file(text: str) -> str:
    """What is wrong with a new model's path; nothing where it is left empty."""
    if not text.strip():
        return ""
    path = Path(text.strip()).expanduser().absolute()
    if path.suffix != ".gguf":
        return "Name the new file with .gguf at its end."
    if path.exists():
        return "There is such a file already. Choose another name."
    return "" if path.parent.is_dir() else "The folder that it would lie in isn’t there."
