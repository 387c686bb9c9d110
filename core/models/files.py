"""Files of models on disk: their digests at the disk's speed, whether they are still the same, and the parts of one that was split.

Rules: a digest is taken of exactly what was read between two equal looks at the file's identity, or not at all. The identity (size, time of
the last change of content and of the entry, and the entry's number) can't be set back by whoever changes a file, the clock aside; where it is
as it was, the content isn't read again. A model in several files has one digest: that of the lines `sha256sum` prints of its parts, in order.
"""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from core.errors import BadInput, NotFound
from core.jobs import Job
from core.records import Digest

PIECE: Final = 1024 * 1024
MOST_PARTS: Final = 1000
_PART: Final = re.compile(r"(?P<stem>.+)-(?P<number>[0-9]{5})-of-(?P<count>[0-9]{5})\.gguf", re.IGNORECASE)


def identity(path: Path) -> str:
    """What tells whether a file is as it was, without reading it. Raises `OSError`."""
    found = path.stat()
    return f"{found.st_size}:{found.st_mtime_ns}:{found.st_ctime_ns}:{found.st_ino}"


def file_digest(path: Path, job: Job | None = None, before: int = 0, total: int | None = None) -> Digest:
    """The SHA-256 of a file; progress in bytes, `before` of `total` being done already. Raises `BadInput` (it changes), `Cancelled`, `NotFound`."""
    hashed, room = hashlib.sha256(), bytearray(PIECE)
    done = before
    try:
        first = identity(path)
        whole = total if total is not None else before + path.stat().st_size
        with path.open("rb", buffering=0) as file:
            while length := file.readinto(room):
                hashed.update(memoryview(room)[:length])
                done += length
                if job is not None:
                    job.report(done, whole, "bytes")
        if identity(path) != first:
            raise BadInput(
                source=path.name, problem="the file changed while it was read. Wait until it is written, and try again."
            )
    except OSError as error:
        raise NotFound(
            kind="readable file", name=f"{path} ({error.strerror})", step="Check its place and its rights."
        ) from error
    return Digest(hashed.hexdigest())


def model_digest(parts: Iterable[tuple[str, Digest]]) -> Digest:
    """The digest of a model in several files: of the lines `DIGEST  NAME` that `sha256sum` prints of them."""
    return Digest(hashlib.sha256("".join(f"{digest}  {name}\n" for name, digest in parts).encode()).hexdigest())


def all_parts(path: Path) -> tuple[Path, ...]:
    """All files of a model that was split, in order, whichever of them is given; the file alone for any other.

    Raises `NotFound` with the part that is missing, `BadInput` for names that can't be."""
    found = _PART.fullmatch(path.name)
    if found is None:
        return (path,)
    count = int(found["count"])
    if not 1 <= int(found["number"]) <= count <= MOST_PARTS:
        raise BadInput(source=path.name, problem=f"its name says part {found['number']} of {found['count']}.")
    files = tuple(
        path.with_name(f"{path.name[: found.end('stem')]}-{number:05}-of-{count:05}{path.suffix}")
        for number in range(1, count + 1)
    )
    for file in files:
        if not file.is_file():
            raise NotFound(kind="part", name=str(file), step=f"The model has {count}; put them all into one folder.")
    return files


def split_stem(path: Path) -> str:
    """What a model's file is called, without its ending and its number among parts."""
    found = _PART.fullmatch(path.name)
    return path.stem if found is None else found["stem"]
