"""The evaluations page says which samples an adapter under test learned, before a run and beside its results."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import msgspec
import pytest
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.bridge.operations import Operations
from app.pages.evaluations import EvaluationsPage
from app.theme.look import look
from core.datasets.records import SaveSamples
from core.datasets.screening import Learned
from core.errors import NotFound
from core.evals import store as evals_store
from core.evals.records import AdapterUse, RunSpec, Settings
from core.jobs import Job
from core.vault.vault import Vault
from tests.unit.app.benches import MODEL, Bench
from tests.unit.app.shells import TestShell

SPEC = "cite-answers-comparison"


@pytest.fixture
def operations(qtbot: QtBot) -> Iterator[Operations]:
    look().apply("light", reduced_motion=True)
    made = Operations()
    yield made
    made.close()


@pytest.fixture
def bench(vault_factory: Callable[..., Vault]) -> Bench:
    """A bench with a spec without adapters, which ran, and one whose adapter learned seven of its samples."""
    made = Bench(vault_factory((evals_store.SCHEMA,))).with_prompts().with_dataset().with_spec()
    made.evals.run(RunSpec(reference=SPEC), Job("Evaluate"))
    plain = made.evals.spec(SPEC).spec.spec
    kept = made.datasets.save(SaveSamples(name="house-style", samples=made.library.samples[:7]))
    settings = (Settings(name="tuned", adapters=(AdapterUse(model="starter-chat"),)),)
    made.evals.save(msgspec.structs.replace(plain, name="tuned", settings=settings, criteria=()))
    learned = Learned(adapter="training-1", digest=MODEL, datasets=(kept.digest,), files=("talks.json",))
    made.datasets.learned = lambda: (learned,)
    return made


def settled(qtbot: QtBot, operations: Operations) -> None:
    for _ in range(3):
        qtbot.waitUntil(lambda: operations.running() == 0, timeout=60_000)
        qtbot.wait(10)


def opened(qtbot: QtBot, operations: Operations, bench: Bench) -> EvaluationsPage:
    operations.attach(bench)  # type: ignore[arg-type]
    shell = TestShell(operations)
    qtbot.addWidget(shell)
    page = EvaluationsPage(shell)
    shell.hold(page)
    settled(qtbot, operations)
    return page


def words(widget: QWidget) -> str:
    return " | ".join(part.text() for part in widget.findChildren(QLabel) if part.text())


def test_a_spec_whose_adapter_learned_its_samples_says_so_before_it_runs(
    qtbot: QtBot, operations: Operations, bench: Bench
) -> None:
    page = opened(qtbot, operations, bench)
    assert page.results.summary.learned.isHidden(), "the run's spec has no adapter"
    page.show_about("tuned")
    settled(qtbot, operations)
    card = page.specs.learned
    assert card.isVisible()
    assert (
        "training-1 was trained on 7 of the samples (q01, q02, q03, q04, q05 …): its results on them mean nothing."
        in words(card)
    )
    assert "training-1: talks.json isn’t kept in the vault, so it can’t be compared with the samples." in words(card)
    assert "its results on them mean nothing" in card.accessibleDescription()
    page.specs.choose(SPEC)
    settled(qtbot, operations)
    assert card.isHidden()


def test_what_was_learned_stands_beside_the_results(qtbot: QtBot, operations: Operations, bench: Bench) -> None:
    page = opened(qtbot, operations, bench)
    tuned = bench.evals.spec("tuned")
    content = page.results.content
    assert content is not None
    page.results.show_run(replace(content, spec=tuned))
    settled(qtbot, operations)
    assert "training-1 was trained on 7 of the samples" in words(page.results.summary.learned)


def test_a_comparison_that_fails_is_told(
    qtbot: QtBot, operations: Operations, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(reference: str, job: Job) -> None:
        raise NotFound(kind="model", name="corvid", step="Add it first.")

    monkeypatch.setattr(bench.evals, "contamination", gone)
    page = opened(qtbot, operations, bench)
    page.show_about("tuned")
    settled(qtbot, operations)
    assert "What the adapters learned can’t be compared." in words(page.specs.learned)
    assert "corvid" in words(page.specs.learned)
