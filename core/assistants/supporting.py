"""What an answer's sentences rest on: their citations, the support of each, and words in quotation marks that stand in no passage. Pure.

Rules: a sentence's mark `[n]` is resolved to the nearest sentence of passage n; a sentence has support where a passage says it word for word, or one
of its sentences comes as near as `SUPPORT`; one that quotes what stands in no passage has none, however near it comes. A quotation is held back while
it is written, until it is whole and was looked up: nobody sees one unmarked that is made up.
"""

import re
from collections.abc import Iterator
from typing import Final

from core.assistants.quotes import Embed
from core.assistants.records import Citation, Delta, Support
from core.documents.sentences import split_sentences
from core.retrieval.records import Passage

SUPPORT: Final = 0.75
"""Cosine from which two sentences count as saying the same; under it a sentence is marked as without support."""
QUOTED_WORDS: Final = 3
"""Fewer words in quotation marks are a term, not a quotation."""
LONGEST_HELD: Final = 1000
"""Characters after which a mark that was never closed is taken for an inch."""
_OPENING: Final = '"“„«'
_CLOSING: Final = {'"': '"', "“": '”"', "„": '“”"', "«": "»"}
_MARK = re.compile(r"\[(\d+)\]")
_QUOTED = re.compile(r"[\"“„«]([^\"“”„«»]+)[\"”“»]")


class Checked:
    """An answer's sentences beside those of its passages, embedded once."""

    def __init__(self, text: str, passages: tuple[Passage, ...], embed: Embed) -> None:
        self._passages = passages
        self._spans = _sentence_spans(text)
        self._sources = [
            (index, one) for index, passage in enumerate(passages) for one in split_sentences(passage.text)
        ]
        self._bare = [_MARK.sub("", text[start:end]).strip() for start, end, _ in self._spans]
        self._scores: list[list[float]] = []
        if not self._spans or not self._sources:
            return
        vectors = embed([*self._bare, *(sentence for _, sentence in self._sources)])
        cosines = vectors[: len(self._bare)] @ vectors[len(self._bare) :].T
        folded = [_folded(sentence) for _, sentence in self._sources]
        self._scores = [
            [
                1.0 if says is not None and says.search(one) else round(float(score), 6)
                for one, score in zip(folded, row, strict=True)
            ]
            for says, row in zip(map(_word_for_word, self._bare), cosines, strict=True)
        ]

    def citations(self) -> tuple[Citation, ...]:
        """What the sentences cite by their marks."""
        found = []
        for scores, (start, end, marks) in zip(self._scores, self._spans, strict=False):
            for mark in marks:
                own = [(score, column) for column, score in enumerate(scores) if self._sources[column][0] == mark - 1]
                if not own:
                    continue
                score, column = max(own)
                passage = self._passages[mark - 1]
                found.append(
                    Citation(
                        number=mark,
                        document=passage.document,
                        name=passage.name,
                        page=passage.page,
                        quote=self._sources[column][1],
                        score=score,
                        supported=score >= SUPPORT,
                        start=start,
                        end=end,
                    )
                )
        return tuple(found)

    def each(self) -> tuple[Support, ...]:
        """What each sentence rests on."""
        if not self._scores:
            return tuple(
                Support(start=start, end=end, passage=0, score=0.0, supported=False) for start, end, _ in self._spans
            )
        found = []
        for bare, scores, (start, end, _) in zip(self._bare, self._scores, self._spans, strict=True):
            best = scores.index(max(scores))
            wrong = misquotes(bare, self._passages)
            found.append(
                Support(
                    start=start,
                    end=end,
                    passage=self._sources[best][0] + 1,
                    score=scores[best],
                    supported=scores[best] >= SUPPORT and not wrong,
                    misquoted=wrong,
                )
            )
        return tuple(found)


class Quotations:
    """Gives an answer's pieces on as they come, but holds a quotation back until it is whole, and says whether its words stand in a passage.
    Without passages nothing is held back."""

    def __init__(self, passages: tuple[Passage, ...]) -> None:
        self._passages = passages
        self._held = ""
        self._before = ""

    def take(self, piece: str) -> Iterator[Delta]:
        """What can be shown now."""
        if not self._passages:
            yield Delta(text=piece)
            return
        self._held += piece
        while self._held:
            start = self._start()
            if start:
                yield Delta(text=self._held[:start])
                self._before, self._held = self._held[start - 1], self._held[start:]
                continue
            closing = _CLOSING[self._held[0]]
            end = next((at for at, letter in enumerate(self._held) if at and letter in closing), 0)
            if not end and len(self._held) <= LONGEST_HELD:
                return
            whole, self._held = (self._held[: end + 1], self._held[end + 1 :]) if end else (self._held, "")
            self._before = whole[-1]
            yield Delta(text=whole, misquoted=misquotes(whole, self._passages))

    def _start(self) -> int:
        """Where the first quotation of what is held begins; its length where none does. A mark after a digit is an inch."""
        before = self._before
        for at, letter in enumerate(self._held):
            if letter in _OPENING and not (letter == '"' and before.isdigit()):
                return at
            before = letter
        return len(self._held)

    def rest(self) -> Iterator[Delta]:
        """What is still held when the answer ends."""
        if self._held:
            yield Delta(text=self._held, misquoted=misquotes(self._held, self._passages))
        self._held = ""


def misquotes(sentence: str, passages: tuple[Passage, ...]) -> bool:
    """Whether a sentence has several words in quotation marks that stand in no passage; case, white space and a last stop don't count."""
    quoted = [found for found in _QUOTED.findall(sentence) if len(found.split()) >= QUOTED_WORDS]
    texts = [_folded(passage.text) for passage in passages]
    return any(not any(_folded(words).rstrip(",;:") in text for text in texts) for words in quoted)


def _sentence_spans(text: str) -> list[tuple[int, int, tuple[int, ...]]]:
    """(start, end, citation marks) of each sentence; marks after the full stop belong to the sentence before them."""
    spans: list[tuple[int, int, tuple[int, ...]]] = []
    at = 0
    for sentence in split_sentences(text):
        start = text.index(sentence, at)
        end = at = start + len(sentence)
        marks = tuple(int(mark) for mark in _MARK.findall(sentence))
        leading = _MARK.match(sentence)
        if not _MARK.sub("", sentence).strip(" .") and spans:
            before = spans.pop()
            spans.append((before[0], end, (*before[2], *marks)))
        elif leading and spans and not spans[-1][2]:
            before = spans.pop()
            spans.append((before[0], start + leading.end(), (int(leading.group(1)),)))
            spans.append((start + leading.end(), end, marks[1:]))
        else:
            spans.append((start, end, marks))
    return spans


def _word_for_word(sentence: str) -> re.Pattern[str] | None:
    """Finds a sentence in a folded one, as whole words and numbers: "1" is not in "21". None for one without words."""
    bare = _folded(sentence)
    return re.compile(rf"(?<![a-z0-9]){re.escape(bare)}(?![a-z0-9])") if bare else None


def _folded(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" .")
