"""What the log says of a change, and that nothing of it moves: bytes, leaves, roots."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import Refused
from core.jobs import Job
from core.records import Record
from core.trust.canonical import record_bytes, record_from
from core.trust.merkle import Tree, leaf_hash, verify_consistency, verify_inclusion
from core.vault import check_trail, log, log_index, log_tree, tombstones
from core.vault.check import check
from core.vault.connection import Connections, Database
from core.vault.migrations import migrate
from core.vault.records import LogEntry
from core.vault.roles import Act
from core.vault.tables import SCHEMA as TABLES
from core.vault.unit import Reader, Unit
from core.vault.vault import Vault

Make = Callable[..., Vault]
SCHEMA = (TABLES, log_tree.SCHEMA, log_index.SCHEMA)
FIRST_SHAPE = (
    '{"kind":"log-entry","nonce":"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f","record":'
    '{"about":"greeting@3 production","act":"label","index":7,"objects":["'
    + "ab" * 32
    + '"],"reason":"checked","time":"2026-11-20T09:30:00+01:00","type":"log-entry","user":"inês","version":1}}'
).encode()
"""An entry as the first version of the program wrote it."""


class Note(Record, frozen=True, kw_only=True, tag="test-note"):
    text: str


def last(vault: Vault) -> LogEntry:
    with vault.read() as reader:
        return reader.log(after=reader.log_size - 2)[0]


def put(vault: Vault, text: str = "note") -> str:
    with vault.write(Act.SAVE_PROMPT, about=text) as unit:
        return unit.put(Note(text=text))


@pytest.fixture
def connections(tmp_path: Path) -> Connections:
    return Connections(tmp_path / "log.db", bytes(32))


def grow(db: Database, count: int, about: str = "many") -> None:
    for number in range(count):
        log.append(db, "ines", "2026-11-20T09:30:00+01:00", Act.ASK, f"{about} {number}")


# What an entry holds


def test_an_entry_of_the_first_shape_keeps_its_bytes() -> None:
    entry, nonce = record_from(FIRST_SHAPE, LogEntry)
    assert record_bytes(entry, nonce) == FIRST_SHAPE
    assert leaf_hash(FIRST_SHAPE).hex() == "11d30a5c67b89fdec884cdd8e052879c66673b85744f6aea986583f361495267"
    assert not entry.before
    assert not entry.touched


def test_a_change_says_what_was_before_and_what_is_after(vault: Vault) -> None:
    made = put(vault)
    with vault.write(Act.LABEL, about="greeting production", reason="asked for") as unit:
        unit.note(before="3", after="4", touched=(made,))
        unit.note(after="x" * 900)
    entry = last(vault)
    assert (entry.before, entry.touched, entry.reason) == ("3", (made,), "asked for")
    assert str(entry.after).startswith("4; xxx")
    assert len(str(entry.after)) < 250
    assert check(vault) == ()


def test_a_blob_that_was_touched_is_named_by_its_commitment(vault: Vault, passphrases: dict[str, str]) -> None:
    with vault.write(Act.ADD_DOCUMENTS) as unit:
        content = unit.seal([b"a name and a diagnosis"])
    (committed,) = last(vault).objects
    with vault.confirm(passphrases["ines"]) as signer, vault.write(Act.SIGN) as unit:
        unit.sign(signer, content, "letter", "authored", "")
    assert last(vault).touched == (committed,)


# Sittings and refusals


def test_signing_in_and_out_is_logged(vault: Vault, reopen: Make) -> None:
    tomas = reopen(vault, "tomas")
    with tomas.read() as reader:
        assert [(entry.user, entry.act) for entry in reader.log()[-2:]] == [
            ("ines", Act.SIGN_OUT),
            ("tomas", Act.SIGN_IN),
        ]


def test_every_refusal_is_logged_once_and_nothing_of_the_attempt_is_kept(
    vault: Vault, reopen: Make, passphrases: dict[str, str]
) -> None:
    made = put(vault)
    tomas = reopen(vault, "tomas")
    with tomas.read() as reader:
        before = reader.log_size

    def wrong_role() -> None:
        with tomas.write(Act.SAVE_PROMPT, about="greeting"):
            pass

    def inside() -> None:
        with tomas.write(Act.LABEL, about="greeting production") as unit:
            unit.put(Note(text="half"))
            raise Refused(act="Label", reason="Not this one.")

    def signing() -> None:
        with tomas.confirm(passphrases["tomas"]) as signer:
            pass
        with tomas.write(Act.SIGN, about="note@1") as unit:
            unit.sign(signer, made, "note@1", "reviewed", "")

    def adding() -> None:
        with tomas.confirm(passphrases["tomas"]) as signer:
            tomas.add_user(signer, "eve", "Eve", ("author",), "several words together")

    for attempt in (wrong_role, inside, signing, adding):
        with pytest.raises(Refused):
            attempt()
    with tomas.read() as reader:
        assert [(entry.act, entry.about) for entry in reader.log(after=before - 1)] == [
            (Act.REFUSAL, "save-prompt greeting"),
            (Act.REFUSAL, "label greeting production"),
            (Act.REFUSAL, "sign note@1"),
            (Act.REFUSAL, "add-user eve"),
        ]
        assert reader.log(after=before)[0].reason == "Not this one."
        assert len(reader.find(Note)) == 1


def test_a_refusal_inside_another_change_is_logged_when_that_has_ended(vault: Vault, reopen: Make) -> None:
    tomas = reopen(vault, "tomas")
    with (
        pytest.raises(Refused),
        tomas.write(Act.SHOW_DOCUMENT, about="handbook.pdf"),
        tomas.write(Act.SAVE_PROMPT, about="greeting"),
    ):
        pass
    assert (last(tomas).act, last(tomas).about) == (Act.REFUSAL, "show-document handbook.pdf")


# The tree


@pytest.mark.parametrize("count", [0, 1, 2, 255, 256, 257, 700])
def test_roots_and_proofs_are_those_of_a_tree_in_memory(connections: Connections, count: int) -> None:
    migrate(connections, SCHEMA, "")
    with connections.transaction() as db:
        grow(db, count)
    with connections.reader() as db:
        tree = Tree([leaf_hash(log.content(db, index)) for index in range(count)])
        stored = log_tree.LogTree()
        assert stored.root(db) == (count, tree.root())
        assert list(log_tree.wrong_tiles(db)) == []
        for size in {1, count // 2, count - 1, count} & set(range(1, count + 1)):
            assert stored.root_at(db, size) == tree.root(size)
            steps = stored.consistency(db, size, count)
            verify_consistency(size, count, tree.root(size), tree.root(), steps)
            proof = stored.inclusion(db, size - 1, count)
            verify_inclusion(size - 1, count, leaf_hash(log.content(db, size - 1)), proof, tree.root())
    connections.close()


def test_a_log_from_before_the_index_is_taken_in(connections: Connections) -> None:
    migrate(connections, (TABLES,), "")
    with connections.transaction() as db:
        for number in range(300):
            entry = LogEntry(
                index=number,
                user="ines",
                time="2026-11-20T09:30:00+01:00",
                act="ask",
                about=f"Café {number}",
                reason="",
                objects=(),
            )
            content = record_bytes(entry, bytes(32))
            db.execute("INSERT INTO log VALUES (?, ?, ?)", (number, leaf_hash(content), content))
    migrate(connections, (*SCHEMA, tombstones.SCHEMA), "")
    with connections.reader() as db:
        assert log_tree.LogTree().root(db)[0] == 300
        assert list(log_tree.wrong_tiles(db)) == []
        assert list(check_trail.findings(Reader(db, "log", log_tree.LogTree()), {}, Job("Check"))) == []
        found = db.execute("SELECT rowid FROM trail_words WHERE trail_words MATCH ?", (log_index.match("cafe 29"),))
        assert [row[0] for row in found] == [29, *range(290, 300)]
    connections.close()


@pytest.mark.parametrize(
    ("statement", "where"),
    [
        ("UPDATE log_tiles SET hash = zeroblob(32)", "log entries 0 to 255"),
        ("DELETE FROM log_tiles", "log entries 0 to 255"),
        ("INSERT INTO log_tiles VALUES (1, 9, zeroblob(32))", "log entries from 2304"),
        ("UPDATE trail SET user = 'tomas' WHERE seq = 5", "log entry 5"),
        ("DELETE FROM trail WHERE seq = 5", "log entry 5"),
        ("INSERT INTO trail VALUES (9999, 'ines', 'ask', 0, NULL, NULL)", "log entry 9999"),
    ],
)
def test_a_check_finds_a_tree_or_an_index_that_differs_from_the_log(vault: Vault, statement: str, where: str) -> None:
    with vault.write(Act.ASK) as unit:
        grow(unit.db, 300)
        unit.db.execute(statement)
    found = check(vault)
    assert where in [finding.where for finding in found]


def test_a_unit_takes_entries_of_another_time_before_its_own(vault: Vault) -> None:
    with vault.write(Act.CHANGE_SETTINGS, about="after") as unit:
        log.append(unit.db, "eve", "2020-01-01T00:00:00+00:00", Act.SIGN_IN_FAILED, reason="wrong passphrase")
        assert isinstance(unit, Unit)
    with vault.read() as reader:
        own, after = reader.log(after=reader.log_size - 3)
    assert (own.user, own.act, own.time) == ("eve", Act.SIGN_IN_FAILED, "2020-01-01T00:00:00+00:00")
    assert (after.user, after.index) == ("ines", own.index + 1)
    assert check(vault) == ()
