"""The window at 1024 by 700 and one and a half times the size: nothing is cut off, and what has no room is still reached."""

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QCheckBox, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.theme.look import look
from app.widgets.basic import Elided
from app.widgets.beside import Beside
from app.widgets.buttons import Button
from app.widgets.table import Cell, Column, Table
from app.widgets.toolbar import Chooser, TopBar
from core.datasets.records import AddDataset
from core.documents.records import AddDocuments
from core.jobs import Job
from tests.unit.app.standin import StandIn

NAMED = ("home", "chat", "documents", "datasets", "models", "people", "vault", "retention", "settings")
"""The pages that the stand-in has what for."""


@pytest.fixture
def narrow(window: MainWindow, bench: StandIn, qtbot: QtBot) -> Iterator[MainWindow]:
    bench.documents.add(
        AddDocuments(collection="Safety procedures", paths=("/a/SOP-PV-014 Case intake.pdf",)), Job("A")
    )
    bench.datasets.add(AddDataset(name="questions", path="/q.jsonl"), Job("A"))
    look().apply("light", 1.5, reduced_motion=True)
    window.resize(1024, 700)
    qtbot.waitUntil(lambda: window.operations.running() == 0)
    yield window
    qtbot.waitUntil(lambda: window.operations.running() == 0)
    look().apply("light", reduced_motion=True)


def cut(page: QWidget) -> list[str]:
    """What is narrower than its words, or lies outside of what holds it."""
    found = []
    for one in page.findChildren(QWidget):
        if not one.isVisible() or isinstance(one, (Elided, Chooser)):
            continue
        words = isinstance(one, (QPushButton, QCheckBox)) or (isinstance(one, QLabel) and not one.wordWrap())
        if words and one.text() and one.width() < one.sizeHint().width() - 1:  # type: ignore[attr-defined]
            found.append(f"{one.text()} is {one.width()} of {one.sizeHint().width()} wide")  # type: ignore[attr-defined]
        around = one.parentWidget()
        if isinstance(one, QPushButton) and around is not None and one.geometry().right() > around.width():
            found.append(f"{one.text()} lies outside")
    return found


@pytest.mark.parametrize("name", NAMED)
def test_nothing_is_cut_off(narrow: MainWindow, qtbot: QtBot, name: str) -> None:
    narrow.go(name)
    for _ in range(2):
        qtbot.wait(10)
        qtbot.waitUntil(lambda: narrow.operations.running() == 0)
    assert narrow.size().width() == 1024
    assert narrow.page is not None
    assert cut(narrow.page) == []


def test_what_has_no_room_in_a_bar_is_in_its_menu(qtbot: QtBot) -> None:
    bar = TopBar("People")
    qtbot.addWidget(bar)
    save, add = Button("Save the whole trust file", "save"), Button("Add person", "person-plus", "primary")
    pressed: list[str] = []
    save.clicked.connect(lambda: pressed.append("save"))
    bar.act(save, add)
    bar.resize(900, 52)
    bar.show()
    assert bar.folded() == []
    assert save.isVisible()
    assert not bar.more.isVisible()
    bar.resize(360, 52)
    assert bar.folded() == [save]
    assert not save.isVisible()
    assert add.isVisible()
    save.refuse("Only an administrator may do this.")
    bar.more.click()
    (action,) = bar._menu.actions()
    assert (action.text(), action.isEnabled()) == ("Save the whole trust file", False)
    assert action.toolTip() == "Only an administrator may do this."
    bar._menu.hide()
    save.refuse("")
    bar.more.click()
    bar._menu.actions()[0].trigger()
    assert pressed == ["save"]
    bar._menu.hide()
    save.hide()
    assert bar.folded() == []
    assert not bar.more.isVisible()


def test_a_narrow_table_leaves_out_what_can_be_spared(qtbot: QtBot) -> None:
    table = Table(
        (
            Column("Name", Cell),
            Column("Kind", Cell, 90, spare=2),
            Column("Size", Cell, 90, spare=1),
            Column("State", Cell, 100),
        ),
        "Things",
    )
    qtbot.addWidget(table)
    table.show_rows(["a"])
    table.resize(600, 200)
    table.show()
    assert [table.isColumnHidden(at) for at in range(4)] == [False] * 4
    table.resize(380, 200)
    assert [table.isColumnHidden(at) for at in range(4)] == [False, False, True, False]
    table.resize(280, 200)
    assert [table.isColumnHidden(at) for at in range(4)] == [False, True, True, False]
    table.resize(600, 200)
    assert [table.isColumnHidden(at) for at in range(4)] == [False] * 4


def test_a_side_goes_below_and_may_be_given_more(qtbot: QtBot) -> None:
    side = QWidget()
    beside = Beside(QWidget(), side, 300, narrow=700)
    qtbot.addWidget(beside)
    beside.resize(900, 500)
    beside.show()
    assert (beside.below, side.width()) == (False, 300)
    beside.give(400)
    assert side.width() == 400
    beside.resize(600, 500)
    assert (beside.below, side.height()) == (True, 200)
    beside.give(400, 0.6)
    assert side.height() == 300
