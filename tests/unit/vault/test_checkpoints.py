"""A vault that was rolled back or rewritten opens with a warning, on a machine that saw it before."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import BadInput, Refused
from core.records import Digest, Record
from core.trust.notes import read_checkpoint
from core.vault import checkpoints, restored
from core.vault.backup import backup
from core.vault.restore import restore, with_passphrase
from core.vault.roles import Act
from core.vault.vault import Vault
from tests.conftest import PASSPHRASES

Make = Callable[..., Vault]


class Note(Record, frozen=True, kw_only=True, tag="test-note"):
    text: str


def work(vault: Vault, count: int = 3) -> None:
    for number in range(count):
        with vault.write(Act.SAVE_PROMPT, about=str(number)) as unit:
            unit.put(Note(text=str(number)))


def copied(vault: Vault, tmp_path: Path) -> Path:
    vault.close()
    return Path(shutil.copytree(vault.folder, tmp_path / "copy.assay"))


def replaced(vault: Vault, copy: Path) -> None:
    """Somebody puts an older copy in the vault's place."""
    vault.close()
    shutil.rmtree(vault.folder)
    shutil.copytree(copy, vault.folder)


def test_what_is_kept_outside_is_the_log_at_the_end_of_the_sitting(vault: Vault) -> None:
    work(vault)
    with vault.read() as reader:
        size = reader.log_size
    vault.close()
    kept = checkpoints.place(vault.id).read_bytes()
    assert read_checkpoint(kept).size == size + 1
    assert b"ines" not in kept
    assert b"Study" not in kept


def test_a_vault_that_goes_on_opens_without_a_warning(vault: Vault, reopen: Make) -> None:
    work(vault)
    again = reopen(vault, "tomas")
    assert again.rollback is None
    assert again.warnings == ()
    third = reopen(again, "ines")
    assert third.warnings == ()


def test_an_older_copy_opens_with_a_warning_until_it_is_settled(vault: Vault, reopen: Make, tmp_path: Path) -> None:
    copy = copied(vault, tmp_path)
    later = reopen(vault, "ines")
    work(later, 5)
    replaced(later, copy)
    for _ in range(2):
        back = reopen(later, "ines")
        (warning,) = back.warnings
        assert "older than the one last opened here" in warning
        with back.read() as reader:
            entry = reader.log(after=reader.log_size - 2)[0]
        assert (entry.act, entry.reason) == (Act.SIGN_IN, warning.partition(". ")[0] + ".")
        assert str(entry.before).startswith(f"{read_checkpoint(checkpoints.place(back.id).read_bytes()).size} ")
        later = back
    with pytest.raises(BadInput, match="say why"):
        checkpoints.settle(back, " ")
    checkpoints.settle(back, "The disk failed; the copy of Monday was taken up.")
    assert back.warnings == ()
    again = reopen(back, "tomas")
    assert again.warnings == ()
    with again.read() as reader:
        assert [entry.reason for entry in reader.log() if entry.act == Act.RESTORE] == [
            "The disk failed; the copy of Monday was taken up."
        ]


def test_another_history_of_the_same_length_is_noticed(vault: Vault, reopen: Make, tmp_path: Path) -> None:
    copy = copied(vault, tmp_path)
    one = reopen(vault, "ines")
    work(one)
    replaced(one, copy)
    kept = checkpoints.place(one.id).read_bytes()
    checkpoints.forget(one.id)
    other = reopen(one, "ines")
    work(other, 9)
    other.close()
    checkpoints.keep(other.id, kept)
    back = reopen(other, "ines")
    assert back.rollback is not None
    assert "history differs" in back.rollback.sentence


def test_a_note_that_is_not_this_logs_is_a_warning(vault: Vault, reopen: Make) -> None:
    vault.close()
    checkpoints.place(vault.id).write_bytes(b"nonsense")
    assert "can't be read" in reopen(vault, "ines").warnings[0]


def test_only_an_administrator_settles_and_only_a_warning(vault: Vault, reopen: Make) -> None:
    with pytest.raises(Refused, match="continues"):
        checkpoints.settle(vault, "for good measure")
    vault.close()
    checkpoints.place(vault.id).write_bytes(b"nonsense")
    tomas = reopen(vault, "tomas")
    with pytest.raises(Refused, match="admin"):
        checkpoints.settle(tomas, "for good measure")
    assert tomas.warnings


def test_a_place_that_can_not_be_written_is_said_and_the_vault_opens(vault: Vault, reopen: Make) -> None:
    vault.close()
    folder = checkpoints.place(vault.id).parent
    shutil.rmtree(folder)
    folder.write_text("in the way")
    again = reopen(vault, "ines")
    assert "No checkpoint can be kept" in again.warnings[0]
    again.close()


def test_a_vault_that_was_restored_knowingly_opens_without_a_warning(
    vault: Vault, reopen: Make, tmp_path: Path
) -> None:
    with vault.write(Act.RESTORE) as unit:
        restored.mark(
            unit.db, restored.Restoration(backup=Digest("0" * 64), made="", entries=0, checkpoint="", restored="")
        )
    copy = copied(vault, tmp_path)
    later = reopen(vault, "ines")
    work(later)
    replaced(later, copy)
    back = reopen(later, "ines")
    assert back.warnings == ()
    assert reopen(back, "ines").warnings == ()


def test_an_older_state_that_was_restored_by_somebody_else_than_an_administrator_opens_with_a_warning(
    vault: Vault, reopen: Make, tmp_path: Path
) -> None:
    file = tmp_path / "monday.backup"
    backup(vault, file)
    work(vault, 5)
    vault.close()
    shutil.rmtree(vault.folder)
    restore(file, vault.folder, with_passphrase(file, "tomas", PASSPHRASES["tomas"]))
    tomas = reopen(vault, "tomas")
    assert "older than the one last opened here" in tomas.warnings[0]
    ines = reopen(tomas, "ines")
    assert "older than the one last opened here" in ines.warnings[0]
    checkpoints.settle(ines, "Tomas restored Monday's backup on my behalf.")
    assert reopen(ines, "ines").warnings == ()


def test_a_sitting_that_was_cut_off_is_told_of_at_the_next_sign_in(vault: Vault, reopen: Make) -> None:
    again = reopen(vault, "ines")
    with again.read() as reader:
        (signed_in,) = [entry for entry in reader.log() if entry.act == Act.SIGN_IN and entry.index > 2]
        assert not signed_in.before
    again._connections.close()  # as a kill does it: nothing is logged any more
    again._lock.release()
    with Vault.open(vault.folder, "tomas", PASSPHRASES["tomas"]) as after, after.read() as reader:
        entry = reader.log(after=reader.log_size - 2)[0]
        assert (entry.act, entry.user) == (Act.SIGN_IN, "tomas")
        assert entry.before == f"the sitting of ines from entry {signed_in.index} on wasn't ended"
    with Vault.open(vault.folder, "ines", PASSPHRASES["ines"]) as later, later.read() as reader:
        assert not reader.log(after=reader.log_size - 2)[0].before
