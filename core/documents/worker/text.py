"""Plain text: its encoding, its paragraphs, and what in it is a heading.

The encoding is a byte order mark's, or UTF-16 where every second byte is zero, or UTF-8 where the bytes are valid, or what charset-normalizer
finds. A page's text is the file's own text: only line ends are made alike, and control characters other than tabs are replaced by spaces.
"""

import re
from collections.abc import Iterator
from typing import Final

import charset_normalizer

from core.documents import formats
from core.documents.headings import FRAMED, ITEM, heading_level, heading_text
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
BINARY: Final = bytes([*range(1, 9), *range(14, 27), *range(28, 32)])
"""Bytes that no text has, whatever its encoding (0 stands in UTF-16, 27 in ISO 2022)."""
MOST_CONTROLS: Final = 0.02
"""Share of control characters from which a file is no text."""
ZEROS: Final = 0.4
"""Share of zeros among every second byte from which a file is UTF-16."""

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_PARAGRAPH = re.compile(r"\S(?:.|\n(?!\s*\n))*", re.MULTILINE)


def read(name: str, data: bytes) -> Parsed:
    """Raises `BadInput` for bytes that are no text."""
    text = decode(name, data)
    writer = PageWriter(1)
    first_heading = ""
    at = line = 0
    for kind, block, level in blocks(text):
        found = text.index(block, at)
        line += text.count("\n", at, found)
        at = found
        writer.add(kind, block, level, places=((0, f"line {line + 1}"),))
        if kind == "heading" and not first_heading:
            first_heading = block
    return Parsed(media=formats.TEXT, title=heading_text(first_heading), pages=(writer.page(),))


def decode(name: str, data: bytes) -> str:
    """The text of a file, with `\\n` as its line end. Raises `BadInput`."""
    text = _decoded(name, data)
    controls = len(_CONTROLS.findall(text))
    if controls > MOST_CONTROLS * len(text):
        raise BadInput(source=name, problem="binary content, no text. Check the file.")
    return cleaned(text)


def cleaned(text: str) -> str:
    """Line ends made alike, control characters replaced by spaces, no half of a surrogate pair."""
    text = _CONTROLS.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))
    return text.encode("utf-8", "replace").decode()


def _decoded(name: str, data: bytes) -> str:
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    if (wide := _wide(data[:SAMPLE])) is not None:
        return data.decode(wide, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    sample = data[:SAMPLE]
    if len(sample) - len(sample.translate(None, BINARY)) > MOST_CONTROLS * len(sample):
        raise BadInput(source=name, problem="binary content, no text. Check the file.")
    best = charset_normalizer.from_bytes(sample).best()
    if best is None:
        raise BadInput(source=name, problem="no text in an encoding that can be recognised. Save it as UTF-8.")
    return data.decode(best.encoding, "replace")


def _wide(sample: bytes) -> str | None:
    """UTF-16 without a byte order mark, by the zeros in every second byte."""
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    half = max(len(sample) // 2, 1)
    if max(even, odd) < ZEROS * half or min(even, odd) > MOST_CONTROLS * half:
        return None
    return "utf-16-be" if even > odd else "utf-16-le"


def blocks(text: str) -> Iterator[tuple[Kind, str, int]]:
    """(kind, text, heading level) of the parts between blank lines."""
    for part in _parts(text):
        level = heading_level(part)
        if level:
            yield "heading", part, level
            continue
        lines = part.split("\n")
        items = sum(1 for line in lines if ITEM.match(line))
        yield ("list" if items >= 2 and items * 2 >= len(lines) else "paragraph"), part, 0


def _parts(text: str) -> Iterator[str]:
    """What stands between blank lines; a framed line is a part of its own."""
    for match in _PARAGRAPH.finditer(text):
        waiting: list[str] = []
        for line in match.group().rstrip().split("\n"):
            if not FRAMED.fullmatch(line.strip()):
                waiting.append(line)
                continue
            yield from ("\n".join(lines) for lines in (waiting,) if lines)
            yield line
            waiting = []
        if waiting:
            yield "\n".join(waiting)
