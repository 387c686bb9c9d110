"""Scorers that look at the sample and the answer alone, against values worked by hand."""

from typing import Any

import pytest

from core.datasets.records import Sample
from core.errors import BadInput
from core.evals.scorers import SCORERS, chosen
from core.evals.scoring.choice import chosen_letter
from core.evals.scoring.numbers import numbers
from core.evals.scoring.reading import lix, reading_ease, words
from tests.unit.evals.scoring.answers import answered, cited, found, score

LOCATED = Sample(id="1", input="How many?", target="12 mg", document="sop.pdf", page=4)
CHOICES = ("Paris", "Lyon", "New York", "York")
CHOICE = Sample(id="c", input="Which?", target="Lyon", choices=CHOICES)


@pytest.mark.parametrize(
    ("target", "text", "settings", "passed"),
    [
        ("18", "She makes $18 every day.", {}, True),
        ("18", "9 * 2 = 18, so 19.", {"which": "last"}, False),
        ("18", "9 * 2 = 18, so 19.", {}, True),
        ("70000", "The profit is $70,000.", {"which": "last"}, True),
        ("3.14159", "About 3.14.", {"tolerance": 0.01}, True),
        ("3.14159", "About 3.14.", {"tolerance": 0.001}, False),
        ("200", "Some 204 people.", {"relative": 0.02}, True),
        ("-5", "It fell to −5 degrees.", {}, True),
        ("0.3", "0.1 + 0.2 = 0.3", {"which": "last"}, True),
        ("5", "No number here.", {}, False),
        ("3,5", "Es sind 3,50 kg.", {"decimals": "comma"}, True),
        ("3,5", "Es sind 7,5 kg.", {"decimals": "comma"}, False),
        ("1.234,5", "1234,5 Euro", {"decimals": "comma"}, True),
        ("5", "It is 7,5.", {}, False),
    ],
)
def test_a_number_is_right_within_its_tolerance(target: str, text: str, settings: dict[str, Any], passed: bool) -> None:
    given = score("numeric", Sample(id="1", input="?", target=target), text, settings)
    assert given is not None
    assert given.passed is passed


def test_numbers_are_read_in_order() -> None:
    assert [str(number) for number in numbers("1,234.5 of 2e3, v1.2 and 12,34 or -7")] == [
        "1234.5",
        "2E+3",
        "-7",
    ]
    assert [str(number) for number in numbers("1.234,5 of 3,5, on 12.11.2026 or yes,7", "comma")] == [
        "1234.5",
        "3.5",
        "7",
    ]
    assert numbers("9" * 100) == []
    assert score("numeric", Sample(id="1", input="?", target="many"), "5") is None


def test_a_number_in_the_other_way_of_writing_is_not_guessed() -> None:
    for target, settings in (("3,5", {}), ("1.234,5", {}), ("1,234.5", {"decimals": "comma"})):
        with pytest.raises(BadInput, match="decimals after a"):
            score("numeric", Sample(id="1", input="?", target=target), target, settings)
    assert score("numeric", Sample(id="1", input="?", target="12.11.2026"), "12.11.2025") is None, "a date is no number"


@pytest.mark.parametrize("name", ["contains", "exact"])
def test_a_target_without_words_is_not_held_by_everything(name: str) -> None:
    for target in (None, "", "\n", " "):
        assert score(name, Sample(id="1", input="?", target=target), "Yes, it is.") is None
        assert score(name, Sample(id="1", input="?", target=target), "") is None
    for answer, passed in (("...", True), ("", False), ("Yes, it is.", False)):
        given = score(name, Sample(id="1", input="?", target="..."), answer)
        assert given is not None
        assert given.passed is passed


def test_json_that_is_nested_too_deeply_is_wrong_and_ends_nothing() -> None:
    deep = '{"a":' * 900 + "1" + "}" * 900
    given = score("json_fields", Sample(id="1", input="?", target='{"a": 1}'), deep)
    assert given is not None
    assert not given.passed


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("B", 1),
        ("(b)", 1),
        ("B. Lyon", 1),
        ("The answer is C.", 2),
        ("I think it is **Answer: (A)**", 0),
        ("Lyon", 1),
        ("It is Lyon.", 1),
        ("New York", 2),
        ("It must be New York, I think.", 2),
        ("Lyon or Paris", None),
        ("A good question.", None),
        ("Answer: A or answer: B", None),
        ("The answer is Z", None),
        ("", None),
    ],
)
def test_the_choice_that_an_answer_takes(text: str, index: int | None) -> None:
    assert chosen_letter(text, CHOICES) == index


def test_a_choice_is_scored_where_there_are_choices() -> None:
    right, wrong = score("choice", CHOICE, "The answer is B"), score("choice", CHOICE, "A.")
    assert right is not None
    assert right.passed
    assert wrong is not None
    assert "right is B" in wrong.reason
    assert score("choice", LOCATED, "A") is None


@pytest.mark.parametrize(
    ("text", "value", "said"),
    [
        ('{"name": "ACME", "order": {"units": 3, "price": 9.5}, "tags": ["A", "b"]}', 1.0, "4 of 4"),
        ('```json\n{"name": "acme", "order": {"units": 4}, "tags": ["a", "b"], "more": 1}\n```', 0.5, "order.units"),
        ("no JSON", 0.0, "not readable"),
        ("[1]", 0.0, "not readable"),
    ],
)
def test_json_is_compared_field_by_field(text: str, value: float, said: str) -> None:
    target = '{"name": "Acme", "order": {"units": 3, "price": 9.5}, "tags": ["a", "b"]}'
    given = score("json_fields", Sample(id="1", input="?", target=target), text)
    assert given is not None
    assert given.value == value
    assert said in given.reason
    some = score("json_fields", Sample(id="1", input="?", target=target), text, {"fields": ["order"]})
    assert some is not None


def test_citations_and_passages_are_held_against_the_page_that_has_the_answer() -> None:
    answer = answered(
        "12 mg",
        citations=(cited("sop.pdf", 5), cited("sop.pdf", 4)),
        passages=(found("other.pdf", 4), found("sop.pdf", 4), found("sop.pdf", 1), found("sop.pdf", 4)),
    )
    values = {
        name: given.value
        for name in ("citation_correct", "citation_precision", "citation_recall", "context_precision", "context_recall")
        if (given := score(name, LOCATED, answer)) is not None
    }
    # right passages at 2 and 4: (1/2 + 2/4) / 2
    assert values == {
        "citation_correct": 0.0,
        "citation_precision": 0.5,
        "citation_recall": 1.0,
        "context_precision": 0.5,
        "context_recall": 1.0,
    }
    assert score("citation_precision", LOCATED, "cites nothing") is None
    missed = score("context_precision", LOCATED, "nothing found")
    assert missed is not None
    assert missed.value == 0.0


def test_readability_by_hand() -> None:
    # 10 words in 2 sentences; "readability" and "sentences" are long: 5 + 20
    text = "The cat sat on the mat. Readability of sentences matters."
    assert lix(text) == pytest.approx(10 / 2 + 100 * 3 / 10)
    # The cat sat on the mat: 6 words, 1 sentence, 6 syllables
    assert reading_ease("The cat sat on the mat.") == pytest.approx(206.835 - 1.015 * 6 - 84.6)
    assert words("It's well-known [2]: 12 mg") == ["It's", "well-known", "12", "mg"]
    for name in ("readability", "reading_ease"):
        assert score(name, LOCATED, "…") is None


@pytest.mark.parametrize(
    ("label", "settings", "passed"),
    [
        ("length", {}, True),
        ("length", {"at_most": 3}, True),
        ("length", {"at_least": 4}, False),
        ("tokens", {"at_most": 2}, False),
        ("latency", {"at_most": 0.4}, False),
        ("latency", {}, True),
    ],
)
def test_bounds_decide_what_passes(label: str, settings: dict[str, Any], passed: bool) -> None:
    given = score(label, LOCATED, "one two three", settings)
    assert given is not None
    assert given.passed is passed


def test_further_targets_are_as_right() -> None:
    sample = Sample(id="1", input="?", target="twelve", targets=("12", "a dozen"))
    for text in ("Twelve.", "12", "a dozen"):
        for label in ("exact", "contains"):
            given = score(label, sample, text)
            assert given is not None
            assert given.passed


def test_every_scorer_states_its_range_and_source() -> None:
    for name, scorer in SCORERS.items():
        assert scorer.name == name
        assert scorer.range
        assert scorer.source
        assert scorer.measures.endswith(".")
        assert scorer.limits.endswith(".")
        assert (scorer.method == "wilson") == (scorer.range == "0 or 1"), name


@pytest.mark.parametrize(
    ("labels", "scoring", "said"),
    [
        (("numeric",), {"numeric": {"tolerence": 1}}, "tolerence"),
        (("numeric",), {"numeric": {"tolerance": -1}}, "from 0 on"),
        (("numeric",), {"exact": {}}, "not among the scorers"),
        (("regex",), {}, "pattern"),
        (("regex",), {"regex": {"pattern": "("}}, "no regular expression"),
        (("exact", "exact"), {}, "a label of its own"),
        (("regex:",), {"regex:": {"pattern": "a"}}, "a label of its own"),
        (("rubric",), {"rubric": {"rubric": "judge", "model": "m"}}, "names a version"),
        (("rubric",), {"rubric": {"rubric": "judge@1", "model": "m", "repeat": 0}}, "repeat is 1 to"),
        (("bad:label",), {}, "not known"),
    ],
)
def test_settings_that_make_no_sense_are_refused(labels: tuple[str, ...], scoring: Any, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        chosen(labels, scoring)
