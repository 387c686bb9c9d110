"""What proves that a card came by the recovery words, and by nothing else.

Somebody with the open vault and SQL can write any row, but doesn't have the words. The rules:

1. The words lead to signing keys (Ed25519 and ML-DSA-65), which are kept nowhere. Their public halves stand in a record that the administrator
   who made the recovery key signed, together with the public half of its slot.
2. A recovery signs the new card's fingerprint with them.
3. Which keys are believed is `core.vault.cards`' to say: those of the newest recovery key that an administrator signed before the recovery.
"""

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.errors import Damaged, Refused
from core.records import Digest, Record
from core.trust.canonical import builtins, canonical, digest
from core.trust.cards import ADMIN, Card
from core.trust.envelopes import pae
from core.trust.keys import PublicKeys, Signatures, SigningKeys, verify
from core.trust.times import parse_time
from core.vault.signing import Signer
from core.vault.unit import Reader, Unit

_SEEDS = 64
"""Bytes that `SigningKeys` are made from."""
_KEY = "application/vnd.assay.recovery-key+json"
_RECOVERY = "application/vnd.assay.recovery+json"


class RecoveryKey(Record, frozen=True, kw_only=True, tag="recovery-key"):
    """The public side of a recovery key, signed by the administrator who made it."""

    vault: str
    slot: Digest
    """Of the public half of its slot."""
    keys: PublicKeys
    time: str
    card: Digest
    """The administrator's."""
    signatures: Signatures


class RecoveryProof(Record, frozen=True, kw_only=True, tag="recovery-proof"):
    """That whoever issued a card had the words of a recovery key."""

    vault: str
    key: Digest
    """Of the `RecoveryKey`'s record."""
    card: Digest
    """The new card."""
    signatures: Signatures


def keys_of(secret: bytes, vault: str) -> SigningKeys:
    """The signing keys of a recovery key for one vault; `secret` is what the words stand for."""
    info = canonical({"purpose": "assay recovery proof", "vault": vault})
    return SigningKeys.from_bytes(HKDF(algorithm=SHA256(), length=_SEEDS, salt=None, info=info).derive(secret))


def made(unit: Unit, signer: Signer, vault: str, slot: bytes, secret: bytes) -> None:
    """Record a new recovery key with the public half of its slot. Raises `Refused` when the administrator's card isn't valid."""
    if not signer.printed.valid_at(parse_time(unit.time, "clock")):
        raise Refused(
            act="Make a recovery key",
            reason=f"Your card was valid until {signer.printed.valid_until}. Another administrator gives you a new one.",
        )
    keys = keys_of(secret, vault).public
    said = _key_said(vault, digest(slot), keys, unit.time, signer.card)
    unit.put(
        RecoveryKey(
            vault=vault,
            slot=digest(slot),
            keys=keys,
            time=unit.time,
            card=signer.card,
            signatures=signer.keys.sign(pae(_KEY, said)),
        )
    )


def prove(unit: Unit, vault: str, card: Digest, secret: bytes) -> None:
    """Record that a card was issued by whoever has the words. Raises `Damaged` when the vault doesn't know that recovery key."""
    keys = keys_of(secret, vault)
    known = [one for one in unit.find(RecoveryKey) if unit.get(one, RecoveryKey).keys == keys.public]
    if not known:
        raise Damaged(
            source="Recovery key",
            problem="the vault has no record of its making, so nobody would believe the new card. Restore the vault from a backup.",
        )
    key = known[-1]
    signatures = keys.sign(pae(_RECOVERY, _recovery_said(vault, key, card)))
    unit.put(RecoveryProof(vault=vault, key=key, card=card, signatures=signatures))


def check_made(key: RecoveryKey, vault: str, admin: Card) -> None:
    """Return if `admin`, whose card the record names, made this recovery key as an administrator. Raises `Damaged`."""
    if key.vault != vault or ADMIN not in admin.roles or not admin.valid_at(parse_time(key.time, "recovery key")):
        raise Damaged(source="Recovery key", problem="wasn't made by an administrator of this vault.")
    verify(admin.keys, pae(_KEY, _key_said(key.vault, key.slot, key.keys, key.time, key.card)), key.signatures)


def check_proof(proof: RecoveryProof, vault: str, key: RecoveryKey) -> None:
    """Return if a proof was made with a recovery key. Raises `Damaged`."""
    if proof.vault != vault:
        raise Damaged(source="Recovery", problem="is of another vault.")
    verify(key.keys, pae(_RECOVERY, _recovery_said(proof.vault, proof.key, proof.card)), proof.signatures)


def proofs(reader: Reader, card: Digest) -> list[tuple[Digest, RecoveryProof]]:
    """What is said to prove that a card came by recovery, each with its record's digest."""
    found = [(one, reader.get(one, RecoveryProof)) for one in reader.find(RecoveryProof)]
    return [(one, proof) for one, proof in found if proof.card == card]


def _key_said(vault: str, slot: Digest, keys: PublicKeys, time: str, card: Digest) -> bytes:
    return canonical({"vault": vault, "slot": slot, "keys": builtins(keys), "time": time, "card": card})


def _recovery_said(vault: str, key: Digest, card: Digest) -> bytes:
    return canonical({"vault": vault, "key": key, "card": card})
