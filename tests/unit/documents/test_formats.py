"""The packed and the structured formats: what a person sees, in order, with the place that it comes from; and what is hostile."""

import io
import zipfile
from pathlib import Path

import openpyxl
import pytest

from core.documents import formats
from core.documents.worker import archive, epub, mail, msg, odf, packing, parsing, pptx, structured, tables, xls, xlsx
from core.documents.worker.records import Page, Parse, Parsed, check_parsed
from core.errors import BadInput, Unsupported
from tests.unit.documents import packed


class _Call:
    def report(self, *_: object) -> None:
        pass


def parse(name: str, data: bytes, *passwords: str) -> Parsed:
    request = Parse(name=name, data=data, passwords=passwords)
    return check_parsed(name, parsing.parse(request, _Call()))  # type: ignore[arg-type]


def parts(page: Page) -> list[tuple[str, str]]:
    return [(block.kind, page.text[block.start : block.end]) for block in page.blocks]


def places(page: Page) -> dict[str, str]:
    """What stands at each place."""
    starts = [place.start for place in page.places] + [len(page.text)]
    return {place.label: page.text[place.start : starts[at + 1]].strip() for at, place in enumerate(page.places)}


def test_a_sheet_is_tables_with_titles_and_cells() -> None:
    rows = [
        ["Limits of solvents"],
        [None, "Name", "Litres", "Since"],
        [None, "R-12", 8.0, "2024-01-05"],
        [],
        [None, "R-13", 0.25, True],
        [],
        ["Room", "Floor"],
        ["B7", "1"],
    ]
    parsed = xlsx.read("a.xlsx", packed.workbook(Costs=rows, Empty=[]))
    costs, empty = parsed.pages
    assert (costs.label, empty.label, empty.text) == ("Costs", "Empty", "")
    assert parts(costs) == [
        ("paragraph", "Limits of solvents"),
        ("table", "Name | Litres | Since\nR-12 | 8 | 2024-01-05\nR-13 | 0.25 | TRUE"),
        ("table", "Room | Floor\nB7 | 1"),
    ]
    assert places(costs) == {
        "A1": "Limits of solvents",
        "B2:D2": "Name | Litres | Since",
        "B3:D3": "R-12 | 8 | 2024-01-05",
        "B5:D5": "R-13 | 0.25 | TRUE",
        "A7:B7": "Room | Floor",
        "A8:B8": "B7 | 1",
    }
    table = costs.blocks[1]
    assert costs.text[table.start : table.header] == "Name | Litres | Since"


def test_formulas_show_their_values_and_those_never_computed_themselves() -> None:
    data = packed.workbook(Sums=[["a", "sum"], [1, "=A2*2"]])
    assert "1 | =A2*2" in xlsx.read("a.xlsx", data).pages[0].text
    members = _members(data)
    sheet = "xl/worksheets/sheet1.xml"
    computed = (
        members[sheet]
        .replace(b"<f>A2*2</f><v></v>", b"<f>A2*2</f><v>2</v>")
        .replace(b"<f>A2*2</f><v/>", b"<f>A2*2</f><v>2</v>")
        .replace(b"<f>A2*2</f><v />", b"<f>A2*2</f><v>2</v>")
    )
    assert computed != members[sheet]
    assert "1 | 2" in xlsx.read("a.xlsx", packed.zipped(members | {sheet: computed})).pages[0].text


def _members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def test_a_sheet_beyond_the_limit_is_refused_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    wide = openpyxl.Workbook()
    wide.active["XFD1"] = "far"
    written = io.BytesIO()
    wide.save(written)
    assert places(xlsx.read("a.xlsx", written.getvalue()).pages[0]) == {"XFD1": "far"}
    monkeypatch.setattr(tables, "MOST_CELLS", 10_000)
    with pytest.raises(Unsupported, match="too large for a document"):
        xlsx.read("a.xlsx", written.getvalue())


def test_hidden_sheets_say_so() -> None:
    book = openpyxl.Workbook()
    book.active["A1"] = "x"
    book.create_sheet("Old")["A1"] = "y"
    book["Old"].sheet_state = "hidden"
    written = io.BytesIO()
    book.save(written)
    assert [page.label for page in xlsx.read("a.xlsx", written.getvalue()).pages] == ["Sheet", "Old (hidden)"]


def test_an_old_workbook_reads_like_a_new_one(shared_data: Path) -> None:
    office = shared_data / "documents" / "office"
    old = xls.read("a.xls", (office / "test.xls").read_bytes())
    new = xlsx.read("a.xlsx", (office / "test.xlsx").read_bytes())
    assert [(page.label, page.text, page.places) for page in old.pages] == [
        (page.label, page.text, page.places) for page in new.pages
    ]


def test_slides_are_pages_from_top_to_bottom_with_their_notes() -> None:
    first, second = pptx.read("a.pptx", packed.deck()).pages
    assert parts(first) == [
        ("heading", "Storage"),
        ("paragraph", "Above"),
        ("paragraph", "Below"),
        ("paragraph", "Say why."),
    ]
    assert places(first) == {"notes": "Say why."}
    assert (second.label, parts(second)) == ("hidden slide", [("table", "Room | Litres\nB7 | 800")])


@pytest.mark.parametrize(
    "name", ["test.pptx", "test.xlsx", "test.xls", "test.epub", "test_outlook_msg.msg", "test_rss.xml"]
)
def test_what_others_find_in_real_files_is_found(shared_data: Path, name: str) -> None:
    """The strings that the makers of these files look for in them."""
    wanted = {
        "test.pptx": "2cdda5c8-e50e-4db4-b5f0-9722a649f455 04191ea8-5c73-4215-a1d3-1cfb43aaaf12 "
        "44bf7d06-5e7a-4a40-a2e1-a2e42ef28c8a 1b92870d-e3b5-4e65-8153-919f4ff45592 a3f6004b-6f4f-4ea8-bee3-3741f4dc385f 2003",
        "test.xlsx": "09060124-b5e7-4717-9d07-3c046eb 6ff4173b-42a5-4784-9b19-f49caff4d93d affc7dad-52dc-4b98-9b5d-51e65d8a8ad0",
        "test.xls": "09060124-b5e7-4717-9d07-3c046eb 6ff4173b-42a5-4784-9b19-f49caff4d93d affc7dad-52dc-4b98-9b5d-51e65d8a8ad0",
        "test.epub": "paragraph blockquote bullet",
        "test_outlook_msg.msg": "test.sender@example.com test.recipient@example.com body",
        "test_rss.xml": "Official Microsoft Blog Ignite",
    }[name]
    parsed = parse(name, (shared_data / "documents" / "office" / name).read_bytes())
    text = "\n".join(f"{page.label}\n{page.text}" for page in parsed.pages)
    assert [word for word in wanted.split() if word not in text] == []


def test_a_mail_is_its_headers_its_text_once_and_its_attachments() -> None:
    parsed = mail.read(
        "a.eml", packed.mail("Überlauf", "The drum leaks.\n", drum__txt=b"photo", b__eml=packed.mail("In", "x"))
    )
    (page,) = parsed.pages
    assert parsed.title == "Überlauf"
    assert page.text.count("The drum leaks.") == 1
    assert places(page)["text, line 1"] == "The drum leaks."
    assert [(file.name, file.data[:5]) for file in parsed.inside] == [("drum.txt", b"photo"), ("b.eml", b"From:")]
    assert places(page)["attachments"] == "Attachments:\n• drum.txt\n• b.eml"


def test_a_mail_in_html_alone_or_in_a_wrong_charset_is_read() -> None:
    html = (
        b"Subject: a\nContent-Type: text/html; charset=nonsense\n\n<p>One</p><script>no()</script><p>Zw\xc3\xb6lf</p>"
    )
    assert parts(mail.read("a.eml", html).pages[0])[1:] == [("paragraph", "One"), ("paragraph", "Zwölf")]
    with pytest.raises(BadInput, match="no headers"):
        mail.read("a.eml", b"\n\nonly words")


def test_mail_parts_nested_without_end_end() -> None:
    head = b"Subject: deep\n"
    data = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (at, at) for at in range(1200))
    try:
        parsed = mail.read("a.eml", head + data + b"\nwords")
        assert parsed.title == "deep"
    except Unsupported as error:
        assert "nested too deep" in str(error)  # noqa: PT017


def test_an_outlook_message_that_is_none_is_refused(shared_data: Path) -> None:
    office = shared_data / "documents" / "office"
    with pytest.raises(BadInput, match="not an Outlook message"):
        msg.read("a.msg", (office / "test.xls").read_bytes())
    with pytest.raises(BadInput, match="damaged"):
        msg.read("a.msg", (office / "test_outlook_msg.msg").read_bytes()[:3000])


def test_compressed_rtf_of_the_standard_is_unpacked() -> None:
    """The two examples of [MS-OXRTFCP], 4.1 and 4.2."""
    first = bytes.fromhex(
        "2d0000002b0000004c5a4675f1c5c7a703000a00726370673132354232 0af32068656c09002062770 5b06c647d0a800fa0".replace(
            " ", ""
        )
    )
    assert msg.unpacked(first) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"
    second = bytes.fromhex("1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0")
    assert msg.unpacked(second) == b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}"


def test_a_book_is_its_spine() -> None:
    chapters = {"b%20c.xhtml": "<p>left out</p>", "a.xhtml": "<h1>One</h1><p>First.</p>", "../../etc/passwd": "x"}
    parsed = epub.read("a.epub", packed.book(chapters, **{"O__b c.xhtml": b"<p>Second.</p>"}))
    assert parsed.title == "A book"
    assert [(page.number, page.label, page.text) for page in parsed.pages] == [
        (1, "", "Second."),
        (2, "One", "One\n\nFirst."),
    ]
    locked = packed.book(chapters, **{"META-INF__encryption.xml": b'<e><EncryptionMethod Algorithm="aes"/></e>'})
    with pytest.raises(Unsupported, match="protected against copying"):
        epub.read("a.epub", locked)


def test_open_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        '<office:text><text:h text:outline-level="2">Rules</text:h><text:p>One<text:tab/>two <text:span>bold</text:span> end.</text:p>'
        "<text:tracked-changes><text:p>deleted</text:p></text:tracked-changes>"
        "<text:list><text:list-item><text:p>a</text:p></text:list-item></text:list>"
        "<table:table><table:table-row><table:table-cell><text:p>F</text:p></table:table-cell><table:table-cell><text:p>V</text:p>"
        "</table:table-cell></table:table-row></table:table></office:text>"
    )
    (page,) = odf.read("a.odt", packed.open_document(text), formats.ODT).pages
    assert parts(page) == [
        ("heading", "Rules"),
        ("paragraph", "One two bold end."),
        ("list", "• a"),
        ("table", "F | V"),
    ]
    cell = '<table:table-cell office:value-type="float" office:value="{}"><text:p>x</text:p></table:table-cell>'
    sheet = (
        '<office:spreadsheet><table:table table:name="Costs"><table:table-row table:number-rows-repeated="4">'
        '<table:table-cell table:number-columns-repeated="1000"/></table:table-row><table:table-row>'
        f'<table:table-cell/>{cell.format("2.0")}{cell.format("0.5")}<table:table-cell table:number-columns-repeated="16000"/>'
        '</table:table-row><table:table-row table:number-rows-repeated="1048000"><table:table-cell/></table:table-row>'
        "</table:table></office:spreadsheet>"
    )
    (page,) = odf.read("a.ods", packed.open_document(sheet), formats.ODS).pages
    assert (page.label, places(page)) == ("Costs", {"B5:C5": "2 | 0.5"})
    monkeypatch.setattr(tables, "MOST_ROWS", 10_000)
    filled = sheet.replace('"1048000"><table:table-cell/>', f'"9000000">{cell.format("1")}')
    with pytest.raises(Unsupported, match="too large"):
        odf.read("a.ods", packed.open_document(filled), formats.ODS)


def test_structured_text() -> None:
    (page,) = structured.read_json("a.json", b'{"a": [1, 2],\n "b": "c"}').pages
    assert page.text == '{"a": [1, 2],\n "b": "c"}'
    long = b'{"a":"' + b"x" * 900 + b'","b":"' + b"y" * 900 + b'"}'
    assert structured.read_json("a.json", long).pages[0].text.count("\n") == 3
    assert structured.read_json("a.json", b"[" * 100_000).pages[0].text == "[" * 100_000
    xml = b"<r>\n<t>One</t>\n<d>&lt;p>Two &lt;b>bold&lt;/b>&lt;/p></d>tail</r>"
    (page,) = structured.read_xml("a.xml", xml).pages
    assert parts(page) == [("paragraph", "t: One"), ("paragraph", "d: Two bold"), ("paragraph", "r: tail")] or places(
        page
    )
    (page,) = structured.read_rtf("a.rtf", rb"{\rtf1\ansi Caf\'e9\par Second \b bold\b0 .}").pages
    assert parts(page) == [("paragraph", "Café"), ("paragraph", "Second bold.")]
    with pytest.raises(BadInput, match="not an RTF"):
        structured.read_rtf("a.rtf", b"words")


BILLION = (
    b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "lol">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + at, b"&%c;" % (97 + at) * 10) for at in range(9))
    + b"]><r><t>start</t><t>&j;</t></r>"
)


def test_entities_are_not_expanded() -> None:
    with pytest.raises(Unsupported, match="without end"):
        structured.read_xml("a.xml", BILLION)
    data = packed.workbook(A=[["x"]])
    for part in ("xl/workbook.xml", "xl/worksheets/sheet1.xml"):
        with pytest.raises(Unsupported, match="declares entities"):
            xlsx.read("a.xlsx", packed.zipped(_members(data) | {part: BILLION}))
    file = b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r><t>a&x;b</t></r>'
    assert "root" not in structured.read_xml("a.xml", file).pages[0].text


def test_an_archive_gives_its_members_and_tells_what_it_left_out() -> None:
    data = packed.zipped(
        {
            "a/one.txt": b"One.",
            "../up.txt": b"x",
            "/abs.txt": b"x",
            "C:\\d.txt": b"x",
            ".hidden": b"x",
            "__MACOSX/a": b"x",
        }
    )
    parsed = archive.read("a.zip", data)
    assert parsed.pages == ()
    assert [(file.name, file.data) for file in parsed.inside if not file.refused] == [("a/one.txt", b"One.")]
    assert {file.name for file in parsed.inside if "leads out of" in file.refused} == {
        "../up.txt",
        "/abs.txt",
        "C:/d.txt",
    }
    with pytest.raises(BadInput, match="without files"):
        archive.read("a.zip", packed.zipped({}))


def test_bombs_are_refused_before_they_are_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "LARGEST_UNPACKED", 1_000_000)
    bomb = packed.zipped({"a.txt": b"\x00" * 1_000_001})
    assert len(bomb) < 2000
    for name in ("a.zip", "a.xlsx", "a.pptx", "a.odt", "a.epub"):
        with pytest.raises(Unsupported, match="unpacks to over"):
            parse(name, bomb)
    lying = bytearray(packed.zipped({"a.txt": b"x" * 5000}))
    for at in (lying.index(b"PK\x01\x02") + 24, 22):  # what the directory and the member itself say of its size
        lying[at : at + 4] = (10).to_bytes(4, "little")
    (member,) = archive.read("a.zip", bytes(lying)).inside
    assert (len(member.data), bool(member.refused)) == (0, True)


def test_passwords_open_office_files_and_archives(tmp_path: Path) -> None:
    import msoffcrypto.format.ooxml

    clear = io.BytesIO(packed.workbook(A=[["a", "b"], ["c", "d"]]))
    locked = io.BytesIO()
    msoffcrypto.format.ooxml.OOXMLFile(clear).encrypt("open sesame", locked)
    for tried in ((), ("wrong",)):
        with pytest.raises(Unsupported, match="a password is needed"):
            parse("a.xlsx", locked.getvalue(), *tried)
    assert parse("a.xlsx", locked.getvalue(), "wrong", "open sesame").pages[0].text == "a | b\nc | d"
