"""A backup made into a vault again, from the page for unlocking: which file, who opens it, and where the vault shall lie."""

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from app.bridge.opening import SUFFIX, shown_name
from app.widgets.basic import column, row
from app.widgets.buttons import button
from app.widgets.forms import Check, Field, line_edit, passphrase_edit, required
from app.widgets.long_work import LongWork


class RestoreForm(QWidget):
    """The restored vault opens with the passphrases of the day of the backup."""

    def __init__(self) -> None:
        super().__init__()
        self.file = Field("Backup", line_edit("File ending in .assay-backup"), check=_there)
        browse = button("Choose file", "folder-open", "quiet", small=True)
        browse.clicked.connect(self._browse_file)
        self.user = Field("User name", line_edit("ines"), check=required("The user name"))
        self.passphrase = Field(
            "Passphrase", passphrase_edit(), "The one of the day of the backup.", required("The passphrase")
        )
        self.target = Field("Restored vault", line_edit("Folder that doesn’t exist yet"), check=_free)
        place = button("Another place", "folder-open", "quiet", small=True)
        place.clicked.connect(self._browse_target)
        self.despite = Check("Restore it even where the check finds faults")
        self.despite.hide()
        self.work = LongWork()
        self.work.hide()
        self.restore = button("Restore", "again", "primary")
        self.setLayout(
            column(
                self.file,
                row(browse, None),
                self.user,
                self.passphrase,
                self.target,
                row(place, None),
                self.despite,
                self.work,
                6,
                row(None, self.restore),
                None,
                space=10,
            )
        )
        self.file.edit.textChanged.connect(self._propose)

    def fields(self) -> tuple[Field, ...]:
        return (self.file, self.user, self.passphrase, self.target)

    def folder(self) -> Path:
        """Where the vault shall lie."""
        path = Path(self.target.text.strip()).expanduser()
        return path if path.name.endswith(SUFFIX) else path.with_name(f"{path.name}{SUFFIX}")

    def take(self, path: Path) -> None:
        """Take a backup that was chosen or dropped."""
        self.file.edit.setText(str(path))

    def _propose(self, text: str) -> None:
        if text and not self.target.text:
            path = Path(text)
            self.target.edit.setText(
                str(Path.home() / f"{shown_name(path).removesuffix(path.suffix)} restored{SUFFIX}")
            )

    def _browse_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Choose a backup", "", "Backups (*.assay-backup);;All files (*)")
        if path:
            self.take(Path(path))

    def _browse_target(self) -> None:
        found = QFileDialog.getExistingDirectory(self, "Choose where the vault lies", str(Path.home()))
        if found:
            self.target.edit.setText(str(Path(found) / self.folder().name))


def _there(text: str) -> str:
    if not text.strip():
        return "The backup is missing."
    return "" if Path(text.strip()).expanduser().is_file() else "There is no such file."


def _free(text: str) -> str:
    if not text.strip():
        return "The folder is missing."
    path = Path(text.strip()).expanduser()
    return "There is such a folder already. Give another name." if path.exists() else ""
