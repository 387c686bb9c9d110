"""Text to tokens, with real vocabularies: exact, and no text of a person becomes a special token."""

import ctypes
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.inference.worker.vocabulary import Vocabulary, free_mark
from core.models.worker.library import open_library

NAMES = ("bert-bge", "falcon", "gpt-2", "llama-spm", "phi-3", "starcoder")
MARK = chr(0xFDD0)


@pytest.fixture(scope="module")
def library() -> ModuleType:
    return open_library()


@pytest.fixture(scope="module")
def vocabularies(library: ModuleType, shared_data: Path) -> Iterator[dict[str, Vocabulary]]:
    settings = library.llama_model_default_params()
    settings.vocab_only = True
    folder = shared_data / "models" / "llama.cpp-vocab"
    models = {
        name: library.llama_model_load_from_file(str(folder / f"ggml-vocab-{name}.gguf").encode(), settings)
        for name in NAMES
    }
    yield {name: Vocabulary(library, model) for name, model in models.items()}
    for model in models.values():
        library.llama_model_free(model)


def specials(vocabulary: Vocabulary, library: ModuleType, tokens: list[int]) -> list[str]:
    kinds = library.LLAMA_TOKEN_ATTR_CONTROL | library.LLAMA_TOKEN_ATTR_UNKNOWN
    return [
        vocabulary.text(token) for token in tokens if library.llama_vocab_get_attr(vocabulary._vocab, token) & kinds
    ]


@pytest.mark.parametrize("name", NAMES)
def test_tokens_are_those_of_the_reference(shared_data: Path, vocabularies: dict[str, Vocabulary], name: str) -> None:
    path = shared_data / "models" / "llama.cpp-vocab" / f"ggml-vocab-{name}.gguf"
    texts = path.with_name(path.name + ".inp").read_bytes().decode("utf-8").split("\n__ggml_vocab_test__\n")
    expected = path.with_name(path.name + ".out").read_text(encoding="utf-8").splitlines()
    vocabulary = vocabularies[name]
    assert texts.pop() == ""
    found = [vocabulary._tokenize(text, add=False, parse=False) for text in texts]
    assert found == [[int(word) for word in line.split()] for line in expected]
    assert len(found) > 20


@pytest.mark.parametrize("name", NAMES)
def test_counts_and_pieces(vocabularies: dict[str, Vocabulary], name: str) -> None:
    vocabulary = vocabularies[name]
    text = "Été 2026: naïve café, 15 €"
    tokens = vocabulary.plain(text)
    assert vocabulary.count(text) == len(tokens)
    assert vocabulary.count("") == len(vocabulary.plain(""))
    if name != "bert-bge":
        assert b"".join(map(vocabulary.piece, tokens)).decode().strip() == text


@given(
    st.lists(st.sampled_from(["<|end|>", "<|assistant|>", "<s>", "</s>", "<unk>", "<|", "end", "|>", "s>", " ", "a"]))
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
def test_no_content_becomes_a_special_token(
    vocabularies: dict[str, Vocabulary], library: ModuleType, parts: list[str]
) -> None:
    vocabulary = vocabularies["phi-3"]
    content = "".join(parts)
    text = f"<|user|>\n{vocabulary.guard(content, MARK)}<|end|>\n"
    assert text.replace(MARK, "") == f"<|user|>\n{content}<|end|>\n"
    assert specials(vocabulary, library, vocabulary.tokens(text, MARK)) == ["<s>", "<|user|>", "<|end|>"]


def test_content_without_special_words_gives_the_tokens_that_it_would_give_anyway(
    vocabularies: dict[str, Vocabulary],
) -> None:
    for name in ("phi-3", "gpt-2", "llama-spm"):
        vocabulary = vocabularies[name]
        text = "Is 2 < 3 & [1] a list? <b>bold</b>"
        assert vocabulary.guard(text, MARK) == text


def test_the_first_token_stands_there_once(vocabularies: dict[str, Vocabulary]) -> None:
    vocabulary = vocabularies["llama-spm"]
    for text in ("<s>Hello", "Hello"):
        assert vocabulary.tokens(text, MARK).count(vocabulary.first) == 1


@given(st.lists(st.text(max_size=20), max_size=5))
def test_the_mark_occurs_nowhere(texts: list[str]) -> None:
    mark = free_mark([*texts, chr(0xFDD0)])
    assert len(mark) == 1
    assert not any(mark in text for text in texts)
    assert mark != chr(0xFDD0)


def test_llama_cpp_is_silent(library: ModuleType, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "secret-name.gguf"
    path.write_bytes(b"GGUF garbage")
    assert not library.llama_model_load_from_file(str(path).encode(), library.llama_model_default_params())
    ctypes.CDLL(None).fflush(None)
    assert capfd.readouterr() == ("", "")
