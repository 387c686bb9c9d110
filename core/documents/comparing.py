"""Two documents side by side: their passages aligned, and what differs in words.

Rules:

1. A passage is a block of a page as it was read (a paragraph, a list, a table), whatever the collection's chunks are; so earlier versions are
   compared as well, and documents of different collections.
2. Passages are aligned in the order of both documents: of all ways to do that, the one with the most likeness above `ALIKE`. Likeness is 1 for
   the same words, and the cosine of embeddings otherwise. Only passages without a counterpart of the same words are embedded.
3. What is left over and stands elsewhere in the other document, by the same words or a likeness of `MOVED`, has moved.
4. Nothing is left out: every passage of both is in exactly one row, in the order of the second document, where the first one's own come before
   what follows them.
"""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Final, Literal

import numpy as np

from core.documents import history, passages, places, store
from core.documents.records import Document
from core.errors import BadInput, NotFound
from core.inference.service import Engine
from core.jobs import Job
from core.records import Digest, Record
from core.vault.roles import Act
from core.vault.unit import Reader
from core.vault.vault import Vault

ALIKE: Final = 0.5
"""Passages that are less alike are not beside each other."""
MOVED: Final = 0.9
MOST: Final = 5_000
"""Passages of a document: the table of likeness takes 100 MB then."""
AT_ONCE: Final = 128
_WORD: Final = re.compile(r"\S+")
_BLANK: Final = re.compile(r"\n\s*\n")
Kind = Literal["same", "changed", "moved", "first", "second"]


class Piece(Record, frozen=True, kw_only=True):
    """A passage of one of the documents."""

    page: int
    start: int
    place: str
    text: str


class Difference(Record, frozen=True, kw_only=True):
    """A run of words: `same`, `gone` (of the first only) or `new` (of the second only)."""

    kind: Literal["same", "gone", "new"]
    text: str


class Row(Record, frozen=True, kw_only=True):
    """Passages beside each other. `first` and `second` as kinds: it stands in that document only."""

    kind: Kind
    first: Piece | None
    second: Piece | None
    likeness: float
    words: tuple[Difference, ...] = ()
    """Of what changed."""


class Comparison(Record, frozen=True, kw_only=True):
    """Two documents side by side."""

    first: Digest
    first_name: str
    second: Digest
    second_name: str
    embedder: Digest
    rows: tuple[Row, ...]

    def count(self, kind: Kind) -> int:
        """How many rows are of this kind."""
        return sum(row.kind == kind for row in self.rows)


class Comparing:
    """Compares the documents of one open vault."""

    def __init__(self, vault: Vault, engine: Engine) -> None:
        self._vault = vault
        self._engine = engine

    def find(self, reference: str) -> Digest:
        """The document `COLLECTION/NAME` as it is searched now, or the version with that digest. Raises `NotFound`."""
        with self._vault.read() as reader:
            if re.fullmatch("[0-9a-f]{64}", reference):
                reader.get(Digest(reference), Document)
                return Digest(reference)
            found = history.versions_of(reader, reference)
        if not found:
            raise NotFound(
                kind="document", name=reference, step="Name it COLLECTION/NAME; `assay documents list` shows them."
            )
        return found[-1]

    def versions(self, reference: str) -> tuple[tuple[Digest, Document], ...]:
        """Every version of the document `COLLECTION/NAME` that is kept, the newest first."""
        with self._vault.read() as reader:
            return tuple(
                (digest, reader.get(digest, Document)) for digest in reversed(history.versions_of(reader, reference))
            )

    def compare(self, first: Digest, second: Digest, job: Job) -> Comparison:
        """Align two documents. The log says that they were shown.

        Raises `NotFound`, `BadInput` (too long), `Refused`, `WorkerFailed`, `Cancelled`."""
        with self._vault.read() as reader:
            documents = [reader.get(digest, Document) for digest in (first, second)]
            sides = [
                _pieces(reader, digest, document) for digest, document in zip((first, second), documents, strict=True)
            ]
            embedder = store.get(reader, documents[0].collection).embedder
        for document, side in zip(documents, sides, strict=True):
            if len(side) > MOST:
                raise BadInput(
                    source=document.name, problem=f"{len(side):,} passages; documents of {MOST:,} can be compared."
                )
        with self._vault.write(
            Act.SHOW_DOCUMENT, about=f"{documents[0].name} and {documents[1].name}, compared"
        ) as unit:
            unit.note(touched=(first, second))
        likeness = self._likeness(sides[0], sides[1], embedder, job)
        return Comparison(
            first=first,
            first_name=documents[0].name,
            second=second,
            second_name=documents[1].name,
            embedder=embedder,
            rows=rows(sides[0], sides[1], likeness),
        )

    def _likeness(self, first: Sequence[Piece], second: Sequence[Piece], embedder: Digest, job: Job) -> store.Matrix:
        """(n, m)."""
        words = [[" ".join(_WORD.findall(piece.text)) for piece in side] for side in (first, second)]
        numbers = {text: number for number, text in enumerate(dict.fromkeys([*words[0], *words[1]]))}
        a, b = (np.array([numbers[text] for text in side], dtype=np.int64) for side in words)
        equal = a[:, None] == b[None, :]
        found: store.Matrix = equal.astype(np.float32)
        alone = np.flatnonzero(~equal.any(axis=1)), np.flatnonzero(~equal.any(axis=0))
        if len(alone[0]) and len(alone[1]):
            vectors = [
                self._embedded([side[at].text for at in places.tolist()], embedder, job)
                for side, places in zip((first, second), alone, strict=True)
            ]
            found[np.ix_(*alone)] = np.clip(vectors[0] @ vectors[1].T, 0, 0.999999)
        return found

    def _embedded(self, texts: Sequence[str], embedder: Digest, job: Job) -> store.Matrix:
        room = self._engine.window(embedder)
        parts = []
        for start in range(0, len(texts), AT_ONCE):
            job.report(start, len(texts), "passages")
            some = list(texts[start : start + AT_ONCE])
            while long := [at for at, size in enumerate(self._engine.count_tokens(some, embedder, job)) if size > room]:
                for at in long:
                    some[at] = some[at][: len(some[at]) // 2]
            parts.append(self._engine.embed(some, embedder, job))
        return np.concatenate(parts)


def rows(first: Sequence[Piece], second: Sequence[Piece], likeness: store.Matrix) -> tuple[Row, ...]:
    """The rows, by the likeness (n, m) of all pairs."""
    pairs = dict(aligned(likeness))
    moved = _moved(likeness, pairs)
    taken = set(moved.values())
    by_second = {at: here for here, at in pairs.items()}
    found: list[Row] = []
    here = 0

    def before(end: int) -> None:
        nonlocal here
        while here < end:
            if here not in pairs and here not in moved:
                found.append(Row(kind="first", first=first[here], second=None, likeness=0.0))
            here += 1

    origin = {at: one for one, at in moved.items()}
    for at, piece in enumerate(second):
        if at in by_second:
            before(by_second[at])
            found.append(_row("changed", first[by_second[at]], piece, float(likeness[by_second[at], at])))
            here += 1
        elif at in taken:
            found.append(_row("moved", first[origin[at]], piece, float(likeness[origin[at], at])))
        else:
            found.append(Row(kind="second", first=None, second=piece, likeness=0.0))
    before(len(first))
    return tuple(found)


def aligned(likeness: store.Matrix) -> list[tuple[int, int]]:
    """Pairs (row, column) that ascend in both, with the greatest sum of likeness above `ALIKE`."""
    n, m = likeness.shape
    gain = likeness - ALIKE
    best = np.zeros((n + 1, m + 1), dtype=np.float32)
    for row in range(n):
        with_pair = best[row, :-1] + gain[row]
        best[row + 1, 1:] = np.maximum.accumulate(np.maximum(best[row, 1:], with_pair))
    pairs = []
    row, column = n, m
    while row and column:
        if best[row, column] == best[row - 1, column]:
            row -= 1
        elif best[row, column] == best[row, column - 1]:
            column -= 1
        else:
            row, column = row - 1, column - 1
            pairs.append((row, column))
    return pairs[::-1]


def _moved(likeness: store.Matrix, pairs: dict[int, int]) -> dict[int, int]:
    """Of what isn't aligned, pairs that are nearly the same, the most alike first."""
    left = [row for row in range(likeness.shape[0]) if row not in pairs]
    right = [column for column in range(likeness.shape[1]) if column not in set(pairs.values())]
    if not left or not right:
        return {}
    some = likeness[np.ix_(left, right)]
    places = np.argwhere(some >= MOVED)
    found: dict[int, int] = {}
    for row, column in sorted(places.tolist(), key=lambda one: (-some[one[0], one[1]], one)):
        if left[row] not in found and right[column] not in found.values():
            found[left[row]] = right[column]
    return found


def differences(first: str, second: str) -> tuple[Difference, ...]:
    """What differs, in runs of words; white space isn't told."""
    a, b = _WORD.findall(first), _WORD.findall(second)
    found: list[Difference] = []
    for kind, start, end, other, last in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if kind == "equal":
            found.append(Difference(kind="same", text=" ".join(a[start:end])))
            continue
        if end > start:
            found.append(Difference(kind="gone", text=" ".join(a[start:end])))
        if last > other:
            found.append(Difference(kind="new", text=" ".join(b[other:last])))
    return tuple(found)


def _row(kind: Kind, first: Piece, second: Piece, likeness: float) -> Row:
    words = differences(first.text, second.text)
    changed = any(one.kind != "same" for one in words)
    return Row(
        kind=kind if changed or kind == "moved" else "same",
        first=first,
        second=second,
        likeness=round(likeness, 6),
        words=words if changed else (),
    )


def _pieces(reader: Reader, digest: Digest, document: Document) -> list[Piece]:
    found = []
    for page in range(1, document.pages + 1):
        text = passages.page_text(reader, digest, page)
        start = 0
        for gap in [*_BLANK.finditer(text), None]:
            end = len(text) if gap is None else gap.start()
            if text[start:end].strip():
                place = places.said(document.media, page, *passages.place(reader, digest, page, start))
                found.append(Piece(page=page, start=start, place=place, text=text[start:end]))
            start = end if gap is None else gap.end()
    return found
