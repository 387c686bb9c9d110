"""A report as a page to read: one file without scripts, images or anything from outside.

Everything is escaped. The page is plain semantic HTML: landmarks, headings in order, a list of contents, tables with captions and
scopes, figures with their content in words, states in words and not by colour alone; every pair of colours has a contrast of at least 4.5
to 1. On paper it is A4 with the heads of tables repeated, and rows and figures kept whole.
"""

import html
from collections.abc import Sequence

from core.evidence.blocks import (
    Block,
    Document,
    Figure,
    Heading,
    Items,
    Pairs,
    Paragraph,
    Quote,
    Spans,
    Table,
)
from core.evidence.drawing import svg

_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #1a1e21; background: #fff; margin: 2rem auto; max-width: 62rem; padding: 0 1.2rem;
  overflow-wrap: break-word; }
h1 { font-size: 1.8rem; line-height: 1.25; margin: 0; } h2 { font-size: 1.3rem; margin: 2.6rem 0 .6rem; padding-bottom: .2rem;
  border-bottom: 1px solid #c8cdc8; } h3 { font-size: 1.02rem; margin: 1.8rem 0 .4rem; }
p { margin: .5rem 0; } p.lead { font-size: 1.35rem; font-weight: 600; margin: .4rem 0 1rem; } header p.subject { color: #464e56; margin: 0; }
.pass { color: #17694a; } .fail { color: #a6261d; } .signed { color: #5b3279; font-weight: 600; } .quiet { color: #464e56; }
.strong, p.lead .pass, p.lead .fail { font-weight: 600; }
mark { background: #ffe48a; color: inherit; border-bottom: 2px solid #a87a00; }
table { border-collapse: collapse; width: 100%; margin: .8rem 0 1.2rem; }
caption { text-align: left; color: #464e56; padding-bottom: .3rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .8rem .35rem 0; border-bottom: 1px solid #e1e4e0; overflow-wrap: anywhere; }
thead th { border-bottom: 2px solid #737c82; font-weight: 600; overflow-wrap: normal; } tbody th { font-weight: 400; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
code { font: .85em ui-monospace, monospace; overflow-wrap: anywhere; }
figure { margin: 1rem 0; } figure svg { max-width: 100%; height: auto; } figcaption, figure.quote figcaption { color: #464e56; }
blockquote { margin: .2rem 0 .8rem; padding: .1rem 0 .1rem 1rem; border-left: 3px solid #c8cdc8; }
dl { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: .2rem 1.4rem; margin: .6rem 0; } dt { color: #464e56; }
dd { margin: 0; } nav ol { columns: 2; padding-left: 1.4rem; } a { color: #1d4f91; } footer { margin-top: 3rem; color: #464e56; }
@page { size: A4; margin: 18mm 16mm; }
@media print { body { margin: 0; max-width: none; padding: 0; font-size: 10pt; } nav { display: none; } h2, h3, caption { break-after: avoid; }
  tr, figure, blockquote { break-inside: avoid; } thead { display: table-header-group; } mark { print-color-adjust: exact; }
  p { orphans: 3; widows: 3; } }
"""


def render(document: Document) -> str:
    """The whole page."""
    sections = _sections(document.blocks)
    contents = "".join(
        f'<li><a href="#part-{place}">{_e(heading.text)}</a></li>'
        for place, (heading, _) in enumerate(sections)
        if heading
    )
    body = "\n".join(_section(place, heading, blocks) for place, (heading, blocks) in enumerate(sections))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{_e(document.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<header>\n<h1>{_e(document.title)}</h1>\n<p class="subject">{_e(document.subject)}</p>\n</header>\n<main>\n'
        + body.replace("<!--contents-->", f'<nav aria-label="Contents"><ol>{contents}</ol></nav>', 1)
        + f"\n</main>\n<footer><p>{_e(document.producer)}</p></footer>\n</body>\n</html>\n"
    )


def _sections(blocks: Sequence[Block]) -> list[tuple[Heading | None, list[Block]]]:
    found: list[tuple[Heading | None, list[Block]]] = [(None, [])]
    for block in blocks:
        if isinstance(block, Heading) and block.level == 2:
            found.append((block, []))
        else:
            found[-1][1].append(block)
    return found


def _section(place: int, heading: Heading | None, blocks: Sequence[Block]) -> str:
    inner = "\n".join(_block(block, f"f{place}-{number}") for number, block in enumerate(blocks))
    if heading is None:
        return f'<section aria-label="Verdict">\n{inner}\n</section>\n<!--contents-->'
    head = f'<h2 id="part-{place}">{_e(heading.text)}</h2>'
    return f'<section aria-labelledby="part-{place}">\n{head}\n{inner}\n</section>'


def _block(block: Block, name: str) -> str:
    match block:
        case Heading():
            return f"<h{block.level}>{_e(block.text)}</h{block.level}>"
        case Paragraph():
            lead = ' class="lead"' if block.large else ""
            return f"<p{lead}>{_spans(block.spans)}</p>"
        case Quote():
            if not block.source:
                return f"<blockquote>{_spans(block.spans)}</blockquote>"
            source = f"<figcaption>{_spans(block.source)}</figcaption>"
            return f'<figure class="quote">{source}<blockquote>{_spans(block.spans)}</blockquote></figure>'
        case Items():
            return f"<ul>{''.join(f'<li>{_spans(item)}</li>' for item in block.items)}</ul>"
        case Pairs():
            return f"<dl>{''.join(f'<dt>{_e(term)}</dt><dd>{_spans(said)}</dd>' for term, said in block.pairs)}</dl>"
        case Table():
            return _table(block)
        case Figure():
            return f"<figure>{svg(block.drawing, name)}<figcaption>{_e(block.caption)}</figcaption></figure>"


def _table(table: Table) -> str:
    def cell(place: int, spans: Spans) -> str:
        number = ' class="n"' if place in table.numbers else ""
        tag, scope = ("th", ' scope="row"') if place == 0 else ("td", "")
        return f"<{tag}{scope}{number}>{_spans(spans)}</{tag}>"

    number = ' class="n"'
    heads = "".join(
        f'<th scope="col"{number if place in table.numbers else ""}>{_e(head)}</th>'
        for place, head in enumerate(table.heads)
    )
    widths = "".join(f'<col style="width:{width:g}%">' for width in table.widths)
    rows = "\n".join(f"<tr>{''.join(cell(*item) for item in enumerate(row))}</tr>" for row in table.rows)
    return (
        f"<table>\n<caption>{_e(table.caption)}</caption>\n<colgroup>{widths}</colgroup>\n<thead><tr>{heads}</tr></thead>\n"
        f"<tbody>\n{rows}\n</tbody>\n</table>"
    )


def _spans(spans: Spans) -> str:
    parts = []
    for span in spans:
        text = _e(span.text).replace("\n", "<br>")
        match span.style:
            case "plain":
                parts.append(text)
            case "strong":
                parts.append(f"<strong>{text}</strong>")
            case "code" | "mark":
                parts.append(f"<{span.style}>{text}</{span.style}>")
            case style:
                parts.append(f'<span class="{style}">{text}</span>')
    return "".join(parts)


def _e(text: str) -> str:
    return html.escape(text)
