"""The window's shell: rail, pages, status bar, what lies over them, and the keys that work everywhere.

Without a vault there is the page for unlocking one (and for checking a pack, which needs none); with one, the rail leads to the pages, each
made when it is first gone to. Locking throws the pages away and closes the vault off the UI thread.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QApplication, QHBoxLayout, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from app.bridge.care import CARE, Wardship, look_after
from app.bridge.drafts import Drafts
from app.bridge.folder_watch import FolderWatch
from app.bridge.opening import SUFFIX
from app.bridge.operations import Failure, JobNews, Operations
from app.locking import LockForm, Locking
from app.pages.page import Locked, Page, Shell
from app.places import GROUPS, KEYS, LOCK, SETTINGS, VAULT
from app.theme.look import look
from app.theme.tokens import tokens
from app.watching import Watching
from app.widgets.banner import Banner
from app.widgets.buttons import Button
from app.widgets.job_tray import JobRow, JobState, JobTray
from app.widgets.key_sheet import KeySheet
from app.widgets.overlay import Overlay
from app.widgets.quick_switcher import QuickSwitcher, Target
from app.widgets.rail import Rail
from app.widgets.signing import Signed, SigningPanel, ToSign
from app.widgets.status_bar import StatusBar
from app.widgets.toast import Toast

NARROW = 1400
LOCK_AFTER = 15
"""Minutes without a key or the mouse, until the vault's policy is read."""
SETTLED = 30
"""Milliseconds until it is looked again whether the pages have read what they asked for."""


class MainWindow(QMainWindow):
    """`pages` are the makers of pages by name; "unlock" is shown while no vault is open. `locked` comes when one was let go."""

    locked = Signal()

    def __init__(
        self, operations: Operations, pages: Mapping[str, Callable[[Shell], Page]], barrier: Sequence[str] = ()
    ) -> None:
        super().__init__()
        self.operations = operations
        self._makers = dict(pages)
        self._pages: dict[str, Page] = {}
        self._folded_by_hand: bool | None = None
        self.setWindowTitle("Assay")
        self.setMinimumSize(1024, 640)
        self.resize(1440, 900)
        self._places = [place for _, places in GROUPS for place in places if place.name in self._makers]
        groups = [(word, [place for place in places if place.name in self._makers]) for word, places in GROUPS]
        self._foot = [place for place in (VAULT, SETTINGS) if place.name in self._makers]
        self.rail = Rail([(word, places) for word, places in groups if places], self._foot, LOCK)
        self.altered = Banner("cautioned")
        self.rolled_back = Banner()
        self.rolled_back.setAccessibleDescription("About the vault")
        self.reminder = Banner("cautioned")
        self.stale = Banner("cautioned")
        self.due = Banner("cautioned")
        self.stack = QStackedWidget()
        self.stack.setObjectName("pages")
        self.status = StatusBar()
        self._build()
        self.overlay = Overlay(self.centralWidget(), below=look().px(tokens().size["status_bar"]))
        self._toast = Toast(self.centralWidget())
        self.tray = JobTray(self.centralWidget())
        self._toast.keep_over(self.tray)
        self.locking = Locking(self, self)
        self._drafts = Drafts()
        self.locking.idle.active.connect(operations.touch)
        self.rail.chosen.connect(self.go)
        self.rail.lock_asked.connect(self.lock)
        self.altered.acted.connect(lambda: self.go("installation"))
        self.rolled_back.acted.connect(lambda: self.go("audit", "settle"))
        self.stale.acted.connect(lambda: self.go("people", "passphrase"))
        self.reminder.acted.connect(lambda: self.go("vault", "back-up"))
        self.due.acted.connect(lambda: self.go("retention", "rules"))
        self.status.barrier_asked.connect(
            lambda: self.go("vault" if self.operations.workbench is not None else "installation")
        )
        self.status.jobs_asked.connect(self._toggle_tray)
        self.status.model_asked.connect(lambda: self.go("models") if self.operations.workbench is not None else None)
        self.status.api_asked.connect(lambda: self.go("api") if self.operations.workbench is not None else None)
        self.tray.cancel_asked.connect(operations.cancel)
        operations.changed.connect(self._changed)
        operations.failed.connect(self._failed)
        operations.jobs_changed.connect(self._job)
        self._keys()
        self._barrier = tuple(barrier)
        self._say_barrier(self._barrier)
        self._last_jobs: dict[int, JobNews] = {}
        self._closed = False
        self._scale = look().scale
        self._lock_after = LOCK_AFTER
        look().changed.connect(self._restyled)
        self.watching = Watching(operations, self.status, self)
        self.folder_watch = FolderWatch(operations, self)
        self.show_locked()

    # what a page may ask

    def go(self, name: str, about: object = None) -> None:
        """Go to a page, making it when it is the first time."""
        if name not in self._makers:
            return
        page = self._pages.get(name)
        if page is None:
            page = self._makers[name](cast(Shell, self))
            page.name = name
            page.bar.switcher_asked.connect(self.switch)
            if self.operations.workbench is None and name != "unlock":
                back = Button("Open a vault", "unlock")
                back.clicked.connect(self.show_locked)
                page.bar.act(back)
                page.bar.hide_switcher()
            self._pages[name] = page
            self.stack.addWidget(page)
        self.stack.setCurrentWidget(page)
        self.rail.go(name)
        page.start().setFocus()
        page.opened()
        if about is not None:
            page.show_about(about)

    def barrier_names(self) -> tuple[str, ...]:
        return self._barrier

    def toast(self, words: str, undo: Callable[[], None] | None = None) -> None:
        self._toast.say(words, undo)

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

    # vault

    @property
    def page(self) -> Page | None:
        return cast("Page | None", self.stack.currentWidget())

    def show_locked(self) -> None:
        """Show the page for unlocking."""
        self.rail.hide()
        self.go("unlock")
        self.status.person.say("Nobody")
        self.watching.end()
        self.folder_watch.end()

    def enter(self, workbench: Any) -> None:
        """Show an opened vault's pages, and what this person was writing when it was locked."""
        folder = workbench.vault.folder
        self.operations.attach(workbench)
        person = workbench.vault.user
        self._throw_pages_away()
        vault = folder.name.removesuffix(SUFFIX)
        self.rail.name_vault(vault, folder.parent.name)
        self.status.person.say(f"{person.name} · {', '.join(person.roles)}")
        self.setWindowTitle(f"{vault} – Assay")
        self.rail.show()
        self.watching.begin()
        self.folder_watch.begin()
        self._fold_for_width()
        self.locking.begin(self._lock_after)
        self.go("home" if "home" in self._makers else self._places[0].name)
        written = {
            name: draft for name, draft in self._drafts.give_back(workbench.vault).items() if name in self._makers
        }
        for name, draft in written.items():
            self.go(name)
            self._pages[name].take_draft(draft)
        if written:
            self.toast("What you were writing is back")
        self.care_changed()

    def care_changed(self) -> None:
        """Look at the vault's policy, its history and its last backup, and warn where something must be done."""
        self.operations.run("Look after the vault", lambda bench, job: look_after(bench), self._obey, lambda _: None)

    def _obey(self, found: Wardship) -> None:
        self.locking.limit(found.idle_minutes)
        warnings = (
            (self.rolled_back, found.rollback),
            (self.stale, found.passphrase),
            (self.reminder, found.backup),
            (self.due, found.due),
        )
        for banner, said in warnings:
            if said is None:
                banner.hide()
            else:
                banner.say(*said)

    def lock(self) -> None:
        """Lock the vault, or ask first when long work runs."""
        if self.operations.workbench is not None and not isinstance(self.overlay.panel, LockForm):
            self.locking.ask()

    def lock_now(self, because: str) -> None:
        """Let go of the vault; the pages go with it, and what was being written is sealed. `because` is said to whoever comes next."""
        if self.operations.workbench is None:
            return
        vault = self.operations.workbench.vault
        written = {name: page.draft() for name, page in self._pages.items()}
        kept = self._drafts.keep(vault, {name: draft for name, draft in written.items() if draft is not None})
        self.locking.end()
        workbench = self.operations.detach()
        assert workbench is not None
        self.watching.end()
        self.folder_watch.end()
        self.overlay.close_panel()
        self.tray.clear()
        self.tray.hide()
        self._toast.forget()
        self.rolled_back.forget()
        self.reminder.forget()
        self.stale.forget()
        self.due.forget()
        self._last_jobs.clear()
        self._say_jobs()
        self.setWindowTitle("Assay")
        self.rail.name_vault("Assay", "")
        self._throw_pages_away()
        self.show_locked()
        page = self.page
        if isinstance(page, Locked):
            page.after_lock(vault.folder, vault.user.user, because, kept)
        self.operations.run_alone("Lock the vault", lambda job: workbench.close(), lambda _: self._let_go())

    def say_altered(self, found: tuple[str, str]) -> None:
        """Warn that the program's own files differ from what was built: what it is and the next step, or nothing where both are empty."""
        if found[0]:
            self.altered.say(*found, "Examine…")

    def warn(self, words: str, act: str, acted: Callable[[], None]) -> None:
        self._toast.warn(words, act, acted)

    def unwarn(self) -> None:
        self._toast.unwarn()

    def _let_go(self) -> None:
        self.locking.closed()
        self.locked.emit()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._closed:
            return
        self._closed = True
        look().changed.disconnect(self._restyled)
        self.watching.end()
        self.folder_watch.end()
        self.locking.end()
        workbench = self.operations.detach()
        self.operations.close()
        if workbench is not None:
            workbench.close()
        event.accept()

    # keys and panes

    def switch(self) -> None:
        """Open the quick switcher."""
        if self.operations.workbench is None:
            return
        targets = [
            Target(place.word, "Section", place.icon, _going(self, place.name), place.key)
            for place in (*self._places, *self._foot)
        ]
        targets.append(Target(LOCK.word, "Action", LOCK.icon, self.lock, LOCK.key))
        targets.append(Target("This installation", "Section", "health", _going(self, "installation")))
        targets.append(Target("Keyboard help", "Action", "keyboard", self.show_keys, "F1"))
        for page in self._pages.values():
            targets += page.targets()
        switcher = QuickSwitcher(targets)
        switcher.went.connect(self.overlay.close_panel)
        switcher.left.connect(self.overlay.close_panel)
        self.open_dialog(switcher, 560)

    def show_keys(self) -> None:
        """Show the keyboard help, or take it away."""
        if isinstance(self.overlay.panel, KeySheet):
            self.overlay.close_panel()
            return
        sheet = KeySheet(KEYS)
        sheet.left.connect(self.overlay.close_panel)
        self.open_dialog(sheet, 900)

    def next_pane(self, step: int = 1) -> None:
        """Move the focus to the next pane: rail, the page's panes, status bar."""
        page = self.page
        panes = [
            pane for pane in [self.rail, *(page.panes() if page is not None else []), self.status] if pane.isVisible()
        ]
        focused = QApplication.focusWidget()
        inside = [
            position
            for position, pane in enumerate(panes)
            if focused is not None and (pane is focused or pane.isAncestorOf(focused))
        ]
        at = inside[-1] if inside else -1
        for offset in range(1, len(panes) + 1):
            pane = panes[(at + step * offset) % len(panes)]
            target = first_focusable(pane)
            if target is not None:
                target.setFocus(Qt.FocusReason.TabFocusReason)
                return

    def fold_rail(self) -> None:
        self._folded_by_hand = not self.rail.folded
        self.rail.fold(self._folded_by_hand)

    def fold_side(self) -> None:
        page = self.page
        side = page.side() if page is not None else None
        if side is not None:
            side.setVisible(not side.isVisible())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fold_for_width()

    def _fold_for_width(self) -> None:
        folded = self.width() < look().px(NARROW) if self._folded_by_hand is None else self._folded_by_hand
        self.rail.fold(folded, animated=False)

    def _restyled(self) -> None:
        """Another scale changes lengths that pages took when they were made: they are made again."""
        if look().scale != self._scale:
            self._scale = look().scale
            QTimer.singleShot(0, self, self._make_again)

    def _make_again(self) -> None:
        page = self.page
        if self._closed or page is None:
            return
        if self.operations.running() > len(self.operations.busy()):
            QTimer.singleShot(SETTLED, self, self._make_again)  # what a page reads comes to the page that asked
            return
        name = page.name
        self.overlay.close_panel()
        self._throw_pages_away()
        self.go(name)
        self._fold_for_width()

    def _build(self) -> None:
        middle = QHBoxLayout()
        middle.setContentsMargins(0, 0, 0, 0)
        middle.setSpacing(0)
        middle.addWidget(self.rail)
        right = QVBoxLayout()
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(0)
        for widget in (self.altered, self.rolled_back, self.stale, self.reminder, self.due):
            right.addWidget(widget)
        right.addWidget(self.stack, 1)
        middle.addLayout(right, 1)
        centre = QWidget()
        centre.setProperty("surface", "window")
        layout = QVBoxLayout(centre)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(middle, 1)
        layout.addWidget(self.status)
        self.setCentralWidget(centre)

    def _keys(self) -> None:
        acts: dict[str, Callable[[], None]] = {
            "Ctrl+K": self.switch,
            "Ctrl+B": self.fold_rail,
            "Ctrl+J": self.fold_side,
            "F1": self.show_keys,
            "F6": self.next_pane,
            "Shift+F6": lambda: self.next_pane(-1),
            "Ctrl+L": self.lock,
            "Ctrl+,": lambda: self._go_open("settings"),
        }
        for position, place in enumerate(self._places[:9], 1):
            acts[f"Ctrl+{position}"] = lambda name=place.name: self._go_open(name)
        for key, act in acts.items():
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.activated.connect(act)

    def _go_open(self, name: str) -> None:
        if self.operations.workbench is not None and self.overlay.panel is None:
            self.go(name)

    # news

    def _changed(self, event: object) -> None:
        if getattr(event, "act", "") in CARE:
            self.care_changed()
        for page in list(self._pages.values()):
            page.changed(event)

    def _failed(self, found: Failure) -> None:
        if self.page is not None:
            self.page.fail(found)

    def _job(self, news: JobNews) -> None:
        self._last_jobs[news.number] = news
        state = {
            "running": JobState.RUNNING,
            "done": JobState.DONE,
            "failed": JobState.FAILED,
            "stopped": JobState.STOPPED,
        }[news.state]
        self.tray.say(JobRow(news.number, news.title, state, news.words, news.share))
        self._say_jobs()
        self.locking.jobs_changed()

    def _say_jobs(self) -> None:
        running = [news for news in self._last_jobs.values() if news.state == "running"]
        if not running:
            failed = [news for news in self._last_jobs.values() if news.state == "failed"]
            self.status.jobs.say(f"{len(failed)} failed" if failed else "No jobs")
        elif len(running) == 1:
            share = running[0].share
            self.status.jobs.say(
                running[0].title + (f", {share:.0%}".replace("%", " %") if share is not None else ""),
                share=share or 0.0,
            )
        else:
            self.status.jobs.say(f"{len(running)} jobs")

    def _toggle_tray(self) -> None:
        if self.tray.isVisible():
            self.tray.hide()
            return
        self.tray.place(self.status)
        self.tray.show()
        self.tray.raise_()
        self.tray.setFocus()

    def _say_barrier(self, names: Sequence[str]) -> None:
        if names:
            self.status.barrier.say(
                f"No outside connections · {', '.join(names)}", detail="Tested when the window started"
            )
        else:
            says = "Outside connections are not barred"
            self.status.barrier.say(
                says,
                tone="warn.fg",
                detail="This system has no barrier that Assay can raise. Cut the network off yourself.",
            )

    def _throw_pages_away(self) -> None:
        for page in self._pages.values():
            self.stack.removeWidget(page)
            page.hide()
            page.deleteLater()
        self._pages.clear()


def _going(window: MainWindow, name: str) -> Callable[[], None]:
    return lambda: window.go(name)


def first_focusable(pane: QWidget) -> QWidget | None:
    """The pane itself, or the first widget in it that takes the focus by Tab."""
    if pane.focusPolicy() & Qt.FocusPolicy.TabFocus and pane.isEnabled():
        return pane
    for widget in pane.findChildren(QWidget):
        if widget.isVisible() and widget.isEnabled() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            return widget
    return None
