import threading

import pytest

from core.errors import Cancelled
from core.jobs import Job, JobQueue, Progress


def test_progress_reaches_the_listener() -> None:
    seen: list[Progress] = []
    job = Job("Reading", seen.append)
    job.report(1, 3, "files")
    assert [(p.title, p.done, p.total, p.unit) for p in seen] == [("Reading", 1, 3, "files")]


def test_a_cancelled_job_stops_at_its_next_report() -> None:
    job = Job("Reading")
    job.report(1, 3, "files")
    job.cancel()
    with pytest.raises(Cancelled, match="Reading: stopped"):
        job.report(2, 3, "files")


def test_cancelling_calls_back_once() -> None:
    calls: list[str] = []
    job = Job("Reading")
    job.on_cancel(lambda: calls.append("kept"))
    job.on_cancel(lambda: calls.append("taken back"))()
    job.cancel()
    job.cancel()
    job.on_cancel(lambda: calls.append("late"))
    assert calls == ["kept", "late"]


def test_the_queue_gives_results_errors_and_forgets() -> None:
    queue = JobQueue()
    assert queue.start("Add", lambda job: 2 + 2).result(5) == 4
    with pytest.raises(ZeroDivisionError):
        queue.start("Divide", lambda job: 1 // 0).result(5)
    queue.close()
    assert queue.running() == []


def test_closing_stops_what_runs() -> None:
    queue = JobQueue()
    started = threading.Event()

    def endless(job: Job) -> None:
        started.set()
        while True:
            job.check()

    future = queue.start("Endless", endless)
    assert started.wait(120)
    assert [job.title for job in queue.running()] == ["Endless"]
    queue.close()
    with pytest.raises(Cancelled):
        future.result(120)
