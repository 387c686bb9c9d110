"""`assay assistant`: assistants that are saved under a name, and asked by it."""

from collections.abc import Callable
from typing import Any

import click
import msgspec
from msgspec.structs import replace

from core.assistants import saved
from core.assistants.records import QUOTES
from core.assistants.saved import Assistant, AssistantState, SaveAssistant
from core.cli.asking import ADAPTERS, adapter_uses, values_of
from core.cli.finding import finding_json
from core.cli.output import one_line, short, table
from core.cli.session import Session, pass_session
from core.errors import BadInput
from core.inference.records import MODES
from core.records import Json
from core.retrieval.records import Finding

_OF_SEARCH = ("mmr", "reranker")
_FILTERS = ("files", "folders", "types", "since", "until", "tags")


@click.group()
def assistant() -> None:
    """Assistants: who answers, with which prompt, from which collections, under a name."""


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command what an assistant is made of. What isn't given is None, or empty."""
    for option in reversed(
        (
            click.option("--model", help=f"A chat model, an alias, or {QUOTES}."),
            click.option(
                "--prompt", metavar="REFERENCE", help="A prompt version; the built-in one where none is given."
            ),
            ADAPTERS,
            click.option("--collection", "collections", multiple=True, metavar="NAME", help="What it answers from."),
            click.option("--passages", type=int, help="The most that are put to the model."),
            click.option("--file", "files", multiple=True, metavar="NAME", help="Only from this document."),
            click.option("--folder", "folders", multiple=True, metavar="FOLDER", help="Only from below this folder."),
            click.option("--type", "types", multiple=True, metavar="ENDING", help="Only from files of this kind."),
            click.option("--tag", "tags", multiple=True, metavar="TAG", help="Only from documents with this tag."),
            click.option("--since", metavar="DATE", help="Only from what was added on this date or later."),
            click.option("--until", metavar="DATE", help="Only from what was added on this date or earlier."),
            click.option("--mmr", type=click.FloatRange(0, 1), help="1 goes by relevance alone."),
            click.option("--reranker", metavar="MODEL", help="A model that puts the best passages in order."),
            click.option("--max-tokens", type=int, help="The longest that a model may answer."),
            click.option("--temperature", type=float, help="0 for the likeliest answer."),
            click.option("--top-p", type=float, help="Of the likeliest tokens, as many as make up this part."),
            click.option("--top-k", type=int, help="Of the likeliest tokens, this many; 0 for all."),
            click.option("--repeat-penalty", type=float, help="1 for none."),
            click.option("--seed", type=int, help="Of the dice, where the temperature isn't 0."),
            click.option("--mode", type=click.Choice(MODES), help="fast, or reproducible."),
            click.option("--trim", type=click.Choice(["refuse", "passages"]), help="When the prompt doesn't fit."),
            click.option(
                "--without-support",
                type=click.Choice(["decline", "mark"]),
                help="When no sentence of an answer has support.",
            ),
            click.option("--fallback", metavar="TEXT", help="What is answered where the documents don't say."),
            click.option("--notes", metavar="TEXT", help="For those who read it later."),
            click.option(
                "--value",
                "values",
                multiple=True,
                metavar="NAME=VALUE",
                help="What a variable of the prompt always is.",
            ),
        )
    ):
        command = option(command)
    return command


@assistant.command()
@click.argument("name")
@_options
@pass_session
def create(session: Session, /, name: str, **options: Any) -> None:
    """Save a new assistant. `assay ask --assistant NAME QUESTION` asks it."""
    with session.workbench() as bench:
        with bench.vault.read() as reader:
            saved.check_new(reader, name)
        _say(session, bench.assistants.save(_changed(SaveAssistant(name=name), options)))


@assistant.command()
@click.argument("name")
@click.option("--clear", multiple=True, metavar="PART", help="Set this part back, such as adapters or prompt.")
@_options
@pass_session
def change(session: Session, /, name: str, clear: tuple[str, ...], **options: Any) -> None:
    """Save a new version of an assistant: what is given is new, the rest stays as it was."""
    with session.workbench() as bench:
        last = bench.assistants.find(name).assistant
        parts = SaveAssistant.__struct_fields__
        request = SaveAssistant(**{part: getattr(last, part) for part in parts if part not in clear or part == "name"})
        for part in clear:
            if part not in parts or part in ("name", "version"):
                raise BadInput(source=part, problem=f"an assistant has {', '.join(parts[2:])}. Name one of these.")
        _say(session, bench.assistants.save(_changed(request, options)))


@assistant.command("list")
@pass_session
def list_assistants(session: Session) -> None:
    """The assistants, each as its latest version."""
    with session.workbench() as bench:
        found = bench.assistants.list()
        session.output.result(
            {"assistants": [assistant_json(state) for state in found]},
            table(
                ("assistant", "model", "prompt", "collections", "by", "saved"),
                [
                    (
                        state.assistant.reference,
                        state.assistant.model,
                        state.assistant.prompt or "-",
                        ", ".join(state.assistant.collections) or "-",
                        state.assistant.author,
                        state.assistant.saved[:16],
                    )
                    for state in found
                ],
                "There are no assistants; `assay assistant create NAME` saves one.",
            ),
        )


@assistant.command()
@click.argument("reference", metavar="NAME[@NUMBER]")
@click.option("--versions", "every", is_flag=True, help="All versions, newest first, also of one that was removed.")
@pass_session
def show(session: Session, reference: str, every: bool) -> None:
    """What an assistant is made of."""
    with session.workbench() as bench:
        if every:
            found = bench.assistants.versions(reference)
            rows = [
                (one.assistant.reference, "removed" if one.assistant.removed else "", one.assistant.author, one.digest)
                for one in found
            ]
            session.output.result(
                {"versions": [assistant_json(state) for state in found]}, table(("version", "", "by", "digest"), rows)
            )
            return
        state = bench.assistants.find(reference)
        session.output.result(assistant_json(state), _lines(state))


@assistant.command()
@click.argument("name")
@click.option("--reason", default="", help="Why; it stands in the audit log.")
@pass_session
def remove(session: Session, name: str, reason: str) -> None:
    """Take an assistant off the list. Its versions and what it answered stay."""
    with session.workbench() as bench:
        bench.assistants.remove(name, reason)
        session.output.result({"assistant": name, "removed": True}, [f"{one_line(name)} answers no more."])


def assistant_json(state: AssistantState) -> dict[str, Json]:
    """The interface's form."""
    one = state.assistant
    return {
        "assistant": one.name,
        "number": one.number,
        "digest": state.digest,
        "model": one.model,
        "model_digest": one.model_digest or None,
        "prompt": one.prompt or None,
        "prompt_digest": one.prompt_digest or None,
        "adapters": [
            {"model": use.model, "scale": use.scale, "digest": digest}
            for use, digest in zip(one.adapters, one.adapter_digests, strict=True)
        ],
        "collections": list(one.collections),
        "passages": one.passages,
        "finding": finding_json(one.finding),
        "sampling": {
            "max_tokens": one.max_tokens,
            "temperature": one.temperature,
            "top_p": one.top_p,
            "top_k": one.top_k,
            "repeat_penalty": one.repeat_penalty,
            "seed": one.seed,
        },
        "mode": one.mode,
        "trim": one.trim,
        "without_support": one.without_support,
        "fallback": one.fallback,
        "notes": one.notes,
        "values": dict(one.values),
        "removed": one.removed,
        "by": one.author,
        "saved": one.saved,
    }


def _changed(request: SaveAssistant, options: dict[str, Any]) -> SaveAssistant:
    """The request with what was given."""
    given = {name: value for name, value in options.items() if value not in (None, ())}
    if "adapters" in given:
        given["adapters"] = adapter_uses(given["adapters"])
    if "values" in given:
        given["values"] = request.values | values_of(given["values"])
    filters = {name: given.pop(name) for name in _FILTERS if name in given}
    searching = {name: given.pop(name) for name in _OF_SEARCH if name in given}
    found: Finding = replace(request.finding, filters=replace(request.finding.filters, **filters), **searching)
    return replace(request, finding=found, **given)


def _say(session: Session, state: AssistantState) -> None:
    one = state.assistant
    said = "saved" if state.created else "is so already"
    session.output.result(
        assistant_json(state) | {"created": state.created}, [f"{one.reference} {said}, digest {short(state.digest)}."]
    )


def _lines(state: AssistantState) -> list[str]:
    one = state.assistant
    lines = [f"{one.reference}, saved {one.saved} by {one.author}, digest {state.digest}"]
    lines += [f"{name.replace('_', ' ')}: {value}" for name, value in _parts(one) if value not in ("", None, [])]
    return lines


def _parts(one: Assistant) -> list[tuple[str, object]]:
    prompt = f"{one.prompt} ({short(one.prompt_digest)})" if one.prompt else "the built-in one"
    model = f"{one.model} ({short(one.model_digest)})" if one.model_digest else one.model
    filters = msgspec.to_builtins(one.finding.filters)
    return [
        ("model", model),
        ("adapters", ", ".join(f"{use.model}:{use.scale:g}" for use in one.adapters)),
        ("prompt", "" if one.model == QUOTES else prompt),
        ("collections", ", ".join(one.collections)),
        ("passages", one.passages),
        *(
            (name, ", ".join(value) if isinstance(value, list) else value)
            for name, value in filters.items()
            if name in _FILTERS
        ),
        ("mmr", one.finding.mmr if one.finding.mmr < 1 else ""),
        ("reranker", one.finding.reranker),
        *(
            (name, getattr(one, name))
            for name in ("max_tokens", "temperature", "top_p", "top_k", "repeat_penalty", "seed")
            if one.model != QUOTES
        ),
        ("mode", one.mode),
        ("when it doesn't fit", one.trim),
        ("without support", one.without_support),
        ("fallback", one_line(one.fallback)),
        ("notes", one_line(one.notes)),
    ]
