"""Texts spread over several lanes that compute at once, the longest first, so that no lane is left with a long one at the end."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import TypeVar

from core.inference.worker.watching import WATCH
from core.workers.serving import Call

Lane = TypeVar("Lane")


def spread(
    pool: Executor, lanes: Sequence[Lane], lengths: Sequence[int], compute: Callable[[Lane, int], None], call: Call
) -> None:
    """`compute(lane, n)` once for each place n of `lengths`. Raises what it raises, and `Cancelled` at the end of the texts under way."""
    if len(lengths) == 1:  # a search's question: no thread is woken for it
        call.check()
        with WATCH.step():
            compute(lanes[0], 0)
        call.check()
        return
    waiting = iter(sorted(range(len(lengths)), key=lambda place: -lengths[place]))
    turn = threading.Lock()

    def work(lane: Lane) -> None:
        while True:
            with turn:
                place = next(waiting, None)
            if place is None or call.cancelled:
                return
            with WATCH.step():
                compute(lane, place)

    for done in [pool.submit(work, lane) for lane in lanes]:
        done.result()
    call.check()
