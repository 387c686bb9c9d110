"""Beside a model: what its file says, its card with who approved it, the aliases that point at it, and what may be done."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from app.bridge.models import Rules, Shelf
from app.bridge.opening import size
from app.pages.model_plan import PlanCard
from app.pages.signatures import SignatureRows
from app.theme.look import look
from app.widgets.basic import Badge, Card, Elided, clear, column, label, line, row, shorten
from app.widgets.buttons import Button, button
from core.models.records import CardState, ModelFile
from core.vault.records import Signature

PURPOSES = {
    "chat": ("Answers", "chat"),
    "embed": ("Search", "search"),
    "rerank": ("Ranking", "search"),
    "adapter": ("Adapter", "models"),
    "projector": ("Pictures", "picture"),
    "other": ("Other", "models"),
}
KEPT_WHOLE = {"adapter": "An adapter isn’t quantized.", "projector": "A projector isn’t quantized."}
PARTS = (
    ("intended", "Meant for"),
    ("unsuited", "Not meant for"),
    ("limits", "Limits"),
    ("source", "Source"),
    ("licence", "Licence"),
)


def parameters(count: int) -> str:
    """A number of parameters in words."""
    if count >= 1e9:
        return f"{count / 1e9:.1f} B"
    return f"{count / 1e6:.1f} M" if count >= 1e6 else f"{count / 1e3:.0f} K"


def signature_words(model: ModelFile) -> str:
    """What is known of the signature on a model's file."""
    if model.signature == "valid":
        return f"Signed by {model.signed_by}"
    if model.signature == "unchecked":
        return f"By {model.signed_by or 'an unknown key'}, not trusted here"
    return "Not signed"


def approval(found: Shelf, model: ModelFile) -> tuple[str, str, str]:
    """Whether a model is approved: a word, the badge's meaning, an icon."""
    state = found.cards.get(model.name)
    if model.name in found.approved:
        return "Approved", "signed", "stamp"
    if state is None:
        return "No card", "plain", ""
    return ("Not approved", "unverified", "") if state.current else ("Card of another file", "warn", "warning")


def facts_of(model: ModelFile) -> tuple[tuple[str, str], ...]:
    """What a model's file says of itself; what it doesn't say is left out."""
    chat = model.purpose == "chat"
    files = f"{Path(model.path).name}" + (f" and {len(model.parts) - 1} more" if len(model.parts) > 1 else "")
    found = (
        ("For", PURPOSES[model.purpose][0]),
        ("Architecture", model.architecture),
        ("Size", size(model.size)),
        ("Parameters", parameters(model.parameters)),
        ("Quantization", model.quantization),
        ("Context", f"{model.context:,} tokens" if model.context else ""),
        ("Dimensions", f"{model.dimensions:,}" if model.purpose == "embed" else ""),
        ("Chat template", ("In the file" if model.has_template else "None in the file") if chat else ""),
        ("Tokenizer", model.tokenizer),
        ("Made from", model.base_model),
        ("Learnt from", model.importance),
        ("Licence", model.licence or "Not stated"),
        ("Signature", signature_words(model)),
        ("Added", model.added[:10]),
        ("File", files),
    )
    return tuple((word, value) for word, value in found if value)


class ModelDetail(QWidget):
    """What is asked for comes out as signals; the page does it."""

    describe, sign, withdraw, versions = Signal(), Signal(), Signal(), Signal()
    point, quantize, remove = Signal(), Signal(), Signal()
    compare, export = Signal(), Signal()
    alias = Signal(str)
    """An alias, by its name, whose history or next target is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self._about, self._file = Card(), column(space=6)
        self._name = label("", type="heading", wrap=True)
        self._digest = label("", type="code", tone="tertiary")
        self._digest.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._about.body.addWidget(self._name)
        self._about.body.addWidget(self._digest)
        self._about.body.addLayout(self._file)
        self.quantize_button = button("Quantize…", "minus", small=True)
        self.remove_button = Button("Remove", "trash", "quiet", small=True)
        self.compare_button = button("Compare…", "compare", small=True)
        self.export_button = button("Export signed…", "stamp", small=True)
        self._about.body.addLayout(row(self.quantize_button, self.compare_button, None))
        self._about.body.addLayout(row(self.export_button, self.remove_button, None))
        self.plan = PlanCard()
        self._card = Card("Card")
        self.approved = Badge("")
        self._card_body = column(space=8)
        self.signatures = SignatureRows()
        self.describe_button = button("Write the card…", "prompts", small=True)
        self.sign_button = button("Sign…", "stamp", small=True)
        self.withdraw_button = Button("Withdraw…", "history", "quiet", small=True)
        self.versions_button = Button("Versions", "history", "quiet", small=True)
        self._card.body.addLayout(row(self.approved, None))
        self._card.body.addLayout(self._card_body)
        self._card.body.addWidget(self.signatures)
        self._card.body.addLayout(row(self.describe_button, self.sign_button, None))
        self._card.body.addLayout(row(self.versions_button, self.withdraw_button, None))
        self._aliases = Card("Aliases", "Names for a purpose that can be moved from model to model.")
        self._alias_rows = column(space=4)
        self.point_button = button("Point an alias here…", "label", small=True)
        self._aliases.body.addLayout(self._alias_rows)
        self._aliases.body.addLayout(row(self.point_button, None))
        for shown, asked in (
            (self.describe_button, self.describe),
            (self.sign_button, self.sign),
            (self.withdraw_button, self.withdraw),
            (self.versions_button, self.versions),
            (self.point_button, self.point),
            (self.quantize_button, self.quantize),
            (self.remove_button, self.remove),
            (self.compare_button, self.compare),
            (self.export_button, self.export),
        ):
            shown.clicked.connect(asked)
        self.model: ModelFile | None = None
        self.setLayout(column(self._about, self.plan, self._card, self._aliases, space=14))
        self.setAccessibleName("About the model")
        self.hide()

    def show_model(self, model: ModelFile | None, found: Shelf, rules: Rules, given: Sequence[Signature] = ()) -> None:
        """Show a model with what belongs to it; the plan of the same model stays."""
        self.setVisible(model is not None)
        if model is None:
            self.model = None
            return
        if self.model is None or self.model.digest != model.digest:
            self.plan.begin(model)
        self.model = model
        self.plan.setVisible(model.purpose not in KEPT_WHOLE)
        self._name.setText(model.name)
        self._digest.setText(f"sha256 {shorten(model.digest, 8, 8)}")
        self._digest.setToolTip(model.digest)
        clear(self._file)
        for word, value in facts_of(model):
            self._file.addLayout(_fact(word, value))
        uses = found.uses.get(model.name, ())
        if uses:
            self._file.addWidget(line())
            self._file.addWidget(label("In use: " + "; ".join(uses) + ".", type="small", tone="secondary", wrap=True))
        self.remove_button.refuse(in_use(uses))
        self.quantize_button.refuse(KEPT_WHOLE.get(model.purpose, ""))
        self._show_card(model, found, rules, given)
        self._show_aliases(model, found)

    def _show_card(self, model: ModelFile, found: Shelf, rules: Rules, given: Sequence[Signature]) -> None:
        state = found.cards.get(model.name)
        self.approved.say(*approval(found, model))
        clear(self._card_body)
        if state is None:
            self._card_body.addWidget(label(no_card(rules), tone="secondary", wrap=True))
        else:
            for words in card_words(state):
                said = label(words[0], type="small", tone="secondary"), label(words[1], wrap=True)
                self._card_body.addLayout(column(*said, space=1))
        self.signatures.setVisible(state is not None)
        self.signatures.show_signatures(given)
        self.describe_button.setText("New version…" if state is not None else "Write the card…")
        for shown in (self.sign_button, self.versions_button):
            shown.setVisible(state is not None)
        self.withdraw_button.setVisible(model.name in found.approved)

    def _show_aliases(self, model: ModelFile, found: Shelf) -> None:
        clear(self._alias_rows)
        self.alias_buttons: dict[str, Button] = {}
        here = [alias for alias in found.aliases if alias.model == model.digest]
        for alias in here:
            more = Button("Move or see…", kind="link", small=True)
            more.setAccessibleName(f"Move or see {alias.name}")
            more.clicked.connect(lambda _=False, which=alias.name: self.alias.emit(which))
            self.alias_buttons[alias.name] = more
            self._alias_rows.addLayout(row(Badge(alias.name, "accent", "label"), None, more))
        if not here:
            self._alias_rows.addWidget(label("None points here.", tone="secondary"))


def in_use(uses: Sequence[str]) -> str:
    """Why a model can't be removed, or nothing."""
    return f"It is in use: {'; '.join(uses)}." if uses else ""


def no_card(rules: Rules) -> str:
    """What a model without a card lacks."""
    wanted = {"answers": "Answers need an approved one.", "all": "Answers and evaluations need an approved one."}
    return f"Nobody has written what this model is for. {wanted.get(rules.approved, '')}".strip()


def card_words(state: CardState) -> list[tuple[str, str]]:
    """A card's parts that say something, and who wrote it."""
    card = state.card
    found = [(word, getattr(card, name)) for name, word in PARTS if getattr(card, name)]
    if card.evaluations:
        found.append(("Measured in", f"{len(card.evaluations)} run{'s' if len(card.evaluations) > 1 else ''}"))
    found.append((f"Version {card.number}", f"{card.author}, {card.saved[:10]}"))
    if not state.current:
        found.append(("About another file", "The file was registered anew since. It needs a new version."))
    return found


def _fact(word: str, value: str) -> QWidget | object:
    left = label(word, tone="secondary")
    left.setFixedWidth(look().px(96))
    shown = Elided(value, middle=word == "File")
    made = row(left, shown, space=8)
    made.setStretch(1, 1)
    return made
