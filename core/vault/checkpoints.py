"""The last checkpoint seen, kept outside the vault: an older or another vault in its place opens with a warning.

In the user's own folder lies, for each vault that they opened on this machine, the log's signed note as it was when they last began or
ended a sitting: a random id, a size and a hash, nothing confidential. The rules:

1. A vault whose log is shorter than that note says, or begins otherwise, was rolled back or rewritten: that is said, logged with the
   sign-in, and the note stays as it is until an administrator settles it with a reason, which is logged too, or is the first to open what
   was restored from a backup: anybody who has the backup and a passphrase can restore, and put an older state in the vault's place.
2. A note that can't be read or isn't signed by this vault's log is a warning of its own; a folder that can't be written is another.
3. What was done since the note was written can be rolled back unnoticed here: it is as old as the end of the last sitting.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import AssayError, BadInput, Damaged, Refused
from core.paths import config_folder, write_whole
from core.records import Record
from core.trust.notes import LARGEST, Checkpoint, verify_checkpoint
from core.vault import log
from core.vault.log_tree import LogTree
from core.vault.roles import Act, allowed
from core.vault.unit import Reader

if TYPE_CHECKING:
    from core.vault.vault import Vault

RESTORED = "restored"
"""The name in `meta` of the mark that a restored vault carries until it is opened."""
GAP = "none: entries are missing"
"""In place of a root that can't be computed. The vault opens all the same, so that its check can say what is missing."""
SHOWN = 16
"""Characters of a root in a sentence."""


class Rollback(Record, frozen=True, kw_only=True):
    """That the vault's log isn't a continuation of the one seen before. Sizes in entries; roots in hexadecimal, empty where unknown."""

    seen: int
    seen_root: str
    found: int
    found_root: str
    """The root of the log's first `seen` entries; empty when it has fewer."""

    @property
    def sentence(self) -> str:
        """What the person who opens the vault is told."""
        if not self.seen_root:
            what = "The checkpoint that was kept of this vault on this machine can't be read, or is another log's."
        elif not self.found_root:
            what = (
                f"This vault is older than the one last opened here: its log has {self.found} entries, "
                f"{self.seen} were seen."
            )
        else:
            what = f"This vault's history differs from the one last opened here: the first {self.seen} entries aren't the same."
        return (
            f"{what} If a backup was restored, an administrator settles this with a reason (`assay audit settle`); "
            "if not, somebody replaced or rewrote the vault: keep it as it is and ask your auditor."
        )


def place(vault: str) -> Path:
    """Where the note about a vault lies."""
    return config_folder() / "checkpoints" / f"{vault}.txt"


def look(vault: str, reader: Reader, roles: Iterable[str]) -> Rollback | None:
    """Compare the log with the note of that vault id; None when it continues it, when none was kept, and when the vault was restored from a
    backup and somebody with these `roles`, who may settle that, opens it for the first time since."""
    marked = reader.db.execute("SELECT 1 FROM meta WHERE name = ?", (RESTORED,)).fetchone()
    if marked and allowed(Act.RESTORE, roles):
        return None
    try:
        with place(vault).open("rb") as file:
            note = file.read(LARGEST + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return Rollback(seen=0, seen_root="", found=reader.log_size, found_root="")
    try:
        seen = verify_checkpoint(note, log.public_key(reader.db, log.origin(vault)))
    except AssayError:
        return Rollback(seen=0, seen_root="", found=reader.log_size, found_root="")
    return compare(seen, reader)


def compare(seen: Checkpoint, reader: Reader) -> Rollback | None:
    """None when the log that `reader` sees continues the one that `seen` tells of."""
    size = reader.log_size
    try:
        root = LogTree().root_at(reader.db, seen.size).hex() if seen.size <= size else ""
    except Damaged:
        root = GAP
    if root == seen.root.hex():
        return None
    return Rollback(seen=seen.size, seen_root=seen.root.hex(), found=size, found_root=root)


def keep(vault: str, note: bytes) -> None:
    """Keep a note as the last one seen. Raises `DiskFull`, `Unavailable`."""
    where = place(vault)
    where.parent.mkdir(mode=0o700, exist_ok=True)
    write_whole(where, note)


def forget(vault: str) -> None:
    """Expect nothing of a vault any more: it was restored from a backup here, or thrown away."""
    place(vault).unlink(missing_ok=True)


def settle(vault: "Vault", reason: str) -> None:
    """Take the log as it is, knowing that it isn't what was seen before: logged, and no warning from then on.

    Raises `BadInput` without a reason, `Refused` where there is nothing to settle or the person isn't an administrator."""
    found = vault.rollback
    if not reason.strip():
        raise BadInput(source="Reason", problem="say why the vault is older than what was seen, or differs from it.")
    with vault.write(Act.RESTORE, about="the log as it is", reason=reason.strip()) as unit:
        if found is None:
            raise Refused(act="Settle a warning", reason="This vault's log continues the one seen before.")
        unit.note(
            before=f"{found.seen} {found.seen_root[:SHOWN]}".strip(),
            after=f"{found.found} {found.found_root[:SHOWN]}".strip(),
        )
    with vault.read() as reader:
        keep(vault.id, reader.checkpoint())
    vault.rollback = None
