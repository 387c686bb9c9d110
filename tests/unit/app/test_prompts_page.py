"""The prompts page as a person uses it: write, be told of an error at its line, compare, sign, be refused, label."""

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox
from pytestqt.qtbot import QtBot

from app.bridge.operations import Operations
from app.pages.prompts import PromptsPage
from app.pages.version_cards import LabelDialog
from app.theme.look import look
from app.widgets.seal import SealState
from app.widgets.signing import SigningPanel
from core.evals import store as evals_store
from core.prompts.records import SignPrompt
from core.vault.vault import Vault
from tests.unit.app.benches import Bench
from tests.unit.app.shells import TestShell

SCHEMA = (evals_store.SCHEMA,)


@pytest.fixture
def operations(qtbot: QtBot) -> Iterator[Operations]:
    look().apply("light", reduced_motion=True)
    made = Operations()
    yield made
    made.close()


@pytest.fixture
def bench(vault_factory: Callable[..., Vault]) -> Bench:
    return Bench(vault_factory(SCHEMA))


@pytest.fixture
def reviewing(bench: Bench, reopen: Callable[..., Vault], passphrases: dict[str, str]) -> Bench:
    """The same vault, with prompts that ines wrote and signed, open for tomas."""
    bench.with_prompts()
    with bench.vault.confirm(passphrases["ines"]) as signer:
        bench.prompts.sign(SignPrompt(reference="cite-answers@2", meaning="authored"), signer)
    return Bench(reopen(bench.vault, "tomas", SCHEMA))


def opened(qtbot: QtBot, operations: Operations, bench: Bench) -> tuple[TestShell, PromptsPage]:
    operations.attach(bench)  # type: ignore[arg-type]
    shell = TestShell(operations)
    qtbot.addWidget(shell)
    page = PromptsPage(shell)
    shell.hold(page)
    qtbot.waitUntil(lambda: operations.running() == 0)
    return shell, page


def settled(qtbot: QtBot, operations: Operations, page: PromptsPage) -> None:
    qtbot.waitUntil(lambda: operations.running() == 0)
    qtbot.wait(20)
    qtbot.waitUntil(lambda: operations.running() == 0)


def test_a_new_prompt_is_written_corrected_and_saved(qtbot: QtBot, operations: Operations, bench: Bench) -> None:
    shell, page = opened(qtbot, operations, bench)
    assert page.empty.isVisible()
    qtbot.mouseClick(page.empty.act, Qt.MouseButton.LeftButton)
    qtbot.keyClicks(page.editor.name.edit, "tone")
    message = page.editor.messages[1]
    message.code.setPlainText("{% for p in passages %}\n{{ p.text }}\n{% endfor\nQuestion: {{ question }}")
    qtbot.keyClick(message.code, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: bool(message.error) and message.code.hasFocus())
    assert message.error.startswith("Line 3: ") or message.error.startswith("Line 4: ")
    assert not page.editor.messages[0].error

    message.code.setPlainText("{% for p in passages %}{{ p.text }}{% endfor %}\nQuestion: {{ question }}")
    assert not message.error
    qtbot.mouseClick(page.editor.save, Qt.MouseButton.LeftButton)
    settled(qtbot, operations, page)
    assert shell.said == ["Saved tone@1."]
    assert [state.prompt.reference for state in page.versions.states()] == ["tone@1"]
    assert page.text.isVisible()
    assert "{% endfor %}" in page.text.toPlainText()


def test_unsaved_text_is_discarded_only_when_asked_twice(qtbot: QtBot, operations: Operations, bench: Bench) -> None:
    _, page = opened(qtbot, operations, bench.with_prompts())
    qtbot.mouseClick(page.edit, Qt.MouseButton.LeftButton)
    qtbot.keyClicks(page.editor.notes.edit, "Shorter")
    qtbot.keyClick(page.editor.notes.edit, Qt.Key.Key_Escape)
    assert page.editor.isVisible()
    assert page.editor.cancel.text() == "Discard it"
    qtbot.mouseClick(page.editor.cancel, Qt.MouseButton.LeftButton)
    settled(qtbot, operations, page)
    assert not page.editor.isVisible()
    assert len(page.versions.states()) == 2


def test_any_two_versions_are_compared_word_by_word(qtbot: QtBot, operations: Operations, bench: Bench) -> None:
    _, page = opened(qtbot, operations, bench.with_prompts())
    assert page.heading.full == "Version 1 to version 2"
    assert "added: only. Quote the sentence" in page.diff.text.accessibleDescription()
    page.versions.choose(1)
    settled(qtbot, operations, page)
    assert page.heading.full == "Version 2 to version 1"
    assert "removed: only. Quote the sentence" in page.diff.text.accessibleDescription()
    page.view.segment("rendered").click()
    settled(qtbot, operations, page)
    assert "Question: How soon must a site report" in page.rendered.toPlainText()


def test_a_reviewer_reads_to_the_end_signs_and_approves(
    qtbot: QtBot, operations: Operations, reviewing: Bench, passphrases: dict[str, str]
) -> None:
    shell, page = opened(qtbot, operations, reviewing)
    assert page.cards.seal.state is SealState.PARTLY
    assert not page.edit.isEnabled()
    assert "an author must" in page.edit.toolTip()
    qtbot.mouseClick(page.cards.sign, Qt.MouseButton.LeftButton)
    panel = shell.overlay.panel
    assert isinstance(panel, SigningPanel)
    assert set(panel.meanings) == {"reviewed", "approved"}
    panel.meanings["approved"].click()
    qtbot.waitUntil(lambda: panel.exact.was_seen)
    qtbot.keyClicks(panel.reason.edit, "Cites every claim")
    qtbot.keyClicks(panel.user.edit, "tomas")
    qtbot.keyClicks(panel.passphrase.edit, "not this one at all")
    qtbot.mouseClick(panel.sign, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(panel.passphrase.error))
    assert panel.passphrase.error == "The user name or the passphrase is wrong. Nothing was signed."
    qtbot.keyClicks(panel.passphrase.edit, passphrases["tomas"])
    qtbot.mouseClick(panel.sign, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: shell.overlay.panel is None)
    settled(qtbot, operations, page)
    assert page.cards.seal.state is SealState.SIGNED
    words = page.cards.signatures.words()
    assert words[0].startswith("Authored: Inês Duarte, ")
    assert words[1] == "Reviewed: not yet"
    assert words[2].startswith("Approved: Tomás Vidal, ")
    assert words[2].endswith("Cites every claim")
    assert "approved" in page.cards.labels


def test_nobody_approves_their_own_work(qtbot: QtBot, operations: Operations, bench: Bench) -> None:
    shell, page = opened(qtbot, operations, bench.with_prompts())
    page.ask_signature()
    panel = shell.overlay.panel
    assert isinstance(panel, SigningPanel)
    assert not panel.meanings["approved"].isEnabled()
    assert panel.meanings["authored"].isChecked()
    assert "You wrote this version, so someone else must review and approve it." in panel._why.text()


def test_a_label_moves_to_the_shown_version(qtbot: QtBot, operations: Operations, bench: Bench) -> None:
    shell, page = opened(qtbot, operations, bench.with_prompts())
    page.ask_label()
    dialog = shell.overlay.panel
    assert isinstance(dialog, LabelDialog)
    assert isinstance(dialog.field.edit, QComboBox)
    offered = [dialog.field.edit.itemText(at) for at in range(dialog.field.edit.count())]
    assert offered == ["draft", "candidate", "approved", "production"]
    dialog.field.edit.setCurrentText("approved")
    dialog.set.click()
    assert dialog.field.error == "Approving a version sets this label."
    dialog.field.edit.setCurrentText("draft")
    assert dialog.field.error == ""
    dialog.set.click()
    settled(qtbot, operations, page)
    assert shell.said == ["draft is now cite-answers@2."]
    assert page.cards.labels == ("candidate", "draft")
