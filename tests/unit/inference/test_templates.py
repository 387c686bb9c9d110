"""Templates: rendered exactly, refused with their line, and unable to do harm."""

import time
from pathlib import Path

import pytest

from core.errors import TemplateError
from core.inference.records import Message
from core.inference.worker import templates
from core.inference.worker.templates import check, render, render_chat, render_messages

TALK = (
    Message(role="system", content="Be brief."),
    Message(role="user", content="What is 2 < 3?"),
)


def test_a_prompt_is_rendered_exactly() -> None:
    text = "Q: {{ question }}\n{% for p in passages %}[{{ loop.index }}] {{ p.text }}\n{% endfor %}"
    values = {"question": "Why <b>?", "passages": [{"text": "one"}, {"text": "two"}]}
    assert render("p", text, values) == "Q: Why <b>?\n[1] one\n[2] two\n"


def test_check_lists_the_variables() -> None:
    assert check("p", "{{ b }} {{ a.c }} {% for x in b %}{{ x }}{% endfor %}{{ range(3) }}") == ("a", "b")


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("one\n{{ two", 2, "end of"),
        ("one\n\n{% if x %}", 3, "endif"),
        ("a\n{{ x | nosuch }}", 2, "nosuch"),
    ],
)
def test_what_is_no_template_is_refused_with_its_line(text: str, line: int, part: str) -> None:
    with pytest.raises(TemplateError) as caught:
        check("The prompt", text)
    assert caught.value.fields["line"] == line
    assert part in str(caught.value)
    assert str(caught.value).startswith(f"The prompt, line {line}: ")


def test_a_missing_variable_is_an_error_with_its_line() -> None:
    with pytest.raises(TemplateError, match="line 3: 'questoin' is undefined"):
        render("p", "one\ntwo\n{{ questoin }}", {"question": "x"})


def test_an_error_names_the_message() -> None:
    with pytest.raises(TemplateError, match=r"Message 2 \(user\), line 1: 'x' is undefined"):
        render_messages((TALK[0], Message(role="user", content="{{ x }}")), {})


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ x.__init__.__globals__ }}",
        "{{ self._TemplateReference__context }}",
        "{{ cycler.__init__.__globals__.os }}",
        "{{ x.append(1) }}",
        "{% include 'x' %}",
        "{{ 'a' * 10**9 }}",
        "{{ 'a' * 1000 * 1000 * 1000 }}",
        "{{ [0] * 10**9 }}",
        "{{ 10 ** 10 ** 9 }}",
        "{% set n = namespace(x=10) %}{% for i in range(40) %}{% set n.x = n.x * n.x %}{% endfor %}{{ n.x }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ '{:>1000000000}'.format(1) }}",
        "{{ 'a'.ljust(10**9) }}",
        "{{ 'a' | center(10**9) }}",
        "{% for i in range(10**9) %}x{% endfor %}",
        "{% for i in range(99999) %}{% for j in range(99999) %}xxxxxxxxxxxxxxx{% endfor %}{% endfor %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{{ " + "(" * 500 + "1" + ")" * 500 + " }}",
    ],
)
def test_a_hostile_template_is_stopped(text: str) -> None:
    started = time.process_time()
    with pytest.raises(TemplateError):
        render("p", text, {"x": [1]})
    assert time.process_time() - started < 10


def test_a_loop_that_does_not_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates, "SECONDS", 0.5)
    with pytest.raises(TemplateError, match="it takes too long"):
        render("p", "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}", {})


def test_a_text_that_doubles_runs_out_of_memory() -> None:
    text = "{% set n = namespace(t='x' * 1000) %}{% for i in range(40) %}{% set n.t = n.t ~ n.t %}{% endfor %}{{ n.t }}"
    with pytest.raises(TemplateError, match="too much memory"):
        render("p", text, {})
    assert render("p", "{{ 1 + 1 }}", {}) == "2"


CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def test_a_chat_template() -> None:
    assert render_chat("t", CHATML, TALK, "<s>", "</s>") == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWhat is 2 < 3?<|im_end|>\n<|im_start|>assistant\n"
    )


def test_a_chat_template_that_refuses() -> None:
    text = "{{ bos_token }}\n{% if messages[0].role == 'system' %}\n{{ raise_exception('no system turn') }}{% endif %}"
    with pytest.raises(TemplateError, match="line 3: the template refuses: no system turn"):
        render_chat("t", text, TALK, "<s>", "</s>")


def test_the_date_is_fixed() -> None:
    assert render_chat("t", "{{ strftime_now('%Y-%m-%d') }}", TALK, "", "") == "2026-01-01"


NEED_TOOLS = ("CohereForAI-c4ai-command-r-plus", "NousResearch-Hermes", "fireworks-ai-llama-3-firefunction")


def test_real_chat_templates_are_rendered_or_refused_with_a_line(shared_data: Path) -> None:
    folder = shared_data / "models" / "chat-templates"
    talk = (Message(role="user", content="ping-2<3"), Message(role="assistant", content="pong"), TALK[1])
    rendered = 0
    for path in sorted(folder.glob("*.jinja")):
        source = path.read_text(encoding="utf-8")
        if path.name.startswith(NEED_TOOLS):
            with pytest.raises(TemplateError, match=rf"{path.name}, line \d\d+: "):
                render_chat(path.name, source, talk, "<bos>", "<eos>")
            continue
        text = render_chat(path.name, source, talk, "<bos>", "<eos>")
        assert text.index("ping-2<3") < text.index("pong") < text.index("What is 2 < 3?"), path.name
        rendered += 1
    assert rendered > 10
