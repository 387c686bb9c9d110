"""Another vault key, and what is left when that is interrupted at any point: one key, everybody who may get in, nobody else."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import DiskFull, Refused, Unavailable
from core.records import Record
from core.vault import people, rotation, slots
from core.vault.check import check
from core.vault.connection import Connections
from core.vault.roles import Act
from core.vault.rotation import Step
from core.vault.vault import Vault
from tests.conftest import PASSPHRASES
from tests.unit.vault.killing import EVE, every_kill, keys_that_open, lets_in, with_eve

Make = Callable[..., Vault]
REPOSITORY = Path(__file__).resolve().parents[3]
unix = pytest.mark.skipif(sys.platform == "win32", reason="fork and kill -9 are Unix's")


class Note(Record, frozen=True, kw_only=True, tag="test-note"):
    text: str


def keys_of(folder: Path, user: str) -> set[bytes]:
    return set(slots.vault_keys(folder, slots.read(folder), user, PASSPHRASES.get(user, EVE)))


def revoke_tomas(folder: Path) -> None:
    with Vault.open(folder, "ines", PASSPHRASES["ines"]) as vault, vault.confirm(PASSPHRASES["ines"]) as signer:
        people.revoke(vault, signer, "tomas", "left the firm")


def test_a_new_key_opens_for_everybody_and_the_old_one_no_longer(vault: Vault, reopen: Make) -> None:
    old = vault._connections.key
    told: list[Step] = []
    assert rotation.rotate(vault, "yearly", told.append) == 2
    assert told == list(Step)
    assert vault._connections.key != old
    with vault.write(Act.ASK, about="still at work"):
        pass
    assert check(vault) == ()
    assert keys_that_open(vault.folder, {old, vault._connections.key}) == {vault._connections.key}
    key = vault._connections.key
    tomas = reopen(vault, "tomas")
    assert tomas._connections.key == key
    assert [epoch.number for epoch in slots.read(vault.folder).epochs] == [2]
    with tomas.read() as reader:
        acts = [(entry.act, entry.about, entry.reason) for entry in reader.log(2, reader.log_size - 6)]
        assert acts == [(Act.ROTATE_KEY, "", "yearly"), (Act.ROTATE_KEY, "done", "")]


def test_no_page_under_the_old_key_is_left_and_a_copy_from_before_still_opens(vault: Vault, tmp_path: Path) -> None:
    old = vault._connections.key
    vault.close()
    shutil.copytree(vault.folder, tmp_path / "copy.assay")
    before = (vault.folder / "vault.db").read_bytes()
    with Vault.open(vault.folder, "ines", PASSPHRASES["ines"]) as again:
        rotation.rotate(again)
    after = (vault.folder / "vault.db").read_bytes()
    assert not any(before[place : place + 64] in after for place in range(64, len(before), 8192))
    assert keys_that_open(tmp_path / "copy.assay", {old}) == {old}


def test_only_an_administrator_changes_the_key(vault: Vault, reopen: Make) -> None:
    tomas = reopen(vault, "tomas")
    with pytest.raises(Refused, match="admin"):
        rotation.rotate(tomas)
    assert [epoch.number for epoch in slots.read(vault.folder).epochs] == [1]


def test_a_reader_that_stays_keeps_the_key_and_says_so(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    old = vault._connections.key
    whole = Connections.alone
    monkeypatch.setattr(Connections, "alone", lambda self: whole(self, seconds=0))
    with vault.read(), pytest.raises(Unavailable, match="being read"):
        rotation.rotate(vault)
    assert vault._connections.key == old
    vault.close()
    with Vault.open(vault.folder, "tomas", PASSPHRASES["tomas"]) as tomas:
        assert tomas._connections.key != old
        assert check(tomas) == ()


@pytest.mark.parametrize("failing", ["fold", "rekey"])
def test_a_full_disk_keeps_the_old_key_and_the_next_opening_changes_it(
    vault: Vault, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    old = vault._connections.key

    def fails(*_: object) -> None:
        raise DiskFull(path="vault.db")

    with monkeypatch.context() as patch:
        patch.setattr(Connections, failing, fails)
        with pytest.raises(DiskFull):
            rotation.rotate(vault)
        assert vault._connections.key == old
        assert [epoch.number for epoch in slots.read(vault.folder).epochs] == [1]
        with vault.write(Act.ASK):
            pass
        vault.close()
        with Vault.open(vault.folder, "tomas", PASSPHRASES["tomas"]) as tomas:
            assert tomas._connections.key == old
    with Vault.open(vault.folder, "tomas", PASSPHRASES["tomas"]) as tomas:
        assert tomas._connections.key != old
        assert check(tomas) == ()


def test_somebody_revoked_while_the_disk_is_full_is_out_and_the_sentence_says_what_is_left(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise DiskFull(path="vault.db")

    with monkeypatch.context() as patch, vault.confirm(PASSPHRASES["ines"]) as signer:
        patch.setattr(Connections, "rekey", fails)
        with pytest.raises(Unavailable, match="tomas was revoked, but"):
            people.revoke(vault, signer, "tomas", "left")
    vault.close()
    assert not lets_in(vault.folder, "tomas", PASSPHRASES["tomas"])
    with Vault.open(vault.folder, "ines", PASSPHRASES["ines"]):
        assert [epoch.number for epoch in slots.read(vault.folder).epochs] == [2]
    assert Vault.names(vault.folder) == ("ines",)


@unix
def test_killed_at_every_step_of_a_revocation_one_key_opens_and_the_next_person_finishes_it(vault: Vault) -> None:
    folder = with_eve(vault)
    (old,) = keys_of(folder, "eve")
    seen = set()
    for point, copy in every_kill(folder, revoke_tomas):
        opening = keys_that_open(copy, {old} | keys_of(copy, "eve") | keys_of(copy, "ines"))
        assert len(opening) == 1, point
        revoked = not lets_in(copy, "tomas", PASSPHRASES["tomas"])
        seen.add((revoked, opening == {old}))
        check_finished(copy, ("eve", "ines")[point % 2], revoked, old)
        shutil.rmtree(copy)
    assert seen == {(False, True), (True, True), (True, False)}


def check_finished(killed: Path, person: str, revoked: bool, old: bytes) -> None:
    """Whoever opens the vault next finds it whole, and the change of the key done, or never begun."""
    folder = killed.with_name(f"{person}.assay")
    shutil.copytree(killed, folder)
    with Vault.open(folder, person, PASSPHRASES.get(person, EVE)) as vault:
        assert check(vault) == ()
        assert {user.user: user.active for user in vault.users()} == {"ines": True, "tomas": not revoked, "eve": True}
        assert (vault._connections.key != old) == revoked
    keys = slots.read(folder)
    assert (len(keys.epochs), keys.pending) == (1, ())
    assert [slot.user for slot in keys.slots] == (["ines", "eve"] if revoked else ["ines", "tomas", "eve"])
    other = "ines" if person == "eve" else "eve"
    assert lets_in(folder, other, PASSPHRASES.get(other, EVE))
    assert lets_in(folder, "tomas", PASSPHRASES["tomas"]) == (not revoked)
    shutil.rmtree(folder)


@unix
def test_killed_while_finishing_what_was_killed_the_next_opening_still_finishes_it(vault: Vault) -> None:
    folder = with_eve(vault)
    (old,) = keys_of(folder, "eve")

    def open_as_eve(folder: Path) -> None:
        Vault.open(folder, "eve", EVE).close()

    for _, half in half_revoked(folder):
        for _, copy in every_kill(half, open_as_eve):
            assert len(keys_that_open(copy, {old} | keys_of(copy, "ines"))) == 1
            check_finished(copy, "ines", revoked=True, old=old)
            shutil.rmtree(copy)


def half_revoked(folder: Path) -> list[tuple[Step, Path]]:
    """The folder as a revocation left it that ended right after the change of the people, and right after that of the key."""
    found = []
    for step in (Step.INTENDED, Step.REKEYED):
        half = folder.with_name(f"half-{step}.assay")
        shutil.copytree(folder, half)
        child = os.fork()
        if child == 0:
            os._exit(revoke_until(half, step))
        os.waitpid(child, 0)
        found.append((step, half))
    return found


def revoke_until(folder: Path, last: Step) -> int:
    vault = Vault.open(folder, "ines", PASSPHRASES["ines"])
    with vault.confirm(PASSPHRASES["ines"]) as signer:
        people.revoke(vault, signer, "tomas", "left", lambda step: os._exit(9) if step is last else None)
    return 1


REVOKE = """
import sys
from pathlib import Path
from core.records import Record
from core.vault import people
from core.vault.vault import Vault
class Note(Record, frozen=True, kw_only=True, tag="test-note"):
    text: str
vault = Vault.open(Path(sys.argv[1]), "ines", sys.argv[2])
def tell(step):
    print(step, flush=True)
with vault.confirm(sys.argv[2]) as signer:
    people.revoke(vault, signer, "tomas", "left", tell)
"""


@unix
@pytest.mark.parametrize("share", [0.1, 0.4, 0.7, 1.0])
def test_a_real_kill_in_the_middle_of_encrypting_anew_leaves_one_key(vault: Vault, share: float) -> None:
    with vault.write(Act.ADD_DOCUMENTS) as unit:
        for _ in range(8):
            unit.put(Note(text="made from it"), links=(unit.seal([os.urandom(1 << 20)]),))
    folder = with_eve(vault)
    (old,) = keys_of(folder, "eve")
    whole = (folder / "vault.db").stat().st_size
    child = subprocess.Popen(
        [sys.executable, "-c", REVOKE, str(folder), PASSPHRASES["ines"]],
        stdout=subprocess.PIPE,
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    assert child.stdout is not None
    while child.stdout.readline().strip() != b"pending":
        assert child.poll() is None
    wal = folder / "vault.db-wal"
    while child.poll() is None and (not wal.exists() or wal.stat().st_size < share * whole):
        time.sleep(0.0005)
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert len(keys_that_open(folder, {old} | keys_of(folder, "eve"))) == 1
    check_finished(folder, "ines", revoked=True, old=old)
    check_finished(folder, "eve", revoked=True, old=old)
