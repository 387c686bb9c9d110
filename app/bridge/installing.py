"""This machine and this installation, examined for the window: the findings in groups, and as text for a message to whoever helps."""

from collections.abc import Callable, Iterable, Sequence
from importlib import metadata
from typing import TYPE_CHECKING

from core.installation import files
from core.installation.files import DISTRIBUTION
from core.jobs import Job

if TYPE_CHECKING:
    from core.installation.records import Examination, Finding

NETWORK = "network: "
MACHINE, BARRIERS, PROGRAM = "This machine", "Barriers against the network", "This program"
OF_PROGRAM = frozenset({"program files", "text recognition", "fonts", "add-ons"})
WORDS = {"good": "Good", "note": "Note", "warning": "Warning", "fault": "Fault"}


def version() -> str:
    """The program's version; empty where it doesn't know it."""
    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return ""


def runs() -> str:
    """Which version runs, and what can be examined."""
    return (
        f"Assay {version()}. ".replace(" . ", ". ")
        + "The machine, the barriers against the network, and the program’s own files."
    )


def warning(job: Job) -> tuple[str, str]:
    """What is wrong with the program's own files at first sight, and the next step; both empty where nothing is."""
    return files.warning()


def examine(job: Job, tell: "Callable[[Finding], None]") -> "Examination":
    """Look at everything, in processes of its own; takes some seconds. Raises `Cancelled`."""
    from core.installation import doctor
    from core.workers.supervisor import Supervisor

    with Supervisor() as supervisor:
        return doctor.examine(supervisor, None, job, tell)


def grouped(findings: "Iterable[Finding]") -> "list[tuple[str, list[Finding]]]":
    """The findings under the headings that the page has, in the order in which they came; a heading without one is left out."""
    groups: dict[str, list[Finding]] = {MACHINE: [], BARRIERS: [], PROGRAM: []}
    for one in findings:
        where = BARRIERS if one.about.startswith(NETWORK) else PROGRAM if one.about in OF_PROGRAM else MACHINE
        groups[where].append(one)
    return [(heading, found) for heading, found in groups.items() if found]


def named(about: str) -> str:
    """What was looked at, as a row names it."""
    short = about.removeprefix(NETWORK)
    return short[:1].upper() + short[1:]


def verdict(findings: "Sequence[Finding]") -> str:
    """All of it in one sentence."""
    faults = sum(one.state == "fault" for one in findings)
    warnings = sum(one.state == "warning" for one in findings)
    if faults:
        return f"{faults} of {len(findings)} findings {'are faults' if faults > 1 else 'is a fault'}: not every promise holds on this machine."
    if warnings:
        return f"What Assay promises holds on this machine, with {warnings} warning{'s' if warnings > 1 else ''}."
    return "What Assay promises holds on this machine."


def as_text(findings: "Sequence[Finding]", when: str) -> str:
    """The same as lines, with neither a vault's name nor its content."""
    lines = [f"Assay {version()}".strip() + f", examined {when}", verdict(findings)]
    for heading, found in grouped(findings):
        lines += ["", heading]
        for one in found:
            step = f" {one.step}" if one.step and one.state != "good" else ""
            lines.append(f"{WORDS[one.state]:<8} {named(one.about)}: {one.sentence}{step}")
    return "\n".join(lines) + "\n"
