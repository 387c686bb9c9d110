"""Mixed files for measuring imports: the test data's own documents, and copies of them that differ by a few bytes."""

from itertools import cycle
from pathlib import Path
from typing import Final

from tests.benchmarks.figures import REAL_DATA

LARGEST: Final = 120_000
"""Bytes of a file that is copied: a long book a hundred times would measure that book."""
LEFT_OUT: Final = ("LICENSE", "hostile-pdf")
TEXT: Final = (".txt", ".md", ".csv", ".html", ".eml")
TAILED: Final = (".pdf",)
"""What follows a PDF's end is a comment."""
PACKED: Final = (".docx", ".xlsx", ".pptx", ".epub")
"""The comment of a ZIP is at its end."""


def make(folder: Path, number: int) -> list[Path]:
    """So many files, each kind's in turn as often as the data have them; no two have the same bytes."""
    sources = [
        path
        for path in sorted((REAL_DATA / "documents").rglob("*"))
        if path.is_file()
        and path.suffix.lower() in (*TEXT, *TAILED, *PACKED)
        and not any(part in LEFT_OUT for part in path.parts)
        and path.stat().st_size <= LARGEST
    ]
    made = []
    for count, source in zip(range(number), cycle(sources), strict=False):
        path = folder / f"{count % 10}" / f"{count:04d} {source.name}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(changed(source.read_bytes(), source.suffix.lower(), f"Copy {count} of the mixed files."))
        made.append(path)
    return made


def changed(data: bytes, ending: str, note: str) -> bytes:
    """The same document with a note: of texts a last line, of others what their readers pass over."""
    if ending in TEXT:
        return data + f"\n\n{note}\n".encode()
    if ending in TAILED:
        return data + f"\n% {note}\n".encode()
    comment = note.encode()
    return data[:-2] + len(comment).to_bytes(2, "little") + comment
