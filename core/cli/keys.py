"""`assay vault rekey`, `recovery`, `recover`, `remember` and `forget`: the vault's key, and ways in beside the passphrase."""

from pathlib import Path

import click

from core.cli.output import short
from core.cli.session import FILE, Session, ask_passphrase, pass_session, read_passphrase
from core.errors import BadInput
from core.vault import keyring, recovery, rotation
from core.vault.rotation import Step
from core.workbench import SCHEMA

A_LINE = 4
"""Words of a recovery key on a line."""
LARGEST = 4096
"""Bytes of a file that holds a recovery key."""


@click.command()
@click.option("--reason", default="", help="Why; it stands in the audit log.")
@pass_session
def rekey(session: Session, reason: str) -> None:
    """Encrypt the vault anew under another key. Nobody else has to be there, and passphrases stay."""
    with session.workbench() as bench, session.signer(bench):

        def tell(step: Step) -> None:
            if step is Step.PENDING:
                session.output.say("Encrypting the vault anew.")

        epoch = rotation.rotate(bench.vault, reason, tell)
        session.output.result(
            {"epoch": epoch},
            [
                f"The vault has another key, the {epoch}. one. Everybody gets in as before.",
                "Copies and backups from before stay readable with the old one.",
            ],
        )


@click.command("recovery")
@pass_session
def make_recovery(session: Session) -> None:
    """Make the recovery key and show it, once. It takes the place of an earlier one."""
    with session.workbench() as bench, session.signer(bench) as signer:
        words = recovery.make(bench.vault, signer)
        numbered = [f"{place + 1:2} {word}" for place, word in enumerate(words)]
        session.output.result(
            {"words": list(words)},
            [
                "Write these 16 words down and keep them locked away. They are shown this once; an earlier recovery key no longer works.",
                "",
                *(f"  {'   '.join(numbered[start : start + A_LINE])}" for start in range(0, len(numbered), A_LINE)),
                "",
                "With them, `assay vault recover DIR --user ADMIN` gives an administrator a new passphrase.",
            ],
        )


@click.command()
@click.argument("folder", metavar="DIR", type=FILE)
@click.option("--passphrase-file", type=FILE, help="Holds the administrator's new passphrase.")
@click.option(
    "--words-file",
    type=FILE,
    envvar="ASSAY_RECOVERY_FILE",
    help="Holds the recovery key's words; ASSAY_RECOVERY_FILE where it isn't given.",
)
@pass_session
def recover(session: Session, folder: Path, passphrase_file: Path | None, words_file: Path | None) -> None:
    """Open a vault with its recovery key, and give the administrator --user a new passphrase, new signing keys and a new card.

    The words are read from --words-file, or asked for on a terminal.
    """
    user = session.user
    words = recovery_words(words_file)
    passphrase = (
        read_passphrase(passphrase_file)
        if passphrase_file
        else ask_passphrase(f"New passphrase of {user}", confirm=True, step="Give --passphrase-file FILE.")
    )
    recovered = recovery.recover(folder, words, user, passphrase, SCHEMA)
    session.output.result(
        {"user": recovered.user, "name": recovered.name, "roles": sorted(recovered.roles), "card": recovered.card},
        [
            f"{recovered.name} ({recovered.user}) has a new passphrase, new signing keys and the card {short(recovered.card)}.",
            f"Nobody countersigned that card: auditors compare its fingerprint again. `assay user card {recovered.user}` shows it.",
            "Make a new recovery key now, since these words were used: `assay vault recovery`.",
        ],
    )


@click.command()
@pass_session
def remember(session: Session) -> None:
    """Have the system's keyring open the vault for --user from now on. Signing still asks for the passphrase."""
    system = keyring.SystemKeyring()
    keyring.remember(session.folder, session.user, session.passphrase(f"Passphrase of {session.user}"), system)
    session.output.result(
        {"vault": str(session.folder), "user": session.user, "remembered": True},
        [
            f"The system's keyring opens {session.folder} for {session.user} from now on; signing still asks for the passphrase.",
            "Whoever sits at this desktop while you are logged in gets in too. `assay vault forget` ends it, and so does another passphrase.",
        ],
    )


@click.command()
@pass_session
def forget(session: Session) -> None:
    """Have the system's keyring forget what opens the vault for --user."""
    keyring.forget(session.folder, session.user, keyring.SystemKeyring())
    session.output.result(
        {"vault": str(session.folder), "user": session.user, "remembered": False},
        [f"The system's keyring has nothing that opens {session.folder} for {session.user}."],
    )


def recovery_words(file: Path | None) -> str:
    """The recovery key as its owner wrote it down, from a file or their terminal. Raises `BadInput`, `Unavailable`."""
    if file is None:
        return ask_passphrase("Recovery key, all 16 words", step="Set ASSAY_RECOVERY_FILE, or give --words-file FILE.")
    try:
        with file.open(encoding="utf-8") as lines:
            return lines.read(LARGEST)
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            source=str(file), problem="the file with the recovery key can't be read. Check that it is there."
        ) from error


COMMANDS = (rekey, make_recovery, recover, remember, forget)
