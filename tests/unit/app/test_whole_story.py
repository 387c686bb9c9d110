"""The window over a real workbench, workers and all: a document, a question set, an evaluation, a pack, and the verdict on it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.pages.evaluations import EvaluationsPage
from app.pages.evidence import EvidencePage
from app.widgets.signing import SigningPanel
from core.datasets.records import AddDataset
from core.documents.records import AddDocuments
from core.jobs import Job
from core.models.starter import STARTERS
from core.workbench import Workbench

PASSPHRASE = "seven lanterns by the river"
TEXT = (
    "The investigator reports every serious adverse event to the safety desk within 24 hours of becoming aware of it.\n\n"
    "Samples that reach us with a complaint are kept until the expiry date of the batch plus one year.\n\n"
    "Training is repeated every two years by the quality department.\n"
)
QUESTIONS = (
    {
        "id": "q1",
        "input": "How soon must a serious adverse event be reported?",
        "target": "24 hours",
        "document": "intake.txt",
        "page": 1,
    },
    {
        "id": "q2",
        "input": "How long are samples with a complaint kept?",
        "target": "plus one year",
        "document": "intake.txt",
        "page": 1,
    },
)


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Workbench]:
    if not all(path.exists() for name, path in dict(STARTERS).items() if "embed" in name):
        pytest.skip("the starter embedding model isn't built; run `make setup`")
    (tmp_path / "intake.txt").write_text(TEXT, encoding="utf-8")
    questions = tmp_path / "questions.jsonl"
    questions.write_text("\n".join(json.dumps(question) for question in QUESTIONS), encoding="utf-8")
    bench = Workbench.create(tmp_path / "Study.assay", "ines", "Inês Duarte", PASSPHRASE)
    bench.documents.add(AddDocuments(collection="intake", paths=(str(tmp_path / "intake.txt"),)), Job("Read"))
    bench.datasets.add(AddDataset(name="questions", path=str(questions)), Job("Read"))
    yield bench
    bench.close()


def settled(qtbot: QtBot, window: MainWindow) -> None:
    for _ in range(4):
        qtbot.waitUntil(lambda: window.operations.running() == 0, timeout=60_000)
        qtbot.wait(20)


def test_from_a_form_to_a_valid_pack(
    qtbot: QtBot, locked: MainWindow, real: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked.enter(real)
    locked.go("evals")
    settled(qtbot, locked)
    page = locked.page
    assert isinstance(page, EvaluationsPage)
    qtbot.mouseClick(page.empty.act, Qt.MouseButton.LeftButton)
    settled(qtbot, locked)
    qtbot.keyClicks(page.form.name.edit, "intake-answers")
    qtbot.mouseClick(page.form.add_criterion, Qt.MouseButton.LeftButton)
    page.form.criteria[0].number.setValue(0.5)
    qtbot.mouseClick(page.form.run, Qt.MouseButton.LeftButton)
    settled(qtbot, locked)
    content = page.results.content
    assert content is not None
    assert content.view.status == "finished"
    assert [cell.outcome.value for sample in page.results.matrix.samples() for cell in sample.cells] == ["passed"] * 2
    assert "24 hours" in page.results.matrix.samples()[0].cells[0].answer
    assert page.results.summary.gate.badge.text == "Met"

    qtbot.mouseClick(page.pack, Qt.MouseButton.LeftButton)
    settled(qtbot, locked)
    evidence = locked.page
    assert isinstance(evidence, EvidencePage)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "answers.pack"), ""))
    qtbot.mouseClick(evidence.make.export, Qt.MouseButton.LeftButton)
    panel = locked.overlay.panel
    assert isinstance(panel, SigningPanel)
    panel.exact.verticalScrollBar().setValue(panel.exact.verticalScrollBar().maximum())
    qtbot.waitUntil(lambda: panel.exact.was_seen)
    qtbot.keyClicks(panel.reason.edit, "For the inspection")
    qtbot.keyClicks(panel.user.edit, "ines")
    qtbot.keyClicks(panel.passphrase.edit, PASSPHRASE)
    qtbot.mouseClick(panel.sign, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: locked.overlay.panel is None, timeout=60_000)
    qtbot.mouseClick(evidence.make.result.check, Qt.MouseButton.LeftButton)
    settled(qtbot, locked)
    assert evidence.verdict.word.text() == "Valid"
