"""Home, models and datasets, driven as a person would."""

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.bridge.overview import happening, overview
from app.main_window import MainWindow
from app.pages.datasets import DatasetsPage
from app.pages.home import HomePage
from app.pages.models import ModelsPage, parameters
from core.documents.records import AddDocuments
from core.jobs import Job
from tests.unit.app.standin import StandIn


def test_home_offers_the_first_step_and_goes_on_with_the_next(window: MainWindow, bench: StandIn, qtbot: QtBot) -> None:
    page = window.page
    assert isinstance(page, HomePage)
    qtbot.waitUntil(lambda: page.steps["documents"].act.property("kind") == "primary")
    bench.documents.add(AddDocuments(collection="merrowdale", paths=("SOP-PV-014.pdf",)), Job("Add"))
    qtbot.waitUntil(lambda: page.steps["ask"].act.property("kind") == "primary")
    assert not page.steps["documents"].act.isVisible()


def test_a_question_to_try_is_asked_in_the_chat(window: MainWindow, bench: StandIn, qtbot: QtBot) -> None:
    bench.documents.add(AddDocuments(collection="merrowdale", paths=("SOP-PV-014.pdf",)), Job("Add"))
    page = window.page
    assert isinstance(page, HomePage)
    qtbot.waitUntil(lambda: page.questions[0].isVisible())
    qtbot.mouseClick(page.questions[0], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(window.page.exchanges) and len(window.page.exchanges[0].passages.rows()) == 2)
    assert window.page.exchanges[0].question == page.questions[0].accessibleName()


def test_the_log_is_told_in_words(bench: StandIn) -> None:
    bench.vault.folder.mkdir(parents=True)
    bench.models.remove("starter-chat")
    found = overview(bench, Job("Look"))  # type: ignore[arg-type]
    assert [one.words for one in found.latest] == ["Model starter-chat removed", "Vault created"]
    assert found.done["ask"] == ""
    with bench.vault.read() as reader:
        assert happening(reader.log()[0], {"ines": "Ines Korhan"}).who == "Ines Korhan"


@pytest.fixture
def models(window: MainWindow, qtbot: QtBot) -> ModelsPage:
    window.go("models")
    page = window.page
    assert isinstance(page, ModelsPage)
    qtbot.waitUntil(lambda: bool(page.table.rows.all()))
    return page


def test_a_registered_model_is_listed(models: ModelsPage, qtbot: QtBot) -> None:
    models.register("/models/corvid.gguf")
    qtbot.waitUntil(lambda: [found.name for found in models.table.rows.all()][-1] == "corvid")
    assert models.add.isEnabled()


def test_a_removed_model_is_gone(models: ModelsPage, qtbot: QtBot) -> None:
    models.table.choose(1)
    qtbot.mouseClick(models.remove_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: [found.name for found in models.table.rows.all()] == ["starter-embed"])


@pytest.mark.parametrize(("count", "words"), [(260_000, "260 K"), (22_565_376, "22.6 M"), (1_500_000_000, "1.5 B")])
def test_parameters_are_said_in_words(count: int, words: str) -> None:
    assert parameters(count) == words


@pytest.fixture
def datasets(window: MainWindow, qtbot: QtBot) -> DatasetsPage:
    window.go("datasets")
    page = window.page
    assert isinstance(page, DatasetsPage)
    page.add("questions", "/files/questions.jsonl")
    qtbot.waitUntil(lambda: len(page.table.rows.all()) == 40)
    return page


def test_an_added_dataset_shows_its_samples(datasets: DatasetsPage) -> None:
    assert datasets.list.current == "questions"
    assert datasets.table.current().id == "S-01"


def test_samples_are_found_by_their_words(datasets: DatasetsPage, qtbot: QtBot) -> None:
    qtbot.keyClicks(datasets.find, "Question 17")
    assert [found.id for found in datasets.table.rows.all()] == ["S-17"]
