"""What a pack's files are told to be: every file of every pack has its line, and no line is for nothing."""

from core.evidence import contents, opened, zipform
from core.evidence.redaction import Request, redact
from tests.unit.evidence.building import content, pack

PACK = pack(content())
REDACTED = redact(PACK, Request(fields=("answer",)))


def test_every_file_of_a_pack_has_its_line_and_every_line_a_file() -> None:
    names = zipform.read(PACK).keys() | zipform.read(REDACTED).keys() | zipform.read(pack(content(adapted=True))).keys()
    assert [name for name in names if contents.part_of(name) is None] == []
    assert {contents.part_of(name) for name in names} == set(contents.PARTS)


def test_a_file_that_no_pack_has_has_no_line() -> None:
    assert contents.part_of("invoice.xlsx") is None


def test_what_is_there_to_read_and_to_check_with_is_told_without_what_only_a_redaction_has() -> None:
    told = contents.uses()
    assert list(told) == [contents.READ, contents.MACHINE, contents.CHECK]
    assert told[contents.READ].startswith("the report, as a page and as a PDF; where every answer comes from")
    assert "redaction" not in " ".join(told.values())
    assert opened.REDACTION not in zipform.read(PACK)
