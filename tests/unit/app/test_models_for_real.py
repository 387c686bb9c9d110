"""The models page over real workers and a real model of 260,000 parameters: added, planned, used, unloaded, quantized; a damaged file refused."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from pytestqt.qtbot import QtBot

from app.bridge.operations import Operations
from app.pages.model_forms import QuantizeForm, Told
from app.pages.models import ModelsPage
from core.inference.records import Generate, Message
from core.vault.vault import Vault
from core.workbench import SCHEMA, Workbench
from tests.unit.app.shells import TestShell

LONG = 20_000
"""Milliseconds: workers start."""


@pytest.fixture
def shell(vault_factory: Callable[..., Vault], qtbot: QtBot) -> Iterator[TestShell]:
    operations = Operations()
    with Workbench(vault_factory(SCHEMA)) as bench:
        operations.attach(bench)
        made = TestShell(operations)
        yield made
        operations.detach()
        operations.close()
        made.close()
        made.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


@pytest.fixture
def stories(shared_data: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "stories.gguf"
    copy.write_bytes((shared_data / "models" / "stories260K" / "stories260K.gguf").read_bytes())
    return copy


def test_a_model_is_added_planned_used_unloaded_and_quantized(
    shell: TestShell, stories: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    page = shell.hold(ModelsPage(shell))  # type: ignore[arg-type]
    assert isinstance(page, ModelsPage)
    qtbot.waitUntil(lambda: page.empty.isVisible() and shell.operations.running() == 0)
    torn = tmp_path / "torn.gguf"
    torn.write_bytes(stories.read_bytes()[:5000])
    page.take([str(torn)])
    qtbot.waitUntil(lambda: "torn.gguf" in page.banner.text, timeout=LONG)
    assert page.found.models == ()
    page.take([str(stories)])
    qtbot.waitUntil(lambda: page.detail.model is not None, timeout=LONG)
    assert not page.banner.isVisible()
    page.detail.plan.ask.click()
    qtbot.waitUntil(lambda: page.detail.plan.plan is not None, timeout=LONG)
    assert page.detail.plan.said.startswith("It fits: ")

    def say(bench: Workbench, job) -> None:
        for _ in bench.engine.generate(
            Generate(model="stories", messages=(Message(role="text", content="Once"),), max_tokens=4), job
        ):
            pass

    said: list[None] = []
    shell.operations.run("Say", say, said.append)
    qtbot.waitUntil(lambda: bool(said) and "stories" in page.memory.buttons, timeout=LONG)
    page.memory.buttons["stories"].click()
    qtbot.waitUntil(lambda: not page.memory.buttons, timeout=LONG)
    page.detail.quantize_button.click()
    form = shell.overlay.panel
    assert isinstance(form, QuantizeForm)
    form.kind.edit.setCurrentIndex(form.kind.edit.findData("Q8_0"))
    form.text.edit.setPlainText("Once upon a time there was a little girl named Lily. She loved to play outside. " * 4)
    if form.again.isVisible():
        form.again.click()
    form.act.click()
    qtbot.waitUntil(lambda: isinstance(shell.overlay.panel, Told) or bool(page.banner.text), timeout=LONG)
    assert page.banner.text == ""
    assert ("Registered as", "stories-q8_0") in shell.overlay.panel.facts
    assert [word for word, _ in shell.overlay.panel.facts][2] == "Same likeliest token"
