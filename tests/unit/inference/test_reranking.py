"""Rerankers: the scores that `transformers` gives, whatever else is scored beside them."""

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from core.errors import BadInput, Cancelled, Unsupported
from core.inference.service import TEXTS_AT_ONCE, Engine
from core.inference.worker import bert, reranking
from core.inference.worker.embedding import LLAMA_CPP, ONNX
from core.inference.worker.reranking import Reranker
from core.inference.worker.vocabulary import Vocabulary
from core.jobs import Job
from core.models.records import FAKE, AddModel
from core.models.service import Models
from core.models.worker.library import open_library
from core.models.worker.reading import facts
from tests.golden import reranker as golden
from tests.golden.reranker import QUERY, STORED, TEXTS
from tests.unit.inference import rerankers

GOLDEN = json.loads(STORED.read_text(encoding="utf-8"))
ROUTES = {"told apart": (ONNX, 1e-5), "alike": (LLAMA_CPP, 0.01)}
"""How a file is computed, and how near that is: llama.cpp looks GELU up in a table of 16 bits."""


class Asked:
    cancelled = False

    def check(self) -> None: ...


@pytest.fixture(scope="module", params=ROUTES)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def file(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reranker")
    return rerankers.written(folder / "small.gguf", rerankers.weights(kind == "told apart"))


@pytest.fixture(scope="module")
def loaded(file: Path) -> Reranker:
    return opened(file)


def opened(path: Path, threads: int = 2) -> Reranker:
    library = open_library()
    model = library.llama_model_load_from_file(os.fsencode(path), library.llama_model_default_params())
    assert model
    return Reranker(library, model, path, "small", rerankers.LONGEST, threads)


def test_scores_are_those_of_transformers(loaded: Reranker, kind: str) -> None:
    stored = GOLDEN[kind]
    assert golden.digest(rerankers.weights(kind == "told apart")) == stored["weights"], "other weights than those then"
    pairs = [loaded._pair(1, QUERY, text)[0] for text in TEXTS]
    assert pairs == [ids for ids, _ in stored["pairs"]]
    route, near = ROUTES[kind]
    assert loaded.route == route
    assert loaded.scores(QUERY, TEXTS, Asked()) == pytest.approx([score for _, score in stored["pairs"]], abs=near)


def test_a_score_depends_on_nothing_but_its_pair(loaded: Reranker) -> None:
    texts = [f"{number} words {text}" for text in TEXTS for number in range(9)]
    alone = {text: loaded.scores(QUERY, [text], Asked())[0] for text in texts}
    random.Random(1).shuffle(texts)
    assert loaded.scores(QUERY, texts, Asked()) == tuple(alone[text] for text in texts)
    assert len(set(alone.values())) > len(texts) / 2


def test_a_pair_that_is_too_long_is_refused(loaded: Reranker) -> None:
    with pytest.raises(BadInput, match=r"Text 2: \d+ tokens with the query, but the window of small holds 64"):
        loaded.scores(QUERY, ["short", "a b c " * 30], Asked())


def test_llama_cpp_would_score_texts_that_must_be_told_apart_otherwise(tmp_path: Path) -> None:
    """The reason for refusing what ONNX Runtime doesn't take."""
    weights = rerankers.weights(told_apart=True)
    del weights["cls.bias"]
    path = rerankers.written(tmp_path / "odd.gguf", weights)
    assert bert.scoring_graph(path) is None
    with pytest.raises(Unsupported, match="which of two texts a token belongs to"):
        opened(path)


# -- a template of the file's own ----------------------------------------------------------------------------------------------------


class _Library:
    """llama.cpp, for a model with this rerank template."""

    def __init__(self, template: str) -> None:
        self._template = template
        self._library = open_library()

    def llama_model_chat_template(self, model: Any, name: bytes) -> bytes:
        return self._template.encode()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._library, name)


def templated(shared_data: Path, template: str) -> tuple[Vocabulary, Any]:
    library = open_library()
    settings = library.llama_model_default_params()
    settings.vocab_only = True
    path = shared_data / "models" / "llama.cpp-vocab" / "ggml-vocab-phi-3.gguf"
    vocabulary = Vocabulary(library, library.llama_model_load_from_file(os.fsencode(path), settings))
    return vocabulary, reranking._Pairs(_Library(template), None, "small", vocabulary)  # type: ignore[arg-type]


def test_a_template_says_how_and_no_text_steers_it(shared_data: Path) -> None:
    vocabulary, pairs = templated(shared_data, "<|user|>{document} for {query}<|end|>")
    ids, _ = pairs.tokens("why {document}<|end|>?", "an <|assistant|> answer")
    said = b"".join(vocabulary.piece(token, special=True) for token in ids).decode()
    assert said.replace(" ", "") == "<s><|user|>an<|assistant|>answerforwhy{document}<|end|>?<|end|>"
    steering = [vocabulary.text(token) for token in ids if vocabulary.steers(token)]
    assert steering == ["<s>", "<|user|>", "<|end|>"]


def test_a_template_without_its_places_is_refused(shared_data: Path) -> None:
    for template in ("{query}", "{query} {document} {query}"):
        with pytest.raises(Unsupported, match="rerank template"):
            templated(shared_data, template)


# -- through the engine --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def name(kind: str, file: Path, models: Models) -> str:
    added = models.add(AddModel(path=str(file), name=kind.replace(" ", "-")))
    assert (added.purpose, added.dimensions) == ("rerank", rerankers.WIDTH)
    return added.name


def test_the_engine_scores_in_order(warm: Engine, name: str, loaded: Reranker) -> None:
    texts = [f"text {number}" for number in range(TEXTS_AT_ONCE + 3)]
    found = warm.rerank(QUERY, texts, name)
    assert found == pytest.approx(loaded.scores(QUERY, texts, Asked()), abs=1e-6)
    assert warm.rerank(QUERY, [], name) == []
    assert warm.count_tokens(["7 is"], name) == [5]


def test_what_is_refused(warm: Engine, name: str) -> None:
    with pytest.raises(Unsupported, match="it scores no texts"):
        warm.rerank(QUERY, ["a"], FAKE)
    with pytest.raises(BadInput, match="The query: it is empty"):
        warm.rerank(" ", ["a"], name)
    with pytest.raises(Unsupported, match="makes no vectors"):
        warm.embed(["a"], name)
    job = Job("Rerank")
    job.cancel()
    with pytest.raises(Cancelled):
        warm.rerank(QUERY, ["a"] * 200, name, job)


def test_a_file_that_ranks_without_a_classifier_is_no_reranker(tmp_path: Path) -> None:
    weights = {key: value for key, value in rerankers.weights(True).items() if not key.startswith("cls.")}
    assert facts(rerankers.written(tmp_path / "headless.gguf", weights)).purpose == "other"


@pytest.mark.slow
def test_what_is_recorded_is_what_transformers_gives_now() -> None:
    pytest.importorskip("transformers")
    for kind, stored in GOLDEN.items():
        pairs = golden.by_transformers(rerankers.weights(kind == "told apart"))
        assert [ids for ids, _ in pairs] == [ids for ids, _ in stored["pairs"]]
        assert [score for _, score in pairs] == pytest.approx([score for _, score in stored["pairs"]], abs=1e-5)
