"""What a page is, and what it may ask of the window around it.

A page is made when it is first gone to and thrown away when the vault is locked, so that nothing of a vault's content stays in a widget. It
reads and changes through `shell.operations` only. `opened` is called each time it is gone to, `changed` for each event of the vault.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QFrame, QScrollArea, QVBoxLayout, QWidget

from app.bridge.folder_watch import FolderWatch
from app.bridge.operations import Failure, Operations
from app.theme.look import look
from app.widgets.banner import Banner
from app.widgets.quick_switcher import Target
from app.widgets.signing import Signed, SigningPanel, ToSign
from app.widgets.toolbar import TopBar
from core.records import Json


class Shell(Protocol):
    """The window, as a page sees it."""

    operations: Operations
    folder_watch: FolderWatch

    def go(self, page: str, about: object = None) -> None:
        """Go to a page; `about` is handed to its `show_about`."""

    def enter(self, workbench: object) -> None:
        """Show an opened vault's pages."""

    def lock(self) -> None:
        """Lock the vault, or ask first when long work runs."""

    def care_changed(self) -> None:
        """A backup was made or a warning settled: what the window warns of may be out of date."""

    def show_keys(self) -> None:
        """Show the keyboard help."""

    def barrier_names(self) -> tuple[str, ...]:
        """What bars the window from the network; nothing where nothing does."""

    def toast(self, words: str, undo: Callable[[], None] | None = None) -> None:
        """Say that something succeeded."""

    def ask_signature(
        self, what: ToSign, sign: Callable[[Signed, SigningPanel], None], lit: Sequence[QWidget] = ()
    ) -> SigningPanel:
        """Open the signing panel; `sign` is called with what was entered, and ends with `close_overlay` or `panel.refuse`."""

    def open_dialog(self, panel: QWidget, width: int = 536) -> None:
        """Show a panel in the middle, over the scrim."""

    def close_overlay(self) -> None:
        """Take the panel and the scrim away."""


@runtime_checkable
class Locked(Protocol):
    """The page that is shown while no vault is open."""

    def after_lock(self, folder: Path, user: str, because: str, kept: bool) -> None:
        """A vault was just locked: who had it open, why it was locked (where nobody asked for it), and whether a draft waits for them."""


class Page(QWidget):
    """Base of all pages: the top bar, a banner below it, and `body` below that."""

    name = ""
    title = ""

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        self.shell = shell
        self.setAccessibleName(self.title)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.bar = TopBar(self.title)
        self.banner = Banner()
        self.body = QVBoxLayout()
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.bar)
        layout.addWidget(self.banner)
        layout.addLayout(self.body, 1)

    @property
    def operations(self) -> Operations:
        return self.shell.operations

    def opened(self) -> None:
        """The page was gone to."""

    def show_about(self, about: object) -> None:
        """The page was gone to for something in particular."""

    def changed(self, event: object) -> None:
        """Something in the vault changed."""

    def start(self) -> QWidget:
        """What gets the focus when the page is gone to."""
        return self

    def panes(self) -> list[QWidget]:
        """What F6 goes through, from left to right."""
        return [self]

    def side(self) -> QWidget | None:
        """What Ctrl+J folds."""
        return None

    def targets(self) -> list[Target]:
        """What the quick switcher finds of this page."""
        return []

    def draft(self) -> Json:
        """What was written here and isn't saved, to be sealed when the vault is locked; None where there is nothing."""
        return None

    def take_draft(self, draft: Json) -> None:
        """Put back what `draft` gave."""

    def fail(self, found: Failure) -> None:
        """Say what went wrong, on this page."""
        self.banner.say(found.sentence, found.safe)


def take_focus(page: Page) -> None:
    """Give the focus to where a page starts, once its content is there; not when the person has gone elsewhere meanwhile."""
    focused = QApplication.focusWidget()
    if page.isVisible() and (focused is None or focused is page or page.isAncestorOf(focused)):
        page.start().setFocus()


def list_pane(*items: QWidget, width: int = 232) -> QFrame:
    """The list at the left of a page, on the window's surface."""
    made = QFrame()
    made.setProperty("surface", "window")
    layout = QVBoxLayout(made)
    here = look()
    layout.setContentsMargins(here.px(8), here.px(12), here.px(8), here.px(12))
    layout.setSpacing(here.px(6))
    for item in items:
        layout.addWidget(item)
    made.setFixedWidth(here.px(width))
    return made


def side_pane(*items: QWidget, width: int = 360, surface: str = "window") -> QFrame:
    """The panel at the right of a page: cards below each other, scrolled when they need it."""
    inside = QWidget()
    inside.setProperty("plain", True)
    layout = QVBoxLayout(inside)
    here = look()
    layout.setContentsMargins(here.px(16), here.px(16), here.px(16), here.px(16))
    layout.setSpacing(here.px(14))
    for item in items:
        layout.addWidget(item)
    layout.addStretch(1)
    scroll = QScrollArea()
    scroll.setAccessibleName("Side panel")
    scroll.setWidgetResizable(True)
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setWidget(inside)
    made = QFrame()
    made.setProperty("surface", surface)
    outer = QVBoxLayout(made)
    outer.setContentsMargins(0, 0, 0, 0)
    outer.addWidget(scroll)
    made.setFixedWidth(here.px(width))
    return made


def scrolled(inside: QWidget) -> QScrollArea:
    """A widget that scrolls when it is higher than its place."""
    inside.setProperty("plain", True)
    made = QScrollArea()
    made.setAccessibleName("Content that scrolls")
    made.setWidgetResizable(True)
    made.setFrameShape(QFrame.Shape.NoFrame)
    made.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    made.setWidget(inside)
    return made
