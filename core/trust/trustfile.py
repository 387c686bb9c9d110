"""A trust file: whose signatures and whose log an auditor accepts. It is obtained beforehand, by another way than the packs it judges.

It holds whole cards, because keys come from here and never from a pack. Being in the file is what makes a card trusted; where a
card's issuer is in the file too, the countersignature must verify as well. A card that was revoked stays in the file, with its
revocation: what its owner signed before still counts, where a checkpoint shows that it was before.
"""

import msgspec

from core.errors import Damaged
from core.records import Digest, Record
from core.trust.canonical import builtins, canonical, checked_digest, parse
from core.trust.cards import Card, Revocation, SignedCard, fingerprint, open_card, verify_card
from core.trust.notes import LogKey
from core.trust.times import parse_time

LARGEST = 16 * 1024 * 1024
"""Bytes of a trust file: about 800 cards."""


class TrustFile(Record, frozen=True, kw_only=True, tag="trust", forbid_unknown_fields=True):
    """`made` is when it was written, RFC 3339 with offset."""

    cards: tuple[SignedCard, ...]
    logs: tuple[LogKey, ...]
    made: str
    revoked: tuple[Revocation, ...] = ()

    def by_fingerprint(self) -> dict[Digest, Card]:
        """The cards by their fingerprints. Raises `Damaged` if one doesn't verify."""
        cards = {fingerprint(signed): open_card(signed) for signed in self.cards}
        for signed in self.cards:
            card = cards[fingerprint(signed)]
            if not card.issuer or card.issuer in cards:
                verify_card(signed, cards[Digest(card.issuer)] if card.issuer else None)
        return cards

    def revocation(self, card: Digest) -> Revocation | None:
        """The first revocation of a card, by its place in the log; None if it never was."""
        return min((ended for ended in self.revoked if ended.card == card), key=lambda ended: ended.size, default=None)

    def log(self, origin: str) -> LogKey | None:
        """The key of the log of that origin, if it is trusted."""
        return next((key for key in self.logs if key.origin == origin), None)


def load(data: bytes) -> TrustFile:
    """From what `dump` wrote; every card in it is verified. Raises `Damaged`."""
    if len(data) > LARGEST:
        raise Damaged(source="trust file", problem="too large to be one.")
    try:
        trust = msgspec.convert(parse(data, "trust file"), TrustFile)
    except msgspec.ValidationError as error:
        raise Damaged(source="trust file", problem=f"not of the form expected ({error}).") from error
    parse_time(trust.made, "trust file")
    for ended in trust.revoked:
        parse_time(ended.time, "trust file")
        checked_digest(ended.card, "trust file")
        if ended.size < 0:
            raise Damaged(source="trust file", problem="a revocation before the log began.")
    trust.by_fingerprint()
    return trust


def dump(trust: TrustFile) -> bytes:
    """The file, as canonical JSON. Without revocations it has the form that it had before there were any."""
    content = builtins(trust)
    if not trust.revoked:
        del content["revoked"]
    return canonical(content)
