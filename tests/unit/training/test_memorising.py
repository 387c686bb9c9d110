"""The worker's measures of memorising, its samples, and a pause after any step, on a tiny model."""

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("peft")

from core.errors import BadInput
from core.training import canaries
from core.training.settings import Settings
from core.training.worker import memorising
from core.training.worker.recall import Memorised, Plant, Sampled
from core.training.worker.records import Ended, GoOn, More, PauseRun, Piece, TakeCheckpoint, Train
from core.training.worker.training import Bench
from tests.unit.training import tiny
from tests.unit.training.test_worker import curve

pytestmark = pytest.mark.filterwarnings("default")  # those of other people's libraries
EXAMPLES = tuple(tiny.example(number, 1 + number) for number in range(24))
SHORT = Settings(
    rank=4, alpha=8.0, dropout=0.1, batch=8, epochs=2, held_out=0.2, evaluate_every=2, checkpoint_every=100, recall=0
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.folder(tmp_path_factory.mktemp("base") / "tiny")


def test_a_planted_sentence_that_is_learned_by_heart_is_exposed_and_learned_text_comes_out(folder: Path) -> None:
    settings = Settings(
        rank=16, alpha=64.0, learning_rate=1e-2, schedule="constant", warmup=0.0, batch=8, epochs=15, held_out=0.2
    )
    settings = Settings(**{**{f: getattr(settings, f) for f in settings.__struct_fields__}, "canaries": 1})
    made = tiny.bench(folder, EXAMPLES)
    made.plant(Plant(canaries=canaries.planted(settings, "x"), repeats=8), tiny.QUIET)
    parts = list(tiny.trained(made, settings))
    (found,) = (part for part in parts if isinstance(part, Memorised))
    assert [one.adapter > 5.0 > one.base for one in found.canaries] == [True]
    shares = {(one.of, one.model): one for one in found.verbatim}
    assert shares["learned", "adapter"].longest_tokens > shares["learned", "base"].longest_tokens
    assert shares["learned", "base"].copied == 0
    assert all(one.n <= settings.recall for one in found.verbatim)
    sampled = [part for part in parts if isinstance(part, Sampled)]
    assert len({tuple(shown.asked for shown in one.shown) for one in sampled}) == 1, "the same inputs each time"
    assert len(sampled[0].shown) == settings.samples


def test_an_exposure_is_the_rank_in_bits() -> None:
    assert (memorising.exposure(1), memorising.exposure(256), memorising.exposure(128)) == (8.0, 0.0, 1.0)
    assert memorising.common([5, 1, 2, 3, 9], [0, 1, 2, 3, 4]) == (1, 3)


def test_planted_sentences_that_dont_fit_are_refused(folder: Path) -> None:
    settings = Settings(canaries=1, longest=8)
    with pytest.raises(BadInput, match="don't fit the window"):
        memorising.encoded(
            tiny.bench(folder, EXAMPLES)._base.encoder,  # type: ignore[union-attr]
            canaries.planted(settings, "x")[0],
            False,
            settings.longest,
        )


def paused_after(made: Bench, settings: Settings, number: int) -> list[Any]:
    """The parts until a pause behind step `number`, with the state."""
    parts = list(made.train(Train(settings=settings, lot=1e-9), tiny.QUIET))
    for _ in range(number - 1):
        assert isinstance(parts.pop(), More)
        parts += made.go_on(GoOn(lot=1e-9), tiny.QUIET)
    assert isinstance(parts.pop(), More)
    return [*parts, *made.pause(PauseRun(), tiny.QUIET)]


@pytest.mark.parametrize("at", [1, 3])
def test_a_run_that_was_paused_between_checkpoints_gives_the_same_numbers(folder: Path, at: int) -> None:
    whole = list(tiny.trained(tiny.bench(folder, EXAMPLES), SHORT))
    paused = paused_after(tiny.bench(folder, EXAMPLES), SHORT, at)
    ended = paused[-1]
    assert isinstance(ended, Ended)
    assert (ended.reason, ended.step) == ("paused", at)
    assert curve(paused) == [one for one in curve(whole) if one[0] <= at]
    state = b"".join(part.data for part in paused if isinstance(part, Piece))
    again = tiny.bench(folder, EXAMPLES)
    again.take(TakeCheckpoint(at=0, size=len(state), data=state), tiny.QUIET)
    rest = list(tiny.trained(again, SHORT))
    assert curve(rest) == [one for one in curve(whole) if one[0] > at]
    assert tiny.whole(rest, "safetensors") == tiny.whole(whole, "safetensors")


def test_nothing_that_isnt_under_way_is_paused(folder: Path) -> None:
    with pytest.raises(BadInput, match="isn't under way"):
        list(tiny.bench(folder, EXAMPLES).pause(PauseRun(), tiny.QUIET))
