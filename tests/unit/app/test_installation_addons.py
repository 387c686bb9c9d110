"""The add-ons on the page of this installation: listed, taken from a file, refused with their sentence, removed after a question; without a vault."""

from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from app.bridge import adding
from app.main_window import MainWindow
from app.pages.installation import InstallationPage
from app.pages.installation_addons import EVERYBODYS, AddonsCard
from app.widgets.act_form import ActForm
from core.workers import addons
from tests import minisigning
from tests.unit.installation.test_addons import KEY, written

LONG = 60_000


@pytest.fixture
def card(locked: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AddonsCard:
    """The page's card, with the user's add-ons in a folder of the test's own and none for everybody."""
    monkeypatch.setattr(addons, "user_folder", lambda: tmp_path / "own")
    monkeypatch.setattr(addons, "system_folder", lambda: tmp_path / "everybodys")
    locked.go("installation")
    page = locked.page
    assert isinstance(page, InstallationPage)
    qtbot.waitUntil(lambda: page.addons._there == (), timeout=LONG)
    return page.addons


@pytest.fixture
def key(tmp_path: Path) -> Path:
    file = tmp_path / "signer.pub"
    file.write_text(minisigning.public(KEY))
    return file


def choosing(monkeypatch: pytest.MonkeyPatch, *files: Path) -> None:
    chosen = iter(files)
    monkeypatch.setattr("app.pages.installation_addons.QFileDialog.getOpenFileName", lambda *_: (str(next(chosen)), ""))


def test_one_is_installed_from_its_file_listed_and_removed_after_a_question(
    card: AddonsCard, locked: MainWindow, qtbot: QtBot, tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choosing(monkeypatch, written(tmp_path / "a.addon"), key)
    card.install.click()
    qtbot.waitUntil(lambda: "training" in card.remove, timeout=LONG)
    assert (tmp_path / "own" / "training" / "addon.json").is_file()
    assert card.install.isEnabled()
    assert card.banner.isHidden()
    card.remove["training"].click()
    asked = locked.findChild(ActForm)
    assert asked is not None
    asked.cancel.click()
    assert (tmp_path / "own" / "training").is_dir()
    card.remove["training"].click()
    forms: list[Any] = [form for form in locked.findChildren(ActForm) if form is not asked]
    forms[-1].act.click()
    qtbot.waitUntil(lambda: card._there == (), timeout=LONG)
    assert not (tmp_path / "own" / "training").exists()


def test_a_changed_file_is_refused_with_its_sentence_and_leaves_nothing(
    card: AddonsCard, qtbot: QtBot, tmp_path: Path, key: Path
) -> None:
    held = {"site/carried_along/__init__.py": b"WORD = 'from the add-off'\n"}
    card.begin(written(tmp_path / "a.addon", held=held), key)
    qtbot.waitUntil(lambda: not card.banner.isHidden(), timeout=LONG)
    assert "other files than its signed list says" in card.banner.text
    assert not (tmp_path / "own" / "training").exists()
    assert card.install.isEnabled()


def test_one_for_another_program_and_one_for_everybody_say_so(
    card: AddonsCard, qtbot: QtBot, tmp_path: Path, key: Path
) -> None:
    folder = tmp_path / "everybodys" / "training"
    there = adding.Added("training", "Training", "1", 5, folder, own=False, why="for version 9.9.9")
    card.show_added((there,))
    assert not card.remove["training"].isEnabled()
    assert card.remove["training"].toolTip() == EVERYBODYS
    card.begin(written(tmp_path / "a.addon", programs=["9.9.9"]), key)
    qtbot.waitUntil(lambda: not card.banner.isHidden(), timeout=LONG)
    assert "9.9.9" in card.banner.text
