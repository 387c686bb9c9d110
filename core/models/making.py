"""Makes model files: a Hugging Face folder becomes a GGUF, a GGUF a smaller one, and the result is registered.

A worker writes into a folder of its own beside the place where the file goes, and the file is moved there when it is whole: a failure, a
cancel or a killed program leaves no file that looks like a model. An existing file is never replaced. Whoever may not register models is told
before the work.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from core.errors import AlreadyExists, BadInput, DiskFull, NotFound, Refused
from core.jobs import Job
from core.models.making_records import (
    CONVERTED_TYPES,
    QUANTIZATIONS,
    Compared,
    CompareModels,
    Converted,
    ConvertFolder,
    ImportedModel,
    ImportModel,
    Quantized,
    QuantizedModel,
    QuantizeFile,
    QuantizeModel,
)
from core.models.records import FAKE, AddModel, ModelFile
from core.models.service import Models
from core.vault.roles import Act, allowed
from core.vault.vault import Vault
from core.workers.records import WorkerSpec
from core.workers.supervisor import Supervisor

BITS: Final = {
    "F32": 32.0,
    "F16": 16.0,
    "BF16": 16.0,
    "Q8": 8.5,
    "Q6": 6.6,
    "Q5": 5.7,
    "Q4": 4.9,
    "Q3": 4.0,
    "Q2": 3.2,
    "IQ4": 4.5,
}
"""Bits of a weight, roughly: for progress and the room that is needed, not for any answer."""
WHOLE: Final = ("f32", "f16", "bf16")
LONGEST_TEXT: Final = 2_000_000
"""Characters."""
_WORK: Final = ".assay-making-"


class ModelMaking:
    """Importing and quantizing, for one open vault."""

    def __init__(
        self, vault: Vault, models: Models, supervisor: Supervisor, threads: Callable[[], int] = lambda: 0
    ) -> None:
        """`threads`: how many a quantization takes; 0 for all cores."""
        self._vault = vault
        self._models = models
        self._supervisor = supervisor
        self._threads = threads

    def import_folder(self, request: ImportModel, job: Job) -> ImportedModel:
        """Convert a Hugging Face folder and register the file.

        Raises `NotFound`, `BadInput`, `Unsupported` (the family, its tokenizer, pickled weights), `Damaged`, `AlreadyExists` (the file or the
        name), `DiskFull`, `Refused`, `WorkerFailed`, `Cancelled`."""
        self._check_right()
        folder = Path(request.folder).expanduser().absolute()
        if not folder.is_dir():
            raise NotFound(kind="folder", name=str(folder), step="Give the folder of a Hugging Face model.")
        kind = _one_of(request.quantization.lower(), CONVERTED_TYPES)
        out = _target(request.out, folder.parent / f"{folder.name}-{kind}.gguf")
        weights = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
        with self._written(out, weights) as made:
            ask = ConvertFolder(folder=str(folder), out=str(made), quantization=kind, name=request.name or folder.name)
            with self._supervisor.start(_spec("converting.folder", (folder,), made.parent), job) as worker:
                converted = worker.call(ask, Converted, job)
        return ImportedModel(
            model=self._models.add(AddModel(path=str(out), name=request.name), job), converted=converted
        )

    def quantize(self, request: QuantizeModel, job: Job) -> QuantizedModel:
        """Write a registered model anew with smaller numbers, and register that. Raises as `import_folder`."""
        self._check_right()
        model = self._models.located(request.model, job)
        if model.name == FAKE:
            raise BadInput(source=FAKE, problem="it has no file. Choose another model.")
        if max(len(request.text), len(request.importance)) > LONGEST_TEXT:
            raise BadInput(
                source="The text", problem=f"it is longer than {LONGEST_TEXT:,} characters. Give a part of it."
            )
        kind = _one_of(request.quantization.upper(), QUANTIZATIONS)
        if model.quantization not in WHOLE and not request.again:
            raise BadInput(
                source=model.name,
                problem=f"it is quantized already ({model.quantization}). Take the original, or ask for it all the same and lose more.",
            )
        path = Path(model.path)
        out = _target(request.out, path.with_name(f"{model.name}-{kind.lower()}.gguf"))
        expected = int(model.parameters * _bits(kind) / 8)
        files = tuple(map(Path, model.files))
        with self._written(out, expected) as made:
            ask = QuantizeFile(
                path=str(path),
                out=str(made),
                name=model.name,
                quantization=kind,
                threads=self._threads(),
                again=request.again,
                pure=request.pure,
                expected=max(expected, 1),
                importance=request.importance,
            )
            with self._supervisor.start(_spec("quantizing", files, made.parent), job) as worker:
                done = worker.call(ask, Quantized, job)
            compared = self._compared(files, made, request.text, job) if request.text else None
        return QuantizedModel(
            model=self._models.add(AddModel(path=str(out), name=request.name), job),
            before=model.size,
            compared=compared,
            learnt=done.learnt,
        )

    def compare(self, first: str, second: str, text: str, job: Job) -> Compared:
        """How far a model's predictions are from another's, on a text. Raises `NotFound`, `BadInput`, `Unsupported`, `WorkerFailed`."""
        one, two = self._models.located(first, job), self._models.located(second, job)
        if FAKE in (one.name, two.name):
            raise BadInput(source=FAKE, problem="it has no file. Choose another model.")
        return self._compared(tuple(map(Path, one.files)), Path(two.path), text, job, _paths(two))

    def _compared(
        self, first: tuple[Path, ...], second: Path, text: str, job: Job, more: tuple[Path, ...] = ()
    ) -> Compared:
        spec = _spec("quantizing", (*first, second, *more), None)
        with self._supervisor.start(spec, job) as worker:
            return worker.call(CompareModels(first=str(first[0]), second=str(second), text=text), Compared, job)

    def _check_right(self) -> None:
        if not allowed(Act.ADD_MODEL, self._vault.user.roles):
            with self._vault.write(Act.ADD_MODEL, about="a new model file"):
                raise Refused(act=Act.ADD_MODEL, reason="your role doesn't allow it")

    @contextmanager
    def _written(self, out: Path, needed: int) -> Iterator[Path]:
        """Where the worker writes; moved to `out` after the block, which must leave a file there."""
        if shutil.disk_usage(out.parent).free < needed:
            raise DiskFull(path=str(out.parent))
        work = Path(tempfile.mkdtemp(prefix=_WORK, dir=out.parent))
        try:
            made = work / out.name
            yield made
            with made.open("rb") as file:
                os.fsync(file.fileno())
            if out.exists():
                raise _there(out)
            made.replace(out)
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _spec(module: str, readable: tuple[Path, ...], work: Path | None) -> WorkerSpec:
    return WorkerSpec(
        module=f"core.models.worker.{module}",
        readable=tuple(map(str, readable)),
        writable=() if work is None else (str(work),),
        title="The maker of model files",
    )


def _target(asked: str | None, usual: Path) -> Path:
    out = usual if asked is None else Path(asked).expanduser().absolute()
    if not out.parent.is_dir():
        raise NotFound(kind="folder", name=str(out.parent), step="Make it first, or choose another place.")
    if out.exists():
        raise _there(out)
    if out.suffix != ".gguf":
        raise BadInput(source=out.name, problem="name the new file with .gguf at its end.")
    return out


def _there(out: Path) -> AlreadyExists:
    return AlreadyExists(kind="file", name=str(out), step="Choose another name.")


def _one_of(name: str, known: tuple[str, ...]) -> str:
    if name not in known:
        raise BadInput(source=f"The type {name[:20]}", problem=f"use one of {', '.join(known)}.")
    return name


def _bits(kind: str) -> float:
    return next(
        (bits for start, bits in sorted(BITS.items(), key=lambda item: -len(item[0])) if kind.startswith(start)), 5.0
    )


def _paths(model: ModelFile) -> tuple[Path, ...]:
    return tuple(map(Path, model.files))
