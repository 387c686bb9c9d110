"""The files of a model on disk against a list of what was signed: taking such a list, and comparing.

Rules: nothing is followed out of the model (a link is refused, or where the signer allowed links its content counts); each file on the list
is there with its digest, and no other file is, but for what the signer left out and the signature itself. Where one model file of a folder
was signed together with others, only what is registered is compared.
"""

import hashlib
import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from core.errors import BadInput, Damaged, NotFound
from core.jobs import Job
from core.models.files import PIECE
from core.records import Digest
from core.trust.model_signing import Manifest, Resource

SIGNATURE: Final = "model.sig"
"""The signature's name in a folder; beside a file it is the file's own with `.sig` behind it."""
LEFT_OUT: Final = (".git", ".gitattributes", ".github", ".gitignore")
ALONE: Final = "."
"""What a list calls a model that is one file."""
MOST_NAMED: Final = 3


def beside(path: Path) -> Path | None:
    """The signature that lies beside a model's file, or in a model's folder."""
    places = (path / SIGNATURE,) if path.is_dir() else (path.with_name(path.name + ".sig"), path.parent / SIGNATURE)
    return next((place for place in places if place.is_file()), None)


def take(path: Path, job: Job | None = None, ignored: Collection[str] = ()) -> Manifest:
    """The list of a file, or of all files in a folder but for the `ignored` (paths below it). Progress in bytes.

    Raises `NotFound`, `BadInput` (a link, nothing to sign), `Cancelled`."""
    left_out = (*dict.fromkeys((*ignored, *LEFT_OUT)),) if path.is_dir() else ()
    manifest = Manifest(model=path.name, resources=(), ignored=left_out)
    resources = tuple(_resources(path, manifest, job))
    if not resources:
        raise BadInput(source=path.name, problem="an empty folder. Choose a model's file, or a folder with its files.")
    return Manifest(model=path.name, resources=resources, ignored=left_out)


def compare(
    path: Path, manifest: Manifest, signature: Path, job: Job | None = None, ignored: Collection[str] = ()
) -> int:
    """How many files or pieces of a file or folder were found as signed. Raises `Damaged` naming what differs, `NotFound`, `Cancelled`."""
    also = {*manifest.ignored, *ignored, *LEFT_OUT}
    if signature.absolute().is_relative_to(path.absolute()):
        also.add(signature.absolute().relative_to(path.absolute()).as_posix())
    wanted = {resource.name: resource.digest for resource in manifest.resources}
    taken = Manifest(
        model=path.name,
        resources=(),
        method=manifest.method,
        algorithm=manifest.algorithm,
        shard_size=manifest.shard_size,
        allow_symlinks=manifest.allow_symlinks,
        ignored=tuple(sorted(also)),
    )
    found = {resource.name: resource.digest for resource in _resources(path, taken, job)}
    if path.is_file() and ALONE not in wanted and path.name in wanted:
        found = {name.replace(ALONE, path.name, 1): digest for name, digest in found.items()}
        wanted = {name: digest for name, digest in wanted.items() if name == path.name}
    for problem, names in (
        ("what was signed is missing", wanted.keys() - found.keys()),
        ("what wasn't signed is there", found.keys() - wanted.keys()),
        ("the content differs from what was signed", {n for n in wanted if n in found and wanted[n] != found[n]}),
    ):
        if names:
            raise Damaged(source=path.name, problem=f"{problem}: {_named(names)}. Take another copy.")
    return len(wanted)


def covers(manifest: Manifest, signature: Path, files: Sequence[tuple[Path, Digest]], job: Job | None = None) -> None:
    """Return when each of a model's files, whose SHA-256 is known already, is on the list. Raises `Damaged`."""
    wanted = {resource.name: resource.digest for resource in manifest.resources}
    for path, digest in files:
        if manifest.method != "files" or manifest.algorithm != "sha256":
            taken = Manifest(
                model="",
                resources=(),
                method=manifest.method,
                algorithm=manifest.algorithm,
                shard_size=manifest.shard_size,
            )
            found = {resource.name: resource.digest for resource in _resources(path, taken, job)}
        else:
            found = {ALONE: str(digest)}
        own = path.relative_to(signature.parent).as_posix()
        alone = len(files) == 1 and any(name in wanted for name in found)
        names = found if alone else {name.replace(ALONE, own, 1): value for name, value in found.items()}
        if any(name not in wanted for name in names):
            raise Damaged(source=path.name, problem=f"{signature.name} signs other files, not this one.")
        if any(wanted[name] != value for name, value in names.items()):
            raise Damaged(
                source=path.name,
                problem=f"the content differs from what {signature.name} signs. Take another copy of both.",
            )


def _resources(path: Path, taken: Manifest, job: Job | None) -> Iterator[Resource]:
    """What a list says of the files, taken in the way of `taken`."""
    files = list(_files(path, taken))
    try:
        total, done = sum(file.stat().st_size for _, file in files), 0
        for name, file in files:
            for piece_name, size, digest in _digests(name, file, taken):
                done += size
                if job is not None:
                    job.report(done, total, "bytes")
                if digest:
                    suffix = f"-sharded-{taken.shard_size}" if taken.method == "shards" else ""
                    yield Resource(piece_name, taken.algorithm + suffix, digest)
    except OSError as error:
        raise NotFound(
            kind="readable file", name=f"{error.filename or path} ({error.strerror})", step="Check its rights."
        ) from error


def _files(path: Path, taken: Manifest) -> Iterator[tuple[str, Path]]:
    if not path.exists():
        raise NotFound(kind="file or folder", name=str(path), step="Check the path.")
    if path.is_file():
        yield ALONE, path
        return
    left_out = [PurePosixPath(name) for name in taken.ignored]
    for folder, folders, names in os.walk(path, followlinks=False):
        folders.sort()
        for name in sorted((*folders, *names)):
            file = Path(folder) / name
            relative = PurePosixPath(file.relative_to(path).as_posix())
            if any(relative.is_relative_to(out) for out in left_out):
                continue
            if file.is_symlink() and not taken.allow_symlinks:
                raise BadInput(source=path.name, problem=f"{relative} is a link. Put the file itself there.")
            if file.is_file():
                yield relative.as_posix(), file
            elif not file.is_dir():
                raise BadInput(source=path.name, problem=f"{relative} is neither a file nor a folder. Take it away.")


def _digests(name: str, file: Path, taken: Manifest) -> Iterator[tuple[str, int, str]]:
    """Pieces of a file's content: the name, how many bytes more were read, and the digest once there is one."""
    step = taken.shard_size if taken.method == "shards" else 0
    room = bytearray(min(PIECE, step) if step else PIECE)
    with file.open("rb", buffering=0) as opened:
        start = end = 0
        hashed = hashlib.new(taken.algorithm)
        while length := opened.readinto(memoryview(room)[: min(len(room), start + step - end)] if step else room):
            hashed.update(memoryview(room)[:length])
            end += length
            if step and end == start + step:
                yield f"{name}:{start}:{end}", length, hashed.hexdigest()
                start, hashed = end, hashlib.new(taken.algorithm)
            else:
                yield name, length, ""
    if not step:
        yield name, 0, hashed.hexdigest()
    elif end > start:
        yield f"{name}:{start}:{end}", 0, hashed.hexdigest()


def _named(names: Iterable[str]) -> str:
    some = sorted(names)
    more = f" and {len(some) - MOST_NAMED} more" if len(some) > MOST_NAMED else ""
    return ", ".join(name[:80] for name in some[:MOST_NAMED]) + more
