"""Real chat templates give the very text that `transformers` gives, and refuse where it refuses."""

import json
from pathlib import Path

import pytest

from core.errors import TemplateError
from core.inference.records import Message
from core.inference.worker.templates import render_chat
from tests.golden import conversations
from tests.golden.conversations import CONVERSATIONS, FIRST, LAST, REFUSED, STORED, digest

GOLDEN = json.loads(STORED.read_text(encoding="utf-8"))


def ours(path: Path, name: str) -> str | None:
    """The text; None where the template refuses."""
    conversation = CONVERSATIONS[name]
    messages = tuple(Message(role=turn["role"], content=turn["content"]) for turn in conversation["messages"])
    more = {key: conversation[key] for key in ("tools", "documents") if key in conversation}
    try:
        return render_chat(path.name, path.read_text(encoding="utf-8"), messages, FIRST, LAST, **more)
    except TemplateError:
        return None


def templates(shared_data: Path) -> list[Path]:
    return sorted((shared_data / "models" / "chat-templates").glob("*.jinja"))


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_each_template_gives_the_recorded_text(shared_data: Path, name: str) -> None:
    texts = {path.name: ours(path, name) for path in templates(shared_data)}
    found = {source: REFUSED if text is None else digest(text) for source, text in texts.items()}
    assert found == GOLDEN[name]


def test_what_is_recorded_says_something() -> None:
    assert set(GOLDEN) == set(CONVERSATIONS)
    for name, found in GOLDEN.items():
        assert len(found) == 17, name
        assert list(found.values()).count(REFUSED) <= 6, f"{name}: most templates render it"
    assert len({text for found in GOLDEN.values() for text in found.values()}) > 80


@pytest.mark.slow
def test_each_template_gives_what_transformers_gives_now(shared_data: Path) -> None:
    pytest.importorskip("transformers")
    for path in templates(shared_data):
        for name, conversation in CONVERSATIONS.items():
            text = conversations.by_transformers(path.read_text(encoding="utf-8"), conversation)
            assert ours(path, name) == text, (path.name, name)
