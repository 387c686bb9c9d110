"""The part of a report on what went wrong: each failed answer with its question, what was expected, why it failed, and its passages.

A passage is shown when the answer cites it or when it holds the sentence that the dataset names; that sentence and the cited one are
highlighted. The first `MOST` failures are told in full; the report says how many more there are.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from core.evidence.blocks import Block, Heading, Items, Pairs, Paragraph, Quote, Span, Spans, Table, joined, plain
from core.evidence.opened import Row
from core.evidence.words import WITHHELD, count, is_withheld, number, shown, where

MOST = 60
"""Failures that are told in full."""
Rows = Mapping[str, tuple[Row, ...]]
_SPACE = re.compile(r"\s+")


def passed(outcome: Any) -> bool:
    """Whether there is an answer that every scorer was satisfied with."""
    return outcome.get("answer") is not None and all(score.get("passed") for score in outcome.get("scores") or [])


def samples(rows: Rows) -> dict[str, Any]:
    """The samples of the dataset by their ids."""
    found: Any = rows["dataset"][0].record.get("samples") or []
    return {str(sample.get("id")): sample for sample in found}


def inputs(rows: Rows) -> dict[str, Any]:
    """What each sample asks."""
    return {name: sample.get("input") for name, sample in samples(rows).items()}


def section(rows: Rows) -> tuple[Block, ...]:
    """The heading, what kinds of failure there are, and the failures."""
    known = samples(rows)
    outcomes: list[Any] = [row.record for row in rows["outcome"]]
    failed = [outcome for outcome in outcomes if not passed(outcome)]
    said = f"{len(failed):,} of {count(len(outcomes), 'answer')} didn't satisfy every scorer."
    if len(failed) > MOST:
        said += f" The first {MOST} are told here in full; all of them are in the pack's files records/outcome-*.json and openings/outcome-*.json."
    blocks: list[Block] = [Heading(2, "Failures"), Paragraph(plain(said))]
    if failed:
        blocks.append(_kinds(failed))
    for outcome in failed[:MOST]:
        blocks += _failure(outcome, known.get(str(outcome.get("sample")), {}))
    return tuple(blocks)


def _kinds(failed: Sequence[Any]) -> Table:
    """How many failures each scorer accounts for, by variant. One answer may fail several."""
    found: dict[tuple[str, str], int] = {}
    for outcome in failed:
        variant = shown(outcome.get("variant"))
        reasons = [shown(score.get("scorer")) for score in outcome.get("scores") or [] if not score.get("passed")]
        for reason in reasons if outcome.get("answer") is not None else ["no answer"]:
            found[variant, reason] = found.get((variant, reason), 0) + 1
    rows = tuple((plain(variant), plain(reason), plain(f"{n:,}")) for (variant, reason), n in found.items())
    caption = "By variant and scorer. An answer that fails several scorers counts for each."
    return Table(caption, ("Variant", "Failed", "Answers"), rows, (50, 35, 15), numbers=(2,))


def _failure(outcome: Any, sample: Any) -> list[Block]:
    heading = Heading(3, f"{shown(outcome.get('sample'))}, {shown(outcome.get('variant'))}")
    asked = plain(sample["input"]) if "input" in sample else plain("a question that isn't in the dataset", "quiet")
    pairs: list[tuple[str, Spans]] = [("Asked", asked), ("Expected", _expected(sample))]
    answer = outcome.get("answer")
    if answer is None:
        pairs.append(("No answer", (Span(shown(outcome.get("error")) or "no reason was recorded", "fail"),)))
        return [heading, Pairs(tuple(pairs))]
    pairs.append(("Answered", _answered(answer)))
    reasons = tuple(
        joined(
            (
                plain(score.get("scorer"), "fail"),
                plain(number(score.get("value"))),
                plain(score.get("reason")),
            ),
            ", ",
        )
        for score in outcome.get("scores") or []
        if not score.get("passed")
    )
    return [
        heading,
        Pairs(tuple(pairs)),
        Paragraph(plain("Failed by", "strong")),
        Items(reasons),
        *_passages(answer, sample),
    ]


def _expected(sample: Any) -> Spans:
    if sample.get("unanswerable"):
        return plain("to decline: the documents don't say")
    expected = plain(sample.get("target")) or plain(sample.get("answer"))
    place = plain(sample.get("document"))
    page = plain(f"page {sample['page']}" if sample.get("page") else "")
    return joined((expected, joined((place, page), ", ")), ", in ") or plain("nothing was given", "quiet")


def _answered(answer: Any) -> Spans:
    """The answer, with what has no support in any passage marked as that."""
    text = answer.get("answer")
    if is_withheld(text):
        return plain(text, "quiet")
    spans: list[Span] = []
    end = 0
    unsupported = answer.get("unsupported")
    for start, stop in [] if is_withheld(unsupported) else unsupported or []:
        spans += plain(text[end:stop])
        spans += plain(" [no support found]", "fail") if stop > start else ()
        end = stop
    spans += plain(text[end:])
    return tuple(spans) or plain("(empty)", "quiet")


def _passages(answer: Any, sample: Any) -> list[Block]:
    passages: Sequence[Any] = answer.get("passages") or []
    citations: Sequence[Any] = answer.get("citations") or []
    marks: dict[int, list[str]] = {}
    blocks: list[Block] = []
    for citation in citations:
        if is_withheld(citation):
            blocks.append(Quote(plain(WITHHELD, "quiet"), plain("Cited")))
            continue
        place, quote = int(citation.get("number") or 0) - 1, str(citation.get("quote") or "")
        if 0 <= place < len(passages) and _find(passages[place], quote):
            marks.setdefault(place, []).append(quote)
        else:
            source = plain(f"Cited: {shown(citation.get('name'))}, {where(citation)}")
            blocks.append(Quote((Span(shown(quote), "mark"),), source))
    cited = set(marks)
    wanted = sample.get("quote")
    if isinstance(wanted, str) and wanted:
        for place, passage in enumerate(passages):
            if _find(passage, wanted):
                marks.setdefault(place, []).append(wanted)
    for place, quotes in sorted(marks.items()):
        passage = passages[place]
        said = "Cited" if place in cited else "Not cited, but holds the expected sentence"
        source = plain(f"{said}: [{place + 1}] {shown(passage.get('name'))}, {where(passage)}")
        blocks.append(Quote(_marked(str(passage["text"]), quotes), source))
    rest = len(passages) - len(marks)
    if rest:
        more = "more " if blocks else ""
        blocks.append(
            Paragraph(plain(f"{count(rest, more + 'passage')} {'was' if rest == 1 else 'were'} found for it.", "quiet"))
        )
    return blocks


def _find(passage: Any, quote: str) -> re.Match[str] | None:
    """Where a passage holds a sentence, however its white space is broken."""
    if is_withheld(passage) or not quote.strip():
        return None
    pattern = r"\s+".join(re.escape(word) for word in quote.split())
    return re.search(pattern, str(passage.get("text") or ""))


def _marked(text: str, quotes: Sequence[str]) -> Spans:
    """The passage with these sentences highlighted; sentences that overlap become one."""
    places = sorted(found.span() for quote in quotes if (found := _find({"text": text}, quote)))
    spans: list[Span] = []
    end = 0
    for start, stop in places:
        if stop <= end:
            continue
        spans += plain(_folded(text[end : max(start, end)]))
        spans += plain(_folded(text[max(start, end) : stop]), "mark")
        end = stop
    spans += plain(_folded(text[end:]))
    return tuple(spans)


def _folded(text: str) -> str:
    return _SPACE.sub(" ", text)
