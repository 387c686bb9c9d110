"""When quotes answers and when it says that the documents don't say: the curve of its score, and what the needed one means.

The curve was measured when the program was made, on questions of its own over public documents; nothing of a vault is in it, so that saving the
picture takes nothing out of one.
"""

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from app.pages.page import Shell
from app.widgets.act_form import ActForm
from app.widgets.basic import label, row
from app.widgets.buttons import Button
from app.widgets.calibration_plot import CalibrationPlot, Level
from core.assistants.calibration import NEEDED as SCORES
from core.assistants.calibration import AtNeeded, QuotesCurve, Share, at_needed, curve
from core.assistants.quotes import NEEDED


def sentence(found: QuotesCurve, at: AtNeeded) -> str:
    """What the needed score means."""
    answered, right, wrong = at.answered, at.right, at.unanswerable
    return (
        f"An answer of quotes needs a score of {at.needed:.2f}. Then {answered.number} of {answered.of} questions are answered, "
        f"{right.number} of these rightly ({right.value or 0:.0%}; {right.low:.0%} to {right.high:.0%}). Of the {wrong.of} questions "
        f"that the documents don’t answer, {wrong.number} are answered all the same. To the others it says that the documents don’t say. "
        f"Measured on questions of ours over {' and '.join(found.collections)}; your documents may differ."
    )


def levels(found: QuotesCurve) -> list[tuple[str, list[Level]]]:
    """The lines of the plot, by the score that is needed."""
    points = [at_needed(found.points, one) for one in SCORES]
    return [
        ("Right of the answers", [_level(one.needed, one.right) for one in points if one.right.of]),
        ("Answered", [_level(one.needed, one.answered) for one in points]),
        ("Answered though nothing says it", [_level(one.needed, one.unanswerable) for one in points]),
    ]


class CalibrationForm(ActForm):
    """The curve, with the needed score marked and said in words."""

    def __init__(self, found: QuotesCurve) -> None:
        self.plot = CalibrationPlot()
        self.plot.show_levels(levels(found), NEEDED)
        self.said = label(sentence(found, at_needed(found.points, NEEDED)), wrap=True)
        note = label("Upright lines are 95 % intervals.", type="small", tone="tertiary")
        self.keep = Button("Save picture", "save")
        foot = QWidget()
        foot.setLayout(row(note, None, self.keep))
        super().__init__("Close", parts=(self.said, self.plot, foot), title="What a score of quotes means")
        self.cancel.hide()
        self.keep.clicked.connect(self._ask)
        self.setFocusProxy(self.plot)

    def _ask(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Save the picture", "quotes.svg", "SVG (*.svg);;PNG (*.png)")
        if path:
            self.write(Path(path))

    def write(self, path: Path) -> None:
        """Write the picture: SVG or PNG, by the file's ending."""
        whole = path if path.suffix.lower() in (".svg", ".png") else Path(f"{path}.svg")
        saved = self.plot.save(whole)
        self.refuse("" if saved else f"{whole.name} can’t be written there. Choose another folder.")


def show_calibration(shell: Shell) -> None:
    """Open the dialog."""

    def show(found: QuotesCurve) -> None:
        form = CalibrationForm(found)
        for signal in (form.acted, form.cancelled):
            signal.connect(shell.close_overlay)
        shell.open_dialog(form, 720)

    shell.operations.run("Read the curve", lambda bench, job: curve(), show)


def _level(at: float, share: Share) -> Level:
    return Level(at, share.value or 0.0, share.low, share.high)
