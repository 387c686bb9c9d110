"""What else can be learned than answers: which of two answers is better, and the words of documents."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.datasets.records import Sample, Turn
from core.documents.records import AddDocuments
from core.errors import BadInput, NotFound
from core.inference.records import Message
from core.jobs import Job
from core.models.starter import CHAT, ensure_starters
from core.training import data
from core.training.records import Source, TrainSpec
from core.training.service import Trainings
from core.training.settings import chosen
from core.training.worker.encoding import Encoder, encode_all
from core.training.worker.records import Example
from core.workbench import SCHEMA, Workbench
from tests.unit.training.standin import StandIn

PAIRS = [
    {"id": f"p{n}", "input": f"Say {n}", "chosen": f"It is {n}.", "rejected": f"Why should I say {n}?"}
    for n in range(4)
]


class Letters:
    """A vocabulary whose tokens are characters; `.` ends an answer."""

    def tokens(self, text: str, mark: str) -> list[int]:
        return self.pieces(text.replace(mark, ""))

    def pieces(self, text: str) -> list[int]:
        return [ord(letter) for letter in text]

    def guard(self, content: str, mark: str) -> str:
        return content

    def ends(self, token: int) -> bool:
        return token == ord(".")

    def piece(self, token: int, special: bool = False) -> bytes:
        return chr(token).encode()


ENCODER = Encoder("letters", "{% for m in messages %}{{ m['content'] }}{% endfor %}", Letters(), "", "")


@pytest.fixture
def bench(vault_factory: Any) -> Iterator[Workbench]:
    made = Workbench(vault_factory(SCHEMA))
    ensure_starters(made.models)
    yield made
    made.close()


@pytest.fixture
def worker() -> StandIn:
    return StandIn()


@pytest.fixture
def trainings(bench: Workbench, worker: StandIn) -> Trainings:
    bench.models.lenders.clear()
    return Trainings(
        bench.vault,
        bench.models,
        bench.datasets,
        bench.engine,
        bench.supervisor,
        opened=worker,
        documents=bench.documents,
    )


def test_a_preference_is_one_prompt_with_both_answers() -> None:
    turns = (Turn(role="user", content="Hi"), Turn(role="assistant", content="Yes?"), Turn(role="user", content="More"))
    rows = data.from_samples("p@1", [Sample(id="a", input="More", turns=turns, chosen="a.", rejected="b.")], True)
    [example] = rows.examples
    assert [turn.content for turn in example.messages] == ["Hi", "Yes?", "More", "a."]
    assert example.rejected == "b."
    [encoding] = ENCODER.each(example, 100)
    assert encoding.pair is not None
    assert encoding.start == encoding.pair.start == len("HiYes?More")
    assert encoding.ids[: encoding.start] == encoding.pair.ids[: encoding.start]
    assert (encoding.ids[-2:], encoding.pair.ids[-2:]) == ((ord("a"), ord(".")), (ord("b"), ord(".")))


@pytest.mark.parametrize(
    ("sample", "problem"),
    [
        (Sample(id="a", input="Hi", rejected="Good day."), "no better answer"),
        (Sample(id="a", input="Hi", chosen="Good day."), "no worse answer"),
        (Sample(id="a", input="Hi", chosen="Same.", rejected="Same."), "no worse answer"),
    ],
)
def test_what_is_no_preference_is_a_problem(sample: Sample, problem: str) -> None:
    rows = data.from_samples("p@1", [sample], True)
    assert not rows.examples
    assert problem in rows.problems[0].problem


def test_a_text_is_parted_evenly_and_no_token_is_lost() -> None:
    text = "".join(chr(97 + number % 26) for number in range(101))
    found, told = encode_all(ENCODER, [Example(line="a.pdf", text=text)], 30)
    assert "".join(chr(token) for one in found for token in one.ids) == text
    assert told.lengths == (25, 25, 25, 26)
    assert {one.start for one in found} == {0}
    assert encode_all(ENCODER, [Example(line="b.pdf", text="x")], 30)[1].problems


def test_a_longer_worse_answer_counts_for_the_length() -> None:
    messages = (Message(role="user", content="Hi"), Message(role="assistant", content="a."))
    found, told = encode_all(ENCODER, [Example(line="1", messages=messages, rejected="long" * 9 + ".")], 30)
    assert not found
    assert "39 tokens, and 30 fit" in told.problems[0].problem


def test_a_run_learns_preferences_of_a_dataset(trainings: Trainings, tmp_path: Path, worker: StandIn) -> None:
    (tmp_path / "pairs.jsonl").write_text("\n".join(map(json.dumps, PAIRS)))
    spec = TrainSpec(
        name="kind",
        base=CHAT,
        data=(Source(dataset="pairs", file="pairs.jsonl"),),
        settings={"objective": "preferences"},
    )
    assert trainings.examine(spec, str(tmp_path / "s.yaml"), Job("Examine")) == ()
    view = trainings.run(spec, str(tmp_path / "s.yaml"), Job("Train"))
    assert view.run.settings.objective == "preferences"
    assert [one.rejected for one in worker.given] == [row["rejected"] for row in PAIRS]
    with pytest.raises(BadInput, match="name a dataset with"):
        trainings.run(
            TrainSpec(name="kind", base=CHAT, data=(Source(file="pairs.jsonl"),), settings=spec.settings),
            str(tmp_path / "s.yaml"),
            Job("Train"),
        )
    with pytest.raises(BadInput, match="aren't packed"):
        chosen("small", {"objective": "preferences", "packing": True}, "s.yaml")


def test_a_run_learns_the_text_of_a_collection(
    trainings: Trainings, bench: Workbench, tmp_path: Path, worker: StandIn
) -> None:
    (tmp_path / "notes.txt").write_text("The tower is open on Mondays.\nThe gate is shut at night.")
    bench.documents.add(AddDocuments(collection="notes", paths=(str(tmp_path / "notes.txt"),)), Job("Add"))
    text = {"objective": "text"}
    spec = TrainSpec(name="words", base=CHAT, data=(Source(collection="notes"),), settings=text)
    view = trainings.run(spec, str(tmp_path / "s.yaml"), Job("Train"))
    [example] = worker.given
    assert (example.line, example.messages) == ("notes/notes.txt", ())
    assert "open on Mondays" in example.text
    assert view.run.sources[0].reference == "collection notes"
    for wrong in (
        TrainSpec(name="words", base=CHAT, data=(Source(dataset="notes"),), settings=text),
        TrainSpec(name="words", base=CHAT, data=(Source(collection="notes"),)),
        TrainSpec(name="words", base=CHAT, data=(Source(collection="notes", dataset="x"),), settings=text),
    ):
        with pytest.raises(BadInput, match="collections alone"):
            trainings.run(wrong, str(tmp_path / "s.yaml"), Job("Train"))
    with pytest.raises(NotFound):
        trainings.run(
            TrainSpec(name="words", base=CHAT, data=(Source(collection="none"),), settings=text), "s.yaml", Job("Train")
        )
