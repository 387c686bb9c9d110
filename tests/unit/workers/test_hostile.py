"""A child is not trusted: whatever bytes it sends, its callers get one clear error and the program goes on."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import AssayError, WorkerFailed
from core.jobs import Job
from core.workers.records import WorkerSpec
from core.workers.supervisor import Supervisor
from tests.processes import until
from tests.unit.workers.children.hostile import Attack, Look, Outcome, Seen, Try

REPOSITORY = Path(__file__).resolve().parents[3]
HOSTILE = WorkerSpec(module="tests.unit.workers.children.hostile", readable=(str(REPOSITORY / "tests"),))


@pytest.fixture(scope="module")
def supervisor() -> Iterator[Supervisor]:
    with Supervisor() as one:
        yield one


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("junk", "it sent"),
        ("oversize", "a frame of 4294967295 bytes, above the limit of 268435456"),
        ("not a message", "bytes that are not a message"),
        ("deep", "bytes that are not a message"),
        ("request", "bytes that are not a message"),
        ("wrong id", "an answer that nobody asked for"),
        ("ready again", "an answer that nobody asked for"),
        ("other shape", "an answer of another shape"),
        ("part", "in parts where one answer was asked for"),
        ("end", "in parts where one answer was asked for"),
        ("greeting", "a second greeting"),
        ("begun again", "a second beginning"),
        ("close", "it closed its channel"),
    ],
)
def test_a_call_that_is_answered_wrongly_ends_the_worker(supervisor: Supervisor, how: str, reason: str) -> None:
    worker = supervisor.start(HOSTILE)
    if how == "junk":  # its first four bytes may announce a length that never comes: then only time ends it
        with pytest.raises(WorkerFailed):
            worker.call(Attack(how=how), Outcome, seconds=1.0)
    else:
        with pytest.raises(WorkerFailed, match=reason):
            worker.call(Attack(how=how), Outcome)
    assert not worker.alive


@pytest.mark.parametrize(
    ("how", "reason"), [("flood", "more parts than were asked for"), ("twice", "it gave one answer|nobody")]
)
def test_a_stream_that_is_answered_wrongly_ends_the_worker(supervisor: Supervisor, how: str, reason: str) -> None:
    worker = supervisor.start(HOSTILE)
    with pytest.raises(WorkerFailed, match=reason):
        list(worker.stream(Attack(how=how), Outcome))
    assert not worker.alive


def test_a_flood_of_progress_is_not_kept(supervisor: Supervisor) -> None:
    class Slow(Job):
        def report(self, done: int, total: int | None, unit: str) -> None:
            seen.append(done)
            until(lambda: all(pending.ended for pending in list(worker._pending.values())))

    seen: list[int] = []
    worker = supervisor.start(HOSTILE)
    assert worker.call(Attack(how="advance"), Outcome, Slow("Flood")).done
    assert 1 <= len(seen) <= 2, "the first, and the last that had come while it was dealt with"


def test_an_invented_error_is_a_plain_one_and_a_long_reason_is_cut(supervisor: Supervisor) -> None:
    worker = supervisor.start(HOSTILE)
    with pytest.raises(AssayError, match="An unknown error was reported"):
        worker.call(Attack(how="error"), Outcome)
    with pytest.raises(WorkerFailed) as caught:
        supervisor.start(HOSTILE).call(Attack(how="long"), Outcome)
    assert len(str(caught.value)) < 500


def test_a_child_sees_nothing_of_its_parents_environment_or_descriptors(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ASSAY_PASSPHRASE_FILE", "/secret/passphrase")
    monkeypatch.setenv("PYTHONSTARTUP", "/secret/start.py")
    with (tmp_path / "open").open("wb") as file:
        descriptor = file.fileno()
        seen = supervisor.start(HOSTILE).call(Look(), Seen)
    assert not [
        value for value in (*seen.environment, *seen.environment.values()) if "PASSPHRASE" in value or "secret" in value
    ]
    assert seen.environment["HF_HUB_OFFLINE"] == "1"
    pipes = {int(seen.arguments[1]), int(seen.arguments[2])}
    assert set(seen.descriptors) == {0, 1, 2} | pipes
    assert descriptor not in set(seen.descriptors) - pipes
    assert seen.folder == "/"


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_a_child_reaches_nothing_of_its_parent_through_proc(supervisor: Supervisor) -> None:
    worker = supervisor.start(HOSTILE)
    if "landlock" not in worker.barrier.names:
        pytest.skip(f"not in force here: {worker.barrier.missing}")
    me = os.getpid()
    own = f"/proc/{worker.pid}"
    assert worker.call(Try(what="first byte", path="/proc/self/maps"), Outcome).done  # the ways as such work
    assert worker.call(Try(what="link", path=f"{own}/cwd"), Outcome).done
    for parent in (f"/proc/{me}", f"/proc/self/../{me}", f"/proc/{me}/task/{me}"):
        for name in ("mem", "environ", "maps", "smaps", "auxv", "stack", "cmdline", "fdinfo/0", "fd/0", "map_files"):
            assert not worker.call(Try(what="first byte", path=f"{parent}/{name}"), Outcome).done, name
        for name in ("cwd", "root", "exe", "fd/0", "fd/1", "ns/mnt"):
            assert not worker.call(Try(what="link", path=f"{parent}/{name}"), Outcome).done, name
        for name in ("fd", "fdinfo", "map_files", "cwd", "root"):
            assert not worker.call(Try(what="list", path=f"{parent}/{name}"), Outcome).done, name
    assert not worker.call(Try(what="vm read", number=me), Outcome).done
    assert not worker.call(Try(what="trace", number=me), Outcome).done
