"""`assay prompt export`, `import` and `render`: prompts as files that a team keeps in version control, and what a version makes of values."""

from collections.abc import Sequence
from pathlib import Path

import click

from core.assistants.prompting import texts_as_passages, variables
from core.cli.output import table
from core.cli.session import FILE, Session, pass_session
from core.inference.records import Generate
from core.prompts.folders import Moved, read_folder, write_folder
from core.prompts.records import Given
from core.prompts.service import messages_text


def read_values(given: Sequence[str]) -> dict[str, str]:
    """`NAME=VALUE` as a dictionary."""
    found = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals or not name.strip():
            raise click.UsageError(f"--set {one}: write NAME=VALUE.")
        found[name.strip()] = value
    return found


def given_of(question: str, passages: Sequence[str], values: Sequence[str]) -> Given:
    """What a person gives on the command line to fill a prompt."""
    base = {**variables(question, texts_as_passages(tuple(passages))), "input": question, "choices": [], "metadata": {}}
    return Given(values=dict(read_values(values)), base=base)


@click.command("export")
@click.argument("folder", type=FILE)
@click.argument("names", metavar="[NAME]…", nargs=-1)
@click.option("--replace", is_flag=True, help="Write over files that hold changes which the vault doesn't have.")
@pass_session
def export(session: Session, folder: Path, names: tuple[str, ...], replace: bool) -> None:
    """Write the latest version of each prompt, or of those named, as NAME.yaml into a folder. A conflict exits with 1."""
    with session.workbench() as bench:
        _said(session, write_folder(bench.prompts, folder, names, replace))


@click.command("import")
@click.argument("folder", type=FILE)
@click.option("--take", is_flag=True, help="Keep what conflicts as the next version all the same.")
@pass_session
def import_(session: Session, folder: Path, take: bool) -> None:
    """Take in the prompts of a folder: what was changed there becomes the next version. A conflict exits with 1 and changes nothing."""
    with session.workbench() as bench:
        _said(session, read_folder(bench.prompts, folder, take))


@click.command()
@click.argument("reference", metavar="NAME[@VERSION]")
@click.option("--question", default="", help="What is asked; serves as `question` and `input`.")
@click.option("--passage", "passages", multiple=True, help="A text to ask about; may be given several times.")
@click.option("--set", "values", multiple=True, metavar="NAME=VALUE", help="The value of a variable.")
@click.option("--model", default="", help="Count the tokens for this model too.")
@pass_session
def render(
    session: Session, reference: str, question: str, passages: tuple[str, ...], values: tuple[str, ...], model: str
) -> None:
    """What a version makes of values: the messages as a model gets them. Nothing is generated."""
    given = given_of(question, passages, values)
    with session.workbench() as bench:
        state = bench.prompts.show(reference)
        messages = bench.prompts.rendered(state.prompt, given)
        seen = bench.engine.tokens(Generate(model=model, messages=messages)) if model else None
        session.output.result(
            {
                "prompt": state.prompt.reference,
                "messages": [{"role": message.role, "content": message.content} for message in messages],
                "tokens": len(seen.tokens) if seen else None,
                "window": seen.window if seen else None,
            },
            [
                messages_text(messages),
                *([f"{len(seen.tokens)} tokens of {seen.window} for {model}."] if seen else []),
            ],
        )


def _said(session: Session, found: tuple[Moved, ...]) -> None:
    session.output.result(
        {"files": [{"file": m.file, "what": m.what, "prompt": m.reference, "reason": m.reason} for m in found]},
        [
            *table(
                ("file", "what became of it", "prompt"),
                [(one.file, one.what, one.reference) for one in found],
                empty="There are no prompts. `assay prompt save NAME --file F` makes one.",
            ),
            *(f"{one.file}: {one.reason}" for one in found if one.reason),
        ],
    )
    if any(one.what == "conflict" for one in found):
        raise SystemExit(1)
