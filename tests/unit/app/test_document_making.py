"""A collection is made anew from the documents page, and what an older version read is read again."""

import gc

import pytest
from PySide6.QtWidgets import QLabel, QSpacerItem, QWidgetItem
from pytestqt.qtbot import QtBot
from shiboken6.Shiboken import getAllValidWrappers

from app.main_window import MainWindow
from app.pages.document_making import RebuildForm, in_the_window
from app.pages.documents import DocumentsPage
from app.pages.refused_files import RefusedFiles
from core.documents.rebuilding import Rebuild
from core.documents.records import AddDocuments
from core.documents.store import outdated
from core.jobs import Job
from tests.unit.app.standin import StandIn


def settled(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: window.operations.running() == 0)


@pytest.fixture
def page(window: MainWindow, bench: StandIn, qtbot: QtBot) -> DocumentsPage:
    bench.documents.add(AddDocuments(collection="safety", paths=("notes.txt", "rules.txt")), Job("Add"))
    window.go("documents")
    assert isinstance(window.page, DocumentsPage)
    settled(window, qtbot)
    return window.page


def words(page: DocumentsPage) -> str:
    return " ".join(found.text() for found in page.making.findChildren(QLabel) if found.isVisible())


def test_what_an_older_version_read_is_read_again(
    page: DocumentsPage, window: MainWindow, bench: StandIn, qtbot: QtBot
) -> None:
    assert not page.making.again.isVisible()
    bench.documents.older = 1
    page.opened()
    settled(window, qtbot)
    qtbot.waitUntil(lambda: "1 document was read by an older version of Assay" in words(page))
    page.making.again.click()
    assert page.work.isVisible()
    settled(window, qtbot)
    assert bench.rebuilding.asked == [Rebuild(collection="safety", older=True)]
    qtbot.waitUntil(lambda: not page.making.again.isVisible())


def test_a_collection_is_made_anew_with_what_was_chosen_alone(
    page: DocumentsPage, window: MainWindow, bench: StandIn, qtbot: QtBot
) -> None:
    page.making.anew.click()
    form = window.overlay.panel
    assert isinstance(form, RebuildForm)
    form.size.edit.setText("many")
    form.act.click()
    assert window.overlay.panel is form
    form.size.edit.setText("120")
    form.act.click()
    settled(window, qtbot)
    assert bench.rebuilding.asked == [Rebuild(collection="safety", size=120)]


def test_one_that_was_stopped_goes_on_or_is_given_up(
    page: DocumentsPage, window: MainWindow, bench: StandIn, qtbot: QtBot
) -> None:
    bench.documents.gate.clear()
    page.making.rebuild.emit(Rebuild(collection="safety", size=120))
    assert not page.making.anew.isEnabled()
    page.work.cancelled.emit()
    bench.documents.gate.set()
    settled(window, qtbot)
    qtbot.waitUntil(page.making.go_on.isVisible)
    qtbot.waitUntil(lambda: "was begun and isn’t finished" in words(page))
    page.making.go_on.click()
    settled(window, qtbot)
    qtbot.waitUntil(lambda: not page.making.go_on.isVisible())
    assert len(bench.rebuilding.asked) == 2
    bench.rebuilding.begun = bench.rebuilding.rebuild(Rebuild(collection="safety"), Job("Rebuild")).plan
    page.opened()
    settled(window, qtbot)
    page.making.give_up.click()
    settled(window, qtbot)
    qtbot.waitUntil(lambda: not page.making.give_up.isVisible())


def test_a_locked_document_holds_it_up_until_its_password_is_given(
    page: DocumentsPage, window: MainWindow, bench: StandIn, qtbot: QtBot
) -> None:
    bench.documents.add(AddDocuments(collection="safety", paths=("locked.pdf",)), Job("Add"), ("open sesame",))
    page.making.rebuild.emit(Rebuild(collection="safety"))
    settled(window, qtbot)
    assert page.banner.text == "1 file was refused. It is searched as before; the others are ready."
    page.banner.act.click()
    form = window.overlay.panel
    assert isinstance(form, RefusedFiles)
    form.password.edit.setText("open sesame")
    form.act.click()
    settled(window, qtbot)
    qtbot.waitUntil(lambda: bench.rebuilding.begun is None)


def test_one_that_cannot_be_used_as_it_was_made_says_so(
    page: DocumentsPage, window: MainWindow, bench: StandIn, qtbot: QtBot
) -> None:
    bench.documents.problem = "safety: made by another version. `assay documents rebuild safety` makes it anew."
    page.opened()
    settled(window, qtbot)
    said = "It can’t be asked or added to as it was made: made by another version. Make it anew."
    qtbot.waitUntil(lambda: said in words(page))


def test_the_window_says_where_an_outdated_collection_is_made_anew() -> None:
    said = str(outdated("plant life", "made by another version."))
    assert in_the_window(said) == "plant life: made by another version. The page Documents makes it anew."
    assert in_the_window("The model stopped.") == "The model stopped."


def test_the_buttons_of_its_rows_are_taken_out_before_they_go_elsewhere(
    page: DocumentsPage, window: MainWindow, qtbot: QtBot
) -> None:
    """An item that Qt frees while Python still knows it is taken for the next object at its place, which ends the program."""

    def items() -> int:
        gc.collect()
        return sum(type(one) in (QWidgetItem, QSpacerItem) for one in getAllValidWrappers())

    page.making.show_collection(page.making._found)
    settled(window, qtbot)
    before = items()
    for _ in range(5):
        page.making.show_collection(page.making._found)
        settled(window, qtbot)
    assert items() == before
