"""What is in a collection is screened again in the window: said before, done off the UI thread, and counted after."""

from collections.abc import Callable
from threading import Event
from types import SimpleNamespace

import pytest
from msgspec.structs import replace
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.pages.documents import DocumentsPage
from app.pages.screening_again import sentences
from app.widgets.act_form import ActForm
from core.documents.records import AddDocuments, Refusal
from core.documents.screening.records import Rescreened, ScreeningPolicy, ScreeningState
from core.errors import BadInput
from core.jobs import Job
from tests.unit.app.standin import StandIn

REFUSED = (Refusal(file="scan.pdf", reason="scan.pdf: it ends early."),)
FOUND = Rescreened(collection="safety", clean=3, waiting=("a.pdf",), held=("hold 1 on b.pdf",), refused=REFUSED)
Opened = Callable[[Callable[[str, Job], Rescreened]], DocumentsPage]


@pytest.fixture
def opened(window: MainWindow, bench: StandIn, qtbot: QtBot) -> Opened:
    """The page of a collection that is screened by the given work."""

    def open_(again: Callable[[str, Job], Rescreened]) -> DocumentsPage:
        policy = ScreeningPolicy(collection="safety", mode="ask")
        state = ScreeningState(policy=policy, waiting=(), open={"email": 4}, excluded=())
        bench.screening = SimpleNamespace(collections=tuple, state=lambda collection: state, again=again)  # type: ignore[assignment]
        bench.documents.add(AddDocuments(collection="safety", paths=("a.pdf",)), Job("Add"))
        window.go("documents")
        assert isinstance(window.page, DocumentsPage)
        qtbot.waitUntil(lambda: window.operations.running() == 0)
        return window.page

    return open_


def form(window: MainWindow) -> ActForm:
    assert isinstance(window.overlay.panel, ActForm)
    return window.overlay.panel


def test_a_collection_is_screened_again_and_the_findings_are_counted(
    opened: Opened, window: MainWindow, qtbot: QtBot
) -> None:
    page = opened(lambda collection, job: FOUND)
    assert page.screening.again.isVisibleTo(page)
    page.screening.again.click()
    asking = form(window)
    asking.act.click()
    qtbot.waitUntil(lambda: window.overlay.panel is not asking)
    assert form(window).accessibleName() == "safety was screened again"
    assert form(window).act.text() == "Decide"
    assert sentences(FOUND, 4) == [
        "3 documents with nothing new to decide.",
        "1 document went out of search and waits: a.pdf. 4 findings to decide.",
        "A legal hold keeps in search, though something was found: hold 1 on b.pdf.",
        "1 document could not be looked at, and stays in search as before:",
        "scan.pdf: it ends early.",
    ]


def test_nothing_new_is_said_and_there_is_nothing_to_decide(opened: Opened, window: MainWindow, qtbot: QtBot) -> None:
    page = opened(lambda collection, job: replace(FOUND, waiting=(), held=(), refused=()))
    page.screening.again.click()
    asking = form(window)
    asking.act.click()
    qtbot.waitUntil(lambda: window.overlay.panel is not asking)
    assert form(window).act.text() == "Close"
    form(window).act.click()
    assert window.overlay.panel is None


def test_it_can_be_stopped(opened: Opened, window: MainWindow, qtbot: QtBot) -> None:
    ended: list[bool] = []

    def until_stopped(collection: str, job: Job) -> Rescreened:
        cancelled = Event()
        job.on_cancel(cancelled.set)
        cancelled.wait(60)
        ended.append(job.cancelled)
        job.check()
        return FOUND

    page = opened(until_stopped)
    page.screening.again.click()
    form(window).act.click()
    form(window).cancel.click()
    qtbot.waitUntil(lambda: ended == [True])
    assert window.overlay.panel is None


def test_a_failure_is_said_in_the_dialog(opened: Opened, window: MainWindow, qtbot: QtBot) -> None:
    def fails(collection: str, job: Job) -> Rescreened:
        raise BadInput(source=collection, problem="its screening is off.")

    page = opened(fails)
    page.screening.again.click()
    form(window).act.click()
    qtbot.waitUntil(lambda: form(window).problem == "safety: its screening is off.")
    assert form(window).act.isEnabled()
