"""Making, changing and removing saved assistants: who answers, with which prompt, from which collections and how."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPlainTextEdit

from app.bridge import assistants as bridge
from app.bridge.finding import said
from app.pages.finding_choice import UNSUPPORTED
from app.pages.page import Shell
from app.pages.screening_form import chosen, value
from app.pages.value_fields import ValueFields
from app.theme.look import look
from app.widgets.act_form import ActForm
from app.widgets.buttons import Button
from app.widgets.forms import Check, Field, line_edit, required
from app.widgets.tick_list import TickList
from core.assistants.records import QUOTES
from core.prompts.records import Variable
from core.retrieval.records import Finding

if TYPE_CHECKING:
    from core.assistants.saved import Assistant

NEW = ""
BUILT_IN = "Built-in prompt"


class AssistantForm(ActForm):
    """`given` is what the form says, as `SaveAssistant` takes it. `removal_asked` says that the chosen one shall end."""

    removal_asked = Signal()

    def __init__(self, shelf: bridge.Shelf, finding: Finding, first: str = NEW) -> None:
        self._saved: dict[str, Assistant] = {one.name: one for one in shelf.assistants}
        self._finding = replace(finding, also=())
        names = {NEW: "A new one", **{one.name: f"{one.name}, version {one.number}" for one in shelf.assistants}}
        self.which = chosen(names, tuple(names), first, "Assistant")
        self.name = Field("Name", line_edit(), "", required("The name"), beside=True)
        models = {QUOTES: "Quotes, word for word", **{name: name for name in shelf.models}}
        self._models = models
        self.model = chosen(models, tuple(models), QUOTES, "Answered by")
        prompts = {"": BUILT_IN, **{name: name for name in shelf.prompts}}
        self.prompt = chosen(prompts, tuple(prompts), "", "Prompt")
        self._variables = shelf.variables
        self.values = ValueFields("fix", title="Variables of the prompt")
        self.collections = TickList("Collections", "They are searched as if they were one.", "Find a collection")
        self.passages = Field("Passages", line_edit(text="6"), "At most, 1 to 50.", _number(1, 50), beside=True)
        self.tokens = Field("Longest", line_edit(text="256"), "Tokens of an answer.", _number(1, 100_000), beside=True)
        self.mode = chosen(bridge.MODES, tuple(bridge.MODES), "reproducible", "Mode")
        self.trim = chosen(bridge.TRIMS, tuple(bridge.TRIMS), "refuse", "Too long")
        self.unsupported = chosen(UNSUPPORTED, tuple(UNSUPPORTED), "decline", "No support")
        self.fallback = Field("Otherwise", line_edit("The usual sentence"), "What it says where the documents don’t.", beside=True)  # fmt: skip
        notes = QPlainTextEdit()
        notes.setTabChangesFocus(True)
        notes.setFixedHeight(look().px(60))
        self.notes = Field("Notes", notes, beside=True)
        limits = ", ".join(said(self._finding)) or "none"
        self.limits = Check("Take the limits and the order that are chosen for questions now")
        self.limits.setToolTip(f"Now: {limits}")
        self.remove = Button("Remove this assistant", "trash", "quiet")
        super().__init__(
            "Save",
            "Each saved version stays, with its digest; answers say which one was asked.",
            (
                self.which, self.name, self.model, self.prompt, self.values, self.collections, self.passages, self.tokens, self.mode,
                self.trim, self.unsupported, self.fallback, self.limits, self.notes, self.remove,
            ),
            title="Saved assistants",
        )  # fmt: skip
        self.remove.clicked.connect(self.removal_asked)
        self.collections.offer([(name, name) for name in shelf.collections])
        self.which.edit.currentIndexChanged.connect(lambda _: self._load())
        self.model.edit.currentIndexChanged.connect(lambda _: self._turn())
        self.prompt.edit.currentIndexChanged.connect(lambda _: self._turn())
        self.act.refuse(shelf.refusal)
        self.remove.refuse(shelf.refusal)
        self._load()
        self.setFocusProxy(self.which.edit)

    @property
    def chosen(self) -> str:
        """The saved one that is changed; empty for a new one."""
        return value(self.which)

    @property
    def given(self) -> dict[str, Any]:
        """What shall be saved."""
        before = self._saved.get(self.chosen)
        model = value(self.model)
        kept = (
            {"temperature": before.temperature, "top_p": before.top_p, "top_k": before.top_k, "seed": before.seed,
             "repeat_penalty": before.repeat_penalty, "adapters": before.adapters if model == before.model else ()}
            if before is not None
            else {}
        )  # fmt: skip
        finding = self._finding if before is None or self.limits.isChecked() else before.finding
        return {
            **kept,
            "name": self.name.text.strip(),
            "model": model,
            "prompt": "" if model == QUOTES else value(self.prompt),
            "collections": self.collections.chosen(),
            "passages": int(self.passages.text),
            "max_tokens": int(self.tokens.text),
            "mode": value(self.mode),
            "trim": value(self.trim),
            "without_support": value(self.unsupported),
            "fallback": self.fallback.text.strip(),
            "finding": finding,
            "notes": self.notes.text.strip(),
            "values": self.values.values(),
        }

    def check(self) -> str:
        if not self.values.good():
            return "A value doesn’t fit its variable."
        return "" if self.collections.chosen() or value(self.prompt) else "Tick a collection."

    def _load(self) -> None:
        """Fill the form with what the chosen one is."""
        found = self._saved.get(self.chosen)
        self.name.setVisible(found is None)
        self.remove.setVisible(found is not None)
        self.limits.setVisible(found is not None)
        self.limits.setChecked(False)
        self.name.edit.setText(found.name if found else "")
        if found is not None:
            for field, wanted in (
                (self.model, found.model),
                (self.prompt, found.prompt),
                (self.mode, found.mode),
                (self.trim, found.trim),
                (self.unsupported, found.without_support),
            ):
                if field.edit.findData(wanted) < 0:
                    field.edit.addItem(wanted, wanted)
                field.edit.setCurrentIndex(field.edit.findData(wanted))
            self.passages.edit.setText(str(found.passages))
            self.tokens.edit.setText(str(found.max_tokens))
            self.fallback.edit.setText(found.fallback)
            self.notes.edit.setPlainText(found.notes)
        self.collections.tick(found.collections if found else ())
        self._turn()
        self.values.offer(self._asked(), found.values if found else {})

    def _turn(self) -> None:
        writes = value(self.model) != QUOTES
        for field in (self.prompt, self.tokens, self.mode, self.trim, self.unsupported):
            field.setVisible(writes)
        self.values.offer(self._asked())

    def _asked(self) -> tuple[Variable, ...]:
        """What the chosen prompt is filled with."""
        return self._variables.get(value(self.prompt), ()) if value(self.model) != QUOTES else ()


def ask_assistants(shell: Shell, finding: Finding, first: str, changed: Callable[[str], None]) -> None:
    """Open the form; `changed` gets the name of what was saved, or nothing where one was removed."""

    def show(found: bridge.Shelf) -> None:
        form = AssistantForm(found, finding, first if first in [one.name for one in found.assistants] else NEW)
        form.cancelled.connect(shell.close_overlay)

        def save() -> None:
            given = form.given
            form.wait("It is being saved.")
            shell.operations.run(
                "Save an assistant",
                lambda bench, job: bridge.save(bench, given),
                lambda reference: done(f"{reference.replace('@', ', version ')} is saved", given["name"]),
                lambda failed: form.refuse(failed.sentence),
            )

        def remove() -> None:
            name = form.chosen
            form.wait("It is being removed.")
            shell.operations.run(
                "Remove an assistant",
                lambda bench, job: bridge.remove(bench, name, ""),
                lambda gone: done(f"{gone} was removed; its answers stay", ""),
                lambda failed: form.refuse(failed.sentence),
            )

        def done(words: str, name: str) -> None:
            shell.close_overlay()
            shell.toast(words)
            changed(name)

        form.acted.connect(save)
        form.removal_asked.connect(remove)
        shell.open_dialog(form, 600)

    shell.operations.run("Read the assistants", lambda bench, job: bridge.shelf(bench), show)


def _number(least: int, most: int) -> Callable[[str], str]:
    return lambda text: (
        "" if text.strip().isdecimal() and least <= int(text) <= most else f"A number from {least} to {most:,}."
    )
