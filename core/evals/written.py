"""A spec as somebody writes it: the text of its YAML, and what is wrong with it, with the line. Pure.

The line of a problem is that of the field which it names: by its path where a value has the wrong kind, else by the first field that the
sentence names. A problem of the whole text stands on its first line.
"""

import re
from typing import NamedTuple

import msgspec
import yaml

from core.errors import BadInput
from core.evals.files import checked, with_labels
from core.evals.records import Spec
from core.paths import parse_yaml

_PATH = re.compile(r" - at `\$([^`]*)`")
_STEP = re.compile(r"\.(\w+)|\[(\d+|\.\.\.)\]")
_LINE = re.compile(r"^line (\d+): ")
_UNKNOWN = re.compile(r"unknown field `(\w+)`")
SOURCE = "spec"


class Problem(NamedTuple):
    """What is wrong, in a sentence, and on which line, counted from 1."""

    line: int
    sentence: str


def read_text(text: str) -> Spec:
    """The spec that a YAML text writes. Raises `BadInput`."""
    content = parse_yaml(text, SOURCE)
    if not isinstance(content, dict):
        raise BadInput(source=SOURCE, problem="it isn't a list of fields. Write `name:`, `dataset:` and `scorers:`.")
    try:
        spec = msgspec.convert(with_labels(content, SOURCE), Spec)
    except msgspec.ValidationError as error:
        raise BadInput(source=SOURCE, problem=f"{error}.") from error
    return checked(spec, SOURCE)


def problem(text: str) -> Problem | None:
    """What is wrong with a YAML text as a spec; None where it can be saved, as far as can be told without the vault."""
    try:
        read_text(text)
    except BadInput as error:
        said = str(error).removeprefix(f"{SOURCE}: ")
        if found := _LINE.match(said):
            return Problem(int(found[1]), _sentence(said[found.end() :]))
        return Problem(_line(text, said), _sentence(_PATH.sub("", said)))
    return None


def _sentence(said: str) -> str:
    return said[:1].upper() + said[1:]


def _line(text: str, said: str) -> int:
    root = yaml.compose(text, yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode):
        return 1
    found = _PATH.search(said)
    path = [name or place for name, place in _STEP.findall(found[1])] if found else []
    if unknown := _UNKNOWN.search(said):
        path.append(unknown[1])
    if path:
        return _follow(root, path, said)
    places = ((_place(said, str(key.value)), key.start_mark.line) for key, _ in root.value)
    named = [(place, int(line)) for place, line in places if place is not None]
    return min(named)[1] + 1 if named else 1


def _place(said: str, key: str) -> int | None:
    """Where a sentence names a field, or one of the things in it."""
    one = {"criteria": "criterion"}.get(key, key.removesuffix("s"))
    found = re.search(rf"\b(?:{re.escape(key)}|{re.escape(one)})\b", said)
    return found.start() if found else None


def _follow(node: yaml.Node, path: list[str], said: str) -> int:
    line = node.start_mark.line
    for step in path:
        if isinstance(node, yaml.MappingNode):
            held = {str(key.value): (key, value) for key, value in node.value}
            if step not in held:
                break
            key, node = held[step]
            line = key.start_mark.line
        elif isinstance(node, yaml.SequenceNode) and node.value:
            node = node.value[int(step)] if step.isdigit() and int(step) < len(node.value) else _wrong(node, said)
            line = node.start_mark.line
    return int(line) + 1


def _wrong(node: yaml.SequenceNode, said: str) -> yaml.Node:
    """Of a list's entries, the first that the sentence can mean: the one with the field it calls unknown, else the first."""
    if unknown := _UNKNOWN.search(said):
        for one in node.value:
            if isinstance(one, yaml.MappingNode) and any(key.value == unknown[1] for key, _ in one.value):
                return one
    first: yaml.Node = node.value[0]
    return first
