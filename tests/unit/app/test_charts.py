"""The pictures of variants: which lines are chosen by ranges, what is on the Pareto front, and what a saved picture is."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from app.pages.evaluation_compared import compare, with_figures
from app.pages.evaluation_plots import PlotsView
from app.theme.look import look
from app.widgets.charts import Axis, CostPlot, ParallelPlot, Point, Trail, number, pareto
from core.evals import store as evals_store
from core.evals.figures import figures
from core.evals.records import RunSpec
from core.jobs import Job
from tests.unit.app.benches import Bench

AXES = (Axis("Model", ("small", "large")), Axis("Quality"), Axis("Seconds"))
TRAILS = (
    Trail("a", (0.0, 0.2, 1.0)),
    Trail("b", (1.0, 0.6, 3.0)),
    Trail("c", (1.0, 1.0, None)),
)


@pytest.fixture
def plot(qtbot: QtBot) -> ParallelPlot:
    look().apply("light", reduced_motion=True)
    made = ParallelPlot()
    qtbot.addWidget(made)
    made.resize(600, 400)
    made.show_trails(AXES, TRAILS)
    made.show()
    return made


def test_ranges_choose_lines(plot: ParallelPlot) -> None:
    assert plot.chosen() == ("a", "b", "c")
    plot.brush(1, 0.4, 1.0)
    assert plot.chosen() == ("b", "c")
    plot.brush(2, 0.0, 1.0)
    assert plot.chosen() == ("b",), "a line without a value isn't in a range"
    assert plot.accessibleDescription() == "1 of 3 variants chosen: b"
    plot.clear_brush(2)
    plot.brush(0, 0.0, 0.2)
    assert plot.chosen() == ()
    plot.clear_brush()
    assert plot.chosen() == ("a", "b", "c")


def test_ranges_are_chosen_with_the_keyboard(qtbot: QtBot, plot: ParallelPlot) -> None:
    qtbot.keyClick(plot, Qt.Key.Key_Right)
    for _ in range(8):
        qtbot.keyClick(plot, Qt.Key.Key_Up)
    assert plot.chosen() == ("b", "c")
    for _ in range(8):
        qtbot.keyClick(plot, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert plot.chosen() == ("b",)
    qtbot.keyClick(plot, Qt.Key.Key_Delete)
    assert plot.chosen() == ("a", "b", "c")


def test_ranges_are_chosen_with_the_mouse(qtbot: QtBot, plot: ParallelPlot) -> None:
    middle, top = plot.width() // 2, 52
    qtbot.mousePress(plot, Qt.MouseButton.LeftButton, pos=QPoint(middle, top - 5))
    qtbot.mouseMove(plot, QPoint(middle, top + 100))
    qtbot.mouseRelease(plot, Qt.MouseButton.LeftButton, pos=QPoint(middle, top + 100))
    assert plot.chosen() == ("c",)
    qtbot.mouseClick(plot, Qt.MouseButton.LeftButton, pos=QPoint(middle, top + 50))
    assert plot.chosen() == ("a", "b", "c")


def test_the_front_is_what_nothing_beats() -> None:
    best, cheap, beaten = Point("best", 0.9, 3, 100), Point("cheap", 0.5, 1, 20), Point("beaten", 0.5, 2, 20)
    assert pareto((best, cheap, beaten)) == ("best", "cheap")
    assert pareto((best, cheap, beaten), lower=True) == ("cheap",)
    assert pareto((cheap, Point("same", 0.5, 1, 20))) == ("cheap", "same")
    assert pareto(()) == ()


@given(st.lists(st.tuples(*(st.integers(0, 4),) * 3), min_size=1, max_size=12))
def test_everything_off_the_front_is_beaten_by_something_on_it(values: list[tuple[int, int, int]]) -> None:
    points = [Point(str(at), *map(float, one)) for at, one in enumerate(values)]
    front = set(pareto(points))
    assert front
    for point in points:
        better = [
            other
            for other in points
            if other.name in front
            and (other.quality >= point.quality and other.seconds <= point.seconds and other.tokens <= point.tokens)
        ]
        assert better, point


@pytest.mark.parametrize("ending", ["svg", "png"])
def test_a_picture_is_saved_as_it_is_shown(qtbot: QtBot, plot: ParallelPlot, tmp_path: Path, ending: str) -> None:
    cost = CostPlot()
    qtbot.addWidget(cost)
    cost.resize(500, 300)
    cost.show_points((Point("first", 0.9, 3, 100), Point("second", 0.5, 1, 20)), "Groundedness")
    for chart, word in ((plot, "Quality"), (cost, "Groundedness")):
        path = tmp_path / f"{word}.{ending}"
        assert chart.save(path)
        if ending == "svg":
            text = path.read_text(encoding="utf-8")
            assert text.startswith("<?xml")
            assert word in text
        else:
            image = QImage(str(path))
            assert (image.width(), image.height()) == (2 * chart.width(), 2 * chart.height())
            assert len({image.pixelColor(x, image.height() // 2).name() for x in range(image.width())}) > 2
    assert not plot.save(tmp_path / "nowhere" / f"a.{ending}")


def test_numbers_on_an_axis_are_short() -> None:
    assert [number(value) for value in (0.00042, 0.8125, 12.5, 1234.5, -2.0)] == [
        "0.00042",
        "0.812",
        "12.5",
        "1,234",
        "−2",
    ]


def test_the_pictures_show_what_was_measured(qtbot: QtBot, vault_factory) -> None:  # type: ignore[no-untyped-def]
    look().apply("light", reduced_motion=True)
    bench = Bench(vault_factory((evals_store.SCHEMA,))).with_prompts().with_dataset().with_spec()
    view = bench.evals.run(RunSpec(reference="cite-answers-comparison"), Job("Evaluate"))
    with bench.vault.read() as reader:
        measured = figures(reader, view)
    answers = [
        o.answer for _, o in bench.evals.outcomes("run-1") if o.variant == view.run.variants[1].name and o.answer
    ]
    assert measured[1].tokens == pytest.approx(sum(answer.tokens for answer in answers) / len(answers))
    assert measured[1].seconds == pytest.approx(sum(answer.seconds for answer in answers) / len(answers))
    assert view.result is not None
    recorded = {metric.scorer: metric.value for metric in view.result.variants[1].metrics}
    assert measured[1].metrics == recorded

    versus = compare(bench, Job("Compare"), ("run-1", view.run.variants[0].name), (), by_tag=False)  # type: ignore[arg-type]
    assert versus.figures == ()
    versus = with_figures(bench, versus)  # type: ignore[arg-type]
    plots = PlotsView()
    qtbot.addWidget(plots)
    plots.show_versus(versus)
    assert [axis.word for axis in plots.parallel.axes][:2] == ["Prompt", "Model"]
    assert [axis.word for axis in plots.parallel.axes][-2:] == ["Seconds", "Tokens"]
    plots.quality.setCurrentIndex(plots.quality.findData("groundedness"))
    assert {point.quality for point in plots.cost.points} == {one.metrics["groundedness"] for one in measured}
    plots.show_kind("cost")
    assert all(name in plots.note.text() for name in plots.cost.front)
