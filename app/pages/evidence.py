"""Evidence: make a pack of a run, check a pack that somebody gave you, withhold parts of one, and see whose signatures count.

Only making needs a vault: the page opens from the page for unlocking too, and then shows what an outside auditor needs. Packs, sealed packs,
trust files, cards and keys may be dropped on it together; each is known by its content.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QDragEnterEvent, QDropEvent, QResizeEvent
from PySide6.QtWidgets import QFileDialog, QFrame, QStackedWidget, QWidget

from app.bridge.operations import Failure
from app.pages import sealed_packs
from app.pages.dropped_files import Dropped, sort_out
from app.pages.pack_check import SEALS, VerdictView
from app.pages.pack_making import MakePackView
from app.pages.pack_redaction import RedactView
from app.pages.pack_words import NOBODY, CheckedPack, check_pack, judge, share_of
from app.pages.page import Page, Shell, list_pane
from app.pages.trust_acts import KINDS, TrustActs
from app.pages.trust_cards import TrustView
from app.pages.trust_files import OWN, KnownTrust, known, read_trust
from app.pages.verdict_acts import VerdictActs
from app.widgets.basic import Elided, column, label, line, row
from app.widgets.buttons import Segments, button
from app.widgets.drop_zone import DropZone
from app.widgets.empty_state import EmptyState
from app.widgets.forms import line_edit
from app.widgets.giving_way import give_way
from app.widgets.table import Cell, Column, Table
from core.errors import WrongPassphrase
from core.evals.records import RunView
from core.jobs import Job, Progress
from core.trust.trustfile import TrustFile
from core.vault.events import Changed
from core.vault.roles import Act

if TYPE_CHECKING:
    from core.workbench import Workbench

MOST = 20
"""Packs whose verdicts are kept in the list."""
MOST_SEALED = 512 * 1024 * 1024
"""Bytes of packs that came sealed and lie in memory while they are in the list; the newest always does."""


class EvidencePage(Page):
    """The page. `show_about` takes a run's id (make its pack), or the path of a file that could be dropped on it, or a list of such."""

    title = "Evidence"

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.setAcceptDrops(True)
        with_vault = self.operations.workbench is not None
        self._with_vault = with_vault
        self._checked: list[CheckedPack] = []
        self.trust: KnownTrust | None = None
        self._wanted = ""
        self._keys = ""
        self._number = 0
        self._asked = 0
        self._stale: list[str | CheckedPack] = []
        """What is checked again when its verdicts are looked at: the trust file changed meanwhile."""
        self._sought = ""

        views = (("make", "Make a pack"),) if with_vault else ()
        self.view = Segments(
            (*views, ("check", "Check a pack"), ("redact", "Redact"), ("trust", "Trust file")), "What to do"
        )
        self.view.chosen.connect(self._turn)
        self.bar.about(self.view)
        self.open = button("Open a pack…", "folder-open")
        self.open.clicked.connect(self.choose_pack)
        self.bar.act(self.open)

        self.acts = VerdictActs(shell, self, self.fail, self.banner.say, self._redact)
        self.trusting = TrustActs(shell, self, lambda: self.trust, self._use, self.fail)
        self.destroyed.connect(self.acts.close)
        self.make = MakePackView(shell)
        self.make.check_asked.connect(lambda path: self.check([path]))
        self.make.seal_asked.connect(lambda path: self.acts.seal(Path(path)))
        self.make.redact_asked.connect(self._redact_path)
        self.make.trust_asked.connect(self.trusting.export)
        self.verdict = VerdictView()
        self.verdict.acted.connect(self._act)
        self.verdict.trust_asked.connect(self.choose_trust)
        self.verdict.compare_asked.connect(self.trusting.compare_signers)
        self.redact = RedactView(shell)
        self.redact.failed.connect(self.fail)
        self.redact.written.connect(lambda path: self.check([path]))
        self.trust_view = TrustView(with_vault)
        for asked, way in (
            (self.trust_view.choose_asked, self.choose_trust),
            (self.trust_view.export_asked, self.trusting.export),
            (self.trust_view.card_asked, self.trusting.export_card),
            (self.trust_view.add_asked, self.trusting.add),
            (self.trust_view.save_asked, self.trusting.save),
            (self.trust_view.keys_asked, self.trusting.make_keys),
            (self.trust_view.compare_asked, self.trusting.compare),
            (self.trust_view.remove_asked, self.trusting.remove),
        ):
            asked.connect(way)
        self._checking = self._build_checking()
        self.no_runs = EmptyState(
            "No run has a result yet. Run an evaluation, and its pack can be made here.", "Evaluations"
        )
        self.no_runs.acted.connect(lambda: self.shell.go("evals"))
        self._stack = QStackedWidget()
        for widget in (self.make, self._checking, self.redact, self.trust_view, self.no_runs):
            self._stack.addWidget(widget)
        self.body.addWidget(self._stack, 1)
        self._runs: tuple[RunView, ...] = ()
        self._turn("make" if with_vault else "check")
        self._show_trust(None)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        give_way(self._left, self.width(), 268)

    # what the window asks

    def opened(self) -> None:
        self._load()

    def show_about(self, about: object) -> None:
        if isinstance(about, list):
            self.take(about)
            return
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
        if shown is self.redact:
            return [self.redact.left, self.redact]
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
        self._stack.setCurrentWidget({"check": self._checking, "redact": self.redact, "trust": self.trust_view}[name])
        if name == "check" and self._stale:
            self.check(())

    # what was given

    def take(self, paths: Sequence[str]) -> None:
        """Take files that were dropped or chosen, each as what it is."""
        self.banner.hide()
        self.operations.run_alone("Look at files", lambda job: sort_out(paths, job), self._take, self._failed)

    def _take(self, given: Dropped) -> None:
        if given.keys:
            self._keys = given.keys[-1]
        if self.view.current() == "redact" and given.packs and not given.trusts:
            self.redact.open_pack(given.packs[0])
        elif given.trusts:
            self.use_trust(given.trusts[-1], given.packs, given.sealed)
        else:
            self._take_packs(given.packs, given.sealed)
        if given.cards:
            self._turn("trust")
            self.trusting.add_from(given.cards[0])
        elif given.keys and not given.sealed:
            self.shell.toast(f"{Path(self._keys).name} is ready. Drop the pack that is sealed to it.")
        elif given.publics and not given.packs:
            self.banner.say(
                f"{Path(given.publics[0]).name} is a public key: packs are sealed to it, and it opens none.",
                "To seal a pack to it, check the pack, then choose “Hand it on”. To open one, use the other file of the pair.",
            )

    def _take_packs(self, packs: Sequence[str], sealed: Sequence[str]) -> None:
        if packs:
            self.check(packs)
        if sealed:
            self.open_sealed(sealed[0])
        if len(sealed) > 1:
            self.banner.say("Several sealed packs were given, and each needs its keys.", "Open the others one by one.")

    def choose_pack(self) -> None:
        """Ask for packs to check."""
        paths, _ = QFileDialog.getOpenFileNames(
            self, "Open a pack", "", "Packs and trust files (*.pack *.zip *.sealed *.json *.trust);;All files (*)"
        )
        if paths:
            self.take(paths)

    # checking

    def check(self, packs: Sequence[str | CheckedPack]) -> None:
        """Check packs with the trust file in use, those that came sealed from memory; the first one's verdict is shown."""
        self.banner.hide()
        stale, self._stale = self._stale, []
        packs = _merged(packs, stale)
        self._turn("check")
        file, name, nonce = self._trusted(), self._trust_called(), self.nonce.text().strip()
        self._sought = nonce
        names = ", ".join(Path(_path(pack)).name for pack in packs)

        def work(job: Job) -> list[CheckedPack]:
            found = []
            for place, pack in enumerate(packs):
                job.report(place, len(packs), "packs")
                sealed = pack.sealed if isinstance(pack, CheckedPack) else None
                path = Path(_path(pack))
                found.append(
                    check_pack(path, file, name, job, nonce)
                    if sealed is None
                    else judge(path, sealed, file, name, job, nonce, sealed=True)
                )
            return found

        self._begin(f"Checking {names}")
        asked = self._asked

        def judged(found: list[CheckedPack]) -> None:
            if asked == self._asked:
                self._judged(found)

        handle = self.operations.run_alone(f"Check {names}", work, judged, self._failed)
        handle.progress.connect(lambda progress: self._say(asked, names, progress))
        self._number = handle.number

    def open_sealed(self, path: str) -> None:
        """Ask for the keys that open a sealed pack, and check what is in it."""
        self._turn("check")
        form = sealed_packs.OpenForm(Path(path), sealed_packs.sealed_to(Path(path)), self._keys)

        def opening() -> None:
            keys, passphrase = form.keys.path, form.take_secrets()[0]
            file, name, nonce = self._trusted(), self._trust_called(), self.nonce.text().strip()
            form.wait("Opening the pack")

            def work(job: Job) -> CheckedPack:
                return sealed_packs.open_and_check(Path(path), keys, passphrase, file, name, job, nonce)

            def done(checked: CheckedPack) -> None:
                self._keys = str(keys)
                self.shell.close_overlay()
                self._judged([checked])

            def refused(found: Failure) -> None:
                wrong = isinstance(found.error, WrongPassphrase)
                form.refuse("The passphrase is wrong for these keys. Nothing was opened." if wrong else found.sentence)

            self.operations.run_alone("Open a sealed pack", work, done, refused)

        form.acted.connect(opening)
        form.cancelled.connect(self.shell.close_overlay)
        self.shell.open_dialog(form)

    def _look_for_nonce(self) -> None:
        """Judge again what is shown, where another nonce is looked for."""
        if self.nonce.text().strip() != self._sought and self.verdict.checked is not None:
            self.check([self.verdict.checked])

    def _begin(self, words: str) -> None:
        self._asked += 1
        self._note.setText(words)
        self._busy.show()

    def _say(self, asked: int, names: str, progress: Progress) -> None:
        """How much of the pack has been read."""
        if asked == self._asked and (share := share_of(progress)):
            self._note.setText(f"Checking {names}, {share}")

    def _stop(self) -> None:
        """Stop checking: what comes of it is dropped."""
        self.operations.cancel(self._number)
        self._asked += 1
        self._busy.hide()

    def _judged(self, checked: list[CheckedPack]) -> None:
        self._busy.hide()
        fresh = {one.path for one in checked}
        self._checked = _kept([*checked, *(one for one in self._checked if one.path not in fresh)])
        self.packs.show_rows(self._checked)
        self.packs.choose(0)
        self._show_verdict(checked[0])

    def _failed(self, found: Failure) -> None:
        self._busy.hide()
        self.fail(found)

    def _show_verdict(self, checked: CheckedPack) -> None:
        self.verdict.show_pack(checked)
        self._verdicts.setCurrentWidget(self.verdict)

    def _act(self, act: str, checked: CheckedPack) -> None:
        if act == "again":
            self.check([checked])
        else:
            self.acts.do(act, checked)

    def _redact(self, checked: CheckedPack) -> None:
        self._turn("redact")
        self.redact.open_pack(checked.path, checked.sealed)

    def _redact_path(self, path: str) -> None:
        self._turn("redact")
        self.redact.open_pack(path)

    # trust

    def choose_trust(self) -> None:
        """Ask for the trust file to use."""
        path, _ = QFileDialog.getOpenFileName(self, "Choose a trust file", "", KINDS)
        if path:
            self.use_trust(path)

    def use_trust(self, path: str, packs: Sequence[str] = (), sealed: Sequence[str] = ()) -> None:
        """Use a trust file from now on; check `packs` and what was checked before with it."""

        def done(trust: KnownTrust) -> None:
            self.banner.hide()
            self._use(trust, packs)
            self._take_packs((), sealed)
            if not (packs or sealed or self._checked or self.view.current() == "trust"):
                self.shell.toast(f"{trust.name} counts from now on: {trust.words}. Drop the pack to check.")

        self.operations.run_alone("Read a trust file", lambda job: read_trust(Path(path), job), done, self._failed)

    def _use(self, trust: KnownTrust, packs: Sequence[str] = ()) -> None:
        """Use this trust file, and check with it what is at hand."""
        self._show_trust(trust)
        shown = [self.verdict.checked] if self.verdict.checked is not None else []
        again = _merged(packs, _merged(shown, self._checked))
        if again and (packs or self.view.current() == "check"):
            self.check(again)
        else:
            self._stale = again

    def _trusted(self) -> TrustFile:
        return self.trust.file if self.trust is not None else NOBODY

    def _trust_called(self) -> str:
        return self.trust.name if self.trust is not None else ""

    def _show_trust(self, trust: KnownTrust | None) -> None:
        self.trust = trust
        self.trust_view.show_trust(trust)
        self._trust_name.say(trust.name if trust is not None else "None chosen")
        self._trust_words.setText(trust.words if trust is not None else "Nobody’s signature can be confirmed")
        self._trust_act.setText("Change…" if trust is not None else "Choose…")
        self._trust_act.setAccessibleName(f"{self._trust_act.text()} Trust file")

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
        self.drop = DropZone("Drop a pack here", "With its trust file, if you have one", "pack")
        self.drop.dropped.connect(self.take)
        self._note = label("", type="small", tone="secondary", wrap=True)
        stop = button("Cancel", "close", "quiet", small=True)
        stop.setAccessibleName("Stop checking")
        stop.clicked.connect(self._stop)
        self._busy = QWidget()
        busy = row(self._note, space=6)
        busy.setStretch(0, 1)
        busy.addWidget(stop)
        self._busy.setLayout(busy)
        self._busy.hide()
        self.nonce = line_edit("Only if you gave one")
        self.nonce.setAccessibleName("Nonce that you asked for")
        self.nonce.setAccessibleDescription("The word or number that you asked to find in the pack")
        self.nonce.editingFinished.connect(self._look_for_nonce)
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
                6,
                label("Nonce that you asked for", type="small", tone="secondary"),
                self.nonce,
                space=3,
                margins=(8, 4, 8, 4),
            )
        )
        self._left = list_pane(self.drop, self._busy, self.packs, line(), trust, width=268)
        self._left.layout().setStretch(2, 1)
        self._verdicts = QStackedWidget()
        empty = QFrame()
        empty.setProperty("surface", "panel")
        self.no_pack = EmptyState(
            "Drop the pack and the trust file that you were given, and see whether you can rely on it. "
            "The trust file says whose signatures count; it comes to you by another way than the pack.",
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


def _merged(first: Sequence[str | CheckedPack], rest: Sequence[str | CheckedPack]) -> list[str | CheckedPack]:
    """These packs and then those, each path once."""
    found: dict[str, str | CheckedPack] = {}
    for pack in (*first, *rest):
        found.setdefault(_path(pack), pack)
    return list(found.values())


def _kept(checked: Sequence[CheckedPack]) -> list[CheckedPack]:
    """The newest of these, and no more in memory than there should be."""
    found: list[CheckedPack] = []
    room = MOST_SEALED
    for one in checked[:MOST]:
        room -= len(one.sealed or b"")
        if room >= 0 or one.sealed is None or not found:
            found.append(one)
    return found


def _path(pack: str | CheckedPack) -> str:
    return pack.path if isinstance(pack, CheckedPack) else pack


def _pack_cell(checked: CheckedPack) -> Cell:
    word = f"{checked.word}, parts taken out" if checked.verdict.withheld else checked.word
    when, name = f"{checked.at.astimezone():%H:%M}", Path(checked.path).name
    return Cell(
        name,
        seal=SEALS[checked.verdict.verdict],
        strong=True,
        middle=True,
        second=f"{word}, {when}",
        spoken=f"{name}, {word}, {checked.name}, checked {when}",
    )
