"""Saved assistants for the chat: those there are, what asking one means, and making, changing and removing them off the UI thread."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.assistants.records import Question
from core.errors import NotFound
from core.prompts.filling import askable
from core.prompts.records import PromptState, Variable
from core.vault.roles import Act, allowed

if TYPE_CHECKING:
    from core.assistants.saved import Assistant
    from core.workbench import Workbench

MODES = {"reproducible": "Reproducible", "fast": "Fast"}
TRIMS = {"refuse": "Say so, and don’t answer", "passages": "Leave out passages"}


@dataclass(frozen=True)
class Shelf:
    """What an assistant can be made of, and those that are saved; `refusal` says why this person may not."""

    assistants: "tuple[Assistant, ...]"
    collections: tuple[str, ...]
    models: tuple[str, ...]
    prompts: tuple[str, ...]
    refusal: str
    variables: Mapping[str, tuple[Variable, ...]] = field(default_factory=dict)
    """By prompt version, what a person fills in."""


def saved(bench: "Workbench") -> "tuple[Assistant, ...]":
    """The saved assistants, by name."""
    return tuple(state.assistant for state in bench.assistants.list())


def variables(
    bench: "Workbench", states: Sequence[PromptState], assistants: "Sequence[Assistant]"
) -> dict[str, tuple[Variable, ...]]:
    """By prompt version, what a person fills in: of those that are offered, and of older ones that assistants ask with."""
    found = {state.prompt.reference: askable(state.prompt.declared) for state in states}
    for name in dict.fromkeys(one.prompt for one in assistants if one.prompt and one.prompt not in found):
        with suppress(NotFound):
            found[name] = askable(bench.prompts.show(name).prompt.declared)
    return found


def question(assistant: "Assistant", text: str, earlier: Sequence[str] = ()) -> Question:
    """What is asked when an assistant is asked."""
    from core.assistants import saved as kept

    return kept.question(assistant, text, earlier)


def shelf(bench: "Workbench") -> Shelf:
    states, assistants = bench.prompts.list(), saved(bench)
    return Shelf(
        assistants=assistants,
        collections=tuple(one.name for one in bench.documents.collections()),
        models=tuple(one.name for one in bench.models.list() if one.purpose == "chat"),
        prompts=tuple(state.prompt.reference for state in states),
        variables=variables(bench, states, assistants),
        refusal=""
        if allowed(Act.SAVE_ASSISTANT, bench.vault.user.roles)
        else "Your roles here don’t allow this; an author must do it.",
    )


def save(bench: "Workbench", given: dict[str, Any]) -> str:
    """Keep a version of an assistant, whole; its name. Raises `BadInput`, `NotFound`, `Refused`."""
    from core.assistants.saved import SaveAssistant

    return bench.assistants.save(SaveAssistant(**given)).assistant.reference


def remove(bench: "Workbench", name: str, reason: str) -> str:
    """End an assistant; its versions and answers stay. Raises `NotFound`, `Refused`."""
    bench.assistants.remove(name, reason)
    return name
