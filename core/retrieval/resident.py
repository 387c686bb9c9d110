"""The vectors of a collection in memory, as the vault keeps them, so that comparing all of them is as fast as asking an index, and exact.

Rules:

1. What is in memory is of one generation of the collection, and never changes: another generation is another object, which takes over the blocks
   that stayed and reads those that came. A document's block never changes, and its chunks' numbers are never used again.
2. Nothing of it is ever written to a disk by us. After an erasure it is dropped at once; it goes when the vault is closed.
3. At most `MOST` numbers are held in all; what was used longest ago leaves. A collection of more than `SCANNED` is never held.
4. What is found is what `exact.nearest` finds, but for products that differ in their last digit: sums are made in another order.
"""

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np
import numpy.typing as npt

from core.documents import filtering, store, vectors
from core.retrieval import largest
from core.vault.events import Changed
from core.vault.roles import Act
from core.vault.unit import Reader
from core.vault.vault import Vault

SCANNED: Final = 60_000_000
"""Numbers in the vectors of a collection that is compared whole: 156,250 vectors of 384, 120 MB and some 10 ms. The index answers for more."""
MOST: Final = 2 * SCANNED
AT_ONCE: Final = 1024
"""Vectors made float32 at once: with 384 dimensions 1.5 MB, which stay in the cores' cache, and that is what makes it fast."""
FILTERS: Final = 16
"""Whose places are kept: a person who narrows a search asks more than one question."""
BY_TWO: Final = 16_384
"""Vectors from which two threads share the work."""

Vector = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]


class Resident:
    """A collection's vectors, and which document each is of. Safe from several threads."""

    def __init__(
        self, collection: store.Kept, blocks: Sequence[tuple[int, int, int]], whole: vectors.Whole, scales: Vector
    ) -> None:
        self.generation = collection.generation
        self.blocks = tuple(blocks)
        """First chunk, document and number of chunks of each, ascending."""
        self.whole, self.scales = whole, scales
        self.starts = np.cumsum([0, *(count for _, _, count in blocks)]).tolist()
        self.ids: Places = np.concatenate(
            [np.zeros(0, np.int64), *(np.arange(first, first + count) for first, _, count in blocks)]
        )
        self._listed: tuple[filtering.Listed, ...] | None = None
        self._within: dict[filtering.Filters, Places] = {}

    def __len__(self) -> int:
        return len(self.ids)

    def nearest(self, vector: Vector, limit: int, among: Places | None = None) -> list[int]:
        """The chunks whose vectors have the largest product with `vector`, nearest first, at most `limit`; ties by number. With `among`, only those
        at these places."""
        products = self._products(vector, among)
        if not len(products):
            return []
        found = largest.places(products, limit)
        ids = self.ids[found if among is None else among[found]]
        return [int(ids[at]) for at in np.lexsort((ids, -products[found]))[:limit]]

    def of(self, chunks: Sequence[int]) -> vectors.Matrix:
        """The vectors of these chunks, in their order, as `vectors.of` gives them; they are all here."""
        places = np.searchsorted(self.ids, chunks)
        return vectors.unpacked(self.whole[places], self.scales[places])

    def has(self, chunks: Collection[int]) -> bool:
        """Whether all these chunks are here."""
        wanted = np.array(list(chunks), dtype=np.int64)
        places = np.searchsorted(self.ids, wanted)
        if not len(self.ids):
            return not len(wanted)
        return bool((self.ids.take(places, mode="clip") == wanted).all())

    def within(self, reader: Reader, collection: int, filters: filtering.Filters) -> Places:
        """The places of the chunks that can be found within `filters`, ascending. Raises as `filtering.chunks`."""
        if (known := self._within.get(filters)) is not None:
            return known
        if self._listed is None:
            self._listed = filtering.listed(reader, collection)
        wanted = set(filtering.chosen(self._listed, filters))
        parts = [
            np.arange(start, start + count)
            for (_, document, count), start in zip(self.blocks, self.starts, strict=False)
            if document in wanted
        ]
        found = np.concatenate([np.zeros(0, np.int64), *parts])
        if len(self._within) >= FILTERS:
            self._within.clear()
        self._within[filters] = found
        return found

    def _products(self, vector: Vector, among: Places | None) -> Vector:
        size = len(self.ids) if among is None else len(among)
        out = np.empty(size, np.float32)

        def compute(start: int, end: int) -> None:
            room = np.empty((AT_ONCE, self.whole.shape[1]), np.float32)
            for first in range(start, end, AT_ONCE):
                last = min(first + AT_ONCE, end)
                some = self.whole[first:last] if among is None else self.whole[among[first:last]]
                np.copyto(room[: last - first], some)
                np.dot(room[: last - first], vector, out=out[first:last])

        if size < BY_TWO:
            compute(0, size)
        else:
            middle = size // 2
            half = _thread("compare").submit(compute, 0, middle)
            compute(middle, size)
            half.result()
        out *= self.scales if among is None else self.scales[among]
        return out


class Residents:
    """The collections of one open vault that are in memory. Safe from several threads."""

    def __init__(self, vault: Vault) -> None:
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        self._held: OrderedDict[int, Resident] = OrderedDict()
        self._erased = 0
        self._forget_events = vault.events.subscribe(self._changed, first=True)

    def get(self, reader: Reader, collection: store.Kept) -> Resident | None:
        """The vectors of a collection as `reader` sees it, read where they aren't here; None for more than `SCANNED`."""
        with self._lock:
            held = self._held.get(collection.id)
            if held is not None and held.generation == collection.generation:
                self._held.move_to_end(collection.id)
                return held
        if not self.scanned(reader, collection):
            return None
        with self._reading:
            with self._lock:
                held, erased = self._held.get(collection.id), self._erased
            if held is None or held.generation != collection.generation:
                held = _read(reader, collection, held)
                self._keep(collection.id, held, erased)
            return held

    def ready(self, collection: store.Kept) -> bool:
        """Whether a collection is here as it is."""
        with self._lock:
            held = self._held.get(collection.id)
            return held is not None and held.generation == collection.generation

    def scanned(self, reader: Reader, collection: store.Kept) -> bool:
        """Whether a collection is compared whole."""
        return self.ready(collection) or vectors.count(reader, collection.id) * collection.dimensions <= SCANNED

    def close(self) -> None:
        """Let go of everything."""
        self._forget_events()
        with self._lock:
            self._held.clear()

    def _keep(self, collection: int, made: Resident, erased: int) -> None:
        with self._lock:
            newer = self._held.get(collection)
            if erased != self._erased or (newer is not None and newer.generation > made.generation):
                return
            self._held[collection] = made
            self._held.move_to_end(collection)
            while len(self._held) > 1 and sum(held.whole.size for held in self._held.values()) > MOST:
                self._held.popitem(last=False)

    def _changed(self, change: Changed) -> None:
        if change.act is Act.ERASE:
            with self._lock:
                self._erased += 1
                self._held.clear()


def _read(reader: Reader, collection: store.Kept, before: Resident | None) -> Resident:
    blocks = vectors.places(reader, collection.id)
    size = sum(count for _, _, count in blocks)
    whole = np.empty((size, collection.dimensions), np.int16)
    scales = np.empty(size, np.float32)
    known = (
        {} if before is None else {block[0]: start for block, start in zip(before.blocks, before.starts, strict=False)}
    )
    for start, end, earlier in _runs(blocks, known):
        assert before is not None
        whole[start:end] = before.whole[earlier : earlier + end - start]
        scales[start:end] = before.scales[earlier : earlier + end - start]
    missing = [first for first, _, _ in blocks if first not in known]
    starts = dict(
        zip((first for first, _, _ in blocks), np.cumsum([0, *(c for _, _, c in blocks)]).tolist(), strict=False)
    )
    found = vectors.blocks(reader, missing) if known else vectors.all_blocks(reader, collection.id)
    for block in found:
        start = starts[block.first]
        whole[start : start + len(block.scales)] = block.whole
        scales[start : start + len(block.scales)] = block.scales
    return Resident(collection, blocks, whole, scales)


def _runs(blocks: Sequence[tuple[int, int, int]], known: dict[int, int]) -> Iterator[tuple[int, int, int]]:
    """What is taken over: from where to where it goes, and where it is; neighbours together."""
    start = end = earlier = place = 0
    for first, _, count in blocks:
        if first in known:
            if end > start and end == place and known[first] == earlier + end - start:
                end = place + count
            else:
                if end > start:
                    yield start, end, earlier
                start, end, earlier = place, place + count, known[first]
        place += count
    if end > start:
        yield start, end, earlier


_pools: dict[str, ThreadPoolExecutor] = {}
_pools_lock = threading.Lock()


def beside() -> ThreadPoolExecutor:
    """The thread for what is done while a query is embedded."""
    return _thread("read-ahead")


def _thread(name: str) -> ThreadPoolExecutor:
    """The one thread of that name; "compare" is the second of all scans."""
    with _pools_lock:
        if name not in _pools:
            _pools[name] = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        return _pools[name]
