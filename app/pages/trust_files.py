"""Trust files as the window keeps them: reading one, adding and removing cards, and writing it. No widgets.

A trust file is nobody's secret and signed by nobody: what makes it worth something is that its cards were compared with their people. So a card
goes in only through `with_card`, after somebody said that they compared it, and a changed file is called changed until it is saved.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from app.bridge import people
from app.pages.pack_reading import content_of
from app.pages.pack_words import CheckedPack, read_file
from app.pages.signatures import moment
from core.errors import AlreadyExists, Damaged
from core.evidence.opened import take_apart
from core.jobs import Job
from core.paths import write_whole
from core.records import Digest, now
from core.trust import trustfile
from core.trust.cards import Card, SignedCard, fingerprint, open_card
from core.trust.trustfile import TrustFile

if TYPE_CHECKING:
    from core.workbench import Workbench

OWN = "This vault’s own cards"


@dataclass(frozen=True)
class KnownTrust:
    """A trust file in use: what it is called, the file, and its cards by fingerprint."""

    name: str
    file: TrustFile
    cards: tuple[tuple[Digest, Card], ...]
    changed: bool = False
    """Whether it was changed here and isn't saved."""

    @property
    def words(self) -> str:
        count = len(self.cards)
        made = f", made {moment(self.file.made)}" if self.file.made else ""
        return f"{count} card{'' if count == 1 else 's'}{made}{'. Changed, not saved' if self.changed else ''}"

    def ended(self, card: Digest) -> str:
        """When a card was withdrawn; empty where it wasn't."""
        found = self.file.revocation(card)
        return found.time if found is not None else ""


def known(name: str, file: TrustFile, changed: bool = False) -> KnownTrust:
    """A trust file with its cards verified. Raises `Damaged`."""
    return KnownTrust(name, file, tuple(file.by_fingerprint().items()), changed)


def empty() -> KnownTrust:
    """A trust file without anybody in it, to begin one."""
    return known("New trust file", TrustFile(cards=(), logs=(), made=now()), changed=True)


def read_trust(path: Path, job: Job) -> KnownTrust:
    """The trust file at `path`; every card in it is verified. Raises `BadInput`, `Damaged`."""
    return known(path.name, trustfile.load(read_file(path, trustfile.LARGEST)))


def read_card(path: Path, job: Job) -> SignedCard:
    """A card that somebody exported. Raises `BadInput`, `Damaged`."""
    data = read_file(path, trustfile.LARGEST)
    try:
        signed = msgspec.json.decode(data, type=SignedCard)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError) as error:
        problem = "this isn’t one person’s card. A whole trust file is opened with “Use another trust file”."
        raise Damaged(source=path.name, problem=problem) from error
    open_card(signed)
    return signed


def cards_of(checked: CheckedPack, wanted: Sequence[Digest], job: Job) -> tuple[SignedCard, ...]:
    """Cards that lie in a pack. They are only worth something once they were compared. Raises `Damaged`, `BadInput`."""
    cards = {fingerprint(signed): signed for signed in take_apart(content_of(checked)).cards}
    return tuple(cards[card] for card in wanted if card in cards)


def with_card(trust: KnownTrust, signed: SignedCard) -> KnownTrust:
    """The file with one card more. Raises `AlreadyExists`, `Damaged`."""
    if any(found == fingerprint(signed) for found, _ in trust.cards):
        raise AlreadyExists(kind="card", name=open_card(signed).name, step="It is in the trust file already.")
    return _changed(trust, (*trust.file.cards, signed))


def without(trust: KnownTrust, card: Digest) -> KnownTrust:
    """The file without a card."""
    return _changed(trust, tuple(signed for signed in trust.file.cards if fingerprint(signed) != card))


def save(trust: KnownTrust, path: Path, job: Job) -> KnownTrust:
    """Write the file. Raises what writing raises."""
    write_whole(path, trustfile.dump(trust.file), private=False)
    return replace(trust, name=path.name, changed=False)


def export_own(bench: "Workbench", path: Path, job: Job) -> int:
    """Write this vault's trust file; gives how many cards are in it."""
    file = bench.vault.trust_file()
    write_whole(path, trustfile.dump(file), private=False)
    return len(file.cards)


def export_card(bench: "Workbench", path: Path, job: Job) -> None:
    """Write the card of whoever has the vault open."""
    people.save_card(bench, bench.vault.user.card, path)


def _changed(trust: KnownTrust, cards: tuple[SignedCard, ...]) -> KnownTrust:
    name = f"{OWN}, changed" if trust.name == OWN else trust.name
    return known(name, msgspec.structs.replace(trust.file, cards=cards, made=now()), changed=True)
