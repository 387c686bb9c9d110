"""Cutting text into sentences, without a model.

A sentence ends at a full stop, a question or an exclamation mark before white space and a new beginning, at a blank line, and at a line break
before a list's marker or around a table's row. Abbreviations, initials, decimals and bare enumerators ("Article 12.", "(a)", "3.") end nothing.
Sentences are verbatim pieces of the text; together they hold all of it but the white space between them.
"""

import re
from typing import Final

ABBREVIATIONS: Final = frozenset(
    "e.g i.e etc cf al vs viz no nos art arts sec secs fig figs eq eqs ch chap vol vols ed eds p pp para paras pt ref refs app "
    "approx ca dept est inc ltd co corp mr mrs ms dr prof st jr sr rev gen col sgt capt hon gov pres off u.s u.k e.u u.n a.m p.m ph.d "
    "jan feb mar apr jun jul aug sep sept oct nov dec bzw z.b d.h u.a abs nr vgl ggf usw s bd".split()
)
"""In lower case, without their last full stop."""

_END = re.compile(r"[.!?…]+[\"'”’»)\]]*(?=\s)|[。！？]+[」』”]?")
_BEGINNING = re.compile(r"[\s\"'“‘«(\[–—•·▪-]*[^\W_a-zà-öø-ÿ]|[\s]*[•·▪◦‣(\[]")
_WORD_BEFORE = re.compile(r"(?:^|[\s(\[\"“‘'/–—-])(?P<word>[^\s(\[\"“‘'/–—-]*?)\.[\"'”’»)\]]*$")
_BREAK = re.compile(r"\n[ \t]*(?:\n\s*|(?=(?:[•·▪◦‣*–—-]|\(?(?:\d{1,3}|[a-zA-Z]|[ivxlc]{1,5})[.)])\s))")
_ROW_BREAK = re.compile(r"\n")
_ENUMERATOR = re.compile(
    r"\W*(?:(?:article|section|chapter|annex|part|appendix|figure|table|artikel|abschnitt|kapitel|anhang|§+)\s*)?"
    r"\(?(?:\d+(?:\.\d+)*|[a-z]|[ivxlc]{1,6})[.)]+",
    re.IGNORECASE,
)
CELLS: Final = " | "


def split_sentences(text: str) -> tuple[str, ...]:
    """The sentences in order, without the white space around them."""
    return tuple(text[start:end] for start, end in sentence_spans(text))


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """(start, end) of each sentence: in order, apart, none blank."""
    spans: list[tuple[int, int]] = []
    start = 0
    for end in _ends(text):
        if (span := _trimmed(text, start, end)) is not None:
            spans.append(span)
        start = end
    if (span := _trimmed(text, start, len(text))) is not None:
        spans.append(span)
    return spans


def _ends(text: str) -> list[int]:
    ends = {match.start() for match in _BREAK.finditer(text)}
    if CELLS in text:
        ends.update(match.start() for match in _ROW_BREAK.finditer(text) if _beside_a_row(text, match.start()))
    breaks = sorted(ends)
    last = 0
    waiting = iter([*breaks, len(text)])
    border = next(waiting)
    for match in _END.finditer(text):
        while match.end() > border:
            last, border = border, next(waiting, len(text))
        if _is_end(text, last, match):
            ends.add(match.end())
            last = match.end()
    return sorted(ends)


def _beside_a_row(text: str, at: int) -> bool:
    before = text[text.rfind("\n", 0, at) + 1 : at]
    following = text.find("\n", at + 1)
    return CELLS in before or CELLS in text[at + 1 : following if following >= 0 else len(text)]


def _is_end(text: str, start: int, match: "re.Match[str]") -> bool:
    """Whether a mark ends the sentence that began at `start`."""
    mark = match.group()
    if mark[0] in "。！？":
        return True
    if not _BEGINNING.match(text, match.end()):
        return False
    if _ENUMERATOR.fullmatch(text[start : match.end()].strip()):
        return False
    if mark[0] != "." or mark.startswith(".."):
        return True
    found = _WORD_BEFORE.search(text, max(start, match.end() - 40), match.end())
    word = found["word"] if found else ""
    return not (word.lower() in ABBREVIATIONS or (len(word) == 1 and word.isupper()))


def _trimmed(text: str, start: int, end: int) -> tuple[int, int] | None:
    piece = text[start:end]
    left = start + len(piece) - len(piece.lstrip())
    right = start + len(piece.rstrip())
    return (left, right) if left < right else None
