"""Prompts: their versions, what changed between any two, who signed which, and the editor of the next one.

Reading is on the left and in the middle, acting on the right: sign, label, and the runs in which a version was measured. A version is never
changed; the editor makes the next one. While somebody signs, the text stays in sight beside the signing panel.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QBoxLayout, QFrame, QStackedWidget, QWidget

from app.bridge.operations import Failure
from app.pages.page import Page, Shell, list_pane, scrolled, side_pane, take_focus
from app.pages.prompt_editor import PromptEditor
from app.pages.prompt_example import example
from app.pages.prompt_versions import VersionList
from app.pages.signatures import ask_and_sign, meanings_for
from app.pages.version_cards import LabelDialog, VersionCards
from app.theme.look import look
from app.widgets.basic import Elided, column, label, line, row
from app.widgets.beside import Beside
from app.widgets.buttons import Button, Segments, button
from app.widgets.diff_view import DiffText, DiffView
from app.widgets.empty_state import EmptyState
from app.widgets.forms import Choice
from app.widgets.quick_switcher import Target
from app.widgets.signing import Signed, ToSign
from app.widgets.toolbar import Chooser
from app.widgets.views import Views, below
from core.evals.records import RunView
from core.jobs import Job
from core.prompts.records import DiffPart, Preview, PromptState, SavedPrompt, SavePrompt, SignPrompt
from core.prompts.service import as_text, messages_text
from core.records import Json
from core.vault.events import Changed
from core.vault.records import Signature, User
from core.vault.roles import Act, allowed
from core.vault.signing import Signer

if TYPE_CHECKING:
    from core.workbench import Workbench

LIST, SIDE, SIGNING_SIDE = 248, 384, 568
NARROW, NARROW_LIST, NARROW_SIDE = 1180, 200, 300
BELOW, NARROW_TEXT = 700, 520
"""Under the first width, list and side panel give way to the text."""
CHANGES = {Act.SAVE_PROMPT, Act.SIGN, Act.APPROVE, Act.LABEL}


@dataclass(frozen=True)
class _Shelf:
    """All prompts by name, the versions of the one that is shown, and people's printed names."""

    latest: tuple[PromptState, ...]
    versions: tuple[PromptState, ...]
    people: dict[str, str]


@dataclass(frozen=True)
class _About:
    """What belongs to one version: signatures, runs, the difference to another version, and the text with example content."""

    signatures: tuple[Signature, ...]
    runs: tuple[RunView, ...]
    parts: tuple[DiffPart, ...]
    rendered: str


class PromptsPage(Page):
    """The page. `show_about` takes a prompt's name or `name@number`."""

    title = "Prompts"

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.chooser = Chooser("file", "Prompt")
        self.chooser.picked.connect(lambda name: self._load(name))
        self.new = button("New prompt", "plus")
        self.new.clicked.connect(self.write_new)
        self.bar.about(self.chooser)
        self.bar.act(self.new)
        self.state: PromptState | None = None
        self._signatures: tuple[Signature, ...] = ()
        self._wanted = 0
        self._asked = 0
        self._looked = 0
        self._begun = False

        self.versions = VersionList()
        self.versions.chosen.connect(self._choose)
        self._count = label("", type="small", tone="tertiary")
        head = QWidget()
        head.setProperty("plain", True)
        head.setLayout(row(label("Versions", strong=True), None, self._count, margins=(16, 12, 16, 10)))
        self._left = list_pane(head, line(), self.versions, width=LIST)
        self._left.layout().setContentsMargins(0, 0, 0, 0)
        self._left.layout().setSpacing(0)

        self.editor = PromptEditor()
        self.editor.saved.connect(self._save)
        self.editor.cancelled.connect(self._leave_editor)
        self.editor.checked.connect(self._preview)
        self.empty = EmptyState(
            "No prompts yet. Write one, and every answer can be traced to it.", "New prompt", "plus"
        )
        self.empty.acted.connect(self.write_new)
        self._reading = self._build_reading()
        self._main = QStackedWidget()
        for widget in (self._reading, self.editor, self.empty):
            self._main.addWidget(widget)
        middle = QFrame()
        middle.setProperty("surface", "panel")
        middle.setLayout(column(self._main, space=0))
        self.cards = VersionCards()
        self.cards.sign.clicked.connect(self.ask_signature)
        self.cards.set_label.clicked.connect(self.ask_label)
        self.cards.run_asked.connect(lambda run: self.shell.go("evals", run))
        self._side = side_pane(self.cards, width=SIDE)
        parts = row(self._left, line(vertical=True), space=0)
        self._beside = Beside(middle, self._side, SIDE, narrow=BELOW)
        parts.addWidget(self._beside, 1)
        self.body.addLayout(parts, 1)
        self._middle = middle
        shortcut = QShortcut(QKeySequence("Ctrl+E"), self)
        shortcut.activated.connect(self.write_next)
        self._show_reading(False)

    # what the window asks

    def opened(self) -> None:
        if self._main.currentWidget() is not self.editor:
            self._load(self.chooser.current)

    def show_about(self, about: object) -> None:
        name, _, number = str(about).partition("@")
        self._wanted = int(number) if number.isdigit() else 0
        self._load(name)

    def changed(self, event: object) -> None:
        if isinstance(event, Changed) and event.act in CHANGES and self._main.currentWidget() is not self.editor:
            self._load(self.chooser.current)

    def start(self) -> QWidget:
        return self.versions if self.versions.states() else self.empty.act or self

    def panes(self) -> list[QWidget]:
        return [self._left, self._middle, self._side]

    def side(self) -> QWidget | None:
        return self._side

    def targets(self) -> list[Target]:
        return [
            Target(name, "Prompt", "prompts", lambda which=name: self.shell.go("prompts", which))
            for name in self.chooser.choices()
        ]

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        narrow = self.width() < look().px(NARROW)
        self._left.setFixedWidth(look().px(NARROW_LIST if narrow else LIST))
        self._beside.give(NARROW_SIDE if narrow else SIDE)
        ways = QBoxLayout.Direction
        room = self.width() - self._left.width() - (0 if self._beside.below else look().px(NARROW_SIDE))
        self._how.setDirection(ways.TopToBottom if room < look().px(NARROW_TEXT) else ways.LeftToRight)

    # reading

    def _load(self, name: str) -> None:
        def work(bench: "Workbench", job: Job) -> _Shelf:
            latest = bench.prompts.list()
            known = [state.prompt.name for state in latest]
            chosen = name if name in known else known[0] if known else ""
            versions = bench.prompts.versions(chosen) if chosen else ()
            return _Shelf(latest, versions, {person.user: person.name for person in bench.vault.users()})

        self.operations.run("Read the prompts", work, self._loaded, self.fail)

    def _loaded(self, shelf: _Shelf) -> None:
        self.chooser.offer(
            [(state.prompt.name, _words(state)) for state in shelf.latest],
            shelf.versions[0].prompt.name if shelf.versions else "",
        )
        if shelf.versions:
            self.chooser.setText(shelf.versions[0].prompt.name)
            self.chooser.updateGeometry()
        if self._main.currentWidget() is self.editor:
            return
        self._count.setText(str(len(shelf.versions)))
        self._show_reading(bool(shelf.versions))
        if not shelf.versions:
            return
        known = [state.prompt.number for state in shelf.versions]
        same = self.state is not None and self.state.prompt.name == shelf.versions[0].prompt.name
        number = self._wanted or (self.state.prompt.number if self.state is not None and same else 0)
        self._wanted = 0
        self.versions.show_states(shelf.versions, shelf.people)
        self.versions.choose(number if number in known else known[0])
        if not self._begun:
            self._begun = True
            take_focus(self)

    def _choose(self, state: PromptState) -> None:
        """Show a version; the one before it is what it is compared with, until another is picked."""
        self.state = state
        others = [other.prompt.number for other in self.versions.states() if other.prompt.number != state.prompt.number]
        before = [number for number in others if number < state.prompt.number]
        self.against.blockSignals(True)
        self.against.clear()
        for number in others:
            self.against.addItem(f"Version {number}", number)
        if others:
            self.against.setCurrentText(f"Version {max(before) if before else min(others)}")
        self.against.blockSignals(False)
        self._read()

    def _read(self) -> None:
        state = self.state
        if state is None:
            return
        self._asked += 1
        asked = self._asked
        other = self.against.currentData()
        old = f"{state.prompt.name}@{other}" if other else ""

        def work(bench: "Workbench", job: Job) -> _About:
            parts = bench.prompts.diff(old, state.prompt.reference) if old else ()
            runs = tuple(
                view
                for view in bench.evals.list()
                if any(variant.prompt_digest == state.digest for variant in view.run.variants)
            )
            return _About(bench.prompts.signatures(state.prompt.reference), runs, parts, "")

        def done(about: _About) -> None:
            if asked == self._asked:
                self._show(state, about)

        self.operations.run("Read a version", work, done, self.fail)

    def _show(self, state: PromptState, about: _About) -> None:
        self._signatures = about.signatures
        prompt = state.prompt
        self.diff.show_parts([(part.kind, part.text) for part in about.parts])
        self.text.show_parts([("same", as_text(prompt))])
        self.view.segment("changes").setEnabled(bool(about.parts))
        if not about.parts and self.view.current() == "changes":
            self.view.choose("text")
        self._turn(self.view.current())
        self.cards.show_version(prompt.number, about.signatures, state.labels, about.runs)
        self.cards.sign.refuse(self._sign_refusal(about.signatures))

    def _turn(self, name: str) -> None:
        """Show the changes, the text, or the text with example content."""
        state = self.state
        if state is None:
            return
        self.view.choose(name)
        compared = name == "changes" and self.against.count() > 0
        self._compare.setVisible(compared)
        number = state.prompt.number
        self.heading.say(
            f"{self.against.currentText()} to version {number}" if compared else f"Version {number}",
        )
        self._views.setCurrentWidget({"changes": self.diff, "text": self._text, "rendered": self._rendered}[name])
        if name == "rendered":
            self._render(state)

    def _render(self, state: PromptState) -> None:
        def work(bench: "Workbench", job: Job) -> str:
            return messages_text(bench.prompts.rendered(state.prompt, example(state.prompt.declared), job))

        def done(text: str) -> None:
            if self.state is state:
                self.rendered.show_parts([("same", text)])

        self.operations.run("Render a prompt", work, done, self.fail)

    # writing

    def write_new(self) -> None:
        """Open the editor for a prompt that doesn't exist yet."""
        self._open_editor()
        self.editor.write_new()

    def write_next(self) -> None:
        """Open the editor with the shown version's text."""
        states = self.versions.states()
        if self.state is None or not states or not self.edit.isEnabled():
            return
        self._open_editor()
        self.editor.write_next(self.state.prompt, max(state.prompt.number for state in states))

    def _preview(self, request: SavePrompt, model: str) -> None:
        """Show in the editor what it holds makes of example content, or what is wrong with it."""
        self._looked += 1
        looked = self._looked

        def work(bench: "Workbench", job: Job) -> Preview:
            return bench.prompts.preview(request, example(request.variables), model, job)

        def done(found: Preview) -> None:
            if looked == self._looked:
                self.editor.show_preview(found)

        def failed(found: Failure) -> None:
            if looked == self._looked:
                self.editor.show_problem(found.error)

        self.operations.run("Look at a prompt", work, done, failed)

    def _open_editor(self) -> None:
        def models(bench: "Workbench", job: Job) -> list[str]:
            return [found.name for found in bench.models.list() if found.purpose == "chat"]

        self.operations.run("Read the models", models, self.editor.offer, self.fail)
        self.banner.hide()
        self._main.setCurrentWidget(self.editor)
        for widget in (self._left, self.chooser, self.new):
            widget.setEnabled(False)
        self._side.setVisible(False)

    def _leave_editor(self) -> None:
        self.banner.hide()
        self._show_reading(self.state is not None)
        self._load(self.chooser.current)

    def _save(self, request: SavePrompt) -> None:
        self._looked += 1

        def done(saved: SavedPrompt) -> None:
            self.editor.done()
            self.banner.hide()
            self._wanted = saved.prompt.number
            self._show_reading(True)
            said = (
                f"Saved {saved.prompt.reference}." if saved.created else f"{saved.prompt.reference} says this already."
            )
            self.shell.toast(said)
            self._load(saved.prompt.name)

        def failed(found: Failure) -> None:
            if not self.editor.refuse(found.error):
                self.banner.say(found.sentence, found.safe or "What you wrote is still here.")

        self.operations.run("Save a prompt", lambda bench, job: bench.prompts.save(request), done, failed)

    def draft(self) -> Json:
        return self.editor.draft() if self._main.currentWidget() is self.editor else None

    def take_draft(self, draft: Json) -> None:
        self._open_editor()
        self.editor.take_draft(draft)

    # signing and labels

    def _person(self) -> User:
        workbench = self.operations.workbench
        assert workbench is not None
        return workbench.vault.user

    def _allow(self) -> None:
        """Enable what this person may do, and say why not where they may not."""
        roles = self._person().roles
        writes = (
            "" if allowed(Act.SAVE_PROMPT, roles) else "Your roles here don’t allow writing prompts; an author must."
        )
        for one in (self.new, self.edit, self.empty.act):
            if one is not None:
                one.refuse(writes)
        labels = "" if allowed(Act.LABEL, roles) else "Your roles here don’t allow setting labels."
        self.cards.set_label.refuse(labels)

    def _sign_refusal(self, signatures: Sequence[Signature]) -> str:
        person = self._person()
        if not (allowed(Act.SIGN, person.roles) or allowed(Act.APPROVE, person.roles)):
            return f"Your roles here ({', '.join(person.roles)}) don’t allow signing."
        return ""

    def ask_signature(self) -> None:
        """Open the signing panel for the shown version; the text beside it stays in sight."""
        state = self.state
        if state is None:
            return
        person, prompt = self._person(), state.prompt
        given = {signature.meaning for signature in self._signatures}
        what = ToSign(
            title=f"Sign {prompt.name}, version {prompt.number}",
            text=as_text(prompt),
            digest=state.digest,
            meanings=meanings_for(person, prompt.author, self._signatures),
            user=person.user,
            printed=f"{person.name}, {', '.join(person.roles)}",
            after="" if "approved" in given else "Approving sets the label approved.",
        )

        def work(bench: "Workbench", job: Job, signer: Signer, entered: Signed) -> Signature:
            request = SignPrompt(reference=prompt.reference, meaning=entered.meaning, reason=entered.reason)
            return bench.prompts.sign(request, signer)

        def done(signature: Signature) -> None:
            self.shell.toast(f"Signed {prompt.reference} as {signature.meaning}.")
            self._load(prompt.name)

        self._side.setFixedWidth(look().px(SIGNING_SIDE))
        panel = ask_and_sign(self.shell, what, work, done, [self._middle])
        panel.destroyed.connect(self._fit)

    def ask_label(self) -> None:
        """Ask for a label to point at the shown version."""
        state = self.state
        if state is None:
            return
        dialog = LabelDialog(state.prompt.reference)
        dialog.cancelled.clicked.connect(self.shell.close_overlay)

        def set_label() -> None:
            name = dialog.field.text.strip()

            def done(_: PromptState) -> None:
                self.shell.close_overlay()
                self.shell.toast(f"{name} is now {state.prompt.reference}.")

            def work(bench: "Workbench", job: Job) -> PromptState:
                return bench.prompts.label(state.prompt.reference, name)

            if dialog.field.good():
                self.operations.run("Set a label", work, done, lambda found: dialog.field.fail(found.sentence))

        dialog.set.clicked.connect(set_label)
        self.shell.open_dialog(dialog, 440)
        reference = state.prompt.reference
        self.operations.run(
            "Read what holds a version back", lambda bench, job: bench.prompts.held_back(reference), dialog.say_held
        )

    # building

    def _build_reading(self) -> QWidget:
        self.heading = Elided(type="heading")
        self.view = Segments(
            (("changes", "Changes"), ("text", "Text"), ("rendered", "Rendered")), "How to show the text"
        )
        self.view.chosen.connect(self._turn)
        self.edit: Button = button("New version", "prompts", hint="Ctrl E")
        self.heading.setMinimumWidth(look().px(60))
        self.edit.clicked.connect(self.write_next)
        head = row(self.heading, self.edit, space=10, margins=(20, 14, 20, 8))
        head.setStretch(0, 1)
        self.against = Choice()
        self.against.setAccessibleName("Compared with")
        self.against.setMinimumWidth(look().px(112))
        self.against.currentIndexChanged.connect(lambda _: self._read())
        self._compare = QWidget()
        words = label("Compared with", type="small", tone="secondary")
        words.setBuddy(self.against)
        self._compare.setLayout(row(words, self.against))
        self._how = how = row(self.view, None, self._compare, margins=(20, 0, 20, 10))
        self.diff = DiffView()
        self.text, self.rendered = DiffText(), DiffText()
        self.text.setAccessibleName("Text of this version")
        self.rendered.setAccessibleName("The text with example content")
        self._text = below(self.text)
        self._rendered = below(
            self.rendered,
            label("With an example question and two example passages.", type="small", tone="secondary", wrap=True),
        )
        self._views = Views(self.diff, self._text, self._rendered)
        inside = QWidget()
        inside.setLayout(column(self._views, None, margins=(20, 0, 20, 16)))
        made = QWidget()
        layout = column(head, how, scrolled(inside), space=0)
        layout.setStretch(2, 1)
        made.setLayout(layout)
        return made

    def _show_reading(self, any_prompts: bool) -> None:
        self._main.setCurrentWidget(self._reading if any_prompts else self.empty)
        self._left.setEnabled(True)
        self._allow()
        self.chooser.setEnabled(any_prompts)
        self._left.setVisible(any_prompts)
        self._side.setVisible(any_prompts)


def _words(state: PromptState) -> str:
    """A prompt in the chooser's menu."""
    meanings = [meaning for meaning, _ in state.signed]
    parts = [state.prompt.name, f"version {state.prompt.number}", *state.labels]
    if not state.labels:
        parts.append("not signed" if not meanings else "signed as " + ", ".join(meanings))
    return " · ".join(parts)
