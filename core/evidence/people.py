"""People's marks in a pack, and how far they agree with each other and with the scorers: written, read and worked out again.

The rules, which both verifiers check:

1. The marks stand in `mlbom.cdx.json`, which is signed and stays in a redacted pack, as the property `assay:marks`: a text that is itself
   canonical JSON, with the marks as the vault keeps them and the figures on them. So a verifier that knows nothing of marks passes over them.
2. A mark's reason is somebody's words. It and the nonce stand behind commitments, opened by the rendering `marks/reasons.json`: all of them
   are open, and then each mark has the digest that names it, or none is. They go with every redaction, and may be left out from the start.
3. Each mark is on an answer of the run, on the scale of one of its scorers, and stands in the log after the answer. A person counts once.
4. The figures follow from the marks and the scores. Intervals of kappa rest on chance, and are taken as recorded.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import msgspec

from core.errors import Damaged
from core.evals.marks import PEOPLE
from core.evals.statistics import wilson
from core.evidence.commitments import MARK, Path, commitment, read_openings
from core.evidence.records import Stored
from core.evidence.salts import salts
from core.records import Digest, Json
from core.trust.canonical import b64, canonical, checked_digest, parse
from core.trust.canonical import digest as digest_of

PROPERTY = "assay:marks"
REASONS = "marks/reasons.json"
SOURCE = "marks"
CLOSE = 1.5e-6


class Given(NamedTuple):
    """A mark: its digest, its fields, and whether the reason is open."""

    digest: Digest
    record: dict[str, Json]
    open: bool


class Marked(NamedTuple):
    """The marks of a pack and the figures on them, as they stand there."""

    marks: tuple[Given, ...] = ()
    figures: tuple[dict[str, Any], ...] = ()

    @property
    def open(self) -> bool:
        """Whether the reasons can be read."""
        return all(one.open for one in self.marks)


class Written(NamedTuple):
    """What goes into a pack: the property's value, the file that opens the reasons, and the marks as a reader sees them."""

    text: str
    openings: bytes
    marked: Marked


class _Mark(msgspec.Struct, frozen=True):
    run: str
    outcome: str
    sample: str
    variant: str
    repetition: int
    scorer: str
    score: int
    lowest: int
    highest: int
    user: str


class _Figure(msgspec.Struct, frozen=True):
    value: float
    low: float
    high: float


class _Agreement(msgspec.Struct, frozen=True):
    first: str
    second: str
    n: int
    samples: int
    share: _Figure
    kappa: _Figure | None
    weighted: _Figure | None
    marks: list[int]
    table: list[list[int]]


class _Scale(msgspec.Struct, frozen=True):
    scorer: str
    lowest: int
    highest: int
    judge: bool


class _People(msgspec.Struct, frozen=True):
    scale: _Scale
    marks: int
    answers: int
    with_people: list[_Agreement]
    between: list[_Agreement]


class _Held(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    marks: list[dict[str, Any]]
    people: list[dict[str, Any]]


class _Stored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kind: str
    nonce: dict[str, str]
    record: dict[str, Any]


class _Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    digest: str
    stored: _Stored


def write(
    marks: Sequence[Stored], figures: Sequence[Mapping[str, Json]], seed: bytes, reasons: bool = True
) -> Written | None:
    """The marks of a run for a pack of it, None where there are none; `reasons`: what people wrote is open in it."""
    if not marks:
        return None
    items: list[Json] = []
    openings: list[tuple[bytes, bytes]] = []
    given: list[Given] = []
    for place, mark in enumerate(marks):
        stored: Any = msgspec.json.decode(mark.content)
        new_salt = salts(seed, "mark", mark.digest)
        whole = dict(stored["record"])
        hidden: tuple[tuple[Path, Any, str], ...] = (
            ((place,), stored, "nonce"),
            ((place, "reason"), stored["record"], "reason"),
        )
        for path, holder, name in hidden:
            salt, value = new_salt(), holder[name]
            openings.append((canonical([list(path), value]), canonical([b64(salt), list(path), value])))
            holder[name] = {MARK: commitment(salt, path, value)}
        items.append({"digest": mark.digest, "stored": stored})
        given.append(Given(mark.digest, whole if reasons else stored["record"], reasons))
    told: list[Any] = [{key: value for key, value in one.items() if key != "repeats"} for one in figures]
    text = canonical({"version": 1, "marks": items, "people": told}).decode()
    opened = b"[%s]" % b",".join(opening for _, opening in sorted(openings))
    return Written(text, opened if reasons else b"", Marked(tuple(given), tuple(told)))


def read(mlbom: bytes, reasons: bytes | None) -> Marked:
    """What a pack says of people's marks. Raises `Damaged` for what is not of the form of rules 1 and 2."""
    text = property_of(mlbom, PROPERTY)
    if text is None:
        return Marked()
    value = parse(text.encode("utf-8"), SOURCE)
    try:
        held = msgspec.convert(value, _Held)
        items = [msgspec.convert(item, _Item) for item in held.marks]
        for item in items:
            msgspec.convert(item.stored.record, _Mark)
    except msgspec.ValidationError as error:
        raise Damaged(source=SOURCE, problem=f"not of the form expected ({error}).") from error
    _require(bool(items) and held.version == 1, "not of the form expected.")
    for item in items:
        checked_digest(item.digest, SOURCE)
        secret = item.stored.nonce, item.stored.record.get("reason")
        good = item.stored.kind == "mark" and all(isinstance(one, dict) and one.keys() == {MARK} for one in secret)
        _require(good, "a mark is not of the form expected.")
    _require(len({item.digest for item in items}) == len(items), "a mark is there twice.")
    if reasons is not None:
        _open(items, held.marks, reasons)
    return Marked(
        tuple(Given(Digest(item.digest), item.stored.record, reasons is not None) for item in items), tuple(held.people)
    )


def property_of(mlbom: bytes, name: str) -> str | None:
    """The text that the bill of materials has by this name. Raises `Damaged` where properties are malformed, or this one is there twice."""
    bom = parse(mlbom, "mlbom.cdx.json")
    properties: Any = bom.get("properties", []) if isinstance(bom, dict) else None
    named = isinstance(properties, list) and all(
        isinstance(one, dict) and isinstance(one.get("name"), str) and isinstance(one.get("value"), str)
        for one in properties
    )
    _require(named, "mlbom.cdx.json has properties that aren't named texts.")
    found = [one["value"] for one in properties if one["name"] == name]
    _require(len(found) <= 1, f"{name} is there twice.")
    return found[0] if found else None


def _open(items: Sequence[_Item], raw: Sequence[dict[str, Any]], data: bytes) -> None:
    """Put in what opens the commitments, all of them, and compare each mark with its digest."""
    opened = {opening.path: opening for opening in read_openings(data, REASONS).openings}
    _require(len(opened) == 2 * len(items), "their reasons aren't opened one by one.")
    for place, (item, held) in enumerate(zip(items, raw, strict=True)):
        hidden: tuple[tuple[Path, Any, str], ...] = (
            ((place,), held["stored"], "nonce"),
            ((place, "reason"), item.stored.record, "reason"),
        )
        for path, holder, name in hidden:
            opening = opened.get(path)
            fits = opening is not None and holder[name] == {MARK: opening.commitment}
            _require(fits, "an opening doesn't fit what was signed.")
            holder[name] = opening.value if opening is not None else None
        whole = {"kind": "mark", "nonce": held["stored"]["nonce"], "record": item.stored.record}
        _require(digest_of(canonical(whole)) == item.digest, f"mark {item.digest[:8]} differs from its digest.")


def check(marked: Marked, run: Digest, scorers: Iterable[str], outcomes: Mapping[Digest, Mapping[str, Any]]) -> None:
    """Returns if the marks are of answers of this run and the figures follow from them. Raises `Damaged` naming the first that doesn't."""
    marks = [msgspec.convert(one.record, _Mark) for one in marked.marks]
    known = set(scorers)
    for mark in marks:
        outcome = outcomes.get(Digest(mark.outcome), {})
        same = (mark.sample, mark.variant, mark.repetition) == (
            *(outcome.get(key) for key in ("sample", "variant")),
            outcome.get("repetition", 0),
        )
        good = same and mark.run == run and outcome.get("answer") is not None and mark.scorer in known
        _require(good, f"a mark by {mark.user} is of no answer or scorer of this run.")
        _require(mark.lowest <= mark.score <= mark.highest, f"a mark by {mark.user} is off its scale.")
    _require(len({(m.outcome, m.scorer, m.user) for m in marks}) == len(marks), "a person marked an answer twice.")
    try:
        told = [msgspec.convert(one, _People) for one in marked.figures]
    except msgspec.ValidationError as error:
        raise Damaged(source=SOURCE, problem=f"figures are not of the form expected ({error}).") from error
    names = [one.scale.scorer for one in told]
    _require(len(set(names)) == len(names), "a scorer has figures twice.")
    _require({mark.scorer for mark in marks} <= set(names) <= known, "a scorer's marks have no figures.")
    for one in told:
        _check_people(one, [mark for mark in marks if mark.scorer == one.scale.scorer], outcomes)


def _check_people(told: _People, own: Sequence[_Mark], outcomes: Mapping[Digest, Mapping[str, Any]]) -> None:
    scale = told.scale
    same = all((mark.lowest, mark.highest) == (scale.lowest, scale.highest) for mark in own)
    _require(same and (scale.judge or (scale.lowest, scale.highest) == (0, 1)), f"{scale.scorer}: other scales.")
    counted = (told.marks, told.answers) == (len(own), len({mark.outcome for mark in own}))
    _require(counted, f"{scale.scorer}: its marks are miscounted.")
    users = sorted({mark.user for mark in own})
    by_user = {user: {mark.outcome: mark.score for mark in own if mark.user == user} for user in users}
    machine = {
        digest: _judged(scale, score)
        for digest, outcome in outcomes.items()
        for score in outcome["scores"]
        if score["scorer"] == scale.scorer
    }
    sample = {mark.outcome: mark.sample for mark in own}
    met = {user: _met(machine, by_user[user], sample) for user in users}
    expected = [(scale.scorer, user, met[user]) for user in users]
    if len(users) > 1:
        expected.insert(0, (scale.scorer, PEOPLE, [pair for user in users for pair in met[user]]))
    between = [(a, b, _met(by_user[a], by_user[b], sample)) for a, b in combinations(users, 2)]
    for recorded, found in ((told.with_people, expected), (told.between, [one for one in between if one[2]])):
        _require(len(recorded) == len(found), f"{scale.scorer}: figures are missing, or too many.")
        for agreement, (first, second, pairs) in zip(recorded, found, strict=True):
            _require((agreement.first, agreement.second) == (first, second), f"{scale.scorer}: figures of others.")
            _check_agreement(agreement, pairs)


def _met(first: Mapping[Any, int], second: Mapping[str, int], sample: Mapping[str, str]) -> list[tuple[str, int, int]]:
    return [(sample[at], first[at], second[at]) for at in second if at in first]


def _judged(scale: _Scale, score: Mapping[str, Any]) -> int:
    if not scale.judge:
        return int(score["passed"])
    value: float = score["value"]
    return scale.lowest + math.floor(value * (scale.highest - scale.lowest) + 0.5)


def _check_agreement(told: _Agreement, pairs: Sequence[tuple[str, int, int]]) -> None:
    name = f"{told.first} and {told.second}"
    marks = sorted({mark for _, *two in pairs for mark in two})
    table = [[sum((a, b) == (one, other) for _, a, b in pairs) for other in marks] for one in marks]
    counts = told.n, told.samples, told.marks, told.table
    good = counts == (len(pairs), len({sample for sample, *_ in pairs}), marks, table)
    _require(good, f"{name}: the table doesn't follow from the marks.")
    same = sum(a == b for _, a, b in pairs)
    low, high = wilson(same * told.samples / len(pairs) if pairs else 0.0, told.samples)
    share = told.share.value, told.share.low, told.share.high
    close = all(map(_close, share, (same / len(pairs) if pairs else 0.0, low, high)))
    _require(close, f"{name}: the share of equal marks doesn't follow.")
    for recorded, power in ((told.kappa, 0), (told.weighted, 2)):
        found = _kappa(marks, table, power)
        _require((recorded is None) == (found is None), f"{name}: kappa doesn't follow from the marks.")
        if recorded is not None and found is not None:
            ends = -1 - CLOSE <= recorded.low <= recorded.high <= 1 + CLOSE
            _require(ends and _close(recorded.value, found), f"{name}: kappa doesn't follow from the marks.")


def _kappa(marks: Sequence[int], table: Sequence[Sequence[int]], power: int) -> float | None:
    """Cohen's kappa; weighted by the squared distance of two marks where `power` is 2. None where no disagreement is expected."""
    first, second = [sum(line) for line in table], [sum(line) for line in zip(*table, strict=True)]
    seen = expected = 0
    for i, one in enumerate(marks):
        for j, other in enumerate(marks):
            weight = int(one != other) * (one - other) ** power
            seen, expected = seen + weight * table[i][j], expected + weight * first[i] * second[j]
    return 1 - seen * sum(first) / expected if expected else None


def _close(recorded: float, found: float) -> bool:
    return abs(recorded - found) <= CLOSE


def _require(holds: bool, problem: str) -> None:
    if not holds:
        raise Damaged(source=SOURCE, problem=problem)
