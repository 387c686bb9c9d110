"""What the log says of a sitting: it began, it ended, and what was refused in between.

A sitting that was cut off leaves no end: the next sign-in says so, in `before`. These entries are the vault's own: no role is asked for, and
they are no changes of content. A refusal is logged once, after whatever was begun was rolled back, and is raised all the same when it can't
be logged.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from core.errors import AssayError, Damaged, Refused
from core.vault import checkpoints
from core.vault.events import Changed
from core.vault.roles import Act
from core.vault.unit import Reader

if TYPE_CHECKING:
    from core.vault.vault import Vault

said = logging.getLogger(__name__)
LOGGED = "in the audit log"
"""Noted on a refusal, which may pass through several blocks and is logged by the innermost."""


def begin(vault: "Vault") -> None:
    """Log the sign-in of the person who opened the vault, with a rollback where there was one. Raises `DiskFull`."""
    with vault.read() as reader:
        found = checkpoints.look(vault.id, reader, vault.user.roles)
        before = _unended(reader)
    vault.rollback = found
    if found is None:
        vault.record(Act.SIGN_IN, before=before)
        _keep(vault)
        return
    vault.record(
        Act.SIGN_IN,
        reason=found.sentence.partition(". ")[0] + ".",
        before="; ".join(
            part for part in (f"{found.seen} {found.seen_root[: checkpoints.SHOWN]}".strip(), before) if part
        ),
        after=f"{found.found} {found.found_root[: checkpoints.SHOWN]}".strip(),
    )


def _unended(reader: Reader) -> str:
    """Whose sitting before this one has no end in the log: its process was killed, the machine failed, or the disk was full."""
    rows = reader.db.execute(
        "SELECT seq FROM trail WHERE act IN (?, ?) ORDER BY seq DESC", (Act.SIGN_IN.value, Act.SIGN_OUT.value)
    )
    for (index,) in rows:
        try:
            entry = reader.log(1, index - 1)[0]
        except Damaged:  # for the check to report
            return ""
        if not entry.about:  # those who join one are about that
            return f"the sitting of {entry.user} from entry {index} on wasn't ended" if entry.act == Act.SIGN_IN else ""
    return ""


def end(vault: "Vault") -> None:
    """Log that the vault was locked. A full disk doesn't keep it open."""
    try:
        vault.record(Act.SIGN_OUT)
    except (AssayError, RuntimeError) as error:
        said.error("The end of the sitting couldn't be logged: %s", type(error).__name__)
        return
    if vault.rollback is None:
        _keep(vault)


def _keep(vault: "Vault") -> None:
    """Keep the checkpoint of now outside the vault; say so where that can't be."""
    try:
        with vault.read() as reader:
            note = reader.checkpoint()
        checkpoints.keep(vault.id, note)
    except (AssayError, OSError) as error:
        vault.unkept = f"No checkpoint can be kept outside the vault, so a rollback wouldn't be noticed here. {error}"
        said.warning("No checkpoint can be kept outside the vault: %s", type(error).__name__)


@contextmanager
def refusals(vault: "Vault", act: Act, about: str = "") -> Iterator[None]:
    """Log what is refused inside the block, as an attempt at `act`."""
    try:
        yield
    except Refused as refused:
        if LOGGED not in getattr(refused, "__notes__", ()):
            _log(vault, act, about, refused)
        raise


def _log(vault: "Vault", act: Act, about: str, refused: Refused) -> None:
    try:
        vault.record(Act.REFUSAL, about=f"{act.value} {about}".rstrip(), reason=str(refused.fields.get("reason", "")))
    except (AssayError, RuntimeError) as error:
        said.error("A refusal couldn't be logged: %s", type(error).__name__)
        return
    refused.add_note(LOGGED)
    vault.events.publish(Changed(act=Act.REFUSAL, about=about))
