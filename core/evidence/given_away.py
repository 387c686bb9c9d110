"""What a reader of a redacted pack can still work out: from the scores and means that can't be withheld, and from what is signed in the clear.

A score that says whether an answer holds its target tells the one from the other: equal where it matches, and, where the open targets show
that there are only two values, the other one where it doesn't. A mean over n samples of which n - 1 are open tells the last.
"""

import base64
import binascii
import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from core.evidence import opened, personal
from core.evidence.commitments import MARK
from core.evidence.opened import Row
from core.records import Json

MATCHING = ("exact", "contains")
"""Scorers that compare an answer with a target."""
TWO = 2
SHORT = 40
"""Characters of a value that may be one of two, and of a text in a warning."""
SOUGHT = 4
"""Characters from which on a withheld text is looked for in what stays."""
NAMED = 5
"""How many samples or texts a warning names."""
_DIGEST = re.compile(r"[0-9a-f]{64}")
_PLAIN = re.compile(r"[0-9a-f]{64}|\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)|(pkg|urn):\S*", re.ASCII)
"""Digests, times, package and serial numbers: made by this program, and no text."""


def by_scores(rows: Mapping[str, tuple[Row, ...]]) -> tuple[str, ...]:
    """A sentence for each metric whose scores still tell of what these rows withhold."""
    held: Any = rows["dataset"][0].record["samples"]
    samples = {str(sample["id"]): sample for sample in held}
    values = {personal.folded(sample["target"]) for sample in held if isinstance(sample.get("target"), str)}
    two = len(values) <= TWO and all(len(value) <= SHORT for value in values) and bool(values)
    told: dict[tuple[str, str, str], list[str]] = {}
    for row in rows["outcome"]:
        outcome: Any = row.record
        if outcome["answer"] is None:
            continue
        hidden, sample = _hidden(outcome["answer"].get("answer")), samples.get(outcome["sample"], {})
        covered = _hidden(sample.get("target"))
        if hidden == covered:
            continue
        if hidden and not isinstance(sample.get("target"), str):
            continue
        for score in outcome["scores"]:
            if score["scorer"] in MATCHING and (score["value"] == 1 or (score["value"] == 0 and two)):
                key = score["scorer"], outcome["variant"], "answer" if hidden else "target"
                told.setdefault(key, []).append(outcome["sample"])
    return tuple(
        f"{scorer} of {variant}: the scores stay, and with the {'targets' if what == 'answer' else 'answers'}, which are open, they "
        f"give away the {what} of {some(named)}."
        for (scorer, variant, what), named in told.items()
    )


def by_means(rows: Mapping[str, tuple[Row, ...]]) -> tuple[str, ...]:
    """A sentence where a mean, with the n - 1 samples that are open, tells of the last."""
    found = []
    held: Any = rows["dataset"][0].record["samples"]
    samples = {str(sample["id"]): sample for sample in held}
    result: Any = rows["run-result"][0].record
    outcomes: list[Any] = [row.record for row in rows["outcome"]]
    for variant in result["variants"]:
        for metric in variant["metrics"]:
            if metric["method"] != "wilson" or metric["n"] < TWO:
                continue
            open_values: list[float] = []
            closed: list[str] = []
            for outcome in outcomes:
                for score in outcome["scores"]:
                    if (outcome["variant"], score["scorer"]) == (variant["name"], metric["scorer"]):
                        sample = samples.get(outcome["sample"], {})
                        if _hidden(outcome["answer"]["answer"]) or _hidden(sample.get("target")):
                            closed.append(outcome["sample"])
                        else:
                            open_values.append(score["value"])
            if len(closed) == 1:
                last = round(metric["value"] * metric["n"] - math.fsum(open_values))
                word = "holds" if last == 1 else "doesn't hold"
                found.append(
                    f"{metric['scorer']} of {variant['name']}: {metric['n'] - 1} of {metric['n']} samples stay open, and with the mean "
                    f"they give away that it {word} for the last, {closed[0]}."
                )
    return tuple(found)


def in_clear(entries: Mapping[str, bytes], texts: Iterable[str], kinds: Iterable[str]) -> tuple[str, ...]:
    """A sentence for each file that still shows one of these texts, or something of these kinds, in what is signed and can't be withheld."""
    sought = {personal.folded(text): text for text in texts}
    sought = {fold: text for fold, text in sought.items() if len(fold) >= SOUGHT and not _DIGEST.fullmatch(fold)}
    rules = list(kinds)
    sentences = []
    for name, content in sorted(entries.items()):
        if name.startswith("openings/") or name in (opened.VERIFIER, opened.GUIDE, opened.REDACTION):
            continue
        clear = _clear(content)
        whole = "\n".join(personal.folded(text) for text in sorted(clear))
        found = [text for fold, text in sought.items() if fold in whole]
        if found:
            shown = ", ".join(f"“{text[:SHORT]}”" for text in sorted(found)[:NAMED])
            more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
            sentences.append(f"{name} is signed and still shows {shown}{more}.")
        found_kinds = [kind for kind in rules if any(personal.KINDS[kind](text) for text in clear)]
        if found_kinds:
            sentences.append(f"{name} is signed and still shows what may be of the kind {', '.join(found_kinds)}.")
    return tuple(sentences)


def _clear(content: bytes) -> set[str]:
    """The texts in a signed file, those inside envelopes and cards among them; digests, keys, signatures and times aside."""
    try:
        waiting: list[Json] = [json.loads(content)]
    except ValueError:
        return {content.decode("utf-8", "replace")}
    found: set[str] = set()
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            waiting += [
                inner for key, inner in part.items() if key not in (MARK, "nonce", "sig", "ed25519", "mldsa65", "proof")
            ]
            if isinstance(part.get("envelope"), str):
                waiting.remove(part["envelope"])
                waiting.append(_inside(str(part["envelope"]).encode()))
            for key in ("payload", "card"):
                text = part.get(key)
                inside = _unpacked(text) if isinstance(text, str) else None
                if inside is not None:
                    waiting.remove(part[key])
                    waiting.append(inside)
        elif isinstance(part, list):
            waiting += part
        elif isinstance(part, str) and not _PLAIN.fullmatch(part):
            found.add(part)
    return found


def _inside(content: bytes) -> Json:
    try:
        value: Json = json.loads(content)
    except ValueError:
        return None
    return value


def _unpacked(text: str) -> Json:
    try:
        return _inside(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return None


def _hidden(value: Any) -> bool:
    return isinstance(value, dict) and MARK in value


def some(names: list[str]) -> str:
    """The first few names, and how many more there are."""
    named = list(dict.fromkeys(names))
    shown = ", ".join(named[:NAMED])
    return shown if len(named) <= NAMED else f"{shown} and {len(named) - NAMED} more"
