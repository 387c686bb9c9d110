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


class FilePart(Record, frozen=True, kw_only=True, tag="file-part"):
    """The next bytes of one of an index's files. `name` is its path below the index's folder, parted by slashes."""

    name: str
    content: bytes


class PutPart(Record, frozen=True, kw_only=True, tag="put-part"):
    """Add to the files of an index that isn't open yet."""

    collection: int
    part: FilePart


class CountVectors(Record, frozen=True, kw_only=True, tag="count-vectors"):
    """Open an index whose files were put."""

    collection: int


class TakeFiles(Record, frozen=True, kw_only=True, tag="take-files"):
    """Bring an index's files in order, and give them in parts."""

    collection: int


class DropIndex(Record, frozen=True, kw_only=True, tag="drop-index"):
    """Forget an index and remove its files."""

    collection: int


class Counted(Record, frozen=True, kw_only=True, tag="counted"):
    """How many vectors the collection's index holds now."""

    vectors: int


class Found(Record, frozen=True, kw_only=True, tag="found"):
    """Nearest first; `cosines` go from -1 to 1."""

    ids: tuple[int, ...]
    cosines: tuple[float, ...]
