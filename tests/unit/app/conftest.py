"""The window over a workbench in memory, in the light theme, without motion."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.bridge.collecting import collect_anywhere, collect_on_ui_thread
from app.bridge.operations import Operations
from app.main_window import MainWindow
from app.pages.all import PAGES
from app.theme.look import look
from tests.unit.app.standin import StandIn


@pytest.fixture(autouse=True)
def light(qapp: QApplication) -> None:
    """Every test begins with the same look."""
    if look().theme != "light" or look().scale != 1.0 or not look().reduced_motion:
        look().apply("light", reduced_motion=True)


@pytest.fixture(scope="session")
def settled() -> None:
    """What was imported is not looked through again at each sweep."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def swept(qapp: QApplication, settled: None) -> Iterator[None]:
    """What a test leaves is collected here, on the UI thread, and not by whichever thread allocates next."""
    collect_on_ui_thread()
    yield
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    collect_anywhere()


@pytest.fixture
def bench(tmp_path: Path) -> StandIn:
    return StandIn(tmp_path / "Merrowdale" / "Drug safety.assay")


@pytest.fixture
def locked(qtbot: QtBot) -> Iterator[MainWindow]:
    """The window before a vault is open."""
    window = MainWindow(Operations(), PAGES, ("seccomp",))
    window.folder_watch._timer.setInterval(3_600_000)  # folders are looked at when a test says so
    window.resize(1440, 900)
    window.show()
    yield window
    window.close()
    window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


@pytest.fixture
def window(locked: MainWindow, bench: StandIn) -> MainWindow:
    """The window with an open vault."""
    bench.vault.folder.mkdir(parents=True)
    locked.enter(bench)
    return locked
