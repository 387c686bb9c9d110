"""Unlocking and creating a vault, with real vaults."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.bridge import opening
from app.main_window import MainWindow
from app.pages.unlock import UnlockPage
from core.errors import Unavailable, WrongPassphrase
from core.jobs import Job
from core.vault import keyring
from core.vault.vault import Vault
from core.workbench import SCHEMA
from tests.conftest import PASSPHRASES
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


# the system's keyring


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> keyring.MemoryKeyring:
    kept = keyring.MemoryKeyring()
    monkeypatch.setattr(keyring, "SystemKeyring", lambda: kept)
    return kept


def asked(page: UnlockPage, qtbot: QtBot) -> None:
    """Until the keyring was asked about what is filled in."""
    page._typed.stop()
    page._ask_keyring()
    qtbot.waitUntil(lambda: page.operations.running() == 0, timeout=20_000)


def fill(page: UnlockPage, qtbot: QtBot, vault: Vault) -> None:
    page.ways.choose("open")
    page._choose("open")
    page.opening.place.edit.setEditText(str(vault.folder))
    qtbot.waitUntil(lambda: page.operations.running() == 0)
    page.opening.user.edit.setEditText("ines")
    asked(page, qtbot)


def test_a_vault_is_remembered_opened_without_a_passphrase_and_forgotten(
    page: UnlockPage,
    locked: MainWindow,
    qtbot: QtBot,
    vault_factory: Callable[..., Vault],
    system: keyring.MemoryKeyring,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    vault = vault_factory(SCHEMA)
    vault.close()
    entered: list[Vault] = []
    monkeypatch.setattr(locked, "enter", lambda bench: (entered.append(bench.vault), bench.close()))
    form = page.opening
    fill(page, qtbot, vault)
    assert form.keep.isVisible()
    assert "signing still asks" in form.keyring_says
    form.keep.setChecked(True)
    form.passphrase.edit.setText("not this one at all")
    form.unlock.click()
    qtbot.waitUntil(lambda: bool(form.passphrase.error), timeout=20_000)
    assert system.kept == {}
    form.passphrase.edit.setText(PASSPHRASES["ines"])
    form.unlock.click()
    qtbot.waitUntil(lambda: len(entered) == 1 and page.operations.running() == 0, timeout=20_000)
    assert len(system.kept) == 1
    asked(page, qtbot)
    assert form.remembered
    assert not form.keep.isVisible()
    assert "no passphrase is needed" in form.keyring_says
    form.unlock.click()
    qtbot.waitUntil(lambda: len(entered) == 2 and page.operations.running() == 0, timeout=20_000)
    form.user.edit.setEditText("tomas")
    assert not form.remembered
    form.unlock.click()
    assert form.passphrase.error == "The passphrase is missing."
    form.user.edit.setEditText("ines")
    asked(page, qtbot)
    form.forget.click()
    qtbot.waitUntil(lambda: not form.remembered, timeout=20_000)
    assert system.kept == {}


def test_what_the_keyring_has_and_is_worthless_is_said_and_let_go(
    page: UnlockPage, qtbot: QtBot, vault_factory: Callable[..., Vault], system: keyring.MemoryKeyring
) -> None:
    vault = vault_factory(SCHEMA)
    vault.close()
    keyring.remember(vault.folder, "ines", PASSPHRASES["ines"], system)
    (name,) = system.kept
    system.kept[name] = system.kept[name][:-8] + "AAAAAAA="
    fill(page, qtbot, vault)
    assert page.opening.remembered
    page.opening.unlock.click()
    qtbot.waitUntil(lambda: bool(page.opening.passphrase.error), timeout=20_000)
    qtbot.waitUntil(lambda: page.operations.running() == 0)
    assert "Give your passphrase instead" in page.opening.passphrase.error
    assert not page.opening.remembered
    assert system.kept == {}


def test_without_a_keyring_the_reason_is_said_and_nothing_is_offered(
    page: UnlockPage, qtbot: QtBot, vault_factory: Callable[..., Vault], monkeypatch: pytest.MonkeyPatch
) -> None:
    def none() -> None:
        raise Unavailable(what="This system has no keyring that protects what it keeps", step="Give your passphrase.")

    monkeypatch.setattr(keyring, "SystemKeyring", none)
    vault = vault_factory(SCHEMA)
    vault.close()
    fill(page, qtbot, vault)
    assert not page.opening.keep.isVisible()
    assert not page.opening.forget.isVisible()
    assert page.opening.keyring_says == (
        "This system has no keyring that protects what it keeps. So it can’t remember this vault."
    )
