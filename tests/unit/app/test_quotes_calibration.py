"""The curve of the quotes score in the window: the needed score is marked and said, and the picture is saved."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.pages.quotes_calibration import CalibrationForm, levels, sentence
from app.pages.search_quality import QualityForm, ask_quality
from core.assistants.calibration import CurvePoint, QuotesCurve, at_needed
from core.assistants.quotes import CALIBRATION, NEEDED

POINTS = (
    CurvePoint(score=0.9, answerable=True, right=True),
    CurvePoint(score=0.7, answerable=True, right=False),
    CurvePoint(score=0.6, answerable=False, right=False),
    CurvePoint(score=0.2, answerable=False, right=False),
)
CURVE = QuotesCurve(weights=CALIBRATION, collections=("laws", "manuals"), points=POINTS)


def test_the_sentence_says_what_the_needed_score_means() -> None:
    said = sentence(CURVE, at_needed(POINTS, 0.5))
    assert "needs a score of 0.50. Then 3 of 4 questions are answered, 1 of these rightly (33%; 6% to 79%)." in said
    assert "Of the 2 questions that the documents don’t answer, 1 are answered all the same." in said
    assert "over laws and manuals" in said


def test_the_lines_are_the_shares_at_each_score_and_nothing_is_drawn_of_none() -> None:
    right, answered, wrong = levels(CURVE)
    assert [one.share for one in answered[1]][:2] == [1.0, 1.0]
    assert {one.at: one.share for one in right[1]}[0.65] == 0.5
    assert {one.at: one.share for one in wrong[1]}[0.65] == 0.0
    assert max(one.at for one in right[1]) == 0.9
    assert all(one.low - 1e-9 <= one.share <= one.high + 1e-9 for _, line in (right, answered, wrong) for one in line)


def test_the_curve_opens_from_where_the_search_is_measured_and_is_saved(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    ask_quality(window, "safety")
    qtbot.waitUntil(lambda: isinstance(window.overlay.panel, QualityForm))
    window.overlay.panel.calibration.click()  # type: ignore[union-attr]
    qtbot.waitUntil(lambda: isinstance(window.overlay.panel, CalibrationForm))
    form = window.overlay.panel
    assert isinstance(form, CalibrationForm)
    assert form.plot.needed == NEEDED
    assert f"an answer needs {NEEDED:.2f}" in form.plot.accessibleDescription()
    form.write(tmp_path / "quotes.svg")
    form.write(tmp_path / "quotes.png")
    assert "<svg" in (tmp_path / "quotes.svg").read_text(encoding="utf-8")
    assert (tmp_path / "quotes.png").read_bytes().startswith(b"\x89PNG")
    form.write(tmp_path / "nowhere" / "quotes.png")
    assert form.problem == "quotes.png can’t be written there. Choose another folder."
    form.act.click()
    assert window.overlay.panel is None


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_plot_is_painted_in_each_theme(theme: str, qtbot: QtBot) -> None:
    from app.theme.look import look

    look().apply(theme, reduced_motion=True)
    form = CalibrationForm(CURVE)
    qtbot.addWidget(form)
    image = form.plot.grab().toImage()
    colours = {image.pixelColor(x, y).name() for x in range(0, image.width(), 2) for y in range(0, image.height(), 3)}
    assert {look().colour(f"chart.{place}").name() for place in range(3)} <= colours
