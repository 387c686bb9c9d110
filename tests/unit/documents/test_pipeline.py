"""Documents are prepared beside each other and come out in order; progress tells pages, chunks and the time left."""

import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from core.documents import ocr, pipeline, preparing, reading
from core.documents.pipeline import Pace, Pipeline, duration
from core.documents.reading import Read, Reader, ahead
from core.documents.worker.records import Page, PageWriter, Parsed
from core.errors import Cancelled, WorkerFailed
from core.jobs import Job, Progress
from core.records import Digest
from core.workers.records import WorkerSpec
from core.workers.supervisor import Supervisor, Worker
from tests.processes import until
from tests.unit.documents.workspace import Workspace, scanned_pages


def parsed(text: str) -> Parsed:
    page = PageWriter(1)
    page.add("paragraph", text)
    return Parsed(media="text/plain", title="", pages=(page.page(),))


def read(number: int) -> Read:
    return Read(name=f"{number}.txt", data=b"x", content=Digest(f"{number:064d}"), parsed=None)


def test_documents_come_out_in_order_whichever_is_done_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first one waits until the second is done."""
    second = threading.Event()
    cut = preparing.cut

    def slow(engine: object, one: Parsed, *rest: object) -> object:
        found = cut(engine, one, *rest)  # type: ignore[arg-type]
        if "number 0" in one.pages[0].text:
            assert second.wait(120)
        if "number 1" in one.pages[0].text:
            second.set()
        return found

    monkeypatch.setattr(pipeline.preparing, "cut", slow)
    with Workspace(tmp_path) as made:
        model = made.models.show("fake")
        with Pipeline(made.engine, model, preparing.rules(made.engine, model), Job("Add")) as one:
            for number in range(12):
                one.put(read(number), parsed(f"Note number {number}."), number)
            assert one.has(Digest(f"{3:064d}"))
            found = list(one.ready(every=True))
            assert one.first is None
    assert [done.read.name for done in found] == [f"{number}.txt" for number in range(12)]
    assert all(done.matrix.shape == (1, model.dimensions) for done in found)


def test_what_is_left_is_cancelled_with_the_job(tmp_path: Path) -> None:
    with Workspace(tmp_path) as made:
        model = made.models.show("fake")
        job = Job("Add")
        with Pipeline(made.engine, model, preparing.rules(made.engine, model), job) as one:
            job.cancel()
            one.put(read(0), parsed("Note."))
            with pytest.raises(Cancelled):
                list(one.ready(every=True))
    assert until(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("preparing")])


def test_an_import_tells_files_pages_and_chunks(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / "notes").mkdir(exist_ok=True)
        (tmp_path / "notes" / f"{number}.txt").write_text(f"Note number {number}.")
    seen: list[Progress] = []
    with Workspace(tmp_path) as made:
        made.add(tmp_path / "notes", job=Job("Add", seen.append))
    assert [(step.done, step.total) for step in seen] == [(number, 5) for number in range(6)]
    assert seen[-1].note == "5 pages, 5 chunks"
    assert [step.note.split(",")[0] for step in seen[1:3]] == ["1 page", "2 pages"]


def test_the_time_left_goes_by_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter((100.0, 110.0, 110.0, 110.0))
    monkeypatch.setattr(pipeline.time, "monotonic", lambda: next(times))
    pace = Pace([100, 100, 800])
    assert pace.said(0, 0, 0) == "0 pages, 0 chunks"
    assert pace.said(2, 1, 1200) == "1 page, 1,200 chunks, 40 s left"
    assert pace.said(3, 2, 1) == "2 pages, 1 chunk"
    assert [duration(seconds) for seconds in (0, 59, 60, 3599, 7800)] == [
        "1 s",
        "59 s",
        "1 min",
        "1 h 0 min",
        "2 h 10 min",
    ]


def test_what_was_begun_before_its_turn_is_prepared_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A document that was changed in between is prepared anew."""
    cut = preparing.cut
    prepared: list[str] = []

    def noted(engine: object, one: Parsed, *rest: object) -> object:
        prepared.append(one.pages[0].text)
        return cut(engine, one, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(pipeline.preparing, "cut", noted)
    first, second = (Read(f"{n}.txt", b"x", Digest(f"{n:064d}"), parsed(f"Note number {n}.")) for n in range(2))
    assert first.parsed is not None
    with Workspace(tmp_path) as made:
        model = made.models.show("fake")
        with Pipeline(made.engine, model, preparing.rules(made.engine, model), Job("Add")) as one:
            one.begin(second)
            one.begin(first)
            one.begin(first)
            one.put(first, first.parsed, 0)
            one.put(second, parsed("Note without a number."), 1)
            found = [done.cuts[0].shown for done in one.ready(every=True)]
    assert found == ["Note number 0.", "Note without a number."]
    assert sorted(prepared) == ["Note number 0.", "Note number 1.", "Note without a number."]


@pytest.mark.parametrize(
    ("size", "given", "begun"),
    [(10, 10, reading.FEW + 20), (reading.HELD, 10, reading.FEW), (10, reading.HELD, reading.FEW)],
)
def test_a_slow_file_holds_up_none_but_large_ones(size: int, given: int, begun: int) -> None:
    """The first ends when all others that may begin have ended; files that are large, or give much, are read ahead in small number only."""
    turn, others = threading.Condition(), list[int]()

    def read(number: int, job: Job) -> int:
        with turn:
            if number:
                others.append(number)
                turn.notify_all()
            else:
                assert turn.wait_for(lambda: len(others) >= begun - 1, 60)
                assert len(others) == begun - 1
        return number

    tasks = (partial(read, number) for number in range(reading.FEW + 20))
    found: Iterator[int] = ahead(tasks, Job("Read"), [size] * (reading.FEW + 20), lambda _: given)
    assert list(found) == list(range(reading.FEW + 20))


def test_pages_of_one_document_are_recognised_beside_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second page and the third wait for each other; all come out in their places."""
    met = threading.Barrier(2)

    def recognised(self: Reader, worker: object, page: Page, job: Job) -> Page:
        if page.number > 1:
            met.wait(60)
        made = PageWriter(page.number)
        made.add("paragraph", f"What is on page {page.number}.")
        return made.page()

    monkeypatch.setattr(Reader, "_recognised", recognised)
    monkeypatch.setattr(reading, "LONG", 0.0)
    monkeypatch.setattr(reading, "HELPERS", 1)
    (tmp_path / "scan.pdf").write_bytes(scanned_pages(3))
    with Workspace(tmp_path) as made:
        reader = Reader(made.supervisor, lambda _: False, (), ocr.Recognition(folder=str(tmp_path), languages="eng"))
        ((one,),) = reader.read_all([("scan.pdf", tmp_path / "scan.pdf")], Job("Read"))
    assert isinstance(one, Read)
    assert one.parsed is not None
    assert [page.text for page in one.parsed.pages] == [f"What is on page {number}." for number in (1, 2, 3)]


def test_documents_share_the_further_workers_and_one_that_cant_start_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where all further workers are taken, or none starts, the first one reads all pages."""
    start = Supervisor.start
    started: list[WorkerSpec] = []

    def starting(self: Supervisor, spec: WorkerSpec, job: Job | None = None) -> Worker:
        started.append(spec)
        if len(started) == 3:
            raise WorkerFailed(worker="The document reader", reason="there is no memory")
        return start(self, spec, job)

    def recognised(self: Reader, worker: object, page: Page, job: Job) -> Page:
        if page.number == 2:
            assert taken or until(lambda: len(started) == 3)
        made = PageWriter(page.number)
        made.add("paragraph", f"What is on page {page.number}.")
        return made.page()

    monkeypatch.setattr(Supervisor, "start", starting)
    monkeypatch.setattr(Reader, "_recognised", recognised)
    monkeypatch.setattr(reading, "LONG", 0.0)
    monkeypatch.setattr(reading, "LOOK", 0.01)
    monkeypatch.setattr(reading, "HELPERS", 1)
    monkeypatch.setattr(reading, "SPARE", threading.BoundedSemaphore(1))
    (tmp_path / "scan.pdf").write_bytes(scanned_pages(4))
    with Workspace(tmp_path) as made:
        reader = Reader(made.supervisor, lambda _: False, (), ocr.Recognition(folder=str(tmp_path), languages="eng"))
        for taken in (True, False):
            if taken:
                reading.SPARE.acquire()
            ((one,),) = reader.read_all([("scan.pdf", tmp_path / "scan.pdf")], Job("Read"))
            assert isinstance(one, Read)
            assert one.parsed is not None
            assert [page.text for page in one.parsed.pages] == [f"What is on page {number}." for number in (1, 2, 3, 4)]
            if taken:
                assert len(started) == 1
                reading.SPARE.release()
    assert len(started) == 3, "the first document's reader, the second's, and the one that didn't start"
