"""Watching folders by asking at intervals: names, sizes and times of change, no content. Opt-in, on every system the same, on network folders too.

A change counts when it stood still for one interval, so that a file that is being written isn't read half-way.
"""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from core.documents import files
from core.errors import AssayError, Unavailable
from core.jobs import Job

EVERY: Final = 10.0
"""Seconds between two looks."""
Look = tuple[tuple[str, int, int], ...]
"""Of each file: its name, its bytes, and when it changed."""


def look(folders: tuple[str, ...]) -> Look:
    """How folders look now. Raises `Unavailable` where one isn't there."""
    for folder in folders:
        if not Path(folder).is_dir():
            raise Unavailable(what=f"The folder {folder} isn't there", step="Connect its disk.")
    seen = []
    for name, path in files.collect(folders)[0]:
        try:
            known = path.stat()
        except OSError:
            continue
        seen.append((name, known.st_size, known.st_mtime_ns))
    return tuple(seen)


class Watch:
    """Tells when folders changed since they were last in step, and stand still again."""

    def __init__(self, folders: tuple[str, ...]) -> None:
        self._folders = folders
        self._done: Look | None = None
        self._last: Look | None = None

    def due(self) -> bool:
        """Whether there is something to refresh; ask at intervals. The first time there is."""
        now = look(self._folders)
        still = now == self._last or self._done is None
        self._last = now
        return still and now != self._done

    @property
    def waiting(self) -> int:
        """How many files differed at the last look from when folders and collection were last in step; 0 before they were."""
        if self._done is None or self._last is None:
            return 0
        return len({name for name, _, _ in set(self._done) ^ set(self._last)})

    def done(self) -> None:
        """A refresh that began after the last `due` is through."""
        self._done = self._last


def watch(folders: tuple[str, ...], refresh: Callable[[], object], job: Job, said: Callable[[str], None]) -> None:
    """Refresh whenever folders changed, until the job is cancelled. What goes wrong is `said` once, and tried again at the next look."""
    watched, stopped, last = Watch(folders), threading.Event(), ""
    take_back = job.on_cancel(stopped.set)
    try:
        while not stopped.is_set():
            try:
                if watched.due():
                    refresh()
                    watched.done()
                last = ""
            except AssayError as error:
                job.check()
                if str(error) != last:
                    said(str(error))
                last = str(error)
            stopped.wait(EVERY)
    finally:
        take_back()
