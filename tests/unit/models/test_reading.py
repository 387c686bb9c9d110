"""Headers of real, damaged and hostile GGUF files: one sentence each, and never much time or memory."""

import io
import resource
import struct
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import AssayError, Damaged, Unsupported
from core.models.worker import gguf
from core.models.worker.reading import facts


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


def key(name: str, kind: int, value: bytes) -> bytes:
    return text(name) + struct.pack("<I", kind) + value


def tensor(name: str, shape: tuple[int, ...], kind: int = 0, offset: int = 0) -> bytes:
    return text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)


MODEL = (
    key("general.architecture", 8, text("llama")),
    key("tokenizer.ggml.model", 8, text("gpt2")),
    key("llama.context_length", 4, struct.pack("<I", 128)),
)
TENSOR = tensor("output.weight", (32, 2))


def file(
    keys: tuple[bytes, ...] = MODEL, tensors: tuple[bytes, ...] = (TENSOR,), version: int = 3, data: int = 256
) -> bytes:
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(keys)) + b"".join(keys) + b"".join(tensors)
    return head + bytes(-len(head) % 32) + bytes(data)


def read(content: bytes) -> gguf.Header:
    return gguf.read(io.BytesIO(content), len(content), "x.gguf", (".context_length",))


def problem(content: bytes) -> str | None:
    """The sentence about a file that can't be read; None for one that can."""
    try:
        read(content)
    except (Damaged, Unsupported) as error:
        return str(error)
    return None


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_a_real_model(stories: Path) -> None:
    found = facts(stories)
    assert (found.architecture, found.purpose, found.quantization) == ("llama", "chat", "f32")
    assert (found.parameters, found.context, found.dimensions) == (292_800, 2048, 64)
    assert not found.has_template


@pytest.mark.parametrize("version", [2, 3])
def test_a_minimal_file_is_read(tmp_path: Path, version: int) -> None:
    found = facts(written(tmp_path / "m.gguf", file(version=version)))
    assert (found.context, found.parameters, found.tensors) == (128, 64, 1)


def test_vocabularies_alone_are_usable_for_nothing(shared_data: Path) -> None:
    for path in sorted((shared_data / "models" / "llama.cpp-vocab").glob("*.gguf")):
        with pytest.raises(Unsupported, match="only a vocabulary, without weights"):
            facts(path)


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("gguf-v1-legacy/tinyllamas-stories-260k-f32.gguf", "GGUF version 1"),
        ("whisper-ggml-wrong-format/for-tests-ggml-base.bin", "a Whisper model for speech"),
        ("stories260K/PROVENANCE.txt", "a text, not a model"),
        ("gguf-tiny/single.gguf", "occurs twice"),
        ("gguf-tiny/empty.gguf", "occurs twice"),
    ],
)
def test_other_real_files_are_refused_with_a_sentence(shared_data: Path, place: str, sentence: str) -> None:
    path = shared_data / "models" / place
    with pytest.raises(AssayError, match=sentence) as caught:
        facts(path)
    assert str(caught.value).startswith(f"{path.name}: ")


def test_a_file_cut_anywhere_ends_early(stories: Path, tmp_path: Path) -> None:
    whole = stories.read_bytes()
    cuts = [*range(4, 64), *range(64, 16_000, 331), len(whole) // 2, len(whole) - 4096, len(whole) - 1]
    for cut in cuts:
        with pytest.raises(Damaged, match="ends early"):
            facts(written(tmp_path / "cut.gguf", whole[:cut]))


def test_an_empty_file(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="an empty file"):
        facts(written(tmp_path / "none.gguf", b""))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (file(version=9), "version 9"),
        (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "big-endian"),
        (b"GGUF" + struct.pack("<IQQ", 3, 1, 2**60), "more than any model"),
        (file((*MODEL, MODEL[0])), "occurs twice"),
        (file(tensors=(TENSOR, TENSOR)), "occurs twice"),
        (file((*MODEL, key("a", 77, b""))), "unknown type 77"),
        (file((*MODEL, key("a", 9, struct.pack("<IQ", 0, 2**62)))), "more than any model"),
        (file((*MODEL, key("a", 9, struct.pack("<IQ", 8, 4_000_000)))), "ends early"),
        (file((*MODEL, key("a", 9, struct.pack("<IQ", 9, 1) * 9))), "nested too deeply"),
        (file((*MODEL, text("a") + struct.pack("<IQ", 8, 2**63))), "ends early"),
        (file((*MODEL, key("general.alignment", 4, struct.pack("<I", 33)))), "power of two"),
        (file(tensors=(tensor("t", (2**40, 2**40)),)), "ends early"),
        (file(tensors=(tensor("t", (0, 2)),)), "impossible shape"),
        (file(tensors=(tensor("t", (31, 2), kind=8),)), "impossible shape"),
        (file(tensors=(tensor("t", (32, 2), kind=4000),)), "type 4000"),
        (file(tensors=(tensor("t", (32, 2), offset=7),)), "wrong place"),
        (file(tensors=(tensor("t", (32, 2), offset=2**50),)), "ends early"),
        (file(tensors=(tensor("t", (1, 1, 1, 1, 1)),)), "5 dimensions"),
        (file((*MODEL, key("general.type", 8, text("adapter")))), "an adapter of another kind than LoRA"),
        (file((*MODEL, key("general.type", 8, text("mmproj")))), "a projector that looks at no pictures"),
        (file((key("general.architecture", 8, text("clip")),)), "a projector that looks at no pictures"),
        (
            file(
                (
                    key("general.architecture", 8, text("clip")),
                    key("clip.has_vision_encoder", 7, b"\1"),
                    key("clip.projector_type", 8, text("mlp")),
                ),
                (tensor("v.class_embd", (32,)),),
            ),
            "computes wrongly",
        ),
        (file((*MODEL, key("split.count", 2, struct.pack("<H", 3)))), "one of 3 parts"),
        (file(MODEL[1:]), "no architecture"),
    ],
)
def test_hostile_files_are_refused_with_a_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    with pytest.raises((Damaged, Unsupported), match=sentence):
        facts(written(tmp_path / "x.gguf", content))


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_bytes_after_the_magic_give_a_header_or_a_sentence(rest: bytes) -> None:
    for start in (b"GGUF", b"GGUF" + struct.pack("<I", 3), file()[:40]):
        sentence = problem(start + rest)
        assert sentence is None or sentence.startswith("x.gguf: ")


@given(st.integers(0, 400), st.integers(0, 255))
@settings(max_examples=200, deadline=None)
def test_a_changed_byte_gives_a_header_or_a_sentence(place: int, value: int) -> None:
    content = bytearray(file())
    content[place % len(content)] = value
    sentence = problem(bytes(content))
    assert sentence is None or sentence.startswith("x.gguf: ")


def test_a_header_of_hostile_size_costs_little(tmp_path: Path) -> None:
    long = key("a", 9, struct.pack("<IQ", 8, 1_000_000) + bytes(8) * 1_000_000)
    path = written(tmp_path / "long.gguf", file((*MODEL, long)))
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    assert facts(path).context == 128
    assert time.process_time() - started < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000
