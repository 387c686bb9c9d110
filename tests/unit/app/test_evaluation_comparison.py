"""Comparing runs on the evaluations page: the table of differences, what is said of one, and the way to a sample."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.bridge.operations import Operations
from app.pages.evaluation_compared import amount, kept, power, verdict
from app.pages.evaluations import EvaluationsPage
from app.theme.look import look
from core.errors import BadInput
from core.evals import store as evals_store
from core.evals.comparison import Compared
from core.evals.records import RunSpec
from core.evals.views import SavedView, remove_view, save_view, views
from core.jobs import Job
from core.vault.vault import Vault
from tests.unit.app.benches import Bench
from tests.unit.app.shells import TestShell

SCHEMA = (evals_store.SCHEMA,)
SPEC = "cite-answers-comparison"
ROW = Compared(
    run="run-2",
    variant="v2",
    scorer="contains",
    tag="",
    before=0.5,
    after=0.7,
    value=0.2,
    low=0.1,
    high=0.3,
    p=0.01,
    holm=0.03,
    false_discovery=0.02,
    effect=0.4,
    effect_name="h",
    test="mcnemar",
    n=40,
    groups=40,
    detectable=0.14,
    better=True,
)


@pytest.fixture
def operations(qtbot: QtBot) -> Iterator[Operations]:
    look().apply("light", reduced_motion=True)
    made = Operations()
    yield made
    made.close()


@pytest.fixture
def ran(vault_factory: Callable[..., Vault]) -> Bench:
    """A bench with two finished runs of one spec."""
    bench = Bench(vault_factory(SCHEMA)).with_prompts().with_dataset().with_spec()
    for _ in range(2):
        bench.evals.run(RunSpec(reference=SPEC), Job("Evaluate"))
    return bench


def opened(qtbot: QtBot, operations: Operations, bench: Bench) -> EvaluationsPage:
    operations.attach(bench)  # type: ignore[arg-type]
    shell = TestShell(operations)
    qtbot.addWidget(shell)
    page = EvaluationsPage(shell)
    shell.hold(page)
    settled(qtbot, operations)
    return page


def settled(qtbot: QtBot, operations: Operations) -> None:
    for _ in range(3):
        qtbot.waitUntil(lambda: operations.running() == 0, timeout=20_000)
        qtbot.wait(10)


def test_runs_are_compared_and_a_changed_sample_is_opened(qtbot: QtBot, operations: Operations, ran: Bench) -> None:
    page = opened(qtbot, operations, ran)
    view = page.comparison
    page.view.segment("compare").click()
    settled(qtbot, operations)
    own = ran.evals.compare(["run-2"])
    assert [row.variant for row in view.table.rows.all()] == [row.variant for row in own.rows]

    view.others.list.setCurrentIndex(view.others.rows.index(0, 0))
    qtbot.keyClick(view.others.list, Qt.Key.Key_Space)
    settled(qtbot, operations)
    both = ran.evals.compare(["run-2", "run-1"])
    assert view.table.rows.all() == list(both.rows)
    assert view.filters.segment("all").accessibleName() == f"All, {len(both.rows)}"
    first = both.rows[0]
    assert f"{first.n} samples" in view.power.text()
    assert "after Holm" in view.rest.text()

    changed = next(one for one in both.changed if one.improved)
    at = next(n for n, row in enumerate(both.rows) if (row.run, row.variant) == (changed.run, changed.variant))
    view.table.choose(at)
    view.samples.which.segment("improved").click()
    assert [row[0] for row in view.samples.table.rows.all()] == list(changed.improved)
    qtbot.keyClick(view.samples.table, Qt.Key.Key_Return)
    settled(qtbot, operations)
    assert page.results.detail.isVisible()
    index = page.results.matrix.currentIndex()
    assert page.results.matrix.rows.samples[index.row()].id == changed.improved[0]
    content = page.results.content
    assert content is not None
    assert (content.run.id, content.run.variants[index.column()].name) == (changed.run, changed.variant)


def test_ranges_of_the_picture_narrow_the_table_and_a_saved_picture_is_logged(
    qtbot: QtBot, operations: Operations, ran: Bench, tmp_path: Path
) -> None:
    page = opened(qtbot, operations, ran)
    view = page.comparison
    page.view.segment("compare").click()
    settled(qtbot, operations)
    whole = view.table.rows.all()
    plot = view.plots.parallel
    prompt = next(at for at, axis in enumerate(plot.axes) if axis.word == "Prompt")
    assert view.ranges.isHidden()
    plot.brush(prompt, 0.4, 0.6)
    assert 0 < len(plot.chosen()) < len(plot.trails)
    assert view.versus is not None
    names = {view.versus.name(row.run, row.variant) for row in view.table.rows.all()}
    assert names <= set(plot.chosen())
    assert 0 < len(view.table.rows.all()) < len(whole)
    assert view.filters.segment("all").accessibleName() == f"All, {len(view.table.rows.all())}"
    assert f"of {len(plot.trails)} variants within the ranges" in view.ranges.text()
    view.all_ranges.click()
    assert view.table.rows.all() == whole
    assert view.ranges.isHidden()

    view.plots.save_asked.emit(tmp_path / "cost.svg")
    settled(qtbot, operations)
    assert (tmp_path / "cost.svg").read_bytes().startswith(b"<?xml")
    with ran.vault.read() as reader:
        entry = reader.log(1, after=reader.log_size - 2)[0]
    assert (entry.act, entry.about) == ("export-picture", "run-2 to cost.svg")


def test_another_variant_can_be_the_baseline(qtbot: QtBot, operations: Operations, ran: Bench) -> None:
    page = opened(qtbot, operations, ran)
    page.view.segment("compare").click()
    settled(qtbot, operations)
    view = page.comparison
    view.baseline.setCurrentIndex(1)
    settled(qtbot, operations)
    assert view.versus is not None
    run = ran.evals.show("run-2").run
    assert view.versus.found.baseline_variant == run.variants[1].name
    compared = {row.variant for row in view.versus.found.rows}
    assert compared == {variant.name for variant in run.variants} - {run.variants[1].name}


def test_only_what_stands_after_correction_is_a_verdict() -> None:
    assert verdict(ROW) == ("Better", "pass")
    worse = msgspec.structs.replace(ROW, better=False, value=-0.2)
    assert verdict(worse) == ("Worse", "fail")
    chance = msgspec.structs.replace(ROW, holm=0.06)
    assert verdict(chance) == ("Not shown", "plain")
    assert [kept(row, "worse") for row in (ROW, worse, chance)] == [False, True, False]
    assert (amount("contains", -0.125), amount("contains", 1e-9), amount("latency", 1.234)) == ("−12.5", "0.0", "+1.23")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "With 40 samples a difference under 14.0 points would not show."),
        ({"groups": 9}, "With 40 samples on 9 documents a difference under 14.0 points would not show."),
        ({"detectable": 1.0, "n": 4, "groups": 4}, "With 4 samples not even the largest difference would show."),
        ({"detectable": math.inf}, "With 40 samples not even the largest difference would show."),
        ({"detectable": 0.0}, "All 40 samples gave the same; nothing varies."),
    ],
)
def test_it_is_said_what_so_many_samples_could_show(changes: dict[str, float], says: str) -> None:
    assert power(msgspec.structs.replace(ROW, **changes)) == says


def test_a_view_is_kept_shown_again_and_removed(qtbot: QtBot, operations: Operations, ran: Bench) -> None:
    page = opened(qtbot, operations, ran)
    page.view.segment("compare").click()
    settled(qtbot, operations)
    view, saved = page.comparison, page.saved_views
    view.baseline.setCurrentIndex(1)
    view.others.tick(["run-1"])
    view.kind.segment("cost").click()
    settled(qtbot, operations)
    qtbot.mouseClick(saved.keep, Qt.MouseButton.LeftButton)
    form = page.shell.overlay.panel  # type: ignore[attr-defined]
    qtbot.keyClicks(form.field.edit, "Both runs, cost")
    qtbot.keyClick(form.field.edit, Qt.Key.Key_Return)
    settled(qtbot, operations)
    assert saved.current() == "Both runs, cost"
    kept = view.view_named("Both runs, cost")

    view.baseline.setCurrentIndex(0)
    view.others.tick([])
    view.kind.segment("table").click()
    settled(qtbot, operations)
    assert view.view_named("Both runs, cost") != kept
    saved.show_chosen()
    settled(qtbot, operations)
    assert view.view_named("Both runs, cost") == kept
    assert view.versus is not None
    assert set(view.versus.runs) == {"run-2", "run-1"}
    assert view.plots.isVisible()
    assert len(view.plots.parallel.trails) == 6
    qtbot.mouseClick(saved.remove, Qt.MouseButton.LeftButton)
    settled(qtbot, operations)
    assert saved.current() == ""
    assert not saved.remove.isEnabled()
    with ran.vault.read() as reader:
        assert views(reader) == ()


def test_views_need_a_name_and_runs_that_are_there(ran: Bench) -> None:
    view = SavedView(name="both", baseline_run="run-1", baseline_variant="v", runs=("run-2",))
    save_view(ran.vault, view)
    save_view(ran.vault, msgspec.structs.replace(view, by_tag=True))
    save_view(ran.vault, msgspec.structs.replace(view, name="gone", runs=("run-9",)))
    with ran.vault.read() as reader:
        assert views(reader) == (msgspec.structs.replace(view, by_tag=True),)
    for name in ("", " ", "a\nb", "x" * 81):
        with pytest.raises(BadInput):
            save_view(ran.vault, msgspec.structs.replace(view, name=name))
    remove_view(ran.vault, "other")
    remove_view(ran.vault, "both")
    with ran.vault.read() as reader:
        assert views(reader) == ()
