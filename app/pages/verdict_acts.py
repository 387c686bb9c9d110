"""What is done with a pack that was checked: its report opened or saved, its verdict kept, the pack sealed to an auditor."""

import atexit
from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from app.bridge.operations import Failure
from app.pages import sealed_packs
from app.pages.pack_reading import (
    NAMES,
    Copies,
    content_of,
    open_outside,
    print_verdict,
    report_of,
    safe_stem,
    verdict_pdf,
)
from app.pages.pack_words import CheckedPack, capped, read_file, verdict_text
from app.pages.page import Shell
from core.evidence import zipform
from core.evidence.opened import REPORT
from core.jobs import Job
from core.paths import write_whole

Fail = Callable[[Failure], None]


class VerdictActs:
    """`do` carries out one of `pack_check.ACTS`; `fail` is told what went wrong, `redact` is given the pack to withhold parts of."""

    def __init__(
        self,
        shell: Shell,
        parent: QWidget,
        fail: Fail,
        say: Callable[[str, str], None],
        redact: Callable[[CheckedPack], None],
    ) -> None:
        self._shell, self._parent, self._fail, self._say, self._redact = shell, parent, fail, say, redact
        self._copies = Copies()
        atexit.register(self._copies.close)

    def close(self) -> None:
        """Take away what lies open."""
        self._copies.close()
        atexit.unregister(self._copies.close)

    def do(self, act: str, checked: CheckedPack) -> None:
        if act in ("report", "report-pdf"):
            self._open(checked, NAMES[act])
        elif act in ("save-report", "save-pdf"):
            self._save_report(checked, NAMES[act])
        elif act == "text":
            self._save(checked, "verdict.txt", "Text (*.txt)", lambda: verdict_text(checked).encode("utf-8"))
        elif act == "pdf":
            content = verdict_pdf(checked)
            self._save(checked, "verdict.pdf", "PDF (*.pdf)", lambda: content)
        elif act == "print":
            print_verdict(checked, self._parent)
        elif act == "seal":
            self.seal(Path(checked.path), checked)
        elif act == "redact":
            self._redact(checked)

    def seal(self, path: Path, checked: CheckedPack | None = None) -> None:
        """Ask to whom a pack is sealed, then where, and write it."""
        form = sealed_packs.SealForm(path.name)

        def sealing() -> None:
            to = form.to
            if to is None:
                return
            proposed = f"{path.name.removesuffix(sealed_packs.SUFFIX)}{sealed_packs.SUFFIX}"
            out, _ = QFileDialog.getSaveFileName(
                self._parent, "Write the sealed pack", proposed, "Sealed packs (*.sealed)"
            )
            if not out:
                return
            form.wait("Sealing")

            def work(job: Job) -> None:
                data = read_file(path, zipform.LARGEST) if checked is None else content_of(checked)
                sealed_packs.write_sealed(data, to, Path(out), job)

            def done(_: None) -> None:
                self._shell.close_overlay()
                self._shell.toast(f"Wrote {Path(out).name}, for {capped(to.name)} alone.")

            self._shell.operations.run_alone(
                f"Seal {path.name}", work, done, lambda found: form.refuse(found.sentence), shown=True
            )

        form.acted.connect(sealing)
        form.cancelled.connect(self._shell.close_overlay)
        self._shell.open_dialog(form)

    def _open(self, checked: CheckedPack, name: str) -> None:
        def done(path: Path) -> None:
            if open_outside(path):
                self._shell.toast(
                    "The report opens in another program. If none appears, save the report and open it there."
                )
            else:
                self._say(
                    "No program of this system opens the report.",
                    f"It lies at {path} until the window is closed. Save it, and open it with a program of your choice.",
                )

        self._shell.operations.run_alone(
            "Open the report", lambda job: self._copies.place(checked, name, job), done, self._fail, shown=True
        )

    def _save_report(self, checked: CheckedPack, name: str) -> None:
        kinds = "HTML (*.html)" if name == REPORT else "PDF (*.pdf)"
        path, _ = QFileDialog.getSaveFileName(self._parent, "Save the report", f"{safe_stem(checked)}-{name}", kinds)
        if path:
            self._write(Path(path), lambda job: report_of(checked, name, job))

    def _save(self, checked: CheckedPack, ending: str, kinds: str, content: Callable[[], bytes]) -> None:
        path, _ = QFileDialog.getSaveFileName(self._parent, "Save the verdict", f"{safe_stem(checked)}-{ending}", kinds)
        if path:
            self._write(Path(path), lambda job: content())

    def _write(self, out: Path, content: Callable[[Job], bytes]) -> None:
        def work(job: Job) -> None:
            write_whole(out, content(job), private=False)

        self._shell.operations.run_alone(
            f"Write {out.name}", work, lambda _: self._shell.toast(f"Wrote {out.name}."), self._fail, shown=True
        )
