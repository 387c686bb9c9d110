"""How well guards do on texts of which it is known what they are: attacks found, ordinary texts that raised an alarm, personal data by kind. Pure.

Rules: a text counts once, however much is found in it; a stretch of personal data counts as found where something of its kind overlaps it by a
character. What the rates are worth depends on the texts: those that rules were made with flatter them.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from core.errors import BadInput
from core.guards import instructions, invisible, personal
from core.guards.classifiers import Classifier
from core.guards.sieving import SIEVE
from core.jobs import Job
from core.records import Record

THRESHOLDS: Final = (0.1, 0.25, 0.5, 0.75, 0.9)
FIELDS: Final = ("text", "full_text", "context", "content", "prompt", "input")
"""Where a text stands in an object; the first that is there."""
MARKED: Final[Mapping[str, str]] = {
    "EMAIL_ADDRESS": "email",
    "DOMAIN_NAME": "url",
    "IBAN_CODE": "iban",
    "CREDIT_CARD": "card",
    "US_SSN": "national-id",
    "US_DRIVER_LICENSE": "licence",
    "IP_ADDRESS": "ip",
    "AGE": "age",
    "PHONE_NUMBER": "phone",
    "STREET_ADDRESS": "address",
    "ZIP_CODE": "postcode",
    "PERSON": "person",
}
"""Presidio's names of kinds, and ours."""


class Share(Record, frozen=True, kw_only=True):
    """So many of so many."""

    found: int
    of: int


class KindRate(Record, frozen=True, kw_only=True):
    """Of one kind of personal data: what was found of the marked, and what is right of the found."""

    kind: str
    recall: Share
    precision: Share


class Rates(Record, frozen=True, kw_only=True):
    """Of one method at one threshold."""

    method: str
    threshold: float
    attacks: Share
    ordinary: Share
    """Ordinary texts that raised an alarm."""


def texts(name: str, data: bytes) -> list[str]:
    """The texts of a file: JSON (lists, or objects of lists), a JSON object a line, else what stands between blank lines. Raises `BadInput`."""
    try:
        content = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(source=name, problem="not in UTF-8. Save it so.") from error
    try:
        found = list(_strings(json.loads(content)))
    except (ValueError, RecursionError):
        try:
            found = [text for line in content.splitlines() if line.strip() for text in _strings(json.loads(line))]
        except (ValueError, RecursionError):
            found = [part.strip() for part in content.split("\n\n") if part.strip()]
    if not found:
        raise BadInput(source=name, problem="no texts in it. Give a JSON list, JSON lines, or paragraphs.")
    return found


def _strings(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)
    elif isinstance(value, dict):
        field = next((field for field in FIELDS if field in value), "")
        for each in [value[field]] if field else value.values():
            yield from _strings(each)


def by_rules(attacks: Sequence[str], ordinary: Sequence[str]) -> Rates:
    """What the rules for instructions and invisible characters find."""
    return Rates(method="rules", threshold=0.0, attacks=_alarms(attacks), ordinary=_alarms(ordinary))


def _alarms(given: Sequence[str]) -> Share:
    return Share(found=sum(bool(instructions.spans(text) or invisible.spans(text)) for text in given), of=len(given))


def by_classifier(
    classifier: Classifier, attacks: Sequence[str], ordinary: Sequence[str], thresholds: Iterable[float], job: Job
) -> list[Rates]:
    """What a classifier finds, at each threshold; every text is judged once. Raises what the classifier raises."""
    scores = [classifier.scores(given, job) for given in (attacks, ordinary)]
    return [
        Rates(
            method=classifier.name,
            threshold=threshold,
            attacks=Share(found=sum(score >= threshold for score in scores[0]), of=len(attacks)),
            ordinary=Share(found=sum(score >= threshold for score in scores[1]), of=len(ordinary)),
        )
        for threshold in sorted(set(thresholds))
    ]


def by_kind(name: str, data: bytes) -> list[KindRate]:
    """Personal data by kind, on texts with marked stretches as presidio-research writes them. Raises `BadInput`."""
    marked, recalled, found, right = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    try:
        for sample in json.loads(data):
            text = str(sample["full_text"])
            marks = [
                (MARKED.get(one["entity_type"], ""), int(one["start_position"]), int(one["end_position"]))
                for one in sample["spans"]
            ]
            spans = personal.spans(text, tuple(personal.KINDS), SIEVE.sift(text))
            for kind, start, end in marks:
                marked[kind] += 1
                recalled[kind] += any(one.kind == kind and one.start < end and start < one.end for one in spans)
            for one in spans:
                found[one.kind] += 1
                right[one.kind] += any(
                    kind == one.kind and one.start < end and start < one.end for kind, start, end in marks
                )
    except (ValueError, KeyError, TypeError) as error:
        problem = "not as presidio-research writes it: a list of objects with full_text and spans."
        raise BadInput(source=name, problem=problem) from error
    return [
        KindRate(
            kind=kind,
            recall=Share(found=recalled[kind], of=marked[kind]),
            precision=Share(found=right[kind], of=found[kind]),
        )
        for kind in personal.KINDS
        if marked[kind]
    ]
