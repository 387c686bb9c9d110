"""A mail's text in parts: its own words, what it quotes of earlier mails, and its signature.

Rules: lines after ">" are quoted, with the line that says who wrote them; after a line of forwarding, or the headers of an earlier mail, and after a
line that says who wrote at which date and isn't followed by ">", all that follows is. A signature begins at "-- " and ends where a quotation begins.
No line is lost or changed.
"""

import re
from collections.abc import Iterator
from typing import Final

QUOTED: Final = "Quoted from an earlier mail"
SIGNATURE: Final = "Signature"

_QUOTE = re.compile(r"\s{0,3}>")
_WROTE = re.compile(
    r"(?=.*\d).{4,300}\b(?:wrote|writes|said|schrieb(?:en)?|a écrit|escribió|scrisse|ha scritto|schreef|skrev|napisał\(?a?\)?)\b[^.!?]{0,120}:\s*",
    re.IGNORECASE,
)
_FORWARDED = re.compile(
    r"\s*[-_=]{2,}\s*(?:original message|forwarded message|original appointment|forwarded by .*|ursprüngliche nachricht|weitergeleitete nachricht"
    r"|message d'origine|message transféré)\s*[-_=]*\s*",
    re.IGNORECASE,
)
_HEADER = re.compile(r"\s*\*?(?:from|von|de|da)\s?:\*?\s*\S.*", re.IGNORECASE)
_SECOND = re.compile(
    r"\s*\*?(?:sent|date|to|gesendet|datum|an|envoyé|enviado|inviato|para|à|a)\s?:\*?\s*\S.*", re.IGNORECASE
)
_SIGNATURE = re.compile(r"--\s?")
LOOK: Final = 2
"""Lines over which it is said who wrote."""


def parts(content: str) -> Iterator[tuple[str, str]]:
    """(mark, text) of the parts in order; the mark is empty for the mail's own words. Joined by line ends they are the content."""
    lines = content.split("\n")
    marks = [""] * len(lines)
    at = 0
    signed = False
    last = max((number for number, line in enumerate(lines) if line.strip()), default=0)
    last_quoted = max((number for number, line in enumerate(lines) if _QUOTE.match(line)), default=-1)
    while at < len(lines):
        said = _said(lines, at, last)
        if _QUOTE.match(lines[at]):
            marks[at], signed = QUOTED, False
        elif _FORWARDED.fullmatch(lines[at]) or _is_header(lines, at) or (said and last_quoted < at + said):
            marks[at:] = [QUOTED] * (len(lines) - at)
            break
        elif said:
            marks[at : at + said] = [QUOTED] * said
            at += said - 1
        elif _SIGNATURE.fullmatch(lines[at]) or signed:
            marks[at], signed = SIGNATURE, True
        at += 1
    for at in range(1, len(lines) - 1):  # a blank line between two that are quoted is
        if not lines[at].strip() and marks[at - 1] and not marks[at]:
            marks[at] = marks[at - 1]
    start = 0
    for at in range(1, len(lines) + 1):
        if at == len(lines) or marks[at] != marks[start]:
            yield marks[start], "\n".join(lines[start:at])
            start = at


def _said(lines: list[str], at: int, last: int) -> int:
    """Over how many lines from here it is said who wrote what follows; 0 where it isn't. `last`: the last line that isn't blank."""
    for number in range(1, LOOK + 1):
        text = " ".join(line.strip() for line in lines[at : at + number])
        if lines[at].strip() and last >= at + number and _WROTE.fullmatch(text):
            return number
    return 0


def _is_header(lines: list[str], at: int) -> bool:
    """Whether the headers of an earlier mail begin here."""
    return bool(_HEADER.fullmatch(lines[at]) and at + 1 < len(lines) and _SECOND.fullmatch(lines[at + 1]))
