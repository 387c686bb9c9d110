"""The command line: it parses, calls one operation, and prints. Exit codes: 0 done; 1 the answer is no; 2 usage; from 3 on, see `core.errors`.

Global options (`--vault`, `--user`, `--json`) are accepted anywhere on the line. Whatever isn't foreseen is said in one sentence too, by its
kind and its place in the code, never with the content that was worked on; ASSAY_TRACEBACK=1 shows the whole trace.
"""

import errno
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import click

from core import egress
from core.cli import audit, datasets, demo, documents, evals, models, packs, prompts, users, vaults
from core.cli.output import visible
from core.cli.session import Session
from core.errors import AssayError, Cancelled, DiskFull, Unavailable

GLOBAL_VALUES = ("--vault", "--user")
GLOBAL_FLAGS = ("--json",)


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog="`assay app` opens the window.")
@click.version_option(package_name="assay-workbench", prog_name="assay")
@click.option("--vault", metavar="DIR", help="The vault to work in; ASSAY_VAULT where it isn't given.")
@click.option("--user", metavar="NAME", help="Who works; ASSAY_USER where it isn't given.")
@click.option("--json", "json_wanted", is_flag=True, help="Print one JSON document.")
@click.pass_context
def assay(context: click.Context, vault: str | None, user: str | None, json_wanted: bool) -> None:
    """Run, evaluate and sign the use of language models on one machine, without a network."""
    context.obj = Session(vault, user, json_wanted)


for command in (
    demo.demo,
    vaults.vault,
    users.user,
    models.model,
    documents.documents,
    documents.ask,
    prompts.prompt,
    datasets.dataset,
    evals.evaluation,
    packs.pack,
    audit.audit,
):
    assay.add_command(command)


def reordered(arguments: Sequence[str]) -> list[str]:
    """The same arguments with the global options in front, wherever they stood before `--`. Raises `click.UsageError`."""
    front: list[str] = []
    rest: list[str] = []
    waiting = list(arguments)
    while waiting:
        argument = waiting.pop(0)
        if argument == "--":
            rest += [argument, *waiting]
            break
        if argument in GLOBAL_FLAGS:
            front.append(argument)
        elif argument in GLOBAL_VALUES:
            if not waiting:
                raise click.UsageError(f"Option '{argument}' requires an argument.")
            front += [argument, waiting.pop(0)]
        elif argument.startswith(tuple(f"{name}=" for name in GLOBAL_VALUES)):
            front.append(argument)
        else:
            rest.append(argument)
    return front + rest


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and leave with its exit code."""
    egress.harden()
    egress.raise_barrier("unix")
    try:
        given = reordered(sys.argv[1:] if arguments is None else arguments)
        sys.exit(assay.main(args=given, prog_name="assay", standalone_mode=False) or 0)
    except AssayError as error:
        click.echo(visible(str(error)), err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped. What was recorded until then is kept.", err=True)
        sys.exit(Cancelled.exit_code)
    except BrokenPipeError:
        _drop_output()
        sys.exit(0)
    except OSError as error:
        _drop_output()
        known = from_system(error)
        click.echo(visible(str(known)), err=True)
        sys.exit(known.exit_code)
    except Exception as error:
        if os.environ.get("ASSAY_TRACEBACK"):
            raise
        click.echo(unforeseen(error), err=True)
        sys.exit(AssayError.exit_code)


def from_system(error: OSError) -> AssayError:
    """What the system refused, as a sentence: a full disk, or a file that can't be read or written."""
    where = str(error.filename) if error.filename else "The output"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(path=where)
    reason = os.strerror(error.errno) if error.errno else "the system refused it"
    return Unavailable(what=f"{where}: {reason}", step="Check that it is there and that you may read and write it.")


def unforeseen(error: Exception) -> str:
    """A bug's kind and place. Its message stays out: it may quote confidential content."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    return (
        f"A fault of Assay's own: {type(error).__name__}{place}. What was recorded until then is kept; "
        "please report it (ASSAY_TRACEBACK=1 shows more)."
    )


def _drop_output() -> None:
    """Nobody takes standard output any more: point it at nothing, so that the interpreter can leave quietly."""
    with Path(os.devnull).open("wb") as nothing:
        os.dup2(nothing.fileno(), sys.stdout.fileno())
