"""The figures of a report: means and differences with their intervals, on one scale for all shares.

A mark is the value, the line its 95 % interval; a dashed line is a bound that had to hold. The same figures stand beside it in words.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from core.evidence.blocks import Figure
from core.evidence.drawing import HAIR, INK, QUIET, RED, STRONG, Drawing, Label, Line, Shape, mark
from core.evidence.words import number, shortened, shown

WIDTH = 483.0
LEFT, RIGHT = 172.0, 372.0
ROW, HEAD, TOP, FOOT = 15.0, 19.0, 6.0, 22.0
TICKS = 4
SECONDS = "latency"
"""The scorer that measures seconds instead of shares."""


class _Point(NamedTuple):
    name: str
    value: float
    low: float
    high: float
    series: int


def results(result: Any) -> tuple[Figure, ...]:
    """The means of the run's variants: one figure of shares, one of seconds. Nothing where nothing was measured."""
    variants = result.get("variants") or []
    groups: dict[str, list[_Point]] = {}
    for series, variant in enumerate(variants):
        for metric in variant.get("metrics") or []:
            if metric["n"] and _drawable(metric):
                point = _Point(shown(variant["name"]), metric["value"], metric["low"], metric["high"], series)
                groups.setdefault(shown(metric["scorer"]), []).append(point)
    bounds: dict[tuple[str, str], list[float]] = {}
    for judged in result.get("criteria") or []:
        criterion = judged["criterion"]
        ends = [criterion[end] for end in ("at_least", "at_most") if criterion.get(end) is not None]
        bounds.setdefault((shown(criterion["metric"]), shown(criterion["variant"])), []).extend(ends)
    shares = {name: points for name, points in groups.items() if name != SECONDS}
    seconds = {name: points for name, points in groups.items() if name == SECONDS}
    figures = []
    if shares:
        drawing = _plot("Means with 95 % intervals", shares, 0.0, 1.0, bounds)
        figures.append(Figure(drawing, "Means with 95 % intervals; a dashed line is a bound that had to hold."))
    if seconds:
        highest = _round(max(point.high for points in seconds.values() for point in points))
        drawing = _plot("Seconds with 95 % intervals", seconds, 0.0, highest, bounds)
        figures.append(Figure(drawing, "Mean seconds for an answer, with 95 % intervals. Lower is better."))
    return tuple(figures)


def differences(result: Any) -> tuple[Figure, ...]:
    """The differences in shares between variants, around zero."""
    groups: dict[str, list[_Point]] = {}
    kinds: dict[str, int] = {}
    baselines = sorted({shown(found["baseline"]) for found in result.get("differences") or []})
    alone = len(baselines) == 1
    for found in result.get("differences") or []:
        if found["scorer"] != SECONDS and _drawable(found):
            name = shown(found["variant"]) if alone else f"{shown(found['variant'])} − {shown(found['baseline'])}"
            series = kinds.setdefault(name, len(kinds))
            point = _Point(name, found["value"], found["low"], found["high"], series)
            groups.setdefault(shown(found["scorer"]), []).append(point)
    if not groups:
        return ()
    drawing = _plot("Differences with 95 % intervals", groups, -1.0, 1.0, {})
    return (
        Figure(
            drawing, "Differences between variants with 95 % intervals; where one is grey, its interval holds zero."
        ),
    )


def _drawable(figure: Any) -> bool:
    """Whether a figure and its interval are numbers; whatever else a record holds stands in the table as it is."""
    return all(isinstance(figure.get(key), (int, float)) for key in ("value", "low", "high"))


def _plot(
    title: str,
    groups: Mapping[str, Sequence[_Point]],
    lowest: float,
    highest: float,
    bounds: Mapping[tuple[str, str], Sequence[float]],
) -> Drawing:
    bottom = TOP + sum(HEAD + ROW * len(points) for points in groups.values())
    shapes: list[Shape] = []

    def place(value: float) -> float:
        return LEFT + (RIGHT - LEFT) * (min(max(value, lowest), highest) - lowest) / (highest - lowest)

    for tick in range(TICKS + 1):
        value = lowest + (highest - lowest) * tick / TICKS
        zero = lowest < 0 and value == 0
        shapes.append(Line(place(value), TOP, place(value), bottom, STRONG if zero else HAIR, 0.9 if zero else 0.5))
        shapes.append(Label(place(value), bottom + 12, f"{value:.4g}", 7.5, QUIET, "middle"))
    y = TOP
    said = []
    for scorer, points in groups.items():
        shapes.append(Label(0, y + 13, shortened(scorer, 34), 8.5, INK, strong=True))
        y += HEAD
        for point in points:
            shapes += _row(point, y + ROW / 2, place, holds_zero=lowest < 0 and point.low <= 0 <= point.high)
            said.append(
                f"{scorer}, {point.name}: {number(point.value)}, from {number(point.low)} to {number(point.high)}."
            )
            for bound in bounds.get((scorer, point.name), ()):
                shapes.append(Line(place(bound), y, place(bound), y + ROW, RED, 1.1, dashed=True))
                said.append(f"The bound for it is {bound:g}.")
            y += ROW
    return Drawing(WIDTH, bottom + FOOT, tuple(shapes), title, f"{title}. {' '.join(said)}")


def _round(value: float) -> float:
    """The end of an axis: a round number that isn't below the value."""
    step = 10.0 ** math.floor(math.log10(value)) if value > 0 else 1.0
    return next(step * times for times in (1, 2, 4, 6, 8, 10) if step * times >= value)


def _row(point: _Point, y: float, place: Any, holds_zero: bool) -> list[Shape]:
    dot = mark(point.series, place(point.value), y)
    ink = STRONG if holds_zero else dot.fill
    figures = f"{number(point.value)} ({number(point.low)} to {number(point.high)})"
    return [
        Label(10, y + 2.8, shortened(point.name, 36), 7.5, QUIET),
        Line(place(point.low), y, place(point.high), y, ink, 1.6),
        dot._replace(fill=ink),
        Label(WIDTH, y + 2.8, figures, 7.5, INK, "end"),
    ]
