"""Preferences and plain text in the training worker itself."""

import math
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("peft")

from msgspec.structs import replace

from core.errors import BadInput
from core.training.settings import Settings
from core.training.worker.records import Encode, Ended, Example, Measured, OpenBase, Step, TakeCheckpoint
from core.training.worker.training import Bench
from tests.unit.training import tiny

pytestmark = pytest.mark.filterwarnings("default")  # those of other people's libraries
SETTINGS = Settings(
    objective="preferences", rank=4, alpha=8.0, learning_rate=0.01, steps=6, batch=2, held_out=0.25, checkpoint_every=3,
    evaluate_every=6, schedule="constant", warmup=0.0,
)  # fmt: skip
PAIRS = tuple(replace(tiny.example(number), rejected=f"Why {number}? I would rather not.") for number in range(8))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.folder(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def parts(folder: Path) -> list[Any]:
    return list(tiny.trained(tiny.bench(folder, PAIRS), SETTINGS))


def test_the_first_loss_is_log_2_and_then_the_better_answer_wins(parts: list[Any]) -> None:
    steps = [one for one in parts if isinstance(one, Step)]
    assert steps[0].loss == pytest.approx(math.log(2), abs=1e-6)
    assert steps[-1].loss < 0.6
    [measured] = [one for one in parts if isinstance(one, Measured)]
    assert measured.loss < math.log(2), "also of pairs that weren't learned"
    assert isinstance(parts[-1], Ended)


def test_a_resumed_run_of_preferences_gives_the_same_numbers(folder: Path, parts: list[Any]) -> None:
    state = tiny.whole(parts, "checkpoint")[3]
    again = tiny.bench(folder, PAIRS)
    again.take(TakeCheckpoint(at=0, size=len(state), data=state), tiny.QUIET)
    later = [one for one in tiny.trained(again, SETTINGS) if isinstance(one, Step)]
    first = [one for one in parts if isinstance(one, Step)][3:]
    assert [(one.step, one.loss, one.gradient_norm) for one in later] == [
        (one.step, one.loss, one.gradient_norm) for one in first
    ]


def test_answers_arent_taken_for_preferences(folder: Path) -> None:
    with pytest.raises(BadInput, match="no preference"):
        list(tiny.trained(tiny.bench(folder, tuple(map(tiny.example, range(4)))), SETTINGS))


def test_all_words_of_a_text_are_learned_in_pieces(folder: Path) -> None:
    bench = Bench()
    bench.open(OpenBase(path=str(folder), name="tiny", form="folder", threads=1), tiny.QUIET)
    text = "The gate is shut at night. " * 40
    told = bench.encode(Encode(examples=(Example(line="notes", text=text),), longest=32), tiny.QUIET)
    assert len(told.lengths) > 4
    assert max(told.lengths) <= 32
    settings = replace(SETTINGS, objective="text", longest=32, steps=5, packing=False)
    steps = [one for one in tiny.trained(bench, settings) if isinstance(one, Step)]
    assert steps[-1].loss < steps[0].loss
