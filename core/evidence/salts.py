"""The salts of a run's packs: the same at every export, and not to be guessed.

Each run has a random seed, made at its first export and kept in the vault; a salt is HMAC-SHA256 of what it is for under that seed. So
exporting a run twice gives the same files, and two packs of it, redacted differently, agree on every commitment. The rules:

1. A salt belongs to one value: it follows from the record's digest and from the place among the fields that are hidden of that kind. So
   a pack that opens one value says nothing of another.
2. The seed never leaves the vault. From salts, neither the seed nor another salt follows.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from typing import cast

from core.evidence.commitments import WITHHOLDABLE
from core.records import Digest, Json
from core.trust.canonical import canonical
from core.vault.connection import Database
from core.vault.migrations import Migrations
from core.vault.unit import Unit

SEED = 32
"""Bytes of a seed."""


def _first(db: Database) -> None:
    db.execute("CREATE TABLE pack_seeds (run TEXT PRIMARY KEY, seed BLOB NOT NULL) STRICT")


SCHEMA = Migrations("evidence", (_first,))
_LAYOUT = hashlib.sha256(canonical({kind: [list(p) for p in some] for kind, some in WITHHOLDABLE.items()})).hexdigest()
"""Which fields are hidden; another version of the program that hides others has other salts."""


def new_seed() -> bytes:
    """A seed for packs that need not be the same again."""
    return secrets.token_bytes(SEED)


def seed_of(unit: Unit, run: Digest) -> bytes:
    """The seed of a run's packs, made if there is none yet."""
    unit.db.execute("INSERT OR IGNORE INTO pack_seeds VALUES (?, ?)", [run, new_seed()])
    return bytes(unit.db.execute("SELECT seed FROM pack_seeds WHERE run = ?", [run]).fetchone()[0])


def salts(seed: bytes, kind: str, of: Json) -> Callable[[], bytes]:
    """The salts, one at each call, for what is hidden of a record of that kind with the digest `of`."""
    start = canonical(cast(Json, [_LAYOUT, kind, of]))
    number = -1

    def following() -> bytes:
        nonlocal number
        number += 1
        return hmac.digest(seed, b"%d " % number + start, "sha256")

    return following
