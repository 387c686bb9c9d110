"""What a model takes is known before it is loaded; what doesn't fit is refused, and who isn't used leaves."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import Unavailable
from core.inference.planning import ContextNeeds, Held, Needs, available, leaving, plan
from core.inference.records import Finished, Generate, Message, Token
from core.inference.service import Engine
from core.models.records import AddModel
from core.models.service import Models
from core.workers.supervisor import Supervisor

MIB = 2**20
NEEDS = Needs(
    window=4096,
    process=50 * MIB,
    weights=100 * MIB,
    contexts=(
        ContextNeeds(window=2048, cache=40 * MIB, buffers=70 * MIB),
        ContextNeeds(window=4096, cache=80 * MIB, buffers=90 * MIB),
    ),
    layers=20,
)


def test_the_parts_add_up_and_grow_with_the_context() -> None:
    made = plan(NEEDS, 3072, 400 * MIB, ())
    assert (made.cache, made.buffers) == (60 * MIB, 80 * MIB)
    assert made.total == 290 * MIB == made.weights + made.cache + made.buffers + made.process
    assert made.fits
    assert made.suggestion == made.context == 3072


def test_a_longer_context_than_the_models_own_is_its_own() -> None:
    assert plan(NEEDS, 100_000, 400 * MIB, ()) == plan(NEEDS, 4096, 400 * MIB, ())


@pytest.mark.parametrize("budget", range(180, 320, 7))
def test_what_is_suggested_fits_and_a_step_more_would_not(budget: int) -> None:
    made = plan(NEEDS, 4096, budget * MIB, ())
    assert not made.fits
    if made.suggestion:
        assert plan(NEEDS, made.suggestion, budget * MIB, ()).fits
        assert not plan(NEEDS, made.suggestion + 256, budget * MIB, ()).fits
    else:
        assert not plan(NEEDS, 512, budget * MIB, ()).fits


def test_who_leaves_is_idle_and_was_used_longest_ago() -> None:
    held = [Held(30, used=3, busy=False), Held(30, used=1, busy=True), Held(30, used=2, busy=False)]
    assert leaving(10, 100, held) == []
    assert leaving(11, 100, held) == [2]
    assert leaving(70, 100, held) == [2, 0]
    assert leaving(71, 100, held) is None


def test_the_system_says_what_is_free() -> None:
    if Path("/proc/meminfo").exists():
        assert 2**20 < available() < 2**50


# Of the engine

BUDGET = [0]


@pytest.fixture
def engine(models: Models, supervisor: Supervisor) -> Iterator[Engine]:
    made = Engine(models, supervisor, memory=lambda: BUDGET[0])
    BUDGET[0] = 0
    yield made
    made.close()


@pytest.fixture(scope="module")
def copies(models: Models, stories_file: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    names = []
    for number in range(3):
        path = tmp_path_factory.mktemp("copies") / f"copy{number}.gguf"
        path.write_bytes(stories_file.read_bytes() + bytes([number]))
        names.append(models.add(AddModel(path=str(path))).name)
    return names


def tell(
    engine: Engine, name: str, most: int = 1, mode: str = "reproducible", text: str = "Once"
) -> Iterator[Token | Finished]:
    message = Message(role="text", content=text)
    return engine.generate(Generate(model=name, messages=(message,), max_tokens=most, mode=mode))


def test_the_least_recently_used_leaves_for_another(engine: Engine, copies: list[str]) -> None:
    first, second, third = copies
    BUDGET[0] = int(2.5 * engine.plan(first, mode="reproducible").total)
    for name in (first, second, first):
        list(tell(engine, name))
    assert [held.name for held in engine.loaded()] == [first, second]
    list(tell(engine, third))
    assert [held.name for held in engine.loaded()] == [third, first]
    assert all(held.requests == 0 and 0 < held.memory <= BUDGET[0] / 2 for held in engine.loaded())


def test_a_model_at_work_stays_and_the_other_is_told_so(engine: Engine, copies: list[str]) -> None:
    first, second, _ = copies
    BUDGET[0] = int(1.5 * engine.plan(first, mode="reproducible").total)
    parts: Any = tell(engine, first, 1500)
    next(parts)
    assert engine.loaded()[0].requests == 1
    with pytest.raises(Unavailable, match=rf"{second} needs \d+ MiB .* isn't free while {first} is at work"):
        list(tell(engine, second))
    assert not engine.plan(second, mode="reproducible").fits
    parts.close()
    list(tell(engine, second))
    assert [held.name for held in engine.loaded()] == [second]


def test_a_modes_memory_is_reserved_when_it_is_first_used(engine: Engine, copies: list[str]) -> None:
    list(tell(engine, copies[0]))
    (alone,) = engine.loaded()
    assert alone.memory == engine.plan(copies[0], mode="reproducible").total
    list(tell(engine, copies[0], mode="fast"))
    (both,) = engine.loaded()
    assert both.pid == alone.pid
    assert both.memory > max(alone.memory, engine.plan(copies[0], mode="fast").total)


def test_without_room_for_both_modes_the_model_is_loaded_again_for_the_one_that_is_asked(
    engine: Engine, copies: list[str]
) -> None:
    list(tell(engine, copies[0]))
    (alone,) = engine.loaded()
    BUDGET[0] = max(alone.memory, engine.plan(copies[0], mode="fast").total)
    parts: Any = tell(engine, copies[0], 1500)
    next(parts)
    with pytest.raises(Unavailable, match="needs"):
        list(tell(engine, copies[0], mode="fast"))
    parts.close()
    list(tell(engine, copies[0], mode="fast"))
    (other,) = engine.loaded()
    assert other.pid != alone.pid
    assert other.memory <= BUDGET[0]


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the memory of a process is read from /proc")
def test_the_plan_is_near_what_is_measured_after_use(engine: Engine, copies: list[str]) -> None:
    """Within a tenth, once the window has been full."""
    sentence = "Once upon a time there was a dog. "
    fits = engine.window(copies[0]) // engine.count_tokens([sentence], copies[0])[0]
    for mode in ("fast", "reproducible"):
        engine.unload(copies[0])
        for beginning in ("Lily", "Tom", "Mum"):
            list(tell(engine, copies[0], 1, mode, f"{beginning}. " + sentence * (fits - 4)))
        (held,) = engine.loaded()
        assert 0.9 < held.memory / held.resident < 1.1, (mode, held.memory, held.resident)


def test_what_will_not_fit_is_refused_before_loading_with_a_context_that_would(
    models: Models, supervisor: Supervisor, copies: list[str]
) -> None:
    context = [0]
    engine = Engine(models, supervisor, memory=lambda: BUDGET[0], context=lambda: context[0])
    try:
        whole = engine.plan(copies[0], mode="reproducible")
        BUDGET[0] = whole.total - 1
        with pytest.raises(Unavailable, match="Set a context of") as refused:
            list(tell(engine, copies[0]))
        assert engine.loaded() == ()
        made = engine.plan(copies[0], mode="reproducible")
        assert not made.fits
        assert f"a context of {made.suggestion} tokens" in str(refused.value)
        context[0] = made.suggestion
        list(tell(engine, copies[0]))
        assert [held.context for held in engine.loaded()] == [made.suggestion] == [engine.window(copies[0])]
        BUDGET[0] = 1
        assert engine.plan(copies[0], mode="reproducible").suggestion == 0
    finally:
        engine.close()


def test_two_that_load_at_once_stay_within_the_budget(engine: Engine, copies: list[str]) -> None:
    BUDGET[0] = int(1.5 * engine.plan(copies[0], mode="reproducible").total)
    refused: list[Unavailable] = []

    def ask(name: str) -> None:
        try:
            list(tell(engine, name))
        except Unavailable as error:
            refused.append(error)

    threads = [threading.Thread(target=ask, args=(name,)) for name in copies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(held.memory for held in engine.loaded()) <= BUDGET[0]
    assert len(refused) < len(copies)
