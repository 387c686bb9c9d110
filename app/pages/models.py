"""Models: what is in memory, the registered files with what is known of them, and the space that they take.

A model file is checked against its digest each time before it is used. Adding, importing and quantizing run in the background, one at a time,
with progress and a cancel that leaves nothing behind. What may not be done says why, and removing says by what a model is used.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QTimer
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QStackedWidget, QWidget

from app.bridge import models as bridge
from app.bridge.models import Memory, Rules, Shelf
from app.bridge.opening import size
from app.bridge.operations import Failure, Handle
from app.pages.model_acts import ModelActs
from app.pages.model_compare import compare, why_not
from app.pages.model_detail import PURPOSES, ModelDetail, approval, parameters, signature_words
from app.pages.model_disk import ModelsDisk
from app.pages.model_forms import ImportForm, QuantizeForm, Told, imported_words, quantized_words
from app.pages.model_keys import ModelKeysView
from app.pages.model_removal import ModelRemovals
from app.pages.model_signing import ModelSigning
from app.pages.models_memory import MemoryView
from app.pages.page import Page, Shell, side_pane
from app.widgets.basic import column, frame, line, row
from app.widgets.beside import Beside
from app.widgets.buttons import Button, Segments, button
from app.widgets.empty_state import EmptyState
from app.widgets.long_work import LongWork
from app.widgets.quick_switcher import Target
from app.widgets.table import Cell, Column, Table
from core import settings
from core.errors import AssayError
from core.models.records import AddModel, ModelFile
from core.vault.roles import Act, allowed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from core.inference.planning import MemoryPlan
    from core.inference.records import Loaded
    from core.jobs import Job
    from core.models.making_records import ImportedModel, QuantizedModel
    from core.vault.records import Signature
    from core.workbench import Workbench

LOOK_AGAIN = 2000
"""Milliseconds between two looks at what is in memory, while the page is shown."""
ABOUT_MODELS = frozenset(
    {Act.ADD_MODEL, Act.REMOVE_MODEL, Act.DESCRIBE_MODEL, Act.MOVE_ALIAS, Act.SIGN, Act.APPROVE, Act.CHANGE_SETTINGS}
)
BUSY = "Something is being made. Wait for it, or cancel it."
ADDS_NOT = "Your roles here don’t allow adding models; an author or administrator may."


class ModelsPage(Page):
    """The page. `show_about` takes a model's name."""

    title = "Models"

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.found, self.rules = Shelf(), Rules()
        self._wanted = ""
        self._work: Handle | None = None
        self.add = button("Add model", "plus", "primary")
        self.add.clicked.connect(self._choose)
        self.import_button = button("Import folder…", "folder-plus")
        self.import_button.clicked.connect(lambda: self.ask_import())
        self.view = Segments((("models", "Models"), ("keys", "Signatures"), ("disk", "Disk")), "What to show")
        self.view.chosen.connect(self._turn)
        self.bar.about(self.view)
        self.bar.act(self.import_button, self.add)
        self.work = LongWork()
        self.work.cancelled.connect(self._cancel)
        self._working = QWidget()
        self._working.setLayout(column(self.work, margins=(20, 14, 20, 14)))
        self._working.hide()
        self.memory = MemoryView()
        self.memory.unload.connect(self._unload)
        self.table = Table(self._columns(), "Models")
        self.table.chosen.connect(self._describe)
        self.empty = EmptyState(
            "No models yet. Add a GGUF file that is on this machine, or drop it here; nothing is downloaded.",
            "Add model",
            "plus",
            "normal",
        )
        self.empty.acted.connect(self._choose)
        self.disk = ModelsDisk()
        self.disk.register.connect(self.register)
        self._stack = QStackedWidget()
        self.keys = ModelKeysView()
        for part in (self.empty, self.table, self.keys, self.disk):
            self._stack.addWidget(part)
        middle = frame("panel")
        inner = column(self._working, self.memory, line(), self._stack, space=0)
        inner.setStretch(3, 1)
        middle.setLayout(inner)
        self._middle = middle
        self.detail = ModelDetail()
        self.remove_button = self.detail.remove_button
        self.acts = ModelActs(self)
        self.signing = ModelSigning(self)
        self.detail.compare.connect(lambda: compare(self))
        self.removals = ModelRemovals(self)
        self.detail.quantize.connect(self._ask_quantize)
        self.detail.plan.asked.connect(self._plan)
        self.detail.plan.wanted.connect(self._use_context)
        self._side = side_pane(self.detail, width=336)
        across = row(space=0)
        across.addWidget(Beside(middle, self._side, 336, narrow=860), 1)
        self.body.addLayout(across)
        self.setAcceptDrops(True)
        self._clock = QTimer(self)
        self._clock.setInterval(LOOK_AGAIN)
        self._clock.timeout.connect(self._look_at_memory)
        self._looking = False
        self.memory.show_memory(Memory())

    # what the window asks of a page

    def opened(self) -> None:
        self._allow()
        self.operations.run("Read the models", bridge.shelf, self._show)
        self.operations.run("Read the policy", bridge.rules, self._obey, lambda _: None)
        self._clock.start()

    def show_about(self, about: object) -> None:
        self._wanted = str(about)

    def changed(self, event: object) -> None:
        if getattr(event, "act", "") in ABOUT_MODELS:
            self.opened()

    def panes(self) -> list[QWidget]:
        return [self._middle, self._side]

    def side(self) -> QWidget | None:
        return self._side

    def targets(self) -> list[Target]:
        return [Target(one.name, "Model", "models", lambda: self.shell.go("models")) for one in self.found.models]

    def hideEvent(self, event) -> None:
        super().hideEvent(event)
        self._clock.stop()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self.add.isEnabled() and event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.take([url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()])

    # adding, importing, quantizing

    def take(self, paths: "Sequence[str]") -> None:
        """Take in what was dropped: model files one after the other, or a folder to import."""
        self.banner.forget()
        kinds = [(path, bridge.kind_of(path)) for path in paths]
        wrong = [kind for _, kind in kinds if kind not in ("model", "folder")]
        folders = [path for path, kind in kinds if kind == "folder"]
        files = [path for path, kind in kinds if kind == "model"]
        if wrong:
            self.banner.say(wrong[0], "Nothing was added." if not files else "The others are added.")
        if files:
            self.register(*files)
        elif folders:
            self.ask_import(folders[0])

    def register(self, path: str, *more: str) -> None:
        """Register files: each is read to its end once, for its digest."""
        name = Path(path).name
        request = AddModel(path=path)

        def done(found: ModelFile) -> None:
            self._wanted = found.name
            self.shell.toast(f"{found.name} is registered")
            if more:
                self.register(*more)

        self.begin(f"Registering {name}", lambda bench, job: bench.models.add(request, job), done)

    def ask_import(self, folder: str = "") -> None:
        """Ask what of a Hugging Face folder shall be made."""
        form = ImportForm(folder)
        form.cancelled.connect(self.shell.close_overlay)

        def go() -> None:
            request = form.request()
            self.shell.close_overlay()

            def done(found: "ImportedModel") -> None:
                self._wanted = found.model.name
                self.tell(f"{found.model.name} is imported", *imported_words(found))

            title = f"Importing {Path(request.folder).name}"
            self.begin(title, lambda bench, job: bench.making.import_folder(request, job), done)

        form.acted.connect(go)
        self.shell.open_dialog(form, 520)

    def tell(self, title: str, facts: "Sequence[tuple[str, str]]", notes: "Sequence[str]" = ()) -> None:
        """Show what was made, until it is closed."""
        told = Told(title, facts, notes)
        told.close_button.clicked.connect(self.shell.close_overlay)
        self.shell.open_dialog(told, 480)

    def _ask_quantize(self) -> None:
        model = self.detail.model
        if model is None:
            return
        form = QuantizeForm(model)
        form.cancelled.connect(self.shell.close_overlay)

        def go() -> None:
            request = form.request()
            self.shell.close_overlay()

            def done(found: "QuantizedModel") -> None:
                self._wanted = found.model.name
                self.tell(f"{found.model.name} is made", *quantized_words(found))

            self.begin(f"Quantizing {model.name}", lambda bench, job: bench.making.quantize(request, job), done)

        form.acted.connect(go)
        self.shell.open_dialog(form, 520)

    def begin(self, title: str, work: "Callable[[Workbench, Job], object]", done: "Callable[..., None]") -> None:
        """Run one long work with its progress above the page."""
        self.banner.forget()
        self._working.show()
        self.work.begin(title)
        self._busy(BUSY)

        def ended() -> None:
            self._work = None
            self._working.hide()
            self._busy("")

        def finished(found: object) -> None:
            ended()
            done(found)
            self.opened()

        def failed(found: Failure) -> None:
            ended()
            self.fail(found)

        self._work = self.operations.run(title, work, finished, failed, ended, shown=True)
        self._work.progress.connect(lambda progress: self.work.say(progress.done, progress.total, progress.unit))

    def _busy(self, reason: str) -> None:
        for one in (self.add, self.import_button, self.empty.act, *self._making()):
            if one is not None:
                one.refuse(reason)
        if not reason:
            self._allow()
            self._describe(self.table.current())
            if self.view.current() == "keys":
                self.signing.look()

    def _making(self) -> tuple[Button, ...]:
        """The buttons beside a model and its keys that begin long work."""
        keys = self.keys
        return (
            self.detail.quantize_button,
            self.detail.compare_button,
            keys.verify_button,
            keys.file_button,
            keys.folder_button,
        )

    def _cancel(self) -> None:
        if self._work is not None:
            self._work.cancel()

    def _choose(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self, "Add a model", "", "Models (*.gguf)")
        if paths:
            self.register(*paths)

    # what is shown

    def _columns(self) -> list[Column]:
        def said(text: str) -> Cell:
            return Cell(text, tone="text.secondary")

        return [
            Column("Model", lambda one: Cell(one.name, "models", icon_tone="text.secondary", strong=True)),
            Column("For", lambda one: said(PURPOSES[one.purpose][0]), 84, spare=6),
            Column("Architecture", lambda one: said(one.architecture), 108, spare=3),
            Column("Quantization", lambda one: said(one.quantization), 104, spare=5),
            Column("Parameters", lambda one: said(parameters(one.parameters)), 92, right=True, spare=2),
            Column("Size", lambda one: said(size(one.size)), 80, right=True),
            Column("Context", lambda one: said(f"{one.context:,}"), 84, right=True, spare=1),
            Column("Signature", lambda one: said(signature_words(one)), 136, spare=4),
            Column("Approval", self._approved, 118),
            Column("State", self._state, 92),
        ]

    def _show(self, found: Shelf) -> None:
        self.found = found
        self.memory.show_memory(found.memory)
        self.table.show_rows(found.models, keep=lambda one: one.name)
        self._turn(self.view.current())
        names = [one.name for one in found.models]
        if self._wanted in names:
            self.table.choose(names.index(self._wanted))
            self._wanted = ""
        elif self.table.current() is None and found.models:
            self.table.choose(0)
        else:
            self._describe(self.table.current())

    def _turn(self, view: str) -> None:
        """Show the list, the keys, or the disk."""
        shown = {"disk": self.disk, "keys": self.keys}.get(view, self.table if self.found.models else self.empty)
        self._stack.setCurrentWidget(shown)
        self._side.setVisible(bool(self.found.models) and shown is self.table)
        if shown is self.disk:
            self.removals.look()
        elif shown is self.keys:
            self.signing.look()

    def _approved(self, one: ModelFile) -> Cell:
        word, meaning, icon = approval(self.found, one)
        if meaning == "plain":
            return Cell(word, tone="text.tertiary")
        return Cell(word, icon, icon_tone=f"{meaning}.fg" if icon else "")

    def _state(self, one: ModelFile) -> Cell:
        held = self.found.memory.of(one)
        if held is None:
            return Cell("Ready", tone="text.secondary")
        return Cell("Busy" if held.requests else "Loaded", "check", icon_tone="pass.fg")

    def _describe(self, one: ModelFile | None) -> None:
        self.detail.show_model(one, self.found, self.rules)
        self.acts.allow()
        if one is not None and self.operations.workbench is not None:
            self.detail.compare_button.refuse(why_not(one, self.found.models))
            self.signing.allow(one)
        if self._work is not None:
            for button_ in self._making():
                button_.refuse(BUSY)
        state = self.found.cards.get(one.name) if one is not None else None
        if state is None:
            return

        def show(given: "tuple[Signature, ...]") -> None:
            if self.detail.model is not None and self.detail.model.name == state.card.name:
                self.detail.signatures.show_signatures(given)
                self.acts.given = given
                self.acts.allow()

        self.operations.run(
            "Read the signatures", lambda bench, job: bridge.signatures(bench, state), show, lambda _: None
        )

    def _allow(self) -> None:
        roles = self.acts.roles()
        if self._work is None:
            for one in (self.add, self.import_button, self.empty.act):
                if one is not None:
                    one.refuse("" if allowed(Act.ADD_MODEL, roles) else ADDS_NOT)

    # memory

    def _look_at_memory(self) -> None:
        if self._looking or self.operations.workbench is None:
            return
        self._looking = True

        def show(found: Memory) -> None:
            self._looking = False
            before = self.found.memory.loaded
            self.found = Shelf(
                self.found.models, found, self.found.aliases, self.found.cards, self.found.approved, self.found.uses
            )
            self.memory.show_memory(found)
            if before != found.loaded:
                for place in range(len(self.found.models)):
                    self.table.rows.changed(place)

        def over(*_: object) -> None:
            self._looking = False

        self.operations.run("Look at the memory", bridge.memory, show, over, over)

    def _unload(self, held: "Loaded") -> None:
        self.operations.run(
            "Unload a model",
            lambda bench, job: bench.engine.unload(held.digest, held.projector_digest),
            lambda _: self._look_at_memory(),
            self.fail,
        )

    def _plan(self, context: int) -> None:
        model = self.detail.model
        if model is None:
            return
        plan = self.detail.plan
        plan.wait()

        def mine() -> bool:
            return self.detail.model is not None and self.detail.model.digest == model.digest

        def show(found: "MemoryPlan") -> None:
            if mine():
                plan.show_plan(found)

        def failed(found: Failure) -> None:
            if mine():
                plan.fail(found.sentence)

        name = model.name
        self.operations.run(
            "Plan the memory", lambda bench, job: bridge.planned(bench, job, name, context), show, failed
        )

    def _use_context(self, tokens: int) -> None:
        try:
            settings.save(msgspec.structs.replace(settings.load(), model_context=tokens))
        except (AssayError, OSError) as error:
            self.banner.say(f"The setting couldn’t be kept: {error}")
            return
        self.shell.toast(f"Models get at most {tokens:,} tokens of context when they are loaded next.")
        self._plan(tokens)

    def _obey(self, found: Rules) -> None:
        if found != self.rules:
            self.rules = found
            self._describe(self.table.current())
