"""What stands around a web page's own text is kept and marked; what is doubtful is text."""

from pathlib import Path

import pytest

from core.documents.chunking import chunk
from core.documents.worker import html
from core.documents.worker.records import check_parsed
from tests.unit.documents.test_chunking import RULES, count

TEXT = "<h1>Keys</h1><p>" + "The guard keeps the keys of the north gate in the safe. " * 6 + "</p>"
MENU = '<nav><ul><li><a href="/a">Start</a></li><li><a href="/b">Help</a></li></ul></nav>'


def parted(content: str) -> tuple[list[str], list[str]]:
    """What is text, and what stands around it."""
    (page,) = check_parsed("a.html", html.read("a.html", f"<html><body>{content}</body></html>".encode())).pages
    texts: tuple[list[str], list[str]] = ([], [])
    for block in page.blocks:
        texts[block.kind == "furniture"].append(page.text[block.start : block.end])
    return texts


@pytest.mark.parametrize(
    ("content", "around"),
    [
        (f"{MENU}<main>{TEXT}</main><p>Imprint</p>", ["• Start\n• Help", "Imprint"]),
        (f"<div>Shop</div><div role='main'>{TEXT}</div>", ["Shop"]),
        (f"{MENU}{TEXT}<footer>Imprint</footer>", ["• Start\n• Help", "Imprint"]),
        (f"<div id='cookie-banner'>May we?<button>Yes</button></div>{TEXT}", ["May we?Yes"]),
        (f"<div class='site-menu'><a>Start</a> <a>Help</a></div>{TEXT}", ["Start Help"]),
        (f"<header>Shop</header><article>{TEXT}<footer>By Ann</footer></article>", ["Shop"]),
        (f"<header>{TEXT}</header><p>More.</p>", []),
        (f"<div class='menu'>{TEXT}</div>", []),
        (f"<table><tr><td><footer>In a cell</footer></td></tr></table>{TEXT}", []),
        ("<main>Nothing here yet.</main><p>" + TEXT, []),
        (MENU, []),
    ],
)
def test_what_stands_around_a_text_is_told_from_it(content: str, around: list[str]) -> None:
    text, beside = parted(content)
    assert beside == around
    assert text


def test_a_title_outside_of_the_text_is_the_texts() -> None:
    text, beside = parted(f"<header><h1>Rules</h1>Shop</header><main>{TEXT.replace('h1', 'h2')}</main>")
    assert (text[0], beside) == ("Rules", ["Shop"])


def test_menus_are_in_no_passage(shared_data: Path) -> None:
    data = (shared_data / "documents/office/test_blog.html").read_bytes()
    parsed = check_parsed("a.html", html.read("a.html", data))
    (page,), (whole,) = parsed.pages, html.read_part("a.html", data).pages
    letters = [sorted(letter for letter in each.text if letter.isalnum()) for each in (page, whole)]
    assert letters[0] == letters[1]  # nothing is lost
    cuts = chunk(parsed, count, RULES)
    assert "Skip to main content" in page.text
    assert not any("Skip to main content" in cut.shown or "Privacy and Cookies" in cut.shown for cut in cuts)
    assert any("inference" in cut.shown for cut in cuts)


def test_menus_that_nest_deeply_are_counted_once() -> None:
    links = "<p><a href='/a'>Further</a></p>" * 3000
    text, around = parted("<div class='menu'>" * 300 + links + "</div>" * 300 + TEXT)
    assert text[0] == "Keys"
    assert "".join(around).count("Further") == 3000
