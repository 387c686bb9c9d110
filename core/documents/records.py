"""What is known of documents: the record that the vault keeps, and what the operations take and give."""

from typing import Literal

from core.records import Digest, Record

Strategy = Literal["structure", "size"]
"""Headings, paragraphs, tables and lists before size; or sentences up to the size, whatever they stand under."""


class Rect(Record, frozen=True, kw_only=True):
    """A rectangle on a page, in points from the page's top left corner."""

    x0: float
    y0: float
    x1: float
    y1: float


class Document(Record, frozen=True, kw_only=True, tag="document"):
    """One version of a document in a collection. Its original bytes are the blob `content`."""

    name: str
    """The file's name, with the path inside the folder that was added, parted by slashes."""
    content: Digest
    media: str
    """Internet media type, as it was read."""
    pages: int
    """Pages; 1 for formats that have none."""
    pages_without_text: int = 0
    """Pages that show something but hold no text (scans): nothing on them can be found."""
    size: int
    """Bytes."""
    title: str
    collection: str
    added: str
    """When, RFC 3339."""


class Chunk(Record, frozen=True, kw_only=True):
    """A piece of a page that is found and cited as a whole."""

    id: int
    document: Digest
    page: int
    """Counted from 1."""
    text: str
    """The page's text from `start` to `end`; a later piece of a table has the table's header row before that, and where the last sentence goes on
    overleaf, its end follows."""
    heading: str
    """The headings above it, outermost first, parted by " › "."""
    rects: tuple[Rect, ...]
    """Its lines on the page; empty for formats without pages."""
    start: int
    end: int


class Chunking(Record, frozen=True, kw_only=True, tag="chunking"):
    """How documents are cut, in the embedder's tokens. A collection keeps the one that it was made with."""

    target: int = 180
    """A chunk is filled up to so many."""
    limit: int = 254
    """Most that are embedded at once: all-MiniLM-L6-v2 was trained on 256 with the two special ones."""
    alone: int = 48
    """A section shorter than that takes in the following one."""
    headings: int = 48
    """Most of the path of headings that is embedded with a chunk; the outermost are left out first."""
    overlap: int = 48
    """The longest sentence that is repeated where a paragraph is cut."""
    strategy: Strategy = "structure"


class CuttingChoice(Record, frozen=True, kw_only=True):
    """How documents are to be cut. What isn't given stays as the collection has it, or as is usual."""

    strategy: str = ""
    size: int | None = None
    """Tokens up to which a passage is filled."""
    overlap: int | None = None
    """The longest sentence, in tokens, that is repeated where a paragraph is cut."""


class Collection(Record, frozen=True, kw_only=True):
    """Documents that are searched together, and what they were prepared with."""

    name: str
    documents: int
    chunks: int
    pages: int
    embedder: Digest
    """The file of the embedding model."""
    embedder_name: str
    """Its name when the collection was made."""
    chunking: Chunking
    older: int = 0
    """Documents that an older version of the program read, which this one may read otherwise."""


class AddDocuments(Record, frozen=True, kw_only=True):
    """Read files, and folders with all that is in them, into a collection."""

    collection: str
    paths: tuple[str, ...]
    cutting: CuttingChoice = CuttingChoice()
    """For a new collection; refused where one has documents that are cut otherwise."""


class Refusal(Record, frozen=True, kw_only=True):
    """A file that was not read, and why, in a sentence that names it."""

    file: str
    reason: str


class AddedDocuments(Record, frozen=True, kw_only=True):
    """What came of `AddDocuments`."""

    collection: str
    added: int
    """Documents that are new, or another version of one of the same name."""
    replaced: int = 0
    """Those of them that took the place of an earlier version."""
    unchanged: int
    """Files whose exact content is in the collection already."""
    refused: tuple[Refusal, ...]
    chunks: int
    pages: int
    seconds: float
    held: int = 0
    """Documents that wait for decisions about what screening found in them."""
    excluded: int = 0
    """Documents that stay out by earlier decisions."""
    redacted: int = 0
    """Those of the added ones from which something was taken out."""
    with_furniture: int = 0
    """Those of the added ones that hold menus, banners, running heads or page numbers: kept on their pages, and not searched with their text."""


class PageImage(Record, frozen=True, kw_only=True):
    """A rendered page: RGB, three bytes a pixel, `width * 3` a row. A point of the page is `scale` pixels."""

    width: int
    height: int
    scale: float
    pixels: bytes
