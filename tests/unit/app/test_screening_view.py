"""Screening in the window: what waits is said, each finding is decided by key or for all of its kind, and what is decided is taken in."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.bridge.screening import guarded, said_of
from app.main_window import MainWindow
from app.pages.answers import present
from app.pages.chat import ChatPage
from app.pages.documents import DocumentsPage
from app.pages.screening_form import ScreeningForm, value
from app.pages.screening_view import ScreeningView
from app.widgets.act_form import ActForm
from app.widgets.tick_list import TickList
from core.documents.records import AddDocuments, AddedDocuments
from core.documents.screening.records import KINDS
from core.guards.records import Guarded
from core.jobs import Job
from core.vault.vault import Vault
from core.workbench import SCHEMA
from tests.unit.app.screened import LETTERS, Taking, screen
from tests.unit.app.standin import StandIn


@pytest.fixture
def taking(bench: StandIn, vault_factory: Callable[..., Vault]) -> Taking:
    return screen(bench, vault_factory(SCHEMA, name="Screened"))


@pytest.fixture
def page(taking: Taking, window: MainWindow, qtbot: QtBot) -> DocumentsPage:
    window.go("documents")
    assert isinstance(window.page, DocumentsPage)
    settle(window, qtbot)
    return window.page


@pytest.fixture
def view(page: DocumentsPage, window: MainWindow, qtbot: QtBot) -> ScreeningView:
    page.screening.strip_act.click()
    settle(window, qtbot)
    assert page.screening.view.isVisible()
    return page.screening.view


def settle(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: window.operations.running() == 0)


def rows(view: ScreeningView) -> list[tuple[str, str, str]]:
    return [(one.kind, one.text, one.decision) for one in view.table.rows.all()]


def test_a_collection_of_which_all_waits_is_listed_and_says_so(page: DocumentsPage) -> None:
    assert page.list.current == "safety"
    assert page.screening.strip.isVisible()
    assert page.screening._words.text().startswith("3 documents wait, and nothing of them can be found yet: ")
    assert page.empty.isVisible()


def test_findings_are_shown_with_their_passage_and_counted_by_kind(view: ScreeningView) -> None:
    assert ("email", "quillmarker@example.org", "") in rows(view)
    words = [view.kinds.itemText(at) for at in range(view.kinds.count())]
    assert "E-mail addresses (3)" in words
    assert words[0] == f"All kinds ({len(rows(view))})"
    assert view.table.current().text in view.passage.toPlainText()
    assert "tower" in view.passage.toPlainText()
    assert not view.admit.isEnabled()


def test_a_key_decides_and_goes_on_and_another_takes_it_back(
    view: ScreeningView, window: MainWindow, qtbot: QtBot
) -> None:
    first = view.table.current()
    qtbot.keyClick(view.table, Qt.Key.Key_R)
    settle(window, qtbot)
    assert [one.decision for one in view.table.rows.all() if one.id == first.id] == ["redact"]
    assert view.table.current().id != first.id
    view.table.choose([one.id for one in view.table.rows.all()].index(first.id))
    assert "Redact, by ann" in view._where.full or "Redact, by ines" in view._where.full
    qtbot.keyClick(view.table, Qt.Key.Key_Z)
    settle(window, qtbot)
    assert {decision for _, _, decision in rows(view)} == {""}


def test_all_of_a_kind_are_decided_together(view: ScreeningView, window: MainWindow, qtbot: QtBot) -> None:
    at = next(at for at, one in enumerate(view.table.rows.all()) if one.kind == "email")
    view.table.choose(at)
    qtbot.keyClick(view.table, Qt.Key.Key_K, Qt.KeyboardModifier.ShiftModifier)
    settle(window, qtbot)
    assert {decision for kind, _, decision in rows(view) if kind == "email"} == {"keep"}
    assert {decision for kind, _, decision in rows(view) if kind != "email"} == {""}


def test_what_is_decided_is_taken_in_without_what_was_redacted(
    view: ScreeningView, page: DocumentsPage, taking: Taking, window: MainWindow, qtbot: QtBot
) -> None:
    for at, one in reversed(list(enumerate(view.table.rows.all()))):
        view.table.choose(at)
        qtbot.keyClick(view.table, Qt.Key.Key_X if one.document.startswith("minutes") else Qt.Key.Key_R)
        settle(window, qtbot)
    assert view.admit.text() == "Take in 3 documents"
    view.admit.click()
    settle(window, qtbot)
    qtbot.waitUntil(lambda: not view.isVisible())
    assert sorted(taking.taken) == sorted(name for name in LETTERS if not name.startswith("minutes"))
    assert not any("example.org" in text for text in taking.taken.values())
    assert page.screening.decide.text() == "Excluded documents"


def test_taking_in_can_be_stopped_and_what_waits_is_kept(
    view: ScreeningView, taking: Taking, window: MainWindow, qtbot: QtBot
) -> None:
    taking.held = True
    for at in range(len(view.table.rows.all())):
        view.table.choose(at)
        qtbot.keyClick(view.table, Qt.Key.Key_K)
        settle(window, qtbot)
    view.admit.click()
    assert view.work.isVisible()
    assert not view.acts["keep"].isEnabled()
    view.work.cancel.click()
    settle(window, qtbot)
    qtbot.waitUntil(lambda: not view.work.isVisible() and window.operations.running() == 0)
    assert taking.taken == {}
    assert len(rows(view)) > 0


def test_an_excluded_document_is_let_in_again(
    view: ScreeningView, page: DocumentsPage, bench: StandIn, window: MainWindow, qtbot: QtBot
) -> None:
    for at in range(len(view.table.rows.all())):
        view.table.choose(at)
        qtbot.keyClick(view.table, Qt.Key.Key_X)
        settle(window, qtbot)
    view.admit.click()
    settle(window, qtbot)
    qtbot.waitUntil(lambda: not view.isVisible())
    page.screening._ask_readmission()
    form = window.overlay.panel
    assert isinstance(form, ActForm)
    form.act.click()
    assert form.problem == "None is ticked."
    form.findChild(TickList).tick(("minutes of june.md",))
    form.act.click()
    settle(window, qtbot)
    assert sorted(bench.screening.state("safety").excluded) == ["letters/tower 04.md", "letters/tower 05.md"]


def test_the_form_says_the_policy_and_refuses_what_makes_no_sense(
    page: DocumentsPage, bench: StandIn, window: MainWindow, qtbot: QtBot
) -> None:
    page.screening.change.click()
    form = window.overlay.panel
    assert isinstance(form, ScreeningForm)
    assert value(form.mode) == "ask"
    form.mode.edit.setCurrentIndex(form.mode.edit.findData("automatic"))
    form.kinds.tick(("person",))
    form.redact.tick(("email",))
    form.act.click()
    assert form.problem == "E-mail addresses can be taken out only where it is looked for. Tick it in both, or in none."
    form.kinds.tick(("email", "person"))
    form.passages.edit.setCurrentIndex(form.passages.edit.findData("withhold"))
    form.act.click()
    settle(window, qtbot)
    assert window.overlay.panel is None
    policy = bench.screening.policy("safety")
    assert (policy.mode, policy.kinds, policy.redact) == ("automatic", ("email", "person"), ("email",))
    assert (policy.guards.passages, policy.guards.input) == ("withhold", "mark")


def test_escape_leaves_the_findings_and_every_control_has_a_name(
    view: ScreeningView, page: DocumentsPage, qtbot: QtBot
) -> None:
    assert all(one.accessibleName() for one in view.findChildren(QPushButton))
    qtbot.keyClick(view.table, Qt.Key.Key_Escape)
    assert not view.isVisible()
    assert page.screening.strip.isVisible()


def test_what_guards_did_is_said_in_words() -> None:
    found = (
        Guarded(where="passage", kind="instruction", method="rule", reaction="withhold", passage=2),
        Guarded(where="passage", kind="instruction", method="rule", reaction="withhold", passage=2),
        Guarded(where="output", kind="email", method="judge", reaction="mark"),
    )
    assert guarded(found) == [
        f"Withheld in passage 2: {KINDS['instruction']}, 2 times.",
        f"Marked in the answer: {KINDS['email']} (judged by judge).",
    ]


def test_what_screening_did_to_an_import_is_said() -> None:
    done = AddedDocuments(
        collection="a", added=1, unchanged=0, refused=(), chunks=1, pages=1, seconds=1, held=2, redacted=1
    )
    assert said_of(done) == "2 documents wait for decisions. 1 document was redacted."
    assert said_of(replace(done, held=0, redacted=0, with_furniture=3)) == (
        "Menus, banners, running heads or page numbers of 3 documents stay on the page, apart from the text."
    )


def test_the_chat_says_what_guards_did(taking: Taking, window: MainWindow, bench: StandIn, qtbot: QtBot) -> None:
    add = AddDocuments(collection="safety", paths=("SOP-PV-014.pdf",))
    bench.documents.add(add, Job("Add"))
    window.go("chat")
    settle(window, qtbot)
    page = window.page
    assert isinstance(page, ChatPage)
    page.composer.setPlainText("What is day 0?")
    page.ask()
    qtbot.waitUntil(lambda: page._handle is None)
    exchange = page.exchanges[-1]
    assert exchange.notes == ""
    seen = Guarded(where="passage", kind="instruction", method="rule", reaction="withhold", passage=2)
    present(exchange, replace(page._answers[exchange], guarded=(seen,), left_out=2, searched="day 0 of a case"))
    assert exchange.notes.split("\n") == [
        "Searched for: “day 0 of a case”. The question refers to what was asked before.",
        "2 of 4 passages didn’t fit into the model and were left out.",
        "Withheld in passage 2: instructions to a model.",
    ]
