"""The care of a vault as pages ask for it: its policy, its backups, its check, its space. Runs off the UI thread.

What needs the core's services imports them when it is called: the window appears before they are loaded.
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.bridge.keeping import due_now
from core import paths
from core.errors import Unavailable
from core.jobs import Job

if TYPE_CHECKING:
    from core.vault.policies import Policy
    from core.vault.records import Finding
    from core.workbench import Workbench


@dataclass(frozen=True)
class Backups:
    """How the last backup lies: `made` is empty where there is none; `newer` counts the log entries since; `days` have passed."""

    made: str
    newer: int
    days: int
    entries: int
    overdue: bool


@dataclass(frozen=True)
class Care:
    """What the page on the vault shows. Sizes in bytes; `index_in_memory` is None where this build can't say."""

    folder: Path
    size: int
    cache: int
    entries: int
    policy: "Policy"
    policy_version: str
    policy_author: str
    backups: Backups
    memory: bool
    can_compact: bool
    seen: str
    """When this machine last kept a checkpoint of the log outside the vault; empty where it never did."""
    witnessed: "tuple[Witnessed, ...]"
    """What each witness vouched for last."""


@dataclass(frozen=True)
class Witnessed:
    """A witness's last word: its name, when it was said by its own clock, and of how many entries."""

    name: str
    time: str
    size: int


CARE = frozenset({"back-up", "restore", "change-settings", "change-passphrase", "set-retention", "erase", "hold"})
"""The acts after which the window looks after the vault again."""
Said = tuple[str, str, str]
"""What a banner says, what is safe or at stake, and the word on its button (none where this person can't help it)."""


@dataclass(frozen=True)
class Wardship:
    """What the window does about a vault: when it locks it, and what it warns of."""

    idle_minutes: int
    rollback: Said | None
    backup: Said | None
    passphrase: Said | None
    due: Said | None


def look_after(bench: "Workbench") -> Wardship:
    """Look at the policy, at what was seen of the log before, and at the last backup."""
    admin = "admin" in bench.vault.user.roles
    rollback = getattr(bench.vault, "rollback", None)
    found = backups(bench)
    warned = None if rollback is None else (*told(rollback.sentence), "Settle…" if admin else "")
    overdue = (*reminder(found), "Back up now…") if admin and found.overdue else None
    now = policy(bench)
    return Wardship(now.idle_minutes, warned, overdue, stale(bench, now), due(bench))


def due(bench: "Workbench") -> Said | None:
    """That content has been kept as long as the rules say, for whoever may erase it."""
    count = due_now(bench)
    if not count:
        return None
    what = f"{count:,} content{' has' if count == 1 else 's have'} been kept as long as the rules say."
    return what, "Nothing is erased until you look at it and sign.", "Look at them…"


def stale(bench: "Workbench", now: "Policy") -> Said | None:
    """That this person's passphrase must be changed before anything else, or before they sign."""
    from core.vault import users

    user = bench.vault.user.user
    with bench.vault.read() as reader:
        changed = datetime.fromisoformat(users.passphrase_changed(reader.db, user))
        chosen_by = users.passphrase_by(reader.db, user)
    days = (datetime.now(UTC) - changed).days
    act = "Change passphrase…"
    if now.passphrase_days and days >= now.passphrase_days:
        return f"Your passphrase is {days:,} days old.", "Change it first: nothing else can be changed until then.", act
    if now.own_passphrase and chosen_by not in ("", user):
        return "Somebody else chose your passphrase.", "Change it before you sign anything.", act
    return None


def told(sentence: str) -> tuple[str, str]:
    """A warning of the core in two parts, what and what to do, without the command that a button stands for."""
    what, dot, rest = sentence.replace(" (`assay audit settle`)", "").partition(". ")
    return what + dot.strip(), rest


def policy(bench: "Workbench") -> "Policy":
    """The policy in force."""
    from core.vault import policies

    with bench.vault.read() as reader:
        return policies.current(reader)


def backups(bench: "Workbench") -> Backups:
    """How far back the last backup lies, and whether the policy's days are over."""
    from core.vault import policies
    from core.vault.restored import last_backup

    with bench.vault.read() as reader:
        last = last_backup(reader)
        days = policies.current(reader).backup_days
        since = last.made if last is not None else reader.log(1)[0].time
        entries = reader.log_size
    passed = (datetime.now(UTC) - datetime.fromisoformat(since)).days
    newer = last.newer if last is not None else entries
    return Backups(
        made="" if last is None else last.made,
        newer=newer,
        days=passed,
        entries=entries,
        overdue=bool(days) and passed >= days and newer > 0,
    )


def reminder(found: Backups) -> tuple[str, str]:
    """What the banner says of a backup that is overdue: what, and what is at stake."""
    entries = f"{found.newer:,} entr{'y' if found.newer == 1 else 'ies'} of the log"
    if not found.made:
        return (
            "This vault was never backed up.",
            f"If this disk fails, all of it is lost: {entries} and what they tell of.",
        )
    days = f"{found.days} day{'' if found.days == 1 else 's'}"
    return f"The last backup is {days} old.", f"If this disk fails, what was done since is lost: {entries}."


def care(bench: "Workbench") -> Care:
    """Read what the page on the vault shows."""
    from core.vault import policies

    folder = bench.vault.folder
    with bench.vault.read() as reader:
        version = policies.latest(reader)
        current = policies.current(reader)
    found = backups(bench)
    return Care(
        folder=folder,
        size=_size(folder, "cache"),
        cache=_size(folder / "cache", ""),
        entries=found.entries,
        policy=current,
        policy_version="the defaults" if version is None else version.reference,
        policy_author="" if version is None else version.author,
        backups=found,
        memory=paths.ram_backed() is not None,
        can_compact=_compacting() is not None,
        seen=_last_seen(bench),
        witnessed=_witnessed(bench),
    )


def _last_seen(bench: "Workbench") -> str:
    from core.vault import checkpoints

    try:
        kept = checkpoints.place(bench.vault.id).stat().st_mtime
    except OSError:
        return ""
    return datetime.fromtimestamp(kept).astimezone().isoformat()


def _witnessed(bench: "Workbench") -> "tuple[Witnessed, ...]":
    from core.trust.notes import witness_key_from
    from core.vault import witnesses

    with bench.vault.read() as reader:
        latest = {one.witness: one for one in sorted(witnesses.accepted(reader), key=lambda one: one.size)}
    return tuple(
        Witnessed(witness_key_from(key).name, datetime.fromtimestamp(one.time, UTC).isoformat(), one.size)
        for key, one in latest.items()
    )


def back_up(bench: "Workbench", path: Path, job: Job) -> str:
    """Write a backup while the vault is in use; its SHA-256. Raises `AlreadyExists`, `DiskFull`, `Unavailable`, `Refused`, `Cancelled`."""
    from core.vault.backup import backup

    return str(backup(bench.vault, path, job).sha256)


def restore(file: Path, folder: Path, user: str, passphrase: str, despite: bool, job: Job) -> str:
    """Make a vault from a backup; when the state was made that it holds. Raises what `core.vault.restore.restore` does."""
    from core.vault import restore as core
    from core.workbench import SCHEMA

    return core.restore(file, folder, core.with_passphrase(file, user, passphrase), SCHEMA, job, despite).made


def recover(folder: Path, words: str, user: str, passphrase: str, job: Job) -> str:
    """Give an administrator of a closed vault a new passphrase by the recovery key; their name. Raises what `core.vault.recovery.recover` does."""
    from core.vault import recovery
    from core.workbench import SCHEMA

    return recovery.recover(folder, words, user, passphrase, SCHEMA).name


def check(bench: "Workbench", job: Job) -> "tuple[Finding, ...]":
    """All that is wrong with the vault; nothing when it is whole. Raises `Cancelled`."""
    from core.vault.check import check as core

    return core(bench.vault, job)


def compact(bench: "Workbench", job: Job) -> int:
    """Give unused space back to the disk; how many bytes. Raises `Unavailable` where this build can't, `DiskFull`, `Refused`."""
    work = _compacting()
    if work is None:
        raise Unavailable(
            what="This build of Assay can't compact a vault", step="Make a backup and restore it instead."
        )
    before = _size(bench.vault.folder, "cache")
    work(bench.vault, job)
    return max(0, before - _size(bench.vault.folder, "cache"))


def change_policy(bench: "Workbench", settings: Mapping[str, str], reason: str, own: str) -> "Policy":
    """Change the policy under one's own signature. Raises `WrongPassphrase`, `Refused`, `BadInput`."""
    from core.vault import policies

    with bench.vault.sitting.confirm(own, bench.vault.user.user) as signer:
        return policies.change(bench.vault, settings, reason, signer)


def _compacting() -> Any:
    try:
        return importlib.import_module("core.vault.compact").compact
    except ImportError:
        return None


def _size(folder: Path, without: str) -> int:
    """Bytes of a folder's files, a folder named `without` in it aside."""
    if not folder.is_dir():
        return 0
    return sum(
        path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file() and not (without and path.relative_to(folder).parts[0] == without)
    )
