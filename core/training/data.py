"""Training examples out of files and datasets, and what is wrong with them, line by line. Pure.

Four forms are told apart by their keys: chat (`messages` of role and content), ShareGPT (`conversations` of from and value), Alpaca
(`instruction`, `input`, `output`), and samples (`input` with `answer` or `target`). Nothing is skipped silently: a row that can't be learned is a
problem with its line. A conversation with several answers is one example for each, so that each is learned behind the prompt that the engine
makes at that turn.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from core.datasets.records import Sample
from core.errors import BadInput
from core.evals.scorers import normalised
from core.inference.records import Message
from core.training.worker.records import Example, Problem

ROLES: Final = {
    "system": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "model": "assistant",
}
_UNUSED: Final = ("tools", "images", "audios", "videos")
PREFERENCES: Final = ("chosen", "rejected", "label")


class Rows(NamedTuple):
    """What a file or a dataset gave."""

    form: str
    examples: tuple[Example, ...]
    problems: tuple[Problem, ...]


class _Wrong(Exception):
    """Why a row can't be learned, without its content."""


def read(name: str, content: bytes) -> Rows:
    """The examples of a file: JSON Lines, or one JSON list. Raises `BadInput` with the line that isn't readable, or for no known form."""
    rows = list(_rows(name, content))
    if not rows:
        raise BadInput(source=name, problem="there is nothing in it.")
    form = _form(name, rows[0][1])
    examples: list[Example] = []
    problems: list[Problem] = []
    for line, row in rows:
        try:
            messages = _READERS[form](row)
            examples += _answers(line, messages)
        except _Wrong as problem:
            problems.append(Problem(line=line, problem=str(problem)))
    return Rows(form, tuple(examples), tuple(problems))


def is_samples(name: str, content: bytes) -> bool:
    """Whether a file holds samples, which a dataset of the vault can keep."""
    rows = list(_rows(name, content))
    return bool(rows) and _form(name, rows[0][1]) == "samples"


def from_samples(reference: str, samples: Iterable[Sample]) -> Rows:
    """The examples of a dataset: its answers, or its targets where there is no whole answer."""
    examples: list[Example] = []
    problems: list[Problem] = []
    for sample in samples:
        line = f"{reference}, {sample.id}"
        answer = sample.answer or sample.target or ""
        if answer.strip():
            turns = (Message(role="user", content=sample.input), Message(role="assistant", content=answer))
            examples.append(Example(line=line, messages=turns))
        else:
            problems.append(Problem(line=line, problem="it has neither an answer nor a target."))
    return Rows("samples", tuple(examples), tuple(problems))


def with_system(examples: Iterable[Example], system: str) -> tuple[Example, ...]:
    """The same, with a system turn before those that have none."""
    if not system:
        return tuple(examples)
    first = Message(role="system", content=system)
    return tuple(
        one if one.messages[0].role == "system" else msgspec.structs.replace(one, messages=(first, *one.messages))
        for one in examples
    )


def checked(examples: Sequence[Example], asked: Iterable[str] = ()) -> Rows:
    """The examples that occur once and aren't asked in an evaluation; `asked` are the texts of evaluations' questions."""
    kept: list[Example] = []
    problems: list[Problem] = []
    seen: dict[tuple[tuple[str, str], ...], str] = {}
    questions = {normalised(text) for text in asked}
    for one in examples:
        same = tuple((message.role, message.content) for message in one.messages)
        if same in seen:
            problems.append(Problem(line=one.line, problem=f"the same as {seen[same]}."))
        elif any(normalised(turn.content) in questions for turn in one.messages if turn.role == "user"):
            problems.append(Problem(line=one.line, problem="an evaluation set asks it; its result would mean nothing."))
        else:
            seen[same] = one.line
            kept.append(one)
    return Rows("", tuple(kept), tuple(problems))


def _rows(name: str, content: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(source=name, problem=f"not UTF-8 at byte {error.start}. Save it as UTF-8.") from error
    if text.lstrip().startswith("["):
        try:
            items: list[tuple[str, Any]] = [
                (f"{name}, item {number}", one) for number, one in enumerate(msgspec.json.decode(text), 1)
            ]
        except msgspec.DecodeError as error:
            raise BadInput(source=name, problem=f"not readable as JSON ({error}).") from error
    else:
        items = []
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip():
                try:
                    items.append((f"{name}, line {number}", msgspec.json.decode(line)))
                except msgspec.DecodeError as error:
                    raise BadInput(source=f"{name}, line {number}", problem="not readable as JSON.") from error
    for where, row in items:
        if not isinstance(row, dict):
            raise BadInput(source=where, problem="an example is an object with keys.")
        yield where, row


def _form(name: str, row: dict[str, Any]) -> str:
    if any(key in row for key in PREFERENCES):
        raise BadInput(
            source=name,
            problem="these are preferences (chosen, rejected), which aren't trained on here. Give examples.",
        )
    for form, key in (
        ("chat", "messages"),
        ("sharegpt", "conversations"),
        ("alpaca", "instruction"),
        ("samples", "input"),
    ):
        if key in row:
            return form
    raise BadInput(
        source=name,
        problem="none of the known forms. Use `messages`, `conversations`, `instruction` and `output`, or `input` and `answer`.",
    )


def _chat(row: dict[str, Any]) -> list[Message]:
    return _turns(row, "messages", "role", "content")


def _sharegpt(row: dict[str, Any]) -> list[Message]:
    turns = _turns(row, "conversations", "from", "value")
    system = row.get("system")
    return [Message(role="system", content=system), *turns] if isinstance(system, str) and system.strip() else turns


def _turns(row: dict[str, Any], key: str, role: str, content: str) -> list[Message]:
    for unused in _UNUSED:
        if row.get(unused):
            raise _Wrong(f"it has {unused}, which aren't learned here.")
    turns = row.get(key)
    if not isinstance(turns, list) or not turns:
        raise _Wrong(f"it has no {key}.")
    return [_turn(number, turn, role, content) for number, turn in enumerate(turns, 1)]


def _turn(number: int, turn: Any, role: str, content: str) -> Message:
    if not isinstance(turn, dict):
        raise _Wrong(f"turn {number} is no object.")
    said = turn.get(role)
    known = ROLES.get(said) if isinstance(said, str) else None
    if known is None:
        raise _Wrong(f"turn {number} is by {str(said)[:30]}, which isn't one of {', '.join(ROLES)}.")
    text = turn.get(content)
    if not isinstance(text, str) or not text.strip():
        raise _Wrong(f"turn {number} is empty.")
    return Message(role=known, content=text)


def _alpaca(row: dict[str, Any]) -> list[Message]:
    found = {key: row.get(key) or "" for key in ("instruction", "input", "output", "system")}
    if not all(isinstance(value, str) for value in found.values()):
        raise _Wrong("one of its fields is no text.")
    if not found["output"].strip():
        raise _Wrong("its output is empty.")
    asked = "\n".join(part for part in (found["instruction"], found["input"]) if part.strip())
    if not asked:
        raise _Wrong("its instruction is empty.")
    system = [Message(role="system", content=found["system"])] if found["system"].strip() else []
    return [*system, Message(role="user", content=asked), Message(role="assistant", content=found["output"])]


def _sample(row: dict[str, Any]) -> list[Message]:
    answer = row.get("answer") or row.get("target")
    if not isinstance(row.get("input"), str) or not row["input"].strip():
        raise _Wrong("its input is empty.")
    if not isinstance(answer, str) or not answer.strip():
        raise _Wrong("it has neither an answer nor a target.")
    return [Message(role="user", content=row["input"]), Message(role="assistant", content=answer)]


_READERS: Final = {"chat": _chat, "sharegpt": _sharegpt, "alpaca": _alpaca, "samples": _sample}


def _answers(line: str, messages: list[Message]) -> Iterator[Example]:
    """One example for each of the assistant's turns."""
    turns = messages[1:] if messages[0].role == "system" else messages
    wanted = ["user" if place % 2 == 0 else "assistant" for place in range(len(turns))]
    if [turn.role for turn in turns] != wanted:
        raise _Wrong("its turns don't alternate between user and assistant, beginning with the user.")
    if not turns or turns[-1].role != "assistant":
        raise _Wrong("its last turn isn't the assistant's.")
    answers = [place for place, message in enumerate(messages, 1) if message.role == "assistant"]
    for number, place in enumerate(answers, 1):
        where = line if len(answers) == 1 else f"{line}, answer {number}"
        yield Example(line=where, messages=tuple(messages[:place]))
