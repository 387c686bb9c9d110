"""`assay vault`: create and check."""

import click

from core.cli import policy, retention
from core.cli.session import Session, pass_session
from core.models.starter import EMBEDDER
from core.vault import tombstones
from core.vault.check import check as check_vault
from core.vault.check_erased import summary
from core.workbench import Workbench


@click.group()
def vault() -> None:
    """Create and check vaults; keep, hold and erase what is in them."""


for command in (*retention.COMMANDS, policy.policy):
    vault.add_command(command)


@vault.command()
@click.argument("folder", metavar="DIR")
@click.option("--name", default="", help="The person's printed name, as it stands on signatures.")
@pass_session
def create(session: Session, folder: str, name: str) -> None:
    """Create an encrypted vault; --user becomes its first administrator and author."""
    opened = Session(folder, session.user, session.output.json_wanted)
    passphrase = session.passphrase(f"New passphrase of {session.user}", confirm=True)
    with Workbench.create(opened.folder, session.user, name or session.user, passphrase) as bench:
        models = [model.name for model in bench.models.list()]
        session.output.result(
            {"vault": str(opened.folder), "user": session.user, "models": models},
            [
                f"Created {opened.folder} for {session.user}, who is admin and author.",
                f"It knows the models {', '.join(models)}, and the mode quotes."
                if models
                else "It knows no model yet; the starter models aren't installed.",
                *(
                    []
                    if EMBEDDER in models
                    else [f"Without {EMBEDDER} no documents can be added: set-up builds its file."]
                ),
                "Nobody approves their own work: add a second person with `assay user add NAME --role reviewer`.",
            ],
        )


@vault.command()
@pass_session
def check(session: Session) -> None:
    """Check the whole vault: cipher, digests, signatures, log. Exit code 1 when something is wrong."""
    with session.workbench() as bench:
        findings = check_vault(bench.vault, session.output.job("Checking"))
        with bench.vault.read() as reader:
            erased, told = tombstones.count(reader.db), summary(reader)
        session.output.result(
            {
                "findings": [{"what": f.what, "where": f.where, "step": f.step} for f in findings],
                "erased": erased,
            },
            [
                *([f"{f.where}: {f.what} {f.step}" for f in findings] or ["The vault is whole."]),
                *([told] if told else []),
            ],
        )
    if findings:
        raise SystemExit(1)
