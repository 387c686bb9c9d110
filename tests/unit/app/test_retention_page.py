"""The life of content from its window: rules and what is due, legal holds, and erasing, with what is in the way of each."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.bridge import keeping
from app.bridge.operations import Operations
from app.main_window import MainWindow
from app.pages.retention import RetentionPage
from app.pages.retention_forms import HoldForm, RuleForm
from app.theme.look import look
from app.widgets.signing import SigningPanel
from core.errors import Refused
from core.jobs import Job
from core.vault import erasure, holds, retention
from core.vault.check import check
from core.vault.tombstones import Tombstone
from core.vault.vault import Vault
from core.workbench import ERASABLES, SCHEMA
from tests.conftest import PASSPHRASES
from tests.unit.app.benches import Bench
from tests.unit.app.kept import fill, put_answers, put_documents
from tests.unit.app.shells import TestShell

Make = Callable[..., Vault]


@pytest.fixture
def operations(qtbot: QtBot) -> Iterator[Operations]:
    look().apply("light", reduced_motion=True)
    made = Operations()
    yield made
    made.close()


@pytest.fixture
def kept(vault_factory: Make) -> Vault:
    vault = vault_factory(SCHEMA)
    fill(vault)
    return vault


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page looks at the vault in 400 days."""
    monkeypatch.setattr(keeping, "_now", lambda: datetime.now().astimezone() + timedelta(days=400))


def opened(qtbot: QtBot, operations: Operations, vault: Vault, view: str = "rules") -> tuple[TestShell, RetentionPage]:
    operations.attach(Bench(vault))  # type: ignore[arg-type]
    shell = TestShell(operations)
    qtbot.addWidget(shell)
    page = RetentionPage(shell)
    shell.hold(page)
    page.show_about(view)
    settled(qtbot, operations)
    return shell, page


def settled(qtbot: QtBot, operations: Operations) -> None:
    for _ in range(3):
        qtbot.wait(5)
        qtbot.waitUntil(lambda: operations.running() == 0, timeout=20_000)


def said(widget: QWidget) -> str:
    return " | ".join(one.text() for one in widget.findChildren(QLabel) if one.text() and one.isVisible())


def listed(page: RetentionPage) -> list[str]:
    return [one.label for one in page.erasing.picker.table.rows.all()]


def sign(qtbot: QtBot, shell: TestShell, reason: str, passphrase: str = PASSPHRASES["ines"]) -> SigningPanel:
    """Fill the signing panel and press its button."""
    panel = shell.overlay.panel
    assert isinstance(panel, SigningPanel)
    bar = panel.exact.verticalScrollBar()
    bar.setValue(bar.maximum())
    qtbot.waitUntil(lambda: panel.exact.was_seen)
    panel.reason.edit.setText(reason)
    if panel.user.isVisibleTo(panel):
        panel.user.edit.setText("ines")
    panel.passphrase.edit.setText(passphrase)
    assert panel.sign.isEnabled(), panel.sign.toolTip()
    panel.sign.click()
    return panel


# rules


def test_a_rule_is_tried_set_and_applied(qtbot: QtBot, operations: Operations, kept: Vault, later: None) -> None:
    shell, page = opened(qtbot, operations, kept)
    assert "No rule is set, so everything is kept for ever." in said(page)
    assert not page.apply.isEnabled()
    page.rules.buttons["traces"].click()
    form = shell.overlay.panel
    assert isinstance(form, RuleForm)
    form.act.click()
    assert form.problem == "This is the rule in force."
    form.ever.click()
    form.days.edit.setText("none")
    form.act.click()
    assert form.days.error == "Give a number of days, from 1."
    form.days.edit.setText("365")
    form.days.left.emit()
    settled(qtbot, operations)
    assert "answers kept for 365 days, 3 would be due at once." in form.said
    form.show_them.click()
    settled(qtbot, operations)
    assert shell.overlay.panel is None
    assert len(page.rules.table.rows.all()) == 3
    assert page.rules.leave.isVisible()
    with kept.read() as reader:
        assert retention.rules(reader) == ()
    page.rules.leave.click()
    assert not page.rules.table.isVisible()

    page.rules.buttons["traces"].click()
    form = shell.overlay.panel
    assert isinstance(form, RuleForm)
    form.ever.click()
    form.days.edit.setText("365")
    form.reason.edit.setText("Our schedule")
    form.act.click()
    settled(qtbot, operations)
    assert shell.said == ["Answers are kept for 365 days. Nothing was erased"]
    assert "3 contents have been kept as long as the rules say." in said(page)
    assert "Kept for 365 days, from when they were given. Set by ines" in said(page)

    page.apply.click()
    panel = shell.overlay.panel
    assert isinstance(panel, SigningPanel)
    text = panel.exact.toPlainText()
    assert text.count("Answer on handbook") == 3
    assert "Answers: kept for 365 days" in text
    assert panel.sign.text() == "Erase for good"
    sign(qtbot, shell, "Schedule", "not this one at all")
    qtbot.waitUntil(lambda: "Nothing was signed" in panel.passphrase.error, timeout=20_000)
    assert panel.passphrase.text == ""
    sign(qtbot, shell, "Schedule")
    settled(qtbot, operations)
    assert shell.overlay.panel is None
    assert shell.said[-1] == "3 erased for good. 1 signed tombstone stays"
    assert "Nothing is due." in said(page)
    with kept.read() as reader:
        (stone,) = [reader.get(digest, Tombstone) for digest in reader.find(Tombstone)]
    assert (stone.basis, stone.rule, stone.reason) == ("rule", "traces after 365 days", "Schedule")
    assert check(kept, Job("Check")) == ()


def test_applying_can_be_stopped_between_batches(
    qtbot: QtBot, operations: Operations, kept: Vault, later: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeping.set_rule(Bench(kept), "traces", 10, "ours")  # type: ignore[arg-type]
    shell, page = opened(qtbot, operations, kept)
    monkeypatch.setattr(retention, "BATCH", 1)
    real, applied = erasure.erase_in, keeping.apply
    jobs: list[Job] = []

    def apply(bench: object, signer: object, reason: str, job: Job) -> object:
        jobs.append(job)
        return applied(bench, signer, reason, job)  # type: ignore[arg-type]

    def slow(*arguments: object) -> object:
        done = real(*arguments)  # type: ignore[arg-type]
        jobs[0].cancel()
        return done

    monkeypatch.setattr(keeping, "apply", apply)

    monkeypatch.setattr(erasure, "erase_in", slow)
    page.apply.click()
    begun: list[bool] = []
    monkeypatch.setattr(page, "_begin", lambda *given: (RetentionPage._begin(page, *given), begun.append(True)))
    sign(qtbot, shell, "Schedule")
    settled(qtbot, operations)
    assert begun
    assert shell.said == ["Stopped. What was erased until then is gone; the rest is untouched"]
    assert "2 contents have been kept" in said(page)
    assert page.apply.isEnabled()
    assert not page._working.isVisible()


def test_many_due_contents_are_listed_at_once(
    qtbot: QtBot, operations: Operations, vault_factory: Make, later: None
) -> None:
    vault = vault_factory(SCHEMA)
    (document,) = put_documents(vault, "handbook", {"a.md": "A"})
    put_answers(vault, "handbook", [(f"Question {n}?", "Yes.") for n in range(2_500)], document)
    keeping.set_rule(Bench(vault), "traces", 10, "ours")  # type: ignore[arg-type]
    _, page = opened(qtbot, operations, vault)
    assert "2,500 contents have been kept" in said(page)
    assert page.rules.table.rows.rowCount() == 2_000
    page.rules.table.choose(2_499)
    assert page.rules.table.current() is not None


# holds


def place(qtbot: QtBot, shell: TestShell, page: RetentionPage, name: str, what: str) -> None:
    page.hold.click()
    form = shell.overlay.panel
    assert isinstance(form, HoldForm)
    settled(qtbot, page.operations)
    form.name.edit.setText(name)
    rows = form.picker.table.rows.all()
    form.picker.take([one for one in rows if what in one.label])
    form.act.click()
    settled(qtbot, page.operations)


def test_a_hold_is_placed_keeps_and_is_released(qtbot: QtBot, operations: Operations, kept: Vault) -> None:
    shell, page = opened(qtbot, operations, kept, "holds")
    assert "There are no holds." in said(page)
    page.hold.click()
    form = shell.overlay.panel
    assert isinstance(form, HoldForm)
    assert form.picker.kind.findData("outcome") == -1
    form.name.edit.setText("Case 7")
    form.act.click()
    assert form.problem == "Choose what it keeps."
    place(qtbot, shell, page, "Case 7", "rules.md")
    panel = shell.overlay.panel
    assert isinstance(panel, SigningPanel)
    assert panel.exact.toPlainText().count("Document handbook/rules.md") == 2
    assert panel.sign.text() == "Place hold"
    sign(qtbot, shell, "The court asks")
    settled(qtbot, operations)
    assert shell.said == ["The hold Case 7 is placed and signed"]
    page.holds.table.choose(0)
    assert "The court asks" in said(page)
    place(qtbot, shell, page, "Case 7", "rules.md")
    again = shell.overlay.panel
    assert isinstance(again, HoldForm)
    assert "exists already" in again.problem
    assert "`" not in again.problem
    again.cancel.click()

    page.show_about("erase")
    settled(qtbot, operations)
    page.erasing.picker.take([one for one in page.erasing.picker.table.rows.all() if "rules.md" in one.label])
    page.erasing.preview.click()
    settled(qtbot, operations)
    assert "The hold Case 7 keeps 2 of 2, so nothing is erased until it is released." in said(page)
    assert page.erasing.erase.toolTip() == "Holds keep 2 of them."

    page.show_about("holds")
    page.holds.table.choose(0)
    page.holds.release.click()
    assert "Placed by ines" in shell.overlay.panel.exact.toPlainText()  # type: ignore[union-attr]
    sign(qtbot, shell, "Settled")
    settled(qtbot, operations)
    assert "No hold is in force. Released ones are under All." in said(page)
    page.holds.which.segment("all").click()
    page.holds.table.choose(0)
    assert "Settled" in said(page)
    assert not page.holds.release.isVisible()
    with kept.read() as reader:
        assert holds.holds(reader)[0].release is not None


def test_what_the_core_refuses_is_said_in_the_panel_or_on_the_page(
    qtbot: QtBot, operations: Operations, kept: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell, page = opened(qtbot, operations, kept, "erase")
    page.erasing.picker.take(page.erasing.picker.table.rows.all()[:1])

    def refuse(*_: object) -> None:
        raise Refused(act="Erase it", reason="You released the hold Case 7 on it, so somebody else must erase it.")

    monkeypatch.setattr(erasure, "erase", refuse)
    page.erasing.preview.click()
    settled(qtbot, operations)
    page.erasing.erase.click()
    sign(qtbot, shell, "By law")
    settled(qtbot, operations)
    assert "You released the hold Case 7 on it" in page.banner.text
    assert page.erasing.previewing
    assert not page._working.isVisible()


# erasing


def test_what_mentions_a_person_is_found_previewed_and_erased(
    qtbot: QtBot, operations: Operations, kept: Vault
) -> None:
    shell, page = opened(qtbot, operations, kept, "erase")
    picker = page.erasing.picker
    assert listed(page) == ["handbook/map.md", "handbook/desk.md", "handbook/rules.md, 2 versions"]
    assert page.erasing.preview.toolTip() == "Choose something first."
    picker.kind.setCurrentIndex(picker.kind.findData(""))
    picker.search()
    assert "Write a name or some words" in said(page)
    picker.text.setText("maria  NOVÁK")
    picker.text.returnPressed.emit()
    settled(qtbot, operations)
    assert [one.split(",")[0] for one in listed(page)] == ["handbook/rules.md", "answer on handbook", "questions@1"]
    picker.everything.click()
    assert not picker.everything.isEnabled()
    assert list(picker.chosen) == [(one.kind, one.reference) for one in picker.table.rows.all()]
    drop = next(b for b in page.findChildren(QAbstractButton) if b.accessibleName() == "Don’t erase questions@1")
    drop.click()
    assert len(picker.chosen) == 2
    page.erasing.quoting.click()
    page.erasing.preview.click()
    settled(qtbot, operations)
    words = said(page)
    assert "5 records and 2 files" in words
    assert "A signed tombstone" in words
    assert "The audit log keeps that it was here" in words
    assert "`" not in words
    assert "--" not in words
    page.erasing.back.click()
    assert len(picker.chosen) == 2
    page.erasing.preview.click()
    settled(qtbot, operations)
    page.erasing.erase.click()
    panel = shell.overlay.panel
    assert isinstance(panel, SigningPanel)
    assert "name nobody in it" in said(panel)
    panel.cancel.click()
    assert shell.overlay.panel is None
    page.erasing.erase.click()
    sign(qtbot, shell, "Request 12")
    settled(qtbot, operations)
    assert shell.said[-1] == "5 erased for good. 1 signed tombstone stays"
    assert not page.erasing.previewing
    assert not picker.chosen
    with kept.read() as reader:
        assert keeping.find(Bench(kept), "document", "novák", Job("Find")) == ()  # type: ignore[arg-type]
        assert len(reader.find("answer")) == 0


def test_who_may_not_sees_why(qtbot: QtBot, operations: Operations, kept: Vault, reopen: Make) -> None:
    _, page = opened(qtbot, operations, reopen(kept, "tomas", SCHEMA))
    assert page.rules.buttons["traces"].toolTip() == "Only an administrator may do this."
    assert page.apply.toolTip() == "Only an administrator may do this."
    assert page.hold.isEnabled()
    page.show_about("erase")
    page.erasing.picker.take(page.erasing.picker.table.rows.all()[:1])
    page.erasing.preview.click()
    settled(qtbot, operations)
    assert page.erasing.erase.toolTip() == "Only an administrator may do this."


def test_everything_on_the_page_has_a_name_and_is_reached_by_tab(
    qtbot: QtBot, operations: Operations, kept: Vault
) -> None:
    _, page = opened(qtbot, operations, kept, "erase")
    for one in page.findChildren(QAbstractButton):
        assert one.accessibleName() or one.text() or not one.isVisible(), one
    picker = page.erasing.picker
    picker.kind.setFocus()
    seen = []
    for _ in range(12):
        focused = page.window().focusWidget()
        seen.append(focused)
        QWidget.focusNextPrevChild(page.window(), True)
    for wanted in (picker.kind, picker.text, picker.table, page.erasing.quoting, page.erasing.copies):
        assert wanted in seen
    picker.table.choose(0)
    qtbot.keyClick(picker.table, Qt.Key.Key_Return)
    assert len(picker.chosen) == 1


# in the window


def test_the_window_says_what_is_due_and_leads_to_it(
    locked: MainWindow, kept: Vault, qtbot: QtBot, later: None
) -> None:
    locked.enter(Bench(kept))
    settled(qtbot, locked.operations)
    assert not locked.due.isVisible()
    keeping.set_rule(Bench(kept), "traces", 10, "ours")  # type: ignore[arg-type]
    settled(qtbot, locked.operations)
    qtbot.waitUntil(locked.due.isVisible)
    assert locked.due.text == "3 contents have been kept as long as the rules say."
    locked.due.act.click()
    settled(qtbot, locked.operations)
    assert locked.page is not None
    assert locked.page.name == "retention"
    assert ERASABLES
