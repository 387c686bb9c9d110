"""Storing the traces of calls, several in one change.

Who stores a trace waits until it is on disk. Those that come meanwhile are stored together by whoever is next, so that many short calls at once
don't wait for a commit each.
"""

import threading
from collections.abc import Callable, Sequence

from core.assistants.api_calls import ApiCall
from core.records import Digest


class _Waiting:
    def __init__(self, call: ApiCall) -> None:
        self.call = call
        self.done = threading.Event()
        self.digest: Digest | None = None
        self.error: Exception | None = None


class Tracer:
    """Stores traces by `keep`, which stores many in one change."""

    def __init__(self, keep: Callable[[Sequence[ApiCall]], tuple[Digest, ...]]) -> None:
        self._keep = keep
        self._writing = threading.Lock()
        self._lock = threading.Lock()
        self._line: list[_Waiting] = []

    def store(self, call: ApiCall) -> Digest:
        """The digest of the trace, once it is stored. Raises what `keep` raises."""
        mine = _Waiting(call)
        with self._lock:
            self._line.append(mine)
        with self._writing:
            if not mine.done.is_set():
                self._store_all()
        if mine.error is not None:
            raise mine.error
        assert mine.digest is not None
        return mine.digest

    def _store_all(self) -> None:
        with self._lock:
            some, self._line = self._line, []
        try:
            digests = self._keep([one.call for one in some])
            for one, digest in zip(some, digests, strict=True):
                one.digest = digest
        except Exception as error:  # noqa: BLE001 (each of those who wait raises it)
            for one in some:
                one.error = error
        finally:
            for one in some:
                one.done.set()
