"""The computing thread: order on a lane, lanes beside each other, errors to whoever asked, and text in lots."""

import threading
from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from core.errors import Cancelled
from core.inference.worker.computing import Computer, Handed


class Asked:
    """A call that can be cancelled."""

    cancelled = False


def all_of(lots: Iterator[list[int]]) -> list[int]:
    return [item for lot in lots for item in lot]


def test_all_items_arrive_in_order_and_what_is_done_after_is_done() -> None:
    done = threading.Event()
    lots = Computer(nullcontext()).lots("a", iter([1, None, 2, 3]), Asked(), done.set)
    assert all_of(lots) == [1, 2, 3]
    assert done.is_set()


def test_an_error_reaches_whoever_asked_and_the_thread_goes_on() -> None:
    computer = Computer(nullcontext())

    def broken() -> Iterator[int]:
        yield 1
        raise ValueError("no")

    lots = computer.lots("a", broken(), Asked())
    assert next(lots) == [1]
    with pytest.raises(ValueError, match="no"):
        all_of(lots)
    assert all_of(computer.lots("a", iter([7]), Asked())) == [7]


def test_lanes_alternate_and_on_a_lane_one_comes_after_the_other() -> None:
    computer, gate, seen = Computer(nullcontext()), threading.Event(), list[str]()

    def steps(name: str) -> Iterator[int]:
        gate.wait(120)
        for number in range(3):
            seen.append(name)
            yield number

    waiting = [computer.lots(name[0], steps(name), Asked()) for name in ("a1", "a2", "b1")]
    gate.set()
    for lots in waiting:
        assert all_of(lots) == [0, 1, 2]
    assert seen.index("a2") > 2
    assert [name for name in seen if name != "b1"] == ["a1"] * 3 + ["a2"] * 3
    assert seen.index("b1") < seen.index("a2")


def test_who_is_cancelled_while_waiting_is_told_at_once_and_the_other_goes_on() -> None:
    computer, stop, freed = Computer(nullcontext()), threading.Event(), threading.Event()

    def long() -> Iterator[int]:
        while not stop.is_set():
            yield 1

    first = computer.lots("a", long(), Asked())
    next(first)
    call = Asked()
    second = computer.lots("a", iter([2]), call, freed.set)
    call.cancelled = True
    with pytest.raises(Cancelled):
        all_of(second)
    assert freed.is_set()
    assert next(first)
    stop.set()


def test_closing_ends_the_steps() -> None:
    computer, closed = Computer(nullcontext()), threading.Event()

    def endless() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.set()

    lots = computer.lots("a", endless(), Asked())
    next(lots)
    lots.close()
    assert closed.wait(120)


def test_what_gathers_comes_in_one_lot_and_the_end_is_not_waited_for() -> None:
    handed: Handed[int] = Handed(lambda: 3600.0)
    for number in range(3):
        handed.put(number)
    lots = handed.lots()
    assert next(lots) == [0, 1, 2]
    handed.put(3)
    handed.end()
    assert list(lots) == [[3]]
    assert handed.over
