"""LoRA adapters: as if they were merged into the weights, on and off from request to request, and sharing nothing."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from core.errors import AssayError, BadInput, Changed, NotFound, Unsupported
from core.inference import adapters as sending
from core.inference.records import AdapterPart, AdapterUse, Finished, Generate, Message, Token, Weigh
from core.inference.service import Engine
from core.inference.worker.adapters import NONE, AdapterSet, HeldAdapters
from core.inference.worker.library import context
from core.models.records import FAKE, AddModel
from core.models.service import Models
from core.models.worker.library import open_library
from core.models.worker.reading import facts
from core.records import Digest
from tests.unit.inference import loras
from tests.unit.inference.near import same

NEAR = 1e-3
"""With weights, keys and values of 32 bits."""
ROUGHLY = 1e-2
"""With keys and values of 16 bits, as a model is run."""
TEXT = "Once upon a time there was a little dog who liked to run in the park with the other dogs"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("adapters")


@pytest.fixture(scope="module")
def files(folder: Path, stories_file: Path) -> dict[str, Path]:
    return {
        name: loras.written(folder / f"{name}.gguf", loras.pairs(stories_file, seed))
        for name, seed in (("one", 1), ("two", 2))
    }


@pytest.fixture(scope="module")
def known(files: dict[str, Path], models: Models) -> dict[str, str]:
    return {name: models.add(AddModel(path=str(path))).name for name, path in files.items()}


@pytest.fixture(scope="module")
def merged(folder: Path, stories_file: Path, models: Models) -> str:
    """The model with the adapter `one` in its weights."""
    path = loras.merged(stories_file, folder / "whole.gguf", (loras.pairs(stories_file, 1), 1.0))
    return models.add(AddModel(path=str(path))).name


def asked(model: str, *uses: tuple[str, float], text: str = TEXT, **settings: object) -> Generate:
    given = {"max_tokens": 16, "log_probabilities": 20} | settings
    adapters = tuple(AdapterUse(model=name, scale=scale) for name, scale in uses)
    return Generate(model=model, messages=(Message(role="text", content=text),), adapters=adapters, **given)


def answer(engine: Engine, request: Generate) -> tuple[tuple[Token, ...], Finished]:
    """The whole text in one piece, whose cut depends on who reads how fast."""
    *parts, last = engine.generate(request)
    assert isinstance(last, Finished)
    pieces = [part for part in parts if isinstance(part, Token)]
    choices = tuple(choice for piece in pieces for choice in piece.choices)
    return (Token(text="".join(piece.text for piece in pieces), choices=choices),), last


def numbers(tokens: tuple[Token, ...]) -> np.ndarray:
    """The first token's likeliest ones by their bytes."""
    likely = sorted((one.data, one.log_probability) for one in tokens[0].choices[0].top)
    return np.array([value for _, value in likely])


def text(tokens: tuple[Token, ...]) -> str:
    return "".join(token.text for token in tokens)


# -- the arithmetic -----------------------------------------------------------------------------------------------------------------


def logits(path: Path, given: list[tuple[Path, float]]) -> np.ndarray:
    """At every place of a text [token, vocabulary], with adapters."""
    library = open_library()
    model = library.llama_model_load_from_file(os.fsencode(path), library.llama_model_default_params())
    held = HeldAdapters(library, model, "stories")
    for adapter, _ in given:
        data = adapter.read_bytes()
        half = len(data) // 2
        digest = Digest(adapter.stem)
        first = AdapterPart(digest=digest, name="a", at=0, size=len(data), data=data[:half])
        assert not held.take(first).whole
        assert held.take(AdapterPart(digest=digest, name="a", at=half, size=len(data), data=data[half:])).whole
    ids = [1, *range(40, 70)]
    exact = library.GGML_TYPE_F32
    made = context(library, model, "stories", 64, 64, 1, type_k=exact, type_v=exact)
    batch = library.llama_batch_init(64, 0, 1)
    for place, token in enumerate(ids):
        batch.token[place], batch.pos[place], batch.n_seq_id[place] = token, place, 1
        batch.seq_id[place][0], batch.logits[place] = 0, 1
    batch.n_tokens = len(ids)
    held.chosen([AdapterUse(model=adapter.stem, scale=scale) for adapter, scale in given]).attach(library, made)
    assert library.llama_decode(made, batch) == 0
    rows = [np.ctypeslib.as_array(library.llama_get_logits_ith(made, n), (512,)).copy() for n in range(len(ids))]
    library.llama_free(made)
    library.llama_model_free(model)
    return np.stack(rows)


@pytest.mark.parametrize("scales", [(1.0,), (0.5,), (-0.7,), (1.0, 0.25), (0.0, 1.5)])
def test_logits_are_those_of_merged_weights(
    folder: Path, files: dict[str, Path], stories_file: Path, scales: tuple[float, ...]
) -> None:
    used = list(zip(("one", "two"), scales, strict=False))
    changes = [(loras.pairs(stories_file, seed), scale) for seed, scale in enumerate(scales, 1)]
    expected = logits(loras.merged(stories_file, folder / "merged.gguf", *changes), [])
    found = logits(stories_file, [(files[name], scale) for name, scale in used])
    assert np.abs(found - expected).max() < NEAR
    assert np.abs(found - logits(stories_file, [])).max() > 0.1


def test_a_scale_of_nothing_is_the_base_model(files: dict[str, Path], stories_file: Path) -> None:
    assert np.array_equal(logits(stories_file, [(files["one"], 0.0)]), logits(stories_file, []))


def test_equal_sets_are_equal_and_others_are_not() -> None:
    assert AdapterSet((("a", 1.0),), (object(),)) == AdapterSet((("a", 1.0),), (object(),))
    assert AdapterSet((("a", 1.0),)) != AdapterSet((("a", 0.5),))
    assert AdapterSet() == NONE


# -- through the engine --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["reproducible", "fast"])
def test_on_and_off_without_reloading(
    warm: Engine, models: Models, stories: str, known: dict[str, str], merged: str, mode: str
) -> None:
    base, plain = answer(warm, asked(stories, mode=mode))
    pid = next(found.pid for found in warm.loaded() if found.name == stories)
    changed, finished = answer(warm, asked(stories, ("one", 1.0), mode=mode))
    assert (plain.adapters, text(changed) != text(base)) == ((), True)
    assert finished.adapters == (AdapterUse(model=models.show("one").digest, scale=1.0),)
    whole, _ = answer(warm, asked(merged, mode=mode))
    assert np.abs(numbers(changed) - numbers(whole)).max() < ROUGHLY

    def again(before: tuple[Token, ...], *uses: tuple[str, float]) -> bool:
        """The very same; in fast mode, where the prompt's last token alone is computed anew, nearly."""
        now, _ = answer(warm, asked(stories, *uses, mode=mode))
        near = np.abs(numbers(now) - numbers(before)).max() < ROUGHLY and same(text(now), before)
        return now == before if mode == "reproducible" else bool(near)

    assert again(base, ("one", 0.0))
    answer(warm, asked(stories, ("two", 0.5), ("one", 1.0), mode=mode))
    assert again(base), "the base model's own bytes again"
    assert again(changed, ("one", 1.0))
    assert pid in {found.pid for found in warm.loaded()}, "nothing was loaded again"


def test_requests_with_other_adapters_share_nothing(engine: Engine, stories: str, known: dict[str, str]) -> None:
    sets: list[list[tuple[str, float]]] = [[], [("one", 1.0)], [("one", 0.5)], [("two", 1.0)], [("one", 0.0)]]
    alone = [answer(engine, asked(stories, *used))[0] for used in sets]
    assert len({text(tokens) for tokens in alone[:4]}) == 4
    for used in sets[1:4]:
        tokens, finished = answer(engine, asked(stories, *used, mode="fast"))
        assert finished.shared_tokens == 0
        _, again = answer(engine, asked(stories, *used, mode="fast"))
        assert again.shared_tokens > 0, "with the same ones the beginning is computed once"
    jobs = [number % len(sets) for number in range(20)]
    with ThreadPoolExecutor(20) as pool:
        together = list(
            pool.map(
                lambda number: answer(engine, asked(stories, *sets[number], mode="fast", log_probabilities=-1)), jobs
            )
        )
    for number, (tokens, finished) in zip(jobs, together, strict=True):
        assert same(text(tokens), alone[number])
        assert [use.scale for use in finished.adapters] == [scale for _, scale in sets[number]]


def test_sets_that_alternate_each_find_their_own_beginning(engine: Engine, stories: str, known: dict[str, str]) -> None:
    sets: list[list[tuple[str, float]]] = [[], [("one", 1.0)], [("two", 1.0)]]
    alone = [answer(engine, asked(stories, *used))[0] for used in sets]
    for used in sets:
        assert answer(engine, asked(stories, *used, mode="fast"))[1].shared_tokens == 0
    for _ in range(2):
        for used, words in zip(sets, alone, strict=True):
            tokens, finished = answer(engine, asked(stories, *used, mode="fast", log_probabilities=-1))
            assert finished.shared_tokens == finished.prompt_tokens - 1
            assert same(text(tokens), words)


def test_weights_of_continuations_too(
    warm: Engine, models: Models, stories: str, known: dict[str, str], folder: Path, stories_file: Path
) -> None:
    path = loras.merged(stories_file, folder / "weighed.gguf", (loras.pairs(stories_file, 2), 0.5))
    whole = models.add(AddModel(path=str(path))).name
    message, ends = (Message(role="text", content=TEXT),), (" and cats", ". Then")

    def weights(model: str, *uses: AdapterUse) -> list[float]:
        found = warm.weigh(Weigh(model=model, messages=message, continuations=ends, adapters=uses))
        return [weight.log_likelihood for weight in found.weights]

    base = weights(stories)
    assert weights(stories, AdapterUse(model="two", scale=0.5)) == pytest.approx(weights(whole), abs=ROUGHLY)
    assert weights(stories) == base


def test_a_new_worker_gets_its_adapters_again(engine: Engine, stories: str, known: dict[str, str]) -> None:
    first, _ = answer(engine, asked(stories, ("one", 1.0)))
    engine.unload(stories)
    assert answer(engine, asked(stories, ("one", 1.0)))[0] == first


def test_an_adapter_larger_than_a_piece(
    engine: Engine, stories: str, known: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = answer(engine, asked(stories, ("one", 1.0)))
    engine.unload(stories)
    monkeypatch.setattr(sending, "PIECE", 10_000)
    assert answer(engine, asked(stories, ("one", 1.0)))[0] == first


# -- what is refused -----------------------------------------------------------------------------------------------------------------


def test_what_a_request_can_not_ask_for(warm: Engine, stories: str, known: dict[str, str]) -> None:
    cases: list[tuple[Generate, type[AssayError], str]] = [
        (asked(stories, ("nobody", 1.0)), NotFound, "nobody"),
        (asked(stories, (stories, 1.0)), Unsupported, "it is no adapter"),
        (asked(stories, ("one", float("nan"))), BadInput, "scale"),
        (asked(stories, ("one", 1e9)), BadInput, "scale"),
        (asked(stories, ("one", 1.0), ("one", 0.5)), BadInput, "named twice"),
        (asked(stories, *[("one", 1.0)] * 9), BadInput, "there are 9"),
        (asked("one"), Unsupported, "writes no text"),
        (asked(FAKE, ("one", 1.0), log_probabilities=-1), Unsupported, "takes no adapters"),
    ]
    for request, error, sentence in cases:
        with pytest.raises(error, match=sentence):
            answer(warm, request)


def test_an_adapter_for_another_model_is_refused(
    warm: Engine, models: Models, stories: str, folder: Path, stories_file: Path
) -> None:
    found = loras.pairs(stories_file, 3)
    other = models.add(AddModel(path=str(loras.written(folder / "qwen.gguf", found, architecture="qwen2")))).name
    with pytest.raises(BadInput, match="an adapter for qwen2 models, and stories is of llama"):
        answer(warm, asked(stories, (other, 1.0)))
    keys = {"assay.base.digest": "ab" * 32}
    other = models.add(AddModel(path=str(loras.written(folder / "base.gguf", found, keys=keys)))).name
    with pytest.raises(BadInput, match="made for the model abababababab, and stories is"):
        answer(warm, asked(stories, (other, 1.0)))
    keys = {"assay.base.digest": models.show(stories).digest}
    own = models.add(AddModel(path=str(loras.written(folder / "own.gguf", found, keys=keys))))
    assert (own.purpose, own.base_digest) == ("adapter", models.show(stories).digest)
    answer(warm, asked(stories, (own.name, 1.0)))
    wide = {name: (np.pad(a, ((0, 0), (0, 8))), b) for name, (a, b) in found.items()}
    other = models.add(AddModel(path=str(loras.written(folder / "wide.gguf", wide)))).name
    with pytest.raises(BadInput, match="it doesn't fit stories"):
        answer(warm, asked(stories, (other, 1.0)))
    answer(warm, asked(stories))


def test_an_adapter_that_changed_is_refused(
    engine: Engine, models: Models, stories: str, folder: Path, stories_file: Path
) -> None:
    path = loras.written(folder / "changing.gguf", loras.pairs(stories_file, 4))
    name = models.add(AddModel(path=str(path))).name
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(Changed):
        answer(engine, asked(stories, (name, 1.0)))
    path.unlink()
    with pytest.raises(NotFound):
        answer(engine, asked(stories, (name, 1.0)))


# -- what is no LoRA adapter ---------------------------------------------------------------------------------------------------------


def test_a_header_says_what_an_adapter_is(files: dict[str, Path]) -> None:
    found = facts(files["one"])
    assert (found.architecture, found.purpose, found.quantization) == ("llama", "adapter", "f32")
    assert (found.tensors, found.has_template, found.base_digest) == (70, False, "")


def only(name: str) -> Callable[[loras.Pairs], loras.Pairs]:
    return lambda found: {name: found[name]}


def test_what_is_not_lora_is_refused(tmp_path: Path, stories_file: Path, shared_data: Path) -> None:
    found = loras.pairs(stories_file, 1)
    zeros = np.zeros((4, 4), dtype=np.float32)
    odd = {name: (a[:3], b) for name, (a, b) in found.items()}
    for sentence, path in {
        "another kind than LoRA": loras.written(tmp_path / "k.gguf", found, kind="control_vector"),
        "is neither its first nor its second": loras.written(
            tmp_path / "m.gguf", found, more=lambda w: w.add_tensor("token_embd.weight", zeros)
        ),
        "has no partner": loras.written(
            tmp_path / "p.gguf", found, more=lambda w: w.add_tensor("output.weight.lora_a", zeros)
        ),
        "has another rank": loras.written(tmp_path / "r.gguf", odd),
        "holds nothing": loras.written(tmp_path / "e.gguf", {}),
        "LoRA, which isn't attached": loras.written(
            tmp_path / "i.gguf", found, more=lambda w: w.add_array("adapter.alora.invocation_tokens", [1, 2])
        ),
        "adapter_model.safetensors": shared_data / "models" / "not-a-lora-adapter" / "adapter_model.safetensors",
    }.items():
        with pytest.raises(AssayError, match=sentence):
            facts(path)


def test_pieces_out_of_order_are_refused(files: dict[str, Path], stories_file: Path) -> None:
    library = open_library()
    model = library.llama_model_load_from_file(os.fsencode(stories_file), library.llama_model_default_params())
    held, data, digest = HeldAdapters(library, model, "stories"), files["one"].read_bytes(), Digest("d")
    with pytest.raises(BadInput, match="a piece of it is missing"):
        held.take(AdapterPart(digest=digest, name="one", at=10, size=len(data), data=data[10:]))
    held.take(AdapterPart(digest=digest, name="one", at=0, size=len(data), data=data[:10]))
    with pytest.raises(BadInput, match="a piece of it is missing"):
        held.take(AdapterPart(digest=digest, name="one", at=20, size=len(data), data=data[20:]))
    with pytest.raises(BadInput, match="wasn't given"):
        held.chosen([AdapterUse(model=digest)])
    assert held.take(AdapterPart(digest=digest, name="one", at=0, size=len(data), data=data)).whole
    with pytest.raises(BadInput, match="it doesn't fit stories"):
        held.take(AdapterPart(digest=Digest("x"), name="x", at=0, size=4, data=b"GGUF"))
