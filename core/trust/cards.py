"""Cards: who a signing key belongs to.

A card is signed by its own keys, which proves that its holder has them, and countersigned by the administrator who issued it. The
first administrator's card names no issuer. An auditor pins fingerprints: whoever is pinned is trusted, and the countersignature says
who vouched for the others inside the vault.

A card counts from `valid_from` to `valid_until`, and until it is revoked. When a signature was made is only what its maker's clock said,
so after a revocation a date proves nothing: the place in the log does, under a checkpoint that the log's key signed.
"""

from datetime import datetime

import msgspec

from core.errors import Damaged
from core.records import Digest, Record
from core.trust.canonical import b64, builtins, canonical, digest, parse, unb64
from core.trust.envelopes import pae
from core.trust.keys import PublicKeys, Signatures, SigningKeys, verify
from core.trust.times import parse_time

ADMIN = "admin"
"""The role whose holders issue cards."""
_OWN = "application/vnd.assay.card+json"
_COUNTER = "application/vnd.assay.card-countersignature+json"


class Card(Record, frozen=True, kw_only=True, tag="card", forbid_unknown_fields=True):
    """A person and their public keys, from `valid_from` to `valid_until` (RFC 3339 with offset, both included)."""

    user: str
    name: str
    """As printed beside signatures."""
    roles: tuple[str, ...]
    keys: PublicKeys
    valid_from: str
    valid_until: str
    issuer: str
    """Fingerprint of the countersigner's card; empty on the first administrator's."""

    def valid_at(self, time: datetime) -> bool:
        """Whether the card was valid at that instant."""
        source = f"card of {self.user}"
        return parse_time(self.valid_from, source) <= time <= parse_time(self.valid_until, source)


class SignedCard(Record, frozen=True, kw_only=True, tag="signed-card", forbid_unknown_fields=True):
    """`card` is a Card's canonical JSON in base64."""

    card: str
    own: Signatures
    counter: Signatures | None = None


class OfferedCard(Record, frozen=True, kw_only=True, tag="offered-card", forbid_unknown_fields=True):
    """A card that an administrator countersigned and its owner hasn't signed yet: other roles or a longer life for the same keys.

    Nobody but its owner can make a card of it, since only the owner has the keys. `card` is a Card's canonical JSON in base64.
    """

    card: str
    counter: Signatures


class Revocation(Record, frozen=True, kw_only=True, tag="revocation", forbid_unknown_fields=True):
    """The end of a card before its time: its owner left, lost the passphrase, or somebody else may have had the keys."""

    card: Digest
    """The card's fingerprint."""
    origin: str
    """The log that tells of the revocation."""
    size: int
    """The log's size before it: what stands at a place below this was logged before the revocation."""
    time: str
    reason: str


def card_bytes(card: Card) -> bytes:
    """What is signed of a card, and hashed into its fingerprint."""
    return canonical(builtins(card))


def fingerprint(card: Card | SignedCard) -> Digest:
    """What an auditor pins: the digest of the card's canonical bytes, keys and all."""
    return digest(unb64(card.card, "card") if isinstance(card, SignedCard) else card_bytes(card))


def issue(card: Card, keys: SigningKeys, issuer: SigningKeys | None = None) -> SignedCard:
    """Sign a card with its own keys, and with those of the issuer that it names. Raises `Damaged` if the two don't fit."""
    if card.keys != keys.public:
        raise Damaged(source=f"card of {card.user}", problem="names other keys than those that sign it.")
    if bool(card.issuer) != (issuer is not None):
        raise Damaged(source=f"card of {card.user}", problem="names an issuer who doesn't sign, or the reverse.")
    parse_time(card.valid_from, f"card of {card.user}")
    parse_time(card.valid_until, f"card of {card.user}")
    content = card_bytes(card)
    return SignedCard(
        card=b64(content),
        own=keys.sign(pae(_OWN, content)),
        counter=None if issuer is None else issuer.sign(pae(_COUNTER, content)),
    )


def offer(card: Card, issuer: SigningKeys) -> OfferedCard:
    """Countersign a card for somebody whose keys aren't at hand."""
    content = card_bytes(card)
    return OfferedCard(card=b64(content), counter=issuer.sign(pae(_COUNTER, content)))


def open_offer(offered: OfferedCard) -> Card:
    """What is offered, unverified. Raises `Damaged`."""
    return _parsed(unb64(offered.card, "card"))


def verify_offer(offered: OfferedCard, issuer: Card) -> Card:
    """The card, if `issuer`, an administrator at that time, countersigned it. Raises `Damaged` or `InvalidSignatures`."""
    card = open_offer(offered)
    _check_counter(card, issuer, offered.counter)
    return card


def accept(offered: OfferedCard, keys: SigningKeys) -> SignedCard:
    """The whole card, by its owner. Raises `Damaged` if it names other keys."""
    content = unb64(offered.card, "card")
    card = _parsed(content)
    if card.keys != keys.public:
        raise Damaged(source=f"card of {card.user}", problem="names other keys than those that sign it.")
    return SignedCard(card=offered.card, own=keys.sign(pae(_OWN, content)), counter=offered.counter)


def open_card(signed: SignedCard) -> Card:
    """The card, if its own signatures verify; whether to trust it is the caller's question. Raises `Damaged`."""
    content = unb64(signed.card, "card")
    card = _parsed(content)
    if bool(card.issuer) != (signed.counter is not None):
        raise Damaged(source=f"card of {card.user}", problem="names an issuer who didn't sign, or the reverse.")
    verify(card.keys, pae(_OWN, content), signed.own)
    return card


def verify_card(signed: SignedCard, issuer: Card | None) -> Card:
    """The card, if its own signatures verify and `issuer`, an administrator at that time, countersigned it.

    `issuer` is None for a first administrator's card, which names none. Raises `Damaged` or `InvalidSignatures`.
    """
    card = open_card(signed)
    if issuer is not None and signed.counter is not None:
        _check_counter(card, issuer, signed.counter)
    elif card.issuer or issuer is not None:
        raise Damaged(source=f"card of {card.user}", problem="was issued by somebody else.")
    return card


def grouped(which: str) -> str:
    """A fingerprint for reading aloud: 16 groups of four characters."""
    return " ".join(which[place : place + 4] for place in range(0, len(which), 4))


def _parsed(content: bytes) -> Card:
    try:
        card = msgspec.convert(parse(content, "card"), Card)
    except msgspec.ValidationError as error:
        raise Damaged(source="card", problem=f"not of the form expected ({error}).") from error
    source = f"card of {card.user}"
    if card_bytes(card) != content:
        raise Damaged(source=source, problem="leaves something out.")
    if parse_time(card.valid_from, source) > parse_time(card.valid_until, source):
        raise Damaged(source=source, problem="ends before it begins.")
    return card


def _check_counter(card: Card, issuer: Card, counter: Signatures) -> None:
    source = f"card of {card.user}"
    if card.issuer != fingerprint(issuer):
        raise Damaged(source=source, problem="was issued by somebody else.")
    if ADMIN not in issuer.roles:
        raise Damaged(source=source, problem=f"was issued by {issuer.user}, who is no administrator.")
    if not issuer.valid_at(parse_time(card.valid_from, source)):
        raise Damaged(source=source, problem=f"was issued when the card of {issuer.user} wasn't valid.")
    verify(issuer.keys, pae(_COUNTER, card_bytes(card)), counter)
