"""A backup is tested by restoring it: whole, or refused by name."""

import errno
import json
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import (
    AlreadyExists,
    AssayError,
    BadInput,
    Cancelled,
    Damaged,
    DiskFull,
    NewerVault,
    NotFound,
    Refused,
    Unavailable,
    WrongPassphrase,
)
from core.jobs import Job, Progress
from core.records import Record
from core.trust.notes import read_checkpoint
from core.vault import backup as backups
from core.vault import people, recovery, rotation
from core.vault.backup import backup
from core.vault.check import check
from core.vault.connection import Connections
from core.vault.migrations import Migrations
from core.vault.restore import restore, with_passphrase, with_words
from core.vault.restored import Backup, Restoration, last_backup
from core.vault.roles import Act
from core.vault.vault import Vault
from tests.conftest import PASSPHRASES, weak_kdf

Make = Callable[..., Vault]


class Kept(Record, frozen=True, kw_only=True, tag="test-kept"):
    text: str


@pytest.fixture
def filled(vault: Vault) -> Vault:
    for number in range(3):
        with vault.write(Act.ADD_DOCUMENTS, about=str(number)) as unit:
            blob = unit.seal([os.urandom(40_000), bytes([number])])
            unit.put(Kept(text=f"MARKER-77aa {number}"), links=(blob,))
    return vault


def restored(file: Path, folder: Path, user: str = "ines", **more: object) -> Restoration:
    return restore(file, folder, with_passphrase(file, user, PASSPHRASES[user]), **more)  # type: ignore[arg-type]


def content(vault: Vault) -> list[tuple[str, bytes]]:
    with vault.read() as reader:
        rows = reader.db.execute("SELECT digest, content FROM records ORDER BY seq").fetchall()
        return [*rows, *((d, reader.blob(d)) for (d,) in reader.db.execute("SELECT digest FROM blobs").fetchall())]


def acts(vault: Vault) -> list[str]:
    with vault.read() as reader:
        return [entry.act for entry in reader.log()]


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("user", ["ines", "tomas"])
def test_what_was_backed_up_comes_back_whole(filled: Vault, tmp_path: Path, user: str) -> None:
    before = content(filled)
    file = tmp_path / "one.backup"
    made = backup(filled, file)
    assert left(tmp_path) == ["Study.assay", "one.backup"]
    assert file.stat().st_mode & 0o077 == 0
    assert made.size == file.stat().st_size
    folder = tmp_path / "Again.assay"
    restoration = restored(file, folder, user)
    assert left(tmp_path) == ["Again.assay", "Study.assay", "one.backup"]
    assert left(folder) == ["keys.json", "vault.db"]
    assert not [path for path in folder.iterdir() if path.stat().st_mode & 0o077]
    with Vault.open(folder, "tomas", PASSPHRASES["tomas"]) as again:
        assert again.id == filled.id
        assert content(again)[: len(before)] != []
        assert [row for row in content(again) if row in before] == before
        assert check(again) == ()
        with again.read() as reader:
            (entry,) = [entry for entry in reader.log() if entry.act == Act.RESTORE]
            assert (entry.user, entry.index) == ("tomas", made.entries + 1), "right after the sign-in"
            assert made.sha256 in entry.about
            (kept,) = [reader.get(digest, Restoration) for digest in reader.find(Restoration)]
        assert kept == restoration
        assert (kept.backup, kept.checkpoint) == (made.sha256, made.checkpoint)
        assert read_checkpoint(kept.checkpoint.encode()).size == made.entries
    with Vault.open(folder, "ines", PASSPHRASES["ines"]) as twice:
        assert acts(twice).count(Act.RESTORE) == 1


def test_the_log_tells_of_a_backup_with_its_digest(filled: Vault, tmp_path: Path) -> None:
    with filled.read() as reader:
        assert last_backup(reader) is None
    made = backup(filled, tmp_path / "one.backup")
    with filled.read() as reader:
        (entry,) = [entry for entry in reader.log() if entry.act == Act.BACK_UP]
        assert made.sha256 in entry.about
        assert reader.get(entry.objects[0], Backup) == made
        assert reader.get(reader.find(Backup)[0], Backup).file == "one.backup"
        last = last_backup(reader)
    assert last is not None
    assert (last.made, last.entries, last.newer) == (made.made, made.entries, 0)
    with filled.write(Act.SAVE_PROMPT) as unit:
        unit.put(Kept(text="later"))
    with filled.read() as reader:
        last = last_backup(reader)
    assert last is not None
    assert last.newer == 1
    assert check(filled) == ()


def test_a_restored_vault_knows_how_old_its_backup_is(filled: Vault, tmp_path: Path) -> None:
    made = backup(filled, tmp_path / "one.backup")
    restored(tmp_path / "one.backup", tmp_path / "Again.assay")
    with Vault.open(tmp_path / "Again.assay", "ines", PASSPHRASES["ines"]) as again, again.read() as reader:
        last = last_backup(reader)
    assert last is not None
    assert (last.made, last.entries) == (made.made, made.entries)


def test_writers_go_on_while_a_backup_is_made_and_it_holds_one_state(filled: Vault, tmp_path: Path) -> None:
    with filled.write(Act.ADD_DOCUMENTS) as unit:
        big = unit.seal([os.urandom(6_000_000)])
        unit.put(Kept(text="big"), links=(big,))
    seen: list[int] = []
    stop = threading.Event()
    began = threading.Event()

    def write() -> None:
        while not stop.is_set():
            with filled.write(Act.SAVE_PROMPT) as unit:
                unit.put(Kept(text="meanwhile"))
            began.set()

    def listen(progress: Progress) -> None:
        if not seen:
            writer.start()
            assert began.wait(120)
        seen.append(progress.done)

    writer = threading.Thread(target=write)
    with filled.read() as reader:
        entries = reader.log_size
    made = backup(filled, tmp_path / "one.backup", Job("Back up", listen))
    stop.set()
    writer.join()
    assert made.entries == entries
    assert seen == sorted(seen)
    assert len(seen) > 3
    restored(tmp_path / "one.backup", tmp_path / "Again.assay")
    with Vault.open(tmp_path / "Again.assay", "ines", PASSPHRASES["ines"]) as again, again.read() as reader:
        assert [reader.get(digest, Kept).text for digest in reader.find(Kept)][3:] == ["big"]
    with filled.read() as reader:
        assert "meanwhile" in [reader.get(digest, Kept).text for digest in reader.find(Kept)]
    assert check(filled) == ()


def test_nothing_in_a_backup_is_readable(filled: Vault, tmp_path: Path) -> None:
    backup(filled, tmp_path / "one.backup")
    whole = (tmp_path / "one.backup").read_bytes()
    for marker in (b"MARKER-77aa", b"SQLite format", b"assay/vault", b"test-kept", b"CREATE TABLE"):
        assert marker not in whole


def test_only_a_person_of_the_vault_opens_it(filled: Vault, tmp_path: Path) -> None:
    file = tmp_path / "one.backup"
    backup(filled, file)
    for user, passphrase in (("ines", "not her passphrase"), ("nobody", PASSPHRASES["ines"])):
        with pytest.raises(WrongPassphrase, match="Nothing was opened"):
            restore(file, tmp_path / "Again.assay", with_passphrase(file, user, passphrase))
    assert left(tmp_path) == ["Study.assay", "one.backup"]


def test_one_bit_anywhere_or_a_missing_end_is_refused(filled: Vault, tmp_path: Path) -> None:
    file = tmp_path / "one.backup"
    backup(filled, file)
    whole = file.read_bytes()
    length = len(whole)
    head = 44 + int.from_bytes(whole[8:12], "big")
    places = [
        0,
        7,
        8,
        11,
        12,
        43,
        44,
        head - 1,
        head,
        head + 8,
        head + 40,
        head + 60,
        length // 2,
        length - 17,
        length - 1,
    ]
    spoiled = [whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :] for place in places]
    spoiled += [
        whole[:end] for end in (0, 7, 11, 43, 44, head - 1, head, head + 39, head + 41, length // 2, length - 1)
    ]
    spoiled += [whole + b"\0", whole[:head] + whole[head:] * 2, b"", b"ASSAYBK1" * 1000]
    for number, bad in enumerate(spoiled):
        file.write_bytes(bad)
        with pytest.raises((Damaged, BadInput)) as refused:
            restored(file, tmp_path / "Again.assay")
        assert "one.backup" in str(refused.value), number
        assert left(tmp_path) == ["Study.assay", "one.backup"], number


def test_the_head_of_one_backup_does_not_open_another(vault_factory: Make, tmp_path: Path) -> None:
    one, two = vault_factory(name="One"), vault_factory(name="Two")
    parts = []
    for vault, name in ((one, "1.backup"), (two, "2.backup")):
        backup(vault, tmp_path / name)
        whole = (tmp_path / name).read_bytes()
        parts.append(
            (whole[: 44 + int.from_bytes(whole[8:12], "big")], whole[44 + int.from_bytes(whole[8:12], "big") :])
        )
    mixed = tmp_path / "mixed.backup"
    mixed.write_bytes(parts[0][0] + parts[1][1])
    with pytest.raises(Damaged, match=r"mixed\.backup"):
        restored(mixed, tmp_path / "Again.assay")


def test_nothing_that_exists_is_replaced(filled: Vault, tmp_path: Path) -> None:
    file = tmp_path / "one.backup"
    backup(filled, file)
    before = file.read_bytes()
    with pytest.raises(AlreadyExists, match=r"one\.backup"):
        backup(filled, file)
    assert file.read_bytes() == before
    with pytest.raises(AlreadyExists, match=r"Study\.assay"):
        restored(file, filled.folder)
    (tmp_path / "Empty").mkdir()
    with pytest.raises(AlreadyExists, match="Empty"):
        restored(file, tmp_path / "Empty")
    with pytest.raises(BadInput, match="inside the vault"):
        backup(filled, filled.folder / "cache.backup")
    with pytest.raises(NotFound, match="absent"):
        backup(filled, tmp_path / "absent" / "one.backup")
    with pytest.raises(NotFound, match=r"two\.backup"):
        restored(tmp_path / "two.backup", tmp_path / "Again.assay")
    with pytest.raises(BadInput, match="no backup"):
        restored(filled.folder / "keys.json", tmp_path / "Again.assay")


def test_only_an_administrator_makes_a_backup(filled: Vault, reopen: Make, tmp_path: Path) -> None:
    tomas = reopen(filled, "tomas")
    with pytest.raises(Refused, match="Back up"):
        backup(tomas, tmp_path / "one.backup")
    assert left(tmp_path) == ["Study.assay"]


@pytest.mark.parametrize("after", [1, 2, 4])
def test_a_cancelled_backup_leaves_nothing(filled: Vault, tmp_path: Path, after: int) -> None:
    with filled.write(Act.ADD_DOCUMENTS) as unit:
        big = unit.seal([os.urandom(6_000_000)])
        unit.put(Kept(text="big"), links=(big,))
    reports: list[Progress] = []

    def listen(progress: Progress) -> None:
        reports.append(progress)
        if len(reports) == after:
            job.cancel()

    job = Job("Back up", listen)
    with pytest.raises(Cancelled):
        backup(filled, tmp_path / "one.backup", job)
    assert left(tmp_path) == ["Study.assay"]
    assert Act.BACK_UP not in acts(filled)


def test_a_cancelled_restore_leaves_nothing(filled: Vault, tmp_path: Path) -> None:
    backup(filled, tmp_path / "one.backup")
    job = Job("Restore", lambda _: job.cancel())
    with pytest.raises(Cancelled):
        restored(tmp_path / "one.backup", tmp_path / "Again.assay", job=job)
    assert left(tmp_path) == ["Study.assay", "one.backup"]


def test_a_full_disk_leaves_nothing(filled: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(DiskFull, match=r"one\.backup"):
            backup(filled, tmp_path / "one.backup")
    assert left(tmp_path) == ["Study.assay"]
    assert Act.BACK_UP not in acts(filled)
    backup(filled, tmp_path / "one.backup")
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(DiskFull, match=r"Again\.assay"):
            restored(tmp_path / "one.backup", tmp_path / "Again.assay")
    assert left(tmp_path) == ["Study.assay", "one.backup"]


def test_a_backup_that_can_not_be_logged_does_not_appear(
    filled: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(folder: Path) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(backups, "sync_folder", refused)
    with pytest.raises(AssayError, match="Input/output error"):
        backup(filled, tmp_path / "one.backup")
    assert left(tmp_path) == ["Study.assay"]
    assert Act.BACK_UP not in acts(filled)


def test_a_backup_of_a_newer_program_is_refused(vault_factory: Make, tmp_path: Path) -> None:
    steps = (lambda db: db.execute("CREATE TABLE p(x)"), lambda db: db.execute("ALTER TABLE p ADD y"))
    newer = vault_factory([Migrations("package", steps)])
    file = tmp_path / "one.backup"
    backup(newer, file)
    for schema in ((), [Migrations("package", steps[:1])]):
        with pytest.raises(NewerVault, match="package is at version 2"):
            restored(file, tmp_path / "Again.assay", schema=schema)
    whole = file.read_bytes()
    length = int.from_bytes(whole[8:12], "big")
    head = {**json.loads(whole[44 : 44 + length]), "version": 2}
    packed = json.dumps(head).encode()
    from hashlib import sha256

    file.write_bytes(whole[:8] + len(packed).to_bytes(4, "big") + sha256(packed).digest() + packed)
    with pytest.raises(NewerVault, match=r"one\.backup.*backup is at version 2"):
        restored(file, tmp_path / "Again.assay", schema=[Migrations("package", steps)])
    assert "Again.assay" not in left(tmp_path)


def test_an_older_vault_grows_while_it_is_restored(vault_factory: Make, tmp_path: Path) -> None:
    steps = (lambda db: db.execute("CREATE TABLE p(x)"), lambda db: db.execute("ALTER TABLE p ADD y"))
    backup(vault_factory([Migrations("package", steps[:1])]), tmp_path / "one.backup")
    schema = [Migrations("package", steps)]
    restored(tmp_path / "one.backup", tmp_path / "Again.assay", schema=schema)
    with Vault.open(tmp_path / "Again.assay", "ines", PASSPHRASES["ines"], schema) as again, again.read() as reader:
        assert [column.name for column in reader.db["p"].columns] == ["x", "y"]


def test_a_vault_that_was_at_fault_when_it_was_backed_up_is_said_to_be(filled: Vault, tmp_path: Path) -> None:
    with filled._connections.transaction() as db:
        db.execute("INSERT INTO labels VALUES ('prompt', 'none', 'approved', 3)")
    backup(filled, tmp_path / "one.backup")
    with pytest.raises(Damaged, match="label approved of prompt none"):
        restored(tmp_path / "one.backup", tmp_path / "Again.assay")
    assert left(tmp_path) == ["Study.assay", "one.backup"]
    restored(tmp_path / "one.backup", tmp_path / "Again.assay", despite_findings=True)
    with Vault.open(tmp_path / "Again.assay", "ines", PASSPHRASES["ines"]) as again:
        assert [finding.where for finding in check(again)] == ["label approved of prompt none"]


def test_a_backup_opens_with_the_passphrases_of_its_day(filled: Vault, tmp_path: Path) -> None:
    backup(filled, tmp_path / "one.backup")
    filled.close()
    shutil.rmtree(filled.folder)
    restored(tmp_path / "one.backup", filled.folder)
    with Vault.open(filled.folder, "tomas", PASSPHRASES["tomas"]) as again:
        assert again.user.user == "tomas"


def unfinished(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tomas is revoked, and the change of the key that must follow fails."""

    def fails(*_: object) -> None:
        raise DiskFull(path="vault.db")

    with monkeypatch.context() as patch, vault.confirm(PASSPHRASES["ines"]) as signer:
        patch.setattr(Connections, "rekey", fails)
        with pytest.raises(Unavailable, match="tomas was revoked"):
            people.revoke(vault, signer, "tomas", "left the firm")


def test_a_backup_first_finishes_a_change_of_the_key_that_was_left_unfinished(
    filled: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = filled._connections.key
    unfinished(filled, monkeypatch)
    assert filled._connections.key == old
    backup(filled, tmp_path / "one.backup")
    assert filled._connections.key != old
    with pytest.raises(WrongPassphrase, match=r"one\.backup"):
        restored(tmp_path / "one.backup", tmp_path / "Again.assay", "tomas")
    restored(tmp_path / "one.backup", tmp_path / "Again.assay")


def test_where_it_can_not_be_finished_the_backup_restores_cleanly_and_lets_nobody_in_who_was_revoked(
    filled: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = filled._connections.key
    unfinished(filled, monkeypatch)
    whole = Connections.alone
    with monkeypatch.context() as patch, filled.read() as reader:
        assert reader.log_size
        patch.setattr(Connections, "alone", lambda self: whole(self, seconds=0))
        backup(filled, tmp_path / "one.backup")
    assert filled._connections.key == old
    with pytest.raises(WrongPassphrase, match=r"one\.backup"):
        restored(tmp_path / "one.backup", tmp_path / "Again.assay", "tomas")
    assert left(tmp_path) == ["Study.assay", "one.backup"]
    restored(tmp_path / "one.backup", tmp_path / "Again.assay")
    with Vault.open(tmp_path / "Again.assay", "ines", PASSPHRASES["ines"]) as again:
        assert again._connections.key != old, "opening finished the change"
        assert check(again) == ()
        assert "rotation" not in {name for (name,) in again._connections.writer.execute("SELECT name FROM meta")}


def test_an_unfinished_change_in_a_backup_of_an_earlier_program_is_settled_when_it_is_restored(
    filled: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unfinished(filled, monkeypatch)
    with monkeypatch.context() as patch:  # as it was then
        patch.setattr(rotation, "resume", lambda _: None)
        patch.setattr(rotation, "for_copy", lambda db, keys, epoch, key: keys)
        backup(filled, tmp_path / "one.backup")
    with pytest.raises(WrongPassphrase, match=r"one\.backup"):
        restored(tmp_path / "one.backup", tmp_path / "Again.assay", "tomas")
    restored(tmp_path / "one.backup", tmp_path / "Again.assay")
    with Vault.open(tmp_path / "Again.assay", "ines", PASSPHRASES["ines"]) as again:
        assert check(again) == ()


def test_the_recovery_key_of_its_day_restores_a_backup(filled: Vault, tmp_path: Path) -> None:
    file, folder = tmp_path / "one.backup", tmp_path / "Again.assay"
    backup(filled, tmp_path / "none.backup")
    with filled.confirm(PASSPHRASES["ines"]) as signer:
        words = " ".join(recovery.make(filled, signer))
        backup(filled, file)
        later = " ".join(recovery.make(filled, signer))
    filled.close()
    shutil.rmtree(filled.folder)
    with pytest.raises(NotFound, match="recovery key"):
        restore(tmp_path / "none.backup", folder, with_words(file, words))
    with pytest.raises(WrongPassphrase, match=r"one\.backup"):
        restore(file, folder, with_words(file, later))
    with pytest.raises(BadInput):
        restore(file, folder, with_words(file, words.replace(" ", " x", 1)))
    restore(file, folder, with_words(file, words))
    recovery.recover(folder, words, "ines", "a bell rings under the lake", kdf=weak_kdf)
    with Vault.open(folder, "ines", "a bell rings under the lake") as again:
        assert check(again) == ()
        assert acts(again).count(Act.RESTORE) == 1
