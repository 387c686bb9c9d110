"""A workbench for the models page: a real vault with real cards and aliases over files that were never read; an engine that answers at once."""

import threading
from pathlib import Path
from types import SimpleNamespace

import msgspec

from core.errors import AlreadyExists, Damaged
from core.inference.planning import MemoryPlan
from core.inference.records import Loaded
from core.jobs import Job
from core.models import store
from core.models.aliases import ModelAliases
from core.models.cards import ModelCards, approved_use
from core.models.disk import ModelDisk
from core.models.making_records import Compared, Converted, ImportedModel, ImportModel, QuantizedModel, QuantizeModel
from core.models.records import AddModel, ModelFile
from core.models.service import Models
from core.models.signatures import ModelSignatures
from core.records import Digest
from core.trust.canonical import digest as sha256
from core.vault.roles import Act
from core.vault.vault import Vault

GB = 10**9
RUN = Digest("ab" * 32)
LOST = Compared(
    tokens=311,
    first_perplexity=9.12,
    second_perplexity=9.41,
    divergence=0.0213,
    divergence_99=0.181,
    same_top=0.943,
)


class Engine:
    """Holds what a test says is in memory."""

    def __init__(self) -> None:
        self.held: list[Loaded] = []
        self.room = 6 * GB
        self.planned: list[tuple[str, int]] = []
        self.unloaded: list[tuple[str, str | None]] = []

    def loaded(self) -> tuple[Loaded, ...]:
        return tuple(self.held)

    def budget(self) -> int:
        return self.room

    def unload(self, digest: str, projector: str | None = None) -> None:
        self.unloaded.append((digest, projector))
        self.held = [o for o in self.held if o.digest != digest or projector not in (None, o.projector_digest)]

    def plan(self, name: str, context: int = 0, job: Job | None = None) -> MemoryPlan:
        self.planned.append((name, context))
        context = context or 4096
        cache = context * 100_000
        total = 900_000_000 + cache + 60_000_000 + 40_000_000
        fits = total <= self.room
        return MemoryPlan(
            context=context,
            weights=900_000_000,
            cache=cache,
            buffers=60_000_000,
            process=40_000_000,
            total=total,
            budget=self.room,
            fits=fits,
            suggestion=context if fits else 1024 if self.room > 1_200_000_000 else 0,
        )

    def hold(self, name: str, requests: int = 0, memory: int = 1_310_000_000, projector: str = "") -> None:
        self.held.append(
            Loaded(
                name=name,
                digest=sha256(name.encode()),
                pid=1,
                context=4096,
                start_seconds=0.4,
                backend="stand-in",
                resident=memory - 100_000_000,
                tokens_per_second=21.4,
                memory=memory,
                requests=requests,
                slots=1 if projector else 16,
                projector=projector,
                projector_digest=sha256(projector.encode()) if projector else "",
            )
        )


class Making:
    """Registers a file without making it; `gate` keeps it at work."""

    def __init__(self, bench: "ModelBench") -> None:
        self._bench = bench
        self.gate = threading.Event()
        self.gate.set()
        self.asked: list[ImportModel | QuantizeModel] = []
        self.compared: list[tuple[str, str, str]] = []

    def _work(self, job: Job, unit: str) -> None:
        for done in (25, 50):
            job.report(done, 100, unit)
        while not self.gate.wait(0.005):
            job.check()

    def import_folder(self, request: ImportModel, job: Job) -> ImportedModel:
        self.asked.append(request)
        self._work(job, "tensors")
        made = self._bench.put(request.name or Path(request.folder).name, "bf16")
        notes = ("its chat template is kept as it stands", "two tensors of a vision part are left out")
        return ImportedModel(model=made, converted=Converted(architecture="llama", tensors=290, texts=412, notes=notes))

    def compare(self, first: str, second: str, text: str, job: Job) -> Compared:
        self.compared.append((first, second, text))
        self._work(job, "windows")
        return LOST

    def quantize(self, request: QuantizeModel, job: Job) -> QuantizedModel:
        self.asked.append(request)
        self._work(job, "bytes")
        made = self._bench.put(request.name or f"{request.model}-{request.quantization.lower()}", "q4_k_m")
        return QuantizedModel(model=made, before=3_100_000_000, compared=LOST if request.text else None)


class ModelBench:
    """What the models page sees of a workbench."""

    def __init__(self, vault: Vault, folder: Path) -> None:
        self.vault, self.folder = vault, folder
        folder.mkdir(exist_ok=True)
        self.events = vault.events
        self.engine = Engine()
        self._models = Models(vault, SimpleNamespace())  # type: ignore[arg-type]
        self._models.asked.append(approved_use)
        self.models = SimpleNamespace(
            list=self._models.list,
            show=self._models.show,
            remove=self._models.remove,
            uses=self._models.uses,
            add=self._add,
        )
        self.model_cards = ModelCards(vault, self._models, lambda run: RUN)
        self.model_aliases = ModelAliases(vault, self._models)
        self.model_disk = ModelDisk(vault, self._models)
        self.making = Making(self)
        self.signatures = ModelSignatures(vault, self._models)
        self.evals = SimpleNamespace(list=lambda: (SimpleNamespace(run=SimpleNamespace(id="run-1")),))

    def close(self) -> None:
        self.vault.close()

    def put(self, name: str, quantization: str = "q8_0", purpose: str = "chat", **more: object) -> ModelFile:
        """Register a small file under a name, as if it had been read."""
        path = self.folder / f"{name}.gguf"
        if not path.exists():
            path.write_bytes(b"GGUF" + name.encode() * 400)
        made = ModelFile(
            name=name,
            digest=sha256(name.encode()),
            path=str(path),
            size=1_620_000_000,
            modified_us=0,
            architecture="llama" if purpose == "chat" else "bert",
            purpose=purpose,
            quantization=quantization,
            parameters=1_540_000_000,
            context=32_768,
            dimensions=384,
            has_template=purpose == "chat",
            licence="Apache-2.0",
            added="2026-11-03T14:02:11+01:00",
        )
        made = msgspec.structs.replace(made, **more)
        with self.vault.write(Act.ADD_MODEL, about=name) as unit:
            store.insert(unit, made, None)
        return made

    def _add(self, request: AddModel, job: Job) -> ModelFile:
        path = Path(request.path)
        job.report(1, 2, "bytes")
        if not path.read_bytes().startswith(b"GGUF"):
            raise Damaged(source=path.name, problem="it doesn’t begin as a GGUF file. Choose another file.")
        name = request.name or path.stem
        if name in [one.name for one in self.models.list()]:
            raise AlreadyExists(kind="model", name=name, step="Choose another name with --name.")
        return self.put(name)
