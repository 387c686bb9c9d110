"""What a command prints: for people, lines and tables; with `--json`, exactly one JSON document on standard output.

Progress and remarks go to standard error, so that a pipe gets the result alone. The JSON of each command is an interface: its keys are
tested and only added to. Names and texts come from files that nobody here wrote, so what a terminal would obey or hide is made visible.
"""

import json
import time
import unicodedata
from collections.abc import Callable, Sequence

from core.cli.console import Console
from core.jobs import Job, Progress

BAR = 24
"""Characters of the progress bar."""
DRAWN_EVERY = 1 / 20
"""Seconds between two drawings."""
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Unicode categories that a terminal doesn't print but may obey: controls, directions of writing, separators."""


class Output:
    """Where results go. `json_wanted` decides once for the whole command."""

    def __init__(self, json_wanted: bool, console: Console) -> None:
        self.json_wanted = json_wanted
        self._console = console

    def result(self, content: object, lines: Sequence[str]) -> None:
        """The command's result, in the form that was asked for."""
        if self.json_wanted:
            self._console.out(json.dumps(content, ensure_ascii=False, indent=2) + "\n")
        else:
            for line in lines:
                self._console.out(visible(line) + "\n")

    def say(self, line: str) -> None:
        """A remark for the person who waits; never part of the result."""
        self._console.err(visible(line) + "\n")

    def text(self, piece: str) -> None:
        """A piece of streamed text, for people only."""
        if not self.json_wanted:
            self._console.out(visible(piece))

    def job(self, title: str) -> Job:
        """A job whose progress is drawn on a terminal, and nowhere else. Ctrl-C stops it at its next place to stop, a second one at once."""
        job = Job(title, _drawn(self._console.err) if self._console.draws else None)
        self._console.watch(job)
        return job

    def quiet_job(self, title: str) -> Job:
        """A job that Ctrl-C stops, and whose progress is not drawn."""
        job = Job(title)
        self._console.watch(job)
        return job


def _drawn(err: Callable[[str], None]) -> Callable[[Progress], None]:
    """Draws progress over the line before, some times a second and at its end."""
    last = 0.0
    width = 0

    def draw(progress: Progress) -> None:
        nonlocal last, width
        total = progress.total or 0
        ended = bool(total) and progress.done >= total
        if not ended and time.monotonic() - last < DRAWN_EVERY:
            return
        last = time.monotonic()
        filled = BAR * progress.done // total if total else 0
        of = f"{progress.done} of {total}" if total else str(progress.done)
        bar = f"{'█' * filled}{'░' * (BAR - filled)}"
        text = f"{progress.title}  {bar}  {of} {progress.unit}{f', {progress.note}' if progress.note else ''} "
        width = max(width, len(text))
        err(f"\r{text.ljust(width)}" + ("\n" if ended else ""))

    return draw


def table(header: Sequence[str], rows: Sequence[Sequence[str]], empty: str = "") -> list[str]:
    """Rows as aligned columns, a line each; columns of figures are right-aligned. Without rows, the sentence `empty` where one is given."""
    if empty and not rows:
        return [empty]
    shown = [[visible(cell, whole=False) for cell in row] for row in [header, *rows]]
    columns = range(len(header))
    widths = [max(_width(row[column]) for row in shown) for column in columns]
    figures = [bool(rows) and all(_figure(row[column]) for row in shown[1:]) for column in columns]
    lines = []
    for row in shown:
        cells = [
            " " * (width - _width(cell)) + cell if figure else cell + " " * (width - _width(cell))
            for cell, width, figure in zip(row, widths, figures, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def visible(text: str, whole: bool = True) -> str:
    """The text with invisible characters as [U+…]; line ends and tabs stay in a whole text, and are named in a cell."""
    kept = "\n\t" if whole else ""
    return "".join(
        character
        if character in kept or unicodedata.category(character) not in _INVISIBLE
        else f"[U+{ord(character):04X}]"
        for character in text
    )


def short(digest: str) -> str:
    """A digest shortened in the middle, as everywhere in the program."""
    return f"{digest[:8]}…{digest[-4:]}" if len(digest) > 16 else digest


def one_line(text: str) -> str:
    """A name as part of a line: its line ends and tabs are made visible too."""
    return visible(text, whole=False)


def _width(text: str) -> int:
    """Columns that a terminal takes for it: two for a wide character, none for a combining one."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def _figure(cell: str) -> bool:
    return bool(cell) and cell[0].isdigit() and cell.replace(".", "").replace(",", "").replace(" ", "").isdigit()
