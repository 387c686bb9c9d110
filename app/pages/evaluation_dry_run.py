"""What an evaluation would take, before it is run: a button, and below it the requests, the tokens and the time, with where they are known from."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.bridge.operations import Failure, Handle, Operations
from app.widgets.announcing import announce
from app.widgets.basic import column, label, row
from app.widgets.buttons import button
from core.evals.estimating import Estimate
from core.evals.records import Spec


class DryRun(QWidget):
    """`clicked` says that the person wants it; the owner calls `begin` with what shall be run."""

    clicked = Signal()

    def __init__(self, operations: Operations) -> None:
        super().__init__()
        self._operations = operations
        self._handle: Handle | None = None
        self._asked = 0
        self.act = button("Dry run", "clock", small=True)
        self.act.clicked.connect(self.clicked)
        self.words = label("", tone="secondary", wrap=True)
        self.words.hide()
        self.setLayout(column(row(self.act, None), self.words, space=6))

    def refuse(self, because: str) -> None:
        """Say why it can't be done; nothing where it can."""
        self.act.refuse(because)

    def forget(self) -> None:
        """Something changed: what was said no longer holds."""
        self._asked += 1
        self.words.hide()
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def begin(self, spec: Spec | str) -> None:
        """Find out what a spec, saved or not, would take."""
        self.forget()
        asked = self._asked

        def say(words: str) -> None:
            if asked == self._asked:
                self._handle = None
                self.words.setText(words)
                self.words.setVisible(bool(words))
                announce(self, words)

        self._handle = self._operations.run(
            "Dry run",
            lambda bench, job: bench.evals.estimate(spec, job),
            lambda found: say(estimate_words(found)),
            lambda found: say(failed_words(found)),
            shown=True,
        )
        self.words.setText("Asking what is known from earlier runs…")
        self.words.show()


def failed_words(found: Failure) -> str:
    return f"{found.sentence} {found.safe}".strip()


def estimate_words(found: Estimate) -> str:
    """What a run would take, in sentences."""
    judged = f", and {found.judge_requests:,} of judges" if found.judge_requests else ""
    said = [
        f"{found.requests:,} requests{judged}.",
        f"About {found.tokens:,} tokens written, {found.prompt_tokens:,} read.",
    ]
    if found.most_tokens > found.tokens:
        said.append(f"At most {found.most_tokens:,} written.")
    said.append(f"About {time_words(found.seconds)}.")
    known = dict.fromkeys(one.source for one in found.variants if one.source != "probe")
    if found.probed:
        said.append("Some of it from a few samples asked now; scorers and judges are not timed.")
    if known:
        said.append(f"Known from {', '.join(name.replace('-', ' ') for name in known)}.")
    return " ".join(said)


def time_words(seconds: float) -> str:
    """A time, in words that fit its size."""
    if seconds < 90:
        return f"{max(1, round(seconds))} second{'' if round(seconds) <= 1 else 's'}"
    return f"{round(seconds / 60)} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
