"""Statements: what somebody signs, as an in-toto Statement v1.

The subjects are the digest of the content and those of any earlier envelopes. The predicate says who signed, when by which clock,
in what meaning and why, and how far the audit log had come.
"""

from collections.abc import Sequence
from typing import Literal, cast

import msgspec

from core.errors import BadInput, Damaged
from core.records import Digest, Json, Record
from core.trust.canonical import builtins, canonical, checked_digest
from core.trust.canonical import parse as parse_canonical
from core.trust.times import parse_time

Meaning = Literal["authored", "reviewed", "approved", "released"]
MEANINGS: tuple[Meaning, ...] = ("authored", "reviewed", "approved", "released")
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "urn:assay:signing:v1"
CLOCK = "workstation clock"


class Subject(Record, frozen=True, kw_only=True):
    """One thing that is signed: its name, for people, and its SHA-256."""

    name: str
    digest: Digest


class LogState(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The audit log before the signing: its origin, its size, and its root as 64 hexadecimal characters."""

    origin: str
    size: int
    root: Digest


class Signing(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An act of signing. `card` is the fingerprint of the signer's card, `name` the name printed on it."""

    card: Digest
    name: str
    time: str
    """RFC 3339 with offset."""
    meaning: Meaning
    reason: str
    log: LogState
    clock: str = CLOCK
    nonce: str = ""
    """A text that somebody who will check this asked for, so that it can't be older than the asking; left out where there is none."""


def make(subjects: Sequence[Subject], signing: Signing) -> bytes:
    """The statement as canonical JSON. Raises `BadInput` without a subject or with a meaning that doesn't exist."""
    if not subjects:
        raise BadInput(source="statement", problem="nothing to sign. Name at least one subject.")
    if signing.meaning not in MEANINGS:
        raise BadInput(source="statement", problem=f"{signing.meaning} is no meaning. Use {', '.join(MEANINGS)}.")
    parse_time(signing.time, "statement")
    predicate = builtins(signing)
    if not signing.nonce:
        del predicate["nonce"]
    return canonical(
        {
            "_type": STATEMENT,
            "subject": [{"name": subject.name, "digest": {"sha256": subject.digest}} for subject in subjects],
            "predicateType": PREDICATE,
            "predicate": predicate,
        }
    )


def parse(payload: bytes) -> tuple[tuple[Subject, ...], Signing]:
    """The subjects and the signing that `make` wrote. Raises `Damaged` for anything else."""
    value = parse_canonical(payload, "statement")
    if not isinstance(value, dict) or value.keys() != {"_type", "subject", "predicateType", "predicate"}:
        raise Damaged(source="statement", problem="not of the form expected.")
    if value["_type"] != STATEMENT or value["predicateType"] != PREDICATE:
        raise Damaged(source="statement", problem="of another type than ours.")
    entries = value["subject"]
    if not isinstance(entries, list) or not entries:
        raise Damaged(source="statement", problem="names nothing that is signed.")
    try:
        signing = msgspec.convert(value["predicate"], Signing)
    except msgspec.ValidationError as error:
        raise Damaged(source="statement", problem=f"not of the form expected ({error}).") from error
    checked_digest(signing.card, "statement")
    checked_digest(signing.log.root, "statement")
    parse_time(signing.time, "statement")
    if signing.log.size < 0:
        raise Damaged(source="statement", problem="the log's size is negative.")
    subjects = tuple(_subject(entry) for entry in entries)
    if make(subjects, signing) != payload:
        raise Damaged(source="statement", problem="leaves something out.")
    return subjects, signing


def _subject(entry: Json) -> Subject:
    match entry:
        case {"name": str(name), "digest": {"sha256": digest, **others}, **more} if not others and not more:
            return Subject(name=name, digest=checked_digest(cast(Json, digest), "statement"))
    raise Damaged(source="statement", problem="names a subject in another form than ours.")
