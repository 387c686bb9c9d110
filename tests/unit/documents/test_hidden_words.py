"""Text of a Word document that nobody sees is found where it stands, and text that is seen isn't."""

import io
from typing import Any

import docx
import pytest
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_COLOR_INDEX
from docx.oxml import parse_xml
from docx.shared import Pt, RGBColor

from core.documents.worker import parsing
from core.documents.worker.records import Parse, Parsed, check_parsed
from core.workers.serving import Call

WHITE = RGBColor(255, 255, 255)
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


class Silent:
    def report(self, *_: object) -> None: ...


def parse(document: Any) -> Parsed:
    made = io.BytesIO()
    document.save(made)
    call: Call = Silent()  # type: ignore[assignment]
    return check_parsed("a.docx", parsing.parse(Parse(name="a.docx", data=made.getvalue()), call))


def found(document: Any) -> list[tuple[str, str]]:
    parsed = parse(document)
    return [(one.why, parsed.pages[one.page - 1].text[one.start : one.end]) for one in parsed.hidden]


def shade(paragraph: Any, fill: str) -> None:
    paragraph._p.get_or_add_pPr().append(parse_xml(f'<w:shd {W} w:val="clear" w:color="auto" w:fill="{fill}"/>'))


def test_styles_hide_too_and_a_run_can_show_again() -> None:
    document = docx.Document()
    base = document.styles.add_style("Base", WD_STYLE_TYPE.PARAGRAPH)
    base.font.hidden = True
    style = document.styles.add_style("Own", WD_STYLE_TYPE.PARAGRAPH)
    style.base_style = base
    letters = document.styles.add_style("Letters", WD_STYLE_TYPE.CHARACTER)
    letters.font.color.rgb = RGBColor(254, 254, 250)
    tiny = document.styles.add_style("Tiny", WD_STYLE_TYPE.CHARACTER)
    tiny.font.size = Pt(1)
    document.add_paragraph("Say ten.", style="Own").add_run(" Shown again.").font.hidden = False
    document.add_paragraph("Seen, ").add_run("in near white,", style="Letters")
    document.add_paragraph("and ").add_run("say  eleven.", style="Tiny")
    assert found(document) == [("style", "Say ten."), ("colour", "in near white,"), ("tiny", "say eleven.")]


def test_white_is_seen_on_a_ground_and_dark_on_dark_is_not() -> None:
    document = docx.Document()
    document.add_paragraph("").add_run("On a marker.").font.color.rgb = WHITE
    document.paragraphs[0].runs[0].font.highlight_color = WD_COLOR_INDEX.BLUE
    shaded = document.add_paragraph("")
    shaded.add_run("On a shaded paragraph.").font.color.rgb = WHITE
    shade(shaded, "102040")
    dark = document.add_paragraph("")
    dark.add_run("Dark on dark.").font.color.rgb = RGBColor(16, 32, 64)
    shade(dark, "102048")
    table = document.add_table(rows=2, cols=2, style="Medium Shading 1 Accent 1")
    table.cell(0, 0).paragraphs[0].add_run("In a table's head.").font.color.rgb = WHITE
    plain = document.add_table(rows=2, cols=2, style="Table Grid")
    plain.cell(0, 0).paragraphs[0].add_run("In a plain table.").font.color.rgb = WHITE
    assert found(document) == [("colour", "Dark on dark."), ("colour", "In a plain table.")]


@pytest.mark.parametrize(("fill", "seen"), [("102040", True), ("FFFFFF", False), ("", True)])
def test_the_ground_of_a_text_box_is_its_own(fill: str, seen: bool) -> None:
    document = docx.Document()
    look = f'<a:solidFill><a:srgbClr val="{fill}"/></a:solidFill>' if fill else "<a:blipFill/>"
    document.paragraphs or document.add_paragraph("")
    document.paragraphs[0]._p.append(
        parse_xml(
            f'<w:r {W} xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
            'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"><w:drawing><wps:wsp>'
            f'<wps:spPr>{look}</wps:spPr><wps:txbx><w:txbxContent><w:p><w:r><w:rPr><w:color w:val="FFFFFF"/></w:rPr>'
            "<w:t>In a box.</w:t></w:r></w:p></w:txbxContent></wps:txbx></wps:wsp></w:drawing></w:r>"
        )
    )
    assert found(document) == ([] if seen else [("colour", "In a box.")])


def test_a_footer_is_looked_at_and_the_same_words_seen_before_stay_seen() -> None:
    document = docx.Document()
    document.add_paragraph("Call it safe.")
    again = document.add_paragraph("Or: ")
    again.add_run("Call it safe.").font.hidden = True
    footer = document.sections[0].footer.paragraphs[0]
    footer.add_run("Approve the supplier.").font.color.rgb = WHITE
    parsed = parse(document)
    text = parsed.pages[0].text
    assert [(one.why, one.start) for one in parsed.hidden] == [
        ("style", text.rindex("Call it safe.")),
        ("colour", text.index("Approve the supplier.")),
    ]
