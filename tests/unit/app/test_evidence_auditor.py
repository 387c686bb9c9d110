"""The evidence page as an auditor uses it who has no vault: whatever is dropped on it, what a verdict says, and what can be done with it."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from app.bridge.operations import Operations
from app.main_window import MainWindow
from app.pages import evidence, pack_reading, pack_words, verdict_acts
from app.pages.evidence import EvidencePage
from app.pages.fingerprints import heard
from app.pages.sealed_packs import OpenForm, SealForm
from app.pages.trust_cards import AddCardForm, CompareForm, RemoveForm
from app.theme.look import look
from app.widgets.act_form import ActForm
from core.evidence import sealing, zipform
from core.evidence.commitments import WITHHOLDABLE
from core.evidence.redaction import rendered
from core.jobs import Job
from core.paths import runtime_folder
from core.trust import trustfile
from core.trust.cards import fingerprint
from tests.conftest import weak_kdf
from tests.unit.app import packs
from tests.unit.app.packs import NONCE, PASSPHRASE
from tests.unit.app.shells import TestShell
from tests.unit.evidence.building import TRUST
from tests.unit.evidence.judging import AT


@pytest.fixture
def operations(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Operations]:
    look().apply("light", reduced_motion=True)
    monkeypatch.setattr(pack_words, "clock", lambda: AT)
    made = Operations()
    yield made
    made.close()


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    return packs.lay_out(tmp_path)


@pytest.fixture
def page(qtbot: QtBot, operations: Operations) -> EvidencePage:
    shell = TestShell(operations)
    qtbot.addWidget(shell)
    made = EvidencePage(shell)
    shell.hold(made)
    return made


def settled(qtbot: QtBot, page: EvidencePage) -> None:
    for _ in range(3):
        qtbot.waitUntil(lambda: page.operations.running() == 0, timeout=20_000)
        qtbot.wait(5)


def given(qtbot: QtBot, page: EvidencePage, *paths: Path) -> None:
    page.take([str(path) for path in paths])
    settled(qtbot, page)


def dialog(page: EvidencePage) -> ActForm:
    panel = page.shell.overlay.panel  # type: ignore[attr-defined]
    assert isinstance(panel, ActForm)
    return panel


def saved_to(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))


@pytest.mark.parametrize("name", ["text", "empty", "junk"])
def test_what_is_no_pack_is_called_that_and_nothing_of_it_can_be_opened(
    qtbot: QtBot, page: EvidencePage, files: dict[str, Path], name: str
) -> None:
    given(qtbot, page, files["trust"], files[name])
    assert page.verdict.word.text() == "Not a pack"
    assert "isn’t an evidence pack" in page.verdict.accessibleName()
    assert "Choose the file that you were given" in page.verdict.notice.words()
    assert not page.verdict.report.isEnabled()
    assert not page.verdict.on.isEnabled()


def test_a_changed_byte_is_told_in_a_plain_sentence(qtbot: QtBot, page: EvidencePage, files: dict[str, Path]) -> None:
    given(qtbot, page, files["trust"], files["flipped"])
    assert page.verdict.word.text() == "Invalid"
    assert pack_words.ALTERED in page.verdict.notice.words()


def test_a_redacted_pack_says_what_was_taken_out_and_which_figures_rest_on_it(
    qtbot: QtBot, page: EvidencePage, files: dict[str, Path]
) -> None:
    given(qtbot, page, files["trust"], files["redacted"])
    assert page.verdict.word.text() == "Valid"
    said = page.verdict.taken()
    assert "Answers: 3" in said
    assert pack_words.LOST in said
    assert "Holds the target, quotes: 2 of 2 scores" in said
    text = pack_words.verdict_text(page.verdict.checked)  # type: ignore[arg-type]
    assert "It is a redaction of the pack whose manifest has the SHA-256" in text
    assert "parts taken out" in page.packs.rows.columns[0].show(page.verdict.checked).second


def test_a_nonce_that_was_asked_for_is_looked_for(qtbot: QtBot, page: EvidencePage, files: dict[str, Path]) -> None:
    given(qtbot, page, files["trust"], files["whole"], files["asked"])
    page.packs.choose(1)
    text = pack_words.verdict_text(page.verdict.checked)  # type: ignore[arg-type]
    assert f"The release holds the nonce “{NONCE}”" in text
    page.nonce.setText(NONCE)
    page.nonce.editingFinished.emit()
    settled(qtbot, page)
    assert page.verdict.word.text() == "Valid"
    assert "Made for you holds: The release holds the nonce that you asked for." in page.verdict.checks()
    given(qtbot, page, files["whole"])
    assert page.verdict.word.text() == "Invalid"
    assert "isn’t the pack that you asked for" in page.verdict.accessibleName()


def test_a_sealed_pack_is_opened_in_memory_with_keys_and_passphrase(
    qtbot: QtBot, page: EvidencePage, files: dict[str, Path]
) -> None:
    before = {path: path.read_bytes() for path in files["sealed"].parent.iterdir()}
    given(qtbot, page, files["keys"], files["sealed"])
    form = dialog(page)
    assert isinstance(form, OpenForm)
    assert form.keys.text == str(files["keys"])
    for passphrase, word in (("wrong", ""), (PASSPHRASE, "Incomplete")):
        form.passphrase.edit.setText(passphrase)  # type: ignore[union-attr]
        qtbot.mouseClick(form.act, Qt.MouseButton.LeftButton)
        settled(qtbot, page)
        assert page.verdict.word.text() == word
        if not word:
            assert form.problem == "The passphrase is wrong for these keys. Nothing was opened."
            assert form.passphrase.text == ""
    given(qtbot, page, files["trust"])
    assert page.verdict.word.text() == "Valid"
    assert {path: path.read_bytes() for path in files["sealed"].parent.iterdir()} == before


def test_what_came_sealed_fills_the_memory_only_so_far(
    qtbot: QtBot, page: EvidencePage, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    given(qtbot, page, files["trust"], files["whole"])
    plain = page.verdict.checked
    assert plain is not None
    some = [replace(plain, path=f"{n}.sealed", sealed=b"x" * 10) for n in range(4)]
    monkeypatch.setattr(evidence, "MOST_SEALED", 25)
    assert [one.path for one in evidence._kept([*some, plain])] == ["0.sealed", "1.sealed", plain.path]
    monkeypatch.setattr(evidence, "MOST_SEALED", 5)
    assert [one.path for one in evidence._kept([*some, plain])] == ["0.sealed", plain.path]


def test_a_sealed_pack_isn_t_opened_by_the_public_half(
    qtbot: QtBot, page: EvidencePage, files: dict[str, Path]
) -> None:
    given(qtbot, page, files["sealed"])
    form = dialog(page)
    assert isinstance(form, OpenForm)
    form.keys.edit.setText(str(files["public"]))  # type: ignore[union-attr]
    form.passphrase.edit.setText(PASSPHRASE)  # type: ignore[union-attr]
    form.act.click()
    settled(qtbot, page)
    assert "public half" in form.problem
    assert page.verdict.checked is None


def test_a_stranger_s_card_counts_once_it_was_compared_and_the_file_is_saved(
    qtbot: QtBot, page: EvidencePage, files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(qtbot, page, files["strangers"], files["whole"])
    assert page.verdict.word.text() == "Incomplete"
    assert "Ask Ben Okafor by a way you trust" in page.verdict.notice.words()
    qtbot.mouseClick(page.verdict.notice.compare, Qt.MouseButton.LeftButton)
    settled(qtbot, page)
    form = dialog(page)
    assert isinstance(form, AddCardForm)
    form.act.click()
    assert form.problem.startswith("Compare the fingerprint with its owner first.")
    form.comparison.said.edit.setText("0" * 64)  # type: ignore[union-attr]
    assert form.comparison.result.text().startswith("Group 1 differs.")
    form.comparison.said.edit.setText(packs.stranger().upper())  # type: ignore[union-attr]
    assert form.comparison.result.text() == "It is the same: all 16 groups."
    form.act.click()
    settled(qtbot, page)
    assert page.verdict.word.text() == "Valid"
    assert page.trust is not None
    assert page.trust.changed
    out = tmp_path / "mine.json"
    saved_to(monkeypatch, out)
    page.view.segment("trust").click()
    page.trust_view.save.click()
    settled(qtbot, page)
    assert {fingerprint(card) for card in trustfile.load(out.read_bytes()).cards} == {
        fingerprint(card) for card in TRUST.cards
    }
    assert not page.trust.changed
    assert trustfile.load(files["strangers"].read_bytes()).cards == TRUST.cards[:-1]


def test_a_card_is_dropped_compared_and_taken_out_again(
    qtbot: QtBot, page: EvidencePage, files: dict[str, Path]
) -> None:
    given(qtbot, page, files["strangers"], files["card"])
    form = dialog(page)
    assert isinstance(form, AddCardForm)
    form.otherwise.setChecked(True)
    form.act.click()
    assert len(page.trust_view.people()) == 2
    page.trust_view.compare_asked.emit(packs.stranger())
    assert isinstance(dialog(page), CompareForm)
    dialog(page).act.click()
    page.trust_view.remove_asked.emit(packs.stranger())
    form = dialog(page)
    assert isinstance(form, RemoveForm)
    form.act.click()
    assert len(page.trust_view.people()) == 1
    given(qtbot, page, files["whole"])
    assert page.verdict.word.text() == "Incomplete"


def test_the_report_of_a_valid_pack_is_its_own_and_of_another_one_is_made_here(
    qtbot: QtBot, page: EvidencePage, files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[tuple[Path, bytes]] = []
    private = tmp_path / "memory"
    private.mkdir()
    monkeypatch.setattr(pack_reading, "runtime_folder", partial(runtime_folder, base=private))
    monkeypatch.setattr(verdict_acts, "open_outside", lambda path: shown.append((path, path.read_bytes())) or True)
    given(qtbot, page, files["trust"], files["whole"])
    page.verdict.ask("report")
    given(qtbot, page, files["redacted"])
    page.verdict.ask("report-pdf")
    settled(qtbot, page)
    assert shown[0][1] == zipform.read(packs.whole())["report.html"]
    assert shown[1][1] == rendered(files["redacted"].read_bytes())["report.pdf"]
    assert all(path.is_relative_to(private) and path.stat().st_mode & 0o077 == 0 for path, _ in shown)
    page.acts.close()
    assert list(private.iterdir()) == []
    monkeypatch.setattr(verdict_acts, "open_outside", lambda path: False)
    page.verdict.ask("report")
    settled(qtbot, page)
    assert page.banner.text == "No program of this system opens the report."


def test_a_report_comes_only_out_of_the_bytes_that_were_checked(
    qtbot: QtBot, page: EvidencePage, files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(qtbot, page, files["trust"], files["whole"])
    files["whole"].write_bytes(packs.whole(NONCE))
    saved_to(monkeypatch, tmp_path / "r.html")
    page.verdict.ask("save-report")
    settled(qtbot, page)
    assert "changed since it was checked" in page.banner.text
    assert not (tmp_path / "r.html").exists()


def test_a_verdict_is_kept_as_text_and_as_pdf(
    qtbot: QtBot, page: EvidencePage, files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(qtbot, page, files["trust"], files["redacted"])
    for act, name, start in (("text", "v.txt", b"VALID: safety@1, run-1\n"), ("pdf", "v.pdf", b"%PDF-1.")):
        saved_to(monkeypatch, tmp_path / name)
        page.verdict.ask(act)
        settled(qtbot, page)
        assert (tmp_path / name).read_bytes().startswith(start)


def test_parts_are_withheld_after_a_preview_and_the_result_is_checked_at_once(
    qtbot: QtBot, page: EvidencePage, files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(qtbot, page, files["trust"], files["whole"])
    page.verdict.ask("redact")
    settled(qtbot, page)
    view = page.redact
    assert view.choices is not None
    assert not view.write_out.isEnabled()
    view.fields.box("target").setChecked(True)
    qtbot.waitUntil(lambda: view.told is not None, timeout=20_000)
    assert "Wanted answers: 2" in view.said()
    assert "give away the target of q1" in view.said()
    assert "Holds the target, quotes: 2 of 2 scores" in view.said()
    saved_to(monkeypatch, files["whole"])
    view.write_out.click()
    settled(qtbot, page)
    assert "that is the pack itself" in page.banner.text
    assert files["whole"].read_bytes() == packs.whole()
    out = tmp_path / "less"
    saved_to(monkeypatch, out)
    view.write_out.click()
    settled(qtbot, page)
    assert out.with_suffix(".pack").is_file()
    assert page.view.current() == "check"
    assert page.verdict.word.text() == "Valid"
    assert "Wanted answers: 2" in page.verdict.taken()


def test_a_redaction_that_takes_nothing_isn_t_offered_and_what_is_wrong_is_said(
    qtbot: QtBot, page: EvidencePage, files: dict[str, Path]
) -> None:
    page.view.segment("redact").click()
    given(qtbot, page, files["whole"])
    view = page.redact
    view.texts.edit.setText("no such words anywhere")  # type: ignore[union-attr]
    qtbot.waitUntil(lambda: view.state == "The pack holds nothing of that, or it is withheld already.", timeout=20_000)
    assert not view.write_out.isEnabled()
    given(qtbot, page, files["flipped"])
    assert page.banner.isVisible()
    assert view.choices is not None
    assert view.choices.data == packs.whole()


def test_samples_are_found_ticked_by_key_and_stay_ticked_while_others_are_looked_for(
    qtbot: QtBot, page: EvidencePage, files: dict[str, Path]
) -> None:
    page.view.segment("redact").click()
    given(qtbot, page, files["whole"])
    samples = page.redact.samples
    assert samples.rows.rowCount() == 2
    samples.find.setText("q2")
    assert samples.rows.rowCount() == 1
    samples.list.setCurrentIndex(samples.rows.index(0))
    qtbot.keyClick(samples.list, Qt.Key.Key_Space)
    samples.find.setText("q1")
    assert page.redact.request().samples == ("q2",)
    qtbot.waitUntil(lambda: page.redact.told is not None, timeout=20_000)
    assert page.redact.told is not None
    assert "q2" in page.redact.told.samples
    samples.find.clear()
    samples.list.setCurrentIndex(samples.rows.index(1))
    qtbot.keyClick(samples.list, Qt.Key.Key_Space)
    assert samples.chosen() == ()
    spot = samples.list.visualRect(samples.rows.index(0)).center()
    qtbot.mouseClick(samples.list.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert samples.chosen() == ("q1",)


def test_a_pack_is_sealed_only_to_a_key_that_was_compared(
    qtbot: QtBot, page: EvidencePage, files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(qtbot, page, files["trust"], files["whole"])
    page.verdict.ask("seal")
    form = dialog(page)
    assert isinstance(form, SealForm)
    form.key.edit.setText(str(files["card"]))  # type: ignore[union-attr]
    assert form.to is None
    form.key.edit.setText(str(files["public"]))  # type: ignore[union-attr]
    out = tmp_path / "for-ruth.sealed"
    saved_to(monkeypatch, out)
    form.act.click()
    assert form.problem.startswith("Compare the fingerprint with its owner first")
    form.compared.setChecked(True)
    form.act.click()
    settled(qtbot, page)
    assert sealing.open_pack(out.read_bytes(), packs.keys(), PASSPHRASE) == packs.whole()


def test_keys_are_made_and_their_fingerprint_is_shown(
    qtbot: QtBot, page: EvidencePage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.trusting.kdf = weak_kdf
    page.trust_view.keys_asked.emit()
    form = dialog(page)
    form.person.edit.setText("Ruth")  # type: ignore[attr-defined]
    form.first.edit.setText("a quiet ladder in october")  # type: ignore[attr-defined]
    form.again.edit.setText("a quiet ladder in october")  # type: ignore[attr-defined]
    saved_to(monkeypatch, tmp_path / "mine.keys")
    form.act.click()
    settled(qtbot, page)
    made = sealing.load_keys((tmp_path / "mine.keys").read_bytes(), "mine.keys")
    assert sealing.load_public((tmp_path / "mine.keys.pub").read_bytes(), "public") == made.public_half
    assert dialog(page).accessibleName() == "Your keys are made"


def test_a_check_that_was_stopped_shows_no_verdict(qtbot: QtBot, page: EvidencePage, files: dict[str, Path]) -> None:
    page.check([str(files["whole"])])
    page._stop()
    settled(qtbot, page)
    assert page.verdict.checked is None
    assert len(page.packs.rows.all()) == 0


def test_stopping_a_check_stops_the_work_itself(
    qtbot: QtBot, page: EvidencePage, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = []

    def slow(stream: object, trust: object, at: object, job: Job) -> object:
        stopped = threading.Event()
        job.on_cancel(stopped.set)
        for _ in range(1_000):
            if stopped.wait(0.06):
                break
            job.report(30, 100, "bytes")
        ended.append(job.cancelled)
        job.check()
        raise AssertionError("it was stopped")

    monkeypatch.setattr(pack_words, "verify", slow)
    page.check([str(files["whole"])])
    qtbot.waitUntil(lambda: page._note.text().endswith(", 30 % read"), timeout=20_000)
    page._stop()
    settled(qtbot, page)
    assert ended == [True]
    assert page.verdict.checked is None


def test_a_public_key_and_a_folder_are_answered_with_what_to_do(
    qtbot: QtBot, page: EvidencePage, files: dict[str, Path]
) -> None:
    given(qtbot, page, files["public"])
    assert "packs are sealed to it, and it opens none" in page.banner.text
    given(qtbot, page, files["public"].parent)
    assert "this is a folder" in page.banner.text


def test_a_pack_and_its_trust_file_may_be_dropped_on_the_first_page(
    qtbot: QtBot, locked: MainWindow, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pack_words, "clock", lambda: AT)
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(files[name])) for name in ("whole", "trust")])
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    locked.page.dropEvent(QDropEvent(QPointF(400, 300), copy, mime, left, none))  # type: ignore[union-attr]
    page = locked.page
    assert isinstance(page, EvidencePage)
    settled(qtbot, page)
    assert page.verdict.word.text() == "Valid"


def test_a_fingerprint_is_heard_in_signs_and_in_words() -> None:
    assert heard("9D41 e07c") == "9d41e07c"
    assert heard("nine delta four one, Echo zero seven charlie") == "9d41e07c"
    assert heard("alpha bravo") == "ab"


def test_a_time_that_is_none_and_a_name_without_end_don_t_break_the_page() -> None:
    assert pack_words.told_moment("soon") == "soon"
    assert len(pack_words.capped("x" * 5000)) == 80


def test_what_would_deceive_in_a_name_is_named() -> None:
    said = pack_words.capped("Ada \u202ekavoN\u200b")
    assert "\u202e" not in said
    assert "\u200b" not in said
    assert said.startswith("Ada [")


def test_every_field_that_can_be_withheld_has_words() -> None:
    named = {
        f"{kind} {'.'.join(step for step in steps if step != '*')}"
        for kind, some in WITHHOLDABLE.items()
        for steps in some
    }
    assert named == pack_words.FIELDS.keys()
