"""Failed openings: noted while the vault is locked, waited for, and taken into the audit log at the next opening that succeeds.

`attempts.json` beside `keys.json` holds for each user name of the vault how often in a row and when last somebody failed, and, sealed, what was
tried when. The rules:

1. A locked vault can add to the notes and not read them: they are sealed to a public half in `keys.json`, whose private half is in `vault.db`.
   So a passphrase that was typed in place of a name isn't in clear either.
2. The newest `MOST` notes are kept; of older ones the number.
3. After `FREE` failures in a row an opening waits, twice as long each time; from the policy's number on, for the policy's minutes, never
   longer, whatever the clock does: nobody is locked out for good. Only openings that were let try count.
4. Notes go into the log once, and are then deleted. Success forgets the failures of that name alone.

This hinders whoever guesses through this program. Whoever copies the folder guesses without it, as fast as Argon2id lets them; whoever may
write in the folder can delete the notes.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from core.errors import AssayError, Damaged, Refused, WrongPassphrase
from core.paths import write_whole
from core.records import Record, now
from core.trust.canonical import b64, builtins, canonical, digest, unb64
from core.trust.sealing import SealingKeys, seal_to
from core.trust.times import parse_time
from core.vault import log, policies, slots
from core.vault.connection import Database
from core.vault.roles import Act

if TYPE_CHECKING:
    from core.vault.vault import Vault

NAME = "attempts.json"
MOST = 1_000
FREE = 3
LONGEST_MINUTES = 1440
LARGEST = 16 << 20
"""Bytes of the file; `MOST` notes take 2 MiB."""
_KEY, _MERGED = "attempts key", "attempts merged"
_NOBODY = ""
"""The name under which failures of unknown users are counted: what was typed isn't kept in clear."""


class Tally(Record, frozen=True, kw_only=True):
    """Failures in a row under one name, and the time of the last."""

    failures: int
    last: str


class Attempt(Record, frozen=True, kw_only=True, tag="failed-opening"):
    """One failure, as it is sealed."""

    user: str
    """What was given as the name, cut to 64 characters."""
    time: str


class Notes(Record, frozen=True, kw_only=True, tag="failed-openings"):
    """All of `attempts.json`."""

    tallies: dict[str, Tally] = msgspec.field(default_factory=dict)
    sealed: tuple[str, ...] = ()
    """Attempts in base64, oldest first."""
    dropped: int = 0
    """How many older ones aren't kept."""
    allowed: int = policies.DEFAULT.lockout_attempts
    minutes: int = policies.DEFAULT.lockout_minutes
    """What the vault's policy said at the last opening."""
    damaged: bool = False
    """The file before this one couldn't be read."""


def recent(folder: Path, user: str) -> Tally | None:
    """The failures in a row to open the vault as `user`; None when the last opening succeeded."""
    return _read(folder).tallies.get(user)


def wait(notes: Notes, name: str, at: datetime) -> float:
    """Seconds until the next opening under that name may be tried; 0: now."""
    tally = notes.tallies.get(name)
    if tally is None or tally.failures < FREE:
        return 0.0
    longest = 60.0 * notes.minutes
    length = longest if tally.failures >= notes.allowed else min(longest, 2.0 ** (tally.failures - FREE))
    passed = (at - parse_time(tally.last, NAME)).total_seconds()
    return max(0.0, min(length, length - passed))


def noted(notes: Notes, keys: slots.KeyFile, user: str, at: datetime) -> Notes:
    """The notes with one more failure."""
    time = at.isoformat(timespec="seconds")
    name = _name(keys, user)
    before = notes.tallies.get(name)
    tally = Tally(failures=1 if before is None else before.failures + 1, last=time)
    sealed, dropped = notes.sealed, notes.dropped
    try:
        attempt = canonical(builtins(Attempt(user=user[:64], time=time)))
        sealed = (*sealed, b64(seal_to(unb64(keys.attempts, slots.NAME), attempt, _context(keys.vault))))
    except AssayError:
        dropped += 1
    dropped += max(0, len(sealed) - MOST)
    return msgspec.structs.replace(
        notes, tallies={**notes.tallies, name: tally}, sealed=sealed[-MOST:], dropped=dropped
    )


@contextmanager
def counted(folder: Path, user: str) -> Iterator[None]:
    """One opening as `user`: refused while it has to wait, noted when it fails, forgotten when it succeeds. Raises `Refused`."""
    keys, notes, at = slots.read(folder), _read(folder), datetime.now().astimezone()
    name = _name(keys, user)
    seconds = wait(notes, name, at)
    if seconds > 0:
        _restamp(folder, notes, name, at)
        raise Refused(
            act="Open the vault", reason=f"{notes.tallies[name].failures} wrong answers in a row. {_again(seconds)}"
        )
    try:
        yield
    except WrongPassphrase:
        with suppress(AssayError):  # a full disk changes nothing in the answer
            _write(folder, noted(_read(folder), keys, user, datetime.now().astimezone()))
        raise
    forget(folder, name)


def forget(folder: Path, user: str) -> None:
    """Nobody waits under that name any more: who they are was shown in another way. The failures still go into the log."""
    notes = _read(folder)
    if user in notes.tallies:
        rest = {other: tally for other, tally in notes.tallies.items() if other != user}
        with suppress(AssayError):
            _write(folder, msgspec.structs.replace(notes, tallies=rest))


def merge(vault: "Vault") -> int:
    """Take what was noted into the audit log of an open vault, and have the next notes sealed for it; how many. Raises `DiskFull`."""
    notes = _read(vault.folder)
    with vault._connections.transaction() as db, vault.read() as reader:
        policy = policies.current(reader)
        pair = _pair(db)
        merged = _log(vault, db, pair, _unmerged(db, notes))
    keys = slots.read(vault.folder)
    if keys.attempts != b64(pair.public):
        slots.write(vault.folder, msgspec.structs.replace(keys, attempts=b64(pair.public)))
    left = Notes(tallies=notes.tallies, allowed=policy.lockout_attempts, minutes=policy.lockout_minutes)
    if left != notes:
        _write(vault.folder, left)
    return merged


def _unmerged(db: Database, notes: Notes) -> Notes:
    """Without what the log has already: the process may have ended between its commit and the deletion of the notes."""
    last = _kept(db, _MERGED)
    names = [digest(sealed.encode("utf-8")).encode("ascii") for sealed in notes.sealed]
    if names:
        _keep(db, _MERGED, names[-1])
    if last not in names:
        return notes
    return msgspec.structs.replace(notes, sealed=notes.sealed[names.index(last) + 1 :], dropped=0)


def _log(vault: "Vault", db: Database, pair: SealingKeys, notes: Notes) -> int:
    unreadable = 0
    for sealed in notes.sealed:
        try:
            plain = pair.open(unb64(sealed, NAME), _context(vault.id))
            attempt = msgspec.json.decode(plain, type=Attempt)
        except (Damaged, msgspec.DecodeError):
            unreadable += 1
            continue
        _entry(vault, db, f"opening as {attempt.user}", f"at {attempt.time}, noted beside the vault until now")
    if notes.dropped:
        _entry(vault, db, "opening", f"{notes.dropped} times, of which only the number was kept")
    if unreadable or notes.damaged:
        _entry(vault, db, "opening", f"{NAME} was damaged or altered: what it noted can't be read")
    return len(notes.sealed) + notes.dropped


def _entry(vault: "Vault", db: Database, about: str, reason: str) -> None:
    log.append(db, vault.user.user, now(), Act.SIGN_IN_FAILED, about, reason)


def _pair(db: Database) -> SealingKeys:
    private = _kept(db, _KEY)
    pair = SealingKeys.generate() if private is None else SealingKeys.from_private(private)
    if private is None:
        _keep(db, _KEY, pair.private_bytes())
    return pair


def _kept(db: Database, name: str) -> bytes | None:
    row = db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return None if row is None else bytes(row[0])


def _keep(db: Database, name: str, value: bytes) -> None:
    db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))


def _read(folder: Path) -> Notes:
    path = folder / NAME
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except FileNotFoundError:
        return Notes()
    except OSError:
        return Notes(damaged=True)
    try:
        notes = msgspec.json.decode(content, type=Notes)
        for tally in notes.tallies.values():
            parse_time(tally.last, NAME)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Damaged):
        return Notes(damaged=True)
    policy = policies.DEFAULT
    if len(content) > LARGEST or notes.allowed < 1 or not 1 <= notes.minutes <= LONGEST_MINUTES:
        return Notes(damaged=True, allowed=policy.lockout_attempts, minutes=policy.lockout_minutes)
    return notes


def _write(folder: Path, notes: Notes) -> None:
    write_whole(folder / NAME, msgspec.json.format(msgspec.json.encode(notes), indent=1) + b"\n")


def _restamp(folder: Path, notes: Notes, name: str, at: datetime) -> None:
    """Where the clock was set back behind the last failure, count the wait from now."""
    tally = notes.tallies[name]
    if parse_time(tally.last, NAME) > at:
        tally = msgspec.structs.replace(tally, last=at.isoformat(timespec="seconds"))
        with suppress(AssayError):
            _write(folder, msgspec.structs.replace(notes, tallies={**notes.tallies, name: tally}))


def _name(keys: slots.KeyFile, user: str) -> str:
    return user if keys.slot(user) is not None else _NOBODY


def _context(vault: str) -> bytes:
    return canonical({"purpose": "assay failed opening", "vault": vault})


def _again(seconds: float) -> str:
    if seconds < 90:
        return f"Try again in {int(seconds) + 1} seconds."
    return f"Try again in {int(seconds / 60) + 1} minutes."
