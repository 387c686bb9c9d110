"""Folders are watched from the documents page: chosen, looked at, paused, and what is gone from them stays readable."""

import pytest
from msgspec.structs import replace
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.pages.document_folders import NOT_ALLOWED, GoneDocuments
from app.pages.documents import DocumentsPage
from core.documents.records import AddDocuments
from core.documents.watched import Seen
from core.errors import Unavailable
from core.jobs import Job
from tests.unit.app.standin import WHEN, StandIn


@pytest.fixture
def page(window: MainWindow, bench: StandIn, qtbot: QtBot) -> DocumentsPage:
    bench.documents.add(AddDocuments(collection="safety", paths=("notes.txt",)), Job("Add"))
    window.go("documents")
    assert isinstance(window.page, DocumentsPage)
    settled(window, qtbot)
    return window.page


def settled(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: window.operations.running() == 0)


def watch(page: DocumentsPage, window: MainWindow, qtbot: QtBot) -> None:
    page.folders.added.emit("/files/in")
    settled(window, qtbot)


def look(page: DocumentsPage, window: MainWindow, qtbot: QtBot) -> str:
    """One look, and what the card says after it."""
    window.folder_watch.look()
    settled(window, qtbot)
    return page.folders._said.text()


def test_a_folder_is_watched_looked_at_paused_and_left(
    page: DocumentsPage, window: MainWindow, bench: StandIn, qtbot: QtBot
) -> None:
    folders = page.folders
    assert not folders.refresh.isVisible()
    watch(page, window, qtbot)
    assert bench.refreshing.followed == {"safety": ("/files/in",)}
    assert bench.watched.watched == {"safety"}
    assert page.banner.text == "1 file was refused. 1 new, 1 renamed."
    assert folders._said.text() == "Watched every 10 seconds. Not looked at yet."
    assert "1 new, 1 renamed." in folders._changes.text()
    folders.refresh.click()
    settled(window, qtbot)
    folders.turn.click()
    settled(window, qtbot)
    assert bench.watched.watched == set()
    assert folders._said.text() == "Not watched. What changes is read when you look."
    assert folders.turn.text() == "Watch"
    folders.leave.click()
    settled(window, qtbot)
    assert bench.refreshing.followed == {}
    assert not folders.refresh.isVisible()


def test_what_is_due_is_refreshed_and_what_is_still_written_waits(
    page: DocumentsPage, window: MainWindow, bench: StandIn, qtbot: QtBot
) -> None:
    watch(page, window, qtbot)
    assert "; nothing is new." in look(page, window, qtbot)
    assert "1 file refused." in page.folders._changes.text()
    assert any("Refreshing safety" in news.title for news in window._last_jobs.values())
    bench.watched.seen["safety"] = Seen(collection="safety", time=WHEN, waiting=2)
    assert look(page, window, qtbot) == "Watched. 2 files changed, to be read as soon as nothing writes to them."


def test_a_folder_that_is_gone_is_said_and_tried_again(
    page: DocumentsPage, window: MainWindow, bench: StandIn, qtbot: QtBot
) -> None:
    watch(page, window, qtbot)
    seen = Seen(collection="safety", time=WHEN, problem="The folder /files/in isn't there. Connect its disk.")
    bench.watched.seen["safety"] = seen
    assert look(page, window, qtbot) == f"Watched, but nothing can be read now. {seen.problem}"
    bench.watched.seen["safety"] = replace(seen, problem="")
    assert "; nothing is new." in look(page, window, qtbot)


def test_a_refresh_that_goes_wrong_is_said_once_in_the_tray_and_on_the_card(
    page: DocumentsPage, window: MainWindow, bench: StandIn, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch(page, window, qtbot)

    def refresh(collection: str, job: Job) -> None:
        raise Unavailable(what="The folder /files/in holds no files, so nothing was changed", step="Connect its disk.")

    monkeypatch.setattr(bench.watched, "refresh", refresh)
    before = len(window._last_jobs)
    for _ in range(3):
        assert "holds no files, so nothing was changed" in look(page, window, qtbot)
    assert len(window._last_jobs) == before + 1


def test_cancelling_a_watched_refresh_pauses_it(
    page: DocumentsPage, window: MainWindow, bench: StandIn, qtbot: QtBot
) -> None:
    watch(page, window, qtbot)
    bench.documents.gate.clear()
    window.folder_watch.look()
    qtbot.waitUntil(lambda: page.folders._said.text() == "Watched. What changed is being read.")
    number = next(n for n, news in window._last_jobs.items() if news.state == "running")
    window.operations.cancel(number)
    bench.documents.gate.set()
    settled(window, qtbot)
    assert bench.watched.watched == set()
    assert page.folders.turn.text() == "Watch"


def test_nothing_is_looked_at_while_documents_are_added_or_the_vault_is_locked(
    page: DocumentsPage, window: MainWindow, bench: StandIn, qtbot: QtBot
) -> None:
    watch(page, window, qtbot)
    bench.documents.gate.clear()
    page.add(["/files/a.pdf"], "safety")
    before = window.operations.running()
    window.folder_watch.look()
    assert window.operations.running() == before
    bench.documents.gate.set()
    settled(window, qtbot)
    assert window.folder_watch._timer.isActive()
    window.lock_now("")
    assert not window.folder_watch._timer.isActive()
    assert window.folder_watch.sight("safety").looked == ""
    settled(window, qtbot)


def test_who_may_not_add_is_told_so(page: DocumentsPage, window: MainWindow, bench: StandIn, qtbot: QtBot) -> None:
    watch(page, window, qtbot)
    bench.watched.may = False
    page.opened()
    settled(window, qtbot)
    assert page.folders._said.text().startswith("Watched while somebody who may add")
    assert page.folders.turn.toolTip() == NOT_ALLOWED


def test_what_is_gone_is_listed_and_can_be_read(
    page: DocumentsPage, window: MainWindow, bench: StandIn, qtbot: QtBot
) -> None:
    (digest, document), *_ = bench.documents.held["safety"].items()
    assert not page.folders.gone.isVisible()
    bench.documents.taken_out = [(digest, replace(document, name="old.txt"), WHEN)]
    page.opened()
    settled(window, qtbot)
    assert page.folders.gone.text() == "1 document no longer searched"
    page.folders.gone.click()
    form = window.overlay.panel
    assert isinstance(form, GoneDocuments)
    assert form.table.current()[1].name == "old.txt"
    form.act.click()
    qtbot.waitUntil(lambda: page._side.currentWidget() is page.view)
    settled(window, qtbot)
    assert page.view.about.startswith(f"No longer searched since {WHEN[:10]} · ")
