"""Markdown (CommonMark with tables): the text as a reader sees it, without markup. HTML in it loses its tags."""

import re
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from core.documents import formats
from core.documents.worker import text
from core.documents.worker.csv import row_text
from core.documents.worker.records import PageWriter, Parsed

DEEPEST_NESTING: Final = 50
_FRONT = re.compile(r"\A---[ \t]*\n(?P<matter>.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_TITLE = re.compile(r"^title:\s*[\"']?(?P<title>.+?)[\"']?\s*$", re.MULTILINE)
_TAG = re.compile(r"<!--.*?-->|</?[A-Za-z][^<>]*>", re.DOTALL)


def read(name: str, data: bytes) -> Parsed:
    """Raises `BadInput` for bytes that are no text."""
    content = text.decode(name, data)
    writer = PageWriter(1)
    title = ""
    before = 0
    if front := _FRONT.match(content):
        writer.add("paragraph", front["matter"].strip())
        if found := _TITLE.search(front["matter"]):
            title = found["title"]
        before = content.count("\n", 0, front.end())
        content = content[front.end() :]
    parser = MarkdownIt("commonmark", {"maxNesting": DEEPEST_NESTING}).enable("table")
    heading = _write(parser.parse(content), writer, before)
    return Parsed(media=formats.MARKDOWN, title=title or heading, pages=(writer.page(),))


def _write(tokens: list[Token], writer: PageWriter, before: int) -> str:
    """Fill the page; the first heading. `before`: lines of the file before the first token's."""
    first_heading = ""
    at = 0
    while at < len(tokens):
        token = tokens[at]
        place = ((0, f"line {before + token.map[0] + 1}"),) if token.map else ()
        match token.type:
            case "heading_open":
                heading = inline(tokens[at + 1])
                writer.add("heading", heading, level=int(token.tag[1]), places=place)
                first_heading = first_heading or heading
            case "paragraph_open":
                writer.add("paragraph", inline(tokens[at + 1]), places=place)
            case "fence" | "code_block":
                writer.add("paragraph", token.content.rstrip(), places=place)
            case "html_block":
                writer.add("paragraph", " ".join(_TAG.sub(" ", token.content).split()), places=place)
            case "bullet_list_open" | "ordered_list_open":
                end = _closing(tokens, at)
                writer.add("list", "\n".join(_items(tokens[at : end + 1])), places=place)
                at = end
            case "table_open":
                end = _closing(tokens, at)
                rows = _rows(tokens[at : end + 1])
                writer.add("table", "\n".join(rows), header=len(rows[0]) if len(rows) > 1 else 0, places=place)
                at = end
        at += 1
    return first_heading


def _closing(tokens: list[Token], at: int) -> int:
    level = tokens[at].level
    return next(index for index in range(at + 1, len(tokens)) if tokens[index].level == level)


def _items(tokens: list[Token]) -> list[str]:
    """A line an item (a paragraph of an item), marked as a reader sees it."""
    lines: list[str] = []
    numbers: list[int | None] = []
    marker = ""
    for token in tokens:
        match token.type:
            case "bullet_list_open":
                numbers.append(None)
            case "ordered_list_open":
                numbers.append(int(token.attrGet("start") or 1))
            case "bullet_list_close" | "ordered_list_close":
                numbers.pop()
            case "list_item_open":
                number = numbers[-1]
                marker = "• " if number is None else f"{number}. "
                if number is not None:
                    numbers[-1] = number + 1
            case "inline":
                lines.append(marker + inline(token))
                marker = ""
            case "fence" | "code_block" | "html_block":
                lines.append(marker + " ".join(_TAG.sub(" ", token.content).split()))
                marker = ""
    return [line for line in lines if line.strip()]


def _rows(tokens: list[Token]) -> list[str]:
    rows: list[list[str]] = []
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline" and rows:
            rows[-1].append(inline(token))
    return [row for row in map(row_text, rows) if row.strip(" |")]


def inline(token: Token) -> str:
    """The text of a paragraph, a heading or a cell."""
    parts: list[str] = []
    for child in token.children or ():
        match child.type:
            case "text" | "code_inline":
                parts.append(child.content)
            case "image":
                parts.append(child.content)
            case "softbreak" | "hardbreak":
                parts.append(" ")
    return " ".join("".join(parts).split())
