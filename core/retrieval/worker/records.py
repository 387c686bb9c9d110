"""What the program asks of the index worker. Ids are the numbers of chunks, opaque to the worker."""

from core.records import Record


class OpenIndex(Record, frozen=True, kw_only=True, tag="open-index"):
    """Keep the index in this folder."""

    folder: str


class AddVectors(Record, frozen=True, kw_only=True, tag="add-vectors"):
    """`vectors`: float32, little-endian, `len(ids)` rows of `dimensions`."""

    collection: int
    ids: tuple[int, ...]
    dimensions: int
    vectors: bytes


class RemoveVectors(Record, frozen=True, kw_only=True, tag="remove-vectors"):
    collection: int
    ids: tuple[int, ...]


class FindNearest(Record, frozen=True, kw_only=True, tag="find-nearest"):
    """`vector`: float32, little-endian."""

    collection: int
    vector: bytes
    limit: int


class Counted(Record, frozen=True, kw_only=True, tag="counted"):
    """How many vectors the collection's index holds now."""

    vectors: int


class Found(Record, frozen=True, kw_only=True, tag="found"):
    """Nearest first; `cosines` go from -1 to 1."""

    ids: tuple[int, ...]
    cosines: tuple[float, ...]
