"""The values of the look, read from `resources/themes/tokens.json`: colours of three themes, type, lengths and motion.

Colours in the file are `#RRGGBB` or `#RRGGBBAA`, in the order of CSS. `QColor` and style sheets read eight digits as `#AARRGGBB`, so every
colour goes through `colour` or `css` and never to Qt as text from the file. Lengths are logical pixels at scale 1.0.
"""

from functools import cache
from pathlib import Path
from typing import Any, Literal

import msgspec
from PySide6.QtGui import QColor

from core.paths import RESOURCES

Theme = Literal["light", "dark", "high_contrast"]
SEMANTICS = ("pass", "fail", "warn", "info", "signed", "unverified")


class Tokens(msgspec.Struct, frozen=True):
    """The file, as it stands."""

    version: int
    themes: dict[str, dict[str, Any]]
    type: dict[str, Any]
    space: dict[str, int]
    radius: dict[str, int]
    border: dict[str, int]
    size: dict[str, Any]
    motion: dict[str, Any]
    chart: dict[str, Any]


def read(path: Path | None = None) -> Tokens:
    """The tokens of the file; raises `msgspec.ValidationError` on one that isn't ours."""
    return msgspec.json.decode((path or RESOURCES / "themes" / "tokens.json").read_bytes(), type=Tokens)


@cache
def tokens() -> Tokens:
    """The shipped tokens, read once."""
    return read()


def colour(text: str) -> QColor:
    """A colour of the file as Qt's: `#RRGGBBAA` has its alpha at the end."""
    if len(text) == 9:
        result = QColor(text[:7])
        result.setAlpha(int(text[7:], 16))
        return result
    return QColor(text)


def css(text: str) -> str:
    """A colour of the file as a style sheet reads it."""
    value = colour(text)
    if value.alpha() == 255:
        return value.name()
    return f"rgba({value.red()}, {value.green()}, {value.blue()}, {value.alpha()})"


@cache
def raw_colour(theme: str, name: str) -> str:
    """The text of a colour by its dotted name, such as `surface.panel`, `semantic.fail.tint`, `pass.fg` or `chart.0`."""
    parts = name.split(".")
    node: Any = tokens().themes[theme]
    if parts[0] in SEMANTICS:
        node = node["semantic"]
    for part in parts:
        node = node[int(part)] if isinstance(node, list) else node[part]
    if not isinstance(node, str):
        raise KeyError(name)
    return node
