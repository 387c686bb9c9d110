"""Templates that try to reach Python's insides, to change what they were given, or to keep the worker busy. Each costs one error."""

import re
import sys
import time

import pytest

from core.errors import TemplateError
from core.inference.records import Message
from core.inference.worker import templates
from core.inference.worker.templates import render, render_chat

TALK = (Message(role="system", content="Be brief."), Message(role="user", content="Why?"))

ESCAPES = [
    "{{ ''|attr('__class__') }}",
    "{{ ''['__class__'] }}",
    "{{ messages|map(attribute='__class__')|list }}",
    "{{ [messages]|map(attribute='append')|list }}",
    "{{ messages|sort(attribute='__class__') }}",
    "{{ messages|groupby('__class__') }}",
    "{{ '{0.__class__}'.format(messages) }}",
    "{{ '{a.__class__}'.format_map({'a': messages}) }}",
    "{{ ('{0.__class__}'|string).format(1) }}",
    "{{ range.__globals__ }}",
    "{{ raise_exception.__globals__ }}",
    "{{ strftime_now.__closure__ }}",
    "{{ (messages|map('upper')).gi_frame.f_globals }}",
    "{% macro m() %}{% endmacro %}{{ m._environment }}",
    "{% macro m() %}{% endmacro %}{{ m.__init__.__globals__ }}",
    "{% for x in [1] %}{{ loop._iterator }}{% endfor %}",
    "{% for x in [1] %}{{ loop.__init__.__globals__ }}{% endfor %}",
    "{{ joiner().__init__.__globals__ }}",
    "{{ namespace().__init__.__globals__ }}",
    "{{ namespace(__class__=1) }}",
    "{{ namespace(__html__=1) }}",
    "{{ namespace({'__call__': 1}) }}",
    "{% set n = namespace() %}{% set n.__class__ = 1 %}",
    "{{ dict.__base__.__subclasses__() }}",
    "{{ dict.mro() }}",
    "{{ (1).__class__ }}",
    "{{ messages.__reduce_ex__(2) }}",
    "{{ self.__init__ }}{{ self._TemplateReference__context.name }}",
    "{% import 'x' as x %}",
    "{% extends 'x' %}",
    "{{ lipsum.__globals__ }}",
    "{{ url_for.__globals__ }}",
]


@pytest.mark.parametrize("text", ESCAPES)
def test_no_way_leads_to_pythons_insides(text: str) -> None:
    try:
        found = render_chat("t", text, TALK, "", "")
    except TemplateError:
        return
    assert not {"<", "class", "method", "built-in"} & set(re.findall(r"<|\w+(?:-\w+)?", found)), found


@pytest.mark.parametrize(
    "text",
    [
        "{{ messages.append(1) }}",
        "{{ messages.clear() }}",
        "{{ messages.sort() }}",
        "{{ messages[0].update({'role': 'user'}) }}",
        "{{ messages[0].pop('role') }}",
        "{{ messages[0].setdefault('x', 1) }}",
        "{{ dict.update(messages[0], {'role': 'user'}) }}",
        "{{ dict.pop(messages[0], 'role') }}",
        "{{ messages|map('pop')|list }}{{ messages[0].popitem() }}",
        "{% set messages[0].role = 'user' %}",
    ],
)
def test_what_was_given_is_not_changed(text: str) -> None:
    with pytest.raises(TemplateError):
        render_chat("t", text, TALK, "", "")


SLOW = [
    "{{ 1 | round(1000000000, 'floor') }}",
    "{{ 1.5 | round(-1000000000, 'ceil') }}",
    "{{ ('f' * 2000000) | int(0, 16) }}",
    "{{ (1).from_bytes(('a' * 2000000).encode(), 'big') }}",
    "{{ (1).to_bytes(1000000000, 'big') }}",
    "{{ 'a'.encode().ljust(1000000000) }}",
    "{{ ['a'] | batch(1000000000, 'x') | list }}",
    "{{ 'a' | indent(1000000000) | length }}{{ [1] | tojson(indent=1000000000) }}",
    "{{ ('a' * 2000000) | replace('a', 'a' * 2000000) }}",
    "{{ ('a' * 2000000) | list | join('a' * 2000000) }}",
    "{% set n = namespace(x=[]) %}{% for i in range(100000) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x }}",
    "{% set n = namespace(x=[]) %}{% for i in range(100000) %}{% set n.x = [n.x] %}{% endfor %}{{ n.x | tojson }}",
    "{% for m in messages %}" * 30 + "{% endfor %}" * 30,
    "{% if true %}" * 2000 + "{% endif %}" * 2000,
    "{{ " + "not " * 20_000 + "1 }}",
    "{{ " + "[" * 5000 + "]" * 5000 + " }}",
    "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}",
    "{% for i in range(100000) recursive %}{{ loop([i]) }}{% endfor %}",
    "{{ range(10 ** 60) | length }}",
    "{{ range(0, -100000000, -1) | list }}",
    "{% set n = namespace(x=9) %}{% for i in range(99) %}{% set n.x = n.x * n.x %}{% endfor %}{{ n.x }}",
    "{{ 'x' * 600000 }}" * 4,
]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates, "SECONDS", 1.0)


@pytest.mark.parametrize("text", SLOW, ids=range(len(SLOW)))
def test_no_template_keeps_the_worker_busy(text: str) -> None:
    began = time.process_time()
    with pytest.raises(TemplateError) as caught:
        render_chat("t", text, TALK, "", "")
    assert time.process_time() - began < 5, "several times what the alarm gives"
    assert len(str(caught.value)) < 500
    assert render("p", "{{ 1 + 1 }}", {}) == "2"


def test_a_date_of_any_form_is_short() -> None:
    for form in ("%999999999Y", "%-d" * 100_000):
        try:
            found = render_chat("t", f"{{{{ strftime_now('{form}') }}}}", TALK, "", "")
        except TemplateError:
            continue
        assert len(found) < templates.LARGEST


def test_a_template_that_is_too_long_is_not_read() -> None:
    with pytest.raises(TemplateError, match="too long"):
        render_chat("t", "x" * (templates.LONGEST_SOURCE + 1), TALK, "", "")


def test_what_authors_use_works() -> None:
    text = (
        "{% set ns = namespace(n=0, a={'b': 1}) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}"
        "{% generation %}{{ m.content }}{% endgeneration %};{% endfor %}{{ ns.n }} {{ ns.a.b }} {{ dict(x=1) | tojson }} "
        "{{ '7' | int }} {{ 2.55 | round(1) }} {{ {'b': 1, 'a': '<é>'} | tojson(indent=1, sort_keys=true) }} "
        "{{ dict.fromkeys([1], 2) }} {{ [1, 2] | tojson(separators=(',', ':')) }}"
    )
    expected = 'Be brief.;Why?;2 1 {"x": 1} 7 2.5 {\n "a": "<é>",\n "b": 1\n} {1: 2} [1,2]'
    assert render_chat("t", text, TALK, "", "").replace("2.6", "2.5") == expected


@pytest.mark.skipif(sys.platform != "linux", reason="the memory bound needs Linux")
def test_a_list_that_doubles_runs_out_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates, "SECONDS", 600.0)  # the alarm counts the time that others' work takes too
    text = "{% set n = namespace(x=[1] * 1000) %}{% for i in range(40) %}{% set n.x = n.x + n.x %}{% endfor %}"
    with pytest.raises(TemplateError, match="too much memory"):
        render_chat("t", text, TALK, "", "")
