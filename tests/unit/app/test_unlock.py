"""Unlocking and creating a vault, with real vaults."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.bridge import opening
from app.main_window import MainWindow
from app.pages.unlock import UnlockPage
from core.errors import WrongPassphrase
from core.jobs import Job
from tests.unit.app.standin import PASSPHRASE, StandIn


@pytest.fixture
def page(locked: MainWindow) -> UnlockPage:
    assert isinstance(locked.page, UnlockPage)
    return locked.page


def test_the_first_start_offers_to_create_a_vault(page: UnlockPage) -> None:
    assert page.ways.current() == "create"
    assert page.creating.isVisible()


def test_nothing_is_created_while_a_field_is_missing_or_the_passphrases_differ(
    page: UnlockPage, qtbot: QtBot, tmp_path: Path
) -> None:
    form = page.creating
    form.place_in(tmp_path)
    qtbot.keyClicks(form.name.edit, "Drug safety")
    qtbot.keyClicks(form.user.edit, "ines")
    qtbot.keyClicks(form.passphrase.edit, PASSPHRASE)
    qtbot.keyClicks(form.again.edit, "something else")
    qtbot.mouseClick(form.create, Qt.MouseButton.LeftButton)
    assert form.person.error == "Your name is missing."
    assert form.again.error == "The two passphrases differ."
    assert list(tmp_path.iterdir()) == []


def test_a_created_vault_is_entered_and_remembered(
    page: UnlockPage, locked: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def create(request: opening.NewVault, job: Job) -> StandIn:
        asked.append(request)
        request.folder.mkdir()
        opening.remember(request.folder)
        return StandIn(request.folder)

    monkeypatch.setattr("app.pages.unlock.create_vault", create)
    form = page.creating
    form.place_in(tmp_path)
    for field, text in ((form.name, "Drug safety"), (form.user, "ines"), (form.person, "Ines Korhan")):
        qtbot.keyClicks(field.edit, text)
    qtbot.keyClicks(form.passphrase.edit, PASSPHRASE)
    qtbot.keyClicks(form.again.edit, PASSPHRASE)
    qtbot.mouseClick(form.create, Qt.MouseButton.LeftButton)
    assert form.passphrase.text == ""
    qtbot.waitUntil(lambda: locked.rail.isVisible())
    assert asked == [opening.NewVault(tmp_path / "Drug safety.assay", "ines", "Ines Korhan", PASSPHRASE)]
    assert opening.recent_vaults() == (tmp_path / "Drug safety.assay",)


def test_a_wrong_passphrase_is_said_at_the_field_and_the_field_is_empty(
    page: UnlockPage, locked: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: Path, user: str, passphrase: str, job: Job) -> StandIn:
        raise WrongPassphrase(vault=folder.name)

    monkeypatch.setattr("app.pages.unlock.open_vault", refuse)
    vault = tmp_path / "Drug safety.assay"
    vault.mkdir()
    page.show_about(str(vault))
    page.opening.user.edit.setEditText("ines")
    qtbot.keyClicks(page.opening.passphrase.edit, "wrong")
    qtbot.keyClick(page.opening.passphrase.edit, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "wrong" in page.opening.passphrase.error)
    assert page.opening.passphrase.text == ""
    assert page.opening.unlock.isEnabled()
    assert not locked.rail.isVisible()


def test_recent_vaults_are_newest_first_and_only_those_that_are_there(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        opening.remember(tmp_path / name)
    opening.remember(tmp_path / "a")
    (tmp_path / "b").rmdir()
    assert [path.name for path in opening.recent_vaults()] == ["a", "c"]


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 bytes"), (999, "999 bytes"), (48_213, "48 KB"), (25_000_000, "25 MB"), (1_300_000_000, "1.3 GB")],
)
def test_sizes_are_said_in_words(count: int, words: str) -> None:
    assert opening.size(count) == words
