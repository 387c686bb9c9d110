"""Signatures on model files in the form of OpenSSF Model Signing 1.0: bytes in, a trusted manifest out.

A Sigstore bundle holds a DSSE envelope over an in-toto statement, and the statement the manifest: each file's name and digest, and how
they were taken. The rules, in order:

1. The bundle is a version 0.3 bundle with a public key or a chain of certificates. A keyless one leans on a public log and is refused.
2. Who counts is the caller's PEM (a public key, or root certificates), never what the bundle says of itself.
3. A chain leads to one of those roots, each certificate by its issuer's signature and valid when the first one began to be; the first may
   sign code.
4. One signature, ECDSA on P-256, P-384 or P-521 with the hash of the curve's size, over DSSE's PAE of the exact payload. Signatures of the
   tool's versions before 1.0, over the PAE that it then made, count too.
5. The statement's subject is the digest of all digests in order; names are relative paths that stay below the model, none twice.

People sign with a P-256 key made from their own signing keys, so that whoever opens those opens this one, and nobody else.
"""

import base64
import binascii
import hashlib
from pathlib import PurePosixPath
from typing import Annotated, Final

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.errors import BadInput, Damaged, Unsupported
from core.records import Digest, Record
from core.trust import chains
from core.trust.chains import OtherKey
from core.trust.envelopes import IN_TOTO, pae
from core.trust.keys import SigningKeys

MEDIA_TYPE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
STATEMENT: Final = "https://in-toto.io/Statement/v1"
PREDICATE: Final = "https://model_signing/signature/v1.0"
EARLY_PREDICATE: Final = "https://model_signing/Digests/v0.1"
LARGEST_BUNDLE: Final = 64 * 1024 * 1024
LARGEST_PEM: Final = 1_000_000
ALGORITHMS: Final = ("sha256", "blake2b")
HASHES: Final = {256: hashes.SHA256(), 384: hashes.SHA384(), 521: hashes.SHA512()}
"""Which hash goes with which size of curve."""
_INFO: Final = b"assay openssf model signing p-256 1"
_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class Resource(msgspec.Struct, frozen=True):
    """One file of a model, or one piece of a file (`name:start:end`), with its digest in hexadecimal."""

    name: str
    algorithm: str
    digest: str


class Manifest(Record, frozen=True, kw_only=True):
    """What was signed. `method`: "files" or "shards"; `ignored`: paths below the model that were left out."""

    model: str
    resources: tuple[Resource, ...]
    method: str = "files"
    algorithm: str = "sha256"
    shard_size: int = 0
    allow_symlinks: bool = False
    ignored: tuple[str, ...] = ()


class _Raw(msgspec.Struct, rename={"raw_bytes": "rawBytes"}):
    raw_bytes: str = ""


class _PublicKey(msgspec.Struct, rename={"raw_bytes": "rawBytes"}):
    hint: str | None = None
    raw_bytes: str = ""


class _Chain(msgspec.Struct):
    certificates: list[_Raw]


class _Material(
    msgspec.Struct, rename={"public_key": "publicKey", "chain": "x509CertificateChain", "keyless": "certificate"}
):
    public_key: _PublicKey | None = None
    chain: _Chain | None = None
    keyless: _Raw | None = None


class _Sig(msgspec.Struct):
    sig: str


class _Envelope(msgspec.Struct, rename={"payload_type": "payloadType"}):
    payload: str
    payload_type: str
    signatures: list[_Sig]


class _Bundle(
    msgspec.Struct,
    rename={"media_type": "mediaType", "material": "verificationMaterial", "envelope": "dsseEnvelope"},
):
    media_type: str
    material: _Material
    envelope: _Envelope


class _Subject(msgspec.Struct):
    name: str
    digest: dict[str, str]


class _Serialization(msgspec.Struct, frozen=True):
    method: str = "files"
    hash_type: str = "sha256"
    allow_symlinks: bool | str = False
    shard_size: float = 0
    ignore_paths: tuple[str, ...] = ()


class _Predicate(msgspec.Struct, frozen=True):
    serialization: _Serialization = _Serialization()
    resources: tuple[Resource, ...] = ()


class _Statement(msgspec.Struct, rename={"type": "_type", "subjects": "subject", "predicate_type": "predicateType"}):
    type: str
    subjects: Annotated[list[_Subject], msgspec.Meta(min_length=1)]
    predicate_type: str
    predicate: _Predicate


def signing_key(keys: SigningKeys) -> ec.EllipticCurvePrivateKey:
    """A person's P-256 key: always the same one, made from their signing keys (HKDF-SHA256; FIPS 186-5, A.2.1)."""
    seed = HKDF(hashes.SHA256(), 48, None, _INFO).derive(keys.to_bytes())
    return ec.derive_private_key(int.from_bytes(seed) % (_P256_ORDER - 1) + 1, ec.SECP256R1())


def public_pem(key: ec.EllipticCurvePublicKey) -> bytes:
    """The public key as PEM."""
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def fingerprint(pem: bytes, source: str) -> Digest:
    """The SHA-256 that names a public key, or root certificates, in a bundle and here. Raises `BadInput`."""
    found = _anchor(pem, source)
    if isinstance(found, list):
        return Digest(hashlib.sha256(b"".join(c.public_bytes(serialization.Encoding.DER) for c in found)).hexdigest())
    return Digest(hashlib.sha256(public_pem(found)).hexdigest())


def sign(manifest: Manifest, key: ec.EllipticCurvePrivateKey) -> bytes:
    """The bundle over a manifest by a P-256 key."""
    payload = statement(manifest)
    signature = key.sign(pae(IN_TOTO, payload), ec.ECDSA(HASHES[key.curve.key_size]))
    hint = hashlib.sha256(public_pem(key.public_key())).hexdigest()
    return msgspec.json.encode(
        {
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": {"publicKey": {"hint": hint}, "tlogEntries": []},
            "dsseEnvelope": {
                "payload": base64.b64encode(payload).decode(),
                "payloadType": IN_TOTO,
                "signatures": [{"sig": base64.b64encode(signature).decode(), "keyid": ""}],
            },
        }
    )


def statement(manifest: Manifest) -> bytes:
    """The in-toto statement over a manifest, its resources in the order of their paths."""
    resources = sorted(manifest.resources, key=lambda resource: PurePosixPath(resource.name))
    taken: dict[str, object] = {
        "method": manifest.method,
        "hash_type": manifest.algorithm,
        "allow_symlinks": manifest.allow_symlinks,
    }
    if manifest.ignored:
        taken["ignore_paths"] = list(manifest.ignored)
    return msgspec.json.encode(
        {
            "_type": STATEMENT,
            "subject": [{"name": manifest.model, "digest": {"sha256": _root(resources)}}],
            "predicateType": PREDICATE,
            "predicate": {
                "serialization": taken,
                "resources": [
                    {"name": found.name, "algorithm": found.algorithm, "digest": found.digest} for found in resources
                ],
            },
        }
    )


def signer(bundle: bytes, source: str) -> str:
    """Whom the bundle itself names, nothing verified: a key's fingerprint, a certificate's name. Raises as `verify`."""
    material = _bundle(bundle, source).material
    if material.chain is not None:
        name = _certificates(material.chain, source)[0].subject.rfc4514_string()
        return f"a certificate of {name[:200]}"
    key = material.public_key or _PublicKey()
    hint = key.hint or (hashlib.sha256(_unb64(key.raw_bytes, source)).hexdigest() if key.raw_bytes else "")
    return f"the key {hint[:64]}" if hint else "an unnamed key"


def verify(bundle: bytes, pem: bytes, source: str) -> Manifest:
    """The manifest, once the signature over it holds for `pem`: a public key, or root certificates.

    Raises `OtherKey` when somebody else signed, `Damaged` (not by that key, or not a whole bundle), `Unsupported` (keyless, another format),
    `BadInput` (the PEM)."""
    parsed = _bundle(bundle, source)
    anchor = _anchor(pem, source)
    payload = _unb64(parsed.envelope.payload, source)
    if parsed.material.chain is not None:
        if not isinstance(anchor, list):
            raise OtherKey(source=source, problem="it is by a certificate. Give the root certificate that it leads to.")
        key = chains.signing_key(_certificates(parsed.material.chain, source), anchor, source)
    else:
        if isinstance(anchor, list):
            raise OtherKey(source=source, problem="it is by a plain key. Give that public key, not a certificate.")
        _same_key(parsed.material.public_key or _PublicKey(), anchor, source)
        key = anchor
    _check(key, _unb64(parsed.envelope.signatures[0].sig, source), payload, source)
    return _manifest(payload, source)


def _bundle(bundle: bytes, source: str) -> _Bundle:
    if len(bundle) > LARGEST_BUNDLE:
        raise Damaged(source=source, problem="larger than any signature. Take another copy.")
    try:
        parsed = msgspec.json.decode(bundle, type=_Bundle)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise Damaged(source=source, problem="not a signature bundle of OpenSSF Model Signing.") from None
    if parsed.media_type != MEDIA_TYPE or parsed.envelope.payload_type != IN_TOTO:
        raise Unsupported(source=source, reason="a signature of another form than OpenSSF Model Signing 1.0.")
    if parsed.material.keyless is not None:
        raise Unsupported(
            source=source,
            reason="a keyless signature, which a public log on the internet must confirm; that can't be asked from here. "
            "Ask for a signature by a key or a certificate.",
        )
    if len(parsed.envelope.signatures) != 1:
        raise Damaged(source=source, problem="it doesn't hold exactly one signature.")
    chain = parsed.material.chain
    if (chain is None) == (parsed.material.public_key is None):
        raise Damaged(source=source, problem="it doesn't say whether a key or a certificate signed it.")
    if chain is not None and not 1 <= len(chain.certificates) <= chains.LONGEST:
        raise Damaged(source=source, problem="its chain of certificates is empty or too long.")
    return parsed


def _anchor(pem: bytes, source: str) -> ec.EllipticCurvePublicKey | list[x509.Certificate]:
    problem = "the key given for it is no public key on P-256, P-384 or P-521, nor a certificate, in PEM form."
    if len(pem) > LARGEST_PEM or b"PRIVATE KEY" in pem:
        raise BadInput(source=source, problem=problem)
    try:
        if b"BEGIN CERTIFICATE" in pem:
            return x509.load_pem_x509_certificates(pem)
        key = serialization.load_pem_public_key(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise BadInput(source=source, problem=problem) from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(
        key.curve, ec.SECP256R1 | ec.SECP384R1 | ec.SECP521R1
    ):
        raise BadInput(source=source, problem=problem)
    return key


def _same_key(named: _PublicKey, key: ec.EllipticCurvePublicKey, source: str) -> None:
    pem = public_pem(key)
    if (named.hint and named.hint != hashlib.sha256(pem).hexdigest()) or (
        not named.hint and named.raw_bytes and _unb64(named.raw_bytes, source).strip() != pem.strip()
    ):
        raise OtherKey(source=source, problem="it is by another key than the one given.")


def _certificates(chain: _Chain, source: str) -> list[x509.Certificate]:
    try:
        return [x509.load_der_x509_certificate(_unb64(raw.raw_bytes, source)) for raw in chain.certificates]
    except ValueError:
        raise Damaged(source=source, problem="one of its certificates can't be read.") from None


def _check(key: ec.EllipticCurvePublicKey, signature: bytes, payload: bytes, source: str) -> None:
    usual = HASHES[key.curve.key_size]
    early = f"DSSEV1 {len(IN_TOTO)} {IN_TOTO} {len(payload)} {payload!r}".encode()
    for message, algorithm in ((pae(IN_TOTO, payload), usual), (early, usual), (early, hashes.SHA256())):
        try:
            key.verify(signature, message, ec.ECDSA(algorithm))
        except InvalidSignature:
            continue
        return
    raise Damaged(source=source, problem="the signature doesn't verify: it or what it covers was changed.")


def _manifest(payload: bytes, source: str) -> Manifest:
    try:
        found = msgspec.json.decode(payload, type=_Statement)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise Damaged(source=source, problem="what it signs is no list of a model's files.") from None
    if found.type != STATEMENT or found.predicate_type not in (PREDICATE, EARLY_PREDICATE):
        raise Unsupported(source=source, reason="it signs something else than a list of a model's files.")
    if found.predicate_type == EARLY_PREDICATE:
        named = ((subject.name, subject.digest.get("sha256", "")) for subject in found.subjects)
        resources = tuple(Resource(name, "sha256", digest) for name, digest in named)
        return _checked(Manifest(model="", resources=resources), source)
    if len(found.subjects) != 1 or found.subjects[0].digest.get("sha256") != _root(found.predicate.resources):
        raise Damaged(source=source, problem="its list of files doesn't fit its own digest.")
    taken = found.predicate.serialization
    return _checked(
        Manifest(
            model=found.subjects[0].name,
            resources=found.predicate.resources,
            method=taken.method,
            algorithm=taken.hash_type,
            shard_size=int(taken.shard_size),
            allow_symlinks=taken.allow_symlinks is True,
            ignored=taken.ignore_paths,
        ),
        source,
    )


def _checked(manifest: Manifest, source: str) -> Manifest:
    if manifest.method not in ("files", "shards") or (manifest.method == "shards") != (manifest.shard_size > 0):
        raise Unsupported(source=source, reason="it takes a model's digests in a way that this program doesn't know.")
    if manifest.algorithm not in ALGORITHMS:
        raise Unsupported(
            source=source, reason=f"it uses {manifest.algorithm[:20]} digests. Ask for a signature with SHA-256."
        )
    suffix = f"-sharded-{manifest.shard_size}" if manifest.method == "shards" else ""
    seen: set[str] = set()
    for resource in manifest.resources:
        path = resource.name.rsplit(":", 2)[0] if suffix else resource.name
        inside = path and not path.startswith("/") and "\\" not in path and "\0" not in path
        if not inside or ".." in PurePosixPath(path).parts or resource.name in seen:
            raise Damaged(source=source, problem="it names files outside the model, or one twice.")
        if resource.algorithm != manifest.algorithm + suffix:
            raise Damaged(source=source, problem="its digests are of different kinds.")
        seen.add(resource.name)
    return manifest


def _root(resources: tuple[Resource, ...] | list[Resource]) -> str:
    hashed = hashlib.sha256()
    for resource in resources:
        try:
            hashed.update(bytes.fromhex(resource.digest))
        except ValueError:
            return ""
    return hashed.hexdigest()


def _unb64(text: str, source: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Damaged(source=source, problem="not a whole signature bundle. Take another copy.") from None
