"""Writing a version's samples to a file: in which form, which part, and why. The log keeps who wrote what to which file."""

from pathlib import Path
from typing import NamedTuple

from PySide6.QtWidgets import QFileDialog, QWidget

from app.pages.page import Shell
from app.pages.screening_form import chosen, value
from app.widgets.act_form import ActForm
from app.widgets.forms import Field, line_edit
from core.datasets.records import Dataset
from core.datasets.splitting import counts

EVERY = "Every field: reading the file gives the same samples."
TALKS = "The conversations alone: turns, answers and preferences, and whether a model wrote them."
CELLS = "A table with every field. A text that a spreadsheet would compute is marked as text."


class Form(NamedTuple):
    """A form of file, as `Datasets.export` takes it."""

    word: str
    suffix: str
    form: str
    note: str


FORMS = {
    "jsonl": Form("JSON Lines", ".jsonl", "samples", EVERY),
    "json": Form("JSON", ".json", "samples", EVERY),
    "csv": Form("CSV", ".csv", "samples", CELLS),
    "xlsx": Form("Excel", ".xlsx", "samples", CELLS),
    "chat": Form("OpenAI chat (JSON Lines)", ".jsonl", "chat", TALKS),
    "sharegpt": Form("ShareGPT (JSON)", ".json", "sharegpt", TALKS),
    "alpaca": Form("Alpaca (JSON)", ".json", "alpaca", TALKS),
}
WHOLE = ""


class ExportForm(ActForm):
    """`form`, `part` and `reason` are what was chosen; the page asks for the file."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self.kind = chosen({name: one.word for name, one in FORMS.items()}, tuple(FORMS), "jsonl", "Form", EVERY)
        parts = {WHOLE: f"All {len(dataset.samples):,} samples"}
        parts |= {part: f"{part}, {count:,} samples" for part, count in counts(dataset.samples).items() if part}
        self.which = chosen(parts, tuple(parts), WHOLE, "Samples")
        self.why = Field("Reason", line_edit("Optional"), "It stands in the log beside the file’s name.", beside=True)
        shown = (self.kind, self.which, self.why) if len(parts) > 1 else (self.kind, self.why)
        super().__init__(
            "Choose the file",
            "What is written leaves the vault and is no longer encrypted. The log keeps who wrote it.",
            shown,
            "save",
            title=f"Export {dataset.reference}",
        )
        self.kind.edit.currentIndexChanged.connect(lambda _: self.kind.say_note(self.form.note))
        self.setFocusProxy(self.kind.edit)

    @property
    def form(self) -> Form:
        return FORMS[value(self.kind)]

    @property
    def part(self) -> str:
        """The part that is written; empty for all samples."""
        return value(self.which)

    @property
    def reason(self) -> str:
        return self.why.text.strip()

    @property
    def suggested(self) -> str:
        """A name for the file."""
        part = f"-{self.part}" if self.part else ""
        form = "" if self.form.form == "samples" else f"-{self.form.form}"
        return f"{self.dataset.name}-{self.dataset.number}{part}{form}{self.form.suffix}"

    def ending(self, path: str) -> Path:
        """The file that was chosen, with the ending that the form needs."""
        found = Path(path)
        return found if found.suffix.lower() == self.form.suffix else found.with_name(found.name + self.form.suffix)


def ask_export(shell: Shell, page: QWidget, dataset: Dataset) -> ExportForm:
    """Open the form, then ask for the file, and write what the form says."""
    form = ExportForm(dataset)
    form.cancelled.connect(shell.close_overlay)

    def write() -> None:
        wanted = form.form
        path, _ = QFileDialog.getSaveFileName(
            page, "Export the samples", form.suggested, f"{wanted.word} (*{wanted.suffix})"
        )
        if not path:
            return
        file, part, reason = form.ending(path), form.part, form.reason
        form.wait("It is being written.")

        def done(count: int) -> None:
            shell.close_overlay()
            shell.toast(f"{count:,} samples were written to {file.name}")

        shell.operations.run(
            "Export the samples",
            lambda bench, job: bench.datasets.export(dataset.reference, file, reason, wanted.form, part),
            done,
            lambda failed: form.refuse(failed.sentence),
        )

    form.acted.connect(write)
    shell.open_dialog(form, 560)
    return form
