"""The command line: it parses, calls one operation, and prints. Exit codes: 0 done; 1 the answer is no; 2 usage; from 3 on, see `core.errors`.

Global options (`--vault`, `--user`, `--json`) are accepted anywhere on the line. Whatever isn't foreseen is said in one sentence too, by its
kind and its place in the code, never with the content that was worked on; ASSAY_TRACEBACK=1 shows the whole trace.
"""

import errno
import io
import os
import socket
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import click

from core import egress
from core.cli import (
    addons,
    assistants,
    audit,
    datasets,
    demo,
    doctor,
    documents,
    evals,
    models,
    packs,
    prompts,
    serve,
    training,
    users,
    vaults,
)
from core.cli.console import Console
from core.cli.here import Here
from core.cli.output import visible
from core.cli.session import Session
from core.cli.sharing import Listener
from core.errors import AssayError, Cancelled, DiskFull, Unavailable
from core.installation import files
from core.workbench import Workbench

GLOBAL_VALUES = ("--vault", "--user")
GLOBAL_FLAGS = ("--json",)
LOCKED = Unavailable(
    what="The vault was locked in the Assay that has it open",
    step="What was recorded until then is kept. Open it there again, or run the command again.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog="`assay app` opens the window.")
@click.version_option(package_name="assay-workbench", prog_name="assay")
@click.option("--vault", metavar="DIR", help="The vault to work in; ASSAY_VAULT where it isn't given.")
@click.option("--user", metavar="NAME", help="Who works; ASSAY_USER where it isn't given.")
@click.option("--json", "json_wanted", is_flag=True, help="Print one JSON document.")
@click.pass_context
def assay(context: click.Context, vault: str | None, user: str | None, json_wanted: bool) -> None:
    """Run, evaluate and sign the use of language models on one machine, without a network."""
    console = context.obj if context.obj is not None else Here()
    context.obj = Session(vault, user, json_wanted, console)


for command in (
    demo.demo,
    vaults.vault,
    users.user,
    models.model,
    documents.documents,
    documents.ask,
    assistants.assistant,
    prompts.prompt,
    datasets.dataset,
    evals.evaluation,
    training.train,
    packs.pack,
    audit.audit,
    serve.serve,
    serve.token,
    doctor.doctor,
    addons.addon,
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
    given = tuple(sys.argv[1:] if arguments is None else arguments)
    listening = _listening(given)
    egress.raise_barrier("unix")
    if "_ASSAY_COMPLETE" in os.environ:
        assay.main(given, prog_name="assay")
    here = Here(given, execute, listening)
    if said := " ".join(files.warning()).strip():
        here.err(visible(said) + "\n")
    sys.exit(execute(here, given, raising=bool(os.environ.get("ASSAY_TRACEBACK"))))


def _listening(arguments: Sequence[str]) -> socket.socket | AssayError | None:
    """The API's socket, which can't be made any more once the barrier is up; None unless the command is the one that serves."""
    try:
        with assay.make_context("assay", reordered(arguments), resilient_parsing=True) as context:
            name, *rest = (*context._protected_args, *context.args, "")
    except click.ClickException:
        return None  # said when the command runs
    return serve.listening_for(name, rest[:-1])


def execute(console: Console, arguments: Sequence[str], raising: bool = False) -> int:
    """Run one command for a console; its exit code. Whatever is raised is said there in one sentence; `raising` lets faults through."""

    def say(sentence: str) -> None:
        console.err(visible(sentence) + "\n")

    try:
        with assay.make_context("assay", reordered(arguments), obj=console) as context:
            assay.invoke(context)
        return 0
    except click.exceptions.Exit as left:
        return left.exit_code
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else int(left.code is not None)
    except AssayError as error:
        say(str(error))
        return error.exit_code
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        console.err(shown.getvalue())
        return 2
    except (click.Abort, KeyboardInterrupt):
        console.err("\n" if console.draws else "")  # behind what the terminal shows of Ctrl-C
        say("Stopped. What was recorded until then is kept.")
        return Cancelled.exit_code
    except BrokenPipeError:
        console.broken()
        return 0
    except OSError as error:
        console.broken()
        known = from_system(error)
        say(str(known))
        return known.exit_code
    except Exception as error:
        if raising:
            raise
        say(unforeseen(error))
        return AssayError.exit_code


def share(bench: Workbench) -> Listener | None:
    """Let this user's other processes work in an open workbench until it is closed; None where the system can't do that."""
    try:
        listener = Listener(bench, execute)
    except Unavailable:
        return None
    bench.before_closing(lambda: listener.stop(LOCKED))
    return listener


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
