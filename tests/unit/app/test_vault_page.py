"""The care of a vault from its window: backups and reminders, the check, the policy, restoring and recovering."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from PySide6.QtWidgets import QFileDialog, QLabel
from pytestqt.qtbot import QtBot

from app.bridge import care, people
from app.bridge.care import Backups, Witnessed, reminder
from app.bridge.drafts import Drafts
from app.bridge.operations import Operations
from app.main_window import MainWindow
from app.pages.people_forms import PassphraseForm
from app.pages.policy_form import PolicyForm
from app.pages.recovery_form import RecoverForm
from app.pages.unlock import UnlockPage
from app.pages.vault import VaultPage, proofs
from app.theme.look import look
from core.jobs import Job
from core.vault import policies, recovery
from core.vault.checkpoints import Rollback
from core.vault.records import Finding
from core.vault.restored import last_backup
from core.vault.vault import Vault
from core.workbench import SCHEMA
from tests.conftest import PASSPHRASES, weak_kdf
from tests.unit.app.benches import Bench
from tests.unit.app.shells import TestShell
from tests.unit.app.standin import StandIn


@pytest.fixture
def operations(qtbot: QtBot) -> Iterator[Operations]:
    look().apply("light", reduced_motion=True)
    made = Operations()
    yield made
    made.close()


def opened(qtbot: QtBot, operations: Operations, vault: Vault) -> tuple[TestShell, VaultPage]:
    operations.attach(Bench(vault))  # type: ignore[arg-type]
    shell = TestShell(operations)
    qtbot.addWidget(shell)
    page = VaultPage(shell)
    shell.hold(page)
    settled(qtbot, operations)
    return shell, page


def settled(qtbot: QtBot, operations: Operations) -> None:
    for _ in range(3):
        qtbot.wait(10)
        qtbot.waitUntil(lambda: operations.running() == 0, timeout=20_000)


def said(page: VaultPage) -> str:
    return " | ".join(one.text() for one in page.findChildren(QLabel) if one.text())


def test_a_backup_is_made_from_the_page_and_restored_from_the_first(
    qtbot: QtBot, operations: Operations, vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell, page = opened(qtbot, operations, vault)
    assert "None yet" in said(page)
    target = tmp_path / "elsewhere" / "study.assay-backup"
    target.parent.mkdir()
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    page.back_up.click()
    assert page._working.isVisible()
    assert page.check.toolTip() == "Something else is under way."
    settled(qtbot, operations)
    assert target.is_file()
    assert not page._working.isVisible()
    assert ("care", None) in shell.went
    with vault.read() as reader:
        assert last_backup(reader) is not None
    assert "None yet" not in said(page)
    page.write_backup(target)
    settled(qtbot, operations)
    assert "exists already" in page.banner.text

    operations.detach()
    vault.close()
    first = UnlockPage(shell)
    shell.setCentralWidget(first)
    first.show_about(str(target))
    form = first.restoring
    assert first.ways.current() == "restore"
    form.target.edit.setText(str(tmp_path / "Back"))
    form.user.edit.setText("ines")
    form.passphrase.edit.setText("not this one at all")
    form.restore.click()
    assert form.passphrase.text == ""
    qtbot.waitUntil(lambda: bool(form.passphrase.error), timeout=20_000)
    form.passphrase.edit.setText(PASSPHRASES["ines"])
    form.restore.click()
    qtbot.waitUntil(lambda: "is restored as it was on" in first.note.text(), timeout=20_000)
    assert first.ways.current() == "open"
    assert first.opening.place.text == str(tmp_path / "Back.assay")
    with Vault.open(tmp_path / "Back.assay", "ines", PASSPHRASES["ines"], SCHEMA) as again:
        assert [user.user for user in again.users()] == ["ines", "tomas"]


def test_how_the_log_is_proved_and_what_bars_the_network_are_said(
    qtbot: QtBot, operations: Operations, vault: Vault
) -> None:
    shell, page = opened(qtbot, operations, vault)
    words = said(page)
    assert "Nobody on another machine has vouched for it yet" in words
    assert "Barred, by namespace, seccomp" in words
    page.witness.click()
    assert shell.went[-1] == ("audit", None)
    seen = replace(page._care, seen="2026-11-03T09:00:00+00:00", entries=50)
    with_witness = replace(seen, witnessed=(Witnessed("w.example", "2026-11-02T09:00:00+00:00", 40),))
    assert proofs(with_witness) == [
        ("Kept here", "3 Nov 2026, 09:00, outside the vault"),
        ("Witness", "w.example vouched for 40 entries on 2 Nov 2026, 09:00; 10 newer"),
    ]


def test_a_backup_can_be_stopped(
    qtbot: QtBot, operations: Operations, vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(bench: object, path: Path, job: Job) -> str:
        while True:
            job.report(1, 100, "pages")

    monkeypatch.setattr(care, "back_up", slow)
    shell, page = opened(qtbot, operations, vault)
    page.write_backup(tmp_path / "never.assay-backup")
    page.work.cancel.click()
    settled(qtbot, operations)
    assert shell.said == ["The backup was stopped; no part of it is left"]
    assert page.back_up.isEnabled()


def test_a_whole_vault_is_said_to_be_whole(qtbot: QtBot, operations: Operations, vault: Vault) -> None:
    _, page = opened(qtbot, operations, vault)
    page.check.click()
    settled(qtbot, operations)
    assert "The vault is whole. Checked at " in said(page)


def test_findings_say_where_what_and_what_to_do(qtbot: QtBot, operations: Operations, vault: Vault) -> None:
    _, page = opened(qtbot, operations, vault)
    found = [
        Finding(where=f"record {number}", what="differs from its digest.", step="Restore it.") for number in range(60)
    ]
    page._checked(tuple(found))
    words = said(page)
    assert "60 things to look at." in words
    assert "record 0 | Differs from its digest. | Restore it." in words
    assert "and 10 more" in words


def test_a_change_of_the_policy_is_signed(qtbot: QtBot, operations: Operations, vault: Vault) -> None:
    shell, page = opened(qtbot, operations, vault)
    page.change.click()
    form = shell.overlay.panel
    assert isinstance(form, PolicyForm)
    form.reason.edit.setText("Our handbook says so")
    form.own.edit.setText(PASSPHRASES["ines"])
    form.act.click()
    assert form.problem == "This is the policy in force."
    form.numbers["idle-minutes"].edit.setText("5")
    form.labels["production.reviewers"].edit.setCurrentIndex(2)  # type: ignore[union-attr]
    form.reasons["label"].click()
    assert form.settings() == {
        "idle-minutes": "5",
        "production.reviewers": "2",
        "reasons": ",".join(act for act, check in form.reasons.items() if check.isChecked()),
    }
    form.act.click()
    qtbot.waitUntil(lambda: shell.overlay.panel is None, timeout=20_000)
    settled(qtbot, operations)
    with vault.read() as reader:
        now = policies.current(reader)
    assert (now.idle_minutes, now.rule("production").reviewers) == (5, 2)
    assert "label" in now.reasons
    assert "policy@1, by ines" in said(page)


def test_what_the_core_refuses_stays_in_the_form(qtbot: QtBot, operations: Operations, vault: Vault) -> None:
    shell, page = opened(qtbot, operations, vault)
    page.change.click()
    form = shell.overlay.panel
    assert isinstance(form, PolicyForm)
    form.numbers["idle-minutes"].edit.setText("9999")
    form.reason.edit.setText("Never")
    form.own.edit.setText(PASSPHRASES["ines"])
    form.act.click()
    qtbot.waitUntil(lambda: bool(form.problem))
    assert "no whole number from 1 to 480" in form.problem
    assert form.reason.text == "Never"
    assert form.own.text == ""


def test_who_is_no_administrator_may_check_only(qtbot: QtBot, operations: Operations, vault: Vault, reopen) -> None:  # type: ignore[no-untyped-def]
    _, page = opened(qtbot, operations, reopen(vault, "tomas"))
    assert page.back_up.toolTip() == page.change.toolTip() == "Only an administrator may do this."
    assert page.check.isEnabled()


# reminders in the window


@pytest.mark.parametrize(
    ("found", "what", "stake"),
    [
        (
            Backups("", 120, 9, 120, True),
            "This vault was never backed up.",
            "all of it is lost: 120 entries of the log",
        ),
        (
            Backups("2026-11-01T00:00:00+00:00", 1, 1, 5, True),
            "The last backup is 1 day old.",
            "what was done since is lost: 1 entry",
        ),
    ],
)
def test_a_reminder_says_what_is_at_stake(found: Backups, what: str, stake: str) -> None:
    assert reminder(found)[0] == what
    assert stake in reminder(found)[1]


def test_the_window_reminds_an_administrator_and_stops_when_a_backup_is_there(
    locked: MainWindow,
    vault_factory,
    qtbot: QtBot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,  # type: ignore[no-untyped-def]
) -> None:
    vault = vault_factory()
    locked.enter(Bench(vault))
    settled(qtbot, locked.operations)
    assert not locked.reminder.isVisible()
    later = datetime.now(UTC) + timedelta(days=8)

    class Later(datetime):
        @classmethod
        def now(cls, tz=None):  # type: ignore[no-untyped-def]
            return later

    monkeypatch.setattr(care, "datetime", Later)
    locked.care_changed()
    settled(qtbot, locked.operations)
    assert locked.reminder.isVisible()
    assert locked.reminder.text == "This vault was never backed up."
    monkeypatch.setattr(care, "datetime", datetime)
    target = tmp_path / "elsewhere" / "a.assay-backup"
    target.parent.mkdir()
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    locked.reminder.act.click()
    settled(qtbot, locked.operations)
    qtbot.waitUntil(lambda: not locked.reminder.isVisible())
    assert target.is_file()


def test_a_passphrase_that_must_be_changed_is_said_and_changed(
    locked: MainWindow,
    vault_factory,  # type: ignore[no-untyped-def]
    reopen,  # type: ignore[no-untyped-def]
    qtbot: QtBot,
) -> None:
    vault = vault_factory()
    with vault.confirm(PASSPHRASES["ines"]) as signer:
        policies.change(vault, {"own-passphrase": "yes"}, "ours", signer)
    locked.enter(Bench(reopen(vault, "tomas")))
    settled(qtbot, locked.operations)
    assert locked.stale.isVisible()
    assert locked.stale.text == "Somebody else chose your passphrase."
    locked.stale.act.click()
    settled(qtbot, locked.operations)
    assert isinstance(locked.overlay.panel, PassphraseForm)


def test_the_window_follows_the_policys_minutes(locked: MainWindow, vault_factory, qtbot: QtBot) -> None:  # type: ignore[no-untyped-def]
    vault = vault_factory()
    locked.enter(Bench(vault))
    settled(qtbot, locked.operations)
    assert locked.locking.minutes == 15
    with vault.confirm(PASSPHRASES["ines"]) as signer:
        policies.change(vault, {"idle-minutes": "3"}, "shorter", signer)
    settled(qtbot, locked.operations)
    qtbot.waitUntil(lambda: locked.locking.minutes == 3)


def test_an_older_vault_opens_with_a_warning_that_leads_to_the_log(
    locked: MainWindow, vault_factory, qtbot: QtBot
) -> None:  # type: ignore[no-untyped-def]
    vault = vault_factory()
    vault.rollback = Rollback(seen=900, seen_root="ab" * 32, found=3, found_root="")
    locked.enter(Bench(vault))
    settled(qtbot, locked.operations)
    assert locked.rolled_back.isVisible()
    assert "older than the one last opened here" in locked.rolled_back.text
    assert "`" not in locked.rolled_back.accessibleName()
    locked.rolled_back.act.click()
    settled(qtbot, locked.operations)
    assert locked.page is not None
    assert locked.page.name == "audit"
    assert locked.overlay.panel is not None


def test_a_draft_is_sealed_under_a_real_vaults_key(vault: Vault) -> None:
    drafts = Drafts()
    assert drafts.keep(vault, {"chat": "When must it be reported?"})
    (sealed,) = drafts._sealed.values()
    assert b"reported" not in sealed
    vault.close()
    with Vault.open(vault.folder, "tomas", PASSPHRASES["tomas"]) as other:
        assert drafts.give_back(other) == {}
    with Vault.open(vault.folder, "ines", PASSPHRASES["ines"]) as again:
        assert drafts.give_back(again) == {"chat": "When must it be reported?"}
        assert drafts.give_back(again) == {}


# the recovery key


def test_the_recovery_key_opens_the_vault_from_the_first_page(
    locked: MainWindow,
    vault_factory,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,  # type: ignore[no-untyped-def]
) -> None:
    vault = vault_factory(SCHEMA)
    words = people.make_recovery(Bench(vault), PASSPHRASES["ines"])  # type: ignore[arg-type]
    assert people.has_recovery(Bench(vault))  # type: ignore[arg-type]
    vault.close()
    defaults = recovery.recover.__defaults__
    assert defaults is not None
    monkeypatch.setattr(recovery.recover, "__defaults__", (*defaults[:-1], weak_kdf))
    page = locked.page
    assert isinstance(page, UnlockPage)
    page.opening.place.edit.setEditText(str(vault.folder))
    page.opening.user.edit.setEditText("ines")
    page.opening.lost.click()
    form = locked.overlay.panel
    assert isinstance(form, RecoverForm)
    form.words.edit.setPlainText(" ".join(words[:-1]))  # type: ignore[union-attr]
    for field in (form.new.first, form.new.again):
        field.edit.setText("another four words here")
    form.act.click()
    qtbot.waitUntil(lambda: bool(form.problem), timeout=20_000)
    assert form.words.text == ""
    form.words.edit.setPlainText("\n".join(words))  # type: ignore[union-attr]
    for field in (form.new.first, form.new.again):
        field.edit.setText("another four words here")
    form.act.click()
    qtbot.waitUntil(lambda: locked.overlay.panel is None, timeout=20_000)
    assert "has a new passphrase, new keys and a new card" in page.note.text()
    with Vault.open(vault.folder, "ines", "another four words here", SCHEMA) as again:
        assert again.user.user == "ines"


def test_a_page_of_the_stand_in_says_what_it_can(window: MainWindow, bench: StandIn, qtbot: QtBot) -> None:
    window.go("settings")
    settled(qtbot, window.operations)
    assert window.locking.minutes == msgspec.structs.asdict(policies.DEFAULT)["idle_minutes"]
