"""Answers that are JSON: whether they fit a schema, and how many fields are right."""

import re
from typing import Any, Final

import msgspec

from core.evals.scoring.base import Case, Scored, Scorer, always, graded, normalised, yes_no
from core.evals.scoring.records import Measure
from core.records import Record

_FENCE: Final = re.compile(r"\A\s*```(?:json)?\s*\n(.*)\n\s*```\s*\Z", re.DOTALL)


class Schema(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    schema: dict[str, Any] | None = None
    """A JSON schema, draft 2020-12; without one any JSON passes."""
    fence: bool = True
    """Take JSON out of a Markdown fence around the whole answer."""


class Fields(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    at_least: float = 1.0
    fields: tuple[str, ...] = ()
    """Which of the target's fields count; none named: all of them."""
    fence: bool = True


def _bare(text: str, fence: bool) -> str:
    found = _FENCE.match(text) if fence else None
    return found.group(1) if found else text


def _fits(case: Case, settings: Schema) -> Scored:
    found = case.tools.measure(
        Measure(
            measure="json_schema",
            text=_bare(case.answer.answer, settings.fence),
            settings={} if settings.schema is None else {"schema": settings.schema},
        )
    )
    return yes_no(found.value > 0, found.reason, found.reason)


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _leaves(value: Any, path: str = "") -> dict[str, Any]:
    if isinstance(value, dict) and value:
        return {place: leaf for name, part in value.items() for place, leaf in _leaves(part, f"{path}.{name}").items()}
    return {path[1:]: value}


def _same(found: Any, wanted: Any) -> bool:
    if isinstance(found, str) and isinstance(wanted, str):
        return normalised(found) == normalised(wanted)
    if isinstance(found, list) and isinstance(wanted, list):
        return len(found) == len(wanted) and all(_same(a, b) for a, b in zip(found, wanted, strict=True))
    return bool(found == wanted) and isinstance(found, bool) == isinstance(wanted, bool)


def _has_fields(case: Case) -> bool:
    return not case.sample.unanswerable and bool(_object(case.sample.target or ""))


def _fields(case: Case, settings: Fields) -> Scored:
    try:
        return _compared(case, settings)
    except RecursionError:
        return graded(0.0, settings.at_least, "nested too deeply to be compared")


def _compared(case: Case, settings: Fields) -> Scored:
    wanted = _leaves(_object(case.sample.target or ""))
    if settings.fields:
        wanted = {
            name: value
            for name, value in wanted.items()
            if any(name == field or name.startswith(f"{field}.") for field in settings.fields)
        }
    content = _object(_bare(case.answer.answer, settings.fence))
    if content is None:
        return graded(0.0, settings.at_least, "not readable as a JSON object")
    if not wanted:
        return graded(0.0, settings.at_least, "the target has none of the fields that count")
    found = _leaves(content)
    wrong = [name for name, value in wanted.items() if name not in found or not _same(found[name], value)]
    share = (len(wanted) - len(wrong)) / len(wanted)
    said = f"{len(wanted) - len(wrong)} of {len(wanted)} fields"
    return graded(share, settings.at_least, f"{said}; not {', '.join(wrong[:5])}" if wrong else said)


SCORERS = (
    Scorer(
        "json_schema",
        "The answer is JSON and fits a schema. 0 or 1, over all samples.",
        "Says that the form is right, not that the values are. What a schema refers to outside of itself isn't fetched.",
        "wilson",
        always,
        _fits,
        source="The library jsonschema; JSON Schema draft 2020-12.",
        settings=Schema,
    ),
    Scorer(
        "json_fields",
        "The share of the target's JSON fields that the answer has with the same value, over samples whose target is a JSON object.",
        "Text is compared as `exact` does, lists item by item in order; fields that only the answer has don't count.",
        "bootstrap",
        _has_fields,
        _fields,
        "0 to 1",
        settings=Fields,
    ),
)
