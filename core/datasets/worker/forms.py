"""Rows to samples: which form a file has, which column is which field, and what is wrong with a row.

Rules: a sample needs an input, and a target, an answer or a preference unless it is marked unanswerable; ids are unique, and given where there
are none; a column that is no field of a sample is kept in its metadata rather than lost. Fields that hold lists are JSON in tables, tags are
parted by semicolons.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec

from core.datasets.conversations import WITH_CALLS, Wrong, form_of, message, turns_of
from core.datasets.records import SYNTHETIC, Sample, Turn
from core.datasets.worker.records import LEAVE_OUT, LONGEST_EXAMPLE, ColumnUse

FIELDS: Final = tuple(field for field in Sample.__struct_fields__ if field != "version")
AS_JSON: Final = ("choices", "targets", "passages", "metadata", "turns", "origin")
"""Fields that are written as JSON in a cell of a table."""
METADATA: Final = "metadata"
KNOWN: Final = {
    "input": ("question", "prompt", "query", "problem"),
    "target": ("expected", "expected_output", "ideal", "label", "reference", "ground_truth"),
    "answer": ("output", "response", "completion", "solution"),
    "document": ("source_document", "file"),
    "passages": ("context", "contexts"),
    "quote": ("evidence",),
    "choices": ("options",),
    "group": ("group_id", "case"),
    "split": ("subset",),
}
"""What other tools call a field."""
_WORDS: Final = ("true", "yes", "1"), ("", "false", "no", "0")


def recognised(rows: Iterable[Mapping[str, Any]]) -> str:
    """The form of the first rows."""
    form = ""
    for row in rows:
        form = form_of(row)
        if form:
            return form
        if "prompt" in row and "chosen" in row and "rejected" in row:
            return "preference"
    return "samples"


def mapped(names: Sequence[str], asked: Mapping[str, str]) -> dict[str, str]:
    """Column to field: as asked, by its name, or by what other tools call it; everything else is metadata. No two columns are one field."""
    return dict(_mapped(tuple(names), tuple(asked.items())))


@lru_cache(maxsize=256)
def _mapped(names: tuple[str, ...], pairs: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Most rows of a file have the same columns."""
    asked = dict(pairs)
    found = {name: field for name, field in asked.items() if name in names}
    taken = set(found.values())
    for name in names:
        if name not in found and name in FIELDS and name not in taken:
            found[name] = name
            taken.add(name)
    for field, synonyms in KNOWN.items():
        for name in names:
            if field not in taken and name not in found and name.strip().lower() in (field, *synonyms):
                found[name] = field
                taken.add(field)
    return {name: found.get(name, METADATA) for name in names}


def uses(rows: Sequence[Mapping[str, Any]], form: str, asked: Mapping[str, str]) -> tuple[ColumnUse, ...]:
    """The columns of the first rows, what they become, and an example of each."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    if form == "samples":
        fields = mapped(names, asked)
    else:
        fields = {name: METADATA if name not in _OWN.get(form, ()) else "conversation" for name in names}
    found = []
    for name in names:
        value = next((row[name] for row in rows if row.get(name) not in (None, "")), "")
        field = "" if fields[name] == LEAVE_OUT else fields[name]
        found.append(ColumnUse(name=name, field=field, example=_text(value)[:LONGEST_EXAMPLE]))
    return tuple(found)


_OWN: Final = {
    "chat": ("messages", "system", "tools", "chosen", "rejected", "label", "id", SYNTHETIC),
    "sharegpt": ("conversations", "system", "tools", "chosen", "rejected", "label", "id", SYNTHETIC),
    "alpaca": (
        *("instruction", "input", "output", "history", "system"),
        *("chosen", "rejected", "label", "id", SYNTHETIC),
    ),
    "preference": ("prompt", "chosen", "rejected", "id", SYNTHETIC),
}
"""The keys of each form of conversation. Others are metadata."""


def sample(row: Mapping[str, Any], form: str, asked: Mapping[str, str], fallback: str) -> Sample:
    """The sample that a row holds; `fallback` is its id where it has none. Raises `Wrong`."""
    content = _fields(row, asked) if form == "samples" else _conversation(row, form)
    content["id"] = str(content.get("id") or fallback)
    try:
        made = msgspec.convert(content, Sample)
    except msgspec.ValidationError as error:
        raise Wrong(f"{error}.") from error
    if not made.input.strip():
        raise Wrong("the input is empty.")
    if not (made.target or made.answer or made.chosen or made.rejected or made.unanswerable):
        raise Wrong('no target. Give one, or mark the sample "unanswerable": true.')
    if made.turns and not any(turn.role == "user" for turn in made.turns):
        raise Wrong("its conversation has no turn of a user.")
    if made.synthetic and SYNTHETIC not in made.tags:
        made = msgspec.structs.replace(made, tags=(*made.tags, SYNTHETIC))
    return made


def _fields(row: Mapping[str, Any], asked: Mapping[str, str]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    further: dict[str, str] = {}
    fields = mapped(list(row), asked)
    if "input" not in fields.values():
        raise Wrong("it has no input.")
    for name, field in fields.items():
        value = row[name]
        if value is None or value == "" or field == LEAVE_OUT:
            continue
        if field == METADATA:
            if name == METADATA and (known := _decoded(field, value)) and isinstance(known, dict):
                further |= {str(key): _text(inner) for key, inner in known.items()}
            else:
                further[name] = _text(value)
        else:
            content[field] = _value(field, value)
    if further:
        content[METADATA] = further
    return content


def _value(field: str, value: Any) -> Any:
    """What a cell or a JSON value is as that field. Raises `Wrong`."""
    if field in AS_JSON:
        found = _decoded(field, value)
        return [found] if isinstance(found, str) else found
    if field == "tags":
        parts = value.split(";") if isinstance(value, str) else value
        return [part.strip() for part in parts if part.strip()] if isinstance(parts, list) else value
    if field == "unanswerable" and isinstance(value, str):
        if value.lower() not in (*_WORDS[0], *_WORDS[1]):
            raise Wrong("unanswerable is neither yes nor no.")
        return value.lower() in _WORDS[0]
    if field == "page" and isinstance(value, str):
        if not value.strip().isdigit():
            raise Wrong("the page is no number.")
        return int(value)
    if isinstance(value, bool | int | float) and field not in ("page", "unanswerable"):
        return _text(value)
    return value


def _decoded(field: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if value.lstrip()[:1] not in ("[", "{") and field in ("passages", "targets"):
        return value
    try:
        return msgspec.json.decode(value)
    except msgspec.DecodeError as error:
        raise Wrong(f"its {field} isn't readable as JSON.") from error


def _conversation(row: Mapping[str, Any], form: str) -> dict[str, Any]:
    if form == "preference":
        turns = _prompt(row.get("prompt"))
    else:
        turns = turns_of(form, row, WITH_CALLS)
    content: dict[str, Any] = {}
    label = row.get("label")
    if turns[-1].role == "assistant":
        key = "answer" if not isinstance(label, bool) else "chosen" if label else "rejected"
        content[key] = turns.pop().content
    for key in ("chosen", "rejected"):
        if row.get(key) not in (None, "") and not isinstance(label, bool):
            content[key] = message(row[key])
    asked = [turn for turn in turns if turn.role == "user"]
    if not asked:
        raise Wrong("its conversation has no turn of a user.")
    if not content:
        raise Wrong("its last turn isn't the assistant's.")
    content["input"] = asked[-1].content
    if len(turns) > 1:
        content["turns"] = turns
    if row.get("id") not in (None, ""):
        content["id"] = str(row["id"])
    if row.get(SYNTHETIC) is True:
        content["tags"] = [SYNTHETIC]
    own = _OWN[form]
    further = {key: _text(value) for key, value in row.items() if key not in own and value not in (None, "")}
    if row.get("tools"):
        further["tools"] = _text(row["tools"])
    return content | ({METADATA: further} if further else {})


def _prompt(value: Any) -> list[Turn]:
    if isinstance(value, str) and value.strip():
        return [Turn(role="user", content=value)]
    return turns_of("chat", {"messages": value}, WITH_CALLS)


def _text(value: Any) -> str:
    """A JSON value as text."""
    return value if isinstance(value, str) else msgspec.json.encode(value, order="sorted").decode()
