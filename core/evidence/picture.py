"""The lineage of a run as a picture that stays readable with thousands of samples: kinds with their counts, not single records.

From top to bottom: what its adapters were trained on, where they were trained here; what the run was made from, what was taken from the
documents, the run, its answers, their scores, the result; beside them, who signed what. What is withheld isn't counted, and the picture
says that.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from core.evidence import origins
from core.evidence.drawing import BLUE, INK, PLUM, QUIET, STRONG, Box, Drawing, Label, Shape, arrow
from core.evidence.lineage import chunks
from core.evidence.opened import Row
from core.evidence.words import count, moment, shortened, shown, whole

Rows = Mapping[str, tuple[Row, ...]]
WIDTH = 483.0
COLUMN, GAP, HEIGHT = 108.0, 17.0, 44.0
STEP = 70.0
"""From one row of boxes to the next."""
MOST_SIGNERS = 3
"""Signatures on one subject that are named; more are counted."""


class _Place(NamedTuple):
    column: float
    row: float
    span: float = 1

    @property
    def x(self) -> float:
        return self.column * (COLUMN + GAP)

    @property
    def y(self) -> float:
        return 2 + self.row * STEP

    @property
    def width(self) -> float:
        return self.span * COLUMN + (self.span - 1) * GAP

    @property
    def top(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y

    @property
    def bottom(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + HEIGHT


def lineage(rows: Rows) -> Drawing:
    """The picture. Its description says all that it shows."""
    trainings = origins.trainings(rows)
    first = 1.0 if trainings else 0.0
    boxes = _boxes(rows, first)
    shapes: list[Shape] = []
    said = []
    if trainings:
        places = [_Place(column, 0) for column in (1, 2, 3)]
        for place, (title, above, below) in zip(places, _trained(trainings), strict=True):
            shapes += _box(place, title, above, below, BLUE if title == "Training" else STRONG)
            said.append(f"{title}: {', '.join(line for line in (above, below) if line)}.")
        for left, right in pairwise(places):
            shapes += arrow(((left.x + left.width, left.y + HEIGHT / 2), (right.x, right.y + HEIGHT / 2)))
        shapes += arrow((places[-1].bottom, boxes["model"][0].top))
        said.append("The adapter was trained here on that data, and is used with its model.")
    for place, title, above, below in boxes.values():
        shapes += _box(place, title, above, below, BLUE if title == "Run" else STRONG)
        said.append(f"{title}: {', '.join(line for line in (above, below) if line)}.")
    for before, after in (("document", "chunk"), ("dataset", "spec")):
        shapes += arrow((boxes[before][0].bottom, boxes[after][0].top))
    run = boxes["run"][0]
    for before in ("chunk", "spec", "prompt-version", "model"):
        x, y = boxes[before][0].bottom
        shapes += arrow(((x, y), (x, run.y)))
    middle, _ = boxes["answer"][0].top
    shapes += arrow(((middle, run.y + HEIGHT), boxes["answer"][0].top))
    for before, after in (("answer", "score"), ("score", "result")):
        shapes += arrow((boxes[before][0].bottom, boxes[after][0].top))
    said.append(
        "Pages are cut into chunks; the run shows chunks to each variant and gives answers, the scorers score them, and the result sums up."
    )
    signatures, words = _signatures(rows, boxes)
    height = max(boxes["result"][0].y + HEIGHT, *(shape.y + 6 for shape in signatures if isinstance(shape, Label))) + 4
    return Drawing(WIDTH, height, (*shapes, *signatures), "Lineage of the run", " ".join((*said, *words)))


def _boxes(rows: Rows, first: float) -> dict[str, tuple[_Place, str, str, str]]:
    """For each box its place, its title and two lines."""
    run: Any = rows["run"][0].record
    result: Any = rows["run-result"][0].record
    shown_chunks = [chunk for row in rows["outcome"] for chunk in chunks(row.record)]
    pieces = {(chunk.document, chunk.place) for chunk in shown_chunks}
    cited = {(chunk.document, chunk.page) for chunk in shown_chunks if chunk.cited}
    outcomes: list[Any] = [row.record for row in rows["outcome"]]
    answered = [outcome for outcome in outcomes if outcome.get("answer") is not None]
    scores = sum(len(outcome.get("scores") or []) for outcome in outcomes)
    withheld = any(row.withheld for row in rows["outcome"])
    pages = sum(whole(row.record.get("pages")) for row in rows["document"])
    prompts = [f"{shown(row.record.get('name'))}@{row.record.get('number')}" for row in rows["prompt-version"]]
    models = [shown(row.record.get("name")) for row in rows["model"]]
    met = (
        "no criteria" if not result.get("criteria") else "criteria met" if result.get("passed") else "criteria not met"
    )
    some = " that are open" if withheld else ""
    return {
        "document": (
            _Place(0, first),
            "Documents",
            f"{len(rows['document']):,} in {shown(run.get('collection'))}",
            count(pages, "page"),
        ),
        "dataset": (_Place(1, first), "Dataset", shown(run.get("dataset_reference")), count(run["samples"], "sample")),
        "prompt-version": (_Place(2, first), "Prompt versions", *_two(prompts)),
        "model": (_Place(3, first), "Models", *_two(models)),
        "chunk": (
            _Place(0, first + 1),
            "Chunks",
            f"{len(pieces):,} shown{some}",
            f"{count(len(cited), 'page')} cited",
        ),
        "spec": (
            _Place(1, first + 1),
            "Plan",
            shown(run.get("spec_reference")),
            count(len(run.get("criteria") or []), "criterion", "criteria"),
        ),
        "run": (
            _Place(0, first + 2, 4),
            "Run",
            f"{shown(run.get('id'))}, by {shown(run.get('user'))}, {moment(run.get('started'))}",
            count(len(run.get("variants") or []), "variant"),
        ),
        "answer": (
            _Place(0, first + 3, 2),
            "Answers",
            count(len(answered), "answer"),
            f"{count(len(outcomes) - len(answered), 'error')}",
        ),
        "score": (
            _Place(0, first + 4, 2),
            "Scores",
            count(scores, "score"),
            f"by {count(len(run.get('scorers') or []), 'scorer')}",
        ),
        "result": (_Place(0, first + 5, 2), "Result", shown(result.get("status")), met),
    }


def _trained(trainings: Sequence[origins.Training]) -> tuple[tuple[str, str, str], ...]:
    """The three boxes of trainings: what they learned from, they themselves, and their adapters."""
    sources = {str(source.get("digest")): shown(source.get("reference")) for t in trainings for source in t.sources}
    examples = sum(whole(training.run.record.get("examples")) for training in trainings)
    bases = dict.fromkeys(shown(training.run.record.get("base")) for training in trainings)
    names = [shown(training.run.record.get("id")) for training in trainings]
    learned = next(iter(sources.values()), "none") if len(sources) == 1 else count(len(sources), "source")
    return (
        ("Learned from", learned, count(examples, "example")),
        ("Training", ", ".join(names), f"of {', '.join(bases)}"),
        ("Adapter" if len(names) == 1 else "Adapters", *_two([shown(t.run.record.get("name")) for t in trainings])),
    )


def _two(names: Sequence[str]) -> tuple[str, str]:
    """Names on two lines; more than two are counted."""
    if len(names) > 2:
        return names[0], f"and {len(names) - 1} more"
    return (names[0] if names else "none"), (names[1] if len(names) == 2 else "")


def _box(place: _Place, title: str, first: str, second: str, ink: str = STRONG) -> list[Shape]:
    room = int((place.width - 12) / 4.8)
    return [
        Box(place.x, place.y, place.width, HEIGHT, "#FFFFFF", ink),
        Label(place.x + 7, place.y + 13, title, 8.5, ink if ink != STRONG else INK, strong=True),
        Label(place.x + 7, place.y + 25, shortened(first, room), 7.5, INK),
        Label(place.x + 7, place.y + 36, shortened(second, room), 7.5, QUIET),
    ]


def _signatures(rows: Rows, boxes: Mapping[str, Any]) -> tuple[list[Shape], list[str]]:
    """A list beside the lower boxes: for each subject that was signed, who signed it as what."""
    subjects: dict[str, list[Any]] = {}
    for row in rows["signature"]:
        record: Any = row.record
        subjects.setdefault(shown(record.get("subject_name")), []).append(record)
    place = boxes["answer"][0]
    x, y = place.x + place.width + GAP + 14, place.y + 11
    shapes: list[Shape] = [Label(x, y, "Signatures", 8.5, PLUM, strong=True)]
    words = []
    room = int((WIDTH - x) / 4.9)
    for subject, signed in subjects.items():
        y += 14
        shapes.append(Label(x, y, shortened(subject, room), 7.5, INK, strong=True))
        for record in signed[:MOST_SIGNERS]:
            y += 11
            said = f"{shown(record.get('meaning'))} by {shown(record.get('name'))}"
            shapes.append(Label(x + 7, y, shortened(said, room - 2), 7.5, PLUM))
            words.append(f"{subject} was signed as {said}.")
        if len(signed) > MOST_SIGNERS:
            y += 11
            more = f"and {count(len(signed) - MOST_SIGNERS, 'more signature')}"
            shapes.append(Label(x + 7, y, more, 7.5, PLUM))
            words.append(f"{subject}: {more}.")
    if not subjects:
        shapes.append(Label(x, y + 14, "None before the release.", 7.5, QUIET))
        words.append("Nobody signed before the release.")
    return shapes, words
