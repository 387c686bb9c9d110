"""What isn't GGUF is named by its content, whatever it is called; a pickle is never loaded."""

import bz2
import gzip
import io
import json
import lzma
import os
import pickle
import pickletools
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest

from core.errors import BadInput, Unsupported
from core.models.records import AddModel
from core.models.service import Models
from core.models.worker import kinds
from core.models.worker.reading import facts


class Trap:
    """Whoever unpickles it makes a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str, int]]:
        return os.mknod, (str(self.mark), 0o600)


def zipped(**members: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/"), content)
    return made.getvalue()


def tarred(content: bytes) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        member = tarfile.TarInfo("data.bin")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return made.getvalue()


def pickled(mark: Path) -> list[bytes]:
    """Checkpoints that would run something, in every form that loaders take."""
    plain = [pickle.dumps({"weights": [1.0, 2.0], "x": Trap(mark)}, protocol) for protocol in range(6)]
    bare = [pickle.dumps(Trap(mark), protocol) for protocol in range(6)]
    archives = [
        zipped(**{"archive__data.pkl": plain[2], "archive__data__0": bytes(64)}),
        zipped(**{"model.gguf": bare[4], "weights.bin": plain[4]}),
    ]
    return [*plain, *bare, *archives]


def test_pickled_checkpoints_are_refused_whatever_they_are_called_and_never_run(models: Models, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    for number, content in enumerate(pickled(mark)):
        assert "a pickled checkpoint" in kinds.sentence(io.BytesIO(content), len(content)), number
    for name, content in zip(("model.gguf", "pytorch_model.bin", "m.ckpt"), pickled(mark)[:3], strict=True):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(Unsupported, match="can run any program hidden in it, so it is never opened"):
            models.add(AddModel(path=str(tmp_path / name)))
    assert models.list() == ()
    assert not mark.exists()
    calls = {operation.name for operation, _, _ in pickletools.genops(pickled(mark)[2])}
    assert "REDUCE" in calls, "the trap would call something"


def header(content: dict[str, object]) -> bytes:
    written = json.dumps(content).encode()
    return struct.pack("<Q", len(written)) + written


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "an empty file"),
        (header({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}) + bytes(4), "safetensors"),
        (struct.pack("<Q", 2**62) + b'{"w": 1}', "not a GGUF file"),
        (b"\x08\x07\x12\x07pytorch\x1a\x052.1.0" + bytes(range(200)), "an ONNX model"),
        (b"\x1c\x00\x00\x00TFL3" + bytes(100), "a TensorFlow Lite model"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "an HDF5 file"),
        (b"\x93NUMPY\x01\x00" + bytes(100), "an array of NumPy"),
        (b"%PDF-1.7\n", "a PDF document"),
        (gzip.compress(b"GGUF"), "gzip"),
        (bz2.compress(b"GGUF"), "bzip2"),
        (lzma.compress(b"GGUF"), "xz"),
        (zipped(**{"model.gguf": b"GGUF"}), "a zip archive"),
        (zipped(**{"model.gguf": b"GGUF"})[:-9], "a damaged zip archive"),
        (tarred(b"GGUF"), "a tar archive"),
        (b"\x7fELF" + bytes(60), "a program"),
        (b"lmgg" + bytes(60), "an old GGML file"),
        (b"tjgg" + bytes(60), "an old GGML file"),
        (b"gguf but small", "a text"),
        ("Die Größe: 5 µm\n".encode() * 400, "a text"),
        (bytes(range(256)) * 4, "not a GGUF file"),
    ],
)
def test_each_format_is_named_in_one_sentence(content: bytes, said: str) -> None:
    sentence = kinds.sentence(io.BytesIO(content), len(content))
    assert said in sentence
    assert sentence.endswith(".")
    assert 1 <= sentence.count(". ") + 1 <= 3


def test_real_files_of_other_formats(models: Models, shared_data: Path) -> None:
    folder = shared_data / "models"
    for place, said in (
        ("whisper-ggml-wrong-format/for-tests-ggml-base.bin", "a Whisper model for speech"),
        ("not-a-lora-adapter/adapter_model.safetensors", "safetensors"),
        ("not-a-lora-adapter/adapter_config.json", "a text"),
        ("chat-templates/google-gemma-2-2b-it.jinja", "a text"),
        ("gguf-v1-legacy/tinyllamas-stories-260k-f32.gguf", "GGUF version 1"),
    ):
        with pytest.raises(Unsupported, match=said):
            facts(folder / place)
    with pytest.raises(BadInput, match="a folder"):
        models.add(AddModel(path=str(folder / "not-a-lora-adapter")))


def test_an_archive_of_very_many_members_costs_little(tmp_path: Path) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for number in range(20_000):
            archive.writestr(f"{number}.json", b"")
    assert "a zip archive" in kinds.sentence(made, made.tell())
