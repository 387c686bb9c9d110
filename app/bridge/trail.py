"""The audit log as its page asks for it: in pages, one entry with all that it names, proofs and exports. Runs off the UI thread."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.jobs import Job
from core.paths import write_whole
from core.vault import trail
from core.vault.trail import TrailQuery

if TYPE_CHECKING:
    from core.vault.records import LogEntry
    from core.vault.signing import Signer
    from core.workbench import Workbench

PAGE = 200
"""Entries of a page: some screens, read in a few milliseconds."""
CHECKED_AT_ONCE = 2_000


@dataclass(frozen=True)
class Overview:
    """What the page says above the entries. `reviewed` is the first entry that nobody else has reviewed; `people` are the names by user."""

    size: int
    people: dict[str, str]
    unreviewed: tuple[tuple[int, int], ...]
    rollback: str
    kept: bool
    """Whether a checkpoint of this vault is kept outside it, on this machine."""


@dataclass(frozen=True)
class Part:
    """Some entries, newest first, of a log of `size`; `more` is what to ask the next ones with, None at the end."""

    entries: "tuple[LogEntry, ...]"
    size: int
    more: int | None


@dataclass(frozen=True)
class Named:
    """What an entry names: a digest, and what it is here."""

    digest: str
    kind: str


@dataclass(frozen=True)
class Detail:
    """One entry with the leaf that stands for it in the tree, and what it names."""

    entry: "LogEntry"
    leaf: str
    made: tuple[Named, ...]
    touched: tuple[Named, ...]


MOST_NAMED = 200


def overview(bench: "Workbench") -> Overview:
    """Read what the page says above the entries."""
    from core.vault import checkpoints

    rollback = getattr(bench.vault, "rollback", None)
    with bench.vault.read() as reader:
        return Overview(
            size=reader.log_size,
            people={user.user: user.name for user in bench.vault.users()},
            unreviewed=trail.unreviewed(reader),
            rollback="" if rollback is None else rollback.sentence,
            kept=checkpoints.place(bench.vault.id).exists(),
        )


def size(bench: "Workbench") -> int:
    """Entries in the log."""
    with bench.vault.read() as reader:
        return reader.log_size


def part(bench: "Workbench", query: TrailQuery) -> Part:
    """Some entries. Raises `BadInput`, `Damaged`."""
    with bench.vault.read() as reader:
        found = trail.search(reader, query)
        return Part(found.entries, found.size, found.next)


def detail(bench: "Workbench", index: int) -> Detail:
    """One entry. Raises `NotFound`, `Damaged`."""
    from core.errors import NotFound
    from core.trust.merkle import leaf_hash

    with bench.vault.read() as reader:
        entry = reader.log(1, index - 1)[0]

        def named(digest: str) -> Named:
            try:
                return Named(digest, reader.kind(digest))  # type: ignore[arg-type]
            except NotFound:
                return Named(digest, "content")

        return Detail(
            entry=entry,
            leaf=leaf_hash(reader.log_bytes(index)).hex(),
            made=tuple(named(digest) for digest in entry.objects[:MOST_NAMED]),
            touched=tuple(named(digest) for digest in (entry.touched or ())[:MOST_NAMED]),
        )


def check(bench: "Workbench", job: Job) -> int:
    """Compare every entry with its leaf, and the tree with its leaves; how many entries. Raises `Damaged`, `Cancelled`."""
    from core.errors import Damaged
    from core.vault import log_tree

    with bench.vault.read() as reader:
        whole = reader.log_size
        for start in range(0, whole, CHECKED_AT_ONCE):
            found = reader.log(CHECKED_AT_ONCE, start - 1)
            wanted = min(CHECKED_AT_ONCE, whole - start)
            if [entry.index for entry in found] != list(range(start, start + wanted)):
                raise Damaged(source="Audit log", problem=f"entries from {start} on are missing. Restore a backup.")
            job.report(start + wanted, whole, "entries")
        for where in log_tree.wrong_tiles(reader.db):
            raise Damaged(source="Audit log", problem=f"the tree over it is wrong at {where}. Restore a backup.")
    return whole


def save_proof(bench: "Workbench", index: int, path: Path) -> None:
    """Write the proof that an entry is in the log, with the log's checkpoint."""
    from core.vault import witnesses

    write_whole(path, witnesses.prove(bench.vault, index), private=False)


def save_checkpoint(bench: "Workbench", path: Path) -> None:
    """Write the log's signed checkpoint, to be kept on another machine."""
    from core.vault import witnesses

    write_whole(path, witnesses.checkpoint(bench.vault), private=False)


def save_request(bench: "Workbench", path: Path) -> None:
    """Write what a witness on another machine is to cosign."""
    from core.vault import witnesses

    write_whole(path, witnesses.request(bench.vault), private=False)


def take_cosigned(bench: "Workbench", path: Path, witness: str) -> int:
    """Keep what a witness gave back; how many cosignatures were new. `witness`: its verifier key, where it is new here. Raises `Damaged`."""
    from core.vault import witnesses

    return len(witnesses.accept(bench.vault, path.read_bytes(), (witness,) if witness else ()))


def export(bench: "Workbench", query: TrailQuery, path: Path, reason: str) -> int:
    """Write what fits a query as CSV or JSON; how many entries. Raises `BadInput`, `Refused`."""
    return trail.export(bench.vault, path, query, reason).entries


@dataclass(frozen=True)
class ToReview:
    """What a review would be signed for: the text that is shown, and the root that it names."""

    first: int
    last: int
    text: str
    root: str


def to_review(bench: "Workbench", first: int, last: int) -> ToReview:
    """Tell of a range what a reviewer signs. Raises `BadInput`."""
    from collections import Counter

    from core.errors import BadInput
    from core.vault.log_tree import LogTree

    with bench.vault.read() as reader:
        whole = reader.log_size
        if not 0 <= first <= last < whole:
            raise BadInput(source=f"{first} to {last}", problem=f"give a range from 0 to {whole - 1}, the last entry.")
        root = LogTree().root_at(reader.db, last + 1).hex()
        counts: Counter[tuple[str, str]] = Counter()
        for user, act in reader.db.execute("SELECT user, act FROM trail WHERE seq BETWEEN ? AND ?", (first, last)):
            counts[user, act] += 1
        ends = (reader.log(1, first - 1)[0], reader.log(1, last - 1)[0])
    lines = [
        f"Audit trail of {bench.vault.log_name}",
        f"Entries {first} to {last}, {last - first + 1} in all",
        f"From {ends[0].time} to {ends[1].time}",
        f"Root of the first {last + 1} entries: {root}",
        "",
        *(f"{user}: {act}, {count}" for (user, act), count in sorted(counts.items())),
    ]
    mine = sum(count for (user, _), count in counts.items() if user == bench.vault.user.user)
    if mine:
        lines += ["", f"{mine} of them are the reviewer’s own and are not covered: somebody else must review those."]
    return ToReview(first, last, "\n".join(lines), root)


def review(bench: "Workbench", signer: "Signer", wanted: ToReview, findings: str) -> str:
    """Sign that a range was read; what the review is called. Raises `BadInput`, `Refused`."""
    made = trail.review(bench.vault, signer, wanted.first, wanted.last, findings)
    return f"entries {made.review.first} to {made.review.last}"


def settle(bench: "Workbench", reason: str) -> None:
    """Take the log as it is, after a restored backup. Raises `BadInput`, `Refused`."""
    from core.vault import checkpoints

    checkpoints.settle(bench.vault, reason)
