"""The bridge: results, errors, cancelling, streaming and events arrive on the UI thread and nowhere else."""

import threading
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QObject, QThread
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from shiboken6 import delete

from app.bridge.operations import Failure, Operations
from core.errors import NotFound
from core.jobs import Job


class Events:
    def __init__(self) -> None:
        self.listeners: list[Callable[[object], None]] = []

    def subscribe(self, listener: Callable[[object], None]) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)


class Bench:
    """Stands where a workbench stands: it has events and a place to work on."""

    def __init__(self) -> None:
        self.events = Events()


@pytest.fixture
def operations(qtbot: QtBot) -> Iterator[Operations]:
    made = Operations()
    made.attach(Bench())  # type: ignore[arg-type]
    yield made
    made.close()


def on_ui_thread() -> bool:
    return QThread.currentThread() is QApplication.instance().thread()


def test_work_runs_elsewhere_and_its_result_comes_back_to_the_ui_thread(qtbot: QtBot, operations: Operations) -> None:
    seen: list[tuple[str, bool]] = []
    worked_on: list[int] = []

    def work(bench: object, job: Job) -> str:
        worked_on.append(threading.get_ident())
        return "result"

    operations.run("Count", work, lambda result: seen.append((result, on_ui_thread())))
    qtbot.waitUntil(lambda: bool(seen))
    assert seen == [("result", True)]
    assert worked_on != [threading.get_ident()]
    assert operations.running() == 0


def test_a_known_error_becomes_its_own_sentence(qtbot: QtBot, operations: Operations) -> None:
    failures: list[Failure] = []

    def work(bench: object, job: Job) -> None:
        raise NotFound(kind="prompt", name="tone", step="Save one first.")

    operations.run("Show", work, lambda _: pytest.fail("it can't be done"), failures.append)
    qtbot.waitUntil(lambda: bool(failures))
    assert failures[0].sentence == "There is no prompt tone. Save one first."
    assert failures[0].known


def test_a_bug_becomes_a_general_sentence_without_its_content(qtbot: QtBot, operations: Operations) -> None:
    failures: list[Failure] = []
    operations.failed.connect(failures.append)

    def work(bench: object, job: Job) -> None:
        raise KeyError("the patient’s name")

    operations.run("Show", work, lambda _: None)
    qtbot.waitUntil(lambda: bool(failures))
    assert "patient" not in failures[0].sentence
    assert "KeyError" in failures[0].sentence
    assert not failures[0].known


def test_cancelling_is_quiet(qtbot: QtBot, operations: Operations) -> None:
    stopped: list[bool] = []
    begun = threading.Event()

    def work(bench: object, job: Job) -> None:
        begun.set()
        while True:
            job.check()
            threading.Event().wait(0.005)

    operations.failed.connect(lambda found: pytest.fail(found.sentence))
    handle = operations.run("Wait", work, lambda _: None, stopped=lambda: stopped.append(on_ui_thread()))
    begun.wait(120)
    handle.cancel()
    qtbot.waitUntil(lambda: stopped == [True])


def test_pieces_arrive_in_order_and_in_few_batches_before_done(qtbot: QtBot, operations: Operations) -> None:
    batches: list[list[int]] = []
    ends: list[int] = []

    def work(bench: object, job: Job) -> Iterator[int]:
        yield from range(2000)

    operations.stream("Stream", work, batches.append, lambda: ends.append(sum(map(len, batches))))
    qtbot.waitUntil(lambda: bool(ends))
    assert [piece for batch in batches for piece in batch] == list(range(2000))
    assert ends == [2000]
    assert len(batches) < 500


def test_a_stream_that_fails_delivers_what_came_before(qtbot: QtBot, operations: Operations) -> None:
    got: list[int] = []
    failures: list[Failure] = []

    def work(bench: object, job: Job) -> Iterator[int]:
        yield 1
        yield 2
        raise NotFound(kind="model", name="m", step="Add it.")

    operations.stream("Stream", work, got.extend, lambda: None, failures.append)
    qtbot.waitUntil(lambda: bool(failures))
    assert got == [1, 2]


def test_progress_is_throttled_and_its_last_word_arrives(qtbot: QtBot, operations: Operations) -> None:
    seen: list[int] = []
    ends: list[bool] = []
    ready = threading.Event()

    def work(bench: object, job: Job) -> None:
        ready.wait(120)
        for done in range(1, 5001):
            job.report(done, 5000, "files")

    handle = operations.run("Count", work, lambda _: ends.append(True))
    handle.progress.connect(lambda progress: seen.append(progress.done))
    ready.set()
    qtbot.waitUntil(lambda: bool(ends))
    assert seen[-1] == 5000
    assert len(seen) < 200


def test_jobs_that_are_shown_tell_the_tray(qtbot: QtBot, operations: Operations) -> None:
    news: list[str] = []
    operations.jobs_changed.connect(lambda one: news.append(one.state))
    operations.run("Count", lambda bench, job: None, lambda _: None, shown=True)
    qtbot.waitUntil(lambda: news == ["running", "done"])


def test_what_a_locked_vault_was_doing_is_dropped(qtbot: QtBot, operations: Operations) -> None:
    release = threading.Event()
    operations.run("Read", lambda bench, job: release.wait(120), lambda _: pytest.fail("the vault is locked"))
    assert operations.detach() is not None
    release.set()
    qtbot.wait(50)
    with pytest.raises(RuntimeError):
        operations.run("Read", lambda bench, job: None, lambda _: None)


def test_events_of_the_vault_arrive_on_the_ui_thread(qtbot: QtBot, operations: Operations) -> None:
    seen: list[tuple[object, bool]] = []
    operations.changed.connect(lambda event: seen.append((event, on_ui_thread())))
    listener = operations.workbench.events.listeners[0]  # type: ignore[union-attr]
    thread = threading.Thread(target=listener, args=("saved",))
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: bool(seen))
    assert seen == [("saved", True)]


def test_work_that_is_watched_gives_its_pieces_before_its_result(qtbot: QtBot, operations: Operations) -> None:
    got: list[object] = []

    def work(bench: object, job: Job, watch: Callable[[int], None]) -> str:
        for piece in range(500):
            watch(piece)
        return "result"

    operations.watch("Watch", work, got.extend, got.append)
    qtbot.waitUntil(lambda: bool(got) and got[-1] == "result")
    assert got[:-1] == list(range(500))


def test_a_result_for_a_dialog_that_is_gone_is_dropped(qtbot: QtBot, operations: Operations) -> None:
    gone = QObject()
    delete(gone)
    handle = operations.run_alone("Look", lambda job: 1, lambda found: gone.setObjectName(str(found)))
    with qtbot.waitSignal(handle.ended):
        pass
    assert operations.running() == 0
