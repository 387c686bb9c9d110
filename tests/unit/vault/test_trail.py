"""The audit trail for people: what is found, what an export holds, and what a review counts for."""

import csv
import hashlib
import json
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import BadInput, Damaged, NotFound, Refused
from core.records import Record
from core.trust.merkle import Tree, leaf_hash
from core.trust.notes import verify_checkpoint
from core.trust.passphrases import new_kdf
from core.vault import log, trail
from core.vault.check import check
from core.vault.roles import Act
from core.vault.trail import TrailQuery
from core.vault.trail_export import COLUMNS, guarded, verify_export
from core.vault.vault import Vault

Make = Callable[..., Vault]
DAYS = ("2026-01-05T23:30:00+01:00", "2026-01-06T10:00:00+01:00", "2026-01-07T00:30:00+01:00")


class Note(Record, frozen=True, kw_only=True, tag="test-note"):
    text: str


def put(vault: Vault, about: str, reason: str = "", act: Act = Act.SAVE_PROMPT) -> str:
    with vault.write(act, about=about, reason=reason) as unit:
        return unit.put(Note(text=about))


def found(vault: Vault, **query: object) -> list[str]:
    with vault.read() as reader:
        return [entry.about for entry in trail.search(reader, TrailQuery(**query)).entries]  # type: ignore[arg-type]


@pytest.fixture
def tomas(vault: Vault, reopen: Make) -> Vault:
    """A vault in which ines wrote and tomas looks."""
    for about, reason in (("greeting@1", ""), ("Übergabe@1", "first draft"), ("farewell@1", "asked for by quality")):
        put(vault, about, reason)
    return reopen(vault, "tomas")


# Searching


def test_each_field_narrows_what_is_found_newest_first(tomas: Vault) -> None:
    assert found(tomas, user="ines", act=Act.SAVE_PROMPT) == ["farewell@1", "Übergabe@1", "greeting@1"]
    assert found(tomas, user="tomas", act=Act.SAVE_PROMPT) == []
    assert found(tomas, text="ubergabe") == ["Übergabe@1"]
    assert found(tomas, text="qual") == ["farewell@1"]
    assert found(tomas, text='quality "asked') == ["farewell@1"]
    assert found(tomas, text="greeting@1") == ["greeting@1"]
    assert found(tomas, text="quality draft") == []
    assert found(tomas, text="draft", user="ines", act=Act.LABEL) == []


def test_pages_hang_together(tomas: Vault) -> None:
    with tomas.read() as reader:
        whole = trail.search(reader, TrailQuery(limit=100))
        seen, before = [], None
        while True:
            page = trail.search(reader, TrailQuery(limit=2, before=before))
            seen += page.entries
            before = page.next
            if before is None:
                break
        assert tuple(seen) == whole.entries
        assert whole.next is None
        assert whole.size == reader.log_size == len(seen)


def test_days_and_times_bound_what_is_found(vault: Vault) -> None:
    with vault.write(Act.CHANGE_SETTINGS) as unit:
        for number, time in enumerate(DAYS):
            log.append(unit.db, "eve", time, Act.SIGN_IN_FAILED, about=str(number))
    assert found(vault, user="eve", since=DAYS[1]) == ["2", "1"]
    assert found(vault, user="eve", since=DAYS[0], until=DAYS[1]) == ["1", "0"]
    assert found(vault, user="eve", since="2026-01-06T09:00:00+00:00", until="2026-01-06T09:00:00+00:00") == ["1"]
    assert found(vault, user="eve", until="2026-01-04") == []
    assert found(vault, user="eve", until="2026-01-09") == ["2", "1", "0"]


def test_an_object_leads_to_everything_that_was_done_with_it(vault: Vault, passphrases: dict[str, str]) -> None:
    with vault.write(Act.ADD_DOCUMENTS, about="many") as unit:
        made = [unit.put(Note(text=str(number))) for number in range(5)]
        blob = unit.seal([b"letter"])
        made.append(unit.put(Note(text="last")))
    other = put(vault, "other")
    with vault.confirm(passphrases["ines"]) as signer, vault.write(Act.SIGN, about="signed") as unit:
        unit.sign(signer, made[2], "note", "authored", "")
    with vault.write(Act.SHOW_DOCUMENT, about="shown") as unit:
        unit.note(touched=(blob,))
    for digest in made:
        assert found(vault, object=digest) == (["signed", "many"] if digest == made[2] else ["many"])
    assert found(vault, object=blob) == ["shown", "many"]
    assert found(vault, object=other) == ["other"]
    assert found(vault, object="f" * 64) == []
    with vault.read() as reader:
        put_by = trail.recorded_in(reader, iter([made[2], other]))
        assert [reader.log(1, number - 1)[0].about for number in put_by] == ["many", "other"]
        numbers = trail.acts_of(reader, iter([made[2], other]))
        assert [reader.log(1, number - 1)[0].about for number in numbers] == ["many", "other", "signed"]


@pytest.mark.parametrize(
    ("query", "saying"),
    [
        ({"act": "bake"}, "none of the acts"),
        ({"since": "yesterday"}, "give a day"),
        ({"object": "abc"}, "whole digest"),
        ({"limit": 0}, "from 1 to"),
        ({"text": "!?"}, "no word"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(vault: Vault, query: dict[str, object], saying: str) -> None:
    with pytest.raises(BadInput, match=saying):
        found(vault, **query)


@pytest.mark.parametrize("text", ["NEAR(", "a AND", "a OR b", "greeting@1 -x", "col:x", "'; DROP", 'un"even', "NOT"])
def test_words_are_never_taken_for_a_query(tomas: Vault, text: str) -> None:
    assert found(tomas, text=text) == []
    assert found(tomas, text="greeting*") == ["greeting@1"]


def test_an_index_that_lies_is_noticed(vault: Vault) -> None:
    put(vault, "greeting")
    with vault.write(Act.CHANGE_SETTINGS) as unit:
        unit.db.execute("UPDATE trail SET user = 'eve' WHERE act = 'save-prompt'")
    with pytest.raises(Damaged, match="another way"):
        found(vault, user="eve")


# Exporting


def test_a_json_export_proves_itself(tomas: Vault, tmp_path: Path) -> None:
    done = trail.export(tomas, tmp_path / "trail.json", reason="yearly review")
    data = (tmp_path / "trail.json").read_bytes()
    content = json.loads(data)
    point = verify_checkpoint(content["checkpoint"].encode(), tomas.trust_file().logs[0])
    tree = Tree([leaf_hash(b64decode(entry["content"])) for entry in content["entries"]])
    assert (tree.size, tree.root()) == (point.size, point.root)
    assert (done.entries, done.size) == (point.size, point.size)
    assert [entry["entry"] for entry in content["entries"]] == list(range(point.size))
    assert content["query"] == {}
    with tomas.read() as reader:
        entry = reader.log(after=reader.log_size - 2)[0]
    assert (entry.act, entry.about, entry.reason) == (Act.EXPORT_TRAIL, "trail.json", "yearly review")
    assert str(entry.after).endswith(hashlib.sha256(data).hexdigest())
    assert done.sha256 == hashlib.sha256(data).hexdigest()


def test_a_csv_export_holds_what_was_asked_for_and_no_formula(vault: Vault, reopen: Make, tmp_path: Path) -> None:
    put(vault, "=HYPERLINK(1)", "line one\nline two, with a comma", Act.SAVE_PROMPT)
    with vault.write(Act.LABEL, about="greeting production") as unit:
        unit.note(before="-3", after="4")
    tomas = reopen(vault, "tomas")
    done = trail.export(tomas, tmp_path / "trail.csv", TrailQuery(user="ines", since="2020-01-01"))
    with (tmp_path / "trail.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert done.entries == len(rows)
    assert {row["user"] for row in rows} == {"ines"}
    written = next(row for row in rows if row["act"] == Act.SAVE_PROMPT)
    assert (written["about"], written["reason"]) == ("'=HYPERLINK(1)", "line one\nline two, with a comma")
    labelled = next(row for row in rows if row["act"] == Act.LABEL)
    assert (labelled["before"], labelled["after"]) == ("'-3", "4")
    with tomas.read() as reader:
        assert written["leaf"] == log.leaf(reader.db, int(written["entry"])).hex()


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@a", "\tx", "  =1", "\r=1", "'=1"])
def test_a_cell_that_begins_like_a_formula_is_text(cell: str) -> None:
    assert guarded(cell) == f"'{cell}"
    assert guarded("a=1") == "a=1"


def test_what_can_not_be_exported_leaves_nothing(vault: Vault, tomas: Vault, tmp_path: Path) -> None:
    for path, error in ((tmp_path / "trail.pdf", BadInput), (tmp_path / "missing" / "trail.csv", NotFound)):
        with pytest.raises(error):
            trail.export(tomas, path)
    assert not list(tmp_path.glob("trail*"))
    with tomas.read() as reader:
        assert not [e for e in reader.log() if e.act == Act.EXPORT_TRAIL]


@pytest.mark.parametrize(
    ("old", "new", "saying"),
    [
        ('"about": "greeting@1"', '"about": "greeting@2"', "isn't what was logged"),
        ('"entry": 2,', '"entry": 3,', "isn't what was logged"),
        ('"checkpoint": "assay', '"checkpoint": "other', "another log"),
        ('"format"', '"formats"', "not readable"),
    ],
)
def test_an_export_that_was_altered_is_noticed(tomas: Vault, tmp_path: Path, old: str, new: str, saying: str) -> None:
    trail.export(tomas, tmp_path / "trail.json")
    key = tomas.trust_file().logs[0]
    data = (tmp_path / "trail.json").read_text()
    point, entries = verify_export(data.encode(), key)
    assert entries == point.size
    assert old in data
    with pytest.raises(Damaged, match=saying):
        verify_export(data.replace(old, new, 1).encode(), key)


def test_an_export_in_part_is_verified_entry_by_entry(tomas: Vault, tmp_path: Path) -> None:
    trail.export(tomas, tmp_path / "part.json", TrailQuery(act=Act.SAVE_PROMPT))
    data = (tmp_path / "part.json").read_bytes()
    point, entries = verify_export(data, tomas.trust_file().logs[0])
    assert (entries, point.size > 3) == (3, True)


# Reviewing


def test_a_review_is_signed_and_does_not_cover_the_reviewer(tomas: Vault, passphrases: dict[str, str]) -> None:
    with tomas.read() as reader:
        size = reader.log_size
        assert trail.unreviewed(reader) == ((0, size - 1),)
    with tomas.confirm(passphrases["tomas"]) as signer:
        done = trail.review(tomas, signer, 1, size - 1, "Nothing out of order.")
    assert done.review.own == ((size - 1, size - 1),), "his own sign-in"
    assert (done.signature.meaning, done.signature.user) == ("reviewed", "tomas")
    with tomas.read() as reader:
        assert trail.reviews(reader) == (done,)
        assert trail.unreviewed(reader) == ((0, 0), (size - 1, size))
        assert reader.log(after=size - 1)[0].act == Act.REVIEW_TRAIL
    assert check(tomas) == ()


def test_nobody_reviews_what_they_alone_did(tomas: Vault, passphrases: dict[str, str]) -> None:
    with tomas.read() as reader:
        last = reader.log_size - 1
    with tomas.confirm(passphrases["tomas"]) as signer:
        with pytest.raises(Refused, match="alone acted"):
            trail.review(tomas, signer, last, last, "Fine.")
        with pytest.raises(BadInput, match="range from 0"):
            trail.review(tomas, signer, 0, last + 9, "Fine.")
        with pytest.raises(BadInput, match="range from 0"):
            trail.review(tomas, signer, 3, 2, "Fine.")
        with pytest.raises(BadInput, match="what was found"):
            trail.review(tomas, signer, 0, last, " ")


def test_an_author_does_not_review_the_trail(vault: Vault, passphrases: dict[str, str]) -> None:
    with vault.confirm(passphrases["ines"]) as signer, pytest.raises(Refused, match="reviewer"):
        trail.review(vault, signer, 0, 1, "Fine.")


def test_two_reviewers_cover_each_other(vault_factory: Make, reopen: Make, passphrases: dict[str, str]) -> None:
    vault = vault_factory()
    with vault.confirm(passphrases["ines"]) as signer:
        words = "several words together"
        vault.add_user(signer, "ada", "Ada", ("auditor",), words, kdf=lambda: new_kdf(memory=8192, passes=1))
    tomas = reopen(vault, "tomas")
    with tomas.confirm(passphrases["tomas"]) as signer:
        with tomas.read() as reader:
            last = reader.log_size - 1
        trail.review(tomas, signer, 0, last, "Fine.")
    tomas.close()
    with Vault.open(tomas.folder, "ada", "several words together") as ada:
        with ada.read() as reader:
            gaps = trail.unreviewed(reader)
        assert gaps[0][0] == last
        with ada.confirm("several words together") as signer:
            trail.review(ada, signer, gaps[0][0], gaps[0][0] + 1, "His sign-in.")
        with ada.read() as reader:
            assert trail.unreviewed(reader)[0][0] == last + 2


def test_a_log_that_is_not_the_reviewed_one_is_noticed(tomas: Vault, passphrases: dict[str, str]) -> None:
    with tomas.confirm(passphrases["tomas"]) as signer:
        trail.review(tomas, signer, 0, 3, "Fine.")
    with tomas.write(Act.SHOW_DOCUMENT) as unit:
        unit.db.execute("DROP TRIGGER log_stays")
        unit.db.execute("UPDATE log SET leaf = zeroblob(32) WHERE seq = 1")
    with tomas.read() as reader, pytest.raises(Damaged, match="isn't the one that was reviewed"):
        trail.reviews(reader)
