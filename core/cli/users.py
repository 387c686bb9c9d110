"""`assay user`: the people of a vault and their cards."""

from pathlib import Path

import click
import msgspec

from core.cli.output import short, table
from core.cli.session import FILE, Session, ask_passphrase, pass_session, read_passphrase
from core.errors import NotFound
from core.paths import write_whole
from core.trust.cards import fingerprint, grouped, open_card
from core.vault.roles import Role


@click.group()
def user() -> None:
    """The people of a vault."""


@user.command()
@click.argument("user_name", metavar="NAME")
@click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice([role.value for role in Role]),
    help="What they may do; give it again for more roles.",
)
@click.option("--name", default="", help="The person's printed name, as it stands on signatures.")
@click.option("--passphrase-file", type=FILE, help="Holds the new person's passphrase.")
@pass_session
def add(session: Session, user_name: str, roles: tuple[str, ...], name: str, passphrase_file: Path | None) -> None:
    """Add a person; an administrator's signature stands on their card."""
    with session.workbench() as bench, session.signer(bench) as signer:
        if passphrase_file:
            passphrase = read_passphrase(passphrase_file)
        else:
            passphrase = ask_passphrase(
                f"New passphrase of {user_name}", confirm=True, step="Give --passphrase-file FILE."
            )
        added = bench.vault.add_user(signer, user_name, name or user_name, roles, passphrase)
        session.output.result(
            {"user": added.user, "name": added.name, "roles": sorted(added.roles), "card": added.card},
            [f"Added {added.name} ({added.user}): {', '.join(sorted(added.roles))}. Card {short(added.card)}."],
        )


@user.command("list")
@pass_session
def list_users(session: Session) -> None:
    """Who is in the vault."""
    with session.workbench() as bench:
        people = bench.vault.users()
        session.output.result(
            {"users": [{"user": p.user, "name": p.name, "roles": sorted(p.roles), "card": p.card} for p in people]},
            table(
                ("user", "name", "roles", "card"),
                [(p.user, p.name, ", ".join(sorted(p.roles)), short(p.card)) for p in people],
            ),
        )


@user.command()
@click.argument("user_name", metavar="NAME")
@click.option("-o", "out", type=FILE, help="Write the card to a file for an auditor.")
@pass_session
def card(session: Session, user_name: str, out: Path | None) -> None:
    """Show a person's card: roles, how long it is valid, public keys, and the fingerprint that an auditor compares and pins."""
    with session.workbench() as bench:
        person = next((p for p in bench.vault.users() if p.user == user_name), None)
        if person is None:
            raise NotFound(kind="user", name=user_name, step="`assay user list` shows who there is.")
        signed = next(c for c in bench.vault.cards() if fingerprint(c) == person.card)
        said = open_card(signed)
        ended = bench.vault.trust_file().revocation(person.card)
        groups = grouped(person.card)
        if out:
            write_whole(out, msgspec.json.format(msgspec.json.encode(signed)), private=False)
        session.output.result(
            {
                "user": person.user,
                "fingerprint": person.card,
                "card": msgspec.to_builtins(signed),
                "groups": groups,
                "valid_from": said.valid_from,
                "valid_until": said.valid_until,
                "revoked": ended.time if ended else None,
            },
            [
                f"{said.name} ({said.user}): {', '.join(sorted(said.roles))}",
                f"Valid from {said.valid_from} to {said.valid_until}"
                + (f"; revoked on {ended.time}: {ended.reason}" if ended else ""),
                "Fingerprint, to read aloud:",
                *(f"  {groups[start : start + 39]}" for start in range(0, len(groups), 40)),
            ],
        )
