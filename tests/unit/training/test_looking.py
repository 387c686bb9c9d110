"""What a person is shown of training data before a run, and runs that were stopped and are kept as they are."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import BadInput, Cancelled
from core.inference.records import Message
from core.jobs import Job
from core.models.starter import CHAT, ensure_starters
from core.training.records import Source, TrainSpec
from core.training.service import Trainings
from core.training.worker.encoding import Encoding
from core.training.worker.records import Ended, KeepTrained, Piece, Problem
from core.training.worker.showing import ShownExample, ShownPart, parts_of
from core.workbench import SCHEMA, Workbench
from tests.unit.training.standin import CONTENT, StandIn

ROWS = '{"input": "Say %d", "answer": "It is %d."}\n'


class Worker(StandIn):
    """Also shows its examples, and gives the adapter of a checkpoint."""

    def show(self, examples: Any, job: Job) -> tuple[ShownExample, ...]:
        return tuple(ShownExample(line=one.line, parts=(ShownPart(text="It", learned=True),)) for one in examples)

    def parts(self, request: Any, job: Job, pausing: Any = None) -> Iterator[Any]:
        if not isinstance(request, KeepTrained):
            yield from super().parts(request, job)
            return
        for of, content in CONTENT.items():
            yield Piece(of=of, step=2, data=content, last=True)  # type: ignore[arg-type]
        yield Ended(reason="stopped", step=2, tokens=20, seconds=1.0, peak=2000)


@pytest.fixture
def worker() -> Worker:
    return Worker()


@pytest.fixture
def trainings(vault_factory: Any, worker: Worker, tmp_path: Path) -> Iterator[Trainings]:
    bench = Workbench(vault_factory(SCHEMA))
    ensure_starters(bench.models)
    bench.models.lenders.clear()
    yield Trainings(bench.vault, bench.models, bench.datasets, bench.engine, bench.supervisor, opened=worker)
    bench.close()


@pytest.fixture
def spec(tmp_path: Path) -> TrainSpec:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(ROWS % (n, n) for n in range(60)) + ROWS % (1, 1))
    return TrainSpec(name="style", base=CHAT, data=(Source(file=str(path)),))


def test_data_is_shown_with_all_that_is_wrong_and_records_nothing(
    trainings: Trainings, worker: Worker, spec: TrainSpec
) -> None:
    worker.wrong = (Problem(line="rows.jsonl, line 3", problem="it has 2000 tokens, and 1536 fit."),)
    found = trainings.look(spec, "style", Job("Look"))
    assert (found.examples, found.window, len(found.shown)) == (60, 1536, 50)
    assert [one.line for one in found.problems] == ["rows.jsonl, line 61", "rows.jsonl, line 3"]
    assert len(found.lengths) == 59
    assert "rows.jsonl, line 3" not in [one.line for one in found.lengths]
    assert next(one.line for one in trainings.look(spec, "style", Job("Look"), 50).shown) == "rows.jsonl, line 51"
    assert trainings.list() == ()


def test_a_stopped_run_is_kept_as_its_last_checkpoint_has_it(
    trainings: Trainings, worker: Worker, spec: TrainSpec
) -> None:
    worker.failing = Cancelled(what="Training")
    spec = TrainSpec(name=spec.name, base=spec.base, data=spec.data, leave_out=True)
    with pytest.raises(Cancelled):
        trainings.run(spec, "style", Job("Train"))
    view = trainings.keep("training-1", "", Job("Keep"))
    assert view.result is not None
    assert (view.status, view.result.reason, view.result.step, view.checkpoint) == ("finished", "stopped", 2, 0)
    assert [one.step for one in view.result.curve] == [1, 2], "the curve ends where the adapter is from"
    assert trainings.lent("training-1") is not None
    with pytest.raises(BadInput, match="has finished"):
        trainings.keep("training-1", "style", Job("Keep"))


def test_a_run_without_a_checkpoint_has_nothing_to_keep(trainings: Trainings, worker: Worker, spec: TrainSpec) -> None:
    class Early(Worker):
        def parts(self, request: Any, job: Job, pausing: Any = None) -> Iterator[Any]:
            raise Cancelled(what="Training")
            yield

    trainings._opened = Early()
    spec = TrainSpec(name=spec.name, base=spec.base, data=spec.data, leave_out=True)
    with pytest.raises(Cancelled):
        trainings.run(spec, "style", Job("Train"))
    with pytest.raises(BadInput, match="no checkpoint yet"):
        trainings.keep("training-1", "style", Job("Keep"))


def test_tokens_that_make_a_character_together_are_one_part() -> None:
    class Bytes:
        def piece(self, token: int, special: bool = False) -> bytes:
            return bytes([token])

    ids = (*b"a\xc3\xa9", *"ü".encode())
    assert [(one.text, one.learned) for one in parts_of(Bytes(), Encoding(tuple(ids), 3))] == [
        ("a", False),
        ("é", False),
        ("ü", True),
    ]
    cut = parts_of(Bytes(), Encoding((0x61, 0xC3, 0xA9), 2))
    assert [(one.text, one.learned) for one in cut] == [("a", False), ("\ufffd", False), ("\ufffd", True)]


@pytest.mark.filterwarnings("default")  # those of other people's libraries
def test_the_starter_models_tokens_say_which_are_learned_and_its_checkpoint_is_kept() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("peft")
    from core.models.starter import STARTERS
    from core.training.settings import Settings
    from core.training.worker.records import Encode, Example, OpenBase, TakeCheckpoint, Train
    from core.training.worker.showing import ShowExamples
    from core.training.worker.training import Bench
    from tests.unit.training import tiny

    made = Bench()
    made.open(OpenBase(path=str(STARTERS[CHAT]), name=CHAT, form="gguf", threads=1), tiny.QUIET)
    turns = (Message(role="user", content="Where?"), Message(role="assistant", content="Tromsø."))
    examples = tuple(Example(line=f"line {n}", messages=turns) for n in range(4))
    shown = made.show(ShowExamples(examples=examples[:1]), tiny.QUIET).examples[0]
    assert "".join(one.text for one in shown.parts if one.learned).strip() == "Tromsø.<|im_end|>"
    assert "Where?" in "".join(one.text for one in shown.parts if not one.learned)
    settings = Settings(rank=2, batch=2, epochs=1, held_out=0.0, checkpoint_every=1)
    with pytest.raises(BadInput, match="no checkpoint"):
        list(made.keep(KeepTrained(settings=settings), tiny.QUIET))
    made.encode(Encode(examples=examples, longest=0), tiny.QUIET)
    parts = list(made.train(Train(settings=settings), tiny.QUIET))
    last = max(one.step for one in parts if isinstance(one, Piece) and one.of == "checkpoint")
    state = b"".join(p.data for p in parts if isinstance(p, Piece) and p.of == "checkpoint" and p.step == last)
    made.take(TakeCheckpoint(at=0, size=len(state), data=state), tiny.QUIET)
    kept = list(made.keep(KeepTrained(settings=settings), tiny.QUIET))

    def weights(of: list[Any]) -> bytes:
        return b"".join(p.data for p in of if isinstance(p, Piece) and p.of == "safetensors")

    assert weights(kept) == weights(parts), "the last checkpoint is the finished run's adapter"
    assert kept[-1].reason == "stopped"  # type: ignore[union-attr]
