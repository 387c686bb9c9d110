"""Calls, streams, cancelling and death, with real child processes."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from core.errors import BadInput, Cancelled, TemplateError, WorkerFailed
from core.jobs import Job, Progress
from core.workers.records import WorkerSpec
from core.workers.supervisor import Supervisor, Worker
from tests.processes import until
from tests.unit.workers.children.echo import Count, Do, Echo, Number, Pages

REPOSITORY = Path(__file__).resolve().parents[3]
ECHO = WorkerSpec(module="tests.unit.workers.children.echo", readable=(str(REPOSITORY / "tests"),))


def spec(**changes: object) -> WorkerSpec:
    return WorkerSpec(**{"module": ECHO.module, "readable": ECHO.readable} | changes)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child has this long to give up what was cancelled, however busy the machine is."""
    monkeypatch.setattr("core.workers.supervisor.PATIENCE", 60.0)


def cancel_once(true: Callable[[], bool], job: Job) -> None:
    """Cancel a job from another thread as soon as something is true."""
    threading.Thread(target=lambda: (until(true), job.cancel())).start()


def begun(worker: Worker) -> bool:
    """Whether the child has taken up what it was asked for."""
    return any(pending.begun is not None for pending in list(worker._pending.values()))


@pytest.fixture(scope="module")
def supervisor() -> Iterator[Supervisor]:
    with Supervisor() as one:
        yield one


@pytest.fixture(scope="module")
def shared(supervisor: Supervisor) -> Worker:
    return supervisor.start(ECHO)


def test_a_call_brings_the_answer_with_its_bytes(shared: Worker) -> None:
    data = bytes(range(256)) * 20_000
    answer = shared.call(Echo(text="Grüße", data=data), Echo)
    assert (answer.text, answer.data) == ("Grüße", data)


def test_a_stream_brings_all_parts_in_order(shared: Worker) -> None:
    assert [part.value for part in shared.stream(Count(to=1000), Number)] == list(range(1000))


def test_closing_a_stream_early_stops_it_in_the_child(shared: Worker) -> None:
    parts = shared.stream(Count(to=10**9, pause=0.001), Number)
    assert next(parts).value == 0
    parts.close()  # type: ignore[attr-defined]
    assert shared.call(Echo(text="next"), Echo).text == "next", "the child counted for days otherwise"


def test_a_child_runs_only_a_little_ahead_of_the_reader(shared: Worker) -> None:
    parts = shared.stream(Count(to=100_000), Number)
    next(parts)
    time.sleep(0.2)
    pending = next(iter(shared._pending.values()))
    assert pending.items.qsize() < 64
    parts.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("size", [10, 2**20, 3 * 2**20, 40 * 2**20])
def test_large_parts_flow_and_do_not_pile_up(shared: Worker, size: int) -> None:
    parts = shared.stream(Pages(count=5, size=size), Echo)
    assert len(next(parts).data) == size
    time.sleep(0.1)
    waiting = next(iter(shared._pending.values())).items.qsize()
    assert waiting * size <= 64 * 2**20
    assert [len(part.data) for part in parts] == [size] * 4


def test_cancelling_a_job_ends_its_call(shared: Worker) -> None:
    job = Job("Work")
    cancel_once(lambda: begun(shared), job)
    with pytest.raises(Cancelled, match="Work"):
        shared.call(Do(what="work", amount=3600), Number, job)
    assert shared.alive, "it stopped when it was asked to"


def test_cancelling_a_job_ends_its_stream(shared: Worker) -> None:
    job = Job("Count")
    taken: list[int] = []

    def take() -> None:
        for part in shared.stream(Count(to=10**9, pause=0.001), Number, job):
            taken.append(part.value)
            if len(taken) == 10:
                job.cancel()

    with pytest.raises(Cancelled):
        take()
    assert len(taken) < 200
    assert shared.alive


def test_a_cancelled_call_that_waits_its_turn_leaves_at_once_and_the_running_one_goes_on(shared: Worker) -> None:
    seen: list[Progress] = []
    running, job = Job("First", seen.append), Job("Second")
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(shared.call, Do(what="work", amount=3600), Number, running)
        assert until(lambda: bool(seen))
        cancel_once(lambda: len(shared._pending) == 2, job)
        with pytest.raises(Cancelled, match="Second"):
            shared.call(Echo(), Echo, job)
        before = len(seen)
        assert until(lambda: len(seen) > before or first.done())
        assert not first.done()
        running.cancel()
        with pytest.raises(Cancelled, match="First"):
            first.result()
    assert shared.alive


def test_a_child_that_does_not_stop_when_asked_is_ended(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.workers.supervisor.PATIENCE", 0.3)
    worker = supervisor.start(ECHO)
    job = Job("Sleep")
    cancel_once(lambda: begun(worker), job)
    with pytest.raises(Cancelled):
        worker.call(Do(what="sleep", amount=3600), Number, job)
    assert not worker.alive


def test_a_job_that_is_cancelled_already_asks_nothing(shared: Worker) -> None:
    job = Job("Late")
    job.cancel()
    with pytest.raises(Cancelled):
        shared.call(Echo(), Echo, job)


def test_progress_reaches_the_job(shared: Worker) -> None:
    seen: list[Progress] = []
    shared.call(Do(what="report"), Number, Job("Steps", seen.append))
    assert seen[-1] == Progress(title="Steps", done=5, total=5, unit="steps")


def test_errors_cross_as_the_same_class_with_their_fields(shared: Worker) -> None:
    with pytest.raises(BadInput, match="row 3: The column is missing") as caught:
        shared.call(Do(what="bad input"), Number)
    assert type(caught.value) is BadInput
    with pytest.raises(TemplateError) as also:
        shared.call(Do(what="template"), Number)
    assert also.value.fields["line"] == 4


def test_a_bug_in_a_handler_is_named_without_its_text_and_the_worker_stays(shared: Worker) -> None:
    with pytest.raises(WorkerFailed, match=r"ValueError in echo\.py, line \d+") as caught:
        shared.call(Do(what="bug"), Number)
    assert "secret" not in str(caught.value)
    assert shared.alive


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("die", "killed, probably out of memory"),
        ("crash", "a native crash (SIGABRT)"),
        ("exit", "it ended with status 7"),
        ("assert", "a check inside llama.cpp failed (ggml.c, line 123)"),
    ],
)
def test_a_death_has_its_reason_and_the_next_worker_works(supervisor: Supervisor, how: str, reason: str) -> None:
    its = spec(title=f"The {how} worker")
    worker = supervisor.start(its)
    with pytest.raises(WorkerFailed) as caught:
        worker.call(Do(what=how), Number)
    assert str(caught.value) == f"The {how} worker stopped: {reason}. What was recorded until then is kept."
    assert not worker.alive
    with pytest.raises(WorkerFailed):
        worker.call(Echo(), Echo)
    assert supervisor.crashes(its) == 1
    assert supervisor.start(its).call(Echo(text="again"), Echo).text == "again"
    supervisor.forgive(its)
    assert supervisor.crashes(its) == 0


def test_a_death_in_the_middle_of_a_stream_reaches_every_waiting_thread(supervisor: Supervisor) -> None:
    worker = supervisor.start(spec(threads=4))
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(list, worker.stream(Count(to=10**6, pause=0.01), Number)) for _ in range(3)]
        assert until(lambda: [pending.begun is not None for pending in list(worker._pending.values())] == [True] * 3)
        with pytest.raises(WorkerFailed):
            worker.call(Do(what="die"), Number)
        for one in waiting:
            with pytest.raises(WorkerFailed, match="out of memory"):
                one.result(timeout=60)


def test_a_call_that_takes_too_long_ends_the_worker(supervisor: Supervisor) -> None:
    worker = supervisor.start(spec(seconds=0.4))
    with pytest.raises(WorkerFailed, match=r"took longer than 0\.4 s"):
        worker.call(Do(what="sleep", amount=3600), Number)
    assert not worker.alive


def test_a_stream_is_limited_by_its_waits_and_not_by_a_slow_reader(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = [0.0]  # seconds that the reader took, on the supervisor's clock
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + read[0])
    monkeypatch.setattr("core.workers.supervisor.time", clock)
    worker = supervisor.start(spec(seconds=60.0))
    taken = []
    for part in worker.stream(Count(to=10, pause=0.01), Number):
        taken.append(part.value)
        read[0] += 100
    assert len(taken) == 10
    with pytest.raises(WorkerFailed, match="took longer"):
        list(worker.stream(Count(to=10**6, pause=0.05), Number, seconds=0.6))


def test_waiting_for_ones_turn_does_not_count_as_taking_long(supervisor: Supervisor) -> None:
    worker = supervisor.start(spec(seconds=3.0))
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: worker.call(Do(what="sleep", amount=0.8), Number), range(4)))
    assert [answer.value for answer in answers] == [1, 1, 1, 1]


@pytest.mark.skipif(sys.platform == "win32", reason="no process can be paused there")
def test_a_child_that_takes_no_bytes_can_be_cancelled_and_timed_out(supervisor: Supervisor) -> None:
    request, job = Echo(data=bytes(20_000_000)), Job("Big")
    crashes = supervisor.crashes(ECHO)
    worker = supervisor.start(ECHO)
    os.kill(worker.pid, signal.SIGSTOP)
    cancel_once(lambda: bool(worker._pending), job)
    with pytest.raises(Cancelled):
        worker.call(request, Echo, job)
    assert until(lambda: not worker.alive)
    assert supervisor.crashes(ECHO) == crashes
    worker = supervisor.start(ECHO)
    os.kill(worker.pid, signal.SIGSTOP)
    with pytest.raises(WorkerFailed, match=r"took longer than 0\.3 s"):
        worker.call(request, Echo, seconds=0.3)


@pytest.mark.skipif(sys.platform != "linux", reason="descriptors are counted through /proc")
def test_workers_leave_no_descriptor_and_no_thread_behind(supervisor: Supervisor) -> None:
    def count() -> tuple[int, int]:
        return len(list(Path("/proc/self/fd").iterdir())), threading.active_count()

    supervisor.start(ECHO).close()
    before = count()
    for _ in range(5):
        with supervisor.start(ECHO) as worker:
            worker.call(Echo(), Echo)
        with pytest.raises(WorkerFailed):
            supervisor.start(ECHO).call(Do(what="exit"), Number)
    # Of what earlier tests used, some may have gone meanwhile.
    assert until(lambda: all(now <= then for now, then in zip(count(), before, strict=True))), (before, count())


def test_memory_above_the_limit_is_refused_and_named(supervisor: Supervisor) -> None:
    worker = supervisor.start(spec(memory=400 * 2**20))
    assert worker.call(Do(what="eat", amount=1e6), Number).value == 1_000_000
    with pytest.raises(WorkerFailed, match=r"out of memory \(it may use 400 MiB\)"):
        worker.call(Do(what="eat", amount=2e9), Number)


def test_a_request_that_does_not_fit_into_the_child_is_told_at_once(supervisor: Supervisor) -> None:
    worker = supervisor.start(spec(memory=200 * 2**20, seconds=3600.0))
    with pytest.raises(WorkerFailed, match="out of memory"):
        worker.call(Echo(text="x" * (180 * 2**20)), Echo)


def test_eight_threads_at_once_get_their_own_answers(shared: Worker) -> None:
    def ask(number: int) -> bool:
        texts = [f"{number}-{turn}" for turn in range(25)]
        return [shared.call(Echo(text=text), Echo).text for text in texts] == texts

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(8)))


def test_requests_run_beside_each_other_where_the_spec_says_so(supervisor: Supervisor) -> None:
    worker = supervisor.start(spec(threads=4))
    with ThreadPoolExecutor(4) as pool:  # each waits in the child until all are there
        assert len(list(pool.map(lambda _: worker.call(Do(what="meet"), Number), range(4)))) == 4


def test_a_noisy_child_neither_blocks_nor_disturbs(shared: Worker) -> None:
    assert shared.call(Do(what="noise"), Number).value == 1


def test_a_module_that_is_not_there_is_named_at_the_start(supervisor: Supervisor) -> None:
    with pytest.raises(WorkerFailed, match=r"ModuleNotFoundError \(core\.nowhere\)"):
        supervisor.start(WorkerSpec(module="core.nowhere"))


def test_closing_ends_all_and_nothing_starts_afterwards() -> None:
    supervisor = Supervisor()
    worker = supervisor.start(ECHO)
    supervisor.close()
    assert not worker.alive
    assert supervisor.workers() == ()
    assert supervisor.crashes(ECHO) == 0
    with pytest.raises(WorkerFailed, match="closed"):
        worker.call(Echo(), Echo)
    with pytest.raises(WorkerFailed, match="closed"):
        supervisor.start(ECHO)


@pytest.mark.skipif(sys.platform != "linux", reason="the processor's time of a process is read from /proc")
def test_an_empty_worker_starts_fast(supervisor: Supervisor) -> None:
    def seconds() -> float:
        """Of the processor, which other programs hardly lengthen."""
        fields = Path(f"/proc/{supervisor.start(ECHO).pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    assert min(seconds() for _ in range(3)) < 0.5
