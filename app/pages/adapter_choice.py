"""Which LoRA adapters a model answers with, and how strongly: a button that says it, and the dialog that changes it."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.bridge.chatting import adapter_words
from app.pages.page import Shell
from app.widgets.act_form import ActForm
from app.widgets.basic import row
from app.widgets.buttons import Button
from app.widgets.forms import Check, Field, line_edit
from core.inference.adapters import LARGEST_SCALE, MOST, fits
from core.inference.records import AdapterUse
from core.models.records import ModelFile


def scale(text: str) -> float | None:
    """A written scale; None for what is none."""
    try:
        found = float(text.strip().replace(",", ".").replace("−", "-"))
    except ValueError:
        return None
    return found if -LARGEST_SCALE <= found <= LARGEST_SCALE else None


def _check(text: str) -> str:
    return "" if scale(text) is not None else f"Write a number from −{LARGEST_SCALE:g} to {LARGEST_SCALE:g}."


class AdapterForm(ActForm):
    """A row for each adapter that fits: whether it works, and its scale."""

    def __init__(self, model: str, adapters: Sequence[ModelFile], uses: Sequence[AdapterUse]) -> None:
        used = {use.model: use.scale for use in uses}
        self.checks: dict[str, Check] = {}
        self.scales: dict[str, Field] = {}
        rows: list[QWidget] = []
        for one in adapters:
            check = Check(one.name)
            check.setAccessibleName(f"Use {one.name}")
            check.setChecked(one.digest in used)
            amount = Field("Scale", line_edit(text=f"{used.get(one.digest, 1.0):g}"), check=_check, beside=True)
            amount.edit.setAccessibleName(f"Scale of {one.name}")
            amount.setEnabled(check.isChecked())
            check.toggled.connect(amount.setEnabled)
            self.checks[one.digest], self.scales[one.digest] = check, amount
            held = QWidget()
            layout = row(check, space=12)
            layout.setStretch(0, 1)
            layout.addWidget(amount, 1)
            held.setLayout(layout)
            rows.append(held)
        super().__init__(
            "Use adapters",
            "1 is as the adapter was trained, 0 doesn’t work at all, and more works more strongly. Each answer’s trace keeps what it was "
            "computed with.",
            rows,
            "adapter",
            title=f"Adapters of {model}",
        )
        self.fields = list(self.scales.values())

    def uses(self) -> tuple[AdapterUse, ...]:
        """The chosen ones with their scales, by digest."""
        return tuple(
            AdapterUse(model=digest, scale=scale(self.scales[digest].text) or 0.0)
            for digest, check in self.checks.items()
            if check.isChecked()
        )

    def good(self) -> bool:
        for digest, check in self.checks.items():
            if not check.isChecked():
                self.scales[digest].fail("")
        self.fields = [self.scales[digest] for digest, check in self.checks.items() if check.isChecked()]
        return super().good()

    def check(self) -> str:
        chosen = sum(check.isChecked() for check in self.checks.values())
        return f"{MOST} adapters at once can be used; {chosen} are chosen." if chosen > MOST else ""


class AdapterChooser(Button):
    """Says which adapters work; a press changes that. `picked` comes when it was changed. It is hidden where the vault has no adapter."""

    picked = Signal()

    def __init__(self, shell: Shell, whose: str = "") -> None:
        super().__init__("", "adapter")
        self._shell, self._whose = shell, whose
        self.become("quiet")
        self.uses: tuple[AdapterUse, ...] = ()
        self._fitting: tuple[ModelFile, ...] = ()
        self._model = ""
        self.clicked.connect(self._open)
        self.offer(None, ())

    def offer(self, model: ModelFile | None, adapters: Sequence[ModelFile]) -> None:
        """Offer those that fit a model; what was chosen and still fits stays."""
        self._model = model.name if model is not None else ""
        self._fitting = tuple(one for one in adapters if model is not None and fits(one, model))
        known = {one.digest for one in self._fitting}
        self.uses = tuple(use for use in self.uses if use.model in known)
        self.setVisible(model is not None and bool(adapters))
        self.refuse("" if self._fitting else f"None of the adapters here was made for {self._model}.")
        self._say()

    def take(self, uses: Sequence[AdapterUse]) -> None:
        """Use these, as far as they fit."""
        known = {one.digest for one in self._fitting}
        self.uses = tuple(use for use in uses if use.model in known)
        self._say()

    def _say(self) -> None:
        names = {one.digest: one.name for one in self._fitting}
        words = adapter_words(self.uses, names).removeprefix(" + ") or "No adapter"
        self.setText(words)
        self.setAccessibleName(f"{self._whose}Adapters: {words}")
        self.updateGeometry()

    def minimumSizeHint(self):
        hint = super().minimumSizeHint()
        hint.setWidth(min(hint.width(), 112))
        return hint

    def _open(self) -> None:
        form = AdapterForm(self._model, self._fitting, self.uses)
        form.cancelled.connect(self._shell.close_overlay)

        def use() -> None:
            self.uses = form.uses()
            self._say()
            self._shell.close_overlay()
            self.picked.emit()

        form.acted.connect(use)
        self._shell.open_dialog(form, 520)
