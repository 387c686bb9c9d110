from collections.abc import Iterator
from dataclasses import replace

import msgspec
import pytest

from core.assistants.answering import DECLINED, Context, answer, declines
from core.assistants.records import Answer, Answered, Delta, Found, Question
from core.assistants.supporting import LONGEST_HELD, Checked, Quotations, misquotes
from core.errors import Cancelled, ContextExceeded
from core.inference.records import Finished, Generate, Message, Token
from core.jobs import Job
from core.prompts.records import PromptVersion
from core.retrieval.records import Passage, Search
from tests.unit.assistants.stand_ins import bag_of_words, passage

PASSAGES = (
    passage("The gate closes at eight. It opens at six."),
    passage("The tower has nine floors."),
)
PROMPT = PromptVersion(
    name="cite",
    number=1,
    messages=(Message(role="user", content="{{ question }}"),),
    notes="",
    parent=None,
    author="ines",
    saved="",
)


def context(said: str = "") -> Context:
    def search(request: Search, job: Job) -> tuple[Passage, ...]:
        return PASSAGES[: request.limit]

    def generate(request: Generate, job: Job) -> Iterator[Token | Finished]:
        assert request.variables is not None
        for word in said.split(" "):
            yield Token(text=f" {word}")
        yield Finished(
            reason="stop",
            prompt=f"rendered: {request.variables['question']}",
            prompt_tokens=9,
            tokens=len(said.split()),
            first_token_seconds=0.1,
            seconds=0.2,
            backend="fake",
        )

    return Context(search=search, embed=bag_of_words, generate=generate, prompt=PROMPT, model_digest="f" * 64)


def whole(question: Question, made: Context) -> Answer:
    *_, last = answer(question, made, Job("Ask"))
    assert isinstance(last, Answered)
    return last.answer


def test_passages_come_first_then_text_then_the_answer() -> None:
    question = Question(collection="c", text="How many floors has the tower?", model="small")
    parts = list(answer(question, context("The tower has nine floors. [2]"), Job("Ask")))
    assert isinstance(parts[0], Found)
    assert isinstance(parts[-1], Answered)
    text = "".join(part.text for part in parts if isinstance(part, Delta))
    assert text.strip() == parts[-1].answer.answer == "The tower has nine floors. [2]"


def test_a_mark_is_resolved_to_the_sentence_of_its_passage() -> None:
    found = whole(Question(collection="c", text="Floors?", model="small"), context("The tower has nine floors. [2]"))
    (citation,) = found.citations
    assert (citation.number, citation.quote, citation.score, citation.supported) == (
        2,
        "The tower has nine floors.",
        1.0,
        True,
    )
    assert (found.sentences, found.unsupported) == (1, ())
    assert found.rendered == "rendered: Floors?"


def test_a_sentence_without_support_is_marked() -> None:
    text = "The tower has nine floors. [2] Pigeons live there happily."
    found = Checked(text, PASSAGES, bag_of_words)
    assert len(found.each()) == 2
    assert [citation.number for citation in found.citations()] == [2]
    unsupported = [one for one in found.each() if not one.supported]
    assert [text[one.start : one.end].strip() for one in unsupported] == ["Pigeons live there happily."]


def test_a_mark_for_a_passage_that_does_not_say_it_is_not_supported() -> None:
    found = Checked("The tower has nine floors. [1]", PASSAGES, bag_of_words)
    assert [(citation.number, citation.supported) for citation in found.citations()] == [(1, False)]
    assert [one.supported for one in found.each()] == [True], "another passage says it"


def test_a_number_is_not_said_by_a_passage_that_holds_a_longer_one() -> None:
    passages = (replace_text("It was made in 2019."), replace_text("There are 9 floors."))
    (citation,) = Checked("19. [1]", passages, bag_of_words).citations()
    assert citation.score < 1
    assert [one.score for one in Checked("9 floors. [2]", passages, bag_of_words).citations()] == [1.0]


def replace_text(text: str) -> Passage:
    return msgspec.structs.replace(PASSAGES[0], text=text)


def test_a_mark_without_a_passage_cites_nothing() -> None:
    assert Checked("The tower has nine floors. [7]", PASSAGES, bag_of_words).citations() == ()


@pytest.mark.parametrize(
    "text", ["Not stated in the documents.", "The documents don’t say.", "The documents do not say anything about it."]
)
def test_a_refusal_is_recognised(text: str) -> None:
    assert declines(text)
    found = whole(Question(collection="c", text="Who?", model="small"), context(text))
    assert (found.abstained, found.citations, found.sentences) == (True, (), 0)


def test_an_answer_about_documents_is_no_refusal() -> None:
    assert not declines("The documents are kept for ten years.")


def test_quotes_are_verbatim_with_their_place() -> None:
    found = whole(Question(collection="c", text="The tower has how many nine floors?"), context())
    assert found.answer == "The tower has nine floors."
    (citation,) = found.citations
    assert found.answer[citation.start : citation.end] == citation.quote
    assert (found.model, found.tokens, found.rendered) == ("quotes", 0, "")


def test_quotes_decline_and_say_how_near_it_came() -> None:
    found = whole(Question(collection="c", text="Which colour have roofs in Norway?"), context())
    assert found.abstained
    assert found.answer == DECLINED
    assert found.best_score < found.needed_score


def test_stopping_before_the_answer_gives_none() -> None:
    job = Job("Ask")
    parts = answer(Question(collection="c", text="Floors?"), context(), job)
    next(parts)
    job.cancel()
    with pytest.raises(Cancelled):
        next(parts)


def narrow(most: int) -> Context:
    """A model whose window holds a prompt with `most` passages."""
    whole_context = context("Eight. [1]")

    def generate(request: Generate, job: Job) -> Iterator[Token | Finished]:
        assert request.variables is not None
        if len(request.variables["passages"]) > most:
            raise ContextExceeded(prompt=900, answer=200, window=1000)
        yield from whole_context.generate(request, job)

    return replace(whole_context, generate=generate)


def test_a_prompt_that_does_not_fit_is_refused_unless_the_question_says_otherwise() -> None:
    question = Question(collection="c", text="When?", model="small")
    with pytest.raises(ContextExceeded):
        whole(question, narrow(1))
    found = whole(msgspec.structs.replace(question, trim="passages"), narrow(1))
    assert (found.passages, found.left_out) == (PASSAGES[:1], 1)
    assert whole(question, narrow(2)).left_out == 0
    with pytest.raises(ContextExceeded):
        whole(msgspec.structs.replace(question, trim="passages"), narrow(0))


DECLINING = Question(collection="c", text="How many floors has the tower?", model="small", without_support="decline")


def test_an_answer_without_any_support_is_withdrawn_where_that_is_wanted() -> None:
    said = "Penguins live in Antarctica. They swim."
    found = whole(DECLINING, context(said))
    assert (found.answer, found.withdrawn, found.abstained) == (DECLINED, said, True)
    assert (found.citations, found.sentences, found.unsupported, found.support) == ((), 0, (), ())
    marked = whole(msgspec.structs.replace(DECLINING, without_support="mark"), context(said))
    assert (marked.answer, marked.withdrawn, marked.abstained, len(marked.unsupported)) == (said, "", False, 2)


def test_each_sentence_carries_its_support() -> None:
    said = "The tower has nine floors. [2] Penguins swim."
    found = whole(DECLINING, context(said))
    assert found.answer == said
    first, second = found.support
    assert (first.passage, first.score, first.supported, first.misquoted) == (2, 1.0, True, False)
    assert said[first.start : first.end] == "The tower has nine floors. [2]"
    assert not second.supported
    assert found.unsupported == ((second.start, second.end),)


@pytest.mark.parametrize(
    ("sentence", "wrong"),
    [
        ("It says “the gate closes at eight”.", False),
        ('It says "The  gate closes at eight."', False),
        ("It says “the gate closes at nine”.", True),
        ("The „gate closes at noon“ rule.", True),
        ("The “gate” is a “nine ladder”.", False),
    ],
)
def test_words_in_quotation_marks_stand_in_a_passage_or_are_marked(sentence: str, wrong: bool) -> None:
    assert misquotes(sentence, PASSAGES) is wrong
    ((one,), mixed) = (
        Checked(sentence, PASSAGES, bag_of_words).each(),
        "The gate closes at eight, as “it opens at ten” says.",
    )
    assert one.misquoted is wrong
    assert not Checked(mixed, PASSAGES, bag_of_words).each()[0].supported


def test_a_quotation_that_stands_nowhere_is_marked_also_where_nothing_is_declined_and_every_sentence_has_its_support() -> (
    None
):
    said = "The gate closes at eight. It says “the gate closes at nine”."
    asked = Question(collection="c", text="When does the gate close?", model="small")
    found = whole(asked, replace(context(said), each=True))
    assert [(one.supported, one.misquoted) for one in found.support] == [(True, False), (False, True)]
    bare = whole(asked, context(said))
    assert (bare.support, bare.unsupported) == ((), ((found.support[1].start, found.support[1].end),))


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_quotation_is_held_back_until_it_was_looked_up(size: int) -> None:
    said = 'A 7" pipe and “the gate closes at eight” and „the gate closes at noon“ are said, and «open'
    quoting = Quotations(PASSAGES)
    given = [one for at in range(0, len(said), size) for one in quoting.take(said[at : at + size])]
    for one in given:
        assert not one.misquoted or one.text == "„the gate closes at noon“"
    given += quoting.rest()
    assert "".join(one.text for one in given) == said
    assert [one.text for one in given if one.misquoted] == ["„the gate closes at noon“"]


def test_a_mark_that_is_never_closed_holds_back_only_so_much_and_nothing_is_held_without_passages() -> None:
    quoting = Quotations(PASSAGES)
    given = list(quoting.take("“" + "word " * 400))
    assert sum(len(one.text) for one in given) > LONGEST_HELD
    assert [one.text for one in Quotations(()).take("“open")] == ["“open"]


def test_a_follow_up_is_searched_for_with_what_it_refers_to() -> None:
    asked: list[str] = []

    def search(request: Search, job: Job) -> tuple[Passage, ...]:
        asked.append(request.query)
        return PASSAGES

    question = Question(collection="c", text="How many floors has it?", earlier=("Where is the tower?",))
    found = whole(question, replace(context(), search=search))
    assert asked == ["Where is the tower? How many floors has it?"] == [found.searched]
    assert whole(Question(collection="c", text="How many floors has the tower?"), context()).searched == ""
