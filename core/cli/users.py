"""`assay user`: the people of a vault and their cards."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
import msgspec

from core.cli.output import short, table
from core.cli.session import FILE, Session, ask_passphrase, pass_session, read_passphrase
from core.cli.signing import countersigning
from core.errors import NotFound
from core.paths import write_whole
from core.trust.cards import fingerprint, grouped, open_card
from core.vault import people, recovery, users
from core.vault.records import User
from core.vault.roles import Role
from core.vault.rotation import Step
from core.vault.signing import Signer
from core.workbench import Workbench


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
    text = _card_text(user_name, name or user_name, roles, "with new signing keys")
    with session.workbench() as bench, countersigning(session, bench, user_name, text) as signer:
        passphrase = _new_passphrase(user_name, passphrase_file)
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
        known = bench.vault.users()
        session.output.result(
            {
                "users": [
                    {"user": p.user, "name": p.name, "roles": sorted(p.roles), "card": p.card, "active": p.active}
                    for p in known
                ]
            },
            table(
                ("user", "name", "roles", "card", ""),
                [
                    (p.user, p.name, ", ".join(sorted(p.roles)), short(p.card), "" if p.active else "revoked")
                    for p in known
                ],
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


@user.command()
@click.argument("user_name", metavar="NAME")
@click.option("--reason", required=True, help="Why; it stands in the audit log and in trust files.")
@pass_session
def revoke(session: Session, user_name: str, reason: str) -> None:
    """Shut a person out: the vault gets another key, and their card ends. What they signed before stays provable."""
    text = f"The card of {user_name} ends now. The vault gets another key."
    with session.workbench() as bench, countersigning(session, bench, user_name, text, reason) as signer:

        def tell(step: Step) -> None:
            if step is Step.PENDING:
                session.output.say("Encrypting the vault anew.")

        revoked = people.revoke(bench.vault, signer, user_name, reason, tell)
        knew_words = recovery.exists(bench.vault) and Role.ADMIN in _known(bench, user_name).roles
        session.output.result(
            {
                "user": revoked.user,
                "card": revoked.card,
                "revoked": revoked.time,
                "entries": revoked.entries,
                "epoch": revoked.epoch,
            },
            [
                f"Revoked {revoked.user}. The vault has another key; everybody else gets in as before.",
                f"Copies of the vault and backups from before stay readable to {revoked.user}, who could read them then.",
                "Give auditors a new trust file: `assay pack trust -o FILE`.",
                *(
                    [
                        f"{revoked.user} was an administrator: if they knew the recovery key, replace it with `assay vault recovery`."
                    ]
                    if knew_words
                    else []
                ),
            ],
        )


@user.command()
@click.argument("user_name", metavar="NAME")
@click.option("--reason", default="", help="Why; it stands in the audit log.")
@click.option("--passphrase-file", type=FILE, help="Holds the person's new passphrase.")
@pass_session
def reset(session: Session, user_name: str, reason: str, passphrase_file: Path | None) -> None:
    """Give a person who lost their passphrase a new one, with new signing keys and a new card. Brings back who was revoked."""
    with session.workbench() as bench, _changing(session, bench, user_name, "with new signing keys", reason) as signer:
        passphrase = _new_passphrase(user_name, passphrase_file)
        again = people.reset(bench.vault, signer, user_name, passphrase, reason)
        session.output.result(
            _card_json(bench, again),
            [
                f"{again.name} ({again.user}) has a new passphrase, new signing keys and the card {short(again.card)}.",
                f"They should change the passphrase themselves: `assay --user {again.user} user passphrase`.",
                "Where somebody else may know the old passphrase and have an old copy of the vault, change the vault's key: `assay vault rekey`.",
            ],
        )


@user.command()
@click.option("--passphrase-file", type=FILE, help="Holds your new passphrase.")
@pass_session
def passphrase(session: Session, passphrase_file: Path | None) -> None:
    """Change your own passphrase, for opening and for signing at once. Your signing keys and your card stay."""
    with session.workbench() as bench:
        name = bench.vault.user.user
        old = session.passphrase(f"Present passphrase of {name}")
        people.change_passphrase(bench.vault, old, _new_passphrase(name, passphrase_file))
        with bench.vault.read() as reader:
            changed = users.passphrase_changed(reader.db, name)
        session.output.result(
            {"user": name, "changed": changed},
            [
                f"The passphrase of {name} is changed, for opening and for signing.",
                "An old copy of the vault still opens with the old one.",
            ],
        )


@user.command()
@click.argument("user_name", metavar="NAME")
@click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice([role.value for role in Role]),
    help="What they may do from now on; give it again for more roles.",
)
@click.option("--reason", default="", help="Why; it stands in the audit log.")
@pass_session
def roles(session: Session, user_name: str, roles: tuple[str, ...], reason: str) -> None:
    """Give a person other roles, on a new card."""
    with (
        session.workbench() as bench,
        _changing(session, bench, user_name, "with the same keys", reason, roles) as signer,
    ):
        changed = people.change_roles(bench.vault, signer, user_name, roles, reason)
        session.output.result(
            _card_json(bench, changed),
            [f"{changed.name} ({changed.user}) is now {', '.join(sorted(changed.roles))}.", _card_line(bench, changed)],
        )


@user.command()
@click.argument("user_name", metavar="NAME")
@pass_session
def renew(session: Session, user_name: str) -> None:
    """Give a person a card that is valid from now on, for the same keys and roles."""
    with (
        session.workbench() as bench,
        _changing(session, bench, user_name, "valid from now on, with the same keys") as signer,
    ):
        renewed = people.renew(bench.vault, signer, user_name)
        session.output.result(_card_json(bench, renewed), [_card_line(bench, renewed)])


def _new_passphrase(user_name: str, file: Path | None) -> str:
    if file:
        return read_passphrase(file)
    return ask_passphrase(f"New passphrase of {user_name}", confirm=True, step="Give --passphrase-file FILE.")


@contextmanager
def _changing(
    session: Session, bench: Workbench, user_name: str, keys: str, reason: str = "", roles: Sequence[str] = ()
) -> Iterator[Signer]:
    """The administrator's keys, after the new card was shown. An unknown person is the operation's to refuse."""
    known = next((person for person in bench.vault.users() if person.user == user_name), None)
    held = () if known is None else tuple(sorted(known.roles))
    text = _card_text(user_name, user_name if known is None else known.name, tuple(roles) or held, keys)
    with countersigning(session, bench, user_name, text, reason) as signer:
        yield signer


def _card_text(user_name: str, name: str, roles: Sequence[str], keys: str) -> str:
    """What a card says, as the administrator reads it."""
    return f"A card of {name} ({user_name}), {keys}.\nRoles: {', '.join(sorted(roles)) or 'none'}."


def _known(bench: Workbench, user_name: str) -> User:
    return next(person for person in bench.vault.users() if person.user == user_name)


def _waits(bench: Workbench, person: User) -> bool:
    with bench.vault.read() as reader:
        return users.offer(reader.db, person.user) is not None


def _card_json(bench: Workbench, person: User) -> dict[str, object]:
    return {
        "user": person.user,
        "name": person.name,
        "roles": sorted(person.roles),
        "card": person.card,
        "waits": _waits(bench, person),
    }


def _card_line(bench: Workbench, person: User) -> str:
    if _waits(bench, person):
        return f"The new card is whole when {person.user} next signs: nobody else has their keys."
    return f"The card is {short(person.card)}. Give auditors a new trust file: `assay pack trust -o FILE`."
