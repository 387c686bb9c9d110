"""What the vault itself keeps: people, signatures, and the entries of the audit log."""

from msgspec import UNSET, UnsetType

from core.records import Digest, Record


class User(Record, frozen=True, kw_only=True):
    """A person as a vault knows them. `roles` and `name` (as printed on signatures) are those of their current card."""

    user: str
    name: str
    roles: tuple[str, ...]
    card: Digest
    """The fingerprint of their current card."""
    active: bool = True


class Signature(Record, frozen=True, kw_only=True, tag="signature"):
    """One person's act of signing one content. The envelope is the proof; the other fields repeat what its statement says."""

    subject: Digest
    subject_name: str
    meaning: str
    """authored, reviewed, approved or released."""
    user: str
    name: str
    """The printed name on the signer's card."""
    time: str
    reason: str
    card: Digest
    envelope: str
    """DSSE JSON around the in-toto Statement."""


class LogEntry(Record, frozen=True, kw_only=True, tag="log-entry"):
    """One committed change, showing, sign-in or refusal. A leaf of the log is the entry's canonical bytes.

    A field that is `UNSET` isn't written at all, so an entry has the same bytes whichever version of the program reads it.
    """

    index: int
    """Its place in the log, from 0."""
    user: str
    time: str
    act: str
    """The word of an `Act`."""
    about: str
    reason: str
    objects: tuple[Digest, ...]
    """What the change recorded, in order: digests of records, commitments to blobs."""
    before: str | UnsetType = UNSET
    """What the change replaced, in a short word or a digest."""
    after: str | UnsetType = UNSET
    """What stands there now."""
    touched: tuple[Digest, ...] | UnsetType = UNSET
    """What was kept before and was signed, shown, exported or erased now."""


class Finding(Record, frozen=True, kw_only=True):
    """Something that a check found wrong: where, what, and what to do about it."""

    where: str
    what: str
    step: str
