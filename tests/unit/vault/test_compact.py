"""Compacting frees the room of what is gone and leaves nothing of it; whatever happens meanwhile, the vault is whole."""

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from core.errors import Cancelled, DiskFull, Refused
from core.jobs import Job, Progress
from core.records import Record
from core.vault import compact as compacting
from core.vault.check import check
from core.vault.compact import compact
from core.vault.connection import PAGE_SIZE, Database, DriverError
from core.vault.migrations import Migrations
from core.vault.roles import Act
from core.vault.vault import Vault

Make = Callable[..., Vault]
SALT, IV, MAC = 16, 16, 64


class Page(Record, frozen=True, kw_only=True, tag="test-page"):
    text: str


def tables(db: Database) -> None:
    db.execute("CREATE TABLE texts(id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL)")
    db.execute("CREATE VIRTUAL TABLE found USING fts5(text, content = '', contentless_delete = 1)")
    db.execute("CREATE TABLE plain(name TEXT, number INTEGER)")


@pytest.fixture
def worked(vault_factory: Make) -> Vault:
    """A vault in which half of the texts were deleted, one of them with a marker."""
    vault = vault_factory([Migrations("texts", (tables,))])
    with vault.write(Act.ADD_DOCUMENTS) as unit:
        unit.put(Page(text="kept"), links=(unit.seal([os.urandom(2_500_000)]),))
        for number in range(600):
            text = f"zqmarker77aa {'x' * 3000}" if number == 301 else f"text {number} {'y' * 3000}"
            unit.db.execute("INSERT INTO texts(text) VALUES (?)", (text,))
            unit.db.execute("INSERT INTO found(rowid, text) VALUES (?, ?)", (number + 1, text))
        for name in ("z", "a", "m"):
            unit.db.execute("INSERT INTO plain VALUES (?, 1)", (name,))
    return vault


def delete(vault: Vault) -> None:
    with vault.write(Act.REMOVE_DOCUMENTS) as unit:
        unit.db.execute("DELETE FROM texts WHERE id > 100")
        unit.db.execute("DELETE FROM found WHERE rowid > 100")


def pages(folder: Path, key: bytes) -> bytes:
    """All pages of the file and its write-ahead log in clear, free ones too: SQLCipher 4, AES-256-CBC with the raw key."""
    file, log = (folder / "vault.db").read_bytes(), (folder / "vault.db-wal").read_bytes()
    frame = 24 + PAGE_SIZE
    sealed = [file[start : start + PAGE_SIZE] for start in range(0, len(file), PAGE_SIZE)]
    sealed += [log[start + 24 : start + frame] for start in range(32, len(log), frame)]
    plain = []
    for number, page in enumerate(sealed):
        body = page[SALT if number == 0 else 0 : PAGE_SIZE - IV - MAC]
        decryptor = Cipher(algorithms.AES256(key), modes.CBC(page[-IV - MAC : -MAC])).decryptor()
        plain.append(decryptor.update(body) + decryptor.finalize())
    return b"".join(plain)


def content(vault: Vault) -> list[object]:
    with vault.read() as reader:
        return [
            reader.db.execute("SELECT digest, kind, content FROM records ORDER BY seq").fetchall(),
            reader.db.execute("SELECT * FROM texts").fetchall(),
            reader.db.execute("SELECT rowid, * FROM plain ORDER BY rowid").fetchall(),
            reader.db.execute("SELECT rowid FROM found WHERE found MATCH 'text' ORDER BY rowid").fetchall(),
            reader.db.execute("SELECT name, sql FROM sqlite_master WHERE sql NOT NULL ORDER BY name").fetchall(),
            reader.db.execute("SELECT * FROM sqlite_sequence").fetchall(),
            [reader.blob(digest) for (digest,) in reader.db.execute("SELECT digest FROM blobs").fetchall()],
        ]


def sizes(vault: Vault) -> tuple[int, list[str]]:
    names = sorted(path.name for path in vault.folder.iterdir())
    return (vault.folder / "vault.db").stat().st_size, names


def test_what_is_kept_stays_and_the_room_of_the_rest_is_freed(worked: Vault) -> None:
    delete(worked)
    before = content(worked)
    done = compact(worked)
    assert content(worked) == before
    assert done.after < done.before - 1_000_000
    assert sizes(worked)[0] <= done.after + 10 * PAGE_SIZE
    assert sizes(worked)[1] == ["keys.json", "lock", "vault.db", "vault.db-shm", "vault.db-wal"]
    with worked.read() as reader:
        entry = reader.log(1, reader.log_size - 2)[0]
    assert (entry.act, entry.before, entry.after) == (Act.COMPACT, f"{done.before} bytes", f"{done.after} bytes")
    assert check(worked) == ()
    with worked.write(Act.ADD_DOCUMENTS) as unit:
        assert unit.db.execute("INSERT INTO texts(text) VALUES ('next')").lastrowid == 601, "numbers aren't used twice"


def test_nothing_of_what_was_deleted_is_left_in_any_page(worked: Vault) -> None:
    key = worked._connections.key
    assert b"zqmarker77aa" in pages(worked.folder, key)
    delete(worked)
    compact(worked)
    left = pages(worked.folder, key)
    assert b"text 5 " in left
    assert b"zqmarker77aa" not in left


def test_deleting_overwrites(worked: Vault) -> None:
    assert worked._connections.writer.execute("PRAGMA secure_delete").fetchone() == (1,)
    with worked.write(Act.REMOVE_DOCUMENTS) as unit:
        unit.db.execute("DELETE FROM texts WHERE id = 302")
        unit.db.execute("DELETE FROM found WHERE rowid = 302")
        unit.db.execute("INSERT INTO found(found) VALUES ('optimize')")
    worked._connections.fold()
    assert b"zqmarker77aa" not in pages(worked.folder, worked._connections.key)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.9])
def test_a_compaction_that_is_stopped_changes_nothing(
    worked: Vault, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.vault.connection.STEPS_AT_ONCE", 500)
    monkeypatch.setattr(compacting, "COPIED_AT_ONCE", 32)
    delete(worked)
    before = content(worked)

    def listen(progress: Progress) -> None:
        if progress.total and progress.done >= share * progress.total:
            job.cancel()

    job = Job("Compact", listen)
    with pytest.raises(Cancelled):
        compact(worked, job)
    assert content(worked) == before
    assert check(worked) == ()
    assert compact(worked).after < 4_000_000
    assert content(worked) == before


def test_a_full_disk_changes_nothing(worked: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    delete(worked)
    before = content(worked)

    def no_room(**_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def nearly_full(*arguments: object, **options: object) -> Database:
        raise DriverError("database or disk is full")

    for name, fails in (("tempfile.mkstemp", no_room), ("connect", nearly_full)):
        with monkeypatch.context() as patched:
            patched.setattr(f"core.vault.compact.{name}", fails)
            with pytest.raises(DiskFull, match=r"Study\.assay"):
                compact(worked)
        assert content(worked) == before
    assert check(worked) == ()


def test_readers_and_writers_wait(worked: Vault) -> None:
    delete(worked)
    began, done = threading.Event(), threading.Event()

    def listen(_: Progress) -> None:
        if not began.is_set():
            began.set()
            other.start()
            assert not done.wait(0.2), "another thread wrote in the middle"

    def write() -> None:
        with worked.write(Act.ADD_DOCUMENTS) as unit:
            unit.put(Page(text="meanwhile"))
        done.set()

    other = threading.Thread(target=write)
    compact(worked, Job("Compact", listen))
    assert done.wait(120)
    other.join()
    assert check(worked) == ()
    with worked.read() as reader:
        assert [reader.get(digest, Page).text for digest in reader.find(Page)] == ["kept", "meanwhile"]


def test_only_an_administrator_compacts(vault: Vault, reopen: Make) -> None:
    tomas = reopen(vault, "tomas")
    with pytest.raises(Refused, match="Compact"):
        compact(tomas)
