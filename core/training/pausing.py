"""Pausing a run or a sweep from beside it: another terminal, whose command works in the process that trains.

Whoever may train may ask for it, and the log says who did. It ends as if it had been stopped where it was started: after its present step, with
that step as its checkpoint.
"""

from typing import Final

from core.errors import BadInput
from core.jobs import Job
from core.records import Digest
from core.vault.roles import Act
from core.vault.under_way import under_way
from core.vault.vault import Vault

TURN: Final = 0.2
"""Seconds between two looks at whether the wait is given up."""


def pause(vault: Vault, digest: Digest, name: str, job: Job) -> None:
    """Ask it to pause, and wait until it has. Raises `BadInput` where it isn't under way here, `Refused`, `Cancelled` (the wait; it still ends)."""
    going = under_way(digest)
    with vault.write(Act.TRAIN, about=f"{name} asked to pause") as unit:
        if going is None or going.stop is None:
            raise BadInput(source=name, problem="it isn't under way. `assay train list` says how each run stands.")
        unit.note(touched=(digest,))
    going.stop()
    while not going.over.wait(TURN):
        job.check()
