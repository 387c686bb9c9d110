"""Queries and judgements from files: as TREC writes them, or JSON lines. Pure: text in, queries and judgements out.

Queries: `<top>` elements with a number and a title, or lines with `id` (or `_id`, `query-id`) and `text` (or `query`, `question`).
Judgements: lines of `query iteration document grade`, or JSON lines with `query` (or `query-id`), `document` (or `corpus-id`) and `grade` (or
`score`, `relevance`; 1 where none is given).
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from core.errors import BadInput

_TOPIC = re.compile(r"<top>(.*?)</top>", re.DOTALL | re.IGNORECASE)
_NUMBER = re.compile(r"<num>\s*(?:number\s*:)?\s*([^\s<]+)", re.IGNORECASE)
_TITLE = re.compile(r"<title>\s*(?:topic\s*:)?\s*([^<]*)", re.IGNORECASE)
_IDS: Final = ("id", "_id", "query-id", "query_id")
_TEXTS: Final = ("text", "query", "question")
_QUERIES: Final = ("query", "query-id", "query_id")
_DOCUMENTS: Final = ("document", "corpus-id", "corpus_id", "doc_id")
_GRADES: Final = ("grade", "score", "relevance")


def queries(source: str, content: str) -> dict[str, str]:
    """The queries by their ids, in the file's order. Raises `BadInput`."""
    found: dict[str, str] = {}
    for place, key, text in _topics(source, content) if "<top>" in content.lower() else _query_lines(source, content):
        text = " ".join(text.split())
        if not text:
            raise BadInput(source=source, problem=f"{place}: the query {key} is empty.")
        if key in found:
            raise BadInput(source=source, problem=f"{place}: the query {key} is there twice.")
        found[key] = text
    if not found:
        raise BadInput(source=source, problem="it holds no queries. It takes TREC topics or JSON lines.")
    return found


def judgements(source: str, content: str) -> dict[str, dict[str, int]]:
    """Of each query, the grades of its judged documents. Raises `BadInput`."""
    found: dict[str, dict[str, int]] = {}
    for place, line in _lines(content):
        query, document, grade = (
            _json_judgement(source, place, line) if line.startswith("{") else _judgement(source, place, line)
        )
        if found.setdefault(query, {}).setdefault(document, grade) != grade:
            raise BadInput(source=source, problem=f"{place}: {document} was judged twice for {query}, and differently.")
    if not found:
        raise BadInput(source=source, problem="it holds no judgements. It takes TREC lines or JSON lines.")
    return found


def _topics(source: str, content: str) -> Iterator[tuple[str, str, str]]:
    for count, topic in enumerate(_TOPIC.findall(content), start=1):
        number, title = _NUMBER.search(topic), _TITLE.search(topic)
        if number is None or title is None:
            raise BadInput(source=source, problem=f"topic {count} has no <num> or no <title>.")
        yield f"topic {count}", number[1], title[1]


def _query_lines(source: str, content: str) -> Iterator[tuple[str, str, str]]:
    for place, line in _lines(content):
        entry = _entry(source, place, line)
        yield place, _value(source, place, entry, _IDS), _value(source, place, entry, _TEXTS)


def _json_judgement(source: str, place: str, line: str) -> tuple[str, str, int]:
    entry = _entry(source, place, line)
    grade = next((entry[key] for key in _GRADES if key in entry), 1)
    query, document = _value(source, place, entry, _QUERIES), _value(source, place, entry, _DOCUMENTS)
    return query, document, _grade(source, place, str(grade))


def _judgement(source: str, place: str, line: str) -> tuple[str, str, int]:
    parts = line.split()
    if len(parts) < 4:
        raise BadInput(source=source, problem=f"{place}: not `query iteration document grade`.")
    return parts[0], " ".join(parts[2:-1]), _grade(source, place, parts[-1])


def _grade(source: str, place: str, grade: str) -> int:
    try:
        return int(grade)
    except ValueError:
        raise BadInput(source=source, problem=f"{place}: the grade {grade[:20]} is no whole number.") from None


def _entry(source: str, place: str, line: str) -> Mapping[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:
        entry = None
    if not isinstance(entry, dict):
        raise BadInput(source=source, problem=f"{place}: no JSON object.")
    return entry


def _value(source: str, place: str, entry: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    value = next((entry[key] for key in keys if key in entry), None)
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise BadInput(source=source, problem=f"{place}: no {keys[0]}.")
    return str(value)


def _lines(content: str) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(content.splitlines(), start=1):
        if line.strip():
            yield f"line {number}", line.strip()
