"""The people of the open vault, as pages ask for them. Runs off the UI thread."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.paths import write_whole
from core.trust import trustfile

if TYPE_CHECKING:
    from core.vault.records import User
    from core.workbench import Workbench


@dataclass(frozen=True)
class Person:
    """A person of the vault; `you` is who unlocked it."""

    user: str
    name: str
    roles: tuple[str, ...]
    active: bool
    you: bool


@dataclass(frozen=True)
class AddPerson:
    """Whom to add, with their own passphrase."""

    user: str
    name: str
    roles: tuple[str, ...]
    passphrase: str


def person(found: "User", you: str) -> Person:
    return Person(found.user, found.name, tuple(found.roles), found.active, found.user == you)


def list_people(bench: "Workbench") -> tuple[Person, ...]:
    """Everybody the vault knows."""
    you = bench.vault.user.user
    return tuple(person(found, you) for found in bench.vault.users())


def add_person(bench: "Workbench", request: AddPerson, own: str) -> Person:
    """Add somebody; `own` is the administrator's passphrase. Raises `WrongPassphrase`, `Refused`, `BadInput`, `AlreadyExists`."""
    with bench.vault.confirm(own) as signer:
        found = bench.vault.add_user(signer, request.user, request.name, request.roles, request.passphrase)
    return person(found, bench.vault.user.user)


def save_trust_file(bench: "Workbench", path: Path) -> None:
    """Write the cards of the vault's people and its log's key."""
    write_whole(path, trustfile.dump(bench.vault.trust_file()), private=False)
