"""What an examination of this machine and this installation found."""

from typing import Literal

from core.records import Record

State = Literal["good", "note", "warning", "fault"]
"""A note is worth knowing; a warning costs safety, speed or a feature; with a fault the program's promises don't hold here."""


class Finding(Record, frozen=True, kw_only=True):
    """One thing that was looked at."""

    about: str
    """A short name that stays the same from release to release: "memory", "network: document reader"."""
    state: State
    sentence: str
    step: str = ""
    """What to do, where something should be done."""
    figures: dict[str, int | float | str | bool] = {}  # noqa: RUF012 (a record is frozen, and msgspec copies it)
    """What was measured: bytes, counts, names."""


class Examination(Record, frozen=True, kw_only=True):
    """All findings, in the order in which they were looked at."""

    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing is a fault."""
        return all(finding.state != "fault" for finding in self.findings)
