"""Holds, retention and erasure, on a kind of content that the test makes up."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.errors import AlreadyExists, BadInput, Cancelled, NotFound, Refused
from core.jobs import Job
from core.records import Digest, Record
from core.trust import merkle, notes
from core.vault import erasure, holds, retention, tombstones
from core.vault.check import check
from core.vault.check_erased import summary
from core.vault.connection import Database
from core.vault.erasable import Erasable
from core.vault.erasure import Erase
from core.vault.holds import PlaceHold, Thing
from core.vault.migrations import Migrations
from core.vault.retention import SetRetention
from core.vault.roles import Act
from core.vault.tombstones import Tombstone
from core.vault.unit import Reader, Unit
from core.vault.vault import Vault
from tests.unit.vault.pages import decrypted

Make = Callable[..., Vault]
MARKER = "Marker-Quillon-7719"
LATER = datetime.now(UTC) + timedelta(days=400)


class Note(Record, frozen=True, kw_only=True, tag="document"):
    """Of kind "document", which may be held."""

    text: str
    file: str = ""


def _notes(db: Database) -> None:
    db.execute("CREATE TABLE notes(digest TEXT PRIMARY KEY, text TEXT NOT NULL)")


SCHEMA = (Migrations("notes", (_notes,)),)


class Notes(Erasable):
    kind = "document"
    plural = "documents"
    rule = "notes"

    def find(self, reader: Reader, reference: str) -> tuple[Digest, ...]:
        reader.raw(Digest(reference), Note)
        return (Digest(reference),)

    def label(self, reader: Reader, digest: Digest) -> str:
        return f"note {digest[:8]}"

    def parts(self, reader: Reader, digest: Digest) -> tuple[Digest, ...]:
        return (digest, *(d for d in reader.linked_from(digest) if reader.kind(d) == "document"))

    def held(self, reader: Reader, kind: str, id: str) -> Iterable[Digest]:
        return self.parts(reader, Digest(id)) if kind == self.kind else ()

    def aged(self, reader: Reader, before: str) -> Iterable[tuple[Digest, str]]:
        joined = "SELECT n.digest, r.time FROM notes n JOIN records r ON r.digest = n.digest WHERE r.time < ?"
        return [(Digest(digest), str(time)) for digest, time in reader.db.execute(joined, [before]).fetchall()]

    def forget(self, unit: Unit, digests: Sequence[Digest]) -> None:
        unit.db.conn.executemany("DELETE FROM notes WHERE digest = ?", [(digest,) for digest in digests])


KINDS = (Notes(),)


@pytest.fixture
def vault(vault_factory: Make) -> Vault:
    return vault_factory(SCHEMA)


def keep(vault: Vault, text: str, file: bytes = b"", parent: Digest | None = None) -> Digest:
    with vault.write(Act.ADD_DOCUMENTS, about="note") as unit:
        content = (unit.seal([file]),) if file else ()
        digest = unit.put(
            Note(text=text, file=content[0] if content else ""), links=(*content, *([parent] if parent else []))
        )
        if parent is None:
            unit.db.execute("INSERT INTO notes VALUES (?, ?)", (digest, text))
    return digest


def wanted(*digests: str, reason: str = "Article 17 request 12", **more: bool) -> Erase:
    return Erase(things=tuple(Thing(kind="document", reference=d) for d in digests), reason=reason, **more)


def erase(vault: Vault, passphrase: str, *digests: str) -> erasure.ErasedContent:
    with vault.confirm(passphrase) as signer:
        return erasure.erase(vault, KINDS, signer, wanted(*digests), Job("Erase"))


def hold(vault: Vault, passphrase: str, name: str, digest: str) -> None:
    with vault.confirm(passphrase) as signer:
        thing = Thing(kind="document", reference=digest)
        holds.place(vault, KINDS, signer, PlaceHold(name=name, reason="Case 4", things=(thing,)))


def free(vault: Vault, passphrase: str, name: str) -> None:
    with vault.confirm(passphrase) as signer:
        holds.release(vault, KINDS, signer, name, "The case is closed")


# Erasure


def test_what_is_erased_is_gone_and_its_tombstone_says_why(vault: Vault, passphrases: dict[str, str]) -> None:
    first, other = keep(vault, MARKER, file=MARKER.encode() * 9), keep(vault, "stays")
    part = keep(vault, f"part of {MARKER}", parent=first)
    done = erase(vault, passphrases["ines"], first)
    assert (done.items, done.records, done.blobs) == (1, 2, 1)
    with vault.read() as reader:
        for digest in (first, part):
            with pytest.raises(NotFound, match=r"erased on 20.*tombstone"):
                reader.get(digest, Note)
        assert reader.get(other, Note).text == "stays"
        (stone,) = done.tombstones
        said = reader.get(stone, Tombstone)
        assert (said.basis, said.rule, said.reason, said.user) == ("law", "", "Article 17 request 12", "ines")
        assert [e.kind for e in said.erased] == ["document", "document", "blob"]
        assert [e.object for e in said.erased][:2] == [first, part]
        assert [s.user for s in reader.signatures(stone)] == ["ines"]
        entry = reader.log()[-1]
        assert (entry.act, entry.about, entry.reason) == ("erase", "1 document", "Article 17 request 12")
        assert first in entry.touched
        assert "3 records and contents, told by 1 signed" in summary(reader)
    assert check(vault) == ()


def test_the_log_its_proofs_and_signatures_still_verify(vault: Vault, passphrases: dict[str, str]) -> None:
    digest = keep(vault, "signed")
    with vault.confirm(passphrases["ines"]) as signer, vault.write(Act.SIGN) as unit:
        unit.sign(signer, digest, "note", "authored", "mine")
    key = vault.trust_file().logs[0]
    with vault.read() as reader:
        before = notes.verify_checkpoint(reader.checkpoint(), key)
        leaves = [reader.log_bytes(index) for index in range(before.size)]
    erase(vault, passphrases["ines"], digest)
    with vault.read() as reader:
        after = notes.verify_checkpoint(reader.checkpoint(), key)
        merkle.verify_consistency(
            before.size, after.size, before.root, after.root, reader.consistency(before.size, after.size)
        )
        for index, leaf in enumerate(leaves):
            assert reader.log_bytes(index) == leaf
            merkle.verify_inclusion(
                index, after.size, merkle.leaf_hash(leaf), reader.inclusion(index, after.size), after.root
            )
        assert len(reader.signatures(digest)) == 1
    assert check(vault) == ()


def test_no_guessable_fingerprint_of_the_content_stays(vault: Vault, passphrases: dict[str, str]) -> None:
    """Whoever guesses the content can't confirm the guess: neither its digest nor the record's can be found or made again."""
    file = b"a guessable file"
    guess = hashlib.sha256(file).digest()
    digest = keep(vault, "guessable", file=file)
    shown = everything(vault)
    assert guess.hex() in shown
    assert "guessable" in shown
    erase(vault, passphrases["ines"], digest)
    left = everything(vault)
    assert digest in left, "the digest that a nonce hid is what stays"
    assert guess.hex() not in left
    assert guess.decode("latin-1") not in left
    assert "guessable" not in left


def everything(vault: Vault) -> str:
    """All values of all tables as one text."""
    with vault.read() as reader:
        tables = [
            name
            for name, sql in reader.db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall()
            if not sql.startswith("CREATE VIRTUAL")
        ]
        return "\n".join(
            bytes(value).decode("latin-1") if isinstance(value, bytes) else str(value)
            for table in tables
            for row in reader.db.execute(f"SELECT * FROM {table}").fetchall()
            for value in row
        )


def test_no_byte_of_it_stays_in_the_file(vault: Vault, reopen: Make, passphrases: dict[str, str]) -> None:
    digests = [
        keep(vault, f"{MARKER} {number} " * 200, file=os.urandom(9_000) + MARKER.encode()) for number in range(20)
    ]
    stays = keep(vault, "OTHER-THAT-STAYS")
    file, key = vault.folder / "vault.db", vault._connections.key
    vault._connections.writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert MARKER.encode() in decrypted(file, key), "the test can see content"
    (vault.folder / "cache").mkdir(exist_ok=True)
    (vault.folder / "cache" / "index-1-1.sealed").write_bytes(b"vectors")
    erase(vault, passphrases["ines"], *digests)
    assert MARKER.encode() not in decrypted(file, key)
    assert not (vault.folder / "cache").exists()
    vault._connections.writer.execute("VACUUM")
    vault.close()
    whole = decrypted(file, key)
    assert MARKER.encode() not in whole
    assert b"OTHER-THAT-STAYS" in whole
    assert check(reopen(vault, "ines", SCHEMA)) == ()
    assert stays


def test_a_file_that_another_record_still_is_stays_until_that_goes(vault: Vault, passphrases: dict[str, str]) -> None:
    first, second = keep(vault, "one", file=b"same"), keep(vault, "two", file=b"same")
    blob = hashlib.sha256(b"same").hexdigest()
    assert erase(vault, passphrases["ines"], first).blobs == 0
    with vault.read() as reader:
        assert reader.blob(Digest(blob)) == b"same"
    assert check(vault) == ()
    assert erase(vault, passphrases["ines"], second).blobs == 1
    with vault.read() as reader, pytest.raises(NotFound):
        reader.blob(Digest(blob))
    keep(vault, "three", file=b"same")
    assert check(vault) == ()


def test_a_preview_says_what_goes_and_what_stays(vault: Vault) -> None:
    digest = keep(vault, "x", file=b"12345")
    with vault.read() as reader:
        plan = erasure.plan(reader, KINDS, wanted(digest))
        assert (plan.records, plan.blobs, plan.bytes, plan.held) == (1, 1, 5, ())
        assert [(item.kind, item.label) for item in plan.items] == [("document", f"note {digest[:8]}")]
        assert any("backups" in line for line in plan.remains)
        assert any("compact" in line for line in plan.remains)
        reader.get(digest, Note)
        with pytest.raises(NotFound):
            erasure.plan(reader, KINDS, wanted("0" * 64))
        with pytest.raises(BadInput, match="not known"):
            erasure.plan(reader, KINDS, Erase(things=(Thing(kind="prompt", reference="a"),), reason="r"))


def test_an_erasure_needs_an_administrator_a_reason_and_their_own_signature(
    vault: Vault, reopen: Make, passphrases: dict[str, str]
) -> None:
    digest = keep(vault, "x")
    with vault.confirm(passphrases["ines"]) as signer:
        with pytest.raises(BadInput, match="reason"):
            erasure.erase(vault, KINDS, signer, wanted(digest, reason=" "), Job("Erase"))
        with pytest.raises(BadInput, match="nothing"):
            erasure.erase(vault, KINDS, signer, Erase(things=(), reason="r"), Job("Erase"))
        tomas = reopen(vault, "tomas", SCHEMA)
        with tomas.confirm(passphrases["tomas"]) as own, pytest.raises(Refused, match="admin"):
            erasure.erase(tomas, KINDS, own, wanted(digest), Job("Erase"))
        ines = reopen(tomas, "ines", SCHEMA)
        with ines.confirm(passphrases["ines"]) as late:
            pass
        with pytest.raises(Refused, match="ended"):
            erasure.erase(ines, KINDS, late, wanted(digest), Job("Erase"))
    with ines.read() as reader:
        assert reader.get(digest, Note).text == "x"
        assert reader.find(Tombstone) == []


def test_a_failure_half_way_erases_nothing(vault: Vault, passphrases: dict[str, str]) -> None:
    class Fails(Notes):
        def forget(self, unit: Unit, digests: Sequence[Digest]) -> None:
            super().forget(unit, digests)
            raise ZeroDivisionError

    digest = keep(vault, "x", file=b"y")
    with vault.confirm(passphrases["ines"]) as signer, pytest.raises(ZeroDivisionError):
        erasure.erase(vault, (Fails(),), signer, wanted(digest), Job("Erase"))
    with vault.read() as reader:
        assert reader.get(digest, Note).text == "x"
        assert tombstones.count(reader.db) == 0
    assert check(vault) == ()


def test_the_database_lets_nothing_go_past_a_tombstone(vault: Vault, passphrases: dict[str, str]) -> None:
    digest = keep(vault, "x", file=b"y")
    keep(vault, "linked", parent=digest)
    erase(vault, passphrases["ines"], keep(vault, "gone"))
    for statement, said in (
        ("DELETE FROM records WHERE kind = 'document'", "only with a tombstone"),
        ("DELETE FROM records WHERE kind = 'tombstone'", "only with a tombstone"),
        ("DELETE FROM links", "only with a tombstone"),
        ("DELETE FROM pieces", "only with a tombstone"),
        ("DELETE FROM blobs", "only with a tombstone"),
        ("UPDATE pieces SET content = x'00'", "immutable"),
        ("UPDATE blobs SET nonce = x'00'", "immutable"),
        (f"INSERT INTO erased VALUES ('{digest}', 'no tombstone', NULL)", "without a tombstone"),
        ("UPDATE erased SET object = 'another'", "stays told"),
        ("DELETE FROM erased", "stays told"),
    ):
        with pytest.raises(Exception, match=said), vault.write(Act.CHANGE_SETTINGS) as unit:
            unit.db.execute(statement)
    assert check(vault) == ()


@pytest.mark.parametrize(
    ("statements", "where"),
    [
        (("DELETE FROM records WHERE kind = 'document'", "DELETE FROM links"), "log entry"),
        (("DELETE FROM pieces", "DELETE FROM blobs", "DELETE FROM links"), "log entry"),
        (
            (
                "INSERT INTO erased SELECT digest, (SELECT digest FROM records WHERE kind = 'tombstone'), NULL"
                " FROM records WHERE kind = 'document'",
                "DELETE FROM links",
                "DELETE FROM records WHERE kind = 'document'",
            ),
            "erased",
        ),
        (("DELETE FROM records WHERE kind = 'signature'",), "tombstone"),
    ],
)
def test_a_check_tells_erased_from_missing(
    vault: Vault, passphrases: dict[str, str], statements: tuple[str, ...], where: str
) -> None:
    """Somebody with the vault's key and raw SQL deletes without a tombstone, or takes a tombstone's signature away."""
    erase(vault, passphrases["ines"], keep(vault, "gone"))
    keep(vault, "x", file=b"y")
    assert check(vault) == ()
    with vault.write(Act.CHANGE_SETTINGS) as unit:
        for (trigger,) in unit.db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            unit.db.execute(f"DROP TRIGGER {trigger}")
        for statement in statements:
            unit.db.execute(statement)
    assert any(finding.where.startswith(where) for finding in check(vault))


KILLED = """
import json, os, signal, sys
from pathlib import Path
from core.vault import erasure, tombstones
from core.vault.vault import Vault
from tests.unit.vault.test_erasure import KINDS, SCHEMA, wanted
from core.jobs import Job
folder, passphrase, digest, step = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
calls = 0
def killing(function):
    def call(*arguments):
        global calls
        calls += 1
        if calls == step:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments)
    return call
tombstones.delete_record = killing(tombstones.delete_record)
tombstones.delete_blob = killing(tombstones.delete_blob)
erasure.settle = killing(erasure.settle)
with Vault.open(Path(folder), "ines", passphrase, SCHEMA) as vault, vault.confirm(passphrase) as signer:
    erasure.erase(vault, KINDS, signer, wanted(digest), Job("Erase"))
"""


@pytest.mark.parametrize("step", [1, 2, 3])
def test_killed_while_it_erases_all_is_there_or_all_is_gone(
    vault: Vault, reopen: Make, passphrases: dict[str, str], step: int
) -> None:
    digest = keep(vault, "x", file=b"y")
    vault.close()
    arguments = [str(vault.folder), passphrases["ines"], digest, str(step)]
    done = subprocess.run([sys.executable, "-c", KILLED, *arguments], cwd=Path(__file__).parents[3], check=False)
    assert done.returncode == -9
    again = reopen(vault, "ines", SCHEMA)
    assert check(again) == ()
    with again.read() as reader:
        assert (tombstones.of(reader.db, digest) is not None) == (step == 3)
        assert len(reader.find(Note)) == (0 if step == 3 else 1)


# Holds


def test_what_a_hold_keeps_can_not_be_erased(vault: Vault, passphrases: dict[str, str]) -> None:
    digest, free_one = keep(vault, "x"), keep(vault, "y")
    part = keep(vault, "part", parent=digest)
    hold(vault, passphrases["ines"], "Case 4", digest)
    with pytest.raises(Refused, match="The hold Case 4 keeps it"):
        erase(vault, passphrases["ines"], free_one, digest)
    with pytest.raises(Refused, match="Case 4"):
        erase(vault, passphrases["ines"], part)
    with vault.read() as reader:
        assert len(reader.find(Note)) == 3
        (held,) = erasure.plan(reader, KINDS, wanted(free_one, digest)).held
        assert (held.digest, held.holds) == (digest, ("Case 4",))
        (state,) = holds.holds(reader)
        assert (state.hold.name, state.hold.user, state.release) == ("Case 4", "ines", None)
        assert [s.meaning for s in reader.signatures(state.digest)] == ["authored"]
    assert check(vault) == ()


def test_who_released_a_hold_does_not_erase(vault: Vault, reopen: Make, passphrases: dict[str, str]) -> None:
    digest, other = keep(vault, "x"), keep(vault, "y")
    hold(vault, passphrases["ines"], "Case 4", digest)
    hold(vault, passphrases["ines"], "Case 5", other)
    free(vault, passphrases["ines"], "Case 4")
    with pytest.raises(Refused, match=r"You released the hold Case 4.*somebody else"):
        erase(vault, passphrases["ines"], digest)
    tomas = reopen(vault, "tomas", SCHEMA)
    free(tomas, passphrases["tomas"], "Case 5")
    ines = reopen(tomas, "ines", SCHEMA)
    assert erase(ines, passphrases["ines"], other).items == 1
    assert check(ines) == ()


def test_holds_that_make_no_sense_are_refused(vault: Vault, passphrases: dict[str, str]) -> None:
    digest = keep(vault, "x")
    thing = Thing(kind="document", reference=digest)
    hold(vault, passphrases["ines"], "Case 4", digest)
    for request, error in (
        (PlaceHold(name="", reason="r", things=(thing,)), BadInput),
        (PlaceHold(name="a\u202eb", reason="r", things=(thing,)), BadInput),
        (PlaceHold(name="Case 5", reason=" ", things=(thing,)), BadInput),
        (PlaceHold(name="Case 5", reason="r", things=()), BadInput),
        (PlaceHold(name="Case 5", reason="r", things=(Thing(kind="log", reference="1"),)), BadInput),
        (PlaceHold(name="Case 5", reason="r", things=(Thing(kind="document", reference="0" * 64),)), NotFound),
        (PlaceHold(name="Case 4", reason="r", things=(thing,)), AlreadyExists),
    ):
        with vault.confirm(passphrases["ines"]) as signer, pytest.raises(error):
            holds.place(vault, KINDS, signer, request)
    with pytest.raises(NotFound, match="Case 9"):
        free(vault, passphrases["ines"], "Case 9")
    free(vault, passphrases["ines"], "Case 4")
    with pytest.raises(NotFound):
        free(vault, passphrases["ines"], "Case 4")
    hold(vault, passphrases["ines"], "Case 4", digest)


# Retention


def rule(vault: Vault, days: int | None, name: str = "notes") -> None:
    retention.set_rule(vault, KINDS, SetRetention(name=name, days=days, reason="our schedule"))


def apply(vault: Vault, passphrase: str, at: datetime = LATER) -> erasure.ErasedContent:
    with vault.confirm(passphrase) as signer:
        return retention.apply(vault, KINDS, signer, at, "", Job("Apply"))


def test_what_is_due_is_shown_and_goes_only_when_applied(vault: Vault, passphrases: dict[str, str]) -> None:
    first, second = keep(vault, "one"), keep(vault, "two")
    with vault.read() as reader:
        assert retention.preview(reader, KINDS, LATER) == ()
    rule(vault, 30)
    hold(vault, passphrases["ines"], "Case 4", second)
    with vault.read() as reader:
        assert retention.preview(reader, KINDS, datetime.now(UTC) + timedelta(days=29)) == ()
        due = {d.digest: (d.rule, d.holds) for d in retention.preview(reader, KINDS, LATER)}
    assert due == {first: ("notes", ()), second: ("notes", ("Case 4",))}
    assert retention.reminder(vault, KINDS, LATER).startswith("Retention: 1 contents")
    done = apply(vault, passphrases["ines"])
    assert (done.items, len(done.tombstones)) == (1, 1)
    with vault.read() as reader:
        assert reader.find(Note) == [second]
        stone = reader.get(done.tombstones[0], Tombstone)
        assert (stone.basis, stone.rule, stone.reason) == ("rule", "notes after 30 days", "notes after 30 days")
    assert retention.reminder(vault, KINDS, LATER) == ""
    assert apply(vault, passphrases["ines"]).items == 0
    assert check(vault) == ()


def test_the_newest_rule_counts_and_for_ever_is_one(vault: Vault) -> None:
    keep(vault, "one")
    for days in (10, 500, None):
        rule(vault, days)
        with vault.read() as reader:
            found = {r.name: r.days for r in retention.rules(reader)}
            assert found == ({} if days is None else {"notes": days})
            assert len(retention.preview(reader, KINDS, LATER)) == (1 if days == 10 else 0)


@pytest.mark.parametrize(
    ("name", "days", "said"), [("log", 5, "for ever"), ("notes", 0, "1 to"), ("notes", -1, "1 to")]
)
def test_rules_that_can_not_be_are_refused(vault: Vault, name: str, days: int, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        rule(vault, days, name)


def test_only_an_administrator_sets_and_applies_rules(vault: Vault, reopen: Make, passphrases: dict[str, str]) -> None:
    keep(vault, "one")
    rule(vault, 1)
    tomas = reopen(vault, "tomas", SCHEMA)
    with pytest.raises(Refused, match="admin"):
        rule(tomas, 2)
    with pytest.raises(Refused, match="admin"):
        apply(tomas, passphrases["tomas"])
    assert retention.reminder(tomas, KINDS, LATER) == ""


def test_rules_are_applied_in_batches_with_a_tombstone_each(
    vault: Vault, passphrases: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for number in range(5):
        keep(vault, str(number))
    rule(vault, 1)
    job = Job("Apply")
    first = tombstones.delete_record

    def stop(*arguments: object) -> None:
        first(*arguments)  # type: ignore[arg-type]
        job.cancel()

    monkeypatch.setattr(tombstones, "delete_record", stop)
    with vault.confirm(passphrases["ines"]) as signer, pytest.raises(Cancelled):
        retention.apply(vault, KINDS, signer, LATER, "", job)
    monkeypatch.setattr(tombstones, "delete_record", first)
    with vault.read() as reader:
        assert (len(reader.find(Note)), len(reader.find(Tombstone))) == (3, 1)
    assert len(apply(vault, passphrases["ines"]).tombstones) == 2
    assert check(vault) == ()
