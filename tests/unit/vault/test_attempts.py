"""Failed openings: what a locked vault notes, how long it makes one wait, and what the log says of it later."""

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import DiskFull, Refused, VaultBusy, WrongPassphrase
from core.vault import attempts, slots
from core.vault.attempts import FREE, MOST, Notes, Tally
from core.vault.check import check
from core.vault.roles import Act
from core.vault.vault import Vault
from tests.conftest import PASSPHRASES

Make = Callable[..., Vault]
AT = datetime.fromisoformat("2026-11-21T09:30:00+01:00")


def fails(folder: Path, user: str = "tomas") -> None:
    with pytest.raises(WrongPassphrase):
        Vault.open(folder, user, "not the passphrase")


def failed(vault: Vault) -> list[tuple[str, str]]:
    with vault.read() as reader:
        return [(entry.about, entry.reason) for entry in reader.log(10_000) if entry.act == Act.SIGN_IN_FAILED]


def notes(folder: Path) -> Notes:
    return msgspec.json.decode((folder / attempts.NAME).read_bytes(), type=Notes)


def test_what_failed_while_locked_is_in_the_log_after_the_next_opening(vault: Vault, reopen: Make) -> None:
    vault.close()
    fails(vault.folder)
    fails(vault.folder, "nobody")
    assert len(notes(vault.folder).sealed) == 2
    ines = reopen(vault, "ines")
    told = failed(ines)
    assert [about for about, _ in told] == ["opening as tomas", "opening as nobody"]
    assert all(reason.startswith("at 20") and reason.endswith("noted beside the vault until now") for _, reason in told)
    assert notes(vault.folder).sealed == ()
    assert check(ines) == ()
    assert failed(reopen(ines, "ines")) == told


def test_the_notes_say_nothing_in_clear_of_what_was_typed(vault: Vault) -> None:
    vault.close()
    fails(vault.folder, "my-passphrase-typed-into-the-name")
    content = (vault.folder / attempts.NAME).read_bytes()
    assert b"my-passphrase" not in content
    assert set(notes(vault.folder).tallies) == {""}


def test_openings_wait_longer_after_each_failure_and_the_wait_survives_a_restart(vault: Vault, reopen: Make) -> None:
    vault.close()
    for _ in range(FREE):
        fails(vault.folder)
    noted = attempts.recent(vault.folder, "tomas")
    assert noted is not None
    assert noted.failures == FREE
    set_failures(vault.folder, FREE + 1, datetime.now().astimezone())
    with pytest.raises(Refused, match=r"4 wrong answers in a row\. Try again in \d seconds\."):
        Vault.open(vault.folder, "tomas", PASSPHRASES["tomas"])
    assert len(notes(vault.folder).sealed) == FREE
    reopen(vault, "ines").close()
    set_failures(vault.folder, FREE + 1, datetime.now().astimezone() - timedelta(seconds=60))
    reopen(vault, "tomas").close()
    assert attempts.recent(vault.folder, "tomas") is None


def set_failures(folder: Path, failures: int, at: datetime) -> None:
    tally = Tally(failures=failures, last=at.isoformat(timespec="seconds"))
    changed = msgspec.structs.replace(notes(folder), tallies={"tomas": tally})
    (folder / attempts.NAME).write_bytes(msgspec.json.encode(changed))


@given(failures=st.integers(0, 10_000), ago=st.integers(-(10**9), 10**9), minutes=st.integers(1, 1440))
def test_nobody_ever_waits_longer_than_the_policys_minutes(failures: int, ago: int, minutes: int) -> None:
    last = (AT - timedelta(seconds=ago)).isoformat(timespec="seconds")
    noted = Notes(tallies={"ines": Tally(failures=failures, last=last)}, minutes=minutes)
    seconds = attempts.wait(noted, "ines", AT)
    assert 0 <= seconds <= minutes * 60
    assert seconds == 0 or failures >= FREE
    if ago >= minutes * 60:
        assert seconds == 0


def test_the_wait_grows_and_ends_at_the_policys() -> None:
    last = AT.isoformat(timespec="seconds")
    waits = [
        attempts.wait(Notes(tallies={"x": Tally(failures=count, last=last)}, allowed=8, minutes=1), "x", AT)
        for count in range(10)
    ]
    assert waits == [0, 0, 0, 1, 2, 4, 8, 16, 60, 60]


def test_a_clock_that_was_set_back_locks_nobody_out_for_good(vault: Vault) -> None:
    vault.close()
    fails(vault.folder)
    set_failures(vault.folder, 5, datetime.now().astimezone() + timedelta(days=400))
    with pytest.raises(Refused, match="minutes"):
        Vault.open(vault.folder, "tomas", PASSPHRASES["tomas"])
    found = attempts.recent(vault.folder, "tomas")
    assert found is not None
    assert datetime.fromisoformat(found.last) <= datetime.now().astimezone()


def test_the_newest_notes_are_kept_and_the_others_counted(vault: Vault, reopen: Make) -> None:
    vault.close()
    keys = slots.read(vault.folder)
    noted = Notes(sealed=tuple(str(number) for number in range(MOST)), dropped=3)
    for _ in range(2):
        noted = attempts.noted(noted, keys, "tomas", AT)
    assert (len(noted.sealed), noted.dropped) == (MOST, 5)
    assert noted.sealed[0] == "2"
    assert noted.tallies["tomas"] == Tally(failures=2, last="2026-11-21T09:30:00+01:00")
    (vault.folder / attempts.NAME).write_bytes(msgspec.json.encode(noted))
    told = failed(reopen(vault, "ines"))
    assert ("opening", "5 times, of which only the number was kept") in told
    assert [about for about, _ in told].count("opening as tomas") == 2
    assert any("damaged or altered" in reason for _, reason in told)


@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_any_bytes_in_place_of_the_notes_let_the_right_person_in(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("notes")
    (folder / attempts.NAME).write_bytes(content)
    assert attempts.wait(attempts._read(folder), "ines", AT) <= 1440 * 60
    shutil.rmtree(folder)


def test_damaged_notes_are_told_of_in_the_log(vault: Vault, reopen: Make) -> None:
    vault.close()
    (vault.folder / attempts.NAME).write_bytes(b"{")
    assert [about for about, _ in failed(reopen(vault, "ines"))] == ["opening"]
    assert notes(vault.folder).damaged is False


def test_notes_that_were_taken_into_the_log_and_not_deleted_are_not_taken_twice(vault: Vault, reopen: Make) -> None:
    vault.close()
    fails(vault.folder)
    before = (vault.folder / attempts.NAME).read_bytes()
    ines = reopen(vault, "ines")
    once = failed(ines)
    ines.close()
    (vault.folder / attempts.NAME).write_bytes(before)
    fails(vault.folder, "nobody")
    again = failed(reopen(ines, "ines"))
    assert again[: len(once)] == once
    assert [about for about, _ in again] == ["opening as tomas", "opening as nobody"]


def test_somebody_elses_seal_is_noticed(vault: Vault, reopen: Make) -> None:
    """Whoever may write in the folder can put their own public half into keys.json: then nothing of the notes can be read here."""
    vault.close()
    keys = slots.read(vault.folder)
    own = slots.b64(slots.SealingKeys.generate().public)
    slots.write(vault.folder, msgspec.structs.replace(keys, attempts=own))
    fails(vault.folder)
    told = failed(reopen(vault, "ines"))
    assert told == [("opening", f"{attempts.NAME} was damaged or altered: what it noted can't be read")]
    assert slots.read(vault.folder).attempts == keys.attempts != own


def test_a_full_disk_changes_nothing_in_the_answer(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    vault.close()

    def full(*_: object) -> None:
        raise DiskFull(path="attempts.json")

    monkeypatch.setattr(attempts, "_write", full)
    fails(vault.folder)


def test_success_forgets_the_failures_of_that_name_alone(vault: Vault, reopen: Make) -> None:
    vault.close()
    fails(vault.folder)
    fails(vault.folder, "ines")
    reopen(vault, "ines").close()
    assert set(notes(vault.folder).tallies) == {"tomas"}
    assert attempts.recent(vault.folder, "ines") is None


def test_a_vault_that_is_open_elsewhere_counts_nothing(vault: Vault) -> None:
    with pytest.raises(VaultBusy):
        Vault.open(vault.folder, "tomas", "not his passphrase")
    assert attempts.recent(vault.folder, "tomas") is None
