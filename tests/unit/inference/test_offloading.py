"""How many layers go to a graphics card: by what it reports as free, or as a person said. No card is here: its report is played."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.errors import BadInput, Unavailable, Unsupported
from core.inference.offloading import GPU, INTEGRATED, Device, Placement, place, said
from core.inference.planning import FAST, REPRODUCIBLE, ContextNeeds, Needs, plan
from core.inference.records import Finished, Generate, Message
from core.inference.service import Engine
from core.inference.worker import devices
from core.jobs import Job
from core.models.records import AddModel
from core.models.service import Models
from core.models.worker.library import open_library
from core.workers.graphics import device_files
from core.workers.records import WorkerSpec
from core.workers.supervisor import Supervisor, Worker
from tests.unit.workers.children import carded

MIB = 2**20
NEEDS = Needs(
    window=4096,
    process=50 * MIB,
    weights=450 * MIB,
    contexts=(
        ContextNeeds(window=2048, cache=20 * MIB, buffers=10 * MIB, mode=REPRODUCIBLE),
        ContextNeeds(window=4096, cache=40 * MIB, buffers=20 * MIB, mode=REPRODUCIBLE),
        ContextNeeds(window=2048, cache=20 * MIB, buffers=10 * MIB, mode=FAST, kept=10 * MIB),
        ContextNeeds(window=4096, cache=40 * MIB, buffers=20 * MIB, mode=FAST, kept=20 * MIB),
    ),
    layers=4,
    sizes=(50 * MIB, *(75 * MIB,) * 4),
)
"""A block takes 75 MiB, and 20 MiB of both contexts' keys and values; 100 MiB of words stay."""


def card(free: int, name: str = "CUDA0", kind: str = GPU) -> Device:
    return Device(name=name, description="Played", kind=kind, free=free * MIB, total=1000 * MIB)


def layers(wanted: int, *cards: Device, context: int = 4096) -> int:
    return place("m", NEEDS, context, cards, wanted).layers


@pytest.mark.parametrize(
    ("room", "expected"), [(39, 0), (89, 0), (91, 1), (184, 1), (186, 2), (280, 3), (375, 4), (469, 4), (471, 5)]
)
def test_as_many_layers_are_chosen_as_fit_beside_the_buffers(room: int, expected: int) -> None:
    assert layers(-1, card(round(room / 0.9 + 0.5))) == expected


def test_a_shorter_context_leaves_room_for_more_layers() -> None:
    assert layers(-1, card(400), context=4096) < layers(-1, card(400), context=512)


def test_two_cards_take_more_than_one_and_each_needs_its_own_buffers() -> None:
    assert layers(-1, card(200)) == 1
    assert layers(-1, card(200), card(200, "CUDA1")) == 2
    assert layers(-1, card(5000), card(5000, "CUDA1")) == 5


def test_without_a_card_or_with_one_that_shares_memory_nothing_is_chosen() -> None:
    assert layers(-1) == 0
    shared = card(5000, kind=INTEGRATED)
    assert layers(-1, shared) == 0
    assert layers(3, shared) == 3  # a person may say so
    assert layers(0, card(5000)) == 0


def test_a_number_is_taken_as_it_is_or_refused_with_one_that_fits() -> None:
    assert layers(1, card(400)) == 1
    assert layers(99, card(5000)) == 5
    with pytest.raises(Unavailable, match=r"5 layers of m need more .* CUDA0 \(Played\) .* Choose 3 layers or fewer"):
        layers(99, card(360))
    with pytest.raises(Unavailable, match="Choose 0 layers"):
        layers(1, card(10))
    with pytest.raises(Unavailable, match="finds none here"):
        layers(1)


@pytest.mark.parametrize("count", range(6))
def test_what_goes_to_the_card_is_not_counted_twice(count: int) -> None:
    both = (FAST, REPRODUCIBLE)
    alone = plan(NEEDS, 4096, 10**12, both)
    split = plan(NEEDS, 4096, 10**12, both, count, "CUDA0", 10**9)
    assert split.weights + split.device_weights == alone.weights
    assert split.cache + split.device_cache == alone.cache
    assert split.device_weights == sum(NEEDS.sizes[:count])
    assert split.device_cache == max(0, count - 1) * 20 * MIB
    assert split.device_total == split.device_weights + split.device_cache + split.device_buffers
    assert split.total == split.weights + split.cache + split.buffers + split.process
    assert (split.gpu_layers, split.layers) == (count, 5)
    assert split.device == ("CUDA0" if count else "")


def test_the_record_names_the_card_and_the_layers() -> None:
    assert said(Placement(layers=3, devices=(card(500),)), 4) == "3 of 5 layers on CUDA0 (Played)"
    assert said(Placement(), 4) == ""


def test_the_devices_of_this_build_are_asked_through_llamas_own_list() -> None:
    library = open_library()
    found = devices.found(library)
    if not library.llama_supports_gpu_offload():
        assert found == ()
    assert all(0 <= one.free <= one.total and one.name for one in found)
    known = devices.handles(library, ("CPU",))  # the processor is in the list of every build
    assert known[0]
    assert known[1] is None
    assert list(devices.handles(library, ())) == [None]


def test_only_files_of_graphics_cards_are_handed_over(tmp_path: Path) -> None:
    for name in ("nvidia0", "nvidiactl", "nvidia-uvm", "sda", "kvm", "nvme0", "dri/renderD128", "dri/card0", "mem"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    names = [str(Path(path).relative_to(tmp_path)) for path in device_files(tmp_path)]
    assert names == ["dri/renderD128", "nvidia-uvm", "nvidia0", "nvidiactl"]


# Through the protocol


class Carded(Supervisor):
    """Starts llama.cpp's worker with a played report of devices."""

    def __init__(self, module: str) -> None:
        super().__init__()
        self.module = module

    def start(self, spec: WorkerSpec, job: Job | None = None) -> Worker:
        if spec.module == "core.inference.worker.llama":
            tests = str(Path(__file__).resolve().parents[2])
            spec = replace(spec, module=self.module, readable=(*spec.readable, tests))
        return super().start(spec, job)


@pytest.fixture
def engine(request: pytest.FixtureRequest, models: Models) -> Iterator[Engine]:
    with Carded(f"tests.unit.workers.children.{request.param}") as supervisor:
        made = Engine(models, supervisor)
        yield made
        made.close()


@pytest.fixture(scope="module")
def name(models: Models, stories_file: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("stories") / "offloaded.gguf"
    path.write_bytes(stories_file.read_bytes() + b"o")
    return models.add(AddModel(path=str(path))).name


def answered(engine: Engine, name: str, mode: str = "reproducible") -> Finished:
    request = Generate(model=name, messages=(Message(role="text", content="Once"),), max_tokens=3, mode=mode)
    *_, last = engine.generate(request)
    assert isinstance(last, Finished)
    return last


@pytest.mark.parametrize("engine", ["carded"], indirect=True)
def test_all_layers_go_to_a_card_with_room_and_the_answer_says_so(engine: Engine, name: str) -> None:
    made = engine.plan(name)
    assert made.gpu_layers == made.layers > 1
    assert made.device == f"CUDA0 ({carded.CARD.description})"
    assert made.device_free == round(0.9 * carded.CARD.free)
    assert 0 < made.device_weights < made.device_total
    backend = answered(engine, name).backend
    assert backend.endswith(f", {made.layers} of {made.layers} layers on CUDA0 (Played card)")
    (held,) = engine.loaded()
    assert (held.gpu_layers, held.layers, held.device) == (made.layers, made.layers, made.device)
    assert held.device_memory == engine.plan(name, mode="reproducible").device_total


@pytest.mark.parametrize("engine", ["carded"], indirect=True)
def test_a_person_chooses_for_one_model_and_it_is_loaded_so(engine: Engine, name: str) -> None:
    whole = engine.plan(name)
    answered(engine, name)
    engine.choose_layers(name, 2)
    assert engine.loaded() == ()
    assert f", 2 of {whole.layers} layers on" in answered(engine, name).backend
    made = engine.plan(name)
    assert made.gpu_layers == 2
    assert made.weights > whole.weights
    engine.choose_layers(name, 0)
    assert "layers" not in answered(engine, name).backend
    assert engine.loaded()[0].gpu_layers == engine.plan(name).gpu_layers == engine.plan(name).device_total == 0
    engine.choose_layers(name, None)
    assert engine.plan(name, gpu_layers=1).gpu_layers == 1
    assert engine.plan(name).gpu_layers == whole.layers


@pytest.mark.parametrize("engine", ["carded_tight"], indirect=True)
def test_a_card_that_is_nearly_full_takes_some_and_more_is_refused(engine: Engine, name: str) -> None:
    made = engine.plan(name)
    assert 0 < made.gpu_layers < made.layers
    assert made.device_total <= made.device_free
    assert f", {made.gpu_layers} of {made.layers} layers on CUDA0" in answered(engine, name).backend
    with pytest.raises(Unavailable, match=rf"Choose {made.gpu_layers} layers or fewer"):
        engine.plan(name, gpu_layers=made.layers)


def test_without_a_card_the_processor_computes_and_a_number_is_refused(
    models: Models, supervisor: Supervisor, name: str
) -> None:
    if devices.found(open_library()):
        pytest.skip("a graphics card is here")
    engine = Engine(models, supervisor)
    try:
        made = engine.plan(name)
        assert (made.gpu_layers, made.device, made.device_total) == (0, "", 0)
        assert "layers" not in answered(engine, name).backend
        with pytest.raises(Unavailable, match="finds none here"):
            engine.plan(name, gpu_layers=3)
        with pytest.raises(BadInput, match="gpu_layers"):
            engine.plan(name, gpu_layers=-2)
        with pytest.raises(Unsupported, match="takes layers"):
            engine.choose_layers("fake", 1)
        engine.choose_layers(name, 3)
        with pytest.raises(Unavailable, match="finds none here"):
            answered(engine, name)
    finally:
        engine.close()
