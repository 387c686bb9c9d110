"""The documents page: adding with progress and refusals, cancelling, describing, reading, removing."""

from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.pages.document_cutting import CuttingForm
from app.pages.documents import DocumentsPage, Removal
from app.pages.refused_files import RefusedFiles, as_text, sentence
from core.documents.records import Refusal
from core.vault import policies
from tests.unit.app.standin import StandIn


@pytest.fixture
def page(window: MainWindow, qtbot: QtBot) -> DocumentsPage:
    window.go("documents")
    assert isinstance(window.page, DocumentsPage)
    qtbot.waitUntil(lambda: window.operations.running() == 0)
    return window.page


def add(page: DocumentsPage, qtbot: QtBot, *names: str) -> None:
    page.add([f"/files/{name}" for name in names], "safety")
    qtbot.waitUntil(lambda: page.add_files.isEnabled() and bool(page.table.rows.all()))


def test_an_empty_vault_says_what_to_do(page: DocumentsPage) -> None:
    assert page.empty.isVisible()
    assert page.empty.act is not None
    assert page.empty.act.text() == "Add folder"


def test_added_documents_are_listed_and_the_first_is_described(page: DocumentsPage, qtbot: QtBot) -> None:
    add(page, qtbot, "SOP-PV-014.pdf", "notes.txt")
    assert [found.name for found in page.table.rows.all()] == ["SOP-PV-014.pdf", "notes.txt"]
    assert page.table.current().name == "SOP-PV-014.pdf"
    assert page.list.current == "safety"
    index = page.table.rows.index(0, 4)
    assert index.data(Qt.ItemDataRole.AccessibleTextRole) == "State: Ready"


def test_refused_files_are_said_with_their_reasons_and_dont_stop_the_rest(page: DocumentsPage, qtbot: QtBot) -> None:
    add(page, qtbot, "SOP-PV-014.pdf", "broken.pdf")
    qtbot.waitUntil(lambda: page.banner.isVisible())
    assert page.banner.text == "1 file was refused. The other 1 are in."


def test_adding_can_be_cancelled_and_nothing_else_may_be_added_meanwhile(
    page: DocumentsPage, bench: StandIn, qtbot: QtBot
) -> None:
    bench.documents.gate.clear()
    page.add(["/files/a.pdf", "/files/b.pdf"], "safety")
    assert page.work.isVisible()
    assert not page.add_folder.isEnabled()
    qtbot.mouseClick(page.work.cancel, Qt.MouseButton.LeftButton)
    bench.documents.gate.set()
    qtbot.waitUntil(lambda: page.add_folder.isEnabled())
    assert not page.work.isVisible()


def test_a_document_is_opened_and_its_pages_turned(page: DocumentsPage, qtbot: QtBot) -> None:
    add(page, qtbot, "SOP-PV-014.pdf")
    qtbot.mouseClick(page.open_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.view.page_label.text() == "Page 1 of 3")
    assert not page.view.page_before.isEnabled()
    qtbot.mouseClick(page.view.page_after, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.view.page_label.text() == "Page 2 of 3")


def test_removing_asks_first(page: DocumentsPage, window: MainWindow, qtbot: QtBot) -> None:
    add(page, qtbot, "SOP-PV-014.pdf", "notes.txt")
    qtbot.mouseClick(page.remove_button, Qt.MouseButton.LeftButton)
    asking = window.overlay.panel
    assert isinstance(asking, Removal)
    qtbot.mouseClick(asking.remove, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: [found.name for found in page.table.rows.all()] == ["notes.txt"])


def test_finding_narrows_the_table(page: DocumentsPage, qtbot: QtBot) -> None:
    add(page, qtbot, "SOP-PV-014.pdf", "notes.txt")
    qtbot.keyClicks(page.find, "note")
    assert [found.name for found in page.table.rows.all()] == ["notes.txt"]


def test_asking_goes_to_the_chat_of_the_collection(page: DocumentsPage, window: MainWindow, qtbot: QtBot) -> None:
    add(page, qtbot, "SOP-PV-014.pdf")
    qtbot.mouseClick(page.ask_button, Qt.MouseButton.LeftButton)
    assert window.page is not None
    assert window.page.name == "chat"


def test_a_reason_doesnt_repeat_the_files_name() -> None:
    assert sentence("/x/a.pdf", "a.pdf: the file ends early.") == "The file ends early."
    assert sentence("/x/a.pdf", "It asks for a passphrase.") == "It asks for a passphrase."


def test_a_new_collection_is_named_before_files_go_into_it(
    page: DocumentsPage, window: MainWindow, qtbot: QtBot
) -> None:
    page.add(["/files/SOP-PV-014.pdf"])
    form = window.overlay.panel
    assert isinstance(form, CuttingForm)
    form.name.edit.clear()
    qtbot.keyClick(form.name.edit, Qt.Key.Key_Return)
    assert form.name.error == "Name is missing."
    qtbot.keyClicks(form.name.edit, "quality")
    qtbot.keyClick(form.name.edit, Qt.Key.Key_Return)
    assert window.overlay.panel is None
    qtbot.waitUntil(lambda: page.list.current == "quality" and len(page.table.rows.all()) == 1)


def test_a_reason_is_asked_for_where_the_policy_wants_one(
    page: DocumentsPage, window: MainWindow, bench: StandIn, qtbot: QtBot
) -> None:
    add(page, qtbot, "SOP-PV-014.pdf")
    page.remove_button.click()
    panel = window.overlay.panel
    assert isinstance(panel, Removal)
    assert not panel.reason.isVisible()
    panel.keep.click()
    page._obey(msgspec.structs.replace(policies.DEFAULT, reasons=("remove-documents",)))
    page.remove_button.click()
    panel = window.overlay.panel
    assert isinstance(panel, Removal)
    panel.remove.click()
    assert panel.reason.error == "The reason is missing."
    assert bench.documents.reasons == []
    panel.reason.edit.setText("Replaced")
    panel.remove.click()
    qtbot.waitUntil(lambda: bench.documents.reasons == ["Replaced"])


def test_escape_leaves_the_naming_and_adds_nothing(
    page: DocumentsPage, window: MainWindow, bench: StandIn, qtbot: QtBot
) -> None:
    page.add(["/files/SOP-PV-014.pdf"])
    form = window.overlay.panel
    assert isinstance(form, CuttingForm)
    qtbot.keyClick(form.name.edit, Qt.Key.Key_Escape)
    assert window.overlay.panel is None
    assert bench.documents.held == {}


def test_refused_files_are_listed_saved_and_tried_again_with_a_password_that_is_asked_for(
    page: DocumentsPage, window: MainWindow, bench: StandIn, qtbot: QtBot, tmp_path: Path
) -> None:
    add(page, qtbot, "SOP-PV-014.pdf", "broken.pdf", "locked.pdf")
    qtbot.waitUntil(lambda: page.banner.isVisible())
    assert page.banner.text == "2 files were refused. The other 1 are in."
    page.banner.act.click()
    form = window.overlay.panel
    assert isinstance(form, RefusedFiles)
    form.write(str(tmp_path / "list.txt"))
    lines = (tmp_path / "list.txt").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "2 files refused by safety"
    assert lines[1] == "/files/broken.pdf\tThe file ends in the middle of page 3."
    form.act.click()
    assert form.password.error == "The password is missing."
    form.password.edit.setText("open sesame")
    form.act.click()
    assert form.password.text == ""
    qtbot.waitUntil(lambda: len(page.table.rows.all()) == 2 and page.banner.text.startswith("1 file was"))
    assert bench.documents.passwords == [(), ("open sesame",)]
    page.banner.act.click()
    form = window.overlay.panel
    assert isinstance(form, RefusedFiles)
    assert not form.password.isVisible()
    form.act.click()
    assert window.overlay.panel is None


def test_a_list_that_cant_be_written_says_so(tmp_path: Path, qtbot: QtBot) -> None:
    form = RefusedFiles("safety", (Refusal(file="/x/a.pdf", reason="a.pdf: it ends early."),))
    qtbot.addWidget(form)
    form.write(str(tmp_path / "nowhere" / "list.txt"))
    assert form.problem == "list.txt can’t be written there. Choose another folder."
    assert as_text("safety", ()) == "0 files refused by safety\n"
