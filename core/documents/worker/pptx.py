"""PowerPoint presentations (PPTX): a page a slide; its title first, then what stands on it from top to bottom, then its notes, then
comments, each with its author.

Texts in groups, tables, charts and diagrams are read, and pictures by their alternative text. Hidden slides are read and say so.
"""

import io
import zipfile
from collections.abc import Iterator
from typing import Any, Final

import lxml.etree

from core.documents import formats
from core.documents.worker import hidden, packing
from core.documents.worker.csv import row_text
from core.documents.worker.hidden_runs import in_paragraphs
from core.documents.worker.hidden_slides import Slide
from core.documents.worker.records import Hidden, Page, PageWriter, Parsed
from core.errors import BadInput

DRAWING: Final = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
DIAGRAM: Final = "/diagramData"
DEEPEST: Final = 20
"""Groups within groups; what is nested deeper is read without an order."""
LINE: Final = 100_000
"""EMU (a hundredth of an inch is 9,144) between two shapes that stand on one line."""


def read(name: str, data: bytes) -> Parsed:
    """Raises `BadInput`, `Unsupported`."""
    packing.check_parts(name, data, "ppt/", "a PowerPoint presentation")
    import pptx
    import pptx.exc

    try:
        deck = pptx.Presentation(io.BytesIO(data))
        pages = tuple(_slide(slide, number) for number, slide in enumerate(deck.slides, start=1))
        size = (int(deck.slide_width or 0), int(deck.slide_height or 0))
        unseen = tuple(
            one for slide, page in zip(deck.slides, pages, strict=True) for one in _unseen(slide, page, size)
        )
        title = str(deck.core_properties.title or "").strip()
    except (
        *(KeyError, ValueError, TypeError, AttributeError, IndexError, NotImplementedError, RecursionError),
        *(zipfile.BadZipFile, lxml.etree.LxmlError, pptx.exc.PythonPptxError),
    ) as error:
        raise BadInput(
            source=name, problem="damaged; PowerPoint may be able to repair it. Nothing was read."
        ) from error
    heading = next(
        (page.text[block.start : block.end] for page in pages for block in page.blocks if block.kind == "heading"), ""
    )
    return Parsed(media=formats.PPTX, title=title or heading, pages=pages, hidden=unseen)


def _unseen(slide: Any, page: Page, size: tuple[int, int]) -> tuple[Hidden, ...]:
    """What is on a slide and not seen."""
    title = slide.shapes.title
    own = [] if title is None else [title]
    others = (each for each in _ordered(slide.shapes, 0) if title is None or each.shape_id != title.shape_id)
    return hidden.joined(in_paragraphs(page, Slide(slide, size).paragraphs((*own, *others))), page.text)


def _slide(slide: Any, number: int) -> Page:
    hidden = slide._element.get("show") == "0"
    writer = PageWriter(number, "hidden slide" if hidden else "")
    title = slide.shapes.title
    if title is not None and title.has_text_frame:
        writer.add("heading", " ".join(title.text_frame.text.split()), level=1)
    pictures = False
    for shape in _ordered(slide.shapes, 0):
        if title is not None and shape.shape_id == title.shape_id:
            continue
        pictures = pictures or shape.shape_type == 13
        _shape(writer, shape)
    for relation in slide.part.rels.values():
        if relation.reltype.endswith(DIAGRAM) and not relation.is_external:
            items = [_paragraph(each) for each in packing.tree("", relation.target_part.blob).iter(f"{DRAWING}p")]
            writer.add("list", "\n".join(f"• {item}" for item in items if item))
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        notes = slide.notes_slide.notes_text_frame.text.strip()
        writer.add("paragraph", " ".join(notes.split()), places=((0, "notes"),) if notes else ())
    for said in _comments(slide.part):
        writer.add("paragraph", said, places=((0, "comment"),))
    page = writer.page()
    return writer.page(textless=pictures and not page.text)


def _comments(part: Any) -> Iterator[str]:
    """What people wrote on a slide, answers too, in either form that PowerPoint has for it."""
    for relation in part.rels.values():
        if relation.is_external or not relation.reltype.endswith("/comments"):
            continue
        authors = _authors(part.package)
        for comment in packing.tree("", relation.target_part.blob).iter("{*}cm", "{*}reply"):
            texts = [
                text
                for each in comment.iter("{*}text", f"{DRAWING}p")
                if (text := _paragraph(each) or " ".join((each.text or "").split()))
                and next(each.iterancestors("{*}cm", "{*}reply"), comment) is comment
            ]
            author = authors.get(comment.get("authorId", ""), "")
            if texts:
                yield f"Comment by {author}: {' '.join(texts)}" if author else f"Comment: {' '.join(texts)}"


def _authors(package: Any) -> dict[str, str]:
    """The names of those who commented, by their numbers in the presentation."""
    found: dict[str, str] = {}
    for relation in package.main_document_part.rels.values():
        if not relation.is_external and relation.reltype.endswith(("/commentAuthors", "/authors")):
            for author in packing.tree("", relation.target_part.blob).iter("{*}cmAuthor", "{*}author"):
                found[author.get("id", "")] = " ".join(author.get("name", "").split())
    return found


def _ordered(shapes: Any, depth: int) -> Iterator[Any]:
    """From top to bottom and left to right, groups opened."""
    for shape in sorted(shapes, key=lambda shape: (int(shape.top or 0) // LINE, int(shape.left or 0))):
        if shape.shape_type == 6 and depth < DEEPEST:
            yield from _ordered(shape.shapes, depth + 1)
        else:
            yield shape


def _shape(writer: PageWriter, shape: Any) -> None:
    if shape.has_text_frame:
        _text(writer, shape.text_frame)
    elif getattr(shape, "has_table", False):
        rows = [row_text([" ".join(cell.text.split()) for cell in row.cells]) for row in shape.table.rows]
        rows = [row for row in rows if row.strip(" |")]
        writer.add("table", "\n".join(rows), header=len(rows[0]) if len(rows) > 1 else 0)
    elif getattr(shape, "has_chart", False):
        _chart(writer, shape.chart)
    elif shape.shape_type == 6:
        for each in shape._element.iter(f"{DRAWING}p"):
            writer.add("paragraph", _paragraph(each))
    else:
        described = shape._element.find(".//{*}cNvPr")
        writer.add("paragraph", " ".join(("" if described is None else described.get("descr", "")).split()))


def _text(writer: PageWriter, frame: Any) -> None:
    found = [" ".join(each.text.split()) for each in frame.paragraphs]
    found = [text for text in found if text]
    if len(found) > 1:
        writer.add("list", "\n".join(f"• {text}" for text in found))
    elif found:
        writer.add("paragraph", found[0])


def _chart(writer: PageWriter, chart: Any) -> None:
    if chart.has_title and chart.chart_title.has_text_frame:
        writer.add("paragraph", " ".join(chart.chart_title.text_frame.text.split()))
    for plot in chart.plots:
        series = list(plot.series)
        categories = [str(category) for category in plot.categories]
        rows = [row_text(["", *(one.name for one in series)])]
        for at, category in enumerate(categories):
            values = [one.values[at] if at < len(one.values) else None for one in series]
            rows.append(row_text([category, *("" if value is None else f"{value:g}" for value in values)]))
        writer.add("table", "\n".join(rows), header=len(rows[0]) if len(rows) > 1 and rows[0] else 0)


def _paragraph(element: Any) -> str:
    return " ".join("".join(run.text or "" for run in element.iter(f"{DRAWING}t")).split())
