"""Measuring a collection's search in the window: the files that are asked for, the figures with their intervals, and what each query missed."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.pages.search_quality import QualityForm, QualityResult, ask_quality
from core.documents.records import AddDocuments
from core.jobs import Job
from core.retrieval.records import Rankings, Search
from tests.unit.app.standin import StandIn


def rank(search: Search, job: Job) -> Rankings:
    """By meaning the right document is first, by words it isn't found."""
    return Rankings(meaning=("a.pdf", "b.pdf"), words=("b.pdf",), fused=("b.pdf", "a.pdf"))


@pytest.fixture
def form(window: MainWindow, bench: StandIn, qtbot: QtBot) -> QualityForm:
    bench.documents.add(AddDocuments(collection="safety", paths=("a.pdf", "b.pdf")), Job("Add"))
    bench.retrieval = SimpleNamespace(rank=rank)  # type: ignore[attr-defined]
    ask_quality(window, "safety")
    qtbot.waitUntil(lambda: window.operations.running() == 0)
    assert isinstance(window.overlay.panel, QualityForm)
    return window.overlay.panel


def test_the_search_is_measured_and_each_query_says_what_it_missed(
    form: QualityForm, window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    (tmp_path / "queries.jsonl").write_text('{"id": "q1", "text": "tower"}\n{"id": "q2", "text": "gate"}\n')
    (tmp_path / "qrels.txt").write_text("q1 0 a 1\nq2 0 a 1\nq2 0 c 1\n")
    form.queries.edit.setText(str(tmp_path / "queries.jsonl"))
    form.judgements.edit.setText(str(tmp_path / "qrels.txt"))
    form.act.click()
    qtbot.waitUntil(lambda: isinstance(window.overlay.panel, QualityResult))
    result = window.overlay.panel
    assert isinstance(result, QualityResult)
    names = [column.word for column in result.measures.rows.columns]
    assert names == ["Measure", "By meaning", "By words", "Both"]
    assert result.measures.rows.index(0, 0).data() == "nDCG@10"
    assert "mrr" in result.measures.rows.all()
    assert [(one.query, one.found, one.missed) for one in result.queries.rows.all()] == [
        ("q2", 1, ("c",)),
        ("q1", 1, ()),
    ]
    assert "1 relevant document not in the collection." in result.said.text()
    result.act.click()
    assert window.overlay.panel is None


def test_a_file_that_cant_be_read_is_said_in_the_form(
    form: QualityForm, window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    form.act.click()
    assert form.queries.error == "The file is missing."
    form.queries.edit.setText(str(tmp_path / "none.txt"))
    form.judgements.edit.setText(str(tmp_path / "none.txt"))
    form.act.click()
    qtbot.waitUntil(lambda: bool(form.problem))
    assert form.problem.startswith("none.txt: can't be read as UTF-8 text.")
