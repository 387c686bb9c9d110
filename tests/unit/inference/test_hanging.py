"""A model whose native code never comes back, whatever it was asked for: whoever asked is told why, and the next request works."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.errors import WorkerFailed
from core.inference.records import MODES, Generate, Message, Weigh, WeighText
from core.inference.service import Engine
from core.jobs import Job
from core.models.records import AddModel
from core.models.service import Models
from core.workers.records import WorkerSpec
from core.workers.supervisor import Supervisor, Worker
from tests.golden import legacy as old_files
from tests.golden import seeing
from tests.unit.inference import rerankers
from tests.unit.models.test_converting import convert
from tests.unit.workers.children.hanging import LOADING, MEASURING, TOKENS, WORD

TESTS = str(Path(__file__).resolve().parents[2])
LONG = "ab " * TOKENS
CHILDREN = {
    "core.inference.worker.llama": "tests.unit.workers.children.hanging",
    "core.inference.worker.legacy": "tests.unit.workers.children.hanging_legacy",
}


class Hanging(Supervisor):
    """Starts the workers of models with native code that hangs."""

    def start(self, spec: WorkerSpec, job: Job | None = None) -> Worker:
        if spec.module in CHILDREN:
            spec = replace(spec, module=CHILDREN[spec.module], readable=(*spec.readable, TESTS))
        return super().start(spec, job)


@pytest.fixture(scope="module")
def engine(models: Models) -> Iterator[Engine]:
    with Hanging() as supervisor:
        made = Engine(models, supervisor)
        yield made
        made.close()


def ends_and_goes_on(engine: Engine, ask: Callable[[str], object], fine: str, hangs: str) -> None:
    with pytest.raises(WorkerFailed, match="stopped: it made no progress for 300 s"):
        ask(hangs)
    assert engine.loaded() == ()
    ask(fine)
    for held in engine.loaded():
        engine.unload(held.digest)


def test_vectors(engine: Engine, embedder: str) -> None:
    ends_and_goes_on(engine, lambda text: engine.embed([text], embedder), "short", LONG)


@pytest.mark.parametrize("told_apart", [True, False], ids=["onnxruntime", "llama.cpp"])
def test_scores(engine: Engine, models: Models, told_apart: bool, tmp_path: Path) -> None:
    file = rerankers.written(tmp_path / "ranker.gguf", rerankers.weights(told_apart))
    name = models.add(AddModel(path=str(file), name=f"slow-ranker-{int(told_apart)}")).name
    ends_and_goes_on(engine, lambda text: engine.rerank("why", [text], name), "ab", "ab" * (TOKENS // 2))


@pytest.mark.parametrize("mode", MODES)
def test_answers(engine: Engine, stories: str, mode: str) -> None:
    def ask(text: str) -> object:
        message = Message(role="text", content=text)
        return list(engine.generate(Generate(model=stories, messages=(message,), max_tokens=2, mode=mode)))

    ends_and_goes_on(engine, ask, "Once", LONG)


def test_likelihoods(engine: Engine, stories: str) -> None:
    def ask(text: str) -> object:
        message = Message(role="text", content=text)
        return engine.weigh(Weigh(model=stories, messages=(message,), continuations=("upon",)))

    ends_and_goes_on(engine, ask, "Once", LONG)
    # a text's own likelihoods are computed in pieces, so that what hangs is its tokens
    assert engine.weigh_text(WeighText(model=stories, text="Once")).choices
    engine.unload(stories)


@pytest.mark.parametrize("name", [LOADING, MEASURING])
def test_before_a_model_is_ready(
    engine: Engine, models: Models, stories: str, stories_file: Path, tmp_path: Path, name: str
) -> None:
    file = tmp_path / f"{name}.gguf"
    file.write_bytes(stories_file.read_bytes() + bytes(32 if name == LOADING else 64))  # else they are the same model
    models.add(AddModel(path=str(file), name=name))
    ends_and_goes_on(engine, lambda model: engine.count_tokens(["Once"], model), stories, name)


def test_counting(engine: Engine, stories: str) -> None:
    ends_and_goes_on(engine, lambda text: engine.count_tokens([text], stories), "Once", WORD)


def test_pictures(engine: Engine, models: Models, tmp_path: Path) -> None:
    convert(seeing.write_base(tmp_path / "base"), tmp_path / "seer.gguf")
    name = models.add(AddModel(path=str(tmp_path / "seer.gguf"), name="slow-seer")).name
    models.add(AddModel(path=str(seeing.write_projector(tmp_path / "eyes.gguf")), name="slow-eyes"))
    pictures = {"fine": seeing.picture(), WORD: WORD.encode()}

    def ask(which: str) -> object:
        message = Message(role="user", content="What is it?")
        request = Generate(
            model=name, messages=(message,), max_tokens=2, images=(pictures[which],), projector="slow-eyes"
        )
        return list(engine.generate(request))

    ends_and_goes_on(engine, ask, "fine", WORD)


def test_old_files(engine: Engine, models: Models, tmp_path: Path) -> None:
    pytest.importorskip("ctransformers")
    name = models.add(AddModel(path=str(old_files.write(tmp_path / "old.bin")), name="slow-old")).name

    def ask(text: str) -> object:
        message = Message(role="text", content=text)
        return list(engine.generate(Generate(model=name, messages=(message,), max_tokens=2)))

    ends_and_goes_on(engine, ask, bytes(old_files.IDS).decode("ascii"), WORD)
