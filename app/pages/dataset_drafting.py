"""Having a model draft questions on documents: what is asked for, how far it is, and what came of it.

Drafts are kept as they come, so stopping loses none; they wait for a person, and stay marked as written by a model.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.bridge.operations import Failure, Handle, Operations
from app.bridge.screening import count
from app.pages.page import Shell
from app.pages.screening_form import chosen, value
from app.widgets.act_form import ActForm
from app.widgets.announcing import announce
from app.widgets.basic import column, label, line, row
from app.widgets.buttons import Button, icon_button
from app.widgets.forms import Field, line_edit, required
from app.widgets.long_work import LongWork
from core.datasets.drafting import MOST, Drafted, DraftQuestions
from core.vault.roles import Act, allowed

if TYPE_CHECKING:
    from core.jobs import Job
    from core.workbench import Workbench


@dataclass(frozen=True)
class Material:
    """What questions can be drafted on and by whom; `refusal` says why this person may not."""

    collections: tuple[str, ...]
    models: tuple[str, ...]
    refusal: str

    @property
    def missing(self) -> str:
        """Why nothing can be drafted; nothing where it can."""
        if self.refusal:
            return self.refusal
        if not self.collections:
            return "Add documents first."
        return "" if self.models else "Add a chat model first."


def material(bench: "Workbench") -> Material:
    return Material(
        collections=tuple(one.name for one in bench.documents.collections()),
        models=tuple(one.name for one in bench.models.list() if one.purpose == "chat"),
        refusal=""
        if allowed(Act.ADD_DATASET, bench.vault.user.roles)
        else "Your roles here don’t allow this; an author must do it.",
    )


class DraftForm(ActForm):
    """`request` is what the form asks for."""

    def __init__(self, found: Material, dataset: str) -> None:
        self.name = Field("Dataset", line_edit(text=dataset), "A new name makes a new one.", required("The name"), beside=True)  # fmt: skip
        self.collection = chosen(dict(zip(found.collections, found.collections, strict=True)), found.collections, "", "Documents")  # fmt: skip
        self.model = chosen(dict(zip(found.models, found.models, strict=True)), found.models, "", "Written by")
        self.count = Field("Questions", line_edit(text="20"), f"From 1 to {MOST:,}.", _whole(1, MOST), beside=True)
        self.seed = Field("Seed", line_edit(text="0"), "Another seed asks about other passages.", _whole(0, 10**9), beside=True)  # fmt: skip
        super().__init__(
            "Draft questions",
            "A model writes a question on a passage, with its answer and the sentence that holds it. What the passage doesn’t answer isn’t kept.",
            (self.name, self.collection, self.model, self.count, self.seed),
            consequences=("Each one waits for your word before it is a sample.", "It stays marked as synthetic for ever."),
        )  # fmt: skip
        self.act.refuse(found.missing)
        self.setFocusProxy(self.name.edit)

    @property
    def request(self) -> DraftQuestions:
        return DraftQuestions(
            dataset=self.name.text.strip(),
            collection=value(self.collection),
            model=value(self.model),
            count=int(self.count.text),
            seed=int(self.seed.text),
        )


class DraftingPanel(QWidget):
    """The work while it runs, and what came of it. `review_asked` gives a dataset whose drafts shall be gone through, `turned` comes when work begins
    and ends."""

    review_asked = Signal(str)
    turned = Signal()

    def __init__(self, operations: Operations) -> None:
        super().__init__()
        self._operations = operations
        self._handle: Handle | None = None
        self._dataset, self._made = "", 0
        self.work = LongWork()
        self.work.cancelled.connect(self.stop)
        self.words = label("", wrap=True)
        self.review = Button("Review", small=True)
        self.review.setAccessibleName("Review the drafts")
        self.review.clicked.connect(lambda: self.review_asked.emit(self._dataset))
        close = icon_button("close", "Dismiss")
        close.clicked.connect(self.hide)
        self._told = QWidget()
        told = row(space=8)
        told.addWidget(self.words, 1)
        told.addWidget(self.review)
        told.addWidget(close)
        self._told.setLayout(told)
        inner = column(self.work, self._told, space=0, margins=(20, 10, 16, 10))
        self.setLayout(column(line(), inner, space=0))
        self.hide()

    @property
    def busy(self) -> bool:
        return self._handle is not None

    def begin(self, request: DraftQuestions) -> None:
        """Draft them; one lot at a time."""
        self._dataset, self._made = request.dataset, 0

        def work(bench: "Workbench", job: "Job", watch: Callable[[object], None]) -> Drafted:
            return bench.drafting.draft(request, job, watch)

        self.work.begin(f"Drafting questions for {request.dataset}", "What is drafted is kept as it comes")
        self._told.hide()
        self.work.show()
        self.show()
        self._handle = self._operations.watch(
            f"Draft questions for {request.dataset}", work, self._came, self._done, self._failed, self._stopped, shown=True
        )  # fmt: skip
        self._handle.progress.connect(lambda told: self.work.say(told.done, told.total, told.unit))
        self.turned.emit()

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()

    def _came(self, found: Sequence[object]) -> None:
        self._made += len(found)

    def _done(self, found: Drafted) -> None:
        self._made = found.made
        self._tell(drafted_words(found))

    def _failed(self, found: Failure) -> None:
        self._tell(f"{found.sentence} {self._kept()}")

    def _stopped(self) -> None:
        self._tell(f"Stopped. {self._kept()}")

    def _kept(self) -> str:
        return f"{count(self._made, 'question')} drafted until then {'is' if self._made == 1 else 'are'} kept."

    def _tell(self, words: str) -> None:
        self._handle = None
        self.work.hide()
        self.words.setText(words)
        self.review.setVisible(bool(self._made))
        self._told.show()
        self.show()
        announce(self, words)
        self.turned.emit()


def ask_drafting(
    shell: Shell, dataset: str, begin: Callable[[DraftQuestions], None], failed: Callable[[Failure], None]
) -> None:
    """Open the form; `begin` gets what it asks for."""

    def show(found: Material) -> None:
        form = DraftForm(found, dataset)
        form.cancelled.connect(shell.close_overlay)

        def act() -> None:
            request = form.request
            shell.close_overlay()
            begin(request)

        form.acted.connect(act)
        shell.open_dialog(form, 560)

    shell.operations.run("Read the collections", lambda bench, job: material(bench), show, failed)


def drafted_words(found: Drafted) -> str:
    """How many there are, and how many weren't kept and why."""
    said = f"{count(found.made, 'question')} {'waits' if found.made == 1 else 'wait'} for your word in {found.dataset}."
    if not found.made:
        said = f"No question was drafted for {found.dataset}."
    reasons = "; ".join(f"{number} × {reason}" for reason, number in found.refused.items())
    if not found.made and not reasons:
        return f"{said} Every passage that is worth a question was asked about before."
    return f"{said} Not kept: {reasons}." if reasons else said


def _whole(least: int, most: int) -> Callable[[str], str]:
    return lambda text: (
        "" if text.strip().isdecimal() and least <= int(text) <= most else f"A number from {least} to {most:,}."
    )
