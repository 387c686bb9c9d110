"""The Merkle tree of the audit log: hashing as in RFC 9162, section 2.1, proofs, and their verification.

Leaf and node hashes carry different prefixes, so that a node can't be passed off as a leaf. Verification takes sizes and hashes and
nothing else. A proof about a subtree, the entries from `start` to `end`, is verified by the procedures of the Merkle Tree
Certificates draft (draft-ietf-plants-merkle-tree-certs, section 4), of which the ordinary proofs are the case `start` = 0.
"""

import hashlib
from collections.abc import Sequence

from core.errors import BadInput, Damaged

SIZE = 32
"""Bytes of a hash."""
EMPTY = hashlib.sha256(b"").digest()
"""The root of a tree without leaves."""


class InvalidProof(Damaged):
    """The proof doesn't lead to the root. Fields: `source`, `problem`."""


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Prover:
    """Roots and proofs for the present and every earlier size of a tree that knows its whole subtrees.

    A subclass gives `size` and `node`; a level is counted from the leaves, 0, and a place from the left.
    """

    @property
    def size(self) -> int:
        """How many leaves there are."""
        raise NotImplementedError

    def node(self, level: int, place: int) -> bytes:
        """The hash over the 2^level leaves from `place` * 2^level, all of which are there."""
        raise NotImplementedError

    def root(self, size: int | None = None) -> bytes:
        """The root when the tree had `size` leaves; now, if not given."""
        size = self.size if size is None else size
        self._check(0, size, self.size)
        return self._range(0, size) if size else EMPTY

    def inclusion_proof(self, index: int, size: int) -> tuple[bytes, ...]:
        """That leaf `index` is in the tree of the first `size` leaves."""
        self._check(0, size, self.size)
        self._check(0, index, size - 1)
        proof: list[bytes] = []
        start, end = 0, size
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                proof.append(self._range(middle, end))
                end = middle
            else:
                proof.append(self._range(start, middle))
                start = middle
        return tuple(reversed(proof))

    def consistency_proof(self, earlier: int, later: int) -> tuple[bytes, ...]:
        """That the tree of `later` leaves begins with the one of `earlier` leaves (at least one)."""
        self._check(0, later, self.size)
        self._check(1, earlier, later)
        proof: list[bytes] = []
        start, end = 0, later
        whole = True
        while end != earlier:
            middle = start + _split(end - start)
            if earlier <= middle:
                proof.append(self._range(middle, end))
                end = middle
            else:
                proof.append(self._range(start, middle))
                start, whole = middle, False
        if not whole:
            proof.append(self._range(start, end))
        return tuple(reversed(proof))

    def _range(self, start: int, end: int) -> bytes:
        """The root over leaves from `start` to `end`, where `start` is a multiple of the next power of two."""
        count = end - start
        if count & (count - 1) == 0:
            level = count.bit_length() - 1
            return self.node(level, start >> level)
        middle = start + _split(count)
        return node_hash(self._range(start, middle), self._range(middle, end))

    def _check(self, low: int, value: int, high: int) -> None:
        if not low <= value <= high:
            raise BadInput(
                source="Merkle tree", problem=f"{value} is not between {low} and {high}; it has {self.size} leaves."
            )


class Tree(Prover):
    """A tree in memory: grows by appending leaf hashes. Two hashes of memory for each leaf."""

    def __init__(self, leaves: Sequence[bytes] = ()) -> None:
        self._levels: list[list[bytes]] = [[]]
        for leaf in leaves:
            self.append(leaf)

    @property
    def size(self) -> int:
        return len(self._levels[0])

    def node(self, level: int, place: int) -> bytes:
        return self._levels[level][place]

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash: `SIZE` bytes, from `leaf_hash`."""
        if len(leaf) != SIZE:
            raise BadInput(source="Merkle tree", problem=f"a leaf hash has {SIZE} bytes, not {len(leaf)}.")
        self._levels[0].append(leaf)
        level = 0
        while len(self._levels[level]) % 2 == 0:
            if level + 1 == len(self._levels):
                self._levels.append([])
            left, right = self._levels[level][-2:]
            level += 1
            self._levels[level].append(node_hash(left, right))


def fold(hashes: Sequence[bytes]) -> bytes:
    """The hash over neighbouring whole subtrees of one level, whose number is a power of two."""
    level = list(hashes)
    while len(level) > 1:
        level = [node_hash(left, right) for left, right in zip(level[::2], level[1::2], strict=True)]
    return level[0]


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Returns if `leaf`, a leaf hash, stands at `index` in the tree of `size` leaves with that root. Raises `InvalidProof`."""
    verify_subtree_inclusion(index, 0, size, leaf, proof, root)


def verify_consistency(
    earlier: int, later: int, earlier_root: bytes, later_root: bytes, proof: Sequence[bytes]
) -> None:
    """Returns if the tree of `later` leaves begins with that of `earlier` leaves. Raises `InvalidProof`.

    Nothing is proven about an empty tree: `earlier` must be at least 1.
    """
    if earlier < 1:
        raise InvalidProof(source="consistency proof", problem="the earlier tree is empty: nothing is proven of it.")
    verify_subtree_consistency(0, earlier, later, earlier_root, later_root, proof)


def verify_subtree_inclusion(
    index: int, start: int, end: int, leaf: bytes, proof: Sequence[bytes], root: bytes
) -> None:
    """Returns if leaf `index` is in the subtree from `start` to `end` with that root. Raises `InvalidProof`."""
    _valid_subtree(start, end)
    if not start <= index < end:
        raise InvalidProof(source="inclusion proof", problem="the entry lies outside the tree.")
    _hashes("inclusion proof", (leaf, root, *proof))
    place, last = index - start, end - start - 1
    result = leaf
    for sibling in proof:
        if last == 0:
            raise InvalidProof(source="inclusion proof", problem="too long.")
        if place & 1 or place == last:
            result = node_hash(sibling, result)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            result = node_hash(result, sibling)
        place, last = place >> 1, last >> 1
    if last or result != root:
        raise InvalidProof(source="inclusion proof", problem="doesn't lead to the root.")


def verify_subtree_consistency(
    start: int, end: int, size: int, subtree: bytes, root: bytes, proof: Sequence[bytes]
) -> None:
    """Returns if the tree of `size` leaves with `root` holds the subtree from `start` to `end`. Raises `InvalidProof`.

    An empty subtree (`start` = `end`) is in every tree: then nothing is said about `root`.
    """
    if end > size:
        raise InvalidProof(source="consistency proof", problem="the earlier tree is larger than the later one.")
    if 0 <= start == end and subtree == EMPTY and not proof:
        return
    _valid_subtree(start, end)
    _hashes("consistency proof", proof)
    first, last, final = start, end - 1, size - 1
    while first != last and (last == final or last & 1):
        first, last, final = first >> 1, last >> 1, final >> 1
    rest = list(proof)
    if first == last:
        below = above = subtree
    elif rest:
        below = above = rest.pop(0)
    else:
        raise InvalidProof(source="consistency proof", problem="too short.")
    for sibling in rest:
        if final == 0:
            raise InvalidProof(source="consistency proof", problem="too long.")
        if last & 1 or last == final:
            if first < last:
                below = node_hash(sibling, below)
            above = node_hash(sibling, above)
            while not last & 1:
                first, last, final = first >> 1, last >> 1, final >> 1
        else:
            above = node_hash(above, sibling)
        first, last, final = first >> 1, last >> 1, final >> 1
    if final or below != subtree or above != root:
        raise InvalidProof(source="consistency proof", problem="the later tree doesn't begin with the earlier one.")


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << ((count - 1).bit_length() - 1)


def _valid_subtree(start: int, end: int) -> None:
    if not 0 <= start < end or start % (1 << (end - start - 1).bit_length()):
        raise InvalidProof(source="Merkle proof", problem=f"from {start} to {end} is no subtree.")


def _hashes(source: str, values: Sequence[bytes]) -> None:
    if any(len(value) != SIZE for value in values):
        raise InvalidProof(source=source, problem=f"a hash doesn't have {SIZE} bytes.")
