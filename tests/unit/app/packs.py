"""Packs as they reach an auditor, for tests and screenshots of the evidence page: whole, damaged, redacted, sealed, by a stranger, and no pack."""

import struct
from functools import cache
from pathlib import Path

import msgspec

from core.evidence import sealing
from core.evidence.redaction import Request, redact
from core.paths import write_whole
from core.trust import trustfile
from core.trust.cards import fingerprint
from tests.conftest import weak_kdf
from tests.unit.evidence.building import TRUST, content, pack

PASSPHRASE = "seven quiet herons"
NONCE = "heron-0417"


@cache
def whole(nonce: str = "") -> bytes:
    """A small pack that is valid under `TRUST`."""
    return pack(content(), nonce=nonce)


@cache
def keys() -> sealing.AuditorKeys:
    """An auditor's pair."""
    return sealing.make_keys("Ruth Calloway", PASSPHRASE, weak_kdf)


def flipped() -> bytes:
    """The same with one bit changed in the middle."""
    data = bytearray(whole())
    data[len(data) // 2] ^= 1
    return bytes(data)


def junk(size: int) -> bytes:
    """A zip's shape with nothing of a pack in it."""
    return b"PK\x03\x04" + b"\0" * size + struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 0, 0, 0, 0, 0)


def lay_out(folder: Path) -> dict[str, Path]:
    """All of them as files, with the trust files."""
    strangers = msgspec.structs.replace(TRUST, cards=TRUST.cards[:-1])
    made = {
        "whole": ("safety.pack", whole()),
        "asked": ("asked.pack", whole(NONCE)),
        "flipped": ("flipped.pack", flipped()),
        "redacted": ("redacted.pack", redact(whole(), Request(fields=("answer",)))),
        "sealed": ("safety.pack.sealed", b"".join(sealing.seal_pack(whole(), keys().public_half))),
        "text": ("notes.pack", b"Dear auditor,\nattached is the pack.\n"),
        "empty": ("empty.pack", b""),
        "junk": ("junk.zip", junk(100_000)),
        "keys": ("ruth.keys", sealing.dump(keys())),
        "public": ("ruth.keys.pub", sealing.dump(keys().public_half)),
        "card": ("stranger.card.json", msgspec.json.format(msgspec.json.encode(TRUST.cards[-1]))),
        "trust": ("merrowdale.json", trustfile.dump(TRUST)),
        "strangers": ("older.json", trustfile.dump(strangers)),
    }
    found = {}
    for word, (name, data) in made.items():
        found[word] = folder / name
        write_whole(found[word], data)
    return found


def stranger() -> str:
    """The fingerprint of the card that the older trust file lacks."""
    return fingerprint(TRUST.cards[-1])
