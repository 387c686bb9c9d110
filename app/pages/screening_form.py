"""How a collection is screened on the way in, and what guards do while it answers, as a form."""

from collections.abc import Sequence
from typing import cast, get_args

from msgspec.structs import replace
from PySide6.QtWidgets import QWidget

from app.bridge.screening import MODE, REACTION, Standing, kind, redactable
from app.widgets.act_form import ActForm
from app.widgets.basic import column, label, row
from app.widgets.forms import Choice, Field, line_edit
from app.widgets.tick_list import TickList
from core.documents.screening.records import KINDS, Mode, ScreeningPolicy
from core.guards.guarding import KINDS as GUARDED
from core.guards.records import Reaction

NOBODY = "Rules only"
NO_WITHHOLDING = tuple(one for one in get_args(Reaction) if one != "withhold")
NOTES = {
    "off": "Documents go in as they are.",
    "ask": "A document in which something is found waits until a person decided about each finding.",
    "automatic": "What is ticked below is taken out, the rest is counted and kept. Nobody is asked.",
}
WHAT_IT_CANT = "Rules miss things. Read what matters before you rely on it."


def chosen(words: dict[str, str], names: Sequence[str], current: str, word: str, note: str = "") -> Field:
    """A field that offers some of `words`."""
    edit = Choice()
    for name in names:
        edit.addItem(words[name], name)
    edit.setCurrentIndex(max(edit.findData(current), 0))
    return Field(word, edit, note, beside=True)


class ScreeningForm(ActForm):
    """`policy` is what the form says as it stands."""

    def __init__(self, standing: Standing) -> None:
        self._before = standing.state.policy
        guards = self._before.guards
        self.mode = chosen(MODE, tuple(MODE), self._before.mode, "Screening", NOTES[self._before.mode])
        self.kinds = TickList("Looked for", "In documents that are added from now on.", "Find a kind")
        self.redact = TickList("Taken out without asking", "A mark stands in its place.", "Find a kind")
        every = tuple(get_args(Reaction))
        self.asked = chosen(REACTION, NO_WITHHOLDING, guards.input, "In a question")
        self.passages = chosen(REACTION, every, guards.passages, "In passages")
        self.answered = chosen(REACTION, every, guards.output, "In the answer")
        self.guarded = TickList("Guards look for", "", "Find a kind")
        models = dict.fromkeys(("", *standing.models, guards.classifier))
        self.classifier = chosen(
            {name: name or NOBODY for name in models},
            tuple(models),
            guards.classifier,
            "Also judged by",
            "A chat model that is asked about each text too; answers take longer.",
        )
        self.threshold = Field(
            "From", line_edit(text=f"{guards.threshold:g}"), "Its score, from 0 to 1.", _share, beside=True
        )
        ticks = QWidget()
        beside = row(self.kinds, self.redact, space=16)
        ticks.setLayout(beside)
        super().__init__(
            "Save",
            parts=(
                heading("On the way in", "Documents that are in already stay as they are."),
                self.mode,
                ticks,
                heading("While it answers", "Guards look at the question, at what is found, and at the answer."),
                self.asked,
                self.passages,
                self.answered,
                self.guarded,
                self.classifier,
                self.threshold,
                label(WHAT_IT_CANT, type="small", tone="tertiary", wrap=True),
            ),
            title=f"Screening of {self._before.collection}",
        )
        for ticked, names, current in (
            (self.kinds, tuple(KINDS), self._before.kinds),
            (self.redact, tuple(name for name in KINDS if redactable(name)), self._before.redact),
            (self.guarded, GUARDED, guards.kinds),
        ):
            ticked.offer([(name, kind(name)) for name in names])
            ticked.tick(current)
        self.mode.edit.currentIndexChanged.connect(lambda _: self._turn())
        self.classifier.edit.currentIndexChanged.connect(lambda _: self._turn())
        self._turn()
        self.setFocusProxy(self.mode.edit)

    @property
    def policy(self) -> ScreeningPolicy:
        """What the form says."""
        guards = self._before.guards
        return replace(
            self._before,
            mode=cast(Mode, value(self.mode)),
            kinds=self.kinds.chosen(),
            redact=self.redact.chosen(),
            guards=replace(
                guards,
                input=cast(Reaction, value(self.asked)),
                passages=cast(Reaction, value(self.passages)),
                output=cast(Reaction, value(self.answered)),
                kinds=self.guarded.chosen(),
                classifier=value(self.classifier),
                threshold=float(self.threshold.text.replace(",", ".")) if value(self.classifier) else guards.threshold,
            ),
        )

    def check(self) -> str:
        missing = [name for name in self.redact.chosen() if name not in self.kinds.chosen()]
        if missing:
            return f"{kind(missing[0])} can be taken out only where it is looked for. Tick it in both, or in none."
        if value(self.mode) != "off" and not self.kinds.chosen():
            return "Nothing is looked for. Tick a kind, or turn it off."
        return ""

    def _turn(self) -> None:
        mode = value(self.mode)
        self.mode.say_note(NOTES[mode])
        self.kinds.setVisible(mode != "off")
        self.redact.setVisible(mode != "off")
        self.threshold.setVisible(bool(value(self.classifier)))


def heading(words: str, note: str) -> QWidget:
    """A heading inside a form."""
    made = QWidget()
    made.setLayout(column(label(words, type="heading"), label(note, type="small", tone="tertiary", wrap=True), space=2))
    return made


def value(field: Field) -> str:
    """What is chosen in a field of `chosen`."""
    assert isinstance(field.edit, Choice)
    return str(field.edit.currentData())


def _share(text: str) -> str:
    try:
        good = 0 <= float(text.replace(",", ".")) <= 1
    except ValueError:
        good = False
    return "" if good else "A number from 0 to 1."
