"""Two documents beside each other in the window: chosen, aligned, gone through from difference to difference, exported."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.pages import document_comparison
from app.pages.document_comparison import CompareForm, ComparisonView
from app.pages.documents import DocumentsPage
from core.documents.records import AddDocuments
from core.jobs import Job
from core.vault.roles import Act
from tests.unit.app.naming import nameless
from tests.unit.app.standin import StandIn, digest

FIRST = ("Valves are checked every six months.", "The drum is blue.", "The red pump stands in hall 7.")
SECOND = ("Valves are checked every twelve months.", "The drum is blue.", "Ladders are locked away.")


@pytest.fixture
def page(window: MainWindow, bench: StandIn, qtbot: QtBot) -> DocumentsPage:
    bench.documents.add(AddDocuments(collection="plant", paths=("a.pdf", "b.pdf")), Job("Add"))
    window.go("documents")
    assert isinstance(window.page, DocumentsPage)
    page = window.page
    qtbot.waitUntil(lambda: page.table.current() is not None and window.operations.running() == 0)
    return page


@pytest.fixture
def view(page: DocumentsPage, window: MainWindow, bench: StandIn, qtbot: QtBot) -> ComparisonView:
    """The document a.pdf and its earlier version."""
    bench.comparing.pieces = {digest("before a.pdf"): FIRST, digest("a.pdf"): SECOND}
    page.compare_button.click()
    qtbot.waitUntil(lambda: isinstance(window.overlay.panel, CompareForm))
    form = window.overlay.panel
    assert isinstance(form, CompareForm)
    assert [(one.name, one.what) for one in form.table.rows.all()] == [
        ("a.pdf", "Version added 2026-10-01, 09:30"),
        ("b.pdf", "In plant"),
    ]
    assert nameless(form) == []
    form.act.click()
    view = page.comparing.view
    qtbot.waitUntil(view.isVisible)
    assert nameless(view) == []
    assert window.overlay.panel is None
    assert bench.comparing.compared == [(digest("before a.pdf"), digest("a.pdf"))]  # the earlier one at the left
    return view


def test_differences_stand_beside_each_other_with_words_and_signs_and_are_gone_through(
    view: ComparisonView, page: DocumentsPage, qtbot: QtBot
) -> None:
    assert view.where.text() == "Difference 1 of 3"
    assert "▸ Changed" in view.text.toPlainText()
    assert not view.before.isEnabled()
    qtbot.keyClick(view, Qt.Key.Key_N)
    view.after.click()
    assert view.where.text() == "Difference 3 of 3"
    assert not view.after.isEnabled()
    assert "▸ Changed" not in view.text.toPlainText()
    view.before.click()
    assert view.where.text() == "Difference 2 of 3"
    assert "The drum is blue." in view.text.toPlainText()
    view.same.setChecked(False)
    assert "The drum is blue." not in view.text.toPlainText()
    assert view.where.text() == "Difference 2 of 3"
    view.back.click()
    assert page.table.isVisible()


def test_what_differs_is_struck_through_or_underlined(view: ComparisonView) -> None:
    found: dict[str, tuple[bool, bool]] = {}
    block = view.text.document().begin()
    while block.isValid():
        pieces = block.begin()
        while not pieces.atEnd():
            shape = pieces.fragment().charFormat()
            found[pieces.fragment().text()] = shape.fontStrikeOut(), shape.fontUnderline()
            pieces += 1
        block = block.next()
    assert found["six"] == (True, False)
    assert found["twelve"] == (False, True)
    assert found["The drum is blue."] == (False, False)


def test_long_texts_are_laid_out_in_portions_and_every_difference_is_reached(
    page: DocumentsPage, view: ComparisonView, bench: StandIn, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document_comparison, "PORTION", 2)
    assert view.found is not None
    view.at = -1
    view.show_comparison(view.found)
    places = [view.at]
    while view.after.isEnabled():
        view.after.click()
        places.append(view.at)
        assert "▸ " in view.text.toPlainText()
    assert places == [at for at, one in enumerate(view.found.rows) if one.kind != "same"]


def test_a_comparison_is_exported_and_the_log_says_so(
    view: ComparisonView, page: DocumentsPage, window: MainWindow, bench: StandIn, qtbot: QtBot, tmp_path: Path
) -> None:
    assert view.found is not None
    done: list[str] = []
    show: Callable[[str], None] = done.append
    window.toast = show  # type: ignore[method-assign, assignment]
    page.comparing.save(tmp_path / "found.html")
    qtbot.waitUntil(lambda: bool(done))
    assert "<del>six</del>" in (tmp_path / "found.html").read_text(encoding="utf-8")
    with bench.vault.read() as reader:
        last = reader.log()[-1]
    assert (last.act, last.about) == (
        Act.EXPORT_DOCUMENT,
        f"{view.found.first_name} and {view.found.second_name}, compared, to found.html",
    )
    page.comparing.save(tmp_path / "found.doc")
    qtbot.waitUntil(page.banner.isVisible)
    assert page.banner.text.startswith("found.doc: comparisons are written as .html or .txt.")
