"""The one thread that llama.cpp computes on, and how what it computes gets to those who wait.

One thread, because libgomp keeps a team for each thread that ever computed: with a second team there are more threads than cores, and
then its threads sleep at every barrier (two cores: 10 ms a token became 15). Rules: work on different lanes alternates, step by step; on one
lane it goes in the order of asking; a cancelled task that waits is told so at once; whatever a step raises goes to whoever asked, and the
thread goes on; each step is watched (`core.inference.worker.watching`). Text is handed on at once while it comes slowly, else in lots: each
waking of another thread takes a core from the model.
"""

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Final, Generic, TypeVar

from core.errors import Cancelled
from core.inference.worker.watching import WATCH, Watch
from core.workers.serving import Call

T = TypeVar("T")

PACE: Final = 0.05
"""Seconds between two lots of one stream; nobody reads faster."""
SLOWEST: Final = 0.2
"""The same, where many streams run together."""
UNREAD: Final = 3600.0
"""The same, where nobody reads before the end: the lot after the first comes with it."""


class Handed(Generic[T]):
    """Items on their way from the computing thread to one that sends them on."""

    def __init__(self, pace: Callable[[], float] = lambda: PACE) -> None:
        """`pace` is asked after each lot how many seconds the next one may gather."""
        self.over = False
        """Whether nobody wants more."""
        self._pace = pace
        self._items: queue.SimpleQueue[tuple[T, ...]] = queue.SimpleQueue()
        self._ended = threading.Event()
        self._error: BaseException | None = None

    def put(self, item: T) -> None:
        self._items.put((item,))

    def end(self, error: BaseException | None = None) -> None:
        """Nothing follows, but for `error`. Once."""
        self._error = error
        self._ended.set()
        self._items.put(())

    def lots(self) -> Iterator[list[T]]:
        """What came since the lot before, never empty. Raises the error that it ended with. Closing it means that nobody wants more."""
        try:
            while True:
                found = [self._items.get()]
                while not self._items.empty():
                    found.append(self._items.get())
                at = time.monotonic()
                if lot := [item for some in found for item in some]:
                    yield lot
                if not found[-1]:
                    break
                self._ended.wait(max(0.0, at + self._pace() - time.monotonic()))
        finally:
            self.over = True
        if self._error is not None:
            raise self._error


class _Task:
    """Steps on a lane; each but the last gives an item or None."""

    def __init__(self, steps: Iterator[Any], handed: Handed[Any], call: Call | None, after: Callable[[], None]) -> None:
        self.steps = steps
        self.handed = handed
        self.call = call
        self.after = after

    def end(self, error: BaseException | None = None) -> None:
        self.after()
        self.handed.end(error)

    @property
    def given_up(self) -> bool:
        return self.handed.over or (self.call is not None and self.call.cancelled)


class Computer:
    """The thread and its lanes. `turn` is held while it computes."""

    def __init__(self, turn: AbstractContextManager[Any], watch: Watch = WATCH) -> None:
        self._turn = turn
        self._watch = watch
        self._new: queue.SimpleQueue[tuple[str, _Task]] = queue.SimpleQueue()
        self._lanes: dict[str, deque[_Task]] = {}
        threading.Thread(target=self._loop, name="computing", daemon=True).start()

    def lots(
        self,
        lane: str,
        steps: Iterator[T | None],
        call: Call,
        after: Callable[[], None] = lambda: None,
        pace: float = PACE,
    ) -> Iterator[list[T]]:
        """What `steps` gives (None is left out), computed when the lane's earlier work is done. `after` is called at its end, in any case.
        `pace`: seconds that a lot after the first may gather. Raises what `steps` raises, `Cancelled`."""
        handed: Handed[T] = Handed(lambda: pace)
        self._new.put((lane, _Task(iter(steps), handed, call, after)))
        return handed.lots()

    def add(self, lane: str, steps: Iterator[None]) -> None:
        """Work that hands on by itself, and raises nothing."""
        self._new.put((lane, _Task(steps, Handed(), None, lambda: None)))

    def _loop(self) -> None:
        while True:
            if not any(self._lanes.values()):
                self._take(*self._new.get())
            while not self._new.empty():
                self._take(*self._new.get())
            for lane in list(self._lanes.values()):
                if len(lane) > 1:
                    self._tell(lane)
                if lane:
                    self._step(lane)

    def _take(self, lane: str, task: _Task) -> None:
        self._lanes.setdefault(lane, deque()).append(task)

    def _tell(self, lane: "deque[_Task]") -> None:
        for task in [task for task in lane if task is not lane[0] and task.given_up]:
            lane.remove(task)
            task.end(Cancelled(what="The request"))

    def _step(self, lane: "deque[_Task]") -> None:
        task = lane[0]
        try:
            if not task.handed.over:
                with self._turn, self._watch.step():
                    item = next(task.steps)
                if item is not None:
                    task.handed.put(item)
                return
            if close := getattr(task.steps, "close", None):
                close()
            error = None
        except StopIteration:
            error = None
        except BaseException as problem:  # noqa: BLE001 (raised again where it was asked for)
            error = problem
        lane.popleft()
        task.end(error)
