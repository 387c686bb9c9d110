"""The release gate in the window: each line with its verdict, what it holds back, and the exception that two people sign."""

from collections.abc import Callable, Iterator

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.bridge.operations import Operations
from app.pages.evaluations import EvaluationsPage
from app.pages.version_cards import in_window
from app.theme.look import look
from app.widgets.signing import SigningPanel
from core.evals import releasing
from core.evals import store as evals_store
from core.evals.files import read_spec
from core.evals.records import RunSpec
from core.evals.service import Evals
from core.jobs import Job
from core.prompts.service import Prompts
from core.vault.vault import Vault
from tests.conftest import PASSPHRASES, weak_kdf
from tests.unit.app.benches import EXAMPLE, Bench
from tests.unit.app.shells import TestShell
from tests.unit.app.test_evaluation_comparison import settled

SCHEMA = (evals_store.SCHEMA,)
NADIA = "three grey herons at noon"


@pytest.fixture
def operations(qtbot: QtBot) -> Iterator[Operations]:
    look().apply("light", reduced_motion=True)
    made = Operations()
    yield made
    made.close()


def gated(vault: Vault) -> Bench:
    """A bench whose labels wait for the gates of runs, as they do in the program."""
    bench = Bench(vault)
    bench.prompts = Prompts(vault, bench.engine, releasing.blocked)  # type: ignore[arg-type]
    bench.library.prompts = bench.prompts  # type: ignore[attr-defined]
    bench.evals = Evals(vault, bench.models, bench.documents, bench.prompts, bench.datasets, bench.library)  # type: ignore[arg-type]
    return bench


@pytest.fixture
def vault(vault_factory: Callable[..., Vault]) -> Vault:
    """A vault with three people and one run whose gate isn't met."""
    made = vault_factory(SCHEMA)
    with made.confirm(PASSPHRASES["ines"]) as signer:
        made.add_user(signer, "nadia", "Nadia Brandt", ("reviewer",), NADIA, kdf=weak_kdf)
    bench = gated(made).with_prompts().with_dataset()
    spec = read_spec(EXAMPLE / "evaluation.yaml")
    lines = ("contains >= 1.0", "no regression of contains at p < 0.05")
    bench.evals.save(msgspec.structs.replace(spec, name="strict", criteria=(), gate=lines))
    bench.evals.run(RunSpec(reference="strict"), Job("Evaluate"))
    return made


def opened(qtbot: QtBot, vault: Vault) -> tuple[Operations, TestShell, EvaluationsPage]:
    operations = Operations()
    operations.attach(gated(vault))  # type: ignore[arg-type]
    shell = TestShell(operations)
    qtbot.addWidget(shell)
    page = EvaluationsPage(shell)
    shell.hold(page)
    settled(qtbot, operations)
    return operations, shell, page


def sign(qtbot: QtBot, operations: Operations, shell: TestShell, page: EvaluationsPage, user: str, phrase: str) -> None:
    qtbot.mouseClick(page.results.summary.gate.exception, Qt.MouseButton.LeftButton)
    panel = shell.overlay.panel
    assert isinstance(panel, SigningPanel)
    panel.meanings["approved"].click()
    bar = panel.exact.verticalScrollBar()
    bar.setValue(bar.maximum())
    qtbot.waitUntil(lambda: panel.exact.was_seen)
    qtbot.keyClicks(panel.reason.edit, "The weakness is known")
    qtbot.keyClicks(panel.user.edit, user)
    qtbot.keyClicks(panel.passphrase.edit, phrase)
    qtbot.mouseClick(panel.sign, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: shell.overlay.panel is None, timeout=20_000)
    settled(qtbot, operations)


def test_a_gate_that_is_not_met_is_passed_over_by_two_people_only(qtbot: QtBot, vault: Vault) -> None:
    look().apply("light", reduced_motion=True)
    operations, _, page = opened(qtbot, vault)
    gate = page.results.summary.gate
    assert gate.badge.text == "Not met"
    said = [widget.accessibleName() for widget in gate.findChildren(QWidget)]
    assert any(words.startswith("contains >= 1.0, cite-answers@2") and "not met" in words for words in said)
    assert any(words.startswith("no regression of contains at p < 0.05") and "not met" not in words for words in said)
    assert gate.held.text() == (
        "cite-answers@1 and cite-answers@2 can’t be labelled approved unless 2 people sign an exception."
    )
    assert not gate.exception.isEnabled()
    assert "a reviewer must do it" in gate.exception.toolTip()
    operations.close()
    vault.close()

    vault = Vault.open(vault.folder, "tomas", PASSPHRASES["tomas"], SCHEMA)
    operations, shell, page = opened(qtbot, vault)
    sign(qtbot, operations, shell, page, "tomas", PASSPHRASES["tomas"])
    gate = page.results.summary.gate
    assert "until one more person signs the exception" in gate.held.text()
    assert "You signed this exception already" in gate.exception.toolTip()
    operations.close()
    vault.close()

    vault = Vault.open(vault.folder, "nadia", NADIA, SCHEMA)
    operations, shell, page = opened(qtbot, vault)
    sign(qtbot, operations, shell, page, "nadia", NADIA)
    gate = page.results.summary.gate
    assert gate.held.text() == "2 people signed an exception, so nothing is held back."
    names = [widget.accessibleName() for widget in gate.findChildren(QWidget)]
    assert "Exception signed by Tomás Vidal: The weakness is known" in names
    assert operations.workbench is not None
    assert operations.workbench.prompts.held_back("cite-answers@2") == ""
    operations.close()
    vault.close()


def test_a_run_without_criteria_and_gate_says_so(
    qtbot: QtBot, operations: Operations, vault_factory: Callable[..., Vault]
) -> None:
    bench = gated(vault_factory(SCHEMA, "Other")).with_prompts().with_dataset()
    spec = read_spec(EXAMPLE / "evaluation.yaml")
    bench.evals.save(msgspec.structs.replace(spec, name="open", criteria=()))
    bench.evals.run(RunSpec(reference="open"), Job("Evaluate"))
    operations.attach(bench)  # type: ignore[arg-type]
    shell = TestShell(operations)
    qtbot.addWidget(shell)
    page = EvaluationsPage(shell)
    shell.hold(page)
    settled(qtbot, operations)
    gate = page.results.summary.gate
    assert gate.badge.text == "No criteria"
    assert not gate.exception.isVisible()


def test_the_window_names_its_own_place_for_an_exception() -> None:
    said = "run-2 doesn't meet its gate: x. Improve the prompt, or let 2 people sign an exception with `assay eval except run-2`."
    assert in_window(said).endswith("sign an exception beside the results of run-2 on the page Evaluations.")
    assert in_window("") == ""
