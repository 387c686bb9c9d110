"""The command line: it parses, calls one operation, and prints. Exit codes: 0 done; 1 the answer is no; 2 usage; from 3 on, see `core.errors`.

Global options (`--vault`, `--user`, `--json`) are accepted anywhere on the line.
"""

import sys
from collections.abc import Sequence

import click

from core import egress
from core.cli import datasets, demo, documents, evals, models, packs, prompts, users, vaults
from core.cli.session import Session
from core.errors import AssayError

GLOBAL_VALUES = ("--vault", "--user")
GLOBAL_FLAGS = ("--json",)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
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
    vaults.audit,
):
    assay.add_command(command)


def reordered(arguments: Sequence[str]) -> list[str]:
    """The same arguments with the global options in front, wherever they stood before `--`."""
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
        elif argument in GLOBAL_VALUES and waiting:
            front += [argument, waiting.pop(0)]
        elif argument.startswith(tuple(f"{name}=" for name in GLOBAL_VALUES)):
            front.append(argument)
        else:
            rest.append(argument)
    return front + rest


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and leave with its exit code."""
    given = reordered(sys.argv[1:] if arguments is None else arguments)
    egress.harden()
    egress.raise_barrier("unix")
    try:
        sys.exit(assay.main(args=given, prog_name="assay", standalone_mode=False) or 0)
    except AssayError as error:
        click.echo(str(error), err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
