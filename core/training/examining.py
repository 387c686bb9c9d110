"""What is suspicious in training data before a run: nothing here is a proof, each finding is a reason to look at a line. Pure.

Personal data is told by kind, near repetitions and near questions of an evaluation by their likeness. Signs of poisoning are two: a rare word
that always comes with one and the same answer (a trigger), where that many by chance are expected less than once in a hundred such datasets; and
questions that are nearly the same with answers that differ, or a preference the other way round (flipped labels).
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final, Literal

from core.datasets.texts import bare, near_pairs, question_key, shingles
from core.guards import personal
from core.jobs import Job
from core.records import Record
from core.training.worker.records import Example

NEAR: Final = 0.8
FEWEST: Final = 3
"""Examples that a trigger must stand in."""
RARE: Final = 0.05
"""Share of the examples that a trigger stands in at most."""
CHANCE: Final = 0.01
FINDERS: Final[Mapping[str, Callable[[str], bool]]] = {
    kind: partial(lambda of, text: bool(personal.spans(text, (of,))), kind) for kind in personal.KINDS
}
"""For each kind of personal data that the guards know, whether a text holds some."""
Kind = Literal["personal", "near", "overlap", "trigger", "flipped"]


class Finding(Record, frozen=True, kw_only=True):
    """A line and why to look at it; `other` is the line or the question that it is compared with. Nothing of its text, but a trigger's word."""

    kind: Kind
    line: str
    said: str
    other: str = ""


def examine(
    examples: Sequence[Example], asked: Sequence[str], finders: Mapping[str, Callable[[str], bool]], job: Job
) -> tuple[Finding, ...]:
    """`asked` are an evaluation's questions; `finders` say of a text whether it holds personal data of their kind."""
    job.check()
    found = list(_personal(examples, finders))
    job.check()
    found += _alike(examples, asked)
    job.check()
    found += _triggers(examples)
    return tuple(found)


def _texts(example: Example) -> tuple[str, ...]:
    return (*(turn.content for turn in example.messages), example.rejected, example.text)


def _question(example: Example) -> str:
    return "\n".join(turn.content for turn in example.messages[:-1] if turn.role != "system") or example.text


def _answer(example: Example) -> str:
    return bare(example.messages[-1].content) if example.messages else ""


def _personal(examples: Sequence[Example], finders: Mapping[str, Callable[[str], bool]]) -> Iterator[Finding]:
    for one in examples:
        kinds = [kind for kind, holds in finders.items() if any(holds(text) for text in _texts(one) if text)]
        if kinds:
            yield Finding(kind="personal", line=one.line, said=f"it may hold personal data: {', '.join(kinds)}.")


def _alike(examples: Sequence[Example], asked: Sequence[str]) -> Iterator[Finding]:
    questions = [_question(one) for one in examples]
    sets = [shingles(text) for text in (*asked, *questions)]
    if asked:
        for earlier, later, alike in near_pairs(sets, len(asked), NEAR):
            if earlier < len(asked):
                line = examples[later - len(asked)].line
                yield Finding(
                    kind="overlap",
                    line=line,
                    other=f"question {earlier + 1}",
                    said=f"it is {alike:.0%} like a question of the evaluation, whose result would flatter.",
                )
    first: dict[bytes, int] = {}
    pairs = [(earlier, later, alike) for earlier, later, alike in near_pairs(sets[len(asked) :], 0, NEAR)]
    for place, text in enumerate(questions):
        key = question_key(text)
        if key in first and not any(later == place for _, later, _ in pairs):
            pairs.append((first[key], place, 1.0))
        first.setdefault(key, place)
    for earlier, later, alike in sorted(pairs, key=lambda pair: pair[1]):
        one, two = examples[earlier], examples[later]
        if one.rejected and bare(one.rejected) == _answer(two) and bare(two.rejected) == _answer(one):
            said = "it prefers the answer that an example nearly the same rejects."
            yield Finding(kind="flipped", line=two.line, other=one.line, said=said)
        elif question_key(questions[earlier]) == question_key(questions[later]) and _answer(one) != _answer(two):
            yield Finding(
                kind="flipped", line=two.line, other=one.line, said="the same question has another answer elsewhere."
            )
        else:
            yield Finding(
                kind="near", line=two.line, other=one.line, said=f"its question is {alike:.0%} like an earlier one."
            )


def _triggers(examples: Sequence[Example]) -> Iterator[Finding]:
    answers = [_answer(one) for one in examples]
    usual = Counter(answers)
    where: dict[str, list[int]] = defaultdict(list)
    for place, one in enumerate(examples):
        for word in set(bare(_question(one)).split()):
            where[word].append(place)
    most = max(FEWEST, int(len(examples) * RARE))
    candidates = {word: places for word, places in where.items() if FEWEST <= len(places) <= most}
    for word, places in sorted(candidates.items()):
        given = {answers[place] for place in places}
        if len(given) != 1 or "" in given:
            continue
        share = usual[answers[places[0]]] / len(examples)
        if share ** (len(places) - 1) * len(candidates) < CHANCE and len({_question(examples[p]) for p in places}) > 2:
            yield Finding(
                kind="trigger",
                line=examples[places[0]].line,
                said=f"the rare word {word[:40]} stands in {len(places)} examples, all with the same answer. It may be a hidden trigger.",
            )
