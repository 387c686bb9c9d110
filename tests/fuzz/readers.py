"""Every reader of evidence that comes from outside, as a fuzz target: bytes in; a value, or the one error that says so, out.

A target raises nothing but what it says (`Refused`). Where both verifiers have the reader, they must accept the same bytes; what is accepted
must have no other form (`again`).
"""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from core.errors import AssayError
from core.evidence import sealing, zipform
from core.trust import envelopes, notes, statements, trustfile
from core.trust.canonical import canonical, parse
from tests.unit.evidence.building import ADA, LOG, ORIGIN, TRUST, pack
from tests.unit.evidence.judging import standalone

OTHER_ERRORS = (
    standalone.Invalid,
    *(ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError),
    standalone.struct.error,
)
"""What the standalone verifier takes for a malformed pack; anything else would end it."""


class Target(NamedTuple):
    """`own` is Assay's reader, `other` the standalone one, `again` writes what `own` read; `seeds` are inputs that are accepted."""

    name: str
    own: Callable[[bytes], Any]
    other: Callable[[bytes], Any] | None
    again: Callable[[Any], bytes] | None
    seeds: tuple[bytes, ...]


def _statement(data: bytes) -> bytes:
    subjects, signing = statements.parse(data)
    return statements.make(subjects, signing)


def _envelope(data: bytes) -> Any:
    read = envelopes.read(data)
    statements.parse(read.payload)
    envelopes.verify(data, ADA.card.keys)
    return read


def _other_envelope(data: bytes) -> Any:
    trust = json.loads(trustfile.dump(TRUST))
    judge = standalone.Judge(
        {**trust, "cards": trust["cards"][:1]}, [], standalone.instant("2026-11-22T00:00:00Z"), ("", {})
    )
    return judge.envelope(data)


def _note(data: bytes) -> Any:
    return notes.verify_checkpoint(data, notes.log_key(ORIGIN, LOG))


def _other_note(data: bytes) -> Any:
    origin, size, root, text, signatures = standalone.read_checkpoint(data)
    standalone.verify_note(ORIGIN, text, signatures, notes.log_key(ORIGIN, LOG).ed25519)
    standalone.require(origin == ORIGIN, "another log")
    return origin, size, root


_PACK = pack()
_ENTRIES = zipform.read(_PACK)
_SMALL = zipform.write({"a": b"x", "b/c.json": b"[]", "empty": b""})
_STATEMENT = envelopes.read(_ENTRIES["release.json"]).payload
_KEYS = sealing.AuditorKey(name="Nora", public="AAAA" * 405 + "AA==")

TARGETS = (
    Target("zip", zipform.read, standalone.zip_read, zipform.write, (_SMALL,)),
    Target(
        "json",
        lambda data: parse(data, "x"),
        lambda data: standalone.parse(data, "x", object),
        canonical,
        (_ENTRIES["records/run.json"], b'{"a":[1,0.5,null,true,"\xc3\xa9"],"b":{}}', b"1e+21"),
    ),
    Target("statement", _statement, standalone.read_statement, lambda read: bytes(read), (_STATEMENT,)),
    Target("envelope", _envelope, _other_envelope, None, (_ENTRIES["release.json"],)),
    Target("note", _note, _other_note, None, (_ENTRIES["log/checkpoint.txt"],)),
    Target("trust file", trustfile.load, None, trustfile.dump, (trustfile.dump(TRUST),)),
    Target("auditor's key", lambda data: sealing.load_public(data, "x"), None, sealing.dump, (sealing.dump(_KEYS),)),
)


def check(target: Target, data: bytes) -> bool:
    """Feed one input. Returns whether it was accepted. Fails where a reader does what it may not."""
    try:
        read = target.own(data)
        accepted = True
    except AssayError:
        read, accepted = None, False
    if target.other is not None:
        try:
            target.other(data)
            agreed = True
        except OTHER_ERRORS:
            agreed = False
        assert agreed == accepted, (
            f"{target.name}: {data[:200]!r} is {'accepted' if accepted else 'refused'} by Assay alone"
        )
    if accepted and target.again is not None:
        assert target.again(read) == data, f"{target.name}: {data[:200]!r} has another form"
    return accepted
