"""Whether a signature that lies in the vault counts: pure reading, nothing believed that isn't proven.

Somebody with the vault's key and SQL can put any row into the file. So a signature's record counts for nothing by itself; what counts
is its envelope, verified with the keys of a card that leads to the vault's first card, for the person whose card it is. The rules:

1. Both signatures in the envelope verify with the keys on the card, and the card verifies up to the vault's first one.
2. What the record repeats is what the signed statement says, and the person is the one on the card.
3. The card was valid at the time of signing, and wasn't ended before the entry of the audit log that tells of the signature.
4. The earlier signatures that the statement covers are still there.
5. Nobody counts as reviewer or approver of what they wrote or signed as its author. People count, not cards.
"""

from core.errors import AssayError
from core.records import Digest, kind
from core.trust import envelopes, statements
from core.trust.times import parse_time
from core.vault import cards, users
from core.vault.records import Signature
from core.vault.signing import envelope_digest
from core.vault.unit import Reader

JUDGING = ("reviewed", "approved")
"""The meanings that only somebody else than an author may give."""


def problem(reader: Reader, digest: Digest, signature: Signature) -> str:
    """What is wrong with a signature whose record has that digest, in one sentence; "" where nothing is."""
    try:
        return _wrong(reader, digest, signature)
    except AssayError as error:
        return str(error)


def counting(reader: Reader, subject: Digest) -> tuple[Signature, ...]:
    """The signatures on a record that hold by the rules above, oldest first."""
    found = []
    for digest in reader.linked_from(subject):
        if reader.kind(digest) == kind(Signature) and reader.links(digest)[0] == subject:
            signature = reader.get(digest, Signature)
            if not problem(reader, digest, signature):
                found.append(signature)
    return tuple(found)


def judges(reader: Reader, subject: Digest) -> dict[str, set[str]]:
    """Who reviewed or approved a record that they didn't write: the user, with the meanings that they gave."""
    authors = reader.authors(subject)
    given: dict[str, set[str]] = {}
    for signature in counting(reader, subject):
        if signature.meaning in JUDGING and signature.user not in authors:
            given.setdefault(signature.user, set()).add(signature.meaning)
    return given


def _wrong(reader: Reader, digest: Digest, signature: Signature) -> str:
    card = users.card(reader.db, signature.card)
    payload = envelopes.verify(signature.envelope.encode("utf-8"), card.keys)
    subjects, signing = statements.parse(payload)
    said = (
        subjects[0].digest,
        subjects[0].name,
        signing.meaning,
        signing.name,
        signing.time,
        signing.reason,
        signing.card,
    )
    kept = (
        signature.subject,
        signature.subject_name,
        signature.meaning,
        signature.name,
        signature.time,
        signature.reason,
        signature.card,
    )
    if said != kept or (card.user, card.name) != (signature.user, signature.name):
        return "what is kept of it differs from the signed statement."
    if not cards.rooted(reader, signature.card):
        return "its card leads to another one than that which the vault was made with."
    if not card.valid_at(parse_time(signing.time, "signature")):
        return f"it was made {signing.time}, when the card wasn't valid."
    ended = cards.ended(reader, signature.card)
    if ended is not None and cards.place(reader, digest) >= ended.size:
        return f"it was made after the card was ended on {ended.time}."
    known = {envelope_digest(other.envelope) for other in reader.signatures(signature.subject)}
    if not {subject.digest for subject in subjects[1:]} <= known:
        return "an earlier signature that it covers is missing."
    if signature.meaning == "approved" and _wrote(reader, signature):
        return "it approves the signer's own work."
    return ""


def _wrote(reader: Reader, signature: Signature) -> bool:
    return reader.kind(signature.subject) != "blob" and signature.user in reader.authors(signature.subject)
