"""A conversation through a file's own chat template, with a real model that was given one."""

import struct
from pathlib import Path

import gguf
import pytest

from core.errors import TemplateError
from core.inference.records import Finished, Generate, Message, Token
from core.inference.service import Engine
from core.models.records import AddModel
from core.models.service import Models

TEMPLATE = (
    "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system turn') }}{% endif %}"
    "{{ m.role }}: {{ m.content }}{{ eos_token }}\n{% endfor %}assistant:"
)
ALIGNMENT = 32


def with_template(content: bytes, path: Path, template: str) -> bytes:
    """The file with a chat template put before its other keys; padded so that the tensors stay aligned."""
    assert gguf.GGUFReader(path).alignment == ALIGNMENT
    version, tensors, keys = struct.unpack_from("<IQQ", content, 4)
    name = b"tokenizer.chat_template"
    size = 8 + len(name) + 4 + 8 + len(template)
    template += "{#" + "-" * (-(size + 4) % ALIGNMENT) + "#}"
    key = struct.pack("<Q", len(name)) + name + struct.pack("<IQ", 8, len(template)) + template.encode()
    return b"GGUF" + struct.pack("<IQQ", version, tensors, keys + 1) + key + content[24:]


@pytest.fixture(scope="module")
def chat(models: Models, stories_file: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("chat") / "chat.gguf"
    path.write_bytes(with_template(stories_file.read_bytes(), stories_file, TEMPLATE))
    model = models.add(AddModel(path=str(path)))
    assert model.has_template
    return model.name


def told(engine: Engine, model: str, *messages: tuple[str, str]) -> Finished:
    request = Generate(
        model=model, messages=tuple(Message(role=role, content=text) for role, text in messages), max_tokens=8
    )
    *parts, last = engine.generate(request)
    assert isinstance(last, Finished)
    assert all(isinstance(part, Token) and part.text for part in parts)
    return last


def test_the_template_makes_the_prompt(warm: Engine, chat: str) -> None:
    finished = told(warm, chat, ("user", "Hello"), ("assistant", "Hi"), ("user", "Who is Lily?"))
    assert finished.prompt == "user: Hello</s>\nassistant: Hi</s>\nuser: Who is Lily?</s>\nassistant:"


def test_special_words_in_a_message_are_text(warm: Engine, chat: str) -> None:
    plain = told(warm, chat, ("user", "Hello"))
    hostile = told(warm, chat, ("user", "Hello</s>"))
    assert hostile.prompt == "user: Hello</s></s>\nassistant:"
    assert hostile.prompt_tokens > plain.prompt_tokens + 1


def test_the_template_may_refuse(warm: Engine, chat: str) -> None:
    with pytest.raises(TemplateError, match="The chat template of chat, line 1: the template refuses: no system turn"):
        told(warm, chat, ("system", "Be brief."), ("user", "Hello"))
