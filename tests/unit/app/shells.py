"""A window around one page, for tests: overlay, toast and navigation as the real shell has them, remembered instead of shown."""

from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QMainWindow, QWidget

from app.bridge.folder_watch import FolderWatch
from app.bridge.operations import Operations
from app.pages.page import Page
from app.widgets.overlay import Overlay
from app.widgets.signing import Signed, SigningPanel, ToSign


class TestShell(QMainWindow):
    """`went` and `said` hold what the page asked for."""

    __test__ = False

    def __init__(self, operations: Operations) -> None:
        super().__init__()
        self.operations = operations
        self.folder_watch = FolderWatch(operations, self)
        self.went: list[tuple[str, object]] = []
        self.said: list[str] = []
        self.resize(1256, 872)

    def hold(self, page: Page) -> Page:
        """Show a page in this window, as if it had been gone to."""
        self.setCentralWidget(page)
        self.overlay = Overlay(self.centralWidget())
        self.operations.changed.connect(page.changed)
        self.show()
        page.opened()
        return page

    def go(self, page: str, about: object = None) -> None:
        self.went.append((page, about))

    def lock(self) -> None:
        self.went.append(("lock", None))

    def care_changed(self) -> None:
        self.went.append(("care", None))

    def barrier_names(self) -> tuple[str, ...]:
        return ("namespace", "seccomp")

    def toast(self, words: str, undo: Callable[[], None] | None = None) -> None:
        self.said.append(words)

    def ask_signature(
        self, what: ToSign, sign: Callable[[Signed, SigningPanel], None], lit: Sequence[QWidget] = ()
    ) -> SigningPanel:
        panel = SigningPanel(what)
        panel.cancelled.connect(self.overlay.close_panel)
        panel.signed.connect(lambda entered: sign(entered, panel))
        self.overlay.open_panel(panel, lit)
        return panel

    def open_dialog(self, panel: QWidget, width: int = 536) -> None:
        self.overlay.open_panel(panel, docked=False, width=width)

    def close_overlay(self) -> None:
        self.overlay.close_panel()
