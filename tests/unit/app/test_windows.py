"""Nothing but the window itself ever appears on the screen while pages are made, and the Tab key reaches everything in them."""

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QMainWindow, QWidget
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.theme.look import look
from app.widgets.matrix_model import Outcome
from core.evals import store as evals_store
from core.evals.records import RunSpec
from core.jobs import Job
from core.vault.vault import Vault
from tests.unit.app.benches import Bench


class Appearing(QObject):
    """Collects what appears as a window of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        shown = event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow()
        if shown and not isinstance(watched, QMainWindow):
            self.found.append(f"{type(watched).__name__} {watched.accessibleName()}")
        return False


@pytest.fixture
def appearing(qapp: QApplication) -> Iterator[Appearing]:
    made = Appearing()
    qapp.installEventFilter(made)
    yield made
    qapp.removeEventFilter(made)


@pytest.fixture
def bench(vault_factory: Callable[..., Vault]) -> Bench:
    return Bench(vault_factory((evals_store.SCHEMA,))).with_prompts().with_dataset().with_spec()


def settled(qtbot: QtBot, window: MainWindow) -> None:
    for _ in range(3):
        qtbot.waitUntil(lambda: window.operations.running() == 0, timeout=20_000)
        qtbot.wait(10)


def unnamed(page: QWidget) -> list[str]:
    """What the Tab key reaches and a screen reader has no word for."""
    return [
        type(widget).__name__
        for widget in page.findChildren(QWidget)
        if widget.isVisible()
        and widget.isEnabled()
        and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and not (widget.accessibleName() or (isinstance(widget, QAbstractButton) and widget.text()))
    ]


def test_pages_appear_in_the_window_only(qtbot: QtBot, appearing: Appearing, locked: MainWindow, bench: Bench) -> None:
    locked.go("evidence")
    locked.enter(bench)
    for name in ("prompts", "evals", "evidence"):
        locked.go(name)
        settled(qtbot, locked)
    locked.go("prompts")
    locked.page.write_next()
    locked.go("evals")
    locked.page.write_new()
    settled(qtbot, locked)
    assert appearing.found == []


@pytest.mark.parametrize(("name", "act"), [("prompts", "write_next"), ("evals", "write_new"), ("evidence", "opened")])
def test_everything_that_tab_reaches_has_a_name(
    qtbot: QtBot, locked: MainWindow, bench: Bench, name: str, act: str
) -> None:
    locked.enter(bench)
    locked.go(name)
    settled(qtbot, locked)
    assert unnamed(locked.page) == []
    getattr(locked.page, act)()
    settled(qtbot, locked)
    assert unnamed(locked.page) == []


def test_the_keys_of_the_matrix_work_as_soon_as_the_page_is_there(
    qtbot: QtBot, locked: MainWindow, bench: Bench
) -> None:
    bench.evals.run(RunSpec(reference="cite-answers-comparison"), Job("Evaluate"))
    locked.enter(bench)
    locked.go("evals")
    settled(qtbot, locked)
    matrix = locked.page.results.matrix
    assert matrix.hasFocus()
    QTest.keyClick(matrix, Qt.Key.Key_F)
    index = matrix.currentIndex()
    assert matrix.rows.samples[index.row()].cells[index.column()].outcome is Outcome.FAILED
    locked.go("prompts")
    settled(qtbot, locked)
    assert locked.page.versions.hasFocus()
    QTest.keyClick(locked.page.versions, Qt.Key.Key_Down)
    assert locked.page.state.prompt.number == 1


def test_tab_goes_through_the_form_in_reading_order(qtbot: QtBot, locked: MainWindow, bench: Bench) -> None:
    locked.enter(bench)
    locked.go("evals")
    settled(qtbot, locked)
    page = locked.page
    page.write_new()
    settled(qtbot, locked)
    page.form.fill(bench.evals.spec("cite-answers-comparison").spec.spec)
    qtbot.waitUntil(lambda: page.form.criteria[0].isVisible())
    page.form.name.edit.setFocus()
    order = []
    for _ in range(25):
        focused = QApplication.focusWidget()
        assert focused is not None
        order.append(focused.accessibleName() or focused.text())
        QTest.keyClick(locked, Qt.Key.Key_Tab)

    assert order[:7] == ["Name", "Dataset", "Documents", "cite-answers@1", "cite-answers@2", "starter-chat", "fake"]
    assert order[-8:] == [
        "Metric",
        "Variant",
        "What of it",
        "Bound",
        "Number",
        "Remove this criterion",
        "Add a criterion",
        "Cancel",
    ]


def test_another_theme_and_scale_can_be_chosen_while_a_form_is_open(
    qtbot: QtBot, locked: MainWindow, bench: Bench
) -> None:
    locked.enter(bench)
    locked.go("evals")
    settled(qtbot, locked)
    locked.page.write_new()
    settled(qtbot, locked)
    locked.page.form.fill(bench.evals.spec("cite-answers-comparison").spec.spec)
    look().apply("dark", 1.25, reduced_motion=True)
    qtbot.wait(5)
    assert not locked.grab().isNull()
