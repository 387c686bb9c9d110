"""Envelopes and statements: strict, doubly signed, and readable by others' DSSE and in-toto code."""

import json
from base64 import b64decode
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope as OtherEnvelope
from securesystemslib.signer import SSlibKey

from core.errors import BadInput, Damaged
from core.records import Digest, Json
from core.trust.canonical import canonical, digest, unb64
from core.trust.envelopes import IN_TOTO, pae, read, sign, verify
from core.trust.keys import InvalidSignatures, SigningKeys
from core.trust.statements import LogState, Signing, Subject, make, parse

KEYS = SigningKeys.generate()
OTHER = SigningKeys.generate()
CARD = "ab" * 32
SIGNING = Signing(
    card=Digest(CARD),
    name="Ada Nováková",
    time="2026-11-21T09:30:00+01:00",
    meaning="approved",
    reason="meets its criteria",
    log=LogState(origin="assay/x", size=7, root=Digest("cd" * 32)),
)
SUBJECTS = (Subject(name="prompt intake@2", digest=digest(b"x")), Subject(name="envelope", digest=digest(b"y")))


def test_pae_of_the_protocol_document(shared_data: Path) -> None:
    assert b"PAE" in (shared_data / "vectors" / "dsse" / "protocol.md").read_bytes()
    expected = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert expected in (shared_data / "vectors" / "dsse" / "protocol.md").read_bytes()
    assert pae("http://example.com/HelloWorld", b"hello world") == expected


def test_the_length_is_that_of_the_bytes() -> None:
    assert pae("é", b"\x00") == b"DSSEv1 2 \xc3\xa9 1 \x00"


@settings(max_examples=30)
@given(st.binary(max_size=200))
def test_a_payload_comes_back_only_from_its_signer(payload: bytes) -> None:
    envelope = sign(IN_TOTO, payload, KEYS, CARD)
    assert verify(envelope, KEYS.public) == payload
    assert read(envelope).keyid == CARD
    with pytest.raises(InvalidSignatures):
        verify(envelope, OTHER.public)
    with pytest.raises(Damaged):
        verify(envelope, KEYS.public, "text/plain")


@settings(max_examples=200)
@given(st.integers(0), st.integers(0, 7))
def test_a_flipped_bit_is_noticed(place: int, bit: int) -> None:
    data = bytearray(sign(IN_TOTO, b"payload", KEYS, CARD))
    data[place % len(data)] ^= 1 << bit
    try:
        verify(bytes(data), KEYS.public)
    except Damaged:
        return
    assert read(bytes(data)).keyid != CARD, "only the hint may differ without breaking a signature"


def altered(change: str) -> bytes:
    """An envelope as somebody else might write it."""
    wire = json.loads(sign(IN_TOTO, b"payload", KEYS, CARD))
    first, second = wire["signatures"]
    match change:
        case "without ML-DSA":
            wire["signatures"] = [first]
        case "without Ed25519":
            wire["signatures"] = [second]
        case "Ed25519 twice":
            wire["signatures"] = [first, first]
        case "the other way round":
            wire["signatures"] = [second, first]
        case "three":
            wire["signatures"] = [first, second, second]
        case "none":
            wire["signatures"] = []
        case "two people":
            second["keyid"] = second["keyid"].replace("ab", "cd")
        case "another field":
            wire["extra"] = 1
        case "another field in a signature":
            first["extra"] = "x"
        case "URL-safe base64":
            first["sig"] = first["sig"].replace("+", "-").replace("/", "_").rstrip("=")
        case "no payload":
            del wire["payload"]
        case "a list":
            return canonical([wire])
        case "spaces":
            return json.dumps(wire).encode()
    return canonical(wire)


@pytest.mark.parametrize(
    "change",
    [
        "without ML-DSA",
        "without Ed25519",
        "Ed25519 twice",
        "the other way round",
        "three",
        "none",
        "two people",
        "another field",
        "another field in a signature",
        "URL-safe base64",
        "no payload",
        "a list",
        "spaces",
    ],
)
def test_other_envelopes_are_refused(change: str) -> None:
    with pytest.raises(Damaged):
        verify(altered(change), KEYS.public)


def test_securesystemslib_verifies_the_ed25519_half() -> None:
    envelope = OtherEnvelope.from_dict(json.loads(sign(IN_TOTO, b"payload", KEYS, CARD)))
    raw = unb64(KEYS.public.ed25519, "key")
    key = SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(raw), CARD + "#ed25519")
    assert set(envelope.verify([key], 1)) == {CARD + "#ed25519"}


def test_in_toto_reads_the_statement() -> None:
    payload = make(SUBJECTS, SIGNING)
    statement = Statement.copy_from_pb(json_format.Parse(payload, Statement([], "", {}).pb))
    statement.validate()
    assert [subject.name for subject in statement.pb.subject] == ["prompt intake@2", "envelope"]
    assert statement.pb.predicate["meaning"] == "approved"


def test_a_statement_comes_back() -> None:
    assert parse(make(SUBJECTS, SIGNING)) == (SUBJECTS, SIGNING)


def test_a_statement_needs_subjects_a_meaning_and_a_time() -> None:
    with pytest.raises(BadInput, match="at least one subject"):
        make((), SIGNING)
    with pytest.raises(BadInput, match="meaning"):
        make(SUBJECTS, msgspec.structs.replace(SIGNING, meaning="liked"))
    for time in ("2026-11-21T09:30:00", "2026-11-21", "2026-02-30T09:30:00+01:00", "now"):
        with pytest.raises(Damaged, match="time"):
            make(SUBJECTS, msgspec.structs.replace(SIGNING, time=time))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("_type",), "https://in-toto.io/Statement/v0.1"),
        (("predicateType",), "urn:other"),
        (("subject",), []),
        (("subject",), "x"),
        (("subject", 0, "digest"), {"sha1": "00"}),
        (("subject", 0, "digest", "sha256"), "AB" * 32),
        (("subject", 0, "digest", "sha512"), "ab" * 64),
        (("subject", 0, "uri"), "x"),
        (("predicate", "meaning"), "liked"),
        (("predicate", "card"), "ab"),
        (("predicate", "log", "root"), "ab"),
        (("predicate", "log", "size"), -1),
        (("predicate", "time"), "yesterday"),
        (("predicate", "extra"), 1),
        (("more",), 1),
    ],
)
def test_other_statements_are_refused(path: tuple[str | int, ...], value: Json) -> None:
    statement = json.loads(make(SUBJECTS, SIGNING))
    inner = statement
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    with pytest.raises(Damaged):
        parse(canonical(statement))


def test_the_signature_is_over_the_pae() -> None:
    wire = json.loads(sign(IN_TOTO, b"payload", KEYS, CARD))
    key = Ed25519PublicKey.from_public_bytes(b64decode(KEYS.public.ed25519))
    key.verify(b64decode(wire["signatures"][0]["sig"]), b"DSSEv1 28 application/vnd.in-toto+json 7 payload")
