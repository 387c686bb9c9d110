"""The widgets by themselves: what they show, what they say to a screen reader, and what the keyboard does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.bridge.visits import running
from app.widgets.answer_view import AnswerView, sentences
from app.widgets.banner import Banner
from app.widgets.basic import Elided, shorten
from app.widgets.buttons import Button, Segments
from app.widgets.code_view import CodeEditor
from app.widgets.diff_view import DiffView, changed_lines, lines_of, spoken
from app.widgets.forms import Field, line_edit, required
from app.widgets.interval_plot import Interval, IntervalPlot, signed
from app.widgets.long_work import LongWork, duration
from app.widgets.matrix import Matrix
from app.widgets.matrix_model import MatrixCell, MatrixModel, MatrixSample, Outcome, Variant
from app.widgets.page_view import Mark, PageCanvas, ink
from app.widgets.passages import PassageList, PassageRow
from app.widgets.seal import Seal, SealState
from app.widgets.side_list import SideList, SideRow
from app.widgets.signing import Meaning, Signed, SigningPanel, ToSign, shown_digest
from app.widgets.table import Cell, Column, Rows, Table
from core.jobs import Progress

TEXT = "Use only the passages.\u200b\nAnswer in four sentences.\n" + "\n".join(f"Line {number}" for number in range(80))


# answers


def test_an_answer_is_cut_at_the_spans_that_the_core_found() -> None:
    text = "Within 24 hours. [1] Day 0 is the day of receipt. [2][3]\nWeekends count."
    first, second = text.index("[1]") + 3, text.index("[3]") + 3
    found = sentences(text, [(1, 0, first), (2, first + 1, second), (3, first + 1, second)], [(second + 1, len(text))])
    assert [(one.text, one.numbers, one.unsupported, one.paragraph) for one in found] == [
        ("Within 24 hours.", (1,), False, False),
        ("Day 0 is the day of receipt.", (2, 3), False, False),
        ("Weekends count.", (), True, True),
    ]


def test_text_between_the_spans_stays() -> None:
    found = sentences("Well. Within 24 hours. So it is.", [(1, 6, 22)])
    assert [one.text for one in found] == ["Well.", "Within 24 hours.", "So it is."]


@given(st.text(alphabet="ab. \n[1]", max_size=60), st.integers(0, 60), st.integers(0, 60))
def test_no_word_of_an_answer_is_lost(text: str, start: int, end: int) -> None:
    start, end = sorted((min(start, len(text)), min(end, len(text))))
    plain = "".join(one.text for one in sentences(text, [(1, start, end)] if end > start else []))
    letters = [letter for letter in text if letter in "ab"]
    assert [letter for letter in plain if letter in "ab"] == letters


def test_streamed_text_grows_and_the_finished_answer_takes_its_place(qtbot: QtBot) -> None:
    view = AnswerView()
    qtbot.addWidget(view)
    view.stream("Within ")
    view.stream("24 hours. [1]")
    assert view.toPlainText() == "Within 24 hours. [1]"
    view.show_sentences(sentences("Within 24 hours. [1]", [(1, 0, 20)]), chosen=1)
    assert view.plain() == "Within 24 hours. [1]"
    assert "cite:1" in view.toHtml()


# passages, lists, tables


def test_arrow_keys_go_through_the_passages(qtbot: QtBot) -> None:
    view = PassageList()
    qtbot.addWidget(view)
    view.show_rows([PassageRow(number, f"Document {number}", "quote", "Page 1") for number in (1, 2, 3)])
    heard: list[int] = []
    view.chosen.connect(heard.append)
    view.choose(1)
    qtbot.keyClick(view, Qt.Key.Key_Down)
    qtbot.keyClick(view, Qt.Key.Key_Down)
    assert heard == [1, 2, 3]
    spoken_row = view.model().index(1, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken_row.startswith("Passage 2: Document 2, Page 1")


def test_a_lists_headings_cant_be_chosen_and_the_choice_survives(qtbot: QtBot) -> None:
    view = SideList("Prompts")
    qtbot.addWidget(view)
    view.show_rows(
        [SideRow("", "Group", heading="folder"), SideRow("a", "A"), SideRow("b", "B", seal=SealState.SIGNED)]
    )
    view.choose("b")
    heard: list[str] = []
    view.picked.connect(heard.append)
    view.show_rows([SideRow("b", "B"), SideRow("c", "C")])
    assert view.current == "b"
    assert heard == []
    assert view.model().index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole) == "B"


def test_a_table_of_100000_rows_asks_only_for_the_rows_that_it_shows(qtbot: QtBot) -> None:
    asked: list[int] = []

    def show(number: int) -> Cell:
        asked.append(number)
        return Cell(f"Row {number}", spoken=f"Row {number}, ready")

    table = Table([Column("Name", show)], "Rows")
    qtbot.addWidget(table)
    table.resize(600, 400)
    table.show_rows(range(100_000))
    table.show()
    table.grab()
    assert set(asked) <= set(range(20))
    assert table.rows.rowCount() == Rows.PAGE
    table.choose(5_000)
    assert table.current() == 5_000
    assert table.rows.index(7, 0).data(Qt.ItemDataRole.AccessibleTextRole) == "Row 7, ready"


def test_enter_opens_the_current_row(qtbot: QtBot) -> None:
    table = Table([Column("Name", lambda text: Cell(text))], "Rows")
    qtbot.addWidget(table)
    table.show_rows(["a", "b"])
    table.choose(1)
    with qtbot.waitSignal(table.opened) as heard:
        qtbot.keyClick(table, Qt.Key.Key_Return)
    assert heard.args == ["b"]


# the matrix


@pytest.fixture
def matrix(qtbot: QtBot) -> Matrix:
    passed, failed = (
        MatrixCell(Outcome.PASSED, "Yes", score="0.93"),
        MatrixCell(Outcome.FAILED, "No", "No citation", "0.38"),
    )
    error, missing = (
        MatrixCell(Outcome.ERROR, "No answer", "Prompt of 4,310 tokens, window 4,096"),
        MatrixCell(Outcome.NOT_RUN),
    )
    rows = [(passed, passed), (passed, failed), (failed, failed), (error, passed), (missing, missing)]
    samples = [
        MatrixSample(f"S-{number}", "SOP, p. 1", f"Question {number}?", cells) for number, cells in enumerate(rows, 1)
    ]
    view = Matrix()
    qtbot.addWidget(view)
    view.show_run([Variant("v3", "m", 2, 5, baseline=True), Variant("v4", "m", 2, 5)], samples)
    view.resize(900, 500)
    view.show()
    return view


def test_filters_carry_counts_and_narrow(matrix: Matrix) -> None:
    assert matrix.counts() == {"all": 5, "failed": 2, "passed": 1, "errors": 1, "different": 2}
    assert matrix.narrow("different") == 2
    assert matrix.narrow("all", "question 3") == 1


def test_cells_are_spoken_with_their_outcome(matrix: Matrix) -> None:
    said = matrix.rows.index(1, 1).data(Qt.ItemDataRole.AccessibleTextRole)
    assert said == "S-2, v4: failed, score 0.38, No citation, No"
    assert matrix.rows.index(4, 0).data(Qt.ItemDataRole.AccessibleTextRole) == "S-5, v3: not run"


def test_f_goes_to_the_next_failure_and_d_to_the_next_difference(matrix: Matrix, qtbot: QtBot) -> None:
    for place in ((1, 1), (2, 0), (2, 1), (1, 1)):
        qtbot.keyClick(matrix, Qt.Key.Key_F)
        assert (matrix.currentIndex().row(), matrix.currentIndex().column()) == place
    qtbot.keyClick(matrix, Qt.Key.Key_D)
    assert (matrix.currentIndex().row(), matrix.currentIndex().column()) == (3, 0)


def test_the_matrix_paints_at_every_zoom(matrix: Matrix) -> None:
    pictures = set()
    for zoom in (1.5, 1.0, 0.7, 0.45):
        matrix.set_zoom(zoom)
        QApplication.processEvents()
        image = matrix.grab().toImage()
        pictures.add(tuple(image.pixel(x, y) for x in range(0, image.width(), 7) for y in range(0, image.height(), 5)))
    assert len(pictures) == 4


def test_enter_opens_the_sample(matrix: Matrix, qtbot: QtBot) -> None:
    matrix.setCurrentIndex(matrix.rows.index(2, 1))
    with qtbot.waitSignal(matrix.opened) as heard:
        qtbot.keyClick(matrix, Qt.Key.Key_Return)
    assert isinstance(heard.args[0], MatrixSample)
    assert heard.args[1] == 1
    assert matrix.rows.index(2, 1).data(MatrixModel.SampleRole) == heard.args[0]


# diff, code, invisible characters


def test_lines_are_numbered_as_in_the_new_text() -> None:
    parts = [("same", "a\n"), ("removed", "b\n"), ("added", "c\nd\n"), ("same", "e")]
    assert [(number, "".join(text for _, text in line)) for number, line in lines_of(parts)] == [
        (1, "a"),
        (None, "b"),
        (2, "c"),
        (3, "d"),
        (4, "e"),
    ]
    assert changed_lines(parts) == (3, 4)
    assert spoken(parts) == "removed: b; added: c\nd"


@given(
    st.lists(st.tuples(st.sampled_from(["same", "added", "removed"]), st.text(alphabet="ab\n", max_size=8)), max_size=8)
)
def test_no_text_of_a_diff_is_lost(parts: list[tuple[str, str]]) -> None:
    shown = "\n".join("".join(text for _, text in line) for _, line in lines_of(parts))
    assert shown == "".join(text for _, text in parts)


def test_the_diff_shows_its_text_and_its_count(qtbot: QtBot) -> None:
    view = DiffView()
    qtbot.addWidget(view)
    view.show_parts([("same", "Answer in "), ("removed", "three"), ("added", "four"), ("same", " sentences.")])
    assert "three four sentences." in view.text.toPlainText()
    assert view.text.accessibleDescription() == "removed: three; added: four"


def test_an_editor_marks_the_line_of_an_error(qtbot: QtBot) -> None:
    editor = CodeEditor("Prompt")
    qtbot.addWidget(editor)
    editor.setPlainText("one\ntwo\nthree")
    editor.mark_error(2)
    assert editor.extraSelections()[0].cursor.blockNumber() == 1
    editor.mark_error(0)
    assert editor.extraSelections() == []


# signing


@pytest.fixture
def panel(qtbot: QtBot) -> SigningPanel:
    meanings = (Meaning("reviewed", "Reviewed", "I read it"), Meaning("approved", "Approved", "It may be used"))
    made = SigningPanel(
        ToSign("Sign cite-answers, version 4", TEXT, "ab" * 32, meanings, "tomas", "Tomas Lindqvist-Ode, reviewer")
    )
    qtbot.addWidget(made)
    made.resize(536, 800)
    made.show()
    qtbot.waitExposed(made)
    return made


def fill(panel: SigningPanel, qtbot: QtBot) -> None:
    qtbot.keyClicks(panel.reason.edit, "Read with run 18")
    qtbot.keyClicks(panel.user.edit, "tomas")
    qtbot.keyClicks(panel.passphrase.edit, "correct horse")


def read_to_the_end(panel: SigningPanel, qtbot: QtBot) -> None:
    bar = panel.exact.verticalScrollBar()
    bar.setValue(bar.maximum())
    qtbot.waitUntil(lambda: panel.exact.was_seen)


def test_nobody_signs_what_they_did_not_read_to_the_end(panel: SigningPanel, qtbot: QtBot) -> None:
    fill(panel, qtbot)
    assert not panel.sign.isEnabled()
    assert panel.sign.toolTip() == "Scroll the text to its end first."
    read_to_the_end(panel, qtbot)
    assert panel.sign.isEnabled()


def test_the_button_names_the_act_and_hands_everything_on_once(panel: SigningPanel, qtbot: QtBot) -> None:
    fill(panel, qtbot)
    read_to_the_end(panel, qtbot)
    qtbot.mouseClick(panel.meanings["approved"], Qt.MouseButton.LeftButton)
    assert panel.sign.text() == "Sign as approved"
    with qtbot.waitSignal(panel.signed) as heard:
        qtbot.mouseClick(panel.sign, Qt.MouseButton.LeftButton)
    assert heard.args == [Signed("approved", "Read with run 18", "tomas", "correct horse")]
    assert panel.passphrase.text == ""
    assert not panel.isEnabled()


def test_enter_in_a_field_never_signs(panel: SigningPanel, qtbot: QtBot) -> None:
    fill(panel, qtbot)
    read_to_the_end(panel, qtbot)
    heard: list[object] = []
    panel.signed.connect(heard.append)
    for field in (panel.reason, panel.user, panel.passphrase):
        qtbot.keyClick(field.edit, Qt.Key.Key_Return)
    assert heard == []


def test_a_sitting_that_goes_on_takes_the_passphrase_only(qtbot: QtBot) -> None:
    what = ToSign(
        "Sign it", "one line", "ab" * 32, (Meaning("authored", "Authored", "Mine"),), "tomas", "Tomas", first=False
    )
    panel = SigningPanel(what)
    qtbot.addWidget(panel)
    panel.show()
    read_to_the_end(panel, qtbot)
    assert panel.user.isHidden()
    qtbot.keyClicks(panel.reason.edit, "Checked")
    assert panel.sign.toolTip() == "Enter your passphrase."
    qtbot.keyClicks(panel.passphrase.edit, "correct horse")
    with qtbot.waitSignal(panel.signed) as heard:
        panel.sign.click()
    assert heard.args == [Signed("authored", "Checked", "", "correct horse")]
    panel.refuse("The user name or the passphrase is wrong. Nothing was signed.", first=True)
    assert not panel.user.isHidden()
    qtbot.keyClicks(panel.passphrase.edit, "correct horse")
    assert panel.sign.toolTip() == "Enter your user name and your passphrase."


@pytest.mark.parametrize(
    ("text", "boxed", "notice"),
    [
        ("a\nb\u202ec", "U+202E right-to-left override", "Line 2 holds 1 character"),
        (
            "p\u0430y \u200b",
            "U+0430 cyrillic small letter a",
            "2 characters that can’t be seen for what they are, first in line 1",
        ),
        ("end  \nnext", "U+0020 space", "first in line 1"),
    ],
)
def test_what_would_deceive_is_boxed_and_counted(qtbot: QtBot, text: str, boxed: str, notice: str) -> None:
    panel = SigningPanel(
        ToSign("Sign it", text, "ab" * 32, (Meaning("authored", "Authored", "Mine"),), "tomas", "Tomas")
    )
    qtbot.addWidget(panel)
    assert boxed in panel.exact.toPlainText()
    assert notice in panel._notice.text()


def test_a_refusal_is_said_and_the_panel_can_be_used_again(panel: SigningPanel, qtbot: QtBot) -> None:
    fill(panel, qtbot)
    read_to_the_end(panel, qtbot)
    qtbot.mouseClick(panel.sign, Qt.MouseButton.LeftButton)
    panel.refuse("The passphrase is wrong. Nothing was signed.")
    assert panel.isEnabled()
    assert panel.passphrase.error == "The passphrase is wrong. Nothing was signed."
    assert not panel.sign.isEnabled()


def test_invisible_characters_are_announced_and_boxed(panel: SigningPanel) -> None:
    assert "U+200B zero width space" in panel.exact.toPlainText()
    assert panel._notice.text() == "Line 1 holds 1 character that can’t be seen for what it is. It is boxed above."


def test_who_may_not_sign_is_told_why(qtbot: QtBot) -> None:
    why = "You wrote this version, so someone else must approve it."
    made = SigningPanel(ToSign("Sign", "x", "ab" * 32, (Meaning("approved", "Approved", "", why),), "ines", "Ines"))
    qtbot.addWidget(made)
    assert not made.meanings["approved"].isEnabled()
    assert made.sign.toolTip() == why


def test_a_digest_is_shortened_in_the_middle() -> None:
    assert shown_digest("5f0c91d2" + "0" * 48 + "7be4a31e") == "sha256 5f0c 91d2 … 7be4 a31e"
    assert shorten("abcdefghijkl") == "abcd…ijkl"
    assert shorten("abcd") == "abcd"


# the rest


def test_a_page_is_fitted_to_its_ink_and_its_marks_can_be_pressed(qtbot: QtBot) -> None:
    image = QImage(840, 1188, QImage.Format.Format_RGB888)
    image.fill(Qt.GlobalColor.white)
    painter = QPainter(image)
    painter.fillRect(168, 200, 504, 20, Qt.GlobalColor.black)
    painter.end()
    left, right = ink(image)
    assert left == pytest.approx(0.2, abs=0.02)
    assert right == pytest.approx(0.8, abs=0.02)
    canvas = PageCanvas()
    qtbot.addWidget(canvas)
    canvas.resize(512, 600)
    canvas.show()
    canvas.show_page(image, 2.0, [Mark(3, ((84.0, 100.0, 336.0, 110.0),), chosen=True)])
    heard: list[int] = []
    canvas.picked.connect(heard.append)
    spot = canvas._place(canvas.paper(), (84.0, 100.0, 336.0, 110.0)).center().toPoint()
    qtbot.mouseClick(canvas.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert heard == [3]


def test_page_down_at_the_end_asks_for_the_next_page(qtbot: QtBot) -> None:
    canvas = PageCanvas()
    qtbot.addWidget(canvas)
    canvas.resize(400, 300)
    canvas.show()
    image = QImage(400, 800, QImage.Format.Format_RGB888)
    image.fill(Qt.GlobalColor.white)
    canvas.show_page(image, 1.0)
    heard: list[int] = []
    canvas.page_asked.connect(heard.append)
    qtbot.keyClick(canvas, Qt.Key.Key_PageDown)
    assert heard == []
    canvas.verticalScrollBar().setValue(canvas.verticalScrollBar().maximum())
    qtbot.keyClick(canvas, Qt.Key.Key_PageDown)
    assert heard == [1]


@pytest.mark.parametrize("state", list(SealState))
@pytest.mark.parametrize("side", [22, 26, 44, 56])
def test_each_seal_says_its_state_and_differs_in_shape(state: SealState, side: int, qtbot: QtBot) -> None:
    seal = Seal(state, side)
    qtbot.addWidget(seal)
    assert seal.accessibleName() == state.value
    assert seal.sizeHint().width() == side


def test_seals_differ_in_shape_and_not_only_in_colour(qtbot: QtBot) -> None:
    shapes = set()
    for state in set(SealState) - {SealState.VALID}:
        seal = Seal(state, 44)
        qtbot.addWidget(seal)
        seal.resize(44, 44)
        image = seal.grab().toImage()
        corner = image.pixelColor(0, 0)
        shapes.add(tuple(image.pixelColor(x, y) != corner for x in range(44) for y in range(44)))
    assert len(shapes) == 5


def test_a_field_says_what_is_wrong_below_itself(qtbot: QtBot) -> None:
    field = Field("Name", line_edit(), check=required("The name"))
    qtbot.addWidget(field)
    assert not field.good()
    assert field.error == "The name is missing."
    assert field.edit.accessibleDescription() == "The name is missing."
    field.edit.setText("cite-answers")
    assert field.good()


def test_a_disabled_button_carries_its_reason(qtbot: QtBot) -> None:
    made = Button("Sign", "stamp", "primary", hint="Enter")
    qtbot.addWidget(made)
    made.refuse("Scroll to the end first.")
    assert not made.isEnabled()
    assert made.toolTip() == "Scroll to the end first."
    made.refuse("")
    assert made.isEnabled()


def test_segments_say_their_counts(qtbot: QtBot) -> None:
    made = Segments([("all", "All"), ("failed", "Failed")])
    qtbot.addWidget(made)
    made.count("failed", 17)
    heard: list[str] = []
    made.chosen.connect(heard.append)
    made.segment("failed").click()
    assert (heard, made.current()) == (["failed"], "failed")
    assert made.segment("failed").accessibleName() == "Failed, 17"


def test_elided_text_keeps_its_whole_for_tooltip_and_reader(qtbot: QtBot) -> None:
    made = Elided("a very long name of a document.pdf")
    qtbot.addWidget(made)
    made.resize(60, 20)
    made.show()
    made.grab()
    assert made.toolTip() == made.accessibleName() == made.full


def test_long_work_says_how_far_and_stops_once(qtbot: QtBot) -> None:
    work = LongWork()
    qtbot.addWidget(work)
    work.begin("Adding files")
    work.say(746, 1204, "files")
    assert work._count.text() == "746 of 1,204"
    work.say(747, 1204, "files", "12 pages, 90 chunks, 3 min left")
    assert (work._note.text(), work._left.text()) == ("12 pages, 90 chunks", "3 min left")
    heard: list[bool] = []
    work.cancelled.connect(lambda: heard.append(True))
    work.cancel.click()
    work.cancel.click()
    assert heard == [True]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (3, "A few seconds left"),
        (42, "About 40 seconds left"),
        (70, "About 1 minute left"),
        (190, "About 3 minutes left"),
        (7200, "About 2 hours left"),
    ],
)
def test_waiting_is_said_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_a_job_in_the_tray_says_all_that_is_known_of_it() -> None:
    told = Progress(title="Adding", done=3, total=1200, unit="files", note="12 pages, 90 chunks, 3 min left")
    assert running(1, "Adding", told).words == "3 of 1,200 files, 12 pages, 90 chunks, 3 min left"


def test_a_banner_says_what_is_safe_and_is_announced(qtbot: QtBot) -> None:
    banner = Banner()
    qtbot.addWidget(banner)
    banner.say("2 files were refused.", "The other 744 are in.", "Save list", [("a.pdf", "It ends early.")])
    assert banner.accessibleName() == "2 files were refused. The other 744 are in."
    assert banner.act.text() == "Save list"
    banner.say("Again.")
    assert not banner.act.isVisibleTo(banner)


def test_an_interval_that_crosses_zero_is_said_to_show_nothing(qtbot: QtBot) -> None:
    plot = IntervalPlot()
    qtbot.addWidget(plot)
    plot.show_intervals([Interval("Passed", 18, 4, 31), Interval("Right refusal", 12, -9, 31)])
    plot.resize(320, 120)
    plot.grab()
    assert (
        plot.accessibleDescription() == "Passed +18, 4 to 31, shown; Right refusal +12, −9 to 31, no difference shown"
    )
    assert [signed(value) for value in (1.6, -3.2, 0.1)] == ["+2", "−3", "0"]
