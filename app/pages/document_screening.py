"""Screening on the documents page: a card that says how a collection is screened, a line that says what waits, and the view where it is decided."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFrame, QWidget

from app.bridge import screening as bridge
from app.bridge.operations import Failure, Handle
from app.pages.page import Shell
from app.pages.screening_again import ask_again
from app.pages.screening_form import ScreeningForm
from app.pages.screening_view import ScreeningView
from app.widgets.act_form import ActForm
from app.widgets.basic import Card, IconLabel, clear, column, frame, label, row
from app.widgets.buttons import Button
from app.widgets.tick_list import TickList
from core.documents.screening.records import Admitted

SHORT = {"off": "Off", "ask": "Asks", "automatic": "Automatic"}
GUARD = {"off": "Off", "mark": "Mark", "withhold": "Withhold", "refuse": "Refuse"}


class CollectionScreening(QObject):
    """The screening of the collection that the page shows. `turned` says that the view is wanted (True) or the documents again; `told` carries a
    failure."""

    turned = Signal(bool)
    told = Signal(object)

    def __init__(self, shell: Shell, parent: QWidget) -> None:
        super().__init__(parent)
        self._shell = shell
        self._collection = ""
        self.standing: bridge.Standing | None = None
        self._handle: Handle | None = None
        self._told: list[tuple[str, str]] = []
        self.card = Card("Screening")
        self._facts = column(space=8)
        self.decide = Button("Decide", "question")
        self.change = Button("Change", kind="quiet")
        self.change.setAccessibleName("Change screening")
        self.again = Button("Screen again", "again", "quiet")
        self.again.clicked.connect(lambda: ask_again(self._shell, self._collection, self._show, self.open))
        self.strip: QFrame = frame("window")
        self._words = label("", wrap=True)
        self.strip_act = Button("Decide", small=True)
        self.strip_act.setAccessibleName("Decide about findings")
        strip = row(IconLabel("question", "warn.fg"), self._words, self.strip_act, space=8, margins=(20, 8, 16, 8))
        strip.setStretch(1, 1)
        self.strip.setLayout(strip)
        self.strip.hide()
        self.card.body.addLayout(self._facts)
        self.card.body.addLayout(row(self.decide, self.change, None, margins=(0, 6, 0, 0)))
        self.card.body.addLayout(row(self.again, None))
        self.card.hide()
        self.view = ScreeningView()
        self.view.hide()
        for act in (self.decide, self.strip_act):
            act.clicked.connect(self.open)
        for signal in (self.change.clicked, self.view.policy_asked):
            signal.connect(self._ask_policy)
        self.view.decided.connect(self._decide)
        self.view.admit_asked.connect(self._admit)
        self.view.stop_asked.connect(self._stop)
        self.view.readmit_asked.connect(self._ask_readmission)
        self.view.closed.connect(lambda: self.turned.emit(False))

    def show(self, collection: str) -> None:
        """Show where a collection stands; nothing without one."""
        if collection != self._collection:
            self._collection = collection
            self.standing = None
            self.strip.hide()
            self.card.hide()
            if self.view.isVisible():
                self.turned.emit(False)
        if collection:
            self._run("Read the screening", lambda bench, job: bridge.standing(bench, collection), self._show)

    def open(self) -> None:
        """Show the findings, which the log then says."""
        name = self._collection

        def show(found: bridge.Found) -> None:
            if self._collection == name:
                self._show(found.standing)
                self.view.show_found(found)
                self.turned.emit(True)
                self.view.table.setFocus()

        self._run("Read the findings", lambda bench, job: bridge.found(bench, name), show)

    def _run(self, title: str, work: Callable[[Any, Any], Any], done: Callable[[Any], None]) -> None:
        self._shell.operations.run(title, work, done, self.told.emit)

    def _show(self, found: bridge.Standing) -> None:
        if found.state.policy.collection != self._collection:
            return
        self.standing = found
        policy, waiting = found.state.policy, found.state.waiting
        guards = policy.guards
        facts = [("On the way in", SHORT[policy.mode])]
        if policy.mode != "off":
            facts.append(("Looked for", bridge.count(len(policy.kinds), "kind")))
        if policy.mode != "off" and policy.redact:
            facts.append(("Taken out unasked", bridge.count(len(policy.redact), "kind")))
        facts += [
            ("Guard of questions", GUARD[guards.input]),
            ("Guard of passages", GUARD[guards.passages]),
            ("Guard of answers", GUARD[guards.output]),
        ]
        if waiting:
            facts.append(("Waiting", bridge.count(len(waiting), "document")))
        if facts != self._told:
            self._told = facts
            clear(self._facts)
            for word, value in facts:
                self._facts.addLayout(row(label(word, tone="secondary"), None, label(value), space=10))
        self.decide.setText("Decide" if waiting else "Excluded documents")
        self.decide.setAccessibleName(self.decide.text())
        self.decide.setVisible(bool(waiting or found.state.excluded))
        self.change.refuse(found.refusal)
        self.again.refuse(found.refusal)
        self.again.setVisible(policy.mode != "off")
        self.card.show()
        open_ = f"{bridge.count(found.open, 'finding')} to decide" if found.open else "all findings are decided"
        self._words.setText(
            f"{bridge.count(len(waiting), 'document')} {'waits' if len(waiting) == 1 else 'wait'}, and nothing of "
            f"{'it' if len(waiting) == 1 else 'them'} can be found yet: {open_}."
        )
        self.strip.setVisible(bool(waiting))
        self.view.show_standing(found)

    # acts

    def _ask_policy(self) -> None:
        if self.standing is None:
            return
        form = ScreeningForm(self.standing)

        def act() -> None:
            policy = form.policy
            form.wait("It is being saved.")
            self._shell.operations.run(
                "Save the screening",
                lambda bench, job: bridge.set_policy(bench, job, policy),
                saved,
                lambda found: form.refuse(found.sentence),
            )

        def saved(found: bridge.Standing) -> None:
            self._shell.close_overlay()
            self._shell.toast(f"Screening of {found.state.policy.collection} was changed")
            self._show(found)

        form.acted.connect(act)
        form.cancelled.connect(self._shell.close_overlay)
        self._shell.open_dialog(form, 640)

    def _decide(self, action: bridge.Action, ids: tuple[int, ...], reason: str) -> None:
        name = self._collection

        def work(bench: Any, job: Any) -> tuple[bridge.Standing, str]:
            return bridge.decide(bench, name, action, ids, reason), bench.vault.user.user

        def done(found: tuple[bridge.Standing, str]) -> None:
            if self._collection == name:
                self._show(found[0])
                self.view.show_decided(action, ids, found[1], found[0])

        self._run("Decide findings", work, done)

    def _admit(self) -> None:
        name = self._collection
        if self._handle is not None:
            return
        self.view.begin(f"Taking documents into {name}")
        self._handle = self._shell.operations.run(
            f"Taking documents into {name}",
            lambda bench, job: bench.screening.admit(name, job),
            self._admitted,
            self._not_admitted,
            self._stopped,
            shown=True,
        )
        self._handle.progress.connect(lambda progress: self.view.work.say(progress.done, progress.total, progress.unit))

    def _admitted(self, found: Admitted) -> None:
        self._over()
        parts = [f"{bridge.count(found.added, 'document')} taken in"]
        parts += [f"{found.redacted:,} of them redacted"] if found.redacted else []
        parts += [f"{found.excluded:,} excluded"] if found.excluded else []
        parts += [f"{found.waiting:,} still {'waits' if found.waiting == 1 else 'wait'}"] if found.waiting else []
        self._shell.toast(", ".join(parts))
        if found.waiting:
            self.open()
        else:
            self.turned.emit(False)
            self.show(self._collection)

    def _not_admitted(self, found: Failure) -> None:
        self._over()
        self.told.emit(found)
        self.open()

    def _stopped(self) -> None:
        self._over()
        self._shell.toast("Stopped. What was taken in until then is in.")
        self.open()

    def _stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()

    def _over(self) -> None:
        self._handle = None
        self.view.ended()

    def _ask_readmission(self) -> None:
        if self.standing is None:
            return
        name = self._collection
        names = TickList("Excluded", "They stay out until they are let in here, and added again.", "Find a document")
        form = ActForm("Let in again", parts=(names,), title=f"Documents that stay out of {name}")
        names.offer([(one, one) for one in dict.fromkeys(self.standing.state.excluded)])
        form.setFocusProxy(names.list)

        def act() -> None:
            chosen = names.chosen()
            if not chosen:
                form.refuse("None is ticked.")
                return
            form.wait("It is being done.")
            self._shell.operations.run(
                "Let documents in again",
                lambda bench, job: bridge.readmit(bench, name, chosen),
                done,
                lambda found: form.refuse(found.sentence),
            )

        def done(found: bridge.Standing) -> None:
            self._shell.close_overlay()
            self._shell.toast("Add the files again, and they are looked at again")
            self._show(found)

        form.acted.connect(act)
        form.cancelled.connect(self._shell.close_overlay)
        self._shell.open_dialog(form, 480)
