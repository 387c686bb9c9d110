"""An answer that is asked for as a whole is the one that streams, in one piece."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from core.errors import Cancelled, ContextExceeded, InvalidAnswer
from core.inference.records import Complete, Finished, Generate, Message, Token
from core.inference.service import Engine
from core.inference.worker import templates
from core.inference.worker.generation import Chat
from core.inference.worker.templates import render, render_chat
from core.models.records import FAKE
from tests.unit.inference.test_generation import Asked, chat  # noqa: F401 (a fixture)

Parts = tuple[str, tuple[object, ...], Finished]


def told(engine: Engine, request: Generate | Complete) -> tuple[int, Parts]:
    """How many pieces came, and the whole without its times."""
    *tokens, last = engine.generate(request)
    assert isinstance(last, Finished)
    pieces = [token for token in tokens if isinstance(token, Token)]
    choices = tuple(choice for piece in pieces for choice in piece.choices)
    end = replace(last, seconds=0.0, first_token_seconds=0.0, shared_tokens=0)
    return len(pieces), ("".join(piece.text for piece in pieces), choices, end)


def asked(model: str, **settings: object) -> Generate:
    return Generate(
        model=model,
        messages=(Message(role="text", content="Once upon a time"),),
        **({"max_tokens": 24} | settings),  # type: ignore[arg-type]
    )


SETTINGS = ({}, {"stop": ("little",)}, {"temperature": 0.8, "seed": 3}, {"mode": "fast"}, {"log_probabilities": 2})


@pytest.mark.parametrize("settings", SETTINGS)
def test_it_is_the_streamed_one(warm: Engine, stories: str, settings: dict[str, object]) -> None:
    request = asked(stories, **settings)
    _, streamed = told(warm, request)
    assert told(warm, Complete(request=request)) == (1, streamed)


def test_the_built_in_model_does_so_too(warm: Engine) -> None:
    request = asked(FAKE)
    pieces, streamed = told(warm, request)
    assert pieces > 3
    assert told(warm, Complete(request=request)) == (1, streamed)
    assert told(warm, Complete(request=replace(request, stop=(streamed[0][0],))))[0] == 0, "nothing was written"


def test_its_errors_are_the_same(warm: Engine, stories: str) -> None:
    with pytest.raises(ContextExceeded):
        list(warm.generate(Complete(request=asked(stories, max_tokens=100_000))))
    form = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    with pytest.raises(InvalidAnswer):
        list(warm.generate(Complete(request=asked(stories, schema=form, max_tokens=2))))


@pytest.mark.parametrize("mode", ["reproducible", "fast"])
def test_it_ends_when_it_is_given_up(chat: Chat, mode: str) -> None:  # noqa: F811
    with pytest.raises(Cancelled):
        chat.complete(Complete(request=asked("stories", max_tokens=1500, mode=mode)), Asked(60))  # type: ignore[arg-type]


def test_a_template_that_is_kept_compiled_renders_what_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates, "_CODE", {})
    text = "{% set n = namespace(x=0) %}{% set n.x = n.x + 1 %}{{ n.x }}{{ a }}"
    assert [render("p", text, {"a": value}) for value in ("b", "c", "b")] == ["1b", "1c", "1b"]
    assert render_chat("p", text, (), "", "") == "1", "what has no value is empty here, and an error there"
    with pytest.raises(templates.TemplateError, match="'a' is undefined"):
        render("p", text, {})
    for number in range(3 * templates.KEPT):
        assert render("p", f"{{{{ a }}}} {number}", {"a": "x"}) == f"x {number}"
    assert len(templates._CODE) <= templates.KEPT


def test_a_template_with_a_mistake_is_told_each_time(tmp_path: Path) -> None:
    for source in ("first", "second"):
        with pytest.raises(templates.TemplateError, match=f"{source}, line 2"):
            render(source, "a\n{{ b", {})
