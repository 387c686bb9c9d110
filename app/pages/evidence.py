"""Evidence: make a pack of a run, check a pack that somebody gave you, and see whose signatures count.

Checking needs no vault: the page opens from the page for unlocking too, and then shows only what an outside auditor needs. A pack and a trust
file may be dropped on it together.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QFrame, QStackedWidget, QWidget

from app.bridge.operations import Failure
from app.pages.pack_check import NOBODY, SEALS, CheckedPack, VerdictView, check_pack, report_of, verdict_text
from app.pages.pack_making import MakePackView
from app.pages.page import Page, Shell, list_pane
from app.pages.trust_cards import OWN, KnownTrust, TrustView, known, read_trust
from app.widgets.basic import Elided, column, label, line, row
from app.widgets.buttons import Segments, button
from app.widgets.drop_zone import DropZone
from app.widgets.empty_state import EmptyState
from app.widgets.table import Cell, Column, Table
from core.evals.records import RunView
from core.jobs import Job
from core.paths import write_whole
from core.trust import trustfile
from core.vault.events import Changed
from core.vault.roles import Act

if TYPE_CHECKING:
    from core.workbench import Workbench

PACKS = (".pack", ".zip")
TRUST = (".json", ".trust")


class EvidencePage(Page):
    """The page. `show_about` takes a run's id (make its pack) or the path of a pack or a trust file (check it)."""

    title = "Evidence"

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.setAcceptDrops(True)
        with_vault = self.operations.workbench is not None
        self._with_vault = with_vault
        self._checked: list[CheckedPack] = []
        self.trust: KnownTrust | None = None
        self._wanted = ""

        views = (("make", "Make a pack"),) if with_vault else ()
        self.view = Segments((*views, ("check", "Check a pack"), ("trust", "Trust file")), "What to do")
        self.view.chosen.connect(self._turn)
        self.bar.about(self.view)
        self.open = button("Open a pack…", "folder-open")
        self.open.clicked.connect(self.choose_pack)
        self.bar.act(self.open)

        self.make = MakePackView(shell)
        self.make.check_asked.connect(lambda path: self.check([path]))
        self.make.trust_asked.connect(self.export_trust)
        self.verdict = VerdictView()
        self.verdict.again_asked.connect(lambda checked: self.check([checked.path]))
        self.verdict.save_asked.connect(self._save_verdict)
        self.verdict.report_asked.connect(self._save_report)
        self.verdict.trust_asked.connect(self.choose_trust)
        self.trust_view = TrustView(with_vault)
        self.trust_view.choose_asked.connect(self.choose_trust)
        self.trust_view.export_asked.connect(self.export_trust)
        self._checking = self._build_checking()
        self.no_runs = EmptyState(
            "No run has a result yet. Run an evaluation, and its pack can be made here.", "Evaluations"
        )
        self.no_runs.acted.connect(lambda: self.shell.go("evals"))
        self._stack = QStackedWidget()
        for widget in (self.make, self._checking, self.trust_view, self.no_runs):
            self._stack.addWidget(widget)
        self.body.addWidget(self._stack, 1)
        self._runs: tuple[RunView, ...] = ()
        self._turn("make" if with_vault else "check")
        self._show_trust(None)

    # what the window asks

    def opened(self) -> None:
        self._load()

    def show_about(self, about: object) -> None:
        wanted = str(about)
        if wanted.startswith("run-"):
            self._wanted = wanted
            self._turn("make")
            self._load()
        else:
            self.take([wanted])

    def changed(self, event: object) -> None:
        if isinstance(event, Changed) and event.act in (Act.RUN_EVALUATION, Act.ADD_USER):
            self._load()

    def start(self) -> QWidget:
        shown = self._stack.currentWidget()
        starts: dict[object, QWidget] = {self.make: self.make.runs, self._checking: self.drop}
        return starts.get(shown, self)

    def panes(self) -> list[QWidget]:
        shown = self._stack.currentWidget()
        if shown is self.make:
            return [self.make.left, self.make.main]
        return [self._left, self._verdicts] if shown is self._checking else [self._stack]

    # reading the vault

    def _load(self) -> None:
        if self.operations.workbench is None:
            return

        def work(bench: "Workbench", job: Job) -> tuple[tuple[RunView, ...], KnownTrust]:
            return bench.evals.list(), known(OWN, bench.vault.trust_file())

        def done(found: tuple[tuple[RunView, ...], KnownTrust]) -> None:
            self._runs, own = found
            if self.trust is None or self.trust.name == OWN:
                self._show_trust(own)
            self.make.show_runs(self._runs, self._wanted)
            self._wanted = ""
            self._turn(self.view.current())

        self.operations.run("Read the runs", work, done, self.fail)

    def _turn(self, name: str) -> None:
        self.view.choose(name)
        if name == "make":
            none = not any(view.result is not None for view in self._runs)
            self._stack.setCurrentWidget(self.no_runs if none else self.make)
            return
        self._stack.setCurrentWidget(self._checking if name == "check" else self.trust_view)

    # checking

    def take(self, paths: Sequence[str]) -> None:
        """Take files that were dropped or chosen: trust files first, then packs."""
        trusts = [path for path in paths if Path(path).suffix.lower() in TRUST]
        packs = [path for path in paths if path not in trusts]
        if trusts:
            self.use_trust(trusts[-1], packs)
        elif packs:
            self.check(packs)

    def check(self, paths: Sequence[str]) -> None:
        """Check packs with the trust file in use; the first one's verdict is shown."""
        self.banner.hide()
        self._turn("check")
        trust = self.trust
        file, name = (trust.file, trust.name) if trust is not None else (NOBODY, "")
        names = ", ".join(Path(path).name for path in paths)
        self._note.setText(f"Checking {names}")
        self.operations.run_alone(
            f"Check {names}",
            lambda job: [check_pack(Path(path), file, name, job) for path in paths],
            self._judged,
            self._failed,
        )

    def _judged(self, checked: list[CheckedPack]) -> None:
        self._note.setText("")
        fresh = {one.path for one in checked}
        self._checked = [*checked, *(one for one in self._checked if one.path not in fresh)]
        self.packs.show_rows(self._checked)
        self.packs.choose(0)
        self._show_verdict(checked[0])

    def _failed(self, found: Failure) -> None:
        self._note.setText("")
        self.fail(found)

    def _show_verdict(self, checked: CheckedPack) -> None:
        self.verdict.show_pack(checked)
        self._verdicts.setCurrentWidget(self.verdict)

    def choose_pack(self) -> None:
        """Ask for packs to check."""
        kinds = " ".join(f"*{suffix}" for suffix in (*PACKS, *TRUST))
        paths, _ = QFileDialog.getOpenFileNames(
            self, "Open a pack", "", f"Packs and trust files ({kinds});;All files (*)"
        )
        if paths:
            self.take(paths)

    # trust

    def choose_trust(self) -> None:
        """Ask for the trust file to use."""
        path, _ = QFileDialog.getOpenFileName(
            self, "Choose a trust file", "", "Trust files (*.json *.trust);;All files (*)"
        )
        if path:
            self.use_trust(path)

    def use_trust(self, path: str, packs: Sequence[str] = ()) -> None:
        """Use a trust file from now on; check `packs` and what was checked before with it."""

        def done(trust: KnownTrust) -> None:
            self.banner.hide()
            self._show_trust(trust)
            shown = [self.verdict.checked.path] if self.verdict.checked is not None else []
            others = [one.path for one in self._checked]
            again = list(dict.fromkeys((*packs, *shown, *others)))
            if again and (packs or self.view.current() == "check"):
                self.check(again)

        self.operations.run_alone("Read a trust file", lambda job: read_trust(Path(path), job), done, self._failed)

    def _show_trust(self, trust: KnownTrust | None) -> None:
        self.trust = trust
        self.trust_view.show_trust(trust)
        self._trust_name.say(trust.name if trust is not None else "None chosen")
        self._trust_words.setText(trust.words if trust is not None else "Nobody’s signature can be confirmed")
        self._trust_act.setText("Change…" if trust is not None else "Choose…")
        self._trust_act.setAccessibleName(f"{self._trust_act.text()} Trust file")

    def export_trust(self) -> None:
        """Ask where this vault's trust file shall be written, and write it."""
        path, _ = QFileDialog.getSaveFileName(self, "Export the trust file", "trust.json", "Trust files (*.json)")
        if not path:
            return
        out = Path(path if Path(path).suffix else f"{path}.json")

        def work(bench: "Workbench", job: Job) -> int:
            file = bench.vault.trust_file()
            write_whole(out, trustfile.dump(file), private=False)
            return len(file.cards)

        self.operations.run(
            "Export the trust file",
            work,
            lambda count: self.shell.toast(f"Wrote {out.name} with {count} cards."),
            self.fail,
        )

    # saving

    def _save_verdict(self, checked: CheckedPack) -> None:
        proposed = f"{Path(checked.path).stem}-verdict.txt"
        path, _ = QFileDialog.getSaveFileName(self, "Save the verdict", proposed, "Text (*.txt)")
        if path:
            self._write(Path(path), lambda: verdict_text(checked).encode("utf-8"))

    def _save_report(self, checked: CheckedPack) -> None:
        proposed = f"{Path(checked.path).stem}-report.html"
        path, _ = QFileDialog.getSaveFileName(self, "Save the report", proposed, "HTML (*.html)")
        if path:
            self._write(Path(path), lambda: report_of(Path(checked.path)))

    def _write(self, out: Path, content: Callable[[], bytes]) -> None:
        def work(job: Job) -> None:
            write_whole(out, content(), private=False)

        self.operations.run_alone(
            f"Write {out.name}", work, lambda _: self.shell.toast(f"Wrote {out.name}."), self._failed
        )

    # dropping anywhere on the page

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.take(paths)

    # building

    def _build_checking(self) -> QWidget:
        self.drop = DropZone("Drop a pack here", "No vault is needed to check one", "pack", (*PACKS, *TRUST))
        self.drop.dropped.connect(self.take)
        self._note = label("", type="small", tone="secondary", wrap=True)
        self.packs = Table((Column("Pack", _pack_cell),), "Packs that were checked", height=52)
        self.packs.horizontalHeader().hide()
        self.packs.setProperty("surface", "window")
        self.packs.chosen.connect(self._show_verdict)
        self._trust_name = Elided(middle=True, strong=True)
        self._trust_words = label("", type="small", tone="secondary", wrap=True)
        self._trust_act = button("Choose…", small=True)
        self._trust_act.clicked.connect(self.choose_trust)
        trust = QWidget()
        trust.setLayout(
            column(
                label("Trust file", type="small", tone="secondary"),
                self._trust_name,
                self._trust_words,
                row(self._trust_act, None),
                space=3,
                margins=(8, 4, 8, 4),
            )
        )
        self._left = list_pane(self.drop, self._note, self.packs, line(), trust, width=268)
        self._left.layout().setStretch(2, 1)
        self._verdicts = QStackedWidget()
        empty = QFrame()
        empty.setProperty("surface", "panel")
        self.no_pack = EmptyState(
            "Drop a pack and the trust file that you were given, and see whether you can rely on it.",
            "Open a pack…",
            "folder-open",
        )
        self.no_pack.acted.connect(self.choose_pack)
        empty.setLayout(column(self.no_pack))
        self._verdicts.addWidget(empty)
        self._verdicts.addWidget(self.verdict)
        made = QWidget()
        whole = row(self._left, line(vertical=True), self._verdicts, space=0)
        whole.setStretch(2, 1)
        made.setLayout(whole)
        return made


def _pack_cell(checked: CheckedPack) -> Cell:
    verdict = checked.verdict.verdict
    when = f"{checked.at.astimezone():%H:%M}"
    return Cell(
        checked.name,
        seal=SEALS[verdict],
        strong=True,
        second=f"{verdict.capitalize()}, checked {when}",
        spoken=f"{checked.name}, {verdict}, checked {when}",
    )
