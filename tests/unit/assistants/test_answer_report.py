"""An answer as a file: its sentences with their marks, the page that it rests on with the passage marked, nothing that runs, a line in the log."""

import re
import zlib
from base64 import b64decode
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.assistants.answer_report import as_html, drawn, export, png
from core.assistants.records import QUOTES, Answer, Citation, Question
from core.documents.records import Document, PageImage, Rect
from core.errors import BadInput, NotFound, Refused, Unsupported
from core.jobs import Job
from core.records import Digest
from core.vault.roles import Act
from core.vault.vault import Vault

SAID = "The tower has <nine> floors. [1] Pigeons live there. It closes at eight. [2]"
IMAGE = PageImage(width=2, height=2, scale=0.5, pixels=bytes(range(12)))


def cited(number: int, words: str, quote: str, document: str) -> Citation:
    start = SAID.index(words)
    return Citation(
        number=number,
        document=Digest(document * 64),
        name="a.pdf",
        page=3,
        quote=quote,
        score=1.0,
        supported=True,
        start=start,
        end=start + len(words),
        place="page 3 (iii)",
    )


PIGEONS = SAID.index("Pigeons"), SAID.index("Pigeons") + len("Pigeons live there.")
ANSWER = Answer(
    question=Question(collection="towers", text="How many <floors>?"),
    answer=SAID,
    abstained=False,
    citations=(
        cited(1, "The tower has <nine> floors. [1]", "It has <nine> floors.", "a"),
        cited(2, "It closes at eight. [2]", "The gate closes.", "b"),
    ),
    passages=(),
    sentences=3,
    unsupported=(PIGEONS,),
    best_score=0.0,
    needed_score=0.0,
    model=QUOTES,
    model_digest="",
    prompt_digest="",
    rendered="",
    finish="stop",
    tokens=0,
    prompt_tokens=0,
    first_token_seconds=0.0,
    seconds=0.0,
    backend=QUOTES,
    searched="The tower? How many?",
)


class Documents:
    """One with a page that can be drawn, one with text alone."""

    refuses = False

    def show(self, document: Digest) -> Document:
        return Document(
            name="<a>.pdf",
            content=Digest("c" * 64),
            media="application/pdf",
            pages=3,
            size=1,
            title="",
            collection="towers",
            added="2026-01-02T00:00:00Z",
        )

    def page(self, document: Digest, page: int, zoom: float) -> PageImage:
        if self.refuses:
            raise Refused(act="show-document", user="ann", reason="roles")
        if document[0] == "b":
            raise Unsupported(source="b.txt", reason="it has no pages.")
        return IMAGE

    def locate(self, document: Digest, page: int, quote: str) -> tuple[Rect, ...]:
        return (Rect(x0=1, y0=1, x1=2, y1=2), Rect(x0=0, y0=2, x1=2, y1=3))

    def locate_overleaf(self, document: Digest, page: int, quote: str) -> tuple[Rect, ...]:
        return (Rect(x0=30, y0=7, x1=40, y1=8),) if document[0] == "d" else ()

    def text(self, document: Digest, page: int) -> str:
        return f"{'x ' * 700}The gate closes. <b>Then</b> it opens.{' y' * 700}"


def test_the_file_has_the_page_with_the_passage_marked_and_says_what_has_no_support(
    vault: Vault, tmp_path: Path
) -> None:
    path = tmp_path / "found.html"
    export(vault, Documents(), ANSWER, path, Job("Export"))  # type: ignore[arg-type]
    page = path.read_text("utf-8")
    assert page.count("<rect") == 2
    assert '<text x="1.0" y="2.0">[1]</text>' in page
    assert "<mark>The gate closes.</mark> &lt;b&gt;Then" in page
    assert "x x The gate" not in page.replace("<mark>", "")[: page.index("… ")]
    assert 'The tower has &lt;nine&gt; floors. <a href="#passage-1">[1]</a>' in page
    assert '<span class="bare">Pigeons live there.</span> <small>[no support found]</small>' in page
    assert all(f'id="passage-{number}"' in page for number in (1, 2))
    assert "page 3 (iii)" in page
    assert "Searched for: The tower? How many?" in page
    assert "<nine>" not in page
    assert "<script" not in page
    assert set(re.findall(r'(?:href|src)="([^#][^"]{0,13})', page)) == {"data:image/png"}
    picture = re.search(r"data:image/png;base64,([^\"]+)", page)
    assert picture is not None
    assert b64decode(picture[1]) == png(IMAGE)
    with vault.read() as reader:
        (entry,) = [one for one in reader.log() if one.act == Act.EXPORT_DOCUMENT]
    assert entry.about == "An answer from towers, to found.html"


def test_a_picture_is_a_png_with_every_pixel() -> None:
    data = png(IMAGE)
    assert data.startswith(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x02\0\0\0\x02\x08\x02")
    start = data.index(b"IDAT") + 4
    lines = zlib.decompress(data[start : data.index(b"IEND") - 8])
    assert lines == b"\0" + IMAGE.pixels[:6] + b"\0" + IMAGE.pixels[6:]
    assert 'viewBox="0 0 4.0 4.0"' in drawn(IMAGE, [])


def test_what_may_not_be_shown_or_written_is_not(vault: Vault, tmp_path: Path) -> None:
    documents = Documents()
    documents.refuses = True
    with pytest.raises(Refused):
        export(vault, documents, ANSWER, tmp_path / "a.html", Job("Export"))  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="written as"):
        export(vault, Documents(), ANSWER, tmp_path / "a.pdf", Job("Export"))  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        export(vault, Documents(), ANSWER, tmp_path / "no" / "a.html", Job("Export"))  # type: ignore[arg-type]
    assert list(tmp_path.glob("*.html")) == []
    with vault.read() as reader:
        assert [one for one in reader.log() if one.act == Act.EXPORT_DOCUMENT] == []


def test_an_answer_that_cites_nothing_says_so() -> None:
    page = as_html(
        replace(ANSWER, citations=(), unsupported=(), answer="The documents don’t say.", withdrawn="They fly."), []
    )
    assert "It cites nothing." in page
    assert "was withdrawn" in page
    assert "They fly" not in page
