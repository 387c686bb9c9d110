"""An index of the audit log that hides something, or shows something that isn't there, is found by the check."""

from collections.abc import Callable

import pytest

from core.records import Digest, Record
from core.vault import blobs, tombstones
from core.vault.check import check
from core.vault.connection import Database
from core.vault.log_index import WORDS, words
from core.vault.roles import Act
from core.vault.trail import TrailQuery, search
from core.vault.vault import Vault

ABOUT = "Häuser am Fluß: plan 7, plan 7"


class Note(Record, frozen=True, kw_only=True, tag="test-note"):
    text: str


@pytest.fixture
def filled(vault: Vault) -> Vault:
    """A vault whose last change but two put two records and a content, whose last but one touched the first of them."""
    with vault.write(Act.ADD_DOCUMENTS, about=ABOUT, reason="the reason") as unit:
        content = unit.seal([b"scan"])
        first = unit.put(Note(text="one"), links=(content,))
        unit.put(Note(text="two"))
    with vault.write(Act.REMOVE_DOCUMENTS) as unit:
        unit.note(touched=(first, content))
    with vault.write(Act.ASK):
        pass
    return vault


def hidden(db: Database, index: int, text: str) -> None:
    db.execute("INSERT INTO trail_words(trail_words, rowid, words) VALUES ('delete', ?, ?)", (index, text))


def added(db: Database, index: int, text: str) -> None:
    db.execute("INSERT INTO trail_words(rowid, words) VALUES (?, ?)", (index, text))


def sql(statement: str) -> Callable[[Database, int, str], None]:
    return lambda db, index, _: db.execute(statement, {"n": index})  # type: ignore[func-returns-value, return-value]


@pytest.mark.parametrize(
    ("tamper", "where"),
    [
        pytest.param(hidden, (0,), id="the words of an entry are taken out"),
        pytest.param(lambda db, index, text: hidden(db, index, text.split(":")[0]), (0,), id="some of its words"),
        pytest.param(lambda db, index, _: added(db, index, "innocent"), (0,), id="other words are added"),
        pytest.param(lambda db, *_: added(db, 5_000, "invented"), (5_000,), id="words of no entry"),
        pytest.param(sql("UPDATE trail SET first = NULL, last = NULL WHERE seq = :n"), (0,), id="without its records"),
        pytest.param(sql("UPDATE trail SET last = last - 1 WHERE seq = :n"), (0,), id="without its last record"),
        pytest.param(sql("UPDATE trail SET last = last + 1 WHERE seq = :n"), (0,), id="with one record more"),
        pytest.param(sql("UPDATE trail SET first = 1, last = 99 WHERE seq = :n + 2"), (2,), id="with others' records"),
        pytest.param(sql("DELETE FROM trail_objects WHERE seq = :n"), (0,), id="without its content"),
        pytest.param(sql("DELETE FROM trail_objects WHERE seq = :n + 1"), (1,), id="without what it touched"),
        pytest.param(sql("UPDATE trail_objects SET seq = :n + 2 WHERE seq = :n + 1"), (1, 2), id="as another entry's"),
        pytest.param(
            sql("INSERT INTO trail_objects VALUES ('ab', :n)"), (0,), id="with an object that it doesn't name"
        ),
    ],
)
def test_what_an_index_hides_or_invents_is_found(
    filled: Vault, tamper: Callable[[Database, int, str], None], where: tuple[int, ...]
) -> None:
    with filled.read() as reader:
        index = reader.log_size - 3
        text = words(reader.log(1, index - 1)[0])
    assert check(filled) == ()
    with filled._connections.transaction() as db:
        tamper(db, index, text)
    numbers = [number if number == 5_000 else index + number for number in where]
    expected = f"log entry {numbers[0]}" if len(numbers) == 1 else f"log entries {numbers[0]} to {numbers[-1]}"
    found = [finding for finding in check(filled) if finding.where.startswith("log entr")]
    assert [finding.where for finding in found] == [expected]
    assert "index for searching" in found[0].what
    with filled.read() as reader:
        assert reader.db.execute("PRAGMA query_only").fetchone() == (1,)


def test_a_hidden_entry_is_not_found_by_its_words_which_is_why_the_check_looks(filled: Vault) -> None:
    with filled.read() as reader:
        index = reader.log_size - 3
        (entry,) = search(reader, TrailQuery(text="hauser")).entries
        assert entry.index == index
    with filled._connections.transaction() as db:
        hidden(db, index, words(entry))
    with filled.read() as reader:
        assert search(reader, TrailQuery(text="hauser")).entries == ()
    assert len(check(filled)) == 1


def test_an_index_that_splits_words_in_another_way_is_found(filled: Vault) -> None:
    with filled._connections.transaction() as db:
        db.execute("DROP TABLE trail_words")
        db.execute(WORDS.replace("unicode61 remove_diacritics 2", "trigram"))
    assert any("index for searching" in finding.what for finding in check(filled))


def test_what_was_erased_needs_no_place_in_the_index_and_may_keep_it(filled: Vault) -> None:
    with filled.write(Act.ERASE, about="one", reason="by law") as unit:
        (first, *_) = unit.find(Note)
        (content,) = unit.links(first)
        (nonce,) = unit.db.execute("SELECT nonce FROM blobs WHERE digest = ?", (content,)).fetchone()
        name = blobs.commitment(nonce, content)
        stone = unit.put(
            tombstones.Tombstone(
                erased=(
                    tombstones.Erased(kind="test-note", object=first),
                    tombstones.Erased(kind="blob", object=Digest(name)),
                ),
                basis="law",
                rule="",
                reason="by law",
                user="ines",
                time=unit.time,
            )
        )
        tombstones.delete_record(unit.db, stone, first)
        tombstones.delete_blob(unit.db, stone, content, name)
    assert [finding for finding in check(filled) if "index" in finding.what] == []
