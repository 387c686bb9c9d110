"""The time that is left of a run, told by its pace."""

from core.evals.pace import Pace


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_time_left_follows_the_pace_of_each_phase() -> None:
    clock = Clock()
    pace = Pace(clock)
    told = []
    for phase, seconds, steps in (("answering", 2.0, 5), ("judging", 30.0, 4)):
        for left in reversed(range(steps)):
            clock.now += seconds
            told.append(pace.step(phase, left))
    assert told == ["", "", "4 s of answering left", "2 s of answering left", "", "", "", "30 s of judging left", ""]


def test_a_run_without_judges_has_one_phase_and_a_quick_one_tells_nothing() -> None:
    clock = Clock()
    pace = Pace(clock)
    assert [pace.step("", left) for left in (900, 899, 898)] == [""] * 3
    clock.now += 100.0
    assert pace.step("", 300) == "2 h 5 min left"
