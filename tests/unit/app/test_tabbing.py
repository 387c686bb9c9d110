"""What is made after its page is reached by Tab where it stands, and is named by its words."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.pages.document_folders import GoneDocuments
from app.pages.documents import DocumentsPage
from app.pages.installation import InstallationPage
from app.pages.value_fields import ValueFields
from app.widgets.buttons import Button
from core.documents.records import AddDocuments
from core.jobs import Job
from core.prompts.records import Variable
from tests.unit.app.naming import nameless
from tests.unit.app.standin import StandIn


def stops(window: QWidget) -> list[QWidget]:
    """What Tab reaches, in its order."""
    found, one = [], window.nextInFocusChain()
    while one is not window:
        if one.focusPolicy() & Qt.FocusPolicy.TabFocus and one.isVisible():
            found.append(one)
        one = one.nextInFocusChain()
    return found


def test_fields_that_come_later_are_reached_before_what_stands_below_them(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    above, values, below = QPushButton("Above"), ValueFields("try"), QPushButton("Below")
    layout = QVBoxLayout(window)
    for part in (above, values, below):
        layout.addWidget(part)
    window.show()
    for names in (("aim", "tone"), ("words",), ("tone", "words", "aim")):
        values.offer(tuple(Variable(name=name) for name in names))
        wanted = [above, *(field.edit for field in values.fields.values()), below]
        qtbot.waitUntil(lambda wanted=wanted: stops(window) == wanted)  # type: ignore[misc]


def test_a_button_with_other_words_is_named_by_them_and_a_name_of_its_own_stays(qtbot: QtBot) -> None:
    plain, named = Button("Cancel"), Button("Pause")
    for one in (plain, named):
        qtbot.addWidget(one)
    named.setAccessibleName("Pause the watching")
    plain.setText("Close")
    named.setText("Watch")
    assert plain.accessibleName() == "Close"
    assert named.accessibleName() == "Pause the watching"
    gone = GoneDocuments("safety", ())
    qtbot.addWidget(gone)
    assert gone.cancel.accessibleName() == "Close"
    assert nameless(gone) == []


def test_the_cards_of_a_collection_and_the_add_ons_are_named_and_in_their_order(
    window: MainWindow, bench: StandIn, qtbot: QtBot
) -> None:
    bench.documents.add(AddDocuments(collection="safety", paths=("notes.txt",)), Job("Add"))
    bench.documents.older = 1
    window.go("documents")
    page = window.page
    assert isinstance(page, DocumentsPage)
    qtbot.waitUntil(lambda: page.making.again.isVisible() and page.folders.follow.isVisible())
    qtbot.waitUntil(lambda: window.operations.running() == 0)
    cards = [page.making.again, page.making.anew, page.making.measure, page.folders.follow]
    assert [one for one in stops(window) if one in cards] == cards
    assert nameless(page.making) == nameless(page.folders) == []
    assert page.folders._said.accessibleName() == ""
    window.go("installation")
    assert isinstance(window.page, InstallationPage)
    assert [name for name in nameless(window.page.addons) if name != "Button in Banner"] == []
    qtbot.waitUntil(lambda: window.operations.running() == 0)
