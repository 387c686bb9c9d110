"""The audit log's page over a real vault: pages of entries, filters, one entry with its proof, exports, reviews, and a rollback."""

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QLabel
from pytestqt.qtbot import QtBot

from app.bridge.operations import Operations
from app.pages.audit import AuditPage
from app.pages.audit_forms import ExportForm, ReviewForm, SettleForm
from app.theme.look import look
from app.widgets.paged import HELD, WAITING, PagedRows
from app.widgets.signing import SigningPanel
from app.widgets.table import Cell, Column, Table
from core.records import now
from core.trust import proofs
from core.vault import log, trail
from core.vault.checkpoints import Rollback
from core.vault.roles import Act
from core.vault.vault import Vault
from tests.conftest import PASSPHRASES
from tests.unit.app.benches import Bench
from tests.unit.app.shells import TestShell


@pytest.fixture
def operations(qtbot: QtBot) -> Iterator[Operations]:
    look().apply("light", reduced_motion=True)
    made = Operations()
    yield made
    made.close()


@pytest.fixture
def long(vault: Vault) -> Vault:
    """A vault whose log has some hundred entries."""
    with vault._connections.transaction() as db:
        for number in range(620):
            act = Act.REFUSAL if number % 100 == 0 else Act.SHOW_DOCUMENT
            log.append(db, "ines", now(), act, f"page {number}", "invented" if act is Act.REFUSAL else "")
    return vault


def opened(qtbot: QtBot, operations: Operations, vault: Vault) -> tuple[TestShell, AuditPage]:
    operations.attach(Bench(vault))  # type: ignore[arg-type]
    shell = TestShell(operations)
    qtbot.addWidget(shell)
    page = AuditPage(shell)
    shell.hold(page)
    settled(qtbot, operations)
    return shell, page


def settled(qtbot: QtBot, operations: Operations) -> None:
    for _ in range(3):
        qtbot.wait(10)
        qtbot.waitUntil(lambda: operations.running() == 0, timeout=20_000)


def shown(page: AuditPage, position: int) -> list[str]:
    return [column.show(page.rows.row(position)).text for column in page.rows.columns]


def sizes(vault: Vault) -> int:
    with vault.read() as reader:
        return reader.log_size


def test_entries_are_newest_first_and_read_where_they_are_looked_at(
    qtbot: QtBot, operations: Operations, long: Vault
) -> None:
    _, page = opened(qtbot, operations, long)
    size = sizes(long)
    assert page.rows.rowCount() == size
    assert shown(page, 0)[0] == f"{size - 1:,}"
    assert page.rows.row(size - 1) is None
    page.table.verticalScrollBar().setValue(page.table.verticalScrollBar().maximum())
    qtbot.waitUntil(lambda: page.rows.row(size - 1) is not None)
    assert shown(page, size - 1)[0] == "0"
    assert shown(page, size - 1)[2:4] == ["Inês Duarte", "Create vault"]
    assert page._state.full.startswith(f"{size:,} entries · not checked in this sitting · nothing reviewed yet")


def test_filters_narrow_the_entries_and_are_cleared(qtbot: QtBot, operations: Operations, long: Vault) -> None:
    _, page = opened(qtbot, operations, long)
    filters = page.filter
    filters.act.setCurrentIndex(filters.act.findData("refusal"))
    filters.act.activated.emit(0)
    settled(qtbot, operations)
    assert page.rows.rowCount() == 7
    assert {row.act for row in page.rows.all()} == {"refusal"}
    assert page._state.full.startswith("7 of ")
    filters.text.setText("page 300")
    qtbot.waitUntil(lambda: page.rows.rowCount() == 1)
    assert page.rows.row(0).about == "page 300"
    filters.period.setCurrentIndex(5)
    filters.period.activated.emit(5)
    filters.since.setText("soon")
    filters.since.editingFinished.emit()
    settled(qtbot, operations)
    assert "soon: give a day" in page.banner.text
    filters.clear.click()
    settled(qtbot, operations)
    assert page.rows.rowCount() == sizes(long)
    assert not filters.any


def test_a_search_grows_as_it_is_scrolled(qtbot: QtBot, operations: Operations, long: Vault) -> None:
    _, page = opened(qtbot, operations, long)
    page.filter.text.setText("page")
    qtbot.waitUntil(lambda: page.rows.rowCount() == 200)
    assert "so far" in page._state.full
    for _ in range(6):
        page.table.verticalScrollBar().setValue(page.table.verticalScrollBar().maximum())
        settled(qtbot, operations)
    assert page.rows.rowCount() == 620
    assert [page.rows.row(at).about for at in (0, 619)] == ["page 619", "page 0"]
    assert "so far" not in page._state.full


def test_an_entry_is_shown_with_what_it_names_and_proved(
    qtbot: QtBot, operations: Operations, vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell, page = opened(qtbot, operations, vault)
    at = next(at for at in range(page.rows.rowCount()) if page.rows.row(at).act == "add-user")
    page.table.choose(at)
    settled(qtbot, operations)
    detail = page.entry.detail
    assert detail is not None
    said = " ".join(one.text() for one in page.entry.findChildren(QLabel))
    assert "Give a person a way in" in said
    assert "tomas" in said
    assert detail.made
    assert detail.leaf[:8] in said
    target = tmp_path / "entry.proof"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    page.entry.proof.click()
    settled(qtbot, operations)
    proof = proofs.read_inclusion(target.read_bytes())
    assert proof.index == detail.entry.index
    assert b"add-user" in proof.entry
    assert shell.said[-1] == "Wrote entry.proof"


def test_the_log_is_exported_as_it_is_narrowed(
    qtbot: QtBot, operations: Operations, long: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell, page = opened(qtbot, operations, long)
    page.filter.text.setText("invented")
    qtbot.waitUntil(lambda: page.rows.rowCount() == 7)
    for kind, name in enumerate(("log.csv", "log.json")):
        page.export.click()
        form = shell.overlay.panel
        assert isinstance(form, ExportForm)
        form.kind.edit.setCurrentIndex(kind)  # type: ignore[union-attr]
        form.reason.edit.setText("For the inspection")
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, to=name: (str(tmp_path / to), ""))
        form.act.click()
        qtbot.waitUntil(lambda: shell.overlay.panel is None)
        settled(qtbot, operations)
    assert len(list(csv.reader((tmp_path / "log.csv").read_text().splitlines()))) == 8
    assert len(json.loads((tmp_path / "log.json").read_text())["entries"]) == 7
    with long.read() as reader:
        assert {entry.reason for entry in reader.log(10, reader.log_size - 3)} >= {"For the inspection"}


def test_everything_is_checked_and_said(qtbot: QtBot, operations: Operations, long: Vault) -> None:
    shell, page = opened(qtbot, operations, long)
    page.check.click()
    settled(qtbot, operations)
    assert f"checked to entry {sizes(long) - 1:,}" in page._state.full
    assert shell.said == [f"All {sizes(long):,} entries are as they were logged"]


def test_a_changed_entry_is_found(qtbot: QtBot, operations: Operations, long: Vault) -> None:
    with long._connections.transaction() as db:
        triggers = [
            row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'log'")
        ]
        for trigger in triggers:
            db.execute(f"DROP TRIGGER {trigger}")
        db.execute("UPDATE log SET entry = CAST(replace(CAST(entry AS TEXT), 'page', 'Page') AS BLOB) WHERE seq = 14")
    _, page = opened(qtbot, operations, long)
    page.check.click()
    settled(qtbot, operations)
    assert "Log entry 14" in page.banner.text
    assert "not checked" in page._state.full


def test_a_review_is_signed_over_a_range(
    qtbot: QtBot, operations: Operations, long: Vault, reopen: Callable[..., Vault]
) -> None:
    vault = reopen(long, "tomas")
    shell, page = opened(qtbot, operations, vault)
    qtbot.mouseClick(page.review, Qt.MouseButton.LeftButton)
    form = shell.overlay.panel
    assert isinstance(form, ReviewForm)
    form.last.edit.setText("20")
    form.act.click()
    qtbot.waitUntil(lambda: isinstance(shell.overlay.panel, SigningPanel))
    panel = shell.overlay.panel
    assert isinstance(panel, SigningPanel)
    assert "Entries 0 to 20, 21 in all" in panel.exact.toPlainText()
    panel.exact.verticalScrollBar().setValue(panel.exact.verticalScrollBar().maximum())
    qtbot.waitUntil(lambda: panel.exact.was_seen)
    panel.reason.edit.setText("Nothing out of order")
    panel.user.edit.setText("tomas")
    panel.passphrase.edit.setText(PASSPHRASES["tomas"])
    panel.sign.click()
    qtbot.waitUntil(lambda: shell.overlay.panel is None, timeout=20_000)
    settled(qtbot, operations)
    assert "reviewed up to entry 20" in page._state.full
    with vault.read() as reader:
        (made,) = trail.reviews(reader)
    assert (made.review.first, made.review.last, made.review.findings) == (0, 20, "Nothing out of order")


def test_an_author_may_not_review_and_is_told_who_may(qtbot: QtBot, operations: Operations, vault: Vault) -> None:
    _, page = opened(qtbot, operations, vault)
    assert page.review.toolTip() == "Your roles here don’t allow it; a reviewer or auditor may."


def test_a_rollback_is_settled_with_a_reason(qtbot: QtBot, operations: Operations, vault: Vault) -> None:
    vault.rollback = Rollback(seen=900, seen_root="ab" * 32, found=3, found_root="")
    shell, page = opened(qtbot, operations, vault)
    page.show_about("settle")
    form = shell.overlay.panel
    assert isinstance(form, SettleForm)
    form.act.click()
    assert form.reason.error == "The reason is missing."
    form.reason.edit.setText("Restored from the backup of 3 November")
    form.act.click()
    qtbot.waitUntil(lambda: shell.overlay.panel is None)
    assert vault.rollback is None
    assert ("care", None) in shell.went


def test_new_entries_are_announced_to_who_reads_further_down(qtbot: QtBot, operations: Operations, long: Vault) -> None:
    _, page = opened(qtbot, operations, long)
    page.table.verticalScrollBar().setValue(4000)
    settled(qtbot, operations)
    before = page.table.verticalScrollBar().value()
    with long.write(Act.BACK_UP):
        pass
    qtbot.waitUntil(lambda: page.fresh.isVisible())
    assert page.fresh.text() == "Show 1 new entry"
    assert page.table.verticalScrollBar().value() == before
    page.fresh.click()
    settled(qtbot, operations)
    assert shown(page, 0)[3] == "Back up"


# rows in pages


def test_a_million_rows_hold_only_what_was_looked_at(qtbot: QtBot) -> None:
    rows = PagedRows((Column("Number", lambda number: Cell(f"{number}")),), 200)
    asked: list[int] = []
    rows.wanted.connect(asked.append)
    table = Table(rows.columns, "Numbers", rows=rows)
    qtbot.addWidget(table)
    rows.begin(1_000_000)
    table.resize(600, 400)
    table.show()
    qtbot.waitUntil(lambda: asked == [0])
    for page in range(0, 5000, 50):
        rows.put(page, range(page * 200, page * 200 + 200))
    assert len(rows.all()) == HELD * 200
    table.verticalScrollBar().setValue(table.verticalScrollBar().maximum())
    assert rows.data(rows.index(999_999, 0), rows.CellRole) == WAITING
    qtbot.waitUntil(lambda: asked[-1] == 4999)
    rows.put(4999, range(999_800, 1_000_000))
    assert rows.data(rows.index(999_999, 0)) == "999999"


def test_rows_that_grow_keep_their_order_over_uneven_pages(qtbot: QtBot) -> None:
    rows = PagedRows((Column("Number", lambda number: Cell(f"{number}")),), 10)
    rows.begin(0)
    at = 0
    for size in (3, 10, 1, 25, 7):
        rows.append(range(at, at + size), grows=True)
        at += size
    assert [rows.row(position) for position in range(rows.rowCount())] == list(range(46))
