"""Duplicates, personal data and contamination, on samples that were made to be found, and on others that were not."""

import random

from core.datasets.records import Sample, Turn
from core.datasets.screening import NEAR, Source, contaminated, personal, repeats
from core.datasets.texts import near_pairs, shingles
from core.guards.personal import kinds_in
from core.jobs import Job

LONG = "Within how many calendar days must the sponsor report a fatal unexpected reaction to the authority after first knowledge of it in the trial"


def sample(id: str, input: str, target: str = "seven", **rest: object) -> Sample:
    return Sample(id=id, input=input, target=target, **rest)  # type: ignore[arg-type]


def test_each_repetition_is_told_once_by_its_strongest_reason() -> None:
    kept = (
        sample("1", LONG),
        sample("2", LONG),
        sample("3", LONG.upper() + " ??", "eight"),
        sample("4", LONG + " please"),
        sample("5", "Where is the office?"),
        sample("6", "Where is the annex?"),
    )
    found = repeats(kept, Job("Screen"))
    assert [(one.sample, one.of, one.how) for one in found] == [
        ("2", "1", "exact"),
        ("3", "1", "normalised"),
        ("4", "1", "near"),
    ]
    assert 0.8 <= found[2].similarity < 1


def test_different_questions_of_one_form_are_no_repetition() -> None:
    kept = tuple(
        sample(str(n), f"Question {n}: what does article {n * 7} of part {n * 3} say about term {n * 11} and rule {n}?")
        for n in range(300)
    )
    assert repeats(kept, Job("Screen")) == ()


def test_another_conversation_before_the_same_words_is_another_question() -> None:
    turns = (Turn(role="user", content="Tell me of Berlin."), Turn(role="assistant", content="Yes."))
    last = Turn(role="user", content="How large is it?")
    kept = (sample("1", last.content), sample("2", last.content, turns=(*turns, last)))
    assert repeats(kept, Job("Screen")) == ()


def test_personal_data_is_told_by_field_and_kind() -> None:
    kept = (
        sample("1", "Who wrote?", "x"),
        sample("2", "Write to ann@firm.example", passages=("bob@firm.example",), metadata={"by": "cy@firm.example"}),
        sample("3", "Call Mr Ralph Ibarra on +49 30 901820", "no"),
    )
    found = personal(kept, kinds_in, Job("Screen"))
    assert [(one.sample, one.field, one.kind) for one in found] == [
        ("2", "input", "email"),
        ("2", "passages", "email"),
        ("2", "metadata", "email"),
        ("3", "input", "phone"),
        ("3", "input", "person"),
    ]


def test_what_an_adapter_learned_is_found_in_what_tests_it() -> None:
    learned = (sample("t1", LONG), sample("t2", "Where is the office?"), sample("t3", "Something else entirely?"))
    tested = (
        sample("e1", "What is new?"),
        sample("e2", "where is the OFFICE"),
        sample("e3", LONG + " please"),
        sample("e4", LONG),
        sample("e5", "What is new?"),
    )
    found = contaminated(tested, [Source("training-1", "house@1", learned)], Job("Screen"))
    assert [(one.sample, one.of, one.how, one.adapter) for one in found] == [
        ("e2", "t2", "normalised", "training-1"),
        ("e3", "t1", "near", "training-1"),
        ("e4", "t1", "exact", "training-1"),
    ]
    assert contaminated(tested, [], Job("Screen")) == ()


def test_near_pairs_are_the_most_alike_earlier_ones() -> None:
    chance = random.Random(3)
    words = "a case is kept for ten years by the desk that reports serious ones to the head".split()
    texts = [" ".join(words[: chance.randint(6, 16)] + chance.sample(words, 2)) for _ in range(120)]
    sets = [shingles(text) for text in texts]

    def alike(one: int, other: int) -> float:
        return len(sets[one] & sets[other]) / len(sets[one] | sets[other])

    found = list(near_pairs(sets, 0, NEAR))
    assert len(found) > 20
    for earlier, later, score in found:
        best = max(alike(place, later) for place in range(later))
        assert (score, earlier) == (best, next(place for place in range(later) if alike(place, later) == best))
