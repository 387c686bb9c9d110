"""OpenSSF Model Signing bundles: those that others made, ours as the reference library judges them, and every way to be wrong."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from core.errors import AssayError, BadInput, Damaged, Unsupported
from core.trust import model_signing
from core.trust.chains import OtherKey
from core.trust.keys import SigningKeys
from core.trust.model_signing import Manifest, Resource

MANIFEST = Manifest(
    model="m",
    resources=(Resource("b", "sha256", "22" * 32), Resource("a", "sha256", "11" * 32)),
    ignored=("model.sig",),
)


@pytest.fixture(scope="module")
def key() -> ec.EllipticCurvePrivateKey:
    return model_signing.signing_key(SigningKeys.from_bytes(bytes(range(64))))


@pytest.fixture(scope="module")
def pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return model_signing.public_pem(key.public_key())


@pytest.fixture
def vectors(shared_data: Path) -> Path:
    return shared_data / "vectors" / "model-signing" / "scripts" / "tests"


def anchor(vectors: Path, name: str) -> bytes:
    file = "ca-cert.pem" if name.endswith("certificate") else "signing-key-pub.pem"
    return (vectors / "keys" / "certificate" / file).read_bytes()


def changed(bundle: bytes, **fields: object) -> bytes:
    """The bundle with parts of it replaced, by their names with double underscores between."""
    parsed = json.loads(bundle)
    for place, value in fields.items():
        *above, last = place.split("__")
        at = parsed
        for step in above:
            at = at[int(step)] if step.isdigit() else at[step]
        at[last] = value
    return json.dumps(parsed).encode()


def resigned(key: ec.EllipticCurvePrivateKey, payload: object) -> bytes:
    """A bundle whose signature holds, over any payload."""
    raw = json.dumps(payload).encode()
    signature = key.sign(model_signing.pae(model_signing.IN_TOTO, raw), ec.ECDSA(hashes.SHA256()))
    return changed(
        model_signing.sign(MANIFEST, key),
        dsseEnvelope__payload=base64.b64encode(raw).decode(),
        dsseEnvelope__signatures=[{"sig": base64.b64encode(signature).decode()}],
    )


@pytest.mark.parametrize("form", ["elliptic-key", "certificate"])
def test_signatures_of_every_version_of_the_reference_tool_hold(vectors: Path, form: str) -> None:
    folders = sorted(vectors.glob(f"v*-{form}"))
    assert len(folders) >= 4
    for folder in folders:
        bundle = (folder / "model.sig").read_bytes()
        found = model_signing.verify(bundle, anchor(vectors, form), "model.sig")
        assert {resource.name for resource in found.resources} <= {".", "signme-1", "signme-2"}
        flipped = bytearray(base64.b64decode(json.loads(bundle)["dsseEnvelope"]["payload"]))
        flipped[-20] ^= 1
        wrong = changed(bundle, dsseEnvelope__payload=base64.b64encode(flipped).decode())
        with pytest.raises(Damaged, match="doesn't verify"):
            model_signing.verify(wrong, anchor(vectors, form), "model.sig")


def test_keyless_signatures_are_refused_with_the_reason(vectors: Path) -> None:
    folders = sorted(vectors.glob("v*-sigstore"))
    assert len(folders) >= 4
    for folder in folders:
        with pytest.raises(Unsupported, match="a public log on the internet"):
            model_signing.verify((folder / "model.sig").read_bytes(), anchor(vectors, "key"), "model.sig")


def test_whose_signature_it_is_is_not_what_it_says(vectors: Path, pem: bytes) -> None:
    by_key = (vectors / "v1.1.0-elliptic-key" / "model.sig").read_bytes()
    by_certificate = (vectors / "v1.1.0-certificate" / "model.sig").read_bytes()
    with pytest.raises(OtherKey):
        model_signing.verify(by_key, pem, "model.sig")
    for wrong in (pem, (vectors / "keys" / "certificate" / "signing-key-pub.pem").read_bytes()):
        with pytest.raises(OtherKey):
            model_signing.verify(by_certificate, wrong, "model.sig")
    own_hint = json.loads(model_signing.sign(MANIFEST, ec.generate_private_key(ec.SECP256R1())))
    lying = changed(by_key, verificationMaterial=own_hint["verificationMaterial"])
    with pytest.raises(OtherKey):
        model_signing.verify(lying, anchor(vectors, "elliptic-key"), "model.sig")


def test_a_chain_must_lead_to_the_root(vectors: Path) -> None:
    bundle = (vectors / "v1.1.0-certificate" / "model.sig").read_bytes()
    alone = changed(
        bundle,
        verificationMaterial__x509CertificateChain__certificates=json.loads(bundle)["verificationMaterial"][
            "x509CertificateChain"
        ]["certificates"][:1],
    )
    with pytest.raises(OtherKey, match="don't lead"):
        model_signing.verify(alone, anchor(vectors, "certificate"), "model.sig")
    intermediate = (vectors / "keys" / "certificate" / "int-ca-cert.pem").read_bytes()
    assert model_signing.verify(alone, intermediate, "model.sig").resources
    other = authority("somebody else")
    with pytest.raises(OtherKey):
        model_signing.verify(bundle, other.public_bytes(serialization.Encoding.PEM), "model.sig")


def authority(name: str) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    named = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, name)])
    at = datetime(2025, 1, 1, tzinfo=UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(named)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(at)
        .not_valid_after(at + timedelta(days=9000))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )


def test_our_statement_is_the_one_that_the_reference_tool_makes(shared_data: Path) -> None:
    """Its own golden payloads, from their resources back to the whole."""
    golden = shared_data / "vectors" / "model-signing" / "tests" / "_signing" / "testdata" / "signing" / "TestPayload"
    files = [path for path in sorted(golden.iterdir()) if "shard" not in path.name]
    assert len(files) >= 7
    for path in files:
        theirs = json.loads(path.read_text())
        predicate = theirs["predicate"]
        manifest = Manifest(
            model=theirs["subject"][0]["name"],
            resources=tuple(Resource(**found) for found in reversed(predicate["resources"])),
            allow_symlinks=predicate["serialization"]["allow_symlinks"],
        )
        assert json.loads(model_signing.statement(manifest)) == theirs, path.name


def test_golden_payloads_in_pieces_are_read(shared_data: Path, key: ec.EllipticCurvePrivateKey, pem: bytes) -> None:
    golden = shared_data / "vectors" / "model-signing" / "tests" / "_signing" / "testdata" / "signing" / "TestPayload"
    for path in sorted(golden.iterdir()):
        theirs = json.loads(path.read_text())
        found = model_signing.verify(resigned(key, theirs), pem, "model.sig")
        assert len(found.resources) == len(theirs["predicate"]["resources"])
        assert found.method == theirs["predicate"]["serialization"]["method"]


def test_a_persons_key_is_always_the_same_and_theirs_alone(key: ec.EllipticCurvePrivateKey, pem: bytes) -> None:
    again = model_signing.signing_key(SigningKeys.from_bytes(bytes(range(64))))
    assert again.private_numbers() == key.private_numbers()
    other = model_signing.signing_key(SigningKeys.generate())
    assert other.private_numbers() != key.private_numbers()
    bundle = model_signing.sign(MANIFEST, key)
    found = model_signing.verify(bundle, pem, "model.sig")
    assert [resource.name for resource in found.resources] == ["a", "b"]
    assert model_signing.signer(bundle, "model.sig") == f"the key {model_signing.fingerprint(pem, 'key')}"
    with pytest.raises(OtherKey):
        model_signing.verify(bundle, model_signing.public_pem(other.public_key()), "model.sig")


def test_what_is_signed_must_be_a_list_of_files_below_the_model(key: ec.EllipticCurvePrivateKey, pem: bytes) -> None:
    good = json.loads(model_signing.statement(MANIFEST))

    def problem(**fields: object) -> str:
        with pytest.raises((Damaged, Unsupported)) as caught:
            model_signing.verify(
                resigned(key, json.loads(changed(json.dumps(good).encode(), **fields))), pem, "model.sig"
            )
        return str(caught.value)

    def rooted(*names: str, algorithm: str = "sha256") -> dict[str, object]:
        resources = [{"name": name, "algorithm": algorithm, "digest": "11" * 32} for name in names]
        root = model_signing._root([Resource("", "", "11" * 32)] * len(names))
        return {"predicate__resources": resources, "subject": [{"name": "m", "digest": {"sha256": root}}]}

    assert "doesn't fit" in problem(subject=[{"name": "m", "digest": {"sha256": "00" * 32}}])
    assert "doesn't fit" in problem(predicate__resources__0__digest="33" * 32)
    for name in ("../a", "/a", "a\\b", "", "a/../../b"):
        assert "outside the model" in problem(**rooted(name))
    assert "one twice" in problem(**rooted("a", "a"))
    assert "different kinds" in problem(**rooted("a", algorithm="md5"))
    assert "doesn't know" in problem(predicate__serialization__method="magic")
    assert "doesn't know" in problem(predicate__serialization__method="shards")
    assert "blake3" in problem(predicate__serialization__hash_type="blake3")
    assert "something else" in problem(predicateType="https://slsa.dev/provenance/v1")
    assert "no list" in problem(subject=[])


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[" * 100_000, b"\xff\xfe", b'{"mediaType": 3}', b"null", b'{"mediaType":"x"}']
)
def test_bytes_that_are_no_bundle_get_a_sentence(content: bytes, pem: bytes) -> None:
    with pytest.raises(AssayError, match=r"^model\.sig: "):
        model_signing.verify(content, pem, "model.sig")


def test_a_bundle_with_other_than_one_signature_or_signer(key: ec.EllipticCurvePrivateKey, pem: bytes) -> None:
    bundle = model_signing.sign(MANIFEST, key)
    one = json.loads(bundle)["dsseEnvelope"]["signatures"][0]
    for wrong in (
        changed(bundle, dsseEnvelope__signatures=[]),
        changed(bundle, dsseEnvelope__signatures=[one, one]),
        changed(bundle, verificationMaterial={}),
        changed(bundle, verificationMaterial__x509CertificateChain={"certificates": [{"rawBytes": "AAAA"}]}),
        changed(bundle, dsseEnvelope__payload="?"),
    ):
        with pytest.raises(Damaged):
            model_signing.verify(wrong, pem, "model.sig")
    with pytest.raises(Unsupported):
        model_signing.verify(changed(bundle, mediaType="application/other"), pem, "model.sig")


def test_every_flipped_bit_of_a_bundle_is_noticed(key: ec.EllipticCurvePrivateKey, pem: bytes) -> None:
    """But for those of the envelope's `keyid`, which says nothing, and of names that nobody reads."""
    bundle = model_signing.sign(Manifest(model="m", resources=(Resource(".", "sha256", "11" * 32),)), key)
    whole = model_signing.verify(bundle, pem, "model.sig")
    for place in range(0, len(bundle), 3):
        flipped = bytearray(bundle)
        flipped[place] ^= 1 << place % 8
        try:
            assert model_signing.verify(bytes(flipped), pem, "model.sig") == whole
        except AssayError:
            continue
        around = bytes(bundle[max(0, place - 25) : place + 25])
        assert any(name in around for name in (b"keyid", b"tlogEntries", b"hint", b"publicKey")), around


def test_keys_of_other_kinds_are_refused() -> None:
    edwards = ed25519.Ed25519PrivateKey.generate().public_key()
    form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    koblitz = ec.generate_private_key(ec.SECP256K1()).public_key()
    private = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for pem in (edwards.public_bytes(*form), koblitz.public_bytes(*form), private, b"", b"-----BEGIN CERTIFICATE-----"):
        with pytest.raises(BadInput, match="no public key"):
            model_signing.fingerprint(pem, "key.pem")
