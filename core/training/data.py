"""Training examples out of files and datasets, and what is wrong with them, line by line. Pure.

Four forms are told apart by their keys: chat (`messages` of role and content), ShareGPT (`conversations` of from and value), Alpaca
(`instruction`, `input`, `output`), and samples (`input` with `answer` or `target`). Nothing is skipped silently: a row that can't be learned is a
problem with its line. A conversation with several answers is one example for each, so that each is learned behind the prompt that the engine
makes at that turn.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from core.datasets.conversations import PREFERENCES, ROLES, Wrong, form_of, turns_of
from core.datasets.records import Sample, Turn
from core.errors import BadInput
from core.evals.scorers import normalised
from core.inference.records import Message
from core.training.worker.records import Example, Problem


class Rows(NamedTuple):
    """What a file or a dataset gave."""

    form: str
    examples: tuple[Example, ...]
    problems: tuple[Problem, ...]


def read(name: str, content: bytes) -> Rows:
    """The examples of a file: JSON Lines, or one JSON list. A line that isn't readable is a problem like others. Raises `BadInput` for a file
    of which nothing is readable, or of no known form."""
    rows = list(_rows(name, content))
    form = _form(name, _first(name, rows))
    examples: list[Example] = []
    problems: list[Problem] = []
    for line, row in rows:
        try:
            if isinstance(row, Wrong):
                raise row
            messages = _sample(row) if form == "samples" else _conversation(form, row)
            examples += _answers(line, messages)
        except Wrong as problem:
            problems.append(Problem(line=line, problem=str(problem)))
    return Rows(form, tuple(examples), tuple(problems))


def is_samples(name: str, content: bytes) -> bool:
    """Whether a file holds samples, which a dataset of the vault can keep."""
    return _form(name, _first(name, list(_rows(name, content)))) == "samples"


def from_samples(reference: str, samples: Iterable[Sample], preferences: bool = False) -> Rows:
    """The examples of a dataset: its answers, or its targets where there is no whole answer, behind the conversation that a sample has; with
    `preferences` the better of two answers with the worse."""
    examples: list[Example] = []
    problems: list[Problem] = []
    for sample in samples:
        line = f"{reference}, {sample.id}"
        answer = sample.chosen if preferences else sample.answer or sample.target or ""
        if any(turn.role not in ROLES.values() for turn in sample.turns):
            problems.append(Problem(line=line, problem="it has calls of functions, which aren't learned here."))
        elif preferences and (not sample.rejected.strip() or sample.rejected == answer):
            problems.append(Problem(line=line, problem="it has no worse answer that differs from the better one."))
        elif answer.strip():
            before = sample.turns or (Turn(role="user", content=sample.input),)
            turns = [Message(role=turn.role, content=turn.content) for turn in before]
            try:
                made = list(_answers(line, [*turns, Message(role="assistant", content=answer)]))
                examples += (
                    [msgspec.structs.replace(made[-1], line=line, rejected=sample.rejected)] if preferences else made
                )
            except Wrong as problem:
                problems.append(Problem(line=line, problem=str(problem)))
        else:
            missing = "it has no better answer" if preferences else "it has neither an answer nor a target"
            problems.append(Problem(line=line, problem=f"{missing}."))
    return Rows("preferences" if preferences else "samples", tuple(examples), tuple(problems))


def with_system(examples: Iterable[Example], system: str) -> tuple[Example, ...]:
    """The same, with a system turn before those that have none."""
    if not system:
        return tuple(examples)
    first = Message(role="system", content=system)
    return tuple(
        one
        if not one.messages or one.messages[0].role == "system"
        else msgspec.structs.replace(one, messages=(first, *one.messages))
        for one in examples
    )


def checked(examples: Sequence[Example], asked: Iterable[str] = ()) -> Rows:
    """The examples that occur once and aren't asked in an evaluation; `asked` are the texts of evaluations' questions."""
    kept: list[Example] = []
    problems: list[Problem] = []
    seen: dict[tuple[tuple[str, str], ...], str] = {}
    questions = {normalised(text) for text in asked}
    for one in examples:
        same = (("text", one.text), ("rejected", one.rejected), *((turn.role, turn.content) for turn in one.messages))
        if same in seen:
            problems.append(Problem(line=one.line, problem=f"the same as {seen[same]}."))
        elif any(normalised(turn.content) in questions for turn in one.messages if turn.role == "user"):
            problems.append(Problem(line=one.line, problem="an evaluation set asks it; its result would mean nothing."))
        else:
            seen[same] = one.line
            kept.append(one)
    return Rows("", tuple(kept), tuple(problems))


def _rows(name: str, content: bytes) -> Iterator[tuple[str, dict[str, Any] | Wrong]]:
    """Each row with its place, or what is wrong with it. Lines end with a line feed alone: other separators may stand in JSON's strings."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(source=name, problem=f"not UTF-8 at byte {error.start}. Save it as UTF-8.") from error
    if text.lstrip().startswith("["):
        try:
            items = enumerate(msgspec.json.decode(text), 1)
        except msgspec.DecodeError as error:
            raise BadInput(source=name, problem=f"not readable as JSON ({error}).") from error
        yield from ((f"{name}, item {number}", _row(one)) for number, one in items)
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                found = _row(msgspec.json.decode(line))
            except msgspec.DecodeError:
                found = Wrong("it isn't readable as JSON.")
            yield f"{name}, line {number}", found


def _row(value: Any) -> dict[str, Any] | Wrong:
    return value if isinstance(value, dict) else Wrong("it is no object with keys.")


def _first(name: str, rows: Sequence[tuple[str, dict[str, Any] | Wrong]]) -> dict[str, Any]:
    """The first row that is readable. Raises `BadInput` for none."""
    if not rows:
        raise BadInput(source=name, problem="there is nothing in it.")
    for _, row in rows:
        if not isinstance(row, Wrong):
            return row
    raise BadInput(source=rows[0][0], problem=str(rows[0][1]))


def _form(name: str, row: dict[str, Any]) -> str:
    if any(key in row for key in PREFERENCES):
        raise BadInput(
            source=name,
            problem="these are preferences (chosen, rejected). Name a dataset with the file, and set objective: preferences.",
        )
    form = form_of(row) or ("samples" if "input" in row else "")
    if form:
        return form
    raise BadInput(
        source=name,
        problem="none of the known forms. Use `messages`, `conversations`, `instruction` and `output`, or `input` and `answer`.",
    )


def _conversation(form: str, row: dict[str, Any]) -> list[Message]:
    if row.get("tools"):
        raise Wrong("it has tools, which aren't learned here.")
    return [Message(role=turn.role, content=turn.content) for turn in turns_of(form, row)]


def _sample(row: dict[str, Any]) -> list[Message]:
    answer = row.get("answer") or row.get("target")
    if not isinstance(row.get("input"), str) or not row["input"].strip():
        raise Wrong("its input is empty.")
    if not isinstance(answer, str) or not answer.strip():
        raise Wrong("it has neither an answer nor a target.")
    return [Message(role="user", content=row["input"]), Message(role="assistant", content=answer)]


def _answers(line: str, messages: list[Message]) -> Iterator[Example]:
    """One example for each of the assistant's turns."""
    turns = messages[1:] if messages[0].role == "system" else messages
    wanted = ["user" if place % 2 == 0 else "assistant" for place in range(len(turns))]
    if [turn.role for turn in turns] != wanted:
        raise Wrong("its turns don't alternate between user and assistant, beginning with the user.")
    if not turns or turns[-1].role != "assistant":
        raise Wrong("its last turn isn't the assistant's.")
    answers = [place for place, message in enumerate(messages, 1) if message.role == "assistant"]
    for number, place in enumerate(answers, 1):
        where = line if len(answers) == 1 else f"{line}, answer {number}"
        yield Example(line=where, messages=tuple(messages[:place]))
