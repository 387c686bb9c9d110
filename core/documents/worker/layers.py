"""Text in layers of a PDF (its optional content) that are switched off: no page shows it and no text of a page holds it.

Rules: it is looked through as a file's properties are, and goes no further. The document's layers aren't as they were afterwards, so this comes last.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from core.documents.worker.asides import cleaned
from core.documents.worker.records import Aside

MOST: Final = 1_000_000
"""Characters of a document's."""


def of_pdf(document: Any) -> tuple[Aside, ...]:
    """What an opened PDF's pages show besides when their layers are switched otherwise."""
    import pymupdf

    if not document.is_pdf or not (layers := _layers(document)):
        return ()
    try:
        return cleaned(_unseen(document, layers))
    except (pymupdf.mupdf.FzErrorBase, RuntimeError, ValueError):
        return ()


def _layers(document: Any) -> list[tuple[int, bool]]:
    """Their numbers, and whether they are shown."""
    import pymupdf

    try:
        file = pymupdf.mupdf.pdf_specifics(document)
        count = pymupdf.mupdf.pdf_count_layers(file)
        return [(number, bool(pymupdf.mupdf.pdf_layer_is_enabled(file, number))) for number in range(count)]
    except (pymupdf.mupdf.FzErrorBase, RuntimeError, ValueError):
        return []


def _unseen(document: Any, layers: list[tuple[int, bool]]) -> Iterator[tuple[str, str]]:
    import pymupdf

    file = pymupdf.mupdf.pdf_specifics(document)
    shown = [Counter(_lines(page)) for page in document]
    left = MOST
    for state in (True, False):  # some content is shown when its layer is off
        if all(on is state for _, on in layers):
            continue
        for number, _ in layers:
            pymupdf.mupdf.pdf_enable_layer(file, number, state)
        for number, page in enumerate(document, start=1):
            said = "\n".join((Counter(_lines(page)) - shown[number - 1]).elements())[:left]
            left -= len(said)
            yield f"a layer of page {number} that is switched off", said


def _lines(page: Any) -> Iterator[str]:
    return (" ".join(line.split()) for line in page.get_text().splitlines() if line.strip())
