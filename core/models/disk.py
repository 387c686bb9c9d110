"""What models take on the disk: each file, what lies there twice, and what may go.

Rules: equal files are found by their digests, and only files of equal size are read for that; one that has several names on the disk takes its
space once. A file is deleted only when it is still the registered one, nothing uses the model, and it is none that came with the program.
"""

import shutil
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from core.errors import Changed, NotFound, Refused
from core.jobs import Job
from core.models.files import file_digest
from core.models.records import DiskView, Duplicate, ModelFile, OnDisk
from core.models.service import Models
from core.paths import RESOURCES
from core.records import Digest
from core.vault.vault import Vault

SUFFIX = ".gguf"
MOST_FILES = 10_000
"""Looked at in the folders that are named."""


class ModelDisk:
    """The files of an open vault's models."""

    def __init__(self, vault: Vault, models: Models) -> None:
        self._vault = vault
        self._models = models

    def view(self, folders: Sequence[str] = (), job: Job | None = None) -> DiskView:
        """Every registered model's space and users, and equal files among them, in their folders, and below `folders`. Progress in bytes.

        Raises `NotFound` (a folder), `Cancelled`."""
        models = self._models.list()
        with self._vault.read() as reader:
            listed = tuple(_on_disk(model, self._models.uses(reader, model)) for model in models)
        registered = {Path(path).absolute() for model in models for path in model.files}
        files = _files(registered, [Path(folder).absolute() for folder in folders])
        others = sorted(str(path) for path in files - registered)
        return DiskView(
            models=listed,
            total=sum(found.space for found in listed),
            free=tuple(
                sorted({(str(f), shutil.disk_usage(f).free) for f in {p.parent for p in registered if p.is_file()}})
            ),
            duplicates=_duplicates(files, job),
            others=tuple((path, Path(path).stat().st_size) for path in others),
        )

    def discard(self, name: str, reason: str = "", job: Job | None = None) -> int:
        """Forget a model and delete its files; the bytes that became free.

        Raises `NotFound`, `Changed` (another file lies there), `Refused` (in use: by what is said; or it came with the program)."""
        model = self._models.located(name, job)
        for path in map(Path, model.files):
            if path.resolve().is_relative_to(RESOURCES.resolve()):
                raise Refused(
                    act=f"Delete {path.name}", reason="It came with the program. `assay model remove` forgets it."
                )
        freed = _space(map(Path, model.files))
        for path in map(Path, model.files):
            if not path.is_file():
                raise Changed(source=str(path), since=model.added[:10])
        self._models.remove(model.name, reason)
        for path in map(Path, model.files):
            try:
                path.unlink()
            except OSError as error:
                raise NotFound(
                    kind="file that may be deleted",
                    name=str(path),
                    step="The model is forgotten; delete the file yourself.",
                ) from error
        return freed


def _on_disk(model: ModelFile, uses: tuple[str, ...]) -> OnDisk:
    paths = [Path(path) for path in model.files]
    return OnDisk(
        name=model.name,
        digest=model.digest,
        paths=model.files,
        size=model.size,
        space=_space(path for path in paths if path.is_file()),
        missing=tuple(str(path) for path in paths if not path.is_file()),
        uses=uses,
    )


def _space(paths: Iterable[Path]) -> int:
    """Bytes that files take, each once however many names it has; 512 for each of the system's blocks where it counts those."""
    taken = {}
    for path in paths:
        found = path.stat()
        blocks = getattr(found, "st_blocks", 0)
        taken[found.st_dev, found.st_ino] = blocks * 512 if blocks else found.st_size
    return sum(taken.values())


def _files(registered: set[Path], folders: Sequence[Path]) -> set[Path]:
    """The registered files that are there, and the model files beside them and below `folders`."""
    found = {path for path in registered if path.is_file()}
    for folder in {path.parent for path in found}:
        found |= {path for path in folder.iterdir() if path.suffix.lower() == SUFFIX and _plain(path)}
    for folder in folders:
        if not folder.is_dir():
            raise NotFound(kind="folder", name=str(folder), step="Check the path.")
        for path in folder.rglob("*"):
            if path.suffix.lower() == SUFFIX and _plain(path):
                found.add(path)
            if len(found) > MOST_FILES:
                return found
    return found


def _plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _duplicates(files: set[Path], job: Job | None) -> tuple[Duplicate, ...]:
    sizes: dict[int, dict[tuple[int, int], Path]] = defaultdict(dict)
    for path in sorted(files):
        found = path.stat()
        sizes[found.st_size].setdefault((found.st_dev, found.st_ino), path)
    alike = {size: list(paths.values()) for size, paths in sizes.items() if size and len(paths) > 1}
    total, done = sum(size * len(paths) for size, paths in alike.items()), 0
    equal: dict[tuple[int, Digest], list[str]] = defaultdict(list)
    for size, paths in alike.items():
        for path in paths:
            equal[size, file_digest(path, job, done, total)].append(str(path))
            done += size
    return tuple(
        Duplicate(digest=digest, size=size, paths=tuple(paths))
        for (size, digest), paths in sorted(equal.items(), reverse=True)
        if len(paths) > 1
    )
