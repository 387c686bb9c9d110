"""Drafts of samples: made by a model or taken from answers and failures, and waiting for a person. Their table.

Rules: a draft is a record, written the moment it is made, so that a crash loses none; what a person makes of it is another record beside it. A
draft is waiting, accepted, rejected, or kept in a version of its dataset. Erasing a document erases the drafts that quote it.
"""

from collections.abc import Iterable, Sequence, Set
from typing import Final, Literal

from core.datasets.records import Sample
from core.errors import NotFound
from core.records import Digest, Record
from core.records import kind as kind_of
from core.vault.connection import Database
from core.vault.erasable import Erasable, documents_among, mentioning
from core.vault.migrations import Migrations
from core.vault.unit import Reader, Unit

State = Literal["waiting", "accepted", "rejected", "kept"]
STATES: Final = ("waiting", "accepted", "rejected", "kept")


class Checks(Record, frozen=True, kw_only=True):
    """What was looked at before a person was asked."""

    quoted: bool = False
    """The quote stands in the passage, word for word."""
    answered: bool = False
    """The quote holds the answer."""
    found_at: int = 0
    """Where a search with the question finds the passage, from 1; 0 where it doesn't."""


class Draft(Record, frozen=True, kw_only=True, tag="draft-sample"):
    """A sample that waits, with what a person needs to judge it. `edited` is the draft that this one was made from by a person."""

    dataset: str
    sample: Sample
    passage: str = ""
    note: str = ""
    """Why it is here, where no passage says so: the answer that failed."""
    checks: Checks = Checks()
    edited: Digest | None = None


class DraftView(Record, frozen=True, kw_only=True):
    """A draft as it stands."""

    number: int
    state: State
    digest: Digest
    draft: Draft


def _first(db: Database) -> None:
    db.execute(
        "CREATE TABLE drafts (number INTEGER PRIMARY KEY AUTOINCREMENT, dataset TEXT NOT NULL, state TEXT NOT NULL,"
        " passage TEXT NOT NULL, digest TEXT NOT NULL UNIQUE) STRICT"
    )
    db.execute("CREATE INDEX drafts_of ON drafts (dataset, state)")


SCHEMA = Migrations("datasets", (_first,))


def put(unit: Unit, draft: Draft, passage: str = "", links: Sequence[Digest] = ()) -> int:
    """Keep a new draft; its number. `passage` tells what it was made from, so that nothing is made from it twice."""
    digest = unit.put(draft, links=links)
    row = unit.db.conn.execute(
        "INSERT INTO drafts (dataset, state, passage, digest) VALUES (?, 'waiting', ?, ?)",
        (draft.dataset, passage, digest),
    )
    return int(row.lastrowid)


def find(reader: Reader, number: int) -> DraftView:
    """Raises `NotFound`."""
    row = reader.db.execute("SELECT state, digest FROM drafts WHERE number = ?", (number,)).fetchone()
    if row is None:
        raise NotFound(kind="draft", name=str(number), step="`assay dataset drafts NAME` shows those that there are.")
    return DraftView(number=number, state=row[0], digest=Digest(row[1]), draft=reader.get(Digest(row[1]), Draft))


def of(reader: Reader, dataset: str, states: Iterable[str]) -> tuple[DraftView, ...]:
    """The drafts of a dataset in these states, oldest first."""
    wanted = tuple(states)
    rows = reader.db.execute(
        f"SELECT number, state, digest FROM drafts WHERE dataset = ? AND state IN ({', '.join('?' * len(wanted))})"
        " ORDER BY number",
        (dataset, *wanted),
    ).fetchall()
    return tuple(
        DraftView(number=int(number), state=state, digest=Digest(digest), draft=reader.get(Digest(digest), Draft))
        for number, state, digest in rows
    )


def counts(reader: Reader) -> dict[str, int]:
    """How many drafts of each dataset wait or are accepted and not kept yet."""
    rows = reader.db.execute(
        "SELECT dataset, count(*) FROM drafts WHERE state IN ('waiting', 'accepted') GROUP BY dataset ORDER BY dataset"
    ).fetchall()
    return {str(dataset): int(count) for dataset, count in rows}


def passages(reader: Reader, dataset: str) -> frozenset[str]:
    """What drafts of a dataset were made from already."""
    rows = reader.db.execute("SELECT passage FROM drafts WHERE dataset = ?", (dataset,)).fetchall()
    return frozenset(str(row[0]) for row in rows)


def decide(unit: Unit, view: DraftView, state: State, changed: Draft | None = None) -> None:
    """Set a draft's state; `changed` takes its place."""
    digest = unit.put(changed, links=(view.digest,)) if changed is not None else view.digest
    unit.note(before=f"draft {view.number}: {view.state}", after=f"draft {view.number}: {state}", touched=(digest,))
    unit.db.execute("UPDATE drafts SET state = ?, digest = ? WHERE number = ?", [state, digest, view.number])


class ErasableDrafts(Erasable):
    """Named by their digest."""

    kind = "draft"
    plural = "drafts"

    def find(self, reader: Reader, reference: str) -> tuple[Digest, ...]:
        reader.raw(Digest(reference), Draft)
        return (Digest(reference),)

    def label(self, reader: Reader, digest: Digest) -> str:
        return f"draft for {reader.get(digest, Draft).dataset}, {digest[:8]}"

    def quoting(self, reader: Reader, wanted: Set[Digest]) -> Iterable[Digest]:
        return mentioning(reader, kind_of(Draft), documents_among(reader, wanted))

    def held(self, reader: Reader, kind: str, id: str) -> Iterable[Digest]:
        return (Digest(id),) if kind == self.kind else ()

    def forget(self, unit: Unit, digests: Sequence[Digest]) -> None:
        unit.db.conn.executemany("DELETE FROM drafts WHERE digest = ?", [(digest,) for digest in digests])
