"""Jinja in a sandbox. A template is untrusted code, whether a person wrote it or a model file brought it.

Rules: no attribute that reaches Python's insides, no changing of what it was given, no file, no include. Time, memory and output are
bounded: an alarm stops a loop, the address space may grow by `MEMORY` only, a product of a text and a number is refused above `LARGEST`, and
no number grows so large that one operation on it outlasts the alarm.
(The alarm and the memory bound need Linux and the process's main thread; elsewhere the caller's own time limit ends the worker.)
A prompt's variable that has no value is an error with its line, never an empty text. A model's own template is rendered as its authors'
tools do: undefined names are empty, `raise_exception`, `strftime_now`, `tojson` and the tag `generation` are there.
"""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final

import jinja2
from jinja2 import StrictUndefined, meta, nodes
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from core.errors import TemplateError
from core.inference.records import Message
from core.records import Json

SECONDS: Final = 5.0
LARGEST: Final = 2_000_000
"""Characters that a template may put out; no model's window holds that many."""
LARGEST_EXPONENT: Final = 64
LARGEST_NUMBER: Final = 4096
"""Bits of a product."""
LONGEST_SOURCE: Final = 500_000
LONGEST_RANGE: Final = 100_000
KEPT: Final = 32
"""Templates that are kept compiled."""
LONGEST_KEPT: Final = 50_000
"""Characters of one that is."""
MEMORY: Final = 256 * 1024 * 1024
FIXED_DATE: Final = datetime(2026, 1, 1)
"""What `strftime_now` gives in reproducible mode, so that a prompt is the same tomorrow."""
_CODE: Final[dict[tuple[type[jinja2.Undefined], bool, str], CodeType]] = {}
_NO_FILTERS: Final = ("center", "format", "pprint", "random", "urlize", "wordwrap", "xmlattr")
"""Those that make much from little, that are never the same twice, or that are about HTML."""
_NO_ATTRIBUTES: Final = ("format", "format_map", "center", "ljust", "rjust", "zfill", "expandtabs")
_MOST_PLACES: Final = 100
_FILE: Final = "<template>"
_FAULTS: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)
"""What a template can make Python raise, compiled or run."""
_TOO_LONG: Final = "it takes too long. Look for a loop that doesn't end."
_TOO_LARGE: Final = f"its output is over {LARGEST:,} characters. Look for a loop that repeats too often."
_TOO_MUCH: Final = "it needs too much memory. Look for a text that doubles in a loop."


class _TooLong(BaseException):
    """The alarm rang. No template can catch it."""


class _Raised(Exception):
    """The template itself raised an error."""


class _Generation(Extension):
    """`{% generation %}…{% endgeneration %}`, by which authors mark what a model is trained to write: the inside, as it stands."""

    tags = {"generation"}  # noqa: RUF012 (declared so by Jinja)

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class _Dict:
    """`dict(…)` and `dict.fromkeys(…)`. The type itself would also bring its methods, which change any dictionary."""

    def __call__(self, *given: Any, **named: Any) -> dict[Any, Any]:
        return dict(*given, **named)

    def fromkeys(self, *given: Any) -> dict[Any, Any]:
        return dict.fromkeys(*given)


class _Namespace(jinja2.utils.Namespace):
    """Jinja's, without names that Python gives a meaning."""

    def __init__(*given: Any, **named: Any) -> None:
        self, *rest = given
        jinja2.utils.Namespace.__init__(self)
        for name, value in dict(*rest, **named).items():
            self[name] = value

    def __setitem__(self, name: str, value: Any) -> None:
        if str(name).startswith("_"):
            raise SecurityError(f"the name {str(name)[:40]} in a namespace")
        super().__setitem__(name, value)


class _Sandbox(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset(("*", "**", "%"))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if reason := _refused(operator, left, right):
            raise SecurityError(reason)
        return super().call_binop(context, operator, left, right)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if isinstance(obj, str | bytes) and attr in _NO_ATTRIBUTES:
            return False
        if isinstance(obj, int) or obj is int:  # numbers of millions of bits, from bytes
            return False
        return super().is_safe_attribute(obj, attr, value)


def _refused(operator: str, left: Any, right: Any) -> str:
    """Why an operation is not done: its result would be huge. Empty where it is."""
    if operator == "%":
        return "formatting with %; use ~ to join texts" if isinstance(left, str) else ""
    if operator == "**":
        return "a power this large" if abs(left) > LARGEST or abs(right) > LARGEST_EXPONENT else ""
    if isinstance(left, int) and isinstance(right, int):
        return "a number this large" if left.bit_length() + right.bit_length() > LARGEST_NUMBER else ""
    for text, times in ((left, right), (right, left)):
        if isinstance(text, str | list | tuple) and isinstance(times, int) and len(text) * times > LARGEST:
            return "a repetition this long"
    return ""


def _range(*bounds: int) -> range:
    numbers = range(*bounds)
    if len(numbers) > LONGEST_RANGE:
        raise SecurityError(f"a range of over {LONGEST_RANGE:,} numbers")
    return numbers


def _environment(undefined: type[jinja2.Undefined], trim: bool) -> _Sandbox:
    made = _Sandbox(
        undefined=undefined, trim_blocks=trim, lstrip_blocks=trim, keep_trailing_newline=not trim, autoescape=False
    )
    made.add_extension(loopcontrols)
    made.add_extension(_Generation)
    made.globals.clear()
    made.globals.update(range=_range, dict=_Dict(), namespace=_Namespace, joiner=jinja2.utils.Joiner)
    made.globals["cycler"] = jinja2.utils.Cycler
    made.filters.update(tojson=_to_json, indent=_indent, int=_int, round=_round)
    for name in _NO_FILTERS:
        del made.filters[name]
    return made


def _to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | str | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    if isinstance(indent, int) and indent > _MOST_PLACES:
        raise SecurityError("an indentation this wide")
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _int(value: Any, default: int = 0, base: int = 10) -> int:
    found = jinja2.filters.do_int(value, default, base)
    if isinstance(found, int) and found.bit_length() > LARGEST_NUMBER:
        raise SecurityError("a number this large")
    return found


def _round(value: float, precision: int = 0, method: Any = "common") -> float:
    if not -_MOST_PLACES <= precision <= _MOST_PLACES:
        raise SecurityError("rounding to that many places")
    return jinja2.filters.do_round(value, precision, method)


def _indent(text: str, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
    step = width if isinstance(width, str) else " " * min(int(width), 100)
    lines = [step + line if line.strip() or blank else line for line in str(text).splitlines()]
    if lines and not first:
        lines[0] = str(text).splitlines()[0]
    return "\n".join(lines)


def check(source: str, text: str) -> tuple[str, ...]:
    """The variables that a prompt's template reads, sorted. Raises `TemplateError` with the line."""
    return tuple(sorted(lines(source, text)))


def lines(source: str, text: str) -> dict[str, int]:
    """The variables that a prompt's template reads, each with the first line that does. Raises `TemplateError` with the line."""
    env = _environment(StrictUndefined, trim=False)
    tree = _parsed(env, source, text)
    with _explained(source), _stopping(source):
        env.compile(tree)
        names = meta.find_undeclared_variables(tree) - set(env.globals)
        found: dict[str, int] = {}
        for node in tree.find_all(nodes.Name):
            if node.ctx == "load" and node.name in names:
                found[node.name] = min(node.lineno, found.get(node.name, node.lineno))
        return {name: found.get(name, 1) for name in names}


def render(source: str, text: str, variables: Mapping[str, Json]) -> str:
    """A prompt's template with its variables. Raises `TemplateError` with the line."""
    return _rendered(_environment(StrictUndefined, trim=False), source, text, variables)


def render_messages(messages: Sequence[Message], variables: Mapping[str, Json]) -> tuple[Message, ...]:
    """Messages whose contents are templates, rendered. Errors name the message by its number and role."""
    return tuple(
        Message(role=message.role, content=render(f"Message {number} ({message.role})", message.content, variables))
        for number, message in enumerate(messages, 1)
    )


def render_chat(
    source: str,
    text: str,
    messages: Sequence[Message],
    first: str,
    last: str,
    date: datetime = FIXED_DATE,
    tools: Sequence[Json] | None = None,
    documents: Sequence[Json] | None = None,
    more: Mapping[int, Mapping[str, Any]] | None = None,
) -> str:
    """The text that a model's own template makes of a conversation, up to where the assistant's turn begins.

    `first` and `last` are the model's beginning and end tokens, as text; `tools` are described by JSON schemas; `more` holds
    what messages have beside role and content, by their places from the end. Raises `TemplateError`."""
    beside = more or {}
    env = _environment(jinja2.Undefined, trim=True)
    env.globals["raise_exception"] = _raise
    env.globals["strftime_now"] = lambda form: date.strftime(form)
    values: dict[str, Any] = {
        "messages": [
            {"role": message.role, "content": message.content, **beside.get(len(messages) - place, {})}
            for place, message in enumerate(messages)
        ],
        "add_generation_prompt": True,
        "bos_token": first,
        "eos_token": last,
        "tools": list(tools) if tools else None,
        "documents": list(documents) if documents else None,
    }
    return _rendered(env, source, text, values)


def _raise(message: str = "") -> None:
    raise _Raised(str(message)[:300])


def _parsed(env: _Sandbox, source: str, text: str) -> nodes.Template:
    if len(text) > LONGEST_SOURCE:
        raise TemplateError(source=source, line=1, problem="too long for a template. Pass long texts as variables.")
    with _explained(source), _stopping(source):
        return env.parse(text)


def _rendered(env: _Sandbox, source: str, text: str, values: Mapping[str, Any]) -> str:
    code = _compiled(env, source, text)
    with _explained(source), _stopping(source):
        template = jinja2.Template.from_code(env, code, env.make_globals(None))
        return _collected(template.generate(dict(values)), source)


def _compiled(env: _Sandbox, source: str, text: str) -> CodeType:
    """A template as Python's code, which nothing changes: it is run in another environment each time. Of texts that are rendered again and again it
    is kept: compiling takes ten times as long as rendering."""
    key = (env.undefined, env.trim_blocks, text)
    if (kept := _CODE.get(key)) is not None:
        return kept
    tree = _parsed(env, source, text)
    with _explained(source), _stopping(source):
        code = env.compile(tree)
    if len(text) <= LONGEST_KEPT:
        if len(_CODE) >= KEPT:
            _CODE.clear()
        _CODE[key] = code
    return code


@contextmanager
def _explained(source: str) -> Iterator[None]:
    """Whatever a template can do wrong, as a `TemplateError`."""
    try:
        yield
    except _Raised as error:
        raise _problem(source, error, f"the template refuses: {error}") from error
    except SecurityError as error:
        raise _problem(source, error, f"not allowed: {error}") from error
    except jinja2.TemplateError as error:
        raise _problem(source, error, error.message or "not a template") from error
    except RecursionError as error:
        raise TemplateError(
            source=source, line=1, problem="it is nested too deeply, or calls itself too often."
        ) from error
    except _FAULTS as error:
        raise _problem(source, error, f"{type(error).__name__}: {error}") from error


def _problem(source: str, error: Exception, text: str) -> TemplateError:
    text = text[:300]
    sentence = text if text.endswith((".", "!", "?")) else text + "."
    return TemplateError(source=source, line=_line(error), problem=sentence)


def _collected(pieces: Iterator[str], source: str) -> str:
    found, size = [], 0
    for piece in pieces:
        size += len(piece)
        if size > LARGEST:
            raise TemplateError(source=source, line=1, problem=_TOO_LARGE)
        found.append(piece)
    return "".join(found)


def _line(error: Exception) -> int:
    """The line of the template in which an error arose: the innermost of its frames."""
    if isinstance(error, jinja2.TemplateSyntaxError):
        return error.lineno
    line, trace = 1, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == _FILE:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


@contextmanager
def _stopping(source: str) -> Iterator[None]:
    """Bound the time and the memory of what runs inside."""
    if sys.platform != "linux" or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(number: int, frame: FrameType | None) -> None:
        raise _TooLong

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    restore = _less_memory()
    try:
        yield
    except _TooLong:
        raise TemplateError(source=source, line=1, problem=_TOO_LONG) from None
    except MemoryError:
        raise TemplateError(source=source, line=1, problem=_TOO_MUCH) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        restore()


def _less_memory() -> Callable[[], None]:
    """Let this process grow by `MEMORY` only; returns how to lift that."""
    import resource  # not there on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limit = pages * os.sysconf("SC_PAGE_SIZE") + MEMORY
    if soft != resource.RLIM_INFINITY:
        limit = min(limit, soft)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    return lambda: resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
