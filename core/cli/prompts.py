"""`assay prompt`: versions, differences, signatures, labels."""

from pathlib import Path

import click

from core.cli.output import short, table
from core.cli.prompt_files import export, given_of, import_, render
from core.cli.prompt_library import library
from core.cli.session import FILE, Session, pass_session
from core.cli.signing import signing
from core.prompts.files import fingerprint, read_prompt
from core.prompts.records import DiffPart, PromptState, SignPrompt
from core.prompts.service import as_text, content, signing_text
from core.records import Json, Record
from core.trust.canonical import builtins


@click.group()
def prompt() -> None:
    """Prompts and their versions."""


for _command in (export, import_, render, library):
    prompt.add_command(_command)


@prompt.command()
@click.argument("name")
@click.option("--file", "file", required=True, type=FILE, help="YAML with messages, or a plain text.")
@pass_session
def save(session: Session, name: str, file: Path) -> None:
    """Keep a new version of a prompt."""
    with session.workbench() as bench:
        saved = bench.prompts.save(read_prompt(file, name))
        state = "Saved" if saved.created else "Unchanged:"
        session.output.result(
            {"prompt": saved.prompt.reference, "digest": saved.digest, "created": saved.created},
            [f"{state} {saved.prompt.reference}, digest {short(saved.digest)}."],
        )


@prompt.command("list")
@pass_session
def list_prompts(session: Session) -> None:
    """The latest version of each prompt."""
    with session.workbench() as bench:
        _print_states(session, bench.prompts.list())


@prompt.command()
@click.argument("reference", metavar="NAME[@VERSION]")
@pass_session
def show(session: Session, reference: str) -> None:
    """A version's exact text, its labels and who signed it."""
    with session.workbench() as bench:
        state = bench.prompts.show(reference)
        session.output.result(
            {
                **_json(state),
                "messages": [{"role": m.role, "content": m.content} for m in state.prompt.messages],
                "variables": [_plain(variable) for variable in state.prompt.declared],
                "contract": _plain(state.prompt.promised),
                "settings": _plain(state.prompt.sampling),
                "fingerprint": fingerprint(content(state.prompt)),
            },
            [as_text(state.prompt), "", *(_signed_lines(state) or ["Nobody has signed this version."])],
        )


@prompt.command()
@click.argument("name")
@pass_session
def versions(session: Session, name: str) -> None:
    """All versions of a prompt, newest first."""
    with session.workbench() as bench:
        _print_states(session, bench.prompts.versions(name))


@prompt.command()
@click.argument("old", metavar="NAME@V")
@click.argument("new", metavar="NAME@W")
@click.option("--rendered", is_flag=True, help="Compare what both make of the same values.")
@click.option("--question", default="", help="With --rendered: what is asked.")
@click.option("--passage", "passages", multiple=True, help="With --rendered: a text to ask about.")
@click.option("--set", "values", multiple=True, metavar="NAME=VALUE", help="With --rendered: a variable's value.")
@pass_session
def diff(
    session: Session,
    old: str,
    new: str,
    rendered: bool,
    question: str,
    passages: tuple[str, ...],
    values: tuple[str, ...],
) -> None:
    """What changed, word by word: [-removed-] {+added+}."""
    given = given_of(question, passages, values)
    with session.workbench() as bench:
        parts = bench.prompts.diff_rendered(old, new, given) if rendered else bench.prompts.diff(old, new)
        session.output.result(
            {"old": old, "new": new, "parts": [{"kind": p.kind, "text": p.text} for p in parts]},
            ["".join(_marked(part) for part in parts)],
        )


@prompt.command()
@click.argument("reference", metavar="NAME@V")
@click.option(
    "--meaning",
    type=click.Choice(["authored", "reviewed", "approved"]),
    required=True,
    help="What you stand for with your name.",
)
@click.option("--reason", default="", help="Why, in your own words; it is part of what is signed.")
@pass_session
def sign(session: Session, reference: str, meaning: str, reason: str) -> None:
    """Sign a version's exact content. The passphrase is asked for again."""
    _sign(session, reference, meaning, reason)


@prompt.command()
@click.argument("reference", metavar="NAME@V")
@click.option("--reason", default="", help="Why, in your own words; it is part of what is signed.")
@pass_session
def approve(session: Session, reference: str, reason: str) -> None:
    """Sign as approved, which moves the label `approved` when the policy's signatures are there. Nobody approves their own work."""
    _sign(session, reference, "approved", reason)


@prompt.command()
@click.argument("reference", metavar="NAME@V")
@click.argument("label")
@click.option("--reason", default="", help="Why, in your own words; it stands in the audit log.")
@pass_session
def label(session: Session, reference: str, label: str, reason: str) -> None:
    """Point a label at a version, once the signatures that the vault's policy asks for are there."""
    with session.workbench() as bench:
        state = bench.prompts.label(reference, label, reason)
        session.output.result(_json(state), [f"{label} is now {state.prompt.reference}."])


def _sign(session: Session, reference: str, meaning: str, reason: str) -> None:
    with session.workbench() as bench:
        state = bench.prompts.show(reference)
        name, text = state.prompt.reference, signing_text(state.prompt)
        request = SignPrompt(reference=name, meaning=meaning, reason=reason)  # type: ignore[arg-type]
        with signing(session, bench, name, state.digest, text, meaning, reason) as signer:
            signature = bench.prompts.sign(request, signer)
        held = bench.prompts.held_back(name) if meaning == "approved" else ""
        session.output.result(
            {
                "prompt": state.prompt.reference,
                "meaning": signature.meaning,
                "name": signature.name,
                "time": signature.time,
                "digest": state.digest,
            },
            [
                f"Signed {state.prompt.reference} as {meaning}: {signature.name}, {signature.time}.",
                *([f"It is not labelled approved: {held}"] if held else []),
            ],
        )


def _print_states(session: Session, states: tuple[PromptState, ...]) -> None:
    session.output.result(
        {"prompts": [_json(state) for state in states]},
        table(
            ("prompt", "author", "saved", "labels", "signed"),
            [
                (
                    s.prompt.reference,
                    s.prompt.author,
                    s.prompt.saved,
                    ", ".join(s.labels),
                    ", ".join(meaning for meaning, _ in s.signed),
                )
                for s in states
            ],
            empty="There are no prompts. `assay prompt save NAME --file F` makes one.",
        ),
    )


def _json(state: PromptState) -> dict[str, Json]:
    return {
        "prompt": state.prompt.reference,
        "digest": state.digest,
        "author": state.prompt.author,
        "saved": state.prompt.saved,
        "notes": state.prompt.notes,
        "labels": list(state.labels),
        "signed": [{"meaning": meaning, "name": name} for meaning, name in state.signed],
    }


def _plain(record: Record) -> dict[str, Json]:
    return {
        name: value for name, value in builtins(record).items() if name != "version" and value not in (None, (), [])
    }


def _signed_lines(state: PromptState) -> list[str]:
    return [f"Signed as {meaning} by {name}" for meaning, name in state.signed]


def _marked(part: DiffPart) -> str:
    return {"same": part.text, "removed": f"[-{part.text}-]", "added": f"{{+{part.text}+}}"}[part.kind]
