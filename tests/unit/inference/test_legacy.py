"""Old GGML files: read from end to end before they are loaded, computed as `transformers` computes them, refused what they can't."""

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.errors import ContextExceeded, Damaged, Unsupported
from core.inference.records import Finished, Generate, Load, Message, Ready, Token
from core.inference.service import Engine
from core.inference.worker.legacy import log_softmax
from core.models.records import AddModel
from core.models.service import Models
from core.models.worker.legacy import legacy_facts, walk
from core.workers.records import WorkerSpec
from core.workers.supervisor import Supervisor, Worker
from tests.golden import legacy as golden


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return golden.write(tmp_path_factory.mktemp("old") / "old.bin")


@pytest.fixture(scope="module")
def worker(model: Path) -> Iterator[Worker]:
    spec = WorkerSpec(module="core.inference.worker.legacy", readable=(str(model),), title="The model old")
    with Supervisor() as supervisor, supervisor.start(spec) as made:
        assert made.call(Load(path=str(model), name="old", threads=1, embeds=False), Ready).context == golden.CONTEXT
        yield made


def ask(worker: Worker, **words: object) -> tuple[list[Token], Finished]:
    asked: dict[str, object] = {
        "messages": (Message(role="text", content=bytes(golden.IDS).decode("ascii")),),
        "max_tokens": 4,
        "temperature": 0.0,
    }
    *tokens, end = worker.stream(Generate(model="old", **(asked | words)), Token | Finished)  # type: ignore[arg-type]
    assert isinstance(end, Finished)
    return [token for token in tokens if isinstance(token, Token)], end


def test_the_logits_are_those_of_transformers(worker: Worker) -> None:
    tokens, end = ask(worker, max_tokens=1, log_probabilities=20)
    wanted = log_softmax(np.array(golden.golden()[1]))
    best = np.argsort(-wanted)[:20]
    found = tokens[0].choices[0]
    assert [likely.log_probability for likely in found.top] == pytest.approx(wanted[best].tolist(), abs=2e-3)
    assert found.chosen == found.top[0]
    assert (end.prompt_tokens, end.tokens) == (len(golden.IDS), 1)


def test_an_answer_goes_on_token_by_token(worker: Worker) -> None:
    tokens, end = ask(worker, max_tokens=12)
    assert len(tokens) > 1
    assert ("".join(token.text for token in tokens), end.prompt_tokens) == (
        "".join(token.text for token in ask(worker, max_tokens=12)[0]),
        len(golden.IDS),
    )


def test_chance_follows_the_seed(worker: Worker) -> None:
    def said(seed: int, **words: object) -> str:
        found = ask(worker, max_tokens=20, temperature=2.0, seed=seed, **words)[0]
        return "".join(token.text for token in found)

    assert said(1) == said(1)
    assert said(1) != said(2)
    assert said(1, top_k=1) == said(2, top_k=1) == "".join(t.text for t in ask(worker, max_tokens=20)[0])
    assert said(3, top_p=1e-6) == said(4, top_k=1)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ({"messages": (Message(role="user", content="Hello"),)}, Unsupported),
        ({"grammar": 'root ::= "a"'}, Unsupported),
        ({"max_tokens": golden.CONTEXT}, ContextExceeded),
        ({"messages": (Message(role="text", content=""),)}, Unsupported),
    ],
)
def test_what_it_cannot_do_is_said(worker: Worker, words: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        ask(worker, **words)
    assert ask(worker)[1].tokens == 4


def test_what_the_file_is(model: Path) -> None:
    facts = legacy_facts(model)
    assert (facts.architecture, facts.quantization, facts.context) == ("ggml-gpt2", "f32", golden.CONTEXT)
    assert facts.parameters == sum(value.size for value in golden.weights().values())
    assert not facts.has_template


def test_a_cut_file_is_told_wherever_it_is_cut(model: Path, tmp_path: Path) -> None:
    """Also between two tensors, where the library would load it and write nothing."""
    whole = model.read_bytes()
    ends = [at for at in range(len(whole) - 60) if whole[at : at + 6] == b"model/"]
    starts = [
        at - 4 * (3 + struct.unpack_from("<i", whole, at - 4 * (3 + n))[0])
        for at in ends
        for n in (1, 2)
        if whole[at - 12 - 4 * n : at - 8 - 4 * n] == struct.pack("<i", n)
    ]
    assert len(starts) == len(golden.names())
    cut = tmp_path / "cut.bin"
    for size in {*starts, *range(0, len(whole), 997), len(whole) - 1}:
        cut.write_bytes(whole[:size])
        with pytest.raises(Damaged):
            walk(cut)
    cut.write_bytes(whole + b"\0")
    with pytest.raises(Damaged):
        walk(cut)


@pytest.mark.parametrize("place", [0, 1, 2, 3, 4, 6])
@pytest.mark.parametrize("value", [-1, 0, 2**31 - 1])
def test_a_false_number_is_told(model: Path, tmp_path: Path, place: int, value: int) -> None:
    """Each of the header's, but for the type of the numbers."""
    whole = bytearray(model.read_bytes())
    struct.pack_into("<i", whole, 4 + 4 * place, value)
    changed = tmp_path / "changed.bin"
    changed.write_bytes(whole)
    with pytest.raises(Damaged):
        walk(changed)


def test_it_is_registered_and_asked_as_any_other(model: Path, models: Models, engine: Engine) -> None:
    added = models.add(AddModel(path=str(model), name="old"))
    assert (added.architecture, added.purpose, added.context) == ("ggml-gpt2", "chat", golden.CONTEXT)
    prompt = Generate(model="old", messages=(Message(role="text", content="word"),), max_tokens=3)
    *_, end = engine.generate(prompt)
    assert isinstance(end, Finished)
    assert end.backend.startswith("ctransformers")
    assert engine.count_tokens(["word"], "old") == [4]
    assert engine.plan("old").total > model.stat().st_size
    with pytest.raises(Unsupported, match="chat template"):
        list(engine.generate(Generate(model="old", messages=(Message(role="user", content="word"),))))
