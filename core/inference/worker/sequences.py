"""Which tokens lie in a model's memory, and which of them sequences share.

A sequence is a row of tokens whose keys and values are computed. Sequences that begin alike share the cells of their beginning: that is the
prefix tree, kept as plain rows. A finished sequence stays, unused, until its room is needed, so that the next prompt that begins like it
is computed from where they part. Rules: a cell is free once no sequence holds it; whoever is admitted has room until its
last token; of the unused sequences the least recently used goes first. Nothing here touches llama.cpp.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

Row = npt.NDArray[np.int32]
_NONE: Final = np.zeros(0, dtype=np.int32)


class Kept:
    """One sequence's tokens and cells. `number` is llama.cpp's sequence id."""

    def __init__(self, number: int, room: int) -> None:
        """For `room` tokens at most."""
        self.number = number
        self.busy = False
        self.promised = 0
        """Cells that it may still take."""
        self.used = 0
        self._tokens: Row = np.empty(room, dtype=np.int32)
        self._cells: Row = np.empty(room, dtype=np.int32)
        self._length = 0

    def __len__(self) -> int:
        return self._length

    @property
    def tokens(self) -> Row:
        return self._tokens[: self._length]

    @property
    def cells(self) -> Row:
        return self._cells[: self._length]

    def append(self, token: int, cell: int) -> None:
        """One more; quick, for it is done for each token of an answer."""
        self._tokens[self._length] = token
        self._cells[self._length] = cell
        self._length += 1

    def extend(self, tokens: Sequence[int] | Row, cells: Sequence[int] | Row) -> None:
        end = self._length + len(tokens)
        self._tokens[self._length : end] = tokens
        self._cells[self._length : end] = cells
        self._length = end

    def cut(self, length: int) -> None:
        self._length = length


class Sequences:
    """The rows of one memory of `cells` cells, `count` at most."""

    def __init__(self, count: int, cells: int) -> None:
        self.cells = cells
        self._free = list(range(count - 1, -1, -1))
        self._spare = list(range(cells - 1, -1, -1))  # cells that nobody holds
        self._rows: dict[int, Kept] = {}
        self._holders = np.zeros(cells, dtype=np.int32)  # of each cell
        self._clock = 0

    @property
    def taken(self) -> int:
        """Cells that sequences hold."""
        return self.cells - len(self._spare)

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
        kept_cells = source.cells[:shared] if source is not None else _NONE
        self._hold(kept_cells, 1)  # the new row's
        while (room < need or not self._free) and idle:
            row = idle.pop(0)
            gone.append(row)
            before = self.taken
            self._drop(row)
            room += before - self.taken
        if room < need or not self._free:
            self._hold(kept_cells, -1)
            self._restore(gone)
            return None
        row = Kept(self._free.pop(), shared + need)
        row.busy, row.promised, row.used = True, need, self._tick()
        if source is not None and shared:
            source.used = self._tick()
            row.extend(source.tokens[:shared], kept_cells)
        self._rows[row.number] = row
        return row, gone

    def extend(self, row: Kept, tokens: Sequence[int] | Row) -> None:
        """Computed tokens of a busy row."""
        count = len(tokens)
        row.promised -= count
        assert row.promised >= 0, (row.number, row.promised)
        if count == 1:
            cell = self._spare.pop()
            self._holders[cell] = 1
            row.append(int(tokens[0]), cell)
            return
        cells = [self._spare.pop() for _ in range(count)]
        self._holders[cells] = 1
        row.extend(tokens, cells)

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
        row.cut(length)

    def drop(self, row: Kept) -> None:
        """Forget a row."""
        if row.number in self._rows:
            self._drop(row)

    def unused(self) -> list[Kept]:
        """The rows that nobody uses and that hold cells for themselves."""
        idle = [row for row in self._rows.values() if not row.busy]
        if not idle:
            return idle
        busy = np.zeros(self.cells, dtype=bool)
        for row in self._rows.values():
            if row.busy:
                busy[row.cells] = True
        return [row for row in idle if not busy[row.cells].all()]

    def _hold(self, cells: Row, by: int) -> None:
        """One holder more or less of cells that are held."""
        self._holders[cells] += by
        if by < 0:
            self._spare += cells[self._holders[cells] == 0].tolist()

    def _drop(self, row: Kept) -> None:
        del self._rows[row.number]
        self._free.append(row.number)
        self._hold(row.cells, -1)

    def _restore(self, gone: Sequence[Kept]) -> None:
        for row in reversed(gone):
            self._free.remove(row.number)
            self._rows[row.number] = row
            self._hold(row.cells, 1)
        self._spare = np.flatnonzero(self._holders == 0)[::-1].tolist()

    def _tick(self) -> int:
        self._clock += 1
        return self._clock


def common(first: Row, second: Row) -> int:
    """How many tokens two rows have in common from their beginning."""
    size = min(len(first), len(second))
    different = np.flatnonzero(first[:size] != second[:size])
    return int(different[0]) if len(different) else size
