"""Short work goes before computing, all that is announced at once, and computing is never kept from its turn."""

import threading
from collections.abc import Callable

from core.inference.worker.turns import MOST, Turns


def in_thread(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_computing_waits_for_all_that_is_announced() -> None:
    turns, seen, ready = Turns(), list[str](), threading.Event()

    def compute() -> None:
        ready.set()
        with turns.computing:
            seen.append("computed")

    with turns.announced():
        with turns.announced():
            thread = in_thread(compute)
            assert ready.wait(120)
            for _ in range(3):
                with turns:
                    seen.append("short")
        with turns:
            seen.append("short")
        assert "computed" not in seen
    thread.join(120)
    assert seen == ["short"] * 4 + ["computed"]


def test_short_work_waits_for_a_step_that_runs() -> None:
    turns, seen = Turns(), list[str]()

    def short() -> None:
        with turns.announced(), turns:
            seen.append("short")

    with turns.computing:
        thread = in_thread(short)
        thread.join(0.05)
        assert seen == []
    thread.join(120)
    assert seen == ["short"]


def test_endless_short_work_does_not_keep_computing_from_its_turn() -> None:
    turns, computed, at = Turns(), threading.Event(), list[int]()
    done = [0]

    def compute() -> None:
        with turns.computing:
            at.append(done[0])
            computed.set()

    with turns.announced():
        thread = in_thread(compute)
        while not computed.is_set() and done[0] < 10_000_000:
            with turns:
                done[0] += 1
        thread.join(120)
    assert computed.is_set()
    assert at[0] >= MOST
