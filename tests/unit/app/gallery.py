"""Renders the widgets offscreen to PNG files, to be looked at beside the design: `python -m tests.unit.app.gallery FOLDER [THEME…]`.

Not part of the product and not a test. Each scene is a widget of 1440 by 900 with invented content.
"""

# ruff: noqa: E501 (tables of invented content)

import os
import sys
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter
from PySide6.QtWidgets import QApplication, QTextEdit, QWidget

from app.theme.icons import GLYPHS, STROKES
from app.theme.look import look
from app.widgets.answer_view import AnswerView, sentences
from app.widgets.banner import Banner
from app.widgets.basic import Badge, Card, IconLabel, SearchField, column, frame, label, row
from app.widgets.buttons import Segments, button
from app.widgets.citation_chip import CitationChip
from app.widgets.code_view import CodeEditor
from app.widgets.diff_view import DiffView
from app.widgets.drop_zone import DropZone
from app.widgets.empty_state import EmptyState
from app.widgets.forms import Check, Choice, Field, line_edit, passphrase_edit, required
from app.widgets.interval_plot import Interval, IntervalPlot
from app.widgets.job_tray import JobRow, JobState, JobTray
from app.widgets.key_sheet import KeySheet
from app.widgets.long_work import LongWork
from app.widgets.matrix import Matrix
from app.widgets.matrix_model import MatrixCell, MatrixSample, Outcome, Variant
from app.widgets.overlay import Overlay
from app.widgets.page_view import Mark, PageView
from app.widgets.passages import PassageList, PassageRow
from app.widgets.quick_switcher import QuickSwitcher, Target
from app.widgets.seal import Seal, SealState
from app.widgets.signing import Meaning, SigningPanel, ToSign
from app.widgets.table import Cell, Column, Table
from app.widgets.toast import Toast
from app.widgets.toolbar import Chooser

ANSWER = (
    "The site reports every serious adverse event to the safety desk within 24 hours of becoming aware of it. [1]\n"
    "The safety desk sends a fatal or life-threatening unexpected case to the authority within 7 calendar days, and any other "
    "serious unexpected case within 15. [2] Day 0 is the day the safety desk receives the report. [3]\n"
    "Weekends extend the limit by one working day."
)
PROMPT = (
    "You answer questions of a drug safety team from passages.\nUse only the passages. Cite each sentence as [n], with the number of its "
    "passage.\u200b\nIf the passages don’t hold the answer, write: The documents don’t say.\nNever add a rule on weekends or holidays "
    "that no passage states.\n{% for p in passages %}\n[{{ loop.index }}] {{ p.title }}, page {{ p.page }}: {{ p.text }}\n{% endfor %}\n"
    "Question: {{ question }}\nAnswer in at most four sentences."
)


def page_image(scale: float = 2.0) -> QImage:
    """A page of text, as a rendered document would be."""
    image = QImage(QSize(round(420 * scale), round(594 * scale)), QImage.Format.Format_RGB888)
    image.fill(Qt.GlobalColor.white)
    painter = QPainter(image)
    painter.scale(scale, scale)
    font = QFont("DejaVu Serif")
    font.setPixelSize(10)
    painter.setFont(font)
    painter.setPen(QColor("#222222"))
    text = "The investigator reports every serious adverse event to the\nsafety desk within 24 hours of becoming aware of it, by the\n"
    y = 60
    for _ in range(6):
        for words in (text + "electronic form or, where the form is unavailable, by telephone.\n").splitlines():
            painter.drawText(40, y, words)
            y += 15
        y += 12
    painter.end()
    return image


def parts() -> QWidget:
    made = frame("window")
    states = list(SealState)
    chosen = CitationChip(1)
    chosen.setChecked(True)
    chooser = Chooser("file", "Run")
    chooser.offer([("a", "Safety answers, run 18")], "a")
    segments = Segments([("all", "All"), ("failed", "Failed"), ("different", "Different")])
    for name, count in (("all", 1240), ("failed", 17), ("different", 11)):
        segments.count(name, count)
    segments.choose("different")
    waiting = button("Sign as reviewed", "stamp", "primary")
    waiting.refuse("Scroll the text to its end first.")
    choice = Choice()
    choice.addItems(["starter-chat", "corvid"])
    check = Check("Include the quotes")
    check.setChecked(True)
    name = Field("Name", line_edit("cite-answers"), check=required("The name"))
    name.good()
    machine = Card("This machine")
    machine.fact("Outside connections", "Barred", "barrier", "pass")
    machine.fact("Space left", "212 GB", "disk", lines=True)
    machine.fact("Text recognition", "Not found", "scan", "warn", lines=True)
    column_of = column(
        row(*[Seal(state, side) for side in (22, 26, 44, 56) for state in states], None),
        row(
            button("Ask", "send", "primary", hint="Enter"),
            button("Start evaluation", "evaluations"),
            button("Show all 8", kind="link"),
            button("Save verdict", "save", "quiet"),
            waiting,
            button("Cancel", hint="Esc"),
            chooser,
            None,
        ),
        row(segments, SearchField("Find a chat"), choice, check, None),
        row(
            Badge("No support found", "warn", "warning"),
            Badge("Not met", "fail", "cross"),
            Badge("Production", "pass"),
            Badge("Candidate", "accent"),
            Badge("Draft"),
            Badge("Criteria locked before the run", "signed", "lock"),
            CitationChip(1),
            chosen,
            CitationChip(12),
            None,
        ),
        row(*[IconLabel(glyph, side=20) for glyph in [*list(GLYPHS)[:45], *STROKES]], None, space=6),
        row(
            machine,
            name,
            Field("Passphrase", passphrase_edit(), "At least 12 characters"),
            QTextEdit("Text"),
            None,
            space=16,
        ),
        label("Valid", "verdict", "pass"),
        EmptyState("No documents yet. Add a folder, and you can ask it questions.", "Add folder", "folder-plus"),
        None,
        margins=(24, 20, 24, 20),
        space=14,
    )
    made.setLayout(column_of)
    return made


def chat() -> QWidget:
    made = frame("panel")
    answer = AnswerView()
    first, second, third = ANSWER.index(" [1]") + 4, ANSWER.index(" [2]") + 4, ANSWER.index(" [3]") + 4
    spans = [(1, 0, first), (2, first + 1, second), (3, second + 1, third)]
    answer.show_sentences(sentences(ANSWER, spans, [(third + 1, len(ANSWER))]), chosen=1)
    question = frame("bubble")
    words = "How soon must a site report a serious adverse event, and when does it go to the authority?"
    question.setLayout(row(label(words, "question", wrap=True), margins=(12, 8, 12, 8)))
    passages = PassageList()
    passages.show_rows(
        [
            PassageRow(1, "SOP-PV-014 Case intake and reporting", "every serious adverse event … within 24 hours", "Page 7 · section 5.2", "Match 0.91"),
            PassageRow(2, "SOP-PV-014 Case intake and reporting", "Fatal or life-threatening, unexpected: 7 calendar days", "Page 8", "Match 0.88"),
            PassageRow(3, "Minutes of the safety board, 12 March", "Day 0 is the day the safety desk receives the report", "Page 2", "Match 0.74"),
        ]
    )  # fmt: skip
    passages.choose(1)
    page = PageView()
    page.say_document("SOP-PV-014 Case intake and reporting", "Version 6.0, imported 3 Nov 2026 · sha256 7c1e…a90f")
    page.say_passage(1, 1, 3)
    page.say_page(7, 22)
    marks = [Mark(1, ((40, 117, 350, 128), (40, 132, 260, 143)), chosen=True), Mark(2, ((40, 250, 300, 261),))]
    page.show_page(page_image(), 2.0, marks)
    page.setFixedWidth(512)
    left = column(
        question, answer, label("Passages cited", strong=True), passages, None, margins=(24, 20, 24, 20), space=14
    )
    layout = row(space=0)
    layout.addLayout(left, 1)
    layout.addWidget(page)
    made.setLayout(layout)
    return made


def matrix() -> QWidget:
    made = frame("panel")
    table = Matrix()
    ok, bad, error, none = Outcome.PASSED, Outcome.FAILED, Outcome.ERROR, Outcome.NOT_RUN
    samples = [
        MatrixSample(f"S-{number:02}", "SOP-PV-014, p. 11", "Who may close a case that the site disputes?", (
            MatrixCell(bad, "The safety desk", "Groundedness under 0.80", "0.41") if number % 2 else MatrixCell(ok, "The sheet gives 11 °C", "", "0.90", (1,), True),
            MatrixCell(ok, "Medical reviewer, in writing and never by telephone at the weekend", "", "0.93", (1, 2)),
            MatrixCell(error, "No answer", "Prompt of 4,310 tokens, window 4,096") if number % 3 == 0 else MatrixCell(none) if number % 5 == 0 else MatrixCell(bad, "Yes, with consent", "Cites the wrong page", "0.61"),
        )) for number in range(1, 15)
    ]  # fmt: skip
    variants = [
        Variant("cite-answers v3", "corvid-1.5b · top 4", 25, 40, baseline=True),
        Variant("cite-answers v4", "corvid-1.5b · top 4", 32, 40),
        Variant("v4 + adapter pv-2", "corvid-1.5b · top 4", 32, 40),
    ]
    table.show_run(variants, samples)
    table.setCurrentIndex(table.rows.index(3, 1))
    plot = IntervalPlot("In points", "v4 better →")
    plot.show_intervals(
        [
            Interval("Passed", 18, 4, 31),
            Interval("Groundedness", 14, 5, 22),
            Interval("Right citation", 15, 3, 28),
            Interval("Right refusal", 12, -9, 31),
        ]
    )
    card = Card("v4 against v3")
    card.body.addWidget(plot)
    card.setFixedWidth(360)
    layout = row(space=0)
    layout.addWidget(table, 1)
    layout.addLayout(column(card, None, margins=(16, 16, 16, 16)))
    made.setLayout(layout)
    return made


def signing() -> QWidget:
    made = frame("window")
    diff = DiffView()
    diff.show_parts(
        [
            (
                "same",
                "You answer questions of a drug safety team from passages.\nUse only the passages. Cite each sentence ",
            ),
            ("removed", "with its number. "),
            ("added", "as [n], with the number of its passage. "),
            ("same", "\n"),
            ("removed", "If unsure, say so."),
            ("added", "If the passages don’t hold the answer, write: The documents don’t say."),
            ("same", "\n"),
            ("added", "Never add a rule on weekends.\n"),
            ("same", "{% for p in passages %}\n[{{ loop.index }}] {{ p.title }}\n{% endfor %}\nAnswer in at most "),
            ("removed", "three"),
            ("added", "four"),
            ("same", " sentences."),
        ]
    )
    editor = CodeEditor("Prompt")
    editor.setPlainText(PROMPT)
    editor.mark_error(5)
    lit = frame("panel")
    lit.setFixedWidth(440)
    lit.setLayout(column(label("Version 3 to version 4", "heading"), diff, editor, margins=(20, 14, 20, 14)))
    made.setLayout(row(200, lit, None, space=0))
    overlay = Overlay(made)
    panel = SigningPanel(
        ToSign(
            "Sign cite-answers, version 4",
            PROMPT,
            "5f0c91d2" + "0" * 48 + "7be4a31e",
            (
                Meaning("reviewed", "Reviewed", "I read it and its evidence"),
                Meaning("approved", "Approved", "It may be used as labelled"),
            ),
            "t.lindqvist-ode",
            "Tomas Lindqvist-Ode, reviewer",
            "Then an approval is still needed.",
        )
    )
    panel.reason.edit.setText("Read with run 18; refusals need more samples")
    panel.passphrase.edit.setText("correct horse")
    made.resize(1440, 900)
    made.show()
    overlay.open_panel(panel, [lit])
    return made


def documents() -> QWidget:
    made = frame("panel")
    work = LongWork()
    work.begin("Adding “Quality system” to Safety procedures", "You can ask the 744 files now")
    work._began -= 20
    work._first = 0
    work.say(746, 1204, "files")
    banner = Banner()
    banner.say(
        "2 files were refused. The other 744 are in.",
        act="Save list",
        details=[
            ("Audit report 2023.pdf", "It asks for a passphrase. Assay won’t keep it."),
            ("scan_0417.pdf", "The file ends in the middle of page 3."),
        ],
    )
    states = (Cell("Ready", "check", icon_tone="pass.fg"), Cell("2 to decide", "hidden", "warn.fg"), Cell("Reading", share=0.6), Cell("Waiting", tone="text.secondary"))  # fmt: skip
    table = Table(
        [
            Column(
                "Document",
                lambda number: Cell(
                    f"SOP-PV-{number:03} Case intake and reporting.pdf", "file", icon_tone="text.secondary"
                ),
            ),
            Column("Kind", lambda _: Cell("PDF", tone="text.secondary"), 80),
            Column("Pages", lambda number: Cell(f"{number * 7:,}", tone="text.secondary"), 80, right=True),
            Column("Chunks", lambda number: Cell(f"{number * 31:,}", tone="text.secondary"), 80, right=True),
            Column("State", lambda number: states[number % 4], 150),
        ],
        "Documents",
    )
    table.show_rows(range(1, 1000))
    table.choose(2)
    inner = QWidget()
    inner.setLayout(column(work, margins=(20, 14, 20, 12)))
    middle = column(inner, banner, table, space=0)
    middle.setStretch(2, 1)
    card = Card("6 files to decide", "Assay found things that a person should judge before the text reaches a model.")
    card.fact("Personal data", "4")
    card.fact("White text on white", "1")
    side = column(
        card, DropZone("Drop a pack here", "No vault is needed to check one"), None, margins=(16, 16, 16, 16), space=14
    )
    layout = row(space=0)
    layout.addLayout(middle, 1)
    holder = frame("window")
    holder.setFixedWidth(320)
    holder.setLayout(side)
    layout.addWidget(holder)
    made.setLayout(layout)
    tray = JobTray(made)
    tray.say(JobRow(1, "Adding files", JobState.DONE, "744 files, 2 refused"))
    tray.say(JobRow(2, "Safety answers, run 18", JobState.RUNNING, "12 of 40 samples", 0.3))
    tray.setGeometry(700, 560, 380, 260)
    tray.show()
    toast = Toast(made)
    made.resize(1440, 900)
    toast.say("Collection renamed", undo=lambda: None)
    return made


def switcher() -> QWidget:
    made = frame("window")
    made.resize(1440, 900)
    overlay = Overlay(made)
    made.show()
    targets = [
        Target("Documents", "Section", "documents", lambda: None, "Ctrl+3"),
        Target("cite-answers", "Prompt", "prompts", lambda: None),
    ]
    overlay.open_panel(QuickSwitcher(targets), docked=False, width=560)
    return made


def keys() -> QWidget:
    from app.places import KEYS

    made = frame("window")
    made.resize(1440, 900)
    overlay = Overlay(made)
    made.show()
    overlay.open_panel(KeySheet(KEYS), docked=False, width=900)
    return made


SCENES: dict[str, Callable[[], QWidget]] = {
    "parts": parts,
    "chat": chat,
    "matrix": matrix,
    "signing": signing,
    "documents": documents,
    "switcher": switcher,
    "keys": keys,
}


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    app = QApplication([])
    for theme in sys.argv[2:] or ["light", "dark"]:
        look().apply(theme, reduced_motion=True)
        for name, scene in SCENES.items():
            widget = scene()
            widget.resize(1440, 900)
            widget.show()
            for _ in range(5):
                app.processEvents()
            widget.grab().save(str(folder / f"{name}-{theme}.png"))
            widget.close()


if __name__ == "__main__":
    main()
