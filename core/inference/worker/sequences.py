"""Which tokens lie in a model's memory, and which of them sequences share.

A sequence is a row of tokens whose keys and values are computed. Sequences that begin alike share the cells of their beginning: that is the
prefix tree, kept as plain rows. A finished sequence stays, unused, until its room is needed, so that the next prompt that begins like it
is computed from where they part. Rules: a cell is free once no sequence holds it; whoever is admitted has room until its
last token; of the unused sequences the least recently used goes first. Nothing here touches llama.cpp.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

Row = npt.NDArray[np.int32]
NOTHING: Final = np.zeros(0, dtype=np.int32)


class Kept:
    """One sequence's tokens and cells. `number` is llama.cpp's sequence id."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.tokens: Row = NOTHING
        self.cells: Row = NOTHING
        self.busy = False
        self.promised = 0
        """Cells that it may still take."""
        self.used = 0

    def __len__(self) -> int:
        return len(self.tokens)


class Sequences:
    """The rows of one memory of `cells` cells, `count` at most."""

    def __init__(self, count: int, cells: int) -> None:
        self.cells = cells
        self._free = list(range(count - 1, -1, -1))
        self._rows: dict[int, Kept] = {}
        self._holders = np.zeros(cells, dtype=np.int32)  # of each cell
        self._clock = 0

    @property
    def taken(self) -> int:
        """Cells that sequences hold."""
        return int(np.count_nonzero(self._holders))

    @property
    def promised(self) -> int:
        """Cells that busy sequences may still take."""
        return sum(row.promised for row in self._rows.values())

    def rows(self) -> tuple[Kept, ...]:
        return tuple(self._rows.values())

    def best(self, tokens: Row) -> tuple[Kept | None, int]:
        """The row that begins most like `tokens`, and how many tokens they share."""
        found, length = None, 0
        for row in self._rows.values():
            shared = common(row.tokens, tokens)
            if shared > length or (shared == length > 0 and found is not None and row.used > found.used):
                found, length = row, shared
        return found, length

    def claim(self, source: Kept | None, shared: int, need: int) -> tuple[Kept, list[Kept]] | None:
        """A row that begins with the first `shared` tokens of `source` and may take `need` cells more.

        Also gives the unused rows that had to go; None when there is no room even without them."""
        idle = sorted((row for row in self._rows.values() if not row.busy), key=lambda row: row.used)
        room = self.cells - self.taken - self.promised
        gone: list[Kept] = []
        kept_cells = source.cells[:shared] if source is not None else NOTHING
        self._hold(kept_cells, 1)
        try:
            while (room < need or not self._free) and idle:
                row = idle.pop(0)
                gone.append(row)
                before = self.taken
                self._drop(row)
                room += before - self.taken
        finally:
            self._hold(kept_cells, -1)
        if room < need or not self._free:
            self._restore(gone)
            return None
        row = Kept(self._free.pop())
        row.busy, row.promised, row.used = True, need, self._tick()
        if source is not None and shared:
            source.used = self._tick()
            row.tokens, row.cells = source.tokens[:shared].copy(), kept_cells.copy()
            self._hold(row.cells, 1)
        self._rows[row.number] = row
        return row, gone

    def extend(self, row: Kept, tokens: Sequence[int] | Row) -> None:
        """Computed tokens of a busy row."""
        count = len(tokens)
        row.promised -= count
        assert row.promised >= 0, (row.number, row.promised)
        free = np.flatnonzero(self._holders == 0)[:count].astype(np.int32)
        self._hold(free, 1)
        row.cells = np.concatenate((row.cells, free))
        row.tokens = np.concatenate((row.tokens, np.asarray(tokens, dtype=np.int32)))

    def rest(self, row: Kept) -> None:
        """The row is finished, and stays for others to begin with."""
        row.busy, row.promised, row.used = False, 0, self._tick()

    def contains(self, tokens: Row, but: Kept) -> bool:
        """Whether another row than `but` begins with `tokens`."""
        rows = (row for row in self._rows.values() if row is not but)
        return any(common(row.tokens, tokens) == len(tokens) for row in rows)

    def cut(self, row: Kept, length: int) -> None:
        """Forget a row's tokens from `length` on."""
        self._hold(row.cells[length:], -1)
        row.tokens, row.cells = row.tokens[:length], row.cells[:length]

    def drop(self, row: Kept) -> None:
        """Forget a row."""
        if row.number in self._rows:
            self._drop(row)

    def surplus(self, cells: int) -> Iterator[Kept]:
        """Forget unused rows, the least recently used first, until the unused rows' own cells are at most `cells`; gives each. The most
        recently used one stays, whatever its length."""
        idle = sorted((row for row in self._rows.values() if not row.busy), key=lambda row: row.used)
        while len(idle) > 1:
            busy = np.zeros(self.cells, dtype=bool)
            for row in self._rows.values():
                if row.busy or row is idle[-1]:
                    busy[row.cells] = True
            if int(np.count_nonzero((self._holders > 0) & ~busy)) <= cells:
                return
            row = idle.pop(0)
            self._drop(row)
            yield row

    def _hold(self, cells: Row, by: int) -> None:
        self._holders[cells] += by

    def _drop(self, row: Kept) -> None:
        del self._rows[row.number]
        self._free.append(row.number)
        self._hold(row.cells, -1)

    def _restore(self, gone: Sequence[Kept]) -> None:
        for row in reversed(gone):
            self._free.remove(row.number)
            self._rows[row.number] = row
            self._hold(row.cells, 1)

    def _tick(self) -> int:
        self._clock += 1
        return self._clock


def common(first: Row, second: Row) -> int:
    """How many tokens two rows have in common from their beginning."""
    size = min(len(first), len(second))
    different = np.flatnonzero(first[:size] != second[:size])
    return int(different[0]) if len(different) else size
