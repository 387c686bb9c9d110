"""Whoever waits for a verdict or a preview can stop the work, wherever it is, and sees how far it is."""

import io

import pytest

from core.errors import Cancelled
from core.evidence.redaction import Request, preview, redact
from core.evidence.verify import verify
from core.jobs import Job, Progress
from tests.unit.evidence.building import TRUST, content, pack
from tests.unit.evidence.judging import AT

WHOLE = pack(content(adapted=True))
REQUEST = Request(fields=("answer",))


class Stopper:
    """A job that is stopped at its nth report."""

    def __init__(self, after: int) -> None:
        self.seen: list[Progress] = []
        self._after = after
        self.job = Job("Work", self._told)

    def _told(self, progress: Progress) -> None:
        self.seen.append(progress)
        if len(self.seen) == self._after:
            self.job.cancel()


def test_a_verdict_says_how_much_was_read() -> None:
    watched = Stopper(0)
    assert verify(io.BytesIO(WHOLE), TRUST, AT, watched.job).verdict == "valid"
    done = [progress.done for progress in watched.seen]
    assert done == sorted(done)
    assert (done[0], done[-1]) == (0, watched.seen[-1].total)
    assert {progress.unit for progress in watched.seen} == {"bytes"}
    assert len(done) > 10


@pytest.mark.parametrize("after", [1, 5, 14])
def test_a_verdict_that_is_stopped_reads_no_further(after: int) -> None:
    watched = Stopper(after)
    with pytest.raises(Cancelled):
        verify(io.BytesIO(WHOLE), TRUST, AT, watched.job)
    assert len(watched.seen) == after


def test_a_verdict_is_stopped_after_everything_was_read_too() -> None:
    reports = Stopper(0)
    verify(io.BytesIO(WHOLE), TRUST, AT, reports.job)
    with pytest.raises(Cancelled):
        verify(io.BytesIO(WHOLE), TRUST, AT, Stopper(len(reports.seen)).job)


def test_a_preview_and_a_redaction_stop_in_the_first_reading_and_in_the_second() -> None:
    reports = Stopper(0)
    told = preview(WHOLE, REQUEST, reports.job)
    assert told.openings
    for after in (1, len(reports.seen) // 2, len(reports.seen) // 2 + 3):
        for work in (preview, redact):
            watched = Stopper(after)
            with pytest.raises(Cancelled):
                work(WHOLE, REQUEST, watched.job)
            assert len(watched.seen) == after
