"""Examines this machine and this installation: what the program needs, what it promises, and whether both hold here."""

from collections.abc import Callable
from pathlib import Path

from core.installation import addons, barriers, cards, files, machine
from core.installation.records import Examination, Finding
from core.jobs import Job
from core.workers.supervisor import Supervisor


def examine(
    supervisor: Supervisor, folder: Path | None, job: Job, told: Callable[[Finding], None] = lambda _: None
) -> Examination:
    """Look at everything; takes some seconds. `folder` is where vaults lie, or None for the home folder. Each finding goes to `told` as it comes.
    Raises `Cancelled`."""
    found: list[Finding] = []

    def keep(finding: Finding) -> None:
        job.check()
        found.append(finding)
        told(finding)

    keep(machine.processor())
    keep(cards.examine(supervisor, job))
    keep(machine.memory())
    keep(machine.swap())
    keep(machine.disk(folder or Path.home()))
    keep(machine.storage())
    keep(machine.clock())
    keep(machine.recognition())
    keep(machine.fonts())
    keep(barriers.own())
    for finding in barriers.workers(supervisor, job):
        keep(finding)
    keep(files.examine(job))
    for finding in addons.examine(job):
        keep(finding)
    return Examination(findings=tuple(found))
