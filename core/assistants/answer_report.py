"""An answer as a file that anybody can read: one page of HTML with the pages that it rests on, drawn, and its passages marked on them.

Rules: nothing in it runs or comes from outside, pictures are in the file; what is marked has its number beside it, so it is never told by colour
alone; a document that has no pages, or can't be drawn, stands there as its text. Writing it takes documents out of the vault, which is logged.
"""

import base64
import html
import re
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from core.assistants.records import QUOTES, Answer, Citation
from core.documents.records import Document, PageImage, Rect
from core.documents.service import Documents
from core.errors import AssayError, BadInput, Refused
from core.jobs import Job
from core.paths import write_whole
from core.vault.roles import Act
from core.vault.vault import Vault

ZOOM: Final = 1.5
"""Pixels per point of a drawn page."""
AROUND: Final = 600
"""Characters of a text before and after its passage."""
_MARK = re.compile(r"\s*\[\d+\]")
_STYLE: Final = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #1a1e21; background: #fff; margin: 2rem auto; max-width: 84rem; padding: 0 1.2rem; }
main { display: grid; grid-template-columns: minmax(18rem, 2fr) 3fr; gap: 2.5rem; } h1 { font-size: 1.25rem; } h2 { font-size: 1rem; }
.said { font-size: 1.1rem; white-space: pre-wrap; } .bare { text-decoration: underline dotted #8a4b00 2px; } .bare + small { color: #763800; }
small, dd, figcaption { color: #464e56; overflow-wrap: anywhere; } dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; }
dd { margin: 0; }
figure { margin: 0 0 2rem; } svg { width: 100%; height: auto; border: 1px solid #c9cdc8; } blockquote { margin: .4rem 0 .4rem 1rem; }
svg rect { fill: #ffd84d; fill-opacity: .4; stroke: #8a6a00; stroke-width: 1; } svg text { font: bold 11px sans-serif; fill: #5c4700; }
pre { white-space: pre-wrap; border: 1px solid #c9cdc8; padding: 1rem; font: 14px/1.5 ui-monospace, monospace; }
mark { background: #ffe789; text-decoration: underline; }
@media (max-width: 60rem) { main { display: block; } }
@page { size: A4; margin: 14mm; } @media print { main { display: block; } body { margin: 0; max-width: none; padding: 0; }
  figure { break-inside: avoid; }
  mark, svg rect { print-color-adjust: exact; } }
"""


def export(vault: Vault, documents: Documents, answer: Answer, path: Path, job: Job) -> None:
    """Write an answer with the pages that it rests on to a `.html` file. The log says so, with the file's name.

    Raises `BadInput` for another ending, `Refused`, `Cancelled`, and as `write_whole`; then no file is written."""
    check_ending(path)
    content = as_html(answer, [_figure(documents, found, job) for found in _by_page(answer.citations)])
    about = f"An answer from {answer.question.collection or 'a model alone'}, to {path.name}"
    with vault.write(Act.EXPORT_DOCUMENT, about=about) as unit:
        unit.note(touched=tuple(dict.fromkeys(one.document for one in answer.citations)))
        write_whole(path, content.encode())


def check_ending(path: Path) -> None:
    """Raise `BadInput` for a name that doesn't end in `.html`."""
    if path.suffix.lower() != ".html":
        raise BadInput(source=path.name, problem="answers are written as .html. Give the file this ending.")


def as_html(answer: Answer, figures: Sequence[str]) -> str:
    """The page; `figures` are the places that the answer rests on."""
    title = html.escape(answer.question.text)
    facts = "".join(f"<dt>{name}</dt><dd>{html.escape(value)}</dd>" for name, value in _facts(answer))
    notes = "".join(f"<p><small>{html.escape(one)}</small></p>" for one in _notes(answer))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n"
        f"<style>{_STYLE}</style></head>\n<body><main><section><h1>{title}</h1>\n"
        f'<p class="said">{_sentences(answer)}</p>\n{notes}<h2>How it was made</h2><dl>{facts}</dl></section>\n'
        f"<section><h2>What it rests on</h2>\n{''.join(figures) or '<p>It cites nothing.</p>'}</section></main></body></html>\n"
    )


def _sentences(answer: Answer) -> str:
    """The answer's text, its citations as links, and what has no support marked in words."""
    text, at, parts = answer.answer, 0, []
    cited: dict[tuple[int, int], list[int]] = {}
    for one in answer.citations:
        numbers = cited.setdefault((one.start, one.end), [])
        if one.number not in numbers:
            numbers.append(one.number)
    for start, end in [*sorted({*cited, *answer.unsupported}), (len(text), len(text))]:
        parts.append(html.escape(_MARK.sub("", text[at:start])))
        words = html.escape(_MARK.sub("", text[max(at, start) : end]))
        if words and (start, end) in answer.unsupported:
            words = f'<span class="bare">{words}</span> <small>[no support found]</small>'
        parts.append(
            words + "".join(f' <a href="#passage-{number}">[{number}]</a>' for number in cited.get((start, end), ()))
        )
        at = max(at, end)
    return "".join(parts)


def _facts(answer: Answer) -> list[tuple[str, str]]:
    mode = (
        []
        if answer.model == QUOTES
        else [("Model file", f"sha256 {answer.model_digest}"), ("Mode", answer.question.mode)]
    )
    prompt = (
        [("Prompt", f"{answer.question.prompt or 'built in'}, {answer.prompt_digest}")] if answer.prompt_digest else []
    )
    names = ", ".join(name for name in (answer.question.collection, *answer.question.finding.also) if name)
    return [
        ("Collections", names or "none"),
        ("Answered by", "quotes, word for word" if answer.model == QUOTES else answer.model),
        *mode,
        *prompt,
        ("Passages found", str(len(answer.passages))),
    ]


def _notes(answer: Answer) -> list[str]:
    found = [f"Searched for: {answer.searched}"] if answer.searched else []
    if answer.withdrawn:
        found.append("What the model wrote has no support in the documents and was withdrawn.")
    if answer.left_out:
        every = answer.left_out + len(answer.passages)
        found.append(f"{answer.left_out} of {every} passages didn’t fit into the model and were left out.")
    return found


def _by_page(citations: Sequence[Citation]) -> list[list[Citation]]:
    """The citations of each page, in the order of their first."""
    found: dict[tuple[str, int], list[Citation]] = {}
    for one in citations:
        found.setdefault((one.document, one.page), []).append(one)
    return list(found.values())


def _figure(documents: Documents, cited: Sequence[Citation], job: Job) -> str:
    """One page with all that is cited of it."""
    job.check()
    first = cited[0]
    document = documents.show(first.document)
    try:
        image = documents.page(first.document, first.page, ZOOM)
        rects = [(one.number, documents.locate(first.document, first.page, one.quote)) for one in cited]
        shown = drawn(image, rects)
        rest = [(one.number, documents.locate_overleaf(first.document, first.page, one.quote)) for one in cited]
        if any(places for _, places in rest):
            shown += drawn(documents.page(first.document, first.page + 1, ZOOM), rest)
    except Refused:
        raise
    except AssayError:  # no pages, or none that can be drawn
        shown = _as_text(documents.text(first.document, first.page), [one.quote for one in cited])
    numbers = "".join(f'<span id="passage-{number}"></span>' for number in dict.fromkeys(one.number for one in cited))
    quotes = "".join(f"<blockquote>[{one.number}] {html.escape(one.quote)}</blockquote>" for one in cited)
    return f"<figure>{numbers}<figcaption>{_caption(document, first)}</figcaption>{quotes}{shown}</figure>\n"


def _caption(document: Document, cited: Citation) -> str:
    place = cited.place or f"page {cited.page}"
    words = f"{html.escape(document.name)}, {html.escape(place)}"
    return f"<strong>{words}</strong><br><small>added {document.added[:10]}, file sha256 {document.content}, version {cited.document}</small>"


def drawn(image: PageImage, rects: Sequence[tuple[int, Sequence[Rect]]]) -> str:
    """A page's picture with the rectangles of each citation, its number beside them."""
    width, height = image.width / image.scale, image.height / image.scale
    shapes = []
    for number, places in rects:
        for at, rect in enumerate(places):
            if not at:
                beside = max(min(one.x0 for one in places) - 24, 1)
                shapes.append(f'<text x="{beside:.1f}" y="{rect.y1:.1f}">[{number}]</text>')
            size = f'width="{rect.x1 - rect.x0:.1f}" height="{rect.y1 - rect.y0:.1f}"'
            shapes.append(f'<rect x="{rect.x0:.1f}" y="{rect.y0:.1f}" {size}/>')
    said = "The page, with what is cited marked." if shapes else "The page."
    data = base64.b64encode(png(image)).decode()
    return (
        f'<svg viewBox="0 0 {width:.1f} {height:.1f}" role="img" aria-label="{said}"><image width="{width:.1f}" height="{height:.1f}" '
        f'href="data:image/png;base64,{data}"/>{"".join(shapes)}</svg>'
    )


def png(image: PageImage) -> bytes:
    """The picture as a PNG file."""
    row = image.width * 3
    lines = b"".join(b"\0" + image.pixels[at * row : (at + 1) * row] for at in range(image.height))
    head = struct.pack(">IIBBBBB", image.width, image.height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )


def _as_text(text: str, quotes: Sequence[str]) -> str:
    """What stands around the quotes, with these marked."""
    spans = sorted((at, at + len(quote)) for quote in quotes if quote and (at := text.find(quote)) >= 0)
    if not spans:
        return f"<pre>{html.escape(text[: 2 * AROUND])}{' …' if len(text) > 2 * AROUND else ''}</pre>"
    start, last = max(spans[0][0] - AROUND, 0), min(max(end for _, end in spans) + AROUND, len(text))
    at, parts = start, ["… " if start else ""]
    for first, end in spans:
        parts.append(html.escape(text[at : max(first, at)]))
        if end > max(first, at):
            parts.append(f"<mark>{html.escape(text[max(first, at) : end])}</mark>")
        at = max(at, end)
    return f"<pre>{''.join(parts)}{html.escape(text[at:last])}{' …' if last < len(text) else ''}</pre>"
