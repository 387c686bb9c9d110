"""Runs of any length: the outcomes stand in numbered files, which both verifiers read one by one; what is too large is said."""

import json
from collections.abc import Callable

import pytest

from core.errors import BadInput
from core.evidence import opened, packing, zipform
from core.evidence.opened import part, take_apart
from core.evidence.packing import Prepared, prepare
from core.evidence.redaction import Request, preview, redact
from core.evidence.renderings import renderings
from core.trust.canonical import canonical
from tests.unit.evidence.building import GUIDE, TRUST, VERIFIER, content, pack, release
from tests.unit.evidence.judging import judged, remanifested, repacked

CONTENT = content()
WHOLE = pack(CONTENT)
OUTCOMES = len(CONTENT.outcomes)


@pytest.fixture
def parted(monkeypatch: pytest.MonkeyPatch) -> Prepared:
    """The pack with a file for each outcome."""
    monkeypatch.setattr(packing, "PART", 1)
    return prepare(CONTENT, VERIFIER, GUIDE)


def signed(prepared: Prepared, change: Callable[[dict[str, bytes]], None]) -> bytes:
    """As an insider would make it: changed, listed rightly, and released."""
    entries = dict(prepared.entries)
    change(entries)
    manifest = json.loads(entries["manifest.json"])
    for name in {name for name in (*manifest["files"], *entries) if name.startswith("records/outcome-")}:
        manifest["files"].pop(name, None)
        if name in entries:
            manifest["files"][name] = {}
    entries["manifest.json"] = canonical(manifest)
    remanifested(entries)
    return release(prepared._replace(manifest=entries["manifest.json"], entries=entries), CONTENT)


def test_a_file_for_each_outcome_holds_the_same_as_one_for_all(parted: Prepared) -> None:
    data = release(parted, CONTENT)
    assert judged(data, TRUST).verdict == "valid"
    assert [name for name in sorted(zipform.read(data)) if name.startswith("records/outcome")] == [
        part(place + 1) for place in range(OUTCOMES)
    ]
    in_parts, whole = take_apart(data), take_apart(WHOLE)
    assert in_parts.rows == whole.rows
    assert renderings(in_parts.rows, "x") == renderings(whole.rows, "x")


def test_redacting_takes_the_same_out_of_several_files(parted: Prepared) -> None:
    data = release(parted, CONTENT)
    request = Request(fields=("answer",), samples=("q1",))
    left = judged(redact(data, request), TRUST)
    assert left.verdict == "valid"
    of_whole = judged(redact(WHOLE, request), TRUST)
    assert left.fields == of_whole.fields
    assert left.lost == of_whole.lost
    assert preview(data, request).samples == preview(WHOLE, request).samples == ("q1",)
    assert [row.hidden for row in take_apart(redact(data, request)).rows["outcome"]] == [
        row.hidden for row in take_apart(redact(WHOLE, request)).rows["outcome"]
    ]


def gap(entries: dict[str, bytes]) -> None:
    entries[part(9)] = entries.pop(part(2))
    entries["openings/outcome-0009.json"] = entries.pop("openings/outcome-0002.json")


def last_gone(entries: dict[str, bytes]) -> None:
    del entries[part(OUTCOMES)]
    del entries[f"openings/outcome-{OUTCOMES:04}.json"]


def all_gone(entries: dict[str, bytes]) -> None:
    for place in range(OUTCOMES):
        del entries[part(place + 1)]
        del entries[f"openings/outcome-{place + 1:04}.json"]


def from_nought(entries: dict[str, bytes]) -> None:
    entries["records/outcome-0000.json"] = entries["openings/outcome-0000.json"] = b"[]"


def one_twice(entries: dict[str, bytes]) -> None:
    for folder in ("records", "openings"):
        entries[f"{folder}/outcome-{OUTCOMES + 1:04}.json"] = entries[f"{folder}/outcome-0001.json"]


def without_its_openings(entries: dict[str, bytes]) -> None:
    del entries["openings/outcome-0002.json"]


def openings_of_nothing(entries: dict[str, bytes]) -> None:
    entries[f"openings/outcome-{OUTCOMES + 1:04}.json"] = b"[]"


def openings_exchanged(entries: dict[str, bytes]) -> None:
    first, second = "openings/outcome-0001.json", "openings/outcome-0002.json"
    entries[first], entries[second] = entries[second], entries[first]


def in_one_file_too(entries: dict[str, bytes]) -> None:
    entries["records/outcome.json"] = entries["openings/outcome.json"] = b"[]"


def five_digits(entries: dict[str, bytes]) -> None:
    entries["records/outcome-00005.json"] = entries["openings/outcome-00005.json"] = b"[]"


def openings_no_list(entries: dict[str, bytes]) -> None:
    entries["openings/outcome-0002.json"] = b"{}"


@pytest.mark.parametrize(
    "change",
    [
        gap,
        last_gone,
        all_gone,
        from_nought,
        one_twice,
        without_its_openings,
        openings_of_nothing,
        openings_exchanged,
        in_one_file_too,
        five_digits,
        openings_no_list,
    ],
)
def test_files_that_are_missing_too_many_or_numbered_otherwise_are_refused_by_both(
    parted: Prepared, change: Callable[[dict[str, bytes]], None]
) -> None:
    """Even where somebody signed them so."""
    assert judged(signed(parted, lambda entries: None), TRUST).verdict == "valid"
    assert judged(signed(parted, change), TRUST).verdict == "invalid"
    assert judged(repacked(release(parted, CONTENT), change), TRUST).verdict == "invalid"


def test_another_division_of_the_same_outcomes_is_as_good(parted: Prepared) -> None:
    """Which outcomes share a file is the maker's choice; it says nothing."""

    def empty_last(entries: dict[str, bytes]) -> None:
        for folder in ("records", "openings"):
            entries[f"{folder}/outcome-{OUTCOMES + 1:04}.json"] = b"[]"

    assert judged(signed(parted, empty_last), TRUST).verdict == "valid"


def test_what_is_too_large_is_refused_with_the_size_and_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened, "LARGEST_JSON", 1024)
    with pytest.raises(BadInput, match=r"has \d+ MiB; one file has at most 0\. Split the dataset"):
        prepare(CONTENT, VERIFIER, GUIDE)
    monkeypatch.setattr(opened, "LARGEST_JSON", 1024 * 1024)
    monkeypatch.setattr(opened, "LARGEST_REST", 1024)
    with pytest.raises(BadInput, match="beside the outcomes"):
        prepare(CONTENT, VERIFIER, GUIDE)
    monkeypatch.undo()
    monkeypatch.setattr(zipform, "LARGEST", 1024)
    with pytest.raises(BadInput, match=r"a pack holds at most 10,000 of 0 MiB\. Split the dataset"):
        zipform.write(prepare(CONTENT, VERIFIER, GUIDE).entries)
