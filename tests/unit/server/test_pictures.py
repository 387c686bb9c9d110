"""Pictures in a chat: sent as others' client sends them, seen, traced by their digest, and refused where they can't be."""

import base64
import hashlib
from typing import Any

import openai
import pytest

from core.models.records import AddModel
from core.workbench import Workbench
from tests.golden import seeing
from tests.unit.models.test_converting import convert

PICTURE = seeing.picture()


@pytest.fixture(scope="module")
def seer(bench: Workbench, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A small model that sees."""
    place = tmp_path_factory.mktemp("seer")
    convert(seeing.write_base(place / "base"), place / "seer.gguf")
    bench.models.add(AddModel(path=str(seeing.write_projector(place / "eyes.gguf")), name="eyes"))
    return bench.models.add(AddModel(path=str(place / "seer.gguf"), name="seer")).name


def shown(url: str = "", **words: Any) -> list[Any]:
    address = url or f"data:image/png;base64,{base64.b64encode(PICTURE).decode()}"
    picture = {"type": "image_url", "image_url": {"url": address} | words}
    return [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, picture]}]


def test_a_picture_is_seen_and_its_digest_kept(bench: Workbench, client: openai.OpenAI, seer: str) -> None:
    with_it = client.chat.completions.create(model=seer, messages=shown(), max_tokens=4, seed=1)
    without = client.chat.completions.create(
        model=seer, messages=[{"role": "user", "content": "What is it?"}], max_tokens=4, seed=1
    )
    assert with_it.usage is not None
    assert without.usage is not None
    assert with_it.usage.prompt_tokens > without.usage.prompt_tokens
    kept = [call for _, call in bench.api_calls.list()[:2]]
    assert any(f"SHA-256 {hashlib.sha256(PICTURE).hexdigest()}]What is it?" in str(call) for call in kept)


@pytest.mark.parametrize(
    ("messages", "says"),
    [
        (shown("https://example.test/cat.png"), "nothing is fetched"),
        (shown("data:text/html;base64,AAAA"), "nothing is fetched"),
        (shown("data:image/png;base64,not*base64"), "isn't base64"),
        (shown(detail="high"), "detail"),
        (shown(f"data:image/png;base64,{base64.b64encode(b'nothing').decode()}"), "can't be read"),
        ([*shown(), {"role": "assistant", "content": "A cat."}, {"role": "user", "content": "And?"}], "last message"),
        ([{"role": "system", "content": shown()[0]["content"]}, {"role": "user", "content": "So?"}], "last message"),
    ],
)
def test_what_is_no_picture_here_is_told(client: openai.OpenAI, seer: str, messages: list[Any], says: str) -> None:
    with pytest.raises(openai.BadRequestError, match=says):
        client.chat.completions.create(model=seer, messages=messages, max_tokens=4)


def test_a_model_without_eyes_and_a_collection_say_so(client: openai.OpenAI, stories: str, seer: str) -> None:
    with pytest.raises(openai.BadRequestError, match="asked in words"):
        client.chat.completions.create(model="collection:towers", messages=shown(), max_tokens=4)
    with pytest.raises(openai.APIStatusError):
        client.chat.completions.create(model=stories, messages=shown(), max_tokens=4)
