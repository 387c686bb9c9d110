"""Each format's reader: what a person sees, in order, and one sentence for what can't be read."""

import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.documents import formats
from core.documents.worker import csv, docx, html, markdown, packing, parsing, text
from core.documents.worker.records import Page, Parse, Parsed, check_parsed
from core.errors import AssayError, BadInput, Damaged, Unsupported
from tests.unit.documents.workspace import pdf, word_document


def parts(parsed: Parsed) -> list[tuple[str, str]]:
    page = parsed.pages[0]
    return [(block.kind, page.text[block.start : block.end]) for block in page.blocks]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252", "shift_jis", "koi8-r"])
def test_text_is_read_in_its_own_encoding(encoding: str) -> None:
    words = {
        "shift_jis": "日本語の文書です。記録は自動的に保存されます。" * 5,
        "koi8-r": "Журналы событий хранятся не менее шести месяцев. " * 5,
    }.get(encoding, "Überprüfung der Geräte: täglich, außer während größerer Störungen. " * 5)
    assert text.read("a.txt", words.encode(encoding)).pages[0].text == words.strip()


def test_text_headings_lists_and_paragraphs() -> None:
    content = "Title\n=====\n\n=== EN ===\nArticle 12 — Logs\n\n1.   Logs are\r\nkept.\n\n- one\n- two\n\nchapter of accidents;\n"
    assert parts(text.read("a.txt", content.encode())) == [
        ("heading", "Title\n====="),
        ("heading", "=== EN ==="),
        ("heading", "Article 12 — Logs"),
        ("paragraph", "1.   Logs are\nkept."),
        ("list", "- one\n- two"),
        ("paragraph", "chapter of accidents;"),
    ]


def test_csv_is_a_table_with_its_header() -> None:
    parsed = csv.read("a.csv", b'Name;"Limit, in\nlitres"\nB7;800\n"x ""y""";1\n')
    (block,) = parsed.pages[0].blocks
    assert parts(parsed) == [("table", 'Name | Limit, in litres\nB7 | 800\nx "y" | 1')]
    assert parsed.pages[0].text[: block.header] == "Name | Limit, in litres"


def test_a_cell_of_many_spaces_is_no_number() -> None:
    for cell in ("1" + " " * 100_000 + "x", "-" + " " * 100_000 + "x"):
        assert csv.is_header([cell, "name"])
    assert not csv.is_header(["1" + " " * 100_000 + "000", "name"])


def test_markdown_loses_its_markup_only() -> None:
    content = (
        "---\ntitle: 'Rules'\n---\n# One *two*\n\nA [link](http://x) and `code`,\nsame <b>line</b>.\n\n* a\n  1. b\n* c\n\n"
        "| F | V |\n|---|---|\n| 1 | 2 |\n\n```\nx = 1\n```\n\n<div>\nraw</div>\n"
    )
    parsed = markdown.read("a.md", content.encode())
    assert parsed.title == "Rules"
    assert parts(parsed) == [
        ("paragraph", "title: 'Rules'"),
        ("heading", "One two"),
        ("paragraph", "A link and code, same line."),
        ("list", "• a\n1. b\n• c"),
        ("table", "F | V\n1 | 2"),
        ("paragraph", "x = 1"),
        ("paragraph", "raw"),
    ]


def test_html_is_what_is_seen() -> None:
    content = """<html><head><title>T &amp; U</title><style>p{}</style></head><body><script>no()</script>
      <h2>Head</h2><p>One<br>two <b>bold</b></p><p style="display: none">hidden</p><div hidden>no</div>tail
      <ul><li>a<li><p>b</p></ul><ol start=3><li>c</li></ol><pre>  x\n   y</pre>
      <table><tr><th>F<th>V</tr><tr><td>1<td>2<br>3</table></body></html>"""
    parsed = html.read("a.html", content.encode())
    assert parsed.title == "T & U"
    assert parts(parsed) == [
        ("heading", "Head"),
        ("paragraph", "One two bold"),
        ("paragraph", "tail"),
        ("list", "• a\n• b"),
        ("list", "3. c"),
        ("paragraph", "  x\n   y"),
        ("table", "F | V\n1 | 2 3"),
    ]


def test_html_of_a_declared_encoding_and_of_any_depth() -> None:
    declared = "<meta charset=windows-1251><p>Журнал</p>".encode("cp1251")
    assert parts(html.read("a.html", declared)) == [("paragraph", "Журнал")]
    with pytest.raises(Unsupported, match="nested"):
        html.read("a.html", b"<div>" * 3000 + b"deep")
    deep = "<div>" * 1000 + "deep" + "</div>" * 1000
    assert parts(html.read("a.html", deep.encode() + b"<p>after</p>")) == [
        ("paragraph", "deep"),
        ("paragraph", "after"),
    ]


def test_word_documents_keep_their_order() -> None:
    parsed = docx.read("a.docx", word_document())
    assert parts(parsed) == [
        ("heading", "Spills"),
        ("paragraph", "Solvent is taken up with binder."),
        ("list", "• Close the doors.\n• Call 5511."),
        ("table", "Room | Litres\nB7 | 800"),
        ("paragraph", "Controlled copy"),
    ]


def zipped(**members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/"), content)
    return packed.getvalue()


class _Call:
    def report(self, *_: object) -> None:
        pass


def parse(name: str, data: bytes) -> Parsed:
    return parsing.parse(Parse(name=name, data=data), _Call())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.txt", b"", "empty"),
        ("a.txt", b" \n\t\n", "empty"),
        ("a.txt", bytes(range(256)) * 40, "binary content"),
        ("a.txt", b"%PDF-1.7 ...", "its content is a PDF"),
        ("a.html", b"\x89PNG\r\n\x1a\n....", "a PNG image"),
        ("a.pdf", b"just words", "not a PDF"),
        ("a.pdf", b"%PDF-1.7\n" + b"junk" * 100, "damaged"),
        ("a.pdf", pdf([(10, 10, "words " * 9, 9)])[:300], "damaged"),
        ("a.docx", b"just words", "not a DOCX"),
        ("a.docx", b"PK\x03\x04 broken", "damaged"),
        ("a.docx", zipped(a=b"x"), "a ZIP archive"),
        ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1...", "format of before 2007"),
        ("a.ppt", b"PK\x03\x04", "old PowerPoint (.ppt) files are not supported yet"),
        ("a.xyz", b"words", ".xyz files are not supported yet"),
        ("a.html", b"<html><script>x</script></html>", "nothing to read"),
        ("a.csv", b";;;\n;;\n", "without content"),
        ("a.pdf", pdf([]), "blank"),
    ],
)
def test_what_can_not_be_read_is_refused_with_a_sentence_that_names_it(name: str, data: bytes, said: str) -> None:
    with pytest.raises((BadInput, Unsupported)) as caught:
        parse(name, data)
    assert str(caught.value).startswith(f"{name}: ")
    assert said in str(caught.value)
    assert str(caught.value).endswith(".")


def test_a_document_that_unpacks_to_a_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "LARGEST_UNPACKED", 1000)
    with pytest.raises(Unsupported, match="too large for a document"):
        docx.read("a.docx", word_document())


HEADS = {
    "pdf": b"%PDF-1.4\n",
    **dict.fromkeys(("docx", "xlsx", "pptx", "odt", "ods", "epub", "zip"), b"PK\x03\x04"),
    **dict.fromkeys(("xls", "msg"), formats.OLE),
    "png": b"\x89PNG\r\n\x1a\n",
    "tiff": b"II*\x00",
    "eml": b"Subject: a\n",
    "rtf": b"{\\rtf1 ",
}
NAMES = [f"a.{ending}" for ending in (*HEADS, "txt", "md", "html", "csv", "json", "xml")]


@given(name=st.sampled_from(NAMES), data=st.binary(max_size=400))
@settings(max_examples=300, deadline=None)
def test_any_bytes_give_pages_that_fit_or_an_error_with_a_sentence(name: str, data: bytes) -> None:
    head = HEADS.get(name.partition(".")[2], b"")
    said = name
    try:
        check_parsed(name, parse(name, head + data))
    except AssayError as error:
        said = str(error)
    assert said.startswith(name)


@given(st.text(max_size=300))
@settings(max_examples=100, deadline=None)
def test_no_letter_of_a_text_is_lost(content: str) -> None:
    data = content.encode("utf-8", "replace")
    try:
        page = parse("a.txt", data).pages[0]
    except BadInput:
        return
    wanted = [character for character in data.decode() if character.isalnum()]
    assert [character for character in page.text if character.isalnum()] == wanted


def test_positions_outside_of_the_text_are_not_believed() -> None:
    page = text.read("a.txt", b"One.\n\nTwo.").pages[0]
    good = Parsed(media=formats.TEXT, title="", pages=(page,))
    assert check_parsed("a", good) is good
    for wrong in (
        Page(number=1, text="One.", blocks=page.blocks),
        Page(number=2, text=page.text, blocks=page.blocks),
        Page(number=1, text=page.text, blocks=page.blocks[::-1]),
    ):
        with pytest.raises(Damaged):
            check_parsed("a", Parsed(media=formats.TEXT, title="", pages=(wrong,)))
