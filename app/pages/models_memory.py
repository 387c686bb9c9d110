"""The models in memory: a bar of what they take of what they may take, and for each its speed, whether it works, and the way out."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.bridge.models import Memory, amounts, named, taken
from app.bridge.opening import size
from app.theme.look import look
from app.widgets.basic import Elided, clear, column, label, row
from app.widgets.buttons import button
from app.widgets.share_bar import Part, ShareBar, Swatch
from core.inference.records import Loaded

UP_TO = "At most, once its window and what is kept beside it are full"
NONE = "No model is in memory. One is loaded when it is first asked."


def doing(found: Loaded) -> str:
    """What a model in memory does, and how fast it was."""
    if found.requests:
        parts = [f"Busy: {found.requests} request{'s' if found.requests > 1 else ''}"]
    else:
        parts = ["Idle"]
    if found.tokens_per_second:
        parts.append(f"{found.tokens_per_second:,.0f} tokens/s")
    parts.append(f"context {found.context:,}")
    parts.append(f"{found.slots} slots" if found.slots > 1 else "1 slot")
    if found.gpu_layers:
        parts.append(f"{found.gpu_layers} of {found.layers} layers on the graphics card")
    return ", ".join(parts)


class MemoryView(QWidget):
    """`unload` asks that a model, with or without its projector as it is `Loaded`, leaves the memory; what it works on ends with it."""

    unload = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._sum = label("", tone="secondary")
        self.bar = ShareBar("Memory of models")
        self._rows = column(space=2)
        self.buttons: dict[str, QWidget] = {}
        self._shown: Memory | None = None
        head = row(label("In memory", type="heading"), self._sum, None, space=10)
        self.setLayout(column(head, self.bar, self._rows, space=8, margins=(20, 14, 20, 12)))
        self.setAccessibleName("Models in memory")

    def show_memory(self, found: Memory) -> None:
        """Show this instead of what was shown; the same again changes nothing, so that a button keeps its focus."""
        if found == self._shown:
            return
        same = self._shown is not None and [named(one) for one in self._shown.loaded] == [
            named(o) for o in found.loaded
        ]
        self._shown = found
        parts = [Part(named(one), taken(one), size(taken(one))) for one in found.loaded]
        self.bar.show_parts(parts, found.budget)
        total = sum(map(taken, found.loaded))
        of = f" of {size(found.budget)} that models may take" if found.budget else ""
        self._sum.setText(f"{size(total)}{of}" if parts else (f"{size(found.budget)} free for models" if of else ""))
        if same and self.buttons:
            for number, one in enumerate(found.loaded):
                self._facts[number].say(doing(one))
                self._amounts[number].setText(amounts(one))
                self._word(one)
            return
        clear(self._rows)
        self.buttons, self._facts, self._amounts = {}, [], []
        if not parts:
            self._rows.addWidget(label(NONE, tone="secondary", wrap=True))
        for number, one in enumerate(found.loaded):
            self._rows.addLayout(self._row(number, one))

    def words(self) -> tuple[str, ...]:
        """What each row says of its model."""
        return tuple(facts.full for facts in self._facts) if self.buttons else ()

    def _row(self, number: int, one: Loaded):
        name, facts = label(named(one), strong=True), Elided(doing(one), tone="secondary")
        amount = label(amounts(one))
        amount.setToolTip(UP_TO if one.memory else "")
        act = button("", "stop", "quiet", small=True)
        act.setFixedWidth(look().px(92))
        act.clicked.connect(lambda: self.unload.emit(one))
        self.buttons[named(one)] = act
        self._facts.append(facts)
        self._amounts.append(amount)
        self._word(one)
        made = row(Swatch(number), name, facts, amount, act, space=10)
        made.setStretch(2, 1)
        return made

    def _word(self, one: Loaded) -> None:
        act = self.buttons[named(one)]
        act.setText("Stop" if one.requests else "Unload")
        act.setAccessibleName(f"{'Stop' if one.requests else 'Unload'} {named(one)}")
        act.setToolTip("Ends what it works on and frees its memory" if one.requests else "Frees its memory")
