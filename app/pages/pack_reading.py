"""What comes out of a pack that was checked: its report to read, and its verdict to keep.

The rules:

1. Nothing comes out of an invalid pack. The report of a valid one is the one that lies in it, as it was signed. Of any other, or where it
   was taken out with withheld fields, this program makes the report again from what was checked, so nothing in it comes from strangers.
2. A report is opened by the system's own program, never in this process. It lies in a private folder in memory until the window lets go.
3. The pack is judged again when it is read: what was opened is what was checked, byte for byte.
"""

import contextlib
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from PySide6.QtCore import QBuffer, QIODevice, QMarginsF, Qt, QUrl
from PySide6.QtGui import (
    QDesktopServices,
    QPageLayout,
    QPageSize,
    QPdfWriter,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
)
from PySide6.QtPrintSupport import QPrintDialog, QPrinter
from PySide6.QtWidgets import QWidget

from app.pages.pack_words import CheckedPack, read_file, verdict_lines
from app.theme.look import look
from core.errors import BadInput
from core.evidence import zipform
from core.evidence.opened import REPORT, REPORT_PDF
from core.evidence.redaction import rendered
from core.jobs import Job
from core.paths import runtime_folder, write_whole
from core.trust.canonical import digest

NAMES = {"report": REPORT, "report-pdf": REPORT_PDF, "save-report": REPORT, "save-pdf": REPORT_PDF}


def content_of(checked: CheckedPack) -> bytes:
    """The bytes that were checked. Raises `BadInput` where the file isn't the same any more."""
    if checked.sealed is not None:
        return checked.sealed
    path = Path(checked.path)
    data = read_file(path, zipform.LARGEST)
    if digest(data) != checked.sha256:
        raise BadInput(source=path.name, problem="the file changed since it was checked. Check it again.")
    return data


def report_of(checked: CheckedPack, name: str, job: Job) -> bytes:
    """The report of a pack that isn't invalid, as `REPORT` or `REPORT_PDF`. Raises `BadInput`, `Damaged`."""
    if checked.verdict.verdict == "invalid":
        raise BadInput(source=Path(checked.path).name, problem="it is invalid: there is no report in it to rely on.")
    data = content_of(checked)
    job.check()
    if checked.verdict.verdict == "valid":
        entries = zipform.read(data)
        if name in entries:
            return entries[name]
    made = rendered(data)[name]
    job.check()
    return made


class Copies:
    """Reports that lie open for the system's programs; `close` takes them all away."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._count = 0

    def place(self, checked: CheckedPack, name: str, job: Job) -> Path:
        """Write a report where only this user reads it, and say where. Raises `Unavailable` where the system has no storage in memory."""
        content = report_of(checked, name, job)
        folder = self._stack.enter_context(runtime_folder("report"))
        path = folder / f"{safe_stem(checked)}-{name}"
        write_whole(path, content)
        return path

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._stack.close()


def open_outside(path: Path) -> bool:
    """Show a file in the system's own program for it; whether there is one."""
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))


def safe_stem(checked: CheckedPack) -> str:
    """A name for files made of a pack: its own without ending, and only characters that every system takes."""
    stem = Path(checked.path).name.split(".")[0]
    return "".join(sign if sign.isalnum() or sign in "-_ " else "-" for sign in stem)[:80] or "pack"


def verdict_document(checked: CheckedPack) -> QTextDocument:
    """The verdict as a document to print: plain text, nothing of it is markup."""
    made = QTextDocument()
    made.setDefaultFont(look().font("body"))
    cursor = QTextCursor(made)
    for kind, words in verdict_lines(checked):
        form = QTextCharFormat()
        form.setFontPointSize({"title": 15.0, "heading": 11.0}.get(kind, 9.5))
        form.setFontWeight(600 if kind else 400)
        form.setForeground(Qt.GlobalColor.black)  # paper is light in every theme
        cursor.insertText(words, form)
        cursor.insertBlock()
    return made


def verdict_pdf(checked: CheckedPack) -> bytes:
    """The verdict as a PDF on A4."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(buffer)
    writer.setTitle(f"Verdict on {Path(checked.path).name}")
    writer.setCreator("Assay")
    _lay_out(writer)
    verdict_document(checked).print_(writer)
    del writer
    return bytes(buffer.data().data())


def print_verdict(checked: CheckedPack, parent: QWidget) -> bool:
    """Ask for a printer and print the verdict; whether somebody did."""
    printer = QPrinter(QPrinter.PrinterMode.HighResolution)
    printer.setDocName(f"Verdict on {Path(checked.path).name}")
    _lay_out(printer)
    if QPrintDialog(printer, parent).exec() != QPrintDialog.DialogCode.Accepted:
        return False
    verdict_document(checked).print_(printer)
    return True


def _lay_out(device: Any) -> None:
    device.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
    device.setPageMargins(QMarginsF(5, 5, 5, 5), QPageLayout.Unit.Millimeter)
