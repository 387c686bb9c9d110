"""Models: the registered model files, what they say of themselves, which are loaded, and registering another."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog, QStackedWidget, QWidget

from app.bridge.care import policy
from app.bridge.opening import size
from app.pages.page import Page, Shell, side_pane
from app.pages.removal import Removal
from app.widgets.basic import Card, clear, column, frame, label, row, shorten
from app.widgets.beside import Beside
from app.widgets.buttons import Button, button
from app.widgets.empty_state import EmptyState
from app.widgets.long_work import LongWork
from app.widgets.quick_switcher import Target
from app.widgets.table import Cell, Column, Table
from core.models.records import AddModel, ModelFile
from core.vault.roles import Act

if TYPE_CHECKING:
    from core.jobs import Job
    from core.vault.policies import Policy
    from core.workbench import Workbench

PURPOSES = {
    "chat": ("Answers", "chat"),
    "embed": ("Search", "search"),
    "rerank": ("Ranking", "search"),
    "adapter": ("Adapter", "models"),
    "other": ("Other", "models"),
}
Listed = tuple[tuple[ModelFile, ...], tuple[str, ...]]


def listed(bench: "Workbench", job: "Job") -> Listed:
    """The registered models, and the names of those that are loaded."""
    return tuple(bench.models.list()), tuple(found.name for found in bench.engine.loaded())


class ModelsPage(Page):
    """A model file is checked against its digest each time before it is used; this page only shows and registers."""

    title = "Models"

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.add = button("Add model", "plus", "primary")
        self.add.clicked.connect(self._choose)
        self.bar.act(self.add)
        self.work = LongWork()
        self._working = QWidget()
        self._working.setLayout(column(self.work, margins=(20, 14, 20, 14)))
        self._working.hide()
        self._loaded: tuple[str, ...] = ()
        self.table = Table(
            [
                Column("Model", lambda found: Cell(found.name, "models", icon_tone="text.secondary", strong=True)),
                Column("For", lambda found: Cell(PURPOSES[found.purpose][0], tone="text.secondary"), 90),
                Column("Architecture", lambda found: Cell(found.architecture, tone="text.secondary"), 120, spare=2),
                Column("Quantization", lambda found: Cell(found.quantization, tone="text.secondary"), 110, spare=1),
                Column(
                    "Parameters",
                    lambda found: Cell(parameters(found.parameters), tone="text.secondary"),
                    100,
                    right=True,
                    spare=3,
                ),
                Column("Size", lambda found: Cell(size(found.size), tone="text.secondary"), 90, right=True),
                Column("State", self._state, 120),
            ],
            "Models",
        )
        self.table.chosen.connect(self._describe)
        self.empty = EmptyState(
            "No models yet. Add a GGUF file that is on this machine; nothing is downloaded.",
            "Add model",
            "plus",
            "normal",
        )
        self.empty.acted.connect(self._choose)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self.table)
        middle = frame("panel")
        inner = column(self._working, self._stack, space=0)
        inner.setStretch(1, 1)
        middle.setLayout(inner)
        self._middle = middle
        self._about = Card()
        self.remove_button = Button("Remove", "trash", "quiet")
        self.remove_button.clicked.connect(self._remove)
        self._side = side_pane(self._about, width=336)
        across = row(space=0)
        across.addWidget(Beside(middle, self._side, 336, narrow=700), 1)
        self.body.addLayout(across)
        self._models: tuple[ModelFile, ...] = ()
        self._reasons: tuple[str, ...] = ()
        self._describe(None)

    def opened(self) -> None:
        self.operations.run("Read the models", listed, self._show)
        self.operations.run("Read the policy", lambda bench, job: policy(bench), self._obey, lambda _: None)

    def changed(self, event: object) -> None:
        if getattr(event, "act", "") in ("add-model", "remove-model", "change-settings"):
            self.opened()

    def panes(self) -> list[QWidget]:
        return [self._middle, self._side]

    def side(self) -> QWidget | None:
        return self._side

    def targets(self) -> list[Target]:
        return [Target(found.name, "Model", "models", lambda: self.shell.go("models")) for found in self._models]

    def register(self, path: str) -> None:
        """Register a file: it is read to its end once, for its digest."""
        request = AddModel(path=path)
        self._working.show()
        self.work.begin(f"Registering {Path(path).name}")
        self.add.refuse("A model is being registered.")

        def ended() -> None:
            self._working.hide()
            self.add.refuse("")

        def done(found: ModelFile) -> None:
            ended()
            self.shell.toast(f"{found.name} is registered")

        def failed(found) -> None:
            ended()
            self.fail(found)

        handle = self.operations.run(
            f"Registering {Path(path).name}",
            lambda bench, job: bench.models.add(request, job),
            done,
            failed,
            ended,
            shown=True,
        )
        handle.progress.connect(lambda progress: self.work.say(progress.done, progress.total, progress.unit))
        self.work.cancelled.connect(handle.cancel)

    def _choose(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Add a model", "", "Models (*.gguf)")
        if path:
            self.register(path)

    def _show(self, found: Listed) -> None:
        self._models, self._loaded = found
        self._stack.setCurrentWidget(self.table if self._models else self.empty)
        self.table.show_rows(self._models, keep=lambda one: one.name)
        if self.table.current() is None and self._models:
            self.table.choose(0)

    def _state(self, found: ModelFile) -> Cell:
        if found.name in self._loaded:
            return Cell("Loaded", "check", icon_tone="pass.fg")
        return Cell("Ready", tone="text.secondary")

    def _describe(self, found: ModelFile | None) -> None:
        self.remove_button.setParent(None)
        clear(self._about.body)
        self._about.setVisible(found is not None)
        if found is None:
            return
        self._about.body.addWidget(label(found.name, type="heading"))
        self._about.body.addWidget(label(f"sha256 {shorten(found.digest, 8, 8)}", type="code", tone="tertiary"))
        for word, value in (
            ("For", PURPOSES[found.purpose][0]),
            ("Context", f"{found.context:,} tokens"),
            ("Dimensions", f"{found.dimensions:,}" if found.purpose == "embed" else ""),
            ("Chat template", ("Yes" if found.has_template else "None in the file") if found.purpose == "chat" else ""),
            ("Licence", found.licence or "Not stated"),
            ("Added", found.added[:10]),
            ("File", Path(found.path).name),
        ):
            if value:
                self._about.fact(word, value, tone="primary")
        self._about.body.addLayout(row(self.remove_button, None))

    def _remove(self) -> None:
        found = self.table.current()
        if found is None:
            return
        if Act.REMOVE_MODEL.value not in self._reasons:
            self._remove_now(found.name, "")
            return
        panel = Removal("Remove model", f"{found.name} can’t be used any more. The file stays where it is.", True)
        panel.keep.clicked.connect(self.shell.close_overlay)

        def remove() -> None:
            if panel.good():
                reason = panel.reason.text.strip()
                self.shell.close_overlay()
                self._remove_now(found.name, reason)

        panel.remove.clicked.connect(remove)
        self.shell.open_dialog(panel, 440)

    def _remove_now(self, name: str, reason: str) -> None:
        self.operations.run(
            "Remove a model",
            lambda bench, job: bench.models.remove(name, reason),
            lambda _: self.shell.toast(f"{name} is no longer registered. The file stays."),
            self.fail,
        )

    def _obey(self, found: "Policy") -> None:
        self._reasons = found.reasons


def parameters(count: int) -> str:
    """A number of parameters in words."""
    if count >= 1e9:
        return f"{count / 1e9:.1f} B"
    return f"{count / 1e6:.1f} M" if count >= 1e6 else f"{count / 1e3:.0f} K"
