"""Writing an answer of the chat to a file, with the pages that it rests on."""

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from app.pages.page import Shell
from core.assistants.answer_report import export
from core.assistants.records import Answer


def ask_where(shell: Shell, page: QWidget, answer: Answer) -> None:
    """Write it to the file that a person chooses, if they choose one."""
    path, _ = QFileDialog.getSaveFileName(page, "Save the answer with its pages", "answer.html", "HTML (*.html)")
    if path:
        save(shell, answer, Path(path) if path.lower().endswith(".html") else Path(f"{path}.html"))


def save(shell: Shell, answer: Answer, path: Path) -> None:
    """Write it; the log says so."""
    shell.operations.run(
        "Save an answer",
        lambda bench, job: export(bench.vault, bench.documents, answer, path, job),
        lambda _: shell.toast(f"The answer is in {path.name}"),
        shell.operations.failed.emit,
        shown=True,
    )
