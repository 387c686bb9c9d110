"""Plain text: its encoding, its paragraphs, and what in it is a heading.

The encoding is a byte order mark's, or UTF-8 where the bytes are valid, or what charset-normalizer finds. A page's text is the file's own text:
only line ends are made alike, and control characters other than tabs are replaced by spaces.
"""

import re
from collections.abc import Iterator
from typing import Final

import charset_normalizer

from core.documents import formats
from core.documents.worker.records import Kind, PageWriter, Parsed
from core.errors import BadInput

MARKS: Final = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
SAMPLE: Final = 64 * 1024
"""Bytes that the encoding is guessed from."""
MOST_CONTROLS: Final = 0.02
"""Share of control characters from which a file is no text."""
LONGEST_HEADING: Final = 100

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_PARAGRAPH = re.compile(r"\S(?:.|\n(?!\s*\n))*", re.MULTILINE)
_UNDERLINED = re.compile(r"(?P<text>[^\n]+)\n(?P<line>={3,}|-{3,}|~{3,})[ \t]*$")
_FRAMED = re.compile(r"[=\-*#~]{2,}\s*(?P<text>\S.*?)\s*[=\-*#~]{2,}")
_NUMBERED = re.compile(r"(?P<number>\d+(?:\.\d+)*)\.?\s+\S")
_NAMED = re.compile(
    r"(?P<word>part|title|book|annex|appendix|schedule|chapter|section|article|teil|anhang|kapitel|abschnitt|artikel)\s+"
    r"[0-9ivxlc]+[a-z]?\b",
    re.IGNORECASE,
)
_DEPTH: Final = {
    **dict.fromkeys(("part", "title", "book", "annex", "appendix", "schedule", "teil", "anhang"), 2),
    **dict.fromkeys(("chapter", "kapitel"), 3),
    **dict.fromkeys(("section", "abschnitt"), 4),
    **dict.fromkeys(("article", "artikel"), 5),
}
_ITEM = re.compile(r"\s*(?:[•·▪◦‣*–—-]|\(?[0-9]{1,3}[.)]|\(?[a-zA-Z][.)]|\([ivxlc]+\))\s+\S")


def read(name: str, data: bytes) -> Parsed:
    """Raises `BadInput` for bytes that are no text."""
    text = decode(name, data)
    writer = PageWriter(1)
    first_heading = ""
    for kind, block, level in blocks(text):
        writer.add(kind, block, level)
        if kind == "heading" and not first_heading:
            first_heading = block
    return Parsed(media=formats.TEXT, title=heading_text(first_heading), pages=(writer.page(),))


def decode(name: str, data: bytes) -> str:
    """The text of a file, with `\\n` as its line end. Raises `BadInput`."""
    text = _decoded(name, data)
    controls = len(_CONTROLS.findall(text))
    if controls > MOST_CONTROLS * len(text):
        raise BadInput(source=name, problem="binary content, no text. Check the file.")
    text = _CONTROLS.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))
    return text.encode("utf-8", "replace").decode()


def _decoded(name: str, data: bytes) -> str:
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    if b"\x00\x00\x00\x00" in data[:SAMPLE]:
        raise BadInput(source=name, problem="binary content, no text. Check the file.")
    best = charset_normalizer.from_bytes(data[:SAMPLE]).best()
    if best is None:
        raise BadInput(source=name, problem="no text in an encoding that can be recognised. Save it as UTF-8.")
    return data.decode(best.encoding, "replace")


def blocks(text: str) -> Iterator[tuple[Kind, str, int]]:
    """(kind, text, heading level) of the parts between blank lines."""
    for part in _parts(text):
        level = heading_level(part)
        if level:
            yield "heading", part, level
            continue
        lines = part.split("\n")
        items = sum(1 for line in lines if _ITEM.match(line))
        yield ("list" if items >= 2 and items * 2 >= len(lines) else "paragraph"), part, 0


def _parts(text: str) -> Iterator[str]:
    """What stands between blank lines; a framed line is a part of its own."""
    for match in _PARAGRAPH.finditer(text):
        waiting: list[str] = []
        for line in match.group().rstrip().split("\n"):
            if not _FRAMED.fullmatch(line.strip()):
                waiting.append(line)
                continue
            yield from ("\n".join(lines) for lines in (waiting,) if lines)
            yield line
            waiting = []
        if waiting:
            yield "\n".join(waiting)


def heading_level(part: str) -> int:
    """The level of a heading, 0 for other text: underlined, framed, numbered, or a short line of its own that is no sentence."""
    if underlined := _UNDERLINED.fullmatch(part):
        return 1 if underlined["line"][0] == "=" else 2
    if "\n" in part or len(part) > LONGEST_HEADING:
        return 0
    if _FRAMED.fullmatch(part):
        return 1
    if part[-1] in ".,;:!?" or part.count(". ") or not any(character.isalpha() for character in part):
        return 0
    if named := _NAMED.match(part):
        return _DEPTH[named["word"].lower()]
    if numbered := _NUMBERED.match(part):
        return min(2 + numbered["number"].count("."), 5)
    if _ITEM.match(part) or "|" in part or "\t" in part or part[0] in "\"'(“„«[<{":
        return 0
    first = next(character for character in part if character.isalpha())
    return 5 if first.isupper() and len(part.split()) <= 12 else 0


def heading_text(text: str) -> str:
    """A heading without its underline or frame."""
    if underlined := _UNDERLINED.fullmatch(text):
        text = underlined["text"]
    if framed := _FRAMED.fullmatch(text):
        text = framed["text"]
    return " ".join(text.split())
