"""Standard suites, read from the files that their authors publish, as samples with the prompt and the scorers that go with them.

Rules: a suite is asked without documents, everything that is asked stands in a sample's input; a file that isn't of the suite's form is
refused with its place; code that a model writes is never run, so there is no suite for it. Suites of choices weigh them by log-likelihood
after a plain text, so that models without a chat template can take them; what is generated meanwhile is one token.
"""

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from core.datasets.records import Sample
from core.errors import BadInput
from core.evals.scoring.choice import LETTERS
from core.inference.records import TEXT, Message

LARGEST: Final = 200_000_000
NO_COMMENT: Final = "I have no comment."
"""Counts as a right answer to every question of TruthfulQA, as its authors have it."""


class Suite(NamedTuple):
    """`scorers` is as in a spec's YAML."""

    name: str
    title: str
    source: str
    file: str
    read: Callable[[Path], Iterator[Sample]]
    prompt: tuple[Message, ...]
    scorers: tuple[Any, ...]
    max_tokens: int


def read_suite(suite: Suite, path: Path) -> tuple[Sample, ...]:
    """The suite's samples, in the file's order. Raises `BadInput` naming the file and the place."""
    if not path.is_file():
        raise BadInput(source=str(path), problem=f"there is no such file. The suite is read from {suite.file}.")
    if path.stat().st_size > LARGEST:
        raise BadInput(source=path.name, problem="over 200 MB: not a file of this suite.")
    samples = tuple(suite.read(path))
    if not samples:
        raise BadInput(source=path.name, problem="no questions in it.")
    return samples


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(source=path.name, problem=f"not UTF-8 at byte {error.start}.") from error


def _wrong(path: Path, place: object, problem: str) -> BadInput:
    return BadInput(source=f"{path.name}, {place}", problem=problem)


def _sentences(text: str) -> list[str]:
    """TruthfulQA's lists: parted by semicolons, each with a full stop."""
    parts = (part.strip() for part in text.split(";"))
    return [part if part.endswith(".") else f"{part}." for part in parts if part]


def _truthfulqa(path: Path) -> Iterator[Sample]:
    rows = csv.DictReader(io.StringIO(_text(path)))
    wanted = ("Category", "Question", "Best Answer", "Correct Answers", "Incorrect Answers")
    if missing := [name for name in wanted if name not in (rows.fieldnames or ())]:
        raise _wrong(path, "line 1", f"no column {missing[0]}: not TruthfulQA.csv.")
    for number, row in enumerate(rows, 1):
        if any(not row[name] for name in wanted):
            raise _wrong(path, f"line {rows.line_num}", "a column is empty.")
        best = _sentences(row["Best Answer"])[0]
        right = list(dict.fromkeys([best, *_sentences(row["Correct Answers"]), NO_COMMENT]))
        wrong = [text for text in dict.fromkeys(_sentences(row["Incorrect Answers"])) if text not in right]
        yield Sample(
            id=f"{number:04d}",
            input=row["Question"].strip(),
            target=best,
            targets=tuple(right[1:]),
            choices=(*right, *wrong),
            tags=(row["Category"].strip(),),
        )


def _gsm8k(path: Path) -> Iterator[Sample]:
    for number, line in enumerate(_text(path).splitlines(), 1):
        try:
            row = msgspec.json.decode(line, type=_Gsm8k)
        except msgspec.MsgspecError as error:
            raise _wrong(path, f"line {number}", "not a question of GSM8K.") from error
        working, mark, target = row.answer.rpartition("####")
        if not mark:
            raise _wrong(path, f"line {number}", "the answer has no line with ####.")
        yield Sample(
            id=f"{number:04d}", input=row.question, target=target.strip(), metadata={"working": working.strip()}
        )


def _pubmedqa(path: Path) -> Iterator[Sample]:
    try:
        rows = msgspec.json.decode(_text(path), type=dict[str, _PubMedQA])
    except msgspec.MsgspecError as error:
        raise BadInput(source=path.name, problem="not the questions of PubMedQA (ori_pqal.json).") from error
    beside, held = path.with_name("test_ground_truth.json"), set()
    if beside.is_file():
        held = set(msgspec.json.decode(beside.read_bytes(), type=dict[str, str]))
    for id, row in rows.items():
        abstract = "\n".join(row.contexts)
        yield Sample(
            id=id,
            input=f"Abstract: {abstract}\nQuestion: {row.question}",
            target=row.decision,
            choices=("yes", "no", "maybe"),
            tags=("test",) if id in held else (),
        )


def _mmlu(path: Path) -> Iterator[Sample]:
    rows = csv.reader(io.StringIO(_text(path)))
    for number, row in enumerate(rows, 1):
        if len(row) != 6 or row[5].strip() not in tuple("ABCD") or len(set(row[1:5])) != 4:
            raise _wrong(
                path, f"line {rows.line_num}", "not a question, four different choices and a letter from A to D."
            )
        choices = tuple(row[1:5])
        listed = "\n".join(f"{letter}. {choice}" for letter, choice in zip(LETTERS, choices, strict=False))
        yield Sample(
            id=f"{number:04d}",
            input=f"{row[0].strip()}\n{listed}",
            target=choices[LETTERS.index(row[5].strip())],
            choices=choices,
            tags=(path.stem,),
        )


class _Gsm8k(msgspec.Struct, frozen=True):
    question: str
    answer: str


class _PubMedQA(msgspec.Struct, frozen=True):
    question: str = msgspec.field(name="QUESTION")
    contexts: tuple[str, ...] = msgspec.field(name="CONTEXTS")
    decision: str = msgspec.field(name="final_decision")


def _plain(text: str) -> tuple[Message, ...]:
    return (Message(role=TEXT, content=text),)


_SOLVE: Final = "Solve this step by step. End with a line that says: The answer is N.\n\n{{ question }}"

SUITES: Final[dict[str, Suite]] = {
    suite.name: suite
    for suite in (
        Suite(
            "truthfulqa",
            "TruthfulQA, multiple choice: 817 questions that people often answer wrongly.",
            "Lin et al. 2022; MC1 is choice_likelihood, MC2 is choice_mass. Asked without the authors' six examples.",
            "TruthfulQA.csv",
            _truthfulqa,
            _plain("Q: {{ question }}\nA:"),
            ("choice_likelihood", "choice_mass"),
            1,
        ),
        Suite(
            "gsm8k",
            "GSM8K: 1,319 sums for children in words.",
            "Cobbe et al. 2021; the last number of the answer counts.",
            "test.jsonl",
            _gsm8k,
            (Message(role="user", content=_SOLVE),),
            ({"name": "numeric", "which": "last"},),
            384,
        ),
        Suite(
            "pubmedqa",
            "PubMedQA: 1,000 questions to abstracts, answered by yes, no or maybe; its 500 for testing have the tag test.",
            "Jin et al. 2019, the expert-labelled part.",
            "ori_pqal.json",
            _pubmedqa,
            _plain("{{ question }}\nAnswer:"),
            ("choice_likelihood",),
            1,
        ),
        Suite(
            "mmlu",
            "Questions of MMLU's form: a CSV without a first line of names; question, four choices, letter.",
            "Hendrycks et al. 2021; the likeliest letter counts. Asked without examples.",
            "a CSV file",
            _mmlu,
            _plain("{{ question }}\nAnswer:"),
            ({"name": "choice_likelihood", "letters": True},),
            1,
        ),
    )
}
