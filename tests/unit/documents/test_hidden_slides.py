"""Text on slides that nobody sees is found where it stands, and text that is seen isn't."""

import io
from typing import Any

import pptx
import pytest
from pptx.dml.color import RGBColor
from pptx.enum.dml import MSO_THEME_COLOR
from pptx.util import Emu, Inches, Pt

from core.documents.worker import parsing
from core.documents.worker.records import Parse, Parsed, check_parsed
from core.workers.serving import Call

WHITE = RGBColor(255, 255, 255)


class Silent:
    def report(self, *_: object) -> None: ...


def parse(deck: Any) -> Parsed:
    made = io.BytesIO()
    deck.save(made)
    call: Call = Silent()  # type: ignore[assignment]
    return check_parsed("a.pptx", parsing.parse(Parse(name="a.pptx", data=made.getvalue()), call))


def found(deck: Any) -> list[tuple[str, str]]:
    parsed = parse(deck)
    return [(one.why, parsed.pages[one.page - 1].text[one.start : one.end]) for one in parsed.hidden]


class Deck:
    def __init__(self) -> None:
        self.deck = pptx.Presentation()
        self.slide = self.deck.slides.add_slide(self.deck.slide_layouts[5])
        self.slide.shapes.title.text = "The tower has nine floors."

    def box(self, text: str, left: float = 1, top: float = 2) -> Any:
        shape = self.slide.shapes.add_textbox(Inches(left), Inches(top), Inches(4), Inches(0.4))
        run = shape.text_frame.paragraphs[0].add_run()
        run.text = text
        return shape

    def run(self, shape: Any) -> Any:
        return shape.text_frame.paragraphs[0].runs[0]


def test_white_on_white_tiny_transparent_beside_the_slide_and_switched_off() -> None:
    made = Deck()
    made.run(made.box("Say  ten.", top=2)).font.color.rgb = WHITE
    made.run(made.box("Say eleven.", top=2.5)).font.color.theme_color = MSO_THEME_COLOR.BACKGROUND_1
    made.run(made.box("Say twelve.", top=3)).font.size = Pt(1)
    mixed = made.box("Seen, ", top=3.5)
    more = mixed.text_frame.paragraphs[0].add_run()
    more.text = "unseen."
    more.font.fill.background()
    made.box("Say thirteen.", left=30, top=4)
    switched = made.box("Say fourteen.", top=4.5)
    switched._element.nvSpPr.cNvPr.set("hidden", "1")
    dark = made.box("Dark on dark.", top=5)
    dark.fill.solid()
    dark.fill.fore_color.rgb = RGBColor(0, 0, 80)
    made.run(dark).font.color.rgb = RGBColor(0, 10, 90)
    assert found(made.deck) == [
        ("colour", "Say ten.\n\nSay eleven."),
        ("tiny", "Say twelve."),
        ("transparent", "unseen."),
        ("off-page", "Say thirteen."),
        ("style", "Say fourteen."),
        ("colour", "Dark on dark."),
    ]


def test_white_on_something_dark_is_seen() -> None:
    made = Deck()
    filled = made.box("On its own ground.")
    filled.fill.solid()
    filled.fill.fore_color.rgb = RGBColor(0, 0, 80)
    under = made.slide.shapes.add_shape(1, Inches(0), Inches(3), Inches(9), Inches(2))
    under.fill.gradient()
    for shape in (filled, made.box("On a shape.", top=3.5)):
        made.run(shape).font.color.rgb = WHITE
    table = made.slide.shapes.add_table(2, 2, Inches(1), Inches(6), Inches(4), Inches(1)).table
    table.cell(0, 0).text = "In a table's head."
    table.cell(0, 0).text_frame.paragraphs[0].runs[0].font.color.rgb = WHITE
    assert found(made.deck) == []
    made.slide.background.fill.solid()
    made.slide.background.fill.fore_color.rgb = RGBColor(20, 20, 20)
    made.run(made.box("On a dark slide.", top=5.1)).font.color.rgb = WHITE
    black = made.box("Black on a dark slide.", top=5.55)
    made.run(black).font.color.rgb = RGBColor(0, 0, 0)
    assert found(made.deck) == [("colour", "Black on a dark slide.")]


@pytest.mark.parametrize(("left", "unseen"), [(1, False), (12, True)])
def test_a_group_places_what_is_in_it(left: float, unseen: bool) -> None:
    made = Deck()
    group = made.slide.shapes.add_group_shape()
    shape = group.shapes.add_textbox(Inches(1), Inches(3), Inches(3), Inches(0.5))
    shape.text_frame.text = "Within a group."
    group.left = Inches(left)
    assert found(made.deck) == ([("off-page", "Within a group.")] if unseen else [])


def test_the_same_words_seen_before_stay_seen() -> None:
    made = Deck()
    made.box("Call it safe.", top=2)
    made.run(made.box("Call it safe.", top=3)).font.color.rgb = WHITE
    parsed = parse(made.deck)
    (one,) = parsed.hidden
    assert one.start == parsed.pages[0].text.rindex("Call it safe.")


def test_what_has_odd_colours_or_places_is_read_and_refuses_nothing() -> None:
    made = Deck()
    shape = made.box("Odd.")
    run = made.run(shape)
    run.font.color.rgb = WHITE
    colour = run._r.rPr[0][0]
    for value in ("", "zz", "FFFFFFFFFF"):
        colour.set("val", value)
        assert found(made.deck) == []
    shape.left = Emu(-9_000_000_000)
    assert [why for why, _ in found(made.deck)] == ["off-page"]
