"""The statements of a pack, read by other people's libraries: in-toto's for the statement, securesystemslib's for the envelope."""

import copy
import json
from base64 import b64decode, b64encode
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from google.protobuf import json_format
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

from core.evidence import zipform
from tests.unit.evidence.building import ADA, BEN, Person, pack
from tests.unit.evidence.judging import standalone

ENTRIES = zipform.read(pack())
PEOPLE = {person.fingerprint: person for person in (ADA, BEN)}
NAMES = ["release.json", *(name for name in sorted(ENTRIES) if name.startswith("envelopes/"))]


def key(person: Person) -> SSlibKey:
    public = Ed25519PublicKey.from_public_bytes(b64decode(person.card.keys.ed25519))
    return SSlibKey.from_crypto(public, f"{person.fingerprint}#ed25519")


def opened(wire: Any) -> Envelope:
    """The library changes what it reads from, hence the copy."""
    return Envelope.from_dict(copy.deepcopy(wire))


def signer(wire: Any) -> Person:
    return PEOPLE[json.loads(b64decode(wire["payload"]))["predicate"]["card"]]


@pytest.mark.parametrize("name", NAMES)
def test_a_dsse_library_verifies_every_envelope_by_its_signers_key_and_no_other(name: str) -> None:
    wire = json.loads(ENTRIES[name])
    own = signer(wire)
    [other] = [person for person in PEOPLE.values() if person is not own]
    assert set(opened(wire).verify([key(own)], 1)) == {f"{own.fingerprint}#ed25519"}
    with pytest.raises(VerificationError):
        opened(wire).verify([key(other)], 1)


@pytest.mark.parametrize("name", NAMES)
def test_a_dsse_library_refuses_an_altered_statement_and_another_type(name: str) -> None:
    wire = json.loads(ENTRIES[name])
    own = key(signer(wire))
    statement = json.loads(b64decode(wire["payload"]))
    statement["predicate"]["meaning"] = "reviewed"
    altered = {**wire, "payload": b64encode(standalone.canonical(statement)).decode()}
    for changed in (altered, {**wire, "payloadType": "application/json"}):
        with pytest.raises(VerificationError):
            opened(changed).verify([own], 1)


@pytest.mark.parametrize("name", NAMES)
def test_in_totos_library_reads_every_statement(name: str) -> None:
    payload = b64decode(json.loads(ENTRIES[name])["payload"])
    statement = Statement.copy_from_pb(json_format.Parse(payload, Statement([], "", {}).pb))
    statement.validate()
    said = json.loads(payload)
    assert statement.pb.predicate_type == said["predicateType"] == "urn:assay:signing:v1"
    assert [(subject.name, dict(subject.digest)) for subject in statement.pb.subject] == [
        (subject["name"], subject["digest"]) for subject in said["subject"]
    ]
    assert statement.pb.predicate["name"] == PEOPLE[said["predicate"]["card"]].card.name
    if name == "release.json":
        assert statement.pb.subject[0].digest["sha256"] == standalone.sha(ENTRIES["manifest.json"])
