"""Drafts: made one by one, checked against the passage, kept through a stop, and samples only by a person's word."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from core.assistants.records import Answer, Citation, Question
from core.datasets import drafts
from core.datasets.drafting import Drafting, DraftQuestions
from core.datasets.drafts import DraftView, ErasableDrafts
from core.datasets.records import SYNTHETIC, Origin, Sample, SaveSamples
from core.documents import passages
from core.documents.records import AddDocuments
from core.errors import BadInput, Cancelled, NotFound
from core.inference.records import Generate, Token
from core.jobs import Job
from core.models.starter import ensure_starters
from core.vault.roles import Act
from core.vault.vault import Vault
from core.workbench import SCHEMA, Workbench

PAGES = "\n\n".join(
    f"# Part {n}\n\nThe tower number {n} of the harbour was built of grey stone by the guild of masons in the year {1500 + n}, "
    f"and its bell weighs {n * 7 + 200} stones exactly, as the keeper of the tower wrote in the book of the town."
    for n in range(1, 7)
)


class Writer:
    """Stands for the engine: writes a right question on each passage, unless told otherwise."""

    def __init__(self) -> None:
        self.asked = 0
        self.say: Callable[[int, str], str] = lambda count, text: right(text)

    def generate(self, request: Generate, job: Job) -> Iterator[Token]:
        self.asked += 1
        text = request.messages[-1].content.split("-----")[1].strip()
        yield Token(text=self.say(self.asked, text))


def right(text: str) -> str:
    number = text.split("tower number ")[1].split()[0]
    year = text.split("in the year ")[1].split(",")[0]
    quote = text[text.index("The tower number") : text.index(", and its")]
    return said(f"When was tower number {number} of the harbour built?", year, quote)


def said(question: str, answer: str, quote: str) -> str:
    return msgspec.json.encode({"question": question, "answer": answer, "quote": quote}).decode()


@pytest.fixture
def bench(vault_factory: Callable[..., Vault], tmp_path: Path) -> Iterator[Workbench]:
    vault = vault_factory(SCHEMA)
    with Workbench(vault) as bench:
        (tmp_path / "towers.md").write_text(PAGES)
        ensure_starters(bench.models, Job("Models"))
        bench.documents.add(AddDocuments(collection="towers", paths=(str(tmp_path / "towers.md"),)), Job("Add"))
        yield bench


@pytest.fixture
def writer() -> Writer:
    return Writer()


@pytest.fixture
def drafting(bench: Workbench, writer: Writer) -> Drafting:
    return Drafting(bench.vault, bench.models, writer, bench.retrieval, bench.assistants)  # type: ignore[arg-type]


def request(**more: Any) -> DraftQuestions:
    return DraftQuestions(**{"dataset": "towers", "collection": "towers", "model": "fake", "count": 3, **more})


def test_a_question_is_drafted_reviewed_and_kept(drafting: Drafting, bench: Workbench, writer: Writer) -> None:
    seen: list[DraftView] = []
    done = drafting.draft(request(), Job("Draft"), seen.append)
    assert (done.made, done.refused) == (3, {})
    assert drafting.waiting() == {"towers": 3}
    first, second, third = drafting.list("towers")
    assert [view.number for view in seen] == [first.number, second.number, third.number]
    for view in (first, second, third):
        sample = view.draft.sample
        assert sample.quote in view.draft.passage
        assert str(sample.target) in sample.quote
        assert view.draft.checks.found_at >= 1
        assert sample.synthetic
        assert sample.origin is not None
        assert sample.origin.model.startswith("fake ")
    edited = msgspec.structs.replace(first.draft.sample, input="In which year was it built?", tags=(), origin=None)
    assert drafting.accept(first.number, edited).draft.edited == first.digest
    drafting.accept(second.number)
    drafting.reject(third.number)
    saved = drafting.keep("towers")
    samples = saved.dataset.samples
    assert [sample.input for sample in samples] == ["In which year was it built?", second.draft.sample.input]
    assert {sample.tags for sample in samples} == {(SYNTHETIC,)}
    assert {(s.origin.by, s.origin.synthetic, s.origin.kind) for s in samples if s.origin} == {
        ("ines", True, "document")
    }
    assert drafting.waiting() == {}
    with pytest.raises(BadInput, match="no draft is accepted"):
        drafting.keep("towers")
    with pytest.raises(BadInput, match="it is a sample already"):
        drafting.reject(first.number)
    drafting.reopen(third.number)
    drafting.accept(third.number)
    assert len(drafting.keep("towers").dataset.samples) == 3


def test_what_the_passage_doesnt_answer_is_not_kept(drafting: Drafting, writer: Writer) -> None:
    wrong = [
        "no JSON at all",
        said("What is new here?", "1501", "A quote that stands nowhere in the passage."),
        said("What is the colour of it?", "purple", "was built of grey stone"),
        said("", "grey stone", "was built of grey stone"),
    ]
    writer.say = lambda count, text: wrong[count - 1] if count <= len(wrong) else right(text)
    done = drafting.draft(request(count=2), Job("Draft"))
    assert done.made == 2
    assert done.refused == {
        "the model's answer wasn't in the form": 2,
        "the quote isn't in the passage": 1,
        "the quote doesn't hold the answer": 1,
    }


def test_a_question_that_was_there_is_not_asked_again(drafting: Drafting, bench: Workbench, writer: Writer) -> None:
    asked = "When was tower number 1 of the harbour built?"
    bench.datasets.save(SaveSamples(name="towers", samples=(Sample(id="1", input=asked, target="1501"),)))
    done = drafting.draft(request(count=6), Job("Draft"))
    assert done.refused == {"the question was there before": 1}
    assert done.made == 5


def test_stopping_loses_no_draft_and_going_on_asks_about_other_passages(drafting: Drafting, writer: Writer) -> None:
    job = Job("Draft")

    def stop(view: DraftView) -> None:
        if len(drafting.list("towers")) == 2:
            job.cancel()

    with pytest.raises(Cancelled):
        drafting.draft(request(count=6), job, stop)
    before = drafting.list("towers")
    assert len(before) == 2
    assert drafting.draft(request(count=6), Job("Draft")).made == 4
    after = drafting.list("towers")
    assert after[:2] == before
    assert len({view.draft.passage for view in after}) == 6


def test_a_crash_loses_no_draft(
    drafting: Drafting, bench: Workbench, writer: Writer, reopen: Callable[..., Vault]
) -> None:
    def crash(count: int, text: str) -> str:
        if count == 3:
            raise RuntimeError("the machine stopped")
        return right(text)

    writer.say = crash
    with pytest.raises(RuntimeError):
        drafting.draft(request(), Job("Draft"))
    kept = drafting.list("towers")
    vault = reopen(bench.vault, "ines", SCHEMA)
    with vault.read() as reader:
        assert drafts.of(reader, "towers", ("waiting",)) == kept
    assert len(kept) == 2


def test_erasing_a_document_finds_the_drafts_that_quote_it(drafting: Drafting, bench: Workbench) -> None:
    drafting.draft(request(count=2), Job("Draft"))
    document = bench.documents.list("towers")[0][0]
    kind = ErasableDrafts()
    with bench.vault.read() as reader:
        found = tuple(kind.quoting(reader, {document}))
        assert sorted(found) == sorted(view.digest for view in drafts.of(reader, "towers", ("waiting",)))
        assert kind.label(reader, found[0]).startswith("draft for towers")
        assert passages.names(reader, [document])[document] == "towers.md"


def answer(model: str, **more: Any) -> Answer:
    base: dict[str, Any] = {
        "question": Question(collection="towers", text="How heavy is it?", model=model),
        "answer": "207 stones.",
        "abstained": False,
        "passages": (),
        "sentences": 1,
        "unsupported": (),
        "best_score": 0.0,
        "needed_score": 0.0,
        "model": model,
        "model_digest": "d" * 64,
        "prompt_digest": "",
        "rendered": "",
        "finish": "stop",
        "tokens": 1,
        "prompt_tokens": 1,
        "first_token_seconds": 0.0,
        "seconds": 0.0,
        "backend": "",
        "citations": (),
    }
    return Answer(**{**base, **more})


def test_answers_become_drafts_once(bench: Workbench) -> None:
    document = bench.documents.list("towers")[0][0]
    cited = Citation(
        number=1, document=document, name="towers.md", page=1, quote="its bell weighs 207 stones", score=1.0,
        supported=True, start=0, end=5,
    )  # fmt: skip
    given = {
        "quotes": answer("quotes", citations=(cited,)),
        "fake": answer("fake"),
        "none": answer("fake", abstained=True),
    }
    with bench.vault.write(Act.ASK, about="towers") as unit:
        traces = [unit.put(one) for one in given.values()]
    assistants = SimpleNamespace(trace=lambda found: dict(zip(traces, given.values(), strict=True))[found])
    drafting = Drafting(bench.vault, bench.models, Writer(), bench.retrieval, assistants)  # type: ignore[arg-type]
    assert drafting.from_answers("asked", traces).made == 3
    assert drafting.from_answers("asked", traces).refused == {"the question was there before": 3}
    quotes, model, none = (view.draft.sample for view in drafting.list("asked"))
    assert (quotes.synthetic, quotes.document, quotes.page) == (False, "towers.md", 1)
    assert (model.synthetic, model.answer) == (True, "207 stones.")
    assert none.unanswerable


def test_failures_become_drafts_that_stay_what_they_were(drafting: Drafting) -> None:
    made_up = Sample(id="a", input="Who?", target="she", origin=Origin(kind="document", synthetic=True, model="m"))
    plain = Sample(id="b", input="When?", target="then", split="train")
    assert drafting.from_failures("hard", ((made_up, "said: he"), (plain, "")), "run-1").made == 2
    first, second = drafting.list("hard")
    assert first.draft.note == "said: he"
    assert first.draft.sample.synthetic
    assert (second.draft.sample.synthetic, second.draft.sample.split) == (False, "")
    assert drafting.from_failures("hard", ((plain, ""),), "run-1").made == 0
    assert drafting.from_failures("hard", ((plain, ""),), "run-2").made == 1


def test_wrong_requests_are_refused(drafting: Drafting) -> None:
    with pytest.raises(BadInput, match="1 to 1,000"):
        drafting.draft(request(count=0), Job("Draft"))
    with pytest.raises(NotFound):
        drafting.draft(request(collection="nowhere"), Job("Draft"))
    with pytest.raises(NotFound):
        drafting.accept(99)
