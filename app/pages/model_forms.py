"""The dialogs of the models page: importing, quantizing, the card, an alias and its history, and what a making of files noted."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QFrame, QPlainTextEdit

from app.bridge.opening import size
from app.pages.model_detail import PARTS, card_words
from app.theme.look import look
from app.widgets.act_form import ActForm
from app.widgets.basic import Badge, clear, column, frame, label, line, row
from app.widgets.buttons import Button, button
from app.widgets.forms import Check, Choice, Field, line_edit, required
from core.models.making import BITS
from core.models.making_records import (
    CONVERTED_TYPES,
    QUANTIZATIONS,
    ImportedModel,
    ImportModel,
    QuantizedModel,
    QuantizeModel,
)
from core.models.records import CardState, ModelAlias, ModelCard, ModelFile, MoveAlias, SaveCard

USUAL = 4
"""The first types are named as the usual ones."""
STORED = {
    "bf16": "As the original: bf16",
    "f16": "16 bits: f16",
    "f32": "32 bits: f32",
    "q8_0": "Half the size: q8_0",
}
WHOLE = ("f32", "f16", "bf16")


def text_edit(placeholder: str, text: str = "", height: int = 52) -> QPlainTextEdit:
    """A few lines of text."""
    made = QPlainTextEdit(text)
    made.setPlaceholderText(placeholder)
    made.setTabChangesFocus(True)
    made.setFixedHeight(look().px(height))
    return made


class ImportForm(ActForm):
    """A Hugging Face folder becomes a GGUF file."""

    def __init__(self, folder: str = "") -> None:
        self.folder = Field(
            "Folder", line_edit("With config.json and .safetensors", folder), check=_folder, beside=True
        )
        choose = button("Choose…", "folder", small=True)
        choose.clicked.connect(self._choose)
        place = frame("plain")
        place.setLayout(row(None, choose))
        kinds = Choice()
        for kind in CONVERTED_TYPES:
            kinds.addItem(STORED.get(kind, kind), kind)
        self.kind = Field("Numbers", kinds, beside=True)
        self.name = Field("Name", line_edit("After the folder"), "What this vault calls it.", beside=True)
        super().__init__(
            "Import",
            "The folder’s weights are written into one .gguf file beside it, and that is registered. The folder stays as it is.",
            (self.folder, place, self.kind, self.name),
            "models",
            title="Import a Hugging Face folder",
        )
        self.setFocusProxy(self.folder.edit)

    def request(self) -> ImportModel:
        return ImportModel(
            folder=self.folder.text.strip(),
            quantization=self.kind.edit.currentData(),
            name=self.name.text.strip() or None,
        )

    def _choose(self) -> None:
        path = QFileDialog.getExistingDirectory(self, "Import a Hugging Face folder")
        if path:
            self.folder.edit.setText(path)
            self.folder.good()


class QuantizeForm(ActForm):
    """A smaller file of a model; the loss is measured where a text is given."""

    def __init__(self, model: ModelFile) -> None:
        self._model = model
        again = model.quantization not in WHOLE
        kinds = Choice()
        for place, kind in enumerate(QUANTIZATIONS):
            usual = "  (usual)" if place < USUAL else ""
            kinds.addItem(f"{kind}, about {size(expected(model, kind))}{usual}", kind)
        kinds.insertSeparator(USUAL)
        self.kind = Field("Type", kinds, f"It takes {size(model.size)} now.", beside=True)
        self.name = Field("Name", line_edit("After the model and the type"), beside=True)
        self.text = Field(
            "Measured on",
            text_edit("A page of text like the one that it will read"),
            "The loss is measured on it. Without a text nothing is measured.",
            beside=True,
        )
        self.importance = Field(
            "Learns from",
            text_edit("Pages of text like those that it will read"),
            "Numbers that matter on this text are kept nearer. Types of one or two bits need it. Its SHA-256 is noted in the file.",
            beside=True,
        )
        self.again = Check(f"Its numbers are {model.quantization} already: lose more")
        self.again.setVisible(again)
        super().__init__(
            "Quantize",
            "A smaller file is written beside this one and registered. This one stays.",
            (self.kind, self.name, self.importance, self.text, self.again),
            "minus",
            title=f"Quantize {model.name}",
        )

    def request(self) -> QuantizeModel:
        return QuantizeModel(
            model=self._model.name,
            quantization=self.kind.edit.currentData(),
            name=self.name.text.strip() or None,
            again=self.again.isChecked(),
            importance=self.importance.text.strip(),
            text=self.text.text.strip(),
        )

    def check(self) -> str:
        if self.again.isVisibleTo(self) and not self.again.isChecked():
            return "It is quantized already. Take the original, or say that more may be lost."
        return ""


class CardForm(ActForm):
    """The next version of a model's card; it begins with the last one's words."""

    def __init__(self, model: ModelFile, last: ModelCard | None, runs: Sequence[str]) -> None:
        hints = {
            "intended": "Answers from the safety procedures",
            "unsuited": "Advice on single patients",
            "limits": "English only; errs with tables",
            "source": "Where the file comes from",
            "licence": "Apache-2.0",
        }
        self._model, self._runs = model, tuple(runs)
        self.parts: dict[str, Field] = {}
        for name, word in PARTS:
            before = getattr(last, name) if last is not None else (model.licence if name == "licence" else "")
            edit = line_edit(hints[name], before) if name in ("licence",) else text_edit(hints[name], before)
            check = required("What it is meant for") if name == "intended" else None
            self.parts[name] = Field(word, edit, check=check, beside=True)
        self.runs = Field(
            "Measured in",
            line_edit("run-3, run-4"),
            "Runs that measured it. Without any, those of the version before stay.",
            self._check_runs,
            beside=True,
        )
        super().__init__(
            "Save the card",
            f"A new version about the file {model.digest[:8]}… of this model. Somebody else approves it.",
            (*self.parts.values(), self.runs),
            "save",
            title=f"Card of {model.name}",
        )
        self.setFocusProxy(self.parts["intended"].edit)

    def request(self) -> SaveCard:
        words = {name: field.text.strip() for name, field in self.parts.items()}
        named = self._named(self.runs.text)
        return SaveCard(model=self._model.name, evaluations=named or None, **words)

    def _named(self, text: str) -> tuple[str, ...]:
        return tuple(part for part in text.replace(",", " ").split() if part)

    def _check_runs(self, text: str) -> str:
        missing = [name for name in self._named(text) if name not in self._runs]
        return f"There is no run {missing[0]} here." if missing else ""


class WithdrawForm(ActForm):
    """End a model's approval."""

    def __init__(self, model: str, rules: str) -> None:
        self.reason = Field("Reason", line_edit("It errs with tables"), check=required("The reason"), beside=True)
        after = {"answers": "It answers no more.", "all": "It answers no more and is in no evaluation."}.get(rules, "")
        super().__init__(
            "Withdraw",
            f"{model} doesn’t count as approved any more. {after} The signatures stay.".replace("  ", " "),
            (self.reason,),
            "history",
            title=f"Withdraw the approval of {model}",
        )
        self.setFocusProxy(self.reason.edit)


class AliasForm(ActForm):
    """Where an alias points from now on; a new one takes a name too."""

    def __init__(self, models: Sequence[ModelFile], model: str, alias: str = "", reason: bool = False) -> None:
        self.name = Field("Alias", line_edit("safety-answers", alias), check=required("The alias’s name"), beside=True)
        self.name.edit.setReadOnly(bool(alias))
        offered = Choice()
        for one in models:
            offered.addItem(one.name)
        offered.setCurrentIndex(max(0, offered.findText(model)))
        self.target = Field("Points at", offered, beside=True)
        self.reason = Field(
            "Reason",
            line_edit("Passed the evaluation of June"),
            "Stands in the audit log.",
            required("The reason") if reason else None,
            beside=True,
        )
        super().__init__(
            "Move" if alias else "Point",
            "Whoever asks for the alias gets that model’s exact file. What is recorded names the file, not the alias.",
            (self.name, self.target, self.reason),
            "label",
            title=f"Move {alias}" if alias else "Point an alias",
        )
        self.setFocusProxy(self.target.edit if alias else self.name.edit)

    def request(self) -> MoveAlias:
        return MoveAlias(name=self.name.text.strip(), model=self.target.text, reason=self.reason.text.strip())


class Told(QFrame):
    """A dialog that tells and is closed: rows of a fact and its value, and sentences below."""

    def __init__(self, title: str, facts: Sequence[tuple[str, str]], notes: Sequence[str] = ()) -> None:
        super().__init__()
        self.setProperty("surface", "dialog")
        self.setAccessibleName(title)
        self.facts, self.notes = tuple(facts), tuple(notes)
        self.close_button = Button("Close", hint="Esc")
        self.buttons = row(None, self.close_button)
        body = column(label(title, type="title", wrap=True), 4, space=8, margins=(24, 20, 24, 20))
        for word, value in facts:
            left = label(word, tone="secondary", wrap=True)
            left.setFixedWidth(look().px(150))
            fact = row(left, label(value, wrap=True), space=12)
            fact.setStretch(1, 1)
            body.addLayout(fact)
        if notes:
            body.addWidget(line())
        for note in notes:
            body.addWidget(label(note, tone="secondary", wrap=True))
        body.addSpacing(look().px(6))
        body.addLayout(self.buttons)
        self.setLayout(body)
        self.setFocusProxy(self.close_button)


class AliasHistory(Told):
    """Where an alias pointed; `move` and `end` are its buttons."""

    def __init__(self, name: str, history: Sequence[ModelAlias]) -> None:
        facts = [
            (one.saved[:16].replace("T", " "), f"{one.model_name or 'nothing'}, by {one.author}") for one in history
        ]
        super().__init__(f"Alias {name}", facts)
        self.move = button("Move…", "label")
        self.end = Button("End it", "trash", "quiet")
        self.buttons.insertWidget(0, self.move)
        self.buttons.insertWidget(1, self.end)


class CardVersions(QFrame):
    """All versions of a card, newest first, one of which is shown in full."""

    def __init__(self, name: str, states: Sequence[CardState]) -> None:
        super().__init__()
        self.setProperty("surface", "dialog")
        self.setAccessibleName(f"Versions of the card of {name}")
        self._states = tuple(states)
        self.close_button = Button("Close", hint="Esc")
        self.which = Choice()
        self.which.setAccessibleName("Version")
        for state in states:
            signed = ", ".join(f"{meaning} by {who}" for meaning, who in state.signed) or "not signed"
            self.which.addItem(f"Version {state.card.number}, {signed}")
        self.which.currentIndexChanged.connect(self._show)
        self._badge = Badge("")
        self._body = column(space=8)
        self.setLayout(
            column(
                label(f"Card of {name}", type="title"),
                self.which,
                row(self._badge, None),
                self._body,
                row(None, self.close_button),
                space=12,
                margins=(24, 20, 24, 20),
            )
        )
        self._show(0)

    def _show(self, place: int) -> None:
        state = self._states[place]
        self._badge.say(*(("Approved", "signed", "stamp") if state.approved else ("Not approved", "unverified", "")))
        clear(self._body)
        for word, value in card_words(state):
            said = label(word, type="small", tone="secondary"), label(value, wrap=True)
            self._body.addLayout(column(*said, space=1))


def expected(model: ModelFile, kind: str) -> int:
    """Bytes that a file of a type would take, roughly."""
    longest = sorted(BITS.items(), key=lambda item: -len(item[0]))
    return int(model.parameters * next((bits for start, bits in longest if kind.startswith(start)), 5.0) / 8)


def imported_words(found: ImportedModel) -> tuple[list[tuple[str, str]], list[str]]:
    """What an import made, and what it noted."""
    converted = found.converted
    facts = [
        ("Registered as", found.model.name),
        ("Architecture", converted.architecture),
        ("Tensors", f"{converted.tensors:,}"),
        ("Tokens compared", f"Equal on {converted.texts:,} texts"),
        ("Size", size(found.model.size)),
    ]
    return facts, [f"{note[:1].upper()}{note[1:].rstrip('.')}." for note in converted.notes]


def quantized_words(found: QuantizedModel) -> tuple[list[tuple[str, str]], list[str]]:
    """What a quantization made, and what was lost."""
    facts = [
        ("Registered as", found.model.name),
        ("Size", f"{size(found.model.size)}, before {size(found.before)}"),
    ]
    if found.learnt:
        facts.append(("What matters learnt from", f"{found.learnt:,} tokens"))
    lost = found.compared
    if lost is None:
        return facts, ["The loss wasn’t measured: no text was given."]
    facts += [
        ("Same likeliest token", f"{lost.same_top:.1%}".replace("%", " %") + f" of {lost.tokens:,}"),
        ("Divergence", f"{lost.divergence:.4f} nats a token; 99 % stay under {lost.divergence_99:.3f}"),
        ("Perplexity", f"{lost.second_perplexity:.2f}, before {lost.first_perplexity:.2f}"),
    ]
    return facts, ["Measured on the text that you gave. An evaluation tells what it means for answers."]


def _folder(text: str) -> str:
    if not text.strip():
        return "The folder is missing."
    found = Path(text.strip()).expanduser()
    if not found.is_dir():
        return "There is no such folder."
    return "" if (found / "config.json").is_file() else "It has no config.json, so it isn’t a Hugging Face model."
