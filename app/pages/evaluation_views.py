"""The saved views of a comparison, below the list of runs: one is chosen and shown, kept under a name, or removed."""

from typing import TYPE_CHECKING

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QWidget

from app.bridge.operations import Failure
from app.pages.evaluation_comparison import ComparisonView
from app.pages.page import Shell
from app.theme.look import look
from app.widgets.basic import column, label, row
from app.widgets.buttons import button
from app.widgets.forms import Choice
from app.widgets.name_form import NameForm
from core.evals.views import SavedView, remove_view, save_view, views
from core.jobs import Job

if TYPE_CHECKING:
    from core.workbench import Workbench

NARROW = 200
"""Pixels below which the buttons stand below each other, at scale 1.0."""


class SavedViews(QWidget):
    """Below the runs of a `ComparisonView`."""

    def __init__(self, shell: Shell, comparison: ComparisonView) -> None:
        super().__init__()
        self._shell, self._comparison = shell, comparison
        self._views: dict[str, SavedView] = {}
        self._refused = ""
        self.choice = Choice()
        self.choice.setAccessibleName("Saved views")
        self.choice.activated.connect(lambda _: self.show_chosen())
        self.keep = button("Save view…", "save", small=True)
        self.keep.clicked.connect(self.ask_name)
        self.remove = button("Remove", "trash", small=True)
        self.remove.clicked.connect(self._remove)
        head = label("Saved views", strong=True)
        self._acts = row(self.keep, self.remove, None, space=6)
        self.setLayout(column(head, self.choice, self._acts, space=6))
        self._show((), "")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < look().px(NARROW)
        self._acts.setDirection(QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight)

    def read(self) -> None:
        """Read the views again; the chosen one stays chosen."""

        def work(bench: "Workbench", job: Job) -> tuple[SavedView, ...]:
            with bench.vault.read() as reader:
                return views(reader)

        self._shell.operations.run("Read the saved views", work, lambda found: self._show(found, self.current()))

    def refuse(self, because: str) -> None:
        """Say why this person may keep no views; nothing where they may."""
        self._refused = because
        self._allow()

    def current(self) -> str:
        return str(self.choice.currentData() or "")

    def show_chosen(self) -> None:
        """Show the chosen view."""
        view = self._views.get(self.current())
        if view is not None:
            self._comparison.show_view(view)
        self._allow()

    def ask_name(self) -> None:
        """Ask under which name the comparison is kept as it is shown."""
        form = NameForm("Save view", "Name", self.current(), "Another view of that name is replaced.")
        form.left.connect(self._shell.close_overlay)

        def keep(name: str) -> None:
            view = self._comparison.view_named(name)
            if view is None:
                form.field.fail("There is no comparison to keep.")
                return

            def done(_: None) -> None:
                self._shell.close_overlay()
                self._shell.toast(f"Saved the view {name}.")
                self.choice.addItem(name, name)
                self.choice.setCurrentIndex(self.choice.findData(name))
                self.read()

            def failed(found: Failure) -> None:
                form.field.fail(found.sentence)

            self._shell.operations.run("Save a view", lambda bench, job: save_view(bench.vault, view), done, failed)

        form.named.connect(keep)
        self._shell.open_dialog(form, 420)

    def _remove(self) -> None:
        name = self.current()

        def done(_: None) -> None:
            self._shell.toast(f"Removed the view {name}.")
            self.read()

        self._shell.operations.run("Remove a view", lambda bench, job: remove_view(bench.vault, name), done)

    def _show(self, found: tuple[SavedView, ...], current: str) -> None:
        self._views = {view.name: view for view in found}
        self.choice.clear()
        self.choice.addItem("None chosen" if found else "None yet", "")
        for view in found:
            self.choice.addItem(view.name, view.name)
        self.choice.setCurrentIndex(max(0, self.choice.findData(current)))
        self._allow()

    def _allow(self) -> None:
        self.keep.refuse(self._refused)
        self.remove.refuse(self._refused or ("" if self.current() in self._views else "Choose a view first."))
