"""Adapters from elsewhere into the vault, and adapters merged into their base as a model file.

An adapter that PEFT made comes in as a run that was not made here: sealed, listed, signed, evaluated and exported like the others, and its record
says where it is from. A merged file lies outside the vault, so writing it is an export: asked for, logged. It is registered as a model.
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

from core.errors import BadInput, DiskFull, NotFound, Refused
from core.evals.service import environment
from core.jobs import Job
from core.models.files import file_digest
from core.models.records import FAKE, AddModel, ModelFile
from core.models.service import Models, checked_name
from core.paths import runtime_folder
from core.records import Digest, now
from core.training import merged, store
from core.training.exporting import new_file
from core.training.records import ImportAdapter, MergeAdapter, TrainingResult, TrainingRun, TrainingView, TrainSpec
from core.training.service import Trainings
from core.training.settings import Settings
from core.training.work import PIECE
from core.training.worker.foreign import AdapterRead, MergedInto, MergeInto, ReadAdapter, WriteTrained
from core.training.worker.records import Piece, TakeCheckpoint, Taken
from core.vault.roles import Act, allowed
from core.vault.vault import Vault
from core.workers.records import WorkerSpec
from core.workers.supervisor import Supervisor

TITLE: Final = "The maker of adapters"
QUANTIZATIONS: Final = ("f32", "f16", "bf16", "q8_0")
MAGIC: Final = b"GGUF"
BYTES: Final = {"f32": 4.0, "f16": 2.0, "bf16": 2.0, "q8_0": 1.1}


class AdapterFiles:
    """Importing and merging, for one open vault."""

    def __init__(self, vault: Vault, models: Models, trainings: Trainings, supervisor: Supervisor) -> None:
        self._vault = vault
        self._models = models
        self._trainings = trainings
        self._supervisor = supervisor
        trainings.writer = self.merge

    def import_adapter(self, request: ImportAdapter, job: Job) -> TrainingView:
        """Take PEFT's folder in as an adapter of that base.

        Raises `NotFound`, `Unsupported` (pickled, another kind than LoRA), `BadInput` (for another base), `Damaged`, `Refused`, `WorkerFailed`."""
        self._check_right(Act.TRAIN, "an adapter from elsewhere")
        folder = Path(request.folder).expanduser().absolute()
        if not folder.is_dir():
            raise NotFound(kind="folder", name=str(folder), step="Give the folder that PEFT saved.")
        base = self._base(request.base, job)
        name = checked_name(request.name or folder.name)
        ask = ReadAdapter(folder=str(folder), base=base.path, digest=base.digest, name=name)
        pieces: dict[str, list[bytes]] = {}
        read: AdapterRead | None = None
        with runtime_folder("training") as work:
            spec = _spec((str(folder), base.path), (str(work),), str(work))
            with self._supervisor.start(spec, job) as worker:
                for part in worker.stream(ask, Piece | AdapterRead, job):
                    if isinstance(part, AdapterRead):
                        read = part
                    else:
                        pieces.setdefault(part.of, []).append(part.data)
        assert read is not None
        settings = Settings(rank=read.rank, alpha=read.alpha, rslora=read.rslora, targets=read.targets)
        with self._vault.write(Act.TRAIN, about=f"{name} imported", reason=request.reason) as unit:
            number = store.next_number(unit)
            run = TrainingRun(
                id=f"training-{number}",
                name=name,
                base=base.name,
                base_digest=base.digest,
                folder="",
                spec=TrainSpec(name=name, base=base.name, data=()),
                settings=settings,
                sources=(),
                examples=0,
                left_out=(),
                versions={},
                environment=environment(),
                device="",
                threads=0,
                user=self._vault.user.user,
                started=now(),
                imported=folder.name,
            )
            digest = store.start(unit, number, run, ())
            found = {of: unit.seal(parts) for of, parts in pieces.items()}
            result = TrainingResult(
                run=digest,
                status="finished",
                reason="imported",
                step=0,
                weights=found["safetensors"],
                config=found["config"],
                gguf=found["gguf"],
                gguf_size=sum(map(len, pieces["gguf"])),
                architecture=read.architecture,
                finished=now(),
            )
            store.close(unit, digest, result)
        return self._trainings.show(run.id)

    def merge(self, request: MergeAdapter, job: Job) -> ModelFile:
        """Write the base with a run's adapter in its weights, or with the weights that the run trained, to a new file, and register that as a model.
        A file that is there and has exactly the bytes that come out is registered: its merge was broken off before that.

        Raises `NotFound`, `BadInput` (no adapter), `AlreadyExists`, `DiskFull`, `Refused`, `WorkerFailed`; no part of a file is left then."""
        self._check_right(Act.ADD_MODEL, "a merged model")
        view = self._trainings.show(request.run)
        result = view.result
        full = view.run.settings.method == "full"
        if result is None or not (result.weights if full else result.gguf) or view.result_digest is None:
            raise BadInput(source=request.run, problem="it has no adapter that can be merged.")
        if request.quantization not in QUANTIZATIONS:
            raise BadInput(source=request.quantization[:20], problem=f"use one of {', '.join(QUANTIZATIONS)}.")
        base = self._base(str(view.run.base_digest), job)
        path = Path(request.out)
        name = request.name or path.stem
        out = new_file(path, there=self._left_over(path, name, view))
        if shutil.disk_usage(out.parent).free < base.parameters * BYTES[request.quantization]:
            raise DiskFull(path=str(out.parent))
        about = f"{view.run.id} merged as {out.name}"
        with self._vault.write(Act.EXPORT_ADAPTER, about=about, reason=request.reason) as unit:
            unit.note(touched=(view.result_digest,))
            adapter = unit.blob(Digest(result.weights if full else result.gguf))
        folder = Path(tempfile.mkdtemp(prefix=".assay-making-", dir=out.parent))
        try:
            made = folder / out.name
            with runtime_folder("training") as work:
                spec = _spec((base.path,), (str(work), str(folder)), str(work))
                with self._supervisor.start(spec, job) as worker:
                    for at in range(0, len(adapter), PIECE):
                        piece = TakeCheckpoint(at=at, size=len(adapter), data=adapter[at : at + PIECE])
                        worker.call(piece, Taken, job)
                    kind = WriteTrained if full else MergeInto
                    ask = kind(base=base.path, out=str(made), quantization=request.quantization, name=name)
                    worker.call(ask, MergedInto, job)
            with made.open("rb") as file:
                os.fsync(file.fileno())
            if not (out.is_file() and file_digest(out, job) == file_digest(made, job)):
                new_file(out)
                made.replace(out)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        model = self._models.add(AddModel(path=str(out), name=name), job)
        with self._vault.write(Act.ADD_MODEL, about=f"{name} is {view.run.base} with {view.run.id}") as unit:
            merged.record(unit, view, model)
        return model

    def _left_over(self, out: Path, name: str, view: TrainingView) -> bool:
        """Whether the file that is there may be this merge's, broken off before it was recorded: a GGUF that is registered as nothing else."""
        out = out.expanduser().absolute()
        try:
            with out.open("rb") as file:
                if file.read(len(MAGIC)) != MAGIC:
                    return False
        except OSError:
            return False
        recorded = {one.digest for one in merged.of_run(self._vault, view.digest)}
        here = [one for one in self._models.list() if one.path == str(out)]
        return all(one.name == name and one.digest not in recorded for one in here)

    def _base(self, name: str, job: Job) -> ModelFile:
        model = self._models.located(name, job)
        if model.purpose != "chat" or model.name == FAKE or len(model.files) > 1:
            raise BadInput(source=name, problem="adapters belong to chat models in one file. Choose one.")
        return model

    def _check_right(self, act: Act, about: str) -> None:
        if not allowed(act, self._vault.user.roles):
            with self._vault.write(act, about=about):
                raise Refused(act=act, reason="your role doesn't allow it")


def _spec(readable: tuple[str, ...], writable: tuple[str, ...], hidden: str) -> WorkerSpec:
    return WorkerSpec(
        module="core.training.worker.foreign", readable=readable, writable=writable, hidden=(hidden,), title=TITLE
    )
