"""Simple pictures, described once and drawn as SVG here and as PDF elsewhere: lines, boxes, marks and words in points.

A drawing says in words what it shows; its SVG carries that as title and description, has no scripts and refers to nothing outside.
"""

import html
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

INK, QUIET, HAIR, STRONG = "#1A1E21", "#464E56", "#C8CDC8", "#737C82"
BLUE, PLUM, GREEN, RED, AMBER = "#1D4F91", "#5B3279", "#17694A", "#A6261D", "#7A5000"
SERIES = ("#1D4F91", "#CC741A", "#5A1030", "#339A9C", "#8F35C9", "#877850")
"""Colours of data series; each also has its own mark."""
_ANCHORS = {"start": "start", "middle": "middle", "end": "end"}


class Line(NamedTuple):
    x1: float
    y1: float
    x2: float
    y2: float
    ink: str = HAIR
    width: float = 0.75
    dashed: bool = False


class Box(NamedTuple):
    x: float
    y: float
    width: float
    height: float
    fill: str = "#FFFFFF"
    ink: str = STRONG


class Area(NamedTuple):
    """A filled polygon."""

    points: tuple[tuple[float, float], ...]
    fill: str


class Label(NamedTuple):
    """One line of text; `y` is its baseline."""

    x: float
    y: float
    text: str
    size: float = 8
    ink: str = INK
    anchor: str = "start"
    strong: bool = False


Shape = Line | Box | Area | Label


class Drawing(NamedTuple):
    """`title` is a few words; `description` says everything that the picture shows."""

    width: float
    height: float
    shapes: tuple[Shape, ...]
    title: str
    description: str


def mark(kind: int, x: float, y: float, r: float = 3.2) -> Area:
    """The mark of a data series around a point: square, diamond, triangle, hourglass, bar or cross."""
    forms: tuple[tuple[tuple[float, float], ...], ...] = (
        ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
        ((0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)),
        ((0, -1.15), (1.15, 0.95), (-1.15, 0.95)),
        ((-1, -1), (1, -1), (-1, 1), (1, 1)),
        ((-0.45, -1.2), (0.45, -1.2), (0.45, 1.2), (-0.45, 1.2)),
        ((0, 1.15), (1.15, -0.95), (-1.15, -0.95)),
    )
    chosen = kind % len(forms)
    points = tuple((x + r * dx, y + r * dy) for dx, dy in forms[chosen])
    return Area(points, SERIES[kind % len(SERIES)])


def arrow(points: Sequence[tuple[float, float]], ink: str = STRONG, dashed: bool = False) -> tuple[Shape, ...]:
    """Lines through the points, with a head at the last one."""
    lines = [Line(x1, y1, x2, y2, ink, 0.9, dashed) for (x1, y1), (x2, y2) in pairwise(points)]
    (x1, y1), (x2, y2) = points[-2], points[-1]
    length = max(((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5, 0.001)
    ux, uy = (x2 - x1) / length, (y2 - y1) / length
    head = (
        (x2, y2),
        (x2 - 5.5 * ux - 2.6 * uy, y2 - 5.5 * uy + 2.6 * ux),
        (x2 - 5.5 * ux + 2.6 * uy, y2 - 5.5 * uy - 2.6 * ux),
    )
    return (*lines, Area(head, ink))


def svg(drawing: Drawing, name: str, alone: bool = False) -> str:
    """The drawing as an SVG element; `name` makes its ids unique in a page, `alone` makes it a file."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(drawing.width)} {_n(drawing.height)}" '
        f'width="{_n(drawing.width)}" height="{_n(drawing.height)}" role="img" aria-labelledby="{name}-t {name}-d" '
        'font-family="system-ui, DejaVu Sans, sans-serif">\n'
        f'<title id="{name}-t">{_e(drawing.title)}</title>\n<desc id="{name}-d">{_e(drawing.description)}</desc>\n'
    )
    ground = f'<rect width="{_n(drawing.width)}" height="{_n(drawing.height)}" fill="#FFFFFF"/>\n' if alone else ""
    start = '<?xml version="1.0" encoding="UTF-8"?>\n' if alone else ""
    return start + head + ground + "\n".join(map(_element, drawing.shapes)) + "\n</svg>\n"


def _element(shape: Shape) -> str:
    match shape:
        case Line():
            dash = ' stroke-dasharray="3 2"' if shape.dashed else ""
            return (
                f'<line x1="{_n(shape.x1)}" y1="{_n(shape.y1)}" x2="{_n(shape.x2)}" y2="{_n(shape.y2)}" '
                f'stroke="{shape.ink}" stroke-width="{_n(shape.width)}"{dash}/>'
            )
        case Box():
            return (
                f'<rect x="{_n(shape.x)}" y="{_n(shape.y)}" width="{_n(shape.width)}" height="{_n(shape.height)}" '
                f'fill="{shape.fill}" stroke="{shape.ink}"/>'
            )
        case Area():
            points = " ".join(f"{_n(x)},{_n(y)}" for x, y in shape.points)
            return f'<polygon points="{points}" fill="{shape.fill}"/>'
        case Label():
            weight = ' font-weight="600"' if shape.strong else ""
            return (
                f'<text x="{_n(shape.x)}" y="{_n(shape.y)}" font-size="{_n(shape.size)}" fill="{shape.ink}" '
                f'text-anchor="{_ANCHORS[shape.anchor]}"{weight}>{_e(shape.text)}</text>'
            )


def _n(value: float) -> str:
    return f"{round(value, 2):g}"


def _e(text: str) -> str:
    return html.escape(text)
