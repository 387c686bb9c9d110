"""What a question is asked with on the command line: pictures, adapters, layers on a graphics card."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from core.cli.asking import adapter_uses, values_of
from core.cli.documents import contract_lines
from core.cli.main import share
from core.errors import BadInput
from core.inference.records import AdapterUse
from core.models.records import AddModel
from core.workbench import Workbench
from tests.golden import seeing
from tests.unit.cli.people import Person
from tests.unit.evals.scoring.answers import answered
from tests.unit.inference import loras
from tests.unit.models.test_converting import convert


@pytest.fixture
def ines(bench: Workbench, person: Callable[..., Person], tmp_path: Path) -> Person:
    convert(seeing.write_base(tmp_path / "base"), tmp_path / "seer.gguf")
    bench.models.add(AddModel(path=str(tmp_path / "seer.gguf"), name="seer"))
    bench.models.add(AddModel(path=str(seeing.write_projector(tmp_path / "eyes.gguf")), name="eyes"))
    adapter = loras.written(tmp_path / "style.gguf", loras.pairs(tmp_path / "seer.gguf", 1))
    bench.models.add(AddModel(path=str(adapter), name="style"))
    share(bench)
    return person("ines")


def test_a_picture_is_asked_about_without_a_collection(ines: Person, tmp_path: Path) -> None:
    picture = tmp_path / "tower.png"
    picture.write_bytes(seeing.picture())
    asked = ("ask", "What is it?", "--model", "seer", "--max-tokens", "3", "--picture", str(picture), "--json")
    assert ines(*asked, "--gpu-layers", "0", "--adapter", "style:0.5") == 0, ines.errors
    found = json.loads(ines.output)
    assert found["pictures"] == [hashlib.sha256(seeing.picture()).hexdigest()]
    assert (found["model"], found["citations"], found["adapters"]) == ("seer", [], [{"model": "style", "scale": 0.5}])


def test_what_can_not_be_asked_is_refused(ines: Person, tmp_path: Path) -> None:
    assert ines("ask", "What is it?", "--model", "seer") == 2
    assert "Pictures need no collection" in ines.errors
    assert ines("ask", "What?", "--model", "seer", "--picture", str(tmp_path / "absent.png")) == 8
    picture = tmp_path / "tower.png"
    picture.write_bytes(b"no picture")
    assert ines("ask", "What?", "--model", "seer", "--picture", str(picture)) == 8
    picture.write_bytes(seeing.picture())
    assert ines("ask", "What?", "--picture", str(picture)) == 8
    assert "quotes sees none" in ines.errors
    assert ines("ask", "What?", "--picture", str(picture), "--gpu-layers", "1") == 2
    assert "--gpu-layers needs a chat model" in ines.errors
    assert ines("ask", "What?", "--model", "seer", "--picture", str(picture), "--adapter", "absent:0.5") == 6
    assert ines("ask", "What?", "--model", "seer", "--picture", str(picture), "--adapter", "x:much") == 8


def test_adapters_are_written_with_their_scales() -> None:
    assert adapter_uses(("a", "b:0.5")) == (AdapterUse(model="a"), AdapterUse(model="b", scale=0.5))
    with pytest.raises(BadInput, match="a number"):
        adapter_uses(("a:much",))


def test_values_are_written_with_their_names() -> None:
    assert values_of(("tone=plain", "rule=a = b")) == {"tone": "plain", "rule": "a = b"}
    for wrong in (("tone",), ("=x",), ("a=1", "a=2")):
        with pytest.raises(BadInput, match="--value"):
            values_of(wrong)


def test_a_prompts_variables_are_filled_on_the_line(bench: Workbench, person: Callable[..., Person]) -> None:
    share(bench)
    ines = person("ines")
    (ines.folder / "toned.yaml").write_text(TONED)
    assert ines("prompt", "save", "toned", "--file", "toned.yaml") == 0, ines.errors
    assert ines("assistant", "create", "toned", "--model", "fake", "--prompt", "toned@1", "--max-tokens", "4") == 0
    ask = ("ask", "--assistant", "toned", "How many floors?", "--json")
    assert ines(*ask, "--value", "tone=formal") == 0, ines.errors
    found = json.loads(ines.output)
    assert (found["values"], found["contract"], found["broken"]) == ({"tone": "formal"}, None, "")
    assert ines(*ask, "--value", "tone=loud") == 8
    assert "none of plain, formal" in ines.errors
    assert ines(*ask) == 8
    assert "it has no value" in ines.errors
    assert ines("ask", "towers", "How many floors?", "--value", "tone=plain") == 8
    assert "asked without one" in ines.errors


def test_a_broken_contract_is_said_below_the_answer() -> None:
    broken = answered("maybe", contract="broken", broken="it is none of nine, ten.")
    assert contract_lines(broken) == ["The answer breaks the prompt's contract: it is none of nine, ten."]
    assert contract_lines(answered("nine", contract="kept")) == []


TONED = """name: toned
variables:
  - {name: tone, kind: choice, choices: [plain, formal]}
messages:
  - {role: user, content: "{{ tone }}: {{ question }}"}
"""
