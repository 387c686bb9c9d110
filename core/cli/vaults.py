"""`assay vault`: create, check, back up, restore and compact."""

from pathlib import Path

import click
from click.core import ParameterSource

from core.cli import keys, policy, retention
from core.cli.session import FILE, Session, pass_session
from core.models.starter import EMBEDDER
from core.vault import tombstones
from core.vault.backup import backup as back_up_vault
from core.vault.check import check as check_vault
from core.vault.check_erased import summary
from core.vault.compact import compact as compact_vault
from core.vault.restore import restore as restore_vault
from core.vault.restore import with_passphrase, with_words
from core.workbench import SCHEMA, Workbench


@click.group()
def vault() -> None:
    """Create, check, back up and restore vaults; keep, hold and erase what is in them."""


for command in (*retention.COMMANDS, *keys.COMMANDS, policy.policy):
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
                "Make a recovery key with `assay vault recovery`: without one, a lost passphrase of the only administrator loses the vault.",
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


@vault.command()
@click.argument("file", type=FILE)
@pass_session
def backup(session: Session, file: Path) -> None:
    """Write the whole vault into one encrypted file, which opens with the passphrases of today. The vault stays in use meanwhile."""
    with session.workbench() as bench:
        made = back_up_vault(bench.vault, file, session.output.job("Backing up"))
        session.output.result(
            {"backup": session.as_given(file), "sha256": made.sha256, "size": made.size, "entries": made.entries},
            [
                f"Backed up to {session.as_given(file)}: {made.size:,} bytes, SHA-256 {made.sha256}.",
                f"It holds the state of {made.made}. Keep it on another disk, and try now and then that it restores.",
            ],
        )


@vault.command()
@click.argument("file", type=FILE)
@click.argument("folder", metavar="DIR", type=FILE)
@click.option("--despite-findings", is_flag=True, help="Restore even if the vault had faults when it was backed up.")
@click.option(
    "--recovery", "by_words", is_flag=True, help="Open it with the recovery key of its day, not a passphrase."
)
@click.option(
    "--words-file",
    type=FILE,
    envvar="ASSAY_RECOVERY_FILE",
    help="Holds the recovery key's words, for --recovery; ASSAY_RECOVERY_FILE where it isn't given.",
)
@click.pass_context
def restore(
    context: click.Context, file: Path, folder: Path, despite_findings: bool, by_words: bool, words_file: Path | None
) -> None:
    """Make the vault DIR from a backup, with the passphrase that --user had when it was made, or with the recovery key of then.

    It appears checked, or not at all. The words of the recovery key are read from --words-file, or asked for on a terminal; they need
    no --user.
    """
    session = context.ensure_object(Session)
    by_words = by_words or context.get_parameter_source("words_file") is ParameterSource.COMMANDLINE
    if by_words:
        unlock = with_words(file, keys.recovery_words(words_file))
    else:
        unlock = with_passphrase(
            file, session.user, session.passphrase(f"Passphrase of {session.user} at the time of the backup")
        )
    done = restore_vault(file, folder, unlock, SCHEMA, session.output.job("Restoring"), despite_findings)
    session.output.result(
        {"vault": session.as_given(folder), "made": done.made, "entries": done.entries, "sha256": done.backup},
        [
            f"Restored {session.as_given(folder)}: the state of {done.made}, with {done.entries} entries in its log.",
            "The log puts the restoration to whoever opens it first: best an administrator, whom no warning greets then.",
            *(
                [
                    f"Give an administrator a new passphrase: `assay vault recover {session.as_given(folder)} --user ADMIN`."
                ]
                if by_words
                else []
            ),
        ],
    )


@vault.command()
@pass_session
def compact(session: Session) -> None:
    """Free the room of what was erased, and leave nothing of it in the file. Nobody else works in the vault meanwhile."""
    with session.workbench() as bench:
        done = compact_vault(bench.vault, session.output.job("Compacting"))
        session.output.result(
            {"before": done.before, "after": done.after},
            [f"The vault took {done.before:,} bytes and takes {done.after:,} now."],
        )
