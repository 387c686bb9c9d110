"""Chains of X.509 certificates that sign models: from the signer's to a root that somebody trusts. Pure.

Rules: each certificate was issued by the next one's key, which is an authority's and was valid when the signer's began to be (a signature
says no time that could be believed); the last is, or was issued by, a trusted root; the signer's may sign. Nothing is asked of a network, so
no revocation is known.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec

from core.errors import Damaged

LONGEST: Final = 8
"""Certificates in a chain; real ones have two or three."""
_ABSENT: Final = (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)


class OtherKey(Damaged):
    """The signature is by somebody else than the given key or roots. Fields: `source`, `problem`."""


def signing_key(
    chain: Sequence[x509.Certificate], roots: Sequence[x509.Certificate], source: str
) -> ec.EllipticCurvePublicKey:
    """The key of the first certificate, once the chain leads to one of the roots. Raises `OtherKey`, `Damaged`."""
    leaf = subject = chain[0]
    at, waiting = leaf.not_valid_before_utc, list(chain[1:])
    while not any(subject == root or _issued(subject, root, at) for root in roots):
        issuer = next((found for found in waiting if _issued(subject, found, at)), None)
        if issuer is None:
            raise OtherKey(source=source, problem="its certificates don't lead to the given root.")
        waiting.remove(issuer)
        subject = issuer
    try:
        key = leaf.public_key()
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.key_size not in (256, 384, 521) or not _signs(leaf):
        raise Damaged(source=source, problem="its certificate isn't one for signing models.")
    return key


def _issued(subject: x509.Certificate, issuer: x509.Certificate, at: datetime) -> bool:
    try:
        authority = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        subject.verify_directly_issued_by(issuer)
    except (*_ABSENT, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return authority and issuer.not_valid_before_utc <= at <= issuer.not_valid_after_utc


def _signs(leaf: x509.Certificate) -> bool:
    try:
        if leaf.extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature:
            return True
    except _ABSENT:
        pass
    try:
        usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except _ABSENT:
        return False
    return x509.oid.ExtendedKeyUsageOID.CODE_SIGNING in usage
