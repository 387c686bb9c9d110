"""The sealed vector indexes in the vault's `cache/`, one file a collection, so that the next process need not build them.

A file holds a manifest, then the index's own files in parts. Its name says the generation of the collection that it was sealed at; what it was
made with (embedder, its route, dimensions, chunking, versions) is authenticated with it. Rules:

1. Nothing here is needed: a file that is missing, damaged, of another make, newer than the vault, or of another history than the
   vault's is dropped, and the index is built from the vault's vectors again. Nothing is embedded again.
2. The history is told by the audit log: the manifest names the entry that was the last one when the index was sealed. Numbers of chunks are
   never used twice within one history, so an older index of the same history is brought in step by its numbers alone.
3. After an erasure nothing stays: whoever erases drops these files.
"""

import hashlib
import importlib.metadata
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from core.documents import store
from core.errors import AssayError, Damaged
from core.records import Digest, Json, Record
from core.retrieval.worker.records import FilePart
from core.trust.canonical import builtins, canonical
from core.vault import sealed_files
from core.vault.unit import Reader
from core.vault.vault import Vault

KIND: Final = "vector index"
FORMAT: Final = 2
LARGEST: Final = 64 * 1024 * 1024
"""Bytes of one frame; the manifest takes 8 for each chunk."""
_NAME: Final = re.compile(r"index-(\d{1,18})-(\d{1,18})\.sealed")
_LENGTH: Final = 4


class Manifest(Record, frozen=True, kw_only=True, tag="index-manifest"):
    """The first frame of a sealed index."""

    collection: int
    generation: int
    log_size: int
    """Entries in the audit log when it was sealed."""
    last_entry: Digest
    """SHA-256 of the last of them."""
    ids: bytes
    """The chunks in it: 64-bit numbers, little-endian, ascending."""
    removed: int
    """Vectors that the index was told to remove and may still have in its files."""


@dataclass(frozen=True)
class Place:
    """A state of the vault's history: how long its log was, and its last entry."""

    log_size: int
    last_entry: Digest


@dataclass(frozen=True)
class Stored:
    """A sealed index that fits the vault. `parts` raises `InvalidSeal` when it turns out to be cut or altered further on."""

    generation: int
    ids: frozenset[int]
    removed: int
    parts: Iterator[FilePart]


class IndexCache:
    """The sealed indexes of one open vault."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def save(
        self, collection: store.Kept, place: Place, ids: Iterable[int], removed: int, parts: Iterable[FilePart]
    ) -> None:
        """Seal an index as of `collection.generation`, in place of earlier ones. Raises `DiskFull`, `Unavailable`, and what `parts` raises."""
        folder = sealed_files.cache_folder(self._vault)
        path = folder / f"index-{collection.id}-{collection.generation}.sealed"
        manifest = Manifest(
            collection=collection.id,
            generation=collection.generation,
            log_size=place.log_size,
            last_entry=place.last_entry,
            ids=np.array(sorted(ids), dtype="<i8").tobytes(),
            removed=removed,
        )
        content = _frames(manifest, parts)
        sealed_files.seal_file(self._vault, path, KIND, made_with(collection), collection.generation, content)
        for other in self._files(collection.id):
            if other != path:
                other.unlink(missing_ok=True)

    def load(self, collection: store.Kept, reader: Reader) -> Stored | None:
        """The sealed index of a collection, if there is one of this history; the files of any other are dropped."""
        files = self._files(collection.id)
        for path in files:
            generation = _generation(path)
            try:
                content = sealed_files.open_file(self._vault, path, KIND, made_with(collection), generation)
                frames = _records(content)
                manifest = next(frames)
                if isinstance(manifest, Manifest) and _same_history(manifest, collection, generation, reader):
                    ids = np.frombuffer(manifest.ids, dtype="<i8").tolist()
                    return Stored(generation, frozenset(ids), manifest.removed, _only_parts(frames))
            except (AssayError, StopIteration, ValueError):
                pass
            path.unlink(missing_ok=True)
        return None

    def drop(self, collection: int | None = None) -> None:
        """Remove the sealed indexes, of one collection or all."""
        for path in self._files(collection):
            path.unlink(missing_ok=True)

    def _files(self, collection: int | None) -> list[Path]:
        """The newest first."""
        folder = self._vault.folder / sealed_files.CACHE
        if not folder.is_dir():
            return []
        named = [(path, _NAME.fullmatch(path.name)) for path in folder.iterdir()]
        wanted = [path for path, match in named if match and collection in (None, int(match[1]))]
        return sorted(wanted, key=_generation, reverse=True)


def place(reader: Reader) -> Place:
    """Where the vault's history stands."""
    size = reader.log_size
    return Place(size, _entry(reader, size))


def _entry(reader: Reader, size: int) -> Digest:
    return Digest(hashlib.sha256(reader.log_bytes(size - 1)).hexdigest())


def _same_history(manifest: Manifest, collection: store.Kept, generation: int, reader: Reader) -> bool:
    return (
        (manifest.collection, manifest.generation) == (collection.id, generation)
        and generation <= collection.generation
        and 1 <= manifest.log_size <= reader.log_size
        and _entry(reader, manifest.log_size) == manifest.last_entry
    )


def made_with(collection: store.Kept) -> str:
    """What an index is made with, as a part of its sealed name."""
    made: dict[str, Json] = {
        "embedder": collection.embedder,
        "route": collection.route,
        "dimensions": collection.dimensions,
        "chunking": builtins(collection.chunking),
        "format": FORMAT,
        "library": _library(),
    }
    return f"{collection.id} {hashlib.sha256(canonical(made)).hexdigest()}"


def _library() -> str:
    try:
        return importlib.metadata.version("chromadb")
    except importlib.metadata.PackageNotFoundError:
        return ""


def _generation(path: Path) -> int:
    found = _NAME.fullmatch(path.name)
    assert found is not None
    return int(found[2])


def _frames(manifest: Manifest, parts: Iterable[FilePart]) -> Iterator[bytes]:
    yield from _frame(manifest)
    for part in parts:
        yield from _frame(part)


def _frame(record: Record) -> Iterator[bytes]:
    body = msgspec.msgpack.encode(record)
    yield len(body).to_bytes(_LENGTH, "big")
    yield body


def _records(content: Iterator[bytes]) -> Iterator[Manifest | FilePart]:
    """The frames' records. Raises `Damaged` for what is none, and what `content` raises."""
    decoder = msgspec.msgpack.Decoder(Manifest | FilePart)
    waiting = bytearray()
    for piece in content:
        waiting += piece
        while len(waiting) >= _LENGTH:
            length = int.from_bytes(waiting[:_LENGTH], "big")
            if length > LARGEST:
                raise _damaged()
            if len(waiting) < _LENGTH + length:
                break
            body = bytes(waiting[_LENGTH : _LENGTH + length])
            del waiting[: _LENGTH + length]
            try:
                yield decoder.decode(body)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise _damaged() from error
    if waiting:
        raise _damaged()


def _only_parts(records: Iterator[Manifest | FilePart]) -> Iterator[FilePart]:
    for record in records:
        if not isinstance(record, FilePart):
            raise _damaged()
        yield record


def _damaged() -> Damaged:
    return Damaged(source="A sealed index", problem="not readable; it is built again.")
