"""The people page over a real vault: who is shown how, what may be done, what it does, and that no passphrase stays in a field."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QLabel
from pytestqt.qtbot import QtBot

from app.bridge import people as bridge
from app.bridge.operations import Operations
from app.pages.people import PeoplePage
from app.pages.people_forms import AddForm, PassphraseForm, RenewForm, ResetForm, RevokeForm, RolesForm
from app.pages.person_card import groups, spelled
from app.pages.recovery_form import WordsView, some_of
from app.theme.look import look
from app.widgets.act_form import ActForm
from app.widgets.strength import strength
from core.vault import people
from core.vault.roles import ALLOWED, Act, Role
from core.vault.vault import Vault
from tests.conftest import PASSPHRASES, weak_kdf
from tests.unit.app.benches import Bench
from tests.unit.app.shells import TestShell

NEW = "four words nobody connects"


@pytest.fixture(autouse=True)
def weak(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys are made from passphrases in milliseconds."""
    for name in ("add", "reset", "change_passphrase"):
        function = getattr(people, name)
        monkeypatch.setattr(function, "__defaults__", (*function.__defaults__[:-1], weak_kdf))


@pytest.fixture
def operations(qtbot: QtBot) -> Iterator[Operations]:
    look().apply("light", reduced_motion=True)
    made = Operations()
    yield made
    made.close()


def opened(qtbot: QtBot, operations: Operations, vault: Vault) -> tuple[TestShell, PeoplePage]:
    operations.attach(Bench(vault))  # type: ignore[arg-type]
    shell = TestShell(operations)
    qtbot.addWidget(shell)
    page = PeoplePage(shell)
    shell.hold(page)
    settled(qtbot, operations)
    return shell, page


def settled(qtbot: QtBot, operations: Operations) -> None:
    for _ in range(3):
        qtbot.waitUntil(lambda: operations.running() == 0, timeout=20_000)
        qtbot.wait(10)


def asked(shell: TestShell, page: PeoplePage, user: str, button: str) -> ActForm:
    page._choose(user)
    getattr(page, button).click()
    form = shell.overlay.panel
    assert isinstance(form, ActForm)
    return form


def said(form: ActForm) -> str:
    return " ".join(one.text() for one in form.findChildren(QLabel))


def done(qtbot: QtBot, shell: TestShell, form: ActForm) -> None:
    form.act.click()
    qtbot.waitUntil(lambda: shell.overlay.panel is None, timeout=20_000)
    settled(qtbot, shell.operations)


def test_everybody_is_shown_with_their_card(qtbot: QtBot, operations: Operations, vault: Vault) -> None:
    _, page = opened(qtbot, operations, vault)
    assert [person.user for person in page.table.rows.all()] == ["ines", "tomas"]
    assert page.person is not None
    assert page.person.you
    page._choose("tomas")
    card = page.person.card
    assert page.card.accessibleName() == f"Card of Tomás Vidal, Active, fingerprint {' '.join(groups(card))}"
    assert len(groups(card)) == 16
    page.card.read.click()
    assert spelled(groups(card)[0]) in page.card._spoken.text()
    assert spelled("0f9a") == "zero foxtrot nine alfa"
    page.card.copy.click()
    assert QGuiApplication.clipboard().text().replace(" ", "") == card


def test_a_card_is_exported_as_the_command_line_does(
    qtbot: QtBot, operations: Operations, vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell, page = opened(qtbot, operations, vault)
    target = tmp_path / "tomas.card.json"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    page._choose("tomas")
    page.card.export.click()
    settled(qtbot, operations)
    assert set(json.loads(target.read_text())) >= {"card", "own", "counter"}
    assert shell.said == ["Wrote tomas.card.json"]


def test_a_person_is_added_with_the_administrators_passphrase(
    qtbot: QtBot, operations: Operations, vault: Vault
) -> None:
    shell, page = opened(qtbot, operations, vault)
    page.add.click()
    form = shell.overlay.panel
    assert isinstance(form, AddForm)
    form.act.click()
    assert form.user.error == "The user name is missing."
    form.user.edit.setText("oda")
    form.person.edit.setText("Oda Brandt")
    form.new.first.edit.setText("oda")
    assert "Too short" in form.new.strength.text
    form.new.first.edit.setText(NEW)
    assert "Strong" in form.new.strength.text
    form.new.again.edit.setText("something else")
    form.own.edit.setText("wrong one entirely")
    form.act.click()
    assert form.new.again.error == "The two passphrases differ."
    form.new.again.edit.setText(NEW)
    form.act.click()
    assert form.problem == "Choose at least one role."
    form.roles.checks["auditor"].click()
    form.act.click()
    assert form.new.first.text == form.new.again.text == form.own.text == ""
    qtbot.waitUntil(lambda: bool(form.problem))
    assert form.problem == "Your passphrase is wrong. Nothing was changed."
    assert len(vault.users()) == 2
    for field, text in ((form.new.first, NEW), (form.new.again, NEW), (form.own, PASSPHRASES["ines"])):
        field.edit.setText(text)
    done(qtbot, shell, form)
    assert [(user.user, user.roles) for user in vault.users()][2:] == [("oda", ("auditor",))]
    assert page.person is not None
    assert page.person.user == "oda"


def test_who_is_revoked_cannot_get_in_and_can_be_brought_back(
    qtbot: QtBot, operations: Operations, vault: Vault
) -> None:
    shell, page = opened(qtbot, operations, vault)
    form = asked(shell, page, "tomas", "revoke")
    assert isinstance(form, RevokeForm)
    assert "can’t open the vault any more" in said(form)
    assert "stays readable to them" in said(form)
    form.own.edit.setText(PASSPHRASES["ines"])
    form.act.click()
    assert form.reason.error == "The reason is missing."
    form.reason.edit.setText("Left the team")
    done(qtbot, shell, form)
    assert [user.active for user in vault.users()] == [True, False]
    assert shell.said == ["Tomás Vidal was revoked; the vault has a new key"]
    assert page.card.accessibleName().startswith("Card of Tomás Vidal, Revoked")
    assert page.revoke.toolTip() == "Tomás Vidal was revoked. A reset brings them back."
    form = asked(shell, page, "tomas", "reset")
    assert isinstance(form, ResetForm)
    for field, text in (
        (form.new.first, NEW),
        (form.new.again, NEW),
        (form.reason, "Came back"),
        (form.own, PASSPHRASES["ines"]),
    ):
        field.edit.setText(text)
    done(qtbot, shell, form)
    assert [user.active for user in vault.users()] == [True, True]
    vault.close()
    with Vault.open(vault.folder, "tomas", NEW) as again:
        assert again.user.user == "tomas"


def test_other_roles_and_a_new_card(qtbot: QtBot, operations: Operations, vault: Vault) -> None:
    shell, page = opened(qtbot, operations, vault)
    form = asked(shell, page, "tomas", "roles")
    assert isinstance(form, RolesForm)
    form.reason.edit.setText("Audits from now on")
    form.own.edit.setText(PASSPHRASES["ines"])
    form.act.click()
    assert form.problem == "These are the roles that they have."
    form.roles.checks["auditor"].click()
    done(qtbot, shell, form)
    assert set(vault.users()[1].roles) == {"reviewer", "auditor"}
    form = asked(shell, page, "tomas", "renew")
    assert isinstance(form, RenewForm)
    form.own.edit.setText(PASSPHRASES["ines"])
    done(qtbot, shell, form)
    assert shell.said[-1] == "Tomás Vidal has a new card"


def test_one_changes_ones_own_passphrase(qtbot: QtBot, operations: Operations, vault: Vault) -> None:
    shell, page = opened(qtbot, operations, vault)
    form = asked(shell, page, "ines", "passphrase")
    assert isinstance(form, PassphraseForm)
    for field, text in ((form.old, "not it at all"), (form.new.first, NEW), (form.new.again, NEW)):
        field.edit.setText(text)
    form.act.click()
    qtbot.waitUntil(lambda: bool(form.problem))
    assert "wrong" in form.problem
    for field, text in ((form.old, PASSPHRASES["ines"]), (form.new.first, NEW), (form.new.again, NEW)):
        field.edit.setText(text)
    done(qtbot, shell, form)
    vault.close()
    with Vault.open(vault.folder, "ines", NEW) as again:
        assert again.user.user == "ines"


def test_who_is_no_administrator_is_told_so(
    qtbot: QtBot, operations: Operations, vault: Vault, reopen: Callable[..., Vault]
) -> None:
    _, page = opened(qtbot, operations, reopen(vault, "tomas"))
    page._choose("ines")
    for button in (page.add, page.revoke, page.reset, page.roles, page.renew):
        assert not button.isEnabled()
        assert button.toolTip() == "Only an administrator may do this."
    page._choose("tomas")
    assert page.passphrase.isVisible()
    assert not page.recovery.isVisible()


def test_nobody_revokes_or_resets_themselves(qtbot: QtBot, operations: Operations, vault: Vault) -> None:
    _, page = opened(qtbot, operations, vault)
    assert page.revoke.toolTip() == "Nobody revokes themselves; another administrator must."
    assert page.reset.toolTip() == "Change your own passphrase instead."


def test_the_matrix_says_what_the_vault_enforces(qtbot: QtBot, operations: Operations, vault: Vault) -> None:
    _, page = opened(qtbot, operations, vault)
    page.view.segment("roles").click()
    rows, columns = page.matrix.table.rows.all(), page.matrix.table.rows.columns
    assert set(Act) - set(rows) == {Act.SIGN_IN_FAILED, Act.REFUSAL}
    for act in rows:
        for role, column in zip(Role, columns[2:], strict=True):
            assert (column.show(act).text == "Yes") == (role in ALLOWED[act])


# the recovery words


def test_the_words_are_believed_only_when_three_are_given_back(qtbot: QtBot) -> None:
    words = tuple(f"word{number}" for number in range(24))
    view = WordsView(words, choose=(3, 7, 20))
    qtbot.addWidget(view)
    view.show()
    assert [shown.text() for shown in view.shown] == list(words)
    assert not view.next.isEnabled()
    view.written.click()
    view.next.click()
    for field, text in zip(view.answers, ("word3", "word8", " WORD20 "), strict=True):
        field.edit.setText(text)
    view.done.click()
    assert "isn’t word 8" in view.answers[1].error
    view.answers[1].edit.setText("word7")
    with qtbot.waitSignal(view.kept):
        view.done.click()
    assert view._words == ()
    assert {shown.text() for shown in view.shown} == {""}


def test_the_words_asked_for_differ_and_are_in_order() -> None:
    for _ in range(50):
        found = some_of(24)
        assert len(set(found)) == 3
        assert list(found) == sorted(found)
        assert set(found) <= set(range(24))


@pytest.mark.parametrize(
    ("passphrase", "tone"),
    [
        ("", ""),
        ("short", "fail"),
        ("aaaaaaaaaaaaaaaa", "fail"),
        ("tomas likes tea a lot", "warn"),
        ("correcthorse", "warn"),
        ("seven lanterns by the river", "pass"),
        ("gK3#vQ9!pL2@xW7z", "pass"),
    ],
)
def test_a_passphrase_is_judged_in_a_sentence(passphrase: str, tone: str) -> None:
    found = strength(passphrase, ("tomas", "Tomás Vidal"))
    assert found.tone == tone
    assert found.sentence


def test_a_card_that_ends_soon_is_said(vault: Vault) -> None:
    known = bridge.list_people(Bench(vault))[0]  # type: ignore[arg-type]
    assert known.state == "active"
    assert known.valid_until > known.valid_from
    assert known.cards == 1
