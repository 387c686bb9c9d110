"""Reviews of the audit trail: somebody read a range of it and signs what they found.

Rules: a review names the range and the root of the log up to its end, and is signed as reviewed; it doesn't count for what the reviewer did
themself; a range in which they alone acted isn't theirs to review.
"""

from collections.abc import Iterable

from core.errors import BadInput, Damaged, Refused
from core.records import Digest, Record
from core.vault.log_tree import LogTree
from core.vault.records import Signature
from core.vault.roles import Act
from core.vault.signing import Signer
from core.vault.unit import Reader
from core.vault.vault import Vault


class TrailReview(Record, frozen=True, kw_only=True, tag="trail-review"):
    """That somebody read the log's entries from `first` to `last` and found what `findings` says."""

    origin: str
    first: int
    last: int
    root: Digest
    """The root of the log's first `last` + 1 entries."""
    reviewer: str
    findings: str
    own: tuple[tuple[int, int], ...]
    """The reviewer's own entries, from and to: not covered, someone else must look at them."""
    made: str


class Reviewed(Record, frozen=True, kw_only=True):
    """A review as the vault keeps it."""

    digest: Digest
    review: TrailReview
    signature: Signature


def review(vault: Vault, signer: Signer, first: int, last: int, findings: str) -> Reviewed:
    """Sign that the entries from `first` to `last` were read. Raises `BadInput`, and `Refused` when all of them are the reviewer's own."""
    findings = findings.strip()
    if not findings:
        raise BadInput(source="Findings", problem="say what was found, or that nothing was.")
    name = f"audit trail, entries {first} to {last}"
    with vault.write(Act.REVIEW_TRAIL, about=f"entries {first} to {last}", reason=findings) as unit:
        if not 0 <= first <= last < unit.log_size:
            raise BadInput(
                source=f"{first} to {last}", problem=f"give a range from 0 to {unit.log_size - 1}, the last entry."
            )
        rows = unit.db.execute(
            "SELECT seq FROM trail WHERE user = ? AND seq BETWEEN ? AND ? ORDER BY seq", (unit.user.user, first, last)
        )
        own = _runs(row[0] for row in rows)
        if own == ((first, last),):
            raise Refused(act=f"Review the {name}", reason="You alone acted in it; someone else must review that.")
        made = TrailReview(
            origin=vault.log_name,
            first=first,
            last=last,
            root=Digest(LogTree().root_at(unit.db, last + 1).hex()),
            reviewer=unit.user.user,
            findings=findings,
            own=own,
            made=unit.time,
        )
        digest = unit.put(made)
        signature = unit.sign(signer, digest, name, "reviewed", findings)
        unit.note(after=f"entries {first} to {last}")
    return Reviewed(digest=digest, review=made, signature=signature)


def reviews(reader: Reader) -> tuple[Reviewed, ...]:
    """All reviews that carry their reviewer's signature, oldest first. Raises `Damaged` when the log is another one than was reviewed."""
    found = []
    for digest in reader.find(TrailReview):
        made = reader.get(digest, TrailReview)
        if LogTree().root_at(reader.db, made.last + 1).hex() != made.root:
            raise Damaged(
                source=f"Review of entries {made.first} to {made.last}",
                problem="the log isn't the one that was reviewed. Run `assay vault check` and restore a backup.",
            )
        signed = [s for s in reader.signatures(digest) if s.user == made.reviewer and s.meaning == "reviewed"]
        if signed:
            found.append(Reviewed(digest=digest, review=made, signature=signed[0]))
    return tuple(found)


def unreviewed(reader: Reader) -> tuple[tuple[int, int], ...]:
    """The parts of the log, from and to, that nobody but those who acted there has reviewed."""
    covered: list[tuple[int, int]] = []
    for made in (found.review for found in reviews(reader)):
        start = made.first
        for own_first, own_last in made.own:
            covered.append((start, own_first - 1))
            start = own_last + 1
        covered.append((start, made.last))
    gaps, at = [], 0
    for first, last in sorted(part for part in covered if part[0] <= part[1]):
        if first > at:
            gaps.append((at, first - 1))
        at = max(at, last + 1)
    return (*gaps, (at, reader.log_size - 1)) if at < reader.log_size else tuple(gaps)


def _runs(numbers: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Ascending numbers as runs, from and to."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return tuple(runs)
