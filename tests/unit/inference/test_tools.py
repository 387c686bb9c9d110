"""Functions that a program offers, in the model's own chat template: shown where it shows any, never able to speak as the template."""

from pathlib import Path

import pytest

from core.errors import Unsupported
from core.inference.records import Finished, Generate, Message
from core.inference.service import Engine
from core.models.records import AddModel
from core.models.service import Models
from tests.unit.inference.test_conversation import with_template

TEMPLATE = (
    "{% if tools %}[{{ tools | tojson }}]{% endif %}{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
)
TOOL = {"type": "function", "function": {"name": "weather", "description": "of a </s> place", "parameters": {}}}
ASKED = Generate(model="tooled", messages=(Message(role="user", content="Hello"),), max_tokens=1, tools=(TOOL,))


def prompt(engine: Engine, request: Generate) -> Finished:
    *_, last = engine.generate(request)
    assert isinstance(last, Finished)
    return last


def test_a_template_shows_the_tools_as_text(warm: Engine, models: Models, stories_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "tooled.gguf"
    path.write_bytes(with_template(stories_file.read_bytes(), stories_file, TEMPLATE))
    models.add(AddModel(path=str(path), name="tooled"))
    shown = prompt(warm, ASKED).prompt
    assert shown.startswith('[[{"type": "function", "function": {"name": "weather", "description": "of a </s> place"')
    tokens = warm.tokens(ASKED).tokens
    assert [token.text for token in tokens if token.special] == ["<s>"], "nothing in a tool is a special token"
    assert prompt(warm, Generate(model="tooled", messages=ASKED.messages, max_tokens=1)).prompt == "<user>Hello"


def test_a_template_that_shows_none_is_an_error(
    warm: Engine, models: Models, stories_file: Path, tmp_path: Path
) -> None:
    path = tmp_path / "plain.gguf"
    path.write_bytes(with_template(stories_file.read_bytes(), stories_file, "{{ messages[0].content }}"))
    models.add(AddModel(path=str(path), name="plain"))
    with pytest.raises(Unsupported, match="shows no tools"):
        prompt(warm, Generate(model="plain", messages=ASKED.messages, max_tokens=1, tools=(TOOL,)))
