"""What goes wrong in a run: one sentence, the last checkpoint kept, the run marked, and nothing else in the vault touched."""

import errno
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from core.errors import AssayError, DiskFull, WorkerFailed
from core.jobs import Job
from core.models.starter import CHAT, ensure_starters
from core.training import listening, sealed, work
from core.training.records import Source, TrainSpec
from core.training.service import Trainings
from core.training.worker.records import Step
from core.workbench import SCHEMA, Workbench
from tests.unit.training.standin import KILLED, StandIn


def chats(count: int) -> str:
    turns = ((("user", f"Say {n}"), ("assistant", f"It is {n}.")) for n in range(count))
    return "\n".join(json.dumps({"messages": [{"role": role, "content": said} for role, said in two]}) for two in turns)


SPEC = TrainSpec(name="style", base=CHAT, data=(Source(file="chats.jsonl"),))


@pytest.fixture
def bench(vault_factory: Any) -> Iterator[Workbench]:
    made = Workbench(vault_factory(SCHEMA))
    ensure_starters(made.models)
    yield made
    made.close()


@pytest.fixture
def source(tmp_path: Path) -> str:
    (tmp_path / "chats.jsonl").write_text(chats(12))
    return str(tmp_path / "spec.yaml")


def trainings(bench: Workbench, opened: Any = work.trainer, memory: int = 0) -> Trainings:
    bench.models.lenders.clear()
    return Trainings(
        bench.vault,
        bench.models,
        bench.datasets,
        bench.engine,
        bench.supervisor,
        threads=lambda: 1,
        memory=memory,
        opened=opened,
    )


def said(error: AssayError) -> str:
    """The error's text, which is one line."""
    text = str(error)
    assert text
    assert "\n" not in text
    assert "Traceback" not in text
    return text


class Full:
    """A disk on which nothing more is written while `now`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = False
        write = sealed.sealed_files.sealed

        def parts(*given: Any) -> Iterator[bytes]:
            for part in write(*given):
                if self.now:
                    raise OSError(errno.ENOSPC, "No space left on device")
                yield part

        monkeypatch.setattr(sealed.sealed_files, "sealed", parts)


def test_a_full_disk_ends_one_run_with_a_sentence_and_leaves_the_others_as_they_were(
    bench: Workbench, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker, full = StandIn(), Full(monkeypatch)
    runs = trainings(bench, worker)
    worker.failing = KILLED
    with pytest.raises(WorkerFailed):
        runs.run(SPEC, source, Job("Train"))
    first = runs.show("training-1")
    files = {path.name: path.read_bytes() for path in (bench.vault.folder / "cache").iterdir()}
    full.now = True
    with pytest.raises(DiskFull) as failed:
        runs.run(replace(SPEC, name="other"), source, Job("Train"))
    assert "the disk is full" in said(failed.value)
    second = runs.show("training-2")
    assert second.result is not None
    assert (second.status, second.checkpoint, second.result.reason) == ("failed", 0, str(failed.value))
    with pytest.raises(DiskFull):
        sealed.save(bench.vault, first.digest, 3, (), [b"a later checkpoint"])
    assert runs.show("training-1") == first
    assert {path.name: path.read_bytes() for path in (bench.vault.folder / "cache").iterdir()} == files
    full.now = False
    assert runs.resume("training-2", source, Job("Train")).status == "finished"
    assert runs.resume("training-1", source, Job("Train")).status == "finished"


def test_a_database_that_takes_nothing_more_leaves_the_checkpoint_and_no_half_record(
    bench: Workbench, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The adapter doesn't fit any more: the run counts as interrupted, and ends well once there is room."""
    runs = trainings(bench, StandIn())

    def full(*given: Any) -> Any:
        raise DiskFull(path=str(bench.vault.folder))

    with monkeypatch.context() as patch:
        patch.setattr(listening.store, "close", full)
        with pytest.raises(DiskFull) as failed:
            runs.run(SPEC, source, Job("Train"))
    said(failed.value)
    view = runs.show("training-1")
    assert (view.status, view.checkpoint, view.result) == ("interrupted", 2, None)
    assert runs.resume("training-1", source, Job("Train")).status == "finished"


# -- real workers ---------------------------------------------------------------------------------------------------------------------

SETTINGS = {"steps": 12, "batch": 4, "checkpoint_every": 2, "held_out": 0.0, "rank": 2, "samples": 0, "recall": 0}


@pytest.fixture
def libraries() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("peft")


@pytest.mark.slow
@pytest.mark.usefixtures("libraries")
def test_a_worker_that_is_killed_loses_no_step_and_no_other_run(bench: Workbench, source: str) -> None:
    runs = trainings(bench)
    spec = replace(SPEC, settings=SETTINGS)
    whole = runs.run(spec, source, Job("Train"))

    def kill(part: Any) -> None:
        if isinstance(part, Step) and part.step == 7:
            for worker in bench.supervisor.workers():
                os.kill(worker.pid, signal.SIGKILL)

    with pytest.raises(WorkerFailed) as failed:
        runs.run(spec, source, Job("Train"), kill)
    assert "The last checkpoint is kept" in said(failed.value)
    view = runs.show("training-2")
    assert view.status == "failed"
    assert view.checkpoint >= 2
    assert runs.show("training-1") == whole
    again = runs.resume("training-2", source, Job("Train"))
    assert again.result is not None
    assert whole.result is not None
    assert [(one.step, one.loss) for one in again.result.curve] == [(one.step, one.loss) for one in whole.result.curve]
    assert again.result.weights == whole.result.weights


@pytest.mark.slow
@pytest.mark.usefixtures("libraries")
def test_a_worker_that_runs_out_of_memory_says_so_and_leaves_the_others(bench: Workbench, source: str) -> None:
    room: list[int] = []

    def look(part: Any) -> None:
        for worker in bench.supervisor.workers():
            lines = Path(f"/proc/{worker.pid}/status").read_text().splitlines()
            room.extend(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmPeak:"))

    whole = trainings(bench).run(replace(SPEC, settings={**SETTINGS, "steps": 2}), source, Job("Train"), look)
    Path(source).with_name("chats.jsonl").write_text(chats(4000))
    runs = trainings(bench, memory=max(room) + 300 * 2**20)
    with pytest.raises(WorkerFailed) as failed:
        runs.run(replace(SPEC, settings={**SETTINGS, "batch": 4000}), source, Job("Train"))
    assert "out of memory" in said(failed.value)
    assert (runs.show("training-2").status, runs.show("training-2").checkpoint) == ("failed", 0)
    assert runs.show("training-1") == whole
