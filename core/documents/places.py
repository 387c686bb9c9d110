"""Where in a document a stretch of a page's text comes from, for people to find it: "sheet Costs, B7:D7", "slide 3, notes", "line 12"."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

import msgspec

from core.documents import formats
from core.documents.worker.records import Place

WORDS: Final = {
    **dict.fromkeys((formats.XLSX, formats.XLS, formats.ODS), "sheet"),
    **dict.fromkeys((formats.PPTX, formats.ODP), "slide"),
    formats.EPUB: "chapter",
    formats.PDF: "page",
    **dict.fromkeys(formats.PICTURES, "page"),
}
"""What a page of a format is; of other formats there is one only."""
NUMBERED: Final = (formats.PPTX, formats.ODP, formats.PDF, *formats.PICTURES)
_Starts = tuple[tuple[int, ...], tuple[str, ...]]


def packed(places: Sequence[Place]) -> bytes:
    """As the table of pages keeps them; nothing where there are none."""
    if not places:
        return b""
    return msgspec.msgpack.encode(([place.start for place in places], [place.label for place in places]))


def at(data: bytes, position: int) -> str:
    """The label of the place that a position of the text belongs to; empty where there is none."""
    if not data:
        return ""
    starts, labels = msgspec.msgpack.decode(data, type=_Starts)
    found = bisect_right(starts, position) - 1
    return labels[found] if found >= 0 else ""


def said(media: str, page: int, label: str, place: str) -> str:
    """The place in words; empty where the format has none and there is nothing to say."""
    word = WORDS.get(media, "")
    if media in NUMBERED:
        name = f"{word} {page}" + (f" ({label})" if label else "")
    else:
        name = f"{word} {label or page}" if word else ""
    return ", ".join(part for part in (name, place) if part)
