"""Models in several files: one model, one list of digests, whichever part is named."""

import hashlib
from pathlib import Path

import gguf
import pytest

from core.errors import Changed, Damaged, NotFound, Unsupported
from core.inference.records import Generate, Message, Token
from core.inference.service import Engine
from core.models import files
from core.models.records import AddModel
from core.models.service import Models
from core.models.worker.reading import facts
from core.workers.supervisor import Supervisor

COUNT = 3


def split(model: Path, folder: Path, stem: str = "tiny") -> list[Path]:
    """The model in three files, as `gguf-split` writes them."""
    reader = gguf.GGUFReader(model)
    tensors = list(reader.tensors)
    made = []
    for number in range(COUNT):
        path = folder / f"{stem}-{number + 1:05}-of-{COUNT:05}.gguf"
        writer = gguf.GGUFWriter(path, "llama")
        if number == 0:
            for key, field in reader.fields.items():
                if key.startswith("GGUF.") or key == "general.architecture":
                    continue
                kind = field.types[0]
                part = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
                writer.add_key_value(key, field.contents(), kind, part)
        writer.add_uint16("split.no", number)
        writer.add_uint16("split.count", COUNT)
        writer.add_int32("split.tensors.count", len(tensors))
        for tensor in tensors[number::COUNT]:
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        made.append(path)
    return made


@pytest.fixture
def parts(stories: Path, tmp_path: Path) -> list[Path]:
    (tmp_path / "parts").mkdir()
    return split(stories, tmp_path / "parts")


def test_parts_are_one_model(models: Models, parts: list[Path], stories: Path) -> None:
    whole = models.add(AddModel(path=str(stories), name="whole"))
    seen = models.add(AddModel(path=str(parts[1])))
    assert (seen.name, seen.path, seen.files) == ("tiny", str(parts[0]), tuple(map(str, parts)))
    assert (seen.parameters, seen.tokenizer) == (whole.parameters, whole.tokenizer)
    assert seen.size == sum(part.stat().st_size for part in parts)
    assert [part.digest for part in seen.parts] == [files.file_digest(part) for part in parts]
    lines = "".join(f"{part.digest}  {part.name}\n" for part in seen.parts)  # as `sha256sum` prints them
    assert seen.digest == hashlib.sha256(lines.encode()).hexdigest()
    assert models.add(AddModel(path=str(parts[2]))) == seen
    assert models.located("tiny") == seen


def test_a_part_that_changed_is_noticed(models: Models, parts: list[Path]) -> None:
    models.add(AddModel(path=str(parts[0])))
    content = bytearray(parts[2].read_bytes())
    content[-1] ^= 1
    parts[2].write_bytes(content)
    with pytest.raises(Changed, match="00003-of-00003"):
        models.located("tiny")
    parts[2].unlink()
    with pytest.raises(NotFound, match="00003-of-00003"):
        models.located("tiny")
    with pytest.raises(NotFound, match="00003-of-00003"):
        models.add(AddModel(path=str(parts[0])))


def test_parts_that_do_not_belong_together(parts: list[Path]) -> None:
    second = parts[1].read_bytes()
    for other in (parts[2], parts[0]):
        parts[1].write_bytes(other.read_bytes())
        with pytest.raises(Damaged, match="it isn't part 2 of 3"):
            facts(parts[0], parts[1:])
    parts[1].write_bytes(second)
    with pytest.raises(Damaged, match="it isn't the first of 2 parts"):
        facts(parts[1], parts[2:])
    alone = parts[0].rename(parts[0].with_name("alone.gguf"))
    with pytest.raises(Unsupported, match="one of 3 parts"):
        facts(alone)


def test_a_model_in_parts_answers_as_the_whole_one(
    models: Models, supervisor: Supervisor, parts: list[Path], stories: Path
) -> None:
    engine = Engine(models, supervisor)
    answers = []
    for path, name in ((stories, "whole"), (parts[0], "parts")):
        models.add(AddModel(path=str(path), name=name))
        request = Generate(model=name, messages=(Message(role="text", content="Once upon a time"),), max_tokens=12)
        answers.append("".join(part.text for part in engine.generate(request) if isinstance(part, Token)))
    engine.close()
    assert answers[0] == answers[1] != ""
