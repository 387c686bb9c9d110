"""A person's signing keys, and one act of signing.

The keys, Ed25519 and ML-DSA-65, are sealed under a key derived from the person's own passphrase with a salt of its own: neither the
vault key, nor an administrator, nor a slot opens them. They are in memory only between `Vault.confirm` and the end of that block.
"""

from collections.abc import Sequence
from types import TracebackType
from typing import Self, cast

from core.errors import Refused, WrongPassphrase
from core.records import Digest, Record
from core.trust import envelopes, statements
from core.trust.canonical import b64, builtins, canonical, digest, unb64
from core.trust.cards import Card
from core.trust.keys import SigningKeys
from core.trust.passphrases import Kdf, derive
from core.trust.sealing import InvalidSeal, seal, unseal_secret, wipe
from core.trust.times import parse_time
from core.vault.records import Signature, User


class SealedKeys(Record, frozen=True, kw_only=True, tag="sealed-signing-keys"):
    """Signing keys at rest: base64 of the sealed bytes, and how the passphrase becomes the key."""

    kdf: Kdf
    sealed: str


def seal_keys(vault: str, user: str, keys: SigningKeys, passphrase: str, kdf: Kdf) -> SealedKeys:
    """Takes as long as one key derivation."""
    own = derive(passphrase, kdf)
    sealed = seal(own, keys.to_bytes(), _context(vault, user, kdf))
    wipe(own)
    return SealedKeys(kdf=kdf, sealed=b64(sealed))


def unseal_keys(vault: str, user: str, sealed: SealedKeys, passphrase: str, source: str) -> SigningKeys:
    """The keys again. Raises `WrongPassphrase`."""
    own = derive(passphrase, sealed.kdf)
    try:
        plain = unseal_secret(own, unb64(sealed.sealed, source), _context(vault, user, sealed.kdf))
    except InvalidSeal as error:
        raise WrongPassphrase(vault=source) from error
    finally:
        wipe(own)
    try:
        return SigningKeys.from_bytes(plain)
    finally:
        wipe(plain)


class Signer:
    """A person who has just given their passphrase, for one sitting: a context manager that forgets the keys at its end."""

    def __init__(self, user: User, card: Card, keys: SigningKeys) -> None:
        self.user = user
        self._card = card
        self._keys: SigningKeys | None = keys

    @property
    def card(self) -> Digest:
        """The fingerprint of the person's card."""
        return self.user.card

    @property
    def printed(self) -> Card:
        """What the person's card says."""
        return self._card

    @property
    def keys(self) -> SigningKeys:
        """Raises `Refused` when the sitting is over."""
        if self._keys is None:
            raise Refused(act="Sign", reason="This confirmation has ended; give the passphrase again.")
        return self._keys

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._keys = None


def new_signature(
    signer: Signer,
    subject: statements.Subject,
    meaning: str,
    reason: str,
    time: str,
    earlier: Sequence[Signature],
    log: statements.LogState,
    nonce: str = "",
) -> Signature:
    """Sign one content and the envelopes that stand on it already; `nonce` is what somebody asked to find in it.

    Raises `Refused` when the signer's card isn't valid at `time`."""
    card = signer.printed
    if not card.valid_at(parse_time(time, "clock")):
        raise Refused(
            act=f"Sign {subject.name}",
            reason=f"Your card is valid from {card.valid_from} to {card.valid_until}: ask for a new one.",
        )
    subjects = (
        subject,
        *(
            statements.Subject(name=f"{before.meaning} by {before.user}", digest=envelope_digest(before.envelope))
            for before in earlier
        ),
    )
    signing = statements.Signing(
        card=signer.card,
        name=card.name,
        time=time,
        meaning=cast(statements.Meaning, meaning),
        reason=reason,
        log=log,
        nonce=nonce,
    )
    envelope = envelopes.sign(envelopes.IN_TOTO, statements.make(subjects, signing), signer.keys, signer.card)
    return Signature(
        subject=Digest(subject.digest),
        subject_name=subject.name,
        meaning=meaning,
        user=signer.user.user,
        name=card.name,
        time=time,
        reason=reason,
        card=signer.card,
        envelope=envelope.decode("utf-8"),
    )


def envelope_digest(envelope: str) -> Digest:
    """What a later signature says of this envelope."""
    return digest(envelope.encode("utf-8"))


def _context(vault: str, user: str, kdf: Kdf) -> bytes:
    return canonical({"purpose": "assay signing keys", "vault": vault, "user": user, "kdf": builtins(kdf)})
