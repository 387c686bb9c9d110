"""How a new collection is cut is chosen with its effect on a sample in view, before anything is indexed."""

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.pages.document_cutting import CuttingForm
from app.pages.documents import DocumentsPage
from core.documents.records import CuttingChoice
from tests.unit.app.naming import nameless
from tests.unit.app.standin import StandIn

PATHS = ["/files/SOP-PV-014.pdf", "/files/locked.docx"]


@pytest.fixture
def page(window: MainWindow, qtbot: QtBot) -> DocumentsPage:
    window.go("documents")
    qtbot.waitUntil(lambda: window.operations.running() == 0)
    assert isinstance(window.page, DocumentsPage)
    return window.page


@pytest.fixture
def form(page: DocumentsPage, window: MainWindow, qtbot: QtBot) -> CuttingForm:
    page.add(PATHS)
    form = window.overlay.panel
    assert isinstance(form, CuttingForm)
    qtbot.waitUntil(lambda: form.preview.effect.isEnabled())
    return form


def test_the_effect_on_a_sample_is_shown_and_the_choice_is_what_the_collection_is_made_with(
    form: CuttingForm, page: DocumentsPage, bench: StandIn, qtbot: QtBot
) -> None:
    shown = {word: one.text() for word, one in form.preview.figures.items()}
    assert shown == {"Chunks": "5", "Smallest": "17", "Median": "171", "Largest": "180"}
    assert form.preview.status.text().startswith(
        "1 document of 2 files read, 6 pages. 1 file of the sample can’t be read"
    )
    assert form.preview.plot.said().startswith("2 of 0 to 20 tokens; 1 of 42 to 63 tokens")
    assert nameless(form) == []
    first = form.preview.table.rows.index(0, 0)
    assert "to “24 hours. Day 0" in first.data(Qt.ItemDataRole.AccessibleTextRole)
    form.size.edit.setText("90")
    form.overlap.edit.setText("0")
    assert not form.preview.effect.isEnabled()
    qtbot.waitUntil(lambda: form.preview.figures["Largest"].text() == "90")
    assert bench.documents.held == {}
    form.name.edit.setText("quality")
    form.act.click()
    qtbot.waitUntil(lambda: page.list.current == "quality" and page._handle is None)
    assert bench.documents.cuttings == [CuttingChoice(strategy="structure", size=90, overlap=0)]


def test_nothing_is_chosen_where_nothing_was_changed(form: CuttingForm, bench: StandIn, qtbot: QtBot) -> None:
    form.act.click()
    qtbot.waitUntil(lambda: bool(bench.documents.held))
    assert bench.documents.cuttings == [CuttingChoice()]


def test_a_later_number_cancels_the_preview_before_it(
    form: CuttingForm, window: MainWindow, bench: StandIn, qtbot: QtBot
) -> None:
    bench.documents.held_size = 77
    bench.documents.gate.clear()
    form.size.edit.setText("77")
    qtbot.waitUntil(lambda: any(one.size == 77 for one in bench.documents.previewed), timeout=60_000)
    former = form._handle
    assert former is not None
    form.size.edit.setText("90")
    assert former.job.cancelled
    qtbot.waitUntil(lambda: form.preview.figures["Largest"].text() == "90", timeout=60_000)
    bench.documents.gate.set()
    qtbot.waitUntil(lambda: window.operations.running() == 0, timeout=60_000)
    assert form.preview.figures["Largest"].text() == "90"


def test_a_preview_is_stopped_and_shown_again(form: CuttingForm, bench: StandIn, qtbot: QtBot) -> None:
    bench.documents.held_size = 77
    bench.documents.gate.clear()
    form.size.edit.setText("77")
    qtbot.waitUntil(lambda: any(one.size == 77 for one in bench.documents.previewed), timeout=60_000)
    former = form._handle
    form.preview.stop.click()
    assert former is not None
    assert former.job.cancelled
    assert form.preview.status.text() == "Stopped. The files can be added all the same."
    bench.documents.gate.set()
    form.preview.again.click()
    qtbot.waitUntil(lambda: form.preview.figures["Largest"].text() == "77", timeout=60_000)


def test_numbers_that_cant_be_are_said_and_nothing_is_added(
    form: CuttingForm, window: MainWindow, bench: StandIn, qtbot: QtBot
) -> None:
    form.size.edit.setText("many")
    form.act.click()
    assert form.size.error == "Write a whole number of tokens."
    form.size.edit.setText("3")
    qtbot.waitUntil(lambda: form.size.error.startswith("3 tokens; this embedder allows"), timeout=60_000)
    form.act.click()
    assert form.problem.startswith("size: 3 tokens")
    assert window.overlay.panel is form
    assert bench.documents.held == {}


def test_a_collection_with_documents_keeps_to_its_cutting_and_isnt_asked(
    form: CuttingForm, page: DocumentsPage, window: MainWindow, bench: StandIn, qtbot: QtBot
) -> None:
    form.act.click()
    qtbot.waitUntil(lambda: page._handle is None and page.list.current == "documents")
    qtbot.waitUntil(lambda: window.operations.running() == 0)
    page.add(["/files/notes.txt"])
    assert window.overlay.panel is None
    qtbot.waitUntil(lambda: len(bench.documents.held["documents"]) == 2)
