"""Envelopes: a payload with one person's two signatures, as DSSE (Dead Simple Signing Envelope 1.0).

The rules:

1. Both signatures, Ed25519 and ML-DSA-65, are over the same pre-authentication encoding (PAE) of type and payload.
2. An envelope holds exactly those two, in that order, and is canonical JSON; anything else is refused.
3. `keyid` is a hint and decides nothing: the caller says whose public keys count, from a card that it trusts.

Any DSSE reader can check the Ed25519 half; a reader that stops there hasn't checked the envelope by our rules.
"""

import msgspec

from core.errors import Damaged
from core.records import Record
from core.trust.canonical import b64, canonical, parse, unb64
from core.trust.keys import PublicKeys, Signatures, SigningKeys
from core.trust.keys import verify as verify_signatures

IN_TOTO = "application/vnd.in-toto+json"
ED25519, MLDSA65 = "#ed25519", "#ml-dsa-65"
"""What follows the card's fingerprint in a signature's `keyid`."""


class Envelope(Record, frozen=True, kw_only=True):
    """An envelope taken apart, nothing verified yet. `keyid` is the fingerprint that it names."""

    payload_type: str
    payload: bytes
    keyid: str
    signatures: Signatures


class _Wire(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    payload: str
    payload_type: str
    signatures: list[dict[str, str]]


def pae(type: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: what is signed of a payload and its type."""
    kind = type.encode("utf-8")
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def sign(payload_type: str, payload: bytes, keys: SigningKeys, card: str) -> bytes:
    """The envelope, as canonical JSON. `card` is the fingerprint of the signer's card."""
    signatures = keys.sign(pae(payload_type, payload))
    return canonical(
        {
            "payload": b64(payload),
            "payloadType": payload_type,
            "signatures": [
                {"keyid": card + ED25519, "sig": signatures.ed25519},
                {"keyid": card + MLDSA65, "sig": signatures.mldsa65},
            ],
        }
    )


def read(envelope: bytes) -> Envelope:
    """Take an envelope apart. Raises `Damaged` for anything that `sign` can't have written."""
    try:
        wire = msgspec.convert(parse(envelope, "envelope"), _Wire)
    except msgspec.ValidationError as error:
        raise Damaged(source="envelope", problem=f"not of the form expected ({error}).") from error
    if len(wire.signatures) != 2 or any(signature.keys() != {"keyid", "sig"} for signature in wire.signatures):
        raise Damaged(source="envelope", problem="has other signatures than one by Ed25519 and one by ML-DSA-65.")
    first, second = wire.signatures
    keyid = first["keyid"].removesuffix(ED25519)
    if first["keyid"] != keyid + ED25519 or second["keyid"] != keyid + MLDSA65:
        raise Damaged(source="envelope", problem="has other signatures than one by Ed25519 and one by ML-DSA-65.")
    return Envelope(
        payload_type=wire.payload_type,
        payload=unb64(wire.payload, "envelope's payload"),
        keyid=keyid,
        signatures=Signatures(ed25519=first["sig"], mldsa65=second["sig"]),
    )


def verify(envelope: bytes, public: PublicKeys, payload_type: str = IN_TOTO) -> bytes:
    """The payload, if it is of `payload_type` and both signatures are by `public`. Raises `Damaged` or `InvalidSignatures`."""
    opened = read(envelope)
    if opened.payload_type != payload_type:
        raise Damaged(source="envelope", problem=f"holds {opened.payload_type[:80]}, not {payload_type}.")
    verify_signatures(public, pae(opened.payload_type, opened.payload), opened.signatures)
    return opened.payload
