"""The audit log: every change, sign-in, refusal and showing, newest first; searched, proved, exported and reviewed.

The table knows how many entries there are and reads those near the screen, a page at a time and off the UI thread; a search grows as it is
scrolled. What came in while somebody reads further down is announced and not pushed in.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from app.bridge import trail as bridge
from app.bridge.operations import Failure
from app.bridge.trail import PAGE, Detail, Overview, Part, ToReview
from app.pages.audit_entry import EntryView
from app.pages.audit_filter import AuditFilter
from app.pages.audit_forms import ExportForm, ReviewForm, SettleForm, WitnessForm
from app.pages.page import Page, Shell, side_pane
from app.pages.role_matrix import act_words
from app.pages.signatures import ask_and_sign, moment
from app.widgets.act_form import ActForm
from app.widgets.basic import Elided, IconLabel, column, frame, line, row
from app.widgets.beside import Beside
from app.widgets.buttons import button
from app.widgets.paged import PagedRows
from app.widgets.signing import Meaning, Signed, ToSign
from app.widgets.table import Cell, Column, Table
from core.jobs import Job
from core.vault.events import Changed
from core.vault.roles import Act, allowed
from core.vault.trail import TrailQuery

T = TypeVar("T")

if TYPE_CHECKING:
    from core.vault.records import LogEntry
    from core.vault.signing import Signer
    from core.workbench import Workbench

SETTLE_AFTER = 300
"""Milliseconds in which changes that follow each other are gathered into one look at the log."""
MARKS = {Act.REFUSAL.value: ("warning", "warn.fg"), Act.SIGN_IN_FAILED.value: ("alert", "fail.fg")}
SIGNS = frozenset({Act.SIGN.value, Act.APPROVE.value, Act.EXPORT_PACK.value, Act.REVIEW_TRAIL.value})


class AuditPage(Page):
    """The page. `show_about` takes the number of an entry, or "settle" to ask for the end of a rollback warning."""

    title = "Audit log"

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self._people: dict[str, str] = {}
        self.overview: Overview | None = None
        self._query: TrailQuery | None = None
        self._size = 0
        self._more: int | None = None
        self._reading: set[int] = set()
        self._round = 0
        self.review = button("Review…", "stamp")
        self.review.clicked.connect(self._ask_review)
        self.keep = button("Checkpoint", "save", "quiet").with_caret()
        self.keep.clicked.connect(self._open_keep)
        self.export = button("Export…", "upload")
        self.export.clicked.connect(self._ask_export)
        self.bar.act(self.keep, self.export, self.review)

        self.filter = AuditFilter()
        self.filter.changed.connect(self._search)
        self.rows = PagedRows(self._columns(), PAGE)
        self.rows.wanted.connect(self._read_page)
        self.rows.more.connect(self._read_more)
        self.table = Table(self.rows.columns, "Entries of the audit log", rows=self.rows)
        self.table.chosen.connect(self._choose)
        self.entry = EntryView()
        self.entry.proof_asked.connect(self._save_proof)
        self._side = side_pane(self.entry, width=340)
        self._side.hide()

        self._mark = IconLabel("info", "text.secondary", 15)
        self._state = Elided(type="small", tone="secondary")
        self.fresh = button("Show new entries", "again", "link", small=True)
        self.fresh.hide()
        self.fresh.clicked.connect(self._reload)
        self.check = button("Check all", "health", "quiet", small=True)
        self.check.setToolTip("Compares every entry with its place in the tree")
        self.check.clicked.connect(self._check)
        foot = frame("panel")
        state = row(self._mark, self._state, self.fresh, self.check, space=8, margins=(16, 5, 16, 5))
        state.setStretch(1, 1)
        foot.setLayout(state)
        left = QWidget()
        inner = column(self.filter, line(), self.table, line(), foot, space=0)
        left.setLayout(inner)
        inner.setStretch(2, 1)
        self.body.addWidget(Beside(left, self._side), 1)
        self._gather = QTimer(self)
        self._gather.setSingleShot(True)
        self._gather.setInterval(SETTLE_AFTER)
        self._gather.timeout.connect(self._look_again)
        self.checked = ""

    # what the window asks

    def opened(self) -> None:
        self.operations.run(
            "Read the audit log", lambda bench, job: bridge.overview(bench), self._show_overview, self.fail
        )

    def show_about(self, about: object) -> None:
        if about == "settle":
            self._ask_settle()

    def changed(self, event: object) -> None:
        if isinstance(event, Changed) and not self._gather.isActive():
            self._gather.start()

    def start(self) -> QWidget:
        return self.table

    def panes(self) -> list[QWidget]:
        return [self.filter, self.table, self._side]

    def side(self) -> QWidget | None:
        return self._side if self.entry.detail is not None else None

    # reading

    def _show_overview(self, found: Overview) -> None:
        self.overview = found
        self._people = found.people
        self.filter.offer(found.people)
        self._allow()
        self._say_state()
        if self._query is None or found.size != self._size:
            self._search()

    def _search(self) -> None:
        """Begin anew with what the filter asks for."""
        self._round += 1
        self._reading.clear()
        self._query = self.filter.query()
        self.fresh.hide()
        if self.filter.any:
            self.rows.begin(0)
            self._more = None
            self._read(msgspec.structs.replace(self._query, limit=PAGE), self._first_found)
        else:
            self._read(msgspec.structs.replace(self._query, limit=PAGE), self._first_page)

    def _read(self, query: TrailQuery, done: Callable[[Part], None]) -> None:
        here = self._round

        def arrived(found: Part) -> None:
            if here == self._round:
                done(found)

        self.operations.run("Read the audit log", lambda bench, job: bridge.part(bench, query), arrived, self._failed)

    def _failed(self, found: Failure) -> None:
        self._reading.clear()
        self.banner.say(found.sentence, found.safe)

    def _first_page(self, found: Part) -> None:
        self._size = found.size
        self.rows.begin(found.size)
        self.rows.put(0, found.entries)
        self._say_state()
        if found.entries and not self.table.currentIndex().isValid():
            self.table.choose(0)

    def _first_found(self, found: Part) -> None:
        self._size = found.size
        self.rows.begin(0)
        self._found(found)
        if found.entries:
            self.table.choose(0)

    def _found(self, found: Part) -> None:
        self._more = found.more
        self.rows.append(found.entries, found.more is not None)
        self._say_state()

    def _read_page(self, page: int) -> None:
        """A page of the whole log: entries have no gaps, so its place is known."""
        if page in self._reading or self.filter.any or self._query is None:
            return
        self._reading.add(page)
        query = TrailQuery(before=self._size - page * PAGE, limit=PAGE)

        def arrived(found: Part) -> None:
            self._reading.discard(page)
            self.rows.put(page, found.entries)

        self._read(query, arrived)

    def _read_more(self) -> None:
        if self._query is not None and self._more is not None:
            self._read(msgspec.structs.replace(self._query, before=self._more, limit=PAGE), self._found)

    def _look_again(self) -> None:
        self.operations.run("Look at the audit log", lambda bench, job: bridge.size(bench), self._grown, lambda _: None)

    def _grown(self, size: int) -> None:
        new = size - self._size
        if new <= 0:
            return
        if self.table.verticalScrollBar().value() == 0 and not self.filter.any and self.isVisible():
            self._reload()
            return
        self.fresh.setText(f"Show {new:,} new entr{'y' if new == 1 else 'ies'}")
        self.fresh.setAccessibleName(self.fresh.text())
        self.fresh.updateGeometry()
        self.fresh.show()

    def _reload(self) -> None:
        self.table.clearSelection()
        self._query = None
        self.opened()

    # one entry

    def _choose(self, entry: "LogEntry") -> None:
        def done(found: Detail) -> None:
            self.entry.show_detail(found, self._people)
            self._side.show()

        self.operations.run("Read an entry", lambda bench, job: bridge.detail(bench, entry.index), done, self.fail)

    def _save_proof(self, index: int) -> None:
        self._save(
            "Save a proof",
            f"entry-{index}.proof",
            "Proofs (*.proof)",
            lambda bench, path: bridge.save_proof(bench, index, path),
        )

    # saying how it stands

    def _say_state(self) -> None:
        found = self.overview
        if found is None:
            return
        if self.filter.any:
            count = self.rows.rowCount()
            more = " so far; scroll for more" if self._more is not None else ""
            words = [f"{count:,} of {self._size:,} entries fit{more}"]
        else:
            words = [f"{self._size:,} entries"]
        words.append(self.checked or "not checked in this sitting")
        if found.unreviewed:
            first = found.unreviewed[0][0]
            words.append("nothing reviewed yet" if first == 0 else f"reviewed up to entry {first - 1:,}")
        else:
            words.append("all of it reviewed")
        self._state.say(" · ".join(words))
        icon, tone = ("check", "pass.fg") if self.checked else ("info", "text.secondary")
        self._mark.show_icon(icon, tone)

    def _check(self) -> None:
        self.check.refuse("It is being checked.")

        def free() -> None:
            self.check.refuse("")

        def done(size: int) -> None:
            free()
            self.checked = f"checked to entry {size - 1:,}"
            self._say_state()
            self.shell.toast(f"All {size:,} entries are as they were logged")

        def failed(found: Failure) -> None:
            free()
            self.fail(found)

        self.operations.run("Check the audit log", bridge.check, done, failed, free, shown=True)

    def _allow(self) -> None:
        for act, what, who in (
            (self.export, Act.EXPORT_TRAIL, "an administrator, reviewer or auditor"),
            (self.review, Act.REVIEW_TRAIL, "a reviewer or auditor"),
        ):
            act.refuse("" if self._may(what) else f"Your roles here don’t allow it; {who} may.")

    def _may(self, act: Act) -> bool:
        workbench = self.operations.workbench
        return workbench is not None and allowed(act, workbench.vault.user.roles)

    # taking away

    def _save(self, title: str, name: str, kind: str, write: "Callable[[Workbench, Path], object]") -> None:
        path, _ = QFileDialog.getSaveFileName(self, title, name, kind)
        if path:
            self.operations.run(
                title,
                lambda bench, job: write(bench, Path(path)),
                lambda _: self.shell.toast(f"Wrote {Path(path).name}"),
                self.fail,
            )

    def _open_keep(self) -> None:
        menu = QMenu(self)
        menu.addAction("Save checkpoint…", self._save_checkpoint)
        menu.addAction("Save request for a witness…", self._save_request)
        menu.addAction("Take in a cosigned checkpoint…", self._take_cosigned)
        menu.popup(self.keep.mapToGlobal(self.keep.rect().bottomLeft()))

    def _save_checkpoint(self) -> None:
        self._save("Save the checkpoint", "checkpoint.txt", "Checkpoints (*.txt)", bridge.save_checkpoint)

    def _save_request(self) -> None:
        self._save("Save the request", "request.txt", "Requests (*.txt)", bridge.save_request)

    def _take_cosigned(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, "Take in a cosigned checkpoint", "", "Checkpoints (*.txt);;All files (*)"
        )
        if not path:
            return
        form = WitnessForm(Path(path).name)
        self._ask(
            form,
            "Take in a checkpoint",
            lambda bench, job: bridge.take_cosigned(bench, Path(path), form.witness.text.strip()),
            lambda count: f"{count} cosignature{'' if count == 1 else 's'} kept" if count else "Nothing in it was new",
        )

    def _ask_export(self) -> None:
        form = ExportForm(self._state.full.split(" · ")[0] if self.filter.any else "")

        def place() -> None:
            ending = form.format()
            path, _ = QFileDialog.getSaveFileName(self, "Export the audit log", f"audit-log{ending}", f"(*{ending})")
            if not path:
                return
            out = Path(path if Path(path).suffix else f"{path}{ending}")
            query, reason = self.filter.query(), form.reason.text.strip()
            self._do(
                form,
                "Export the audit log",
                lambda bench, job: bridge.export(bench, query, out, reason),
                lambda count: f"Wrote {count:,} entries to {out.name}",
            )

        form.acted.connect(place)
        self._open(form)

    def _ask_settle(self) -> None:
        form = SettleForm()
        self._ask(
            form,
            "Settle the warning",
            lambda bench, job: bridge.settle(bench, form.reason.text),
            lambda _: "The warning is settled, and the log says why",
            self.shell.care_changed,
        )

    def _open(self, form: ActForm) -> None:
        form.cancelled.connect(self.shell.close_overlay)
        self.shell.open_dialog(form, 480)

    def _ask(
        self,
        form: ActForm,
        title: str,
        work: "Callable[[Workbench, Job], T]",
        said: Callable[[T], str],
        after: Callable[[], None] | None = None,
    ) -> None:
        form.acted.connect(lambda: self._do(form, title, work, said, after))
        self._open(form)

    def _do(
        self,
        form: ActForm,
        title: str,
        work: "Callable[[Workbench, Job], T]",
        said: Callable[[T], str],
        after: Callable[[], None] | None = None,
    ) -> None:
        form.wait("It takes a moment.")

        def done(result: T) -> None:
            self.shell.close_overlay()
            self.shell.toast(said(result))
            self._reload()
            if after is not None:
                after()

        self.operations.run(title, work, done, lambda found: form.refuse(f"{found.sentence} {found.safe}".strip()))

    # reviewing

    def _ask_review(self) -> None:
        found = self.overview
        if found is None:
            return
        form = ReviewForm(found.unreviewed, found.size)

        def read() -> None:
            form.wait("The range is read.")
            first, last = form.range()
            self.operations.run(
                "Read the range",
                lambda bench, job: bridge.to_review(bench, first, last),
                self._sign_review,
                lambda f: form.refuse(f.sentence),
            )

        form.acted.connect(read)
        self._open(form)

    def _sign_review(self, wanted: ToReview) -> None:
        workbench = self.operations.workbench
        if workbench is None:
            return
        self.shell.close_overlay()
        person = workbench.vault.user
        what = ToSign(
            f"Review of entries {wanted.first} to {wanted.last}",
            wanted.text,
            wanted.root,
            (Meaning("reviewed", "Reviewed", "I read these entries"),),
            person.user,
            f"{person.name}, {', '.join(person.roles)}",
            "The reason is what you found.",
            "Write what you found as the reason, or that nothing was out of order.",
        )

        def work(bench: "Workbench", job: Job, signer: "Signer", entered: Signed) -> str:
            return bridge.review(bench, signer, wanted, entered.reason)

        def done(name: str) -> None:
            self.shell.toast(f"The review of {name} is signed")
            self._reload()

        ask_and_sign(self.shell, what, work, done)

    # columns

    def _columns(self) -> tuple[Column, ...]:
        return (
            Column("Entry", lambda entry: Cell(f"{entry.index:,}", tone="text.secondary"), 74, right=True),
            Column("Time", lambda entry: Cell(moment(entry.time), tone="text.secondary", spoken=entry.time), 152),
            Column("Person", lambda entry: Cell(self._people.get(entry.user, entry.user)), 116),
            Column("Act", _act_cell, 150),
            Column("About", lambda entry: Cell(entry.about or entry.reason, tone="text.secondary")),
        )


def _act_cell(entry: "LogEntry") -> Cell:
    words = act_words(entry.act)
    icon, tone = MARKS.get(entry.act, ("", ""))
    if entry.act in SIGNS:
        icon, tone = "stamp", "signed.fg"
    return Cell(words, icon, strong=bool(icon), icon_tone=tone)
