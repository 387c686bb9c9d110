"""`assay doctor`: this machine and this installation, examined. Needs no vault."""

from pathlib import Path

import click

from core.cli.output import one_line
from core.cli.session import FILE, Session, pass_session
from core.installation import doctor as examination
from core.installation.records import Finding
from core.workers.supervisor import Supervisor

_MARKS = {"good": "ok     ", "note": "note   ", "warning": "warning", "fault": "FAULT  "}


@click.command()
@click.option("--folder", type=FILE, help="Where vaults lie; your home folder where it isn't given.")
@pass_session
def doctor(session: Session, folder: Path | None) -> None:
    """Examine this machine and this installation: processor, memory, disk, clock, barriers against the network from every kind of process, and
    whether the program's files are as they were built. Exit code 1 when a promise doesn't hold here."""
    told = (lambda _: None) if session.output.json_wanted else (lambda finding: session.output.text(_told(finding)))
    with Supervisor() as supervisor:
        found = examination.examine(supervisor, folder, session.output.quiet_job("Examining"), told)
    faults = sum(finding.state == "fault" for finding in found.findings)
    session.output.result(
        {
            "sound": found.sound,
            "findings": [
                {
                    "about": finding.about,
                    "state": finding.state,
                    "sentence": finding.sentence,
                    "step": finding.step,
                    "figures": finding.figures,
                }
                for finding in found.findings
            ],
        },
        [
            "What Assay promises holds on this machine."
            if found.sound
            else f"{faults} of {len(found.findings)} findings are faults."
        ],
    )
    if not found.sound:
        raise SystemExit(1)


def _told(finding: Finding) -> str:
    step = f" {finding.step}" if finding.step and finding.state != "good" else ""
    return one_line(f"{_MARKS[finding.state]}  {finding.about}: {finding.sentence}{step}") + "\n"
