"""The evidence page as an auditor and a team use it: a verdict without a vault, why it isn't valid, a pack signed and exported."""

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from app.bridge.operations import Operations
from app.pages.evidence import EvidencePage
from app.pages.pack_making import WITHHELD
from app.theme.look import look
from app.widgets.seal import SealState
from app.widgets.signing import SigningPanel
from core.evals import marks
from core.evals import store as evals_store
from core.evals.records import RunSpec
from core.evidence import salts
from core.evidence.records import ExportPack
from core.jobs import Job
from core.trust import trustfile
from core.trust.trustfile import TrustFile
from core.vault.vault import Vault
from tests.unit.app.benches import Bench
from tests.unit.app.shells import TestShell

SCHEMA = (evals_store.SCHEMA, salts.SCHEMA)


@pytest.fixture
def operations(qtbot: QtBot) -> Iterator[Operations]:
    look().apply("light", reduced_motion=True)
    made = Operations()
    yield made
    made.close()


@pytest.fixture
def ran(vault_factory: Callable[..., Vault]) -> Bench:
    """A bench with one finished run of the example's questions, answered by quotes."""
    bench = Bench(vault_factory(SCHEMA)).with_prompts().with_dataset().with_spec()
    spec = bench.evals.spec("cite-answers-comparison").spec.spec
    short = msgspec.structs.replace(spec, name="quotes-only", prompts=(), models=(), criteria=())
    bench.evals.run(RunSpec(reference=bench.evals.save(short).spec.reference), Job("Evaluate"))
    return bench


@pytest.fixture
def handed_over(ran: Bench, passphrases: dict[str, str], tmp_path: Path) -> tuple[Path, Path]:
    """A pack and the trust file for it."""
    pack, trust = tmp_path / "answers.pack", tmp_path / "merrowdale.json"
    with ran.vault.confirm(passphrases["ines"]) as signer:
        ran.evidence.export(ExportPack(run="run-1", out=str(pack), reason="For the inspection"), signer, Job("Pack"))
    trust.write_bytes(trustfile.dump(ran.vault.trust_file()))
    return pack, trust


def opened(
    qtbot: QtBot, operations: Operations, bench: Bench | None = None, about: object = None
) -> tuple[TestShell, EvidencePage]:
    if bench is not None:
        operations.attach(bench)  # type: ignore[arg-type]
    shell = TestShell(operations)
    qtbot.addWidget(shell)
    page = EvidencePage(shell)
    shell.hold(page)
    if about is not None:
        page.show_about(about)
    settled(qtbot, operations)
    return shell, page


def settled(qtbot: QtBot, operations: Operations) -> None:
    for _ in range(3):
        qtbot.waitUntil(lambda: operations.running() == 0, timeout=20_000)
        qtbot.wait(10)


def dropped(page: EvidencePage, *paths: Path) -> None:
    """Drop files on the page, as a file manager would."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    page.dropEvent(
        QDropEvent(
            QPointF(400, 300), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        )
    )


def test_a_pack_dropped_with_its_trust_file_is_valid_without_a_vault(
    qtbot: QtBot, operations: Operations, handed_over: tuple[Path, Path]
) -> None:
    _, page = opened(qtbot, operations)
    assert page.no_pack.isVisible()
    dropped(page, *handed_over)
    settled(qtbot, operations)
    view = page.verdict
    assert view.word.text() == "Valid"
    assert view.seal.state is SealState.VALID
    assert not view.notice.isVisible()
    assert view.signers()[0].startswith("Inês Duarte, released quotes-only@1, run-1, ")
    assert all("holds" in words for words in view.checks())
    assert "Contents holds: All files match what was signed." in view.checks()
    assert view.report.isEnabled()


def test_without_a_trust_file_a_pack_is_incomplete_until_one_is_chosen(
    qtbot: QtBot, operations: Operations, handed_over: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    pack, trust = handed_over
    _, page = opened(qtbot, operations, about=str(pack))
    assert page.verdict.word.text() == "Incomplete"
    assert "without a trust file" in page.verdict.accessibleName()
    assert "Choose the trust file that you were given" in page.verdict.notice.words()
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(trust), ""))
    qtbot.mouseClick(page.verdict.notice.act, Qt.MouseButton.LeftButton)
    settled(qtbot, operations)
    assert page.verdict.word.text() == "Valid"
    assert len(page.packs.rows.all()) == 1


def test_an_unknown_signer_is_named_with_the_fingerprint_to_compare(
    qtbot: QtBot, operations: Operations, ran: Bench, handed_over: tuple[Path, Path], tmp_path: Path
) -> None:
    pack, _ = handed_over
    own = ran.vault.trust_file()
    others = TrustFile(cards=tuple(own.cards[1:]), logs=own.logs, made=own.made)
    known = tmp_path / "others.json"
    known.write_bytes(trustfile.dump(others))
    _, page = opened(qtbot, operations)
    dropped(page, known, pack)
    settled(qtbot, operations)
    assert page.verdict.word.text() == "Incomplete"
    words = page.verdict.notice.words()
    assert "Inês Duarte" in words
    assert ran.vault.user.card[:4] in words
    assert page.verdict.signers()[0].endswith("unknown")


def test_one_changed_byte_makes_a_pack_invalid(
    qtbot: QtBot, operations: Operations, handed_over: tuple[Path, Path], tmp_path: Path
) -> None:
    pack, trust = handed_over
    content = bytearray(pack.read_bytes())
    content[len(content) // 2] ^= 1
    broken = tmp_path / "broken.pack"
    broken.write_bytes(content)
    _, page = opened(qtbot, operations)
    dropped(page, trust, broken, pack)
    settled(qtbot, operations)
    assert page.verdict.word.text() == "Invalid"
    assert page.verdict.seal.state is SealState.BROKEN
    assert "ask for the pack again" in page.verdict.notice.words()
    assert not page.verdict.report.isEnabled()
    page.packs.choose(1)
    assert page.verdict.word.text() == "Valid"


def test_a_file_that_is_no_trust_file_is_refused_in_one_sentence(
    qtbot: QtBot, operations: Operations, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.json"
    wrong.write_text("{}", encoding="utf-8")
    _, page = opened(qtbot, operations)
    dropped(page, wrong)
    settled(qtbot, operations)
    assert page.banner.isVisible()
    assert "trust file" in page.banner.text
    assert page.trust is None


def test_a_run_is_signed_as_released_and_its_pack_checks_out(
    qtbot: QtBot,
    operations: Operations,
    ran: Bench,
    passphrases: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    view = ran.evals.show("run-1")
    for place, (_, outcome) in enumerate(list(ran.evals.outcomes("run-1"))[:3]):
        given = marks.MarkOutcome(
            run=view.digest,
            sample=outcome.sample,
            variant=outcome.variant,
            score=1,
            scorer=outcome.scores[0].scorer,
            reason="" if place else "Said by the clerk.",
        )
        marks.mark(ran.vault, view, given)
    shell, page = opened(qtbot, operations, ran, about="run-1")
    make = page.make
    make.find.setText("no such run")
    assert make.contents is None
    assert not make.export.isEnabled()
    assert not make.withhold.isVisible()
    make.find.setText("quotes")
    settled(qtbot, operations)
    assert make.withhold.isVisible()
    assert ("People’s marks", "3") in [(row[1], row[3]) for row in make.contents.rows]  # type: ignore[union-attr]
    make.withhold.setChecked(True)
    make.nonce.edit.setText("x" * 201)  # type: ignore[union-attr]
    make.export.click()
    assert make.nonce.error == "Use at most 200 characters."
    make.nonce.edit.setText("heron-0417")  # type: ignore[union-attr]
    out = tmp_path / "handed"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(out), ""))
    qtbot.mouseClick(page.make.export, Qt.MouseButton.LeftButton)
    panel = shell.overlay.panel
    assert isinstance(panel, SigningPanel)
    assert "Answers (40)" in panel.exact.toPlainText()
    assert panel.exact.toPlainText().endswith("Nonce that an auditor asked for: heron-0417")
    assert WITHHELD in panel.exact.toPlainText()
    panel.exact.verticalScrollBar().setValue(panel.exact.verticalScrollBar().maximum())
    qtbot.waitUntil(lambda: panel.exact.was_seen)
    qtbot.keyClicks(panel.reason.edit, "For the inspection")
    qtbot.keyClicks(panel.user.edit, "ines")
    qtbot.keyClicks(panel.passphrase.edit, passphrases["ines"])
    assert panel.sign.text() == "Sign as released"
    qtbot.mouseClick(panel.sign, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: shell.overlay.panel is None, timeout=20_000)
    assert shell.said == ["Wrote handed.pack."]
    assert "marks/reasons.json" not in zipfile.ZipFile(tmp_path / "handed.pack").namelist()
    assert page.make.result.isVisible()
    qtbot.mouseClick(page.make.result.check, Qt.MouseButton.LeftButton)
    settled(qtbot, operations)
    assert page.verdict.word.text() == "Valid"
    assert page.verdict.checked is not None
    assert page.verdict.checked.verdict.nonce == "heron-0417"

    trust = tmp_path / "trust.json"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(trust), ""))
    page.view.segment("trust").click()
    assert len(page.trust_view.people()) == 2
    qtbot.mouseClick(page.trust_view.export, Qt.MouseButton.LeftButton)
    settled(qtbot, operations)
    assert len(trustfile.load(trust.read_bytes()).cards) == 2
    for name, act, wanted in (("v.txt", "text", b"VALID"), ("r.html", "save-report", b"<!DOCTYPE")):
        target = tmp_path / name
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, to=target: (str(to), ""))
        page.verdict.ask(act)
        settled(qtbot, operations)
        assert target.read_bytes().startswith(wanted)
