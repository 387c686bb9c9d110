"""Model files: registering them, and making sure that a file is still the one that was registered.

A model is a file outside the vault; the vault keeps its digest and what its header says. The header is read in a worker, because a file
that came from elsewhere is not trusted; the digest is computed here. `located` compares size and time of change on each use, and the
digest when one of them differs. `fake` is known without a file: the deterministic built-in model.
"""

import hashlib
import re
import threading
from pathlib import Path
from typing import Final

from core.errors import BadInput, Changed, NotFound
from core.jobs import Job
from core.models import store
from core.models.records import FAKE, AddModel, Facts, ModelFile, ReadModel
from core.records import Digest, now
from core.vault.roles import Act
from core.vault.vault import Vault
from core.workers.records import WorkerSpec
from core.workers.supervisor import Supervisor

PIECE: Final = 4 * 1024 * 1024
READING_MEMORY: Final = 1024 * 1024 * 1024
READING_SECONDS: Final = 30.0
FAKE_CONTEXT: Final = 4096
FAKE_DIMENSIONS: Final = 64
FAKE_MODEL: Final = ModelFile(
    name=FAKE,
    digest=Digest(hashlib.sha256(b"assay fake model 1").hexdigest()),
    path="",
    size=0,
    modified_us=0,
    architecture="fake",
    purpose="chat",
    quantization="none",
    parameters=0,
    context=FAKE_CONTEXT,
    dimensions=FAKE_DIMENSIONS,
    has_template=True,
    licence="AGPL-3.0-or-later",
    added="",
)
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}")


class Models:
    """The registered models of an open vault."""

    def __init__(self, vault: Vault, supervisor: Supervisor) -> None:
        self._vault = vault
        self._supervisor = supervisor
        self._verified: dict[Digest, tuple[int, int]] = {}
        self._lock = threading.Lock()

    def add(self, request: AddModel, job: Job | None = None) -> ModelFile:
        """Register a file; progress in bytes. A file that is registered already is returned as it is. A registered file that moved, or whose
        content is another one now, is recorded anew under its name.

        Raises `NotFound`, `BadInput`, `AlreadyExists` (the name), `Damaged`, `Unsupported`, `Refused`, `Cancelled`."""
        path = Path(request.path).expanduser().absolute()
        if not path.is_file():
            raise NotFound(kind="file", name=str(path), step="Give the path of a .gguf file.")
        name = _name(request.name if request.name is not None else path.stem.lower().replace(" ", "-"))
        facts = self._read(path, job)
        state = _state(path)
        digest = file_digest(path, job)
        if state != _state(path):
            raise BadInput(
                source=path.name, problem="the file changed while it was read. Wait until it is written, and try again."
            )
        with self._vault.read() as reader:
            same, named = store.find(reader, digest), store.find(reader, name)
        if same is not None and same.path != str(path) and Path(same.path).is_file():
            raise BadInput(
                source=path.name,
                problem=f"the same file is registered as {same.name} ({same.path}). Use that, or remove it first.",
            )
        if same is not None:
            if request.name not in (None, same.name):
                raise BadInput(source=path.name, problem=f"it is registered as {same.name}. Remove that name first.")
            self._remember(digest, state)
            if same.path == str(path):
                return same
        moved = same or (named if named is not None and named.path == str(path) else None)
        model = _model(name if moved is None else moved.name, digest, path, state, facts)
        with self._vault.write(Act.ADD_MODEL, about=model.name) as unit:
            store.insert(unit, model, moved)
        self._remember(digest, state)
        return model

    def list(self) -> tuple[ModelFile, ...]:
        """The registered models, by name; the built-in one is not among them."""
        with self._vault.read() as reader:
            return store.everything(reader)

    def show(self, name: Digest | str) -> ModelFile:
        """The model of that name, or with that digest. Raises `NotFound`."""
        if name in (FAKE, FAKE_MODEL.digest):
            return FAKE_MODEL
        with self._vault.read() as reader:
            found = store.find(reader, name.lower())
        if found is None:
            raise store.missing(name)
        return found

    def located(self, name: Digest | str, job: Job | None = None) -> ModelFile:
        """The model, after making sure that its file is the one that was registered.

        Raises `NotFound` (unknown, or its file is gone), `Changed` (its content differs)."""
        model = self.show(name)
        if model.name == FAKE:
            return model
        path = Path(model.path)
        try:
            state = _state(path)
        except OSError:
            raise NotFound(
                kind="file", name=f"{path} of the model {model.name}", step="Put it back, or register the model again."
            ) from None
        if state == (model.size, model.modified_us) or state == self._verified.get(model.digest):
            return model
        if state[0] != model.size or file_digest(path, job) != model.digest:
            raise Changed(source=str(path), since=model.added[:10])
        self._remember(model.digest, state)
        return model

    def remove(self, name: str, reason: str = "") -> None:
        """Forget a model; its file stays where it is, and what was recorded with it keeps its digest. Raises `NotFound`, `Refused`."""
        with self._vault.write(Act.REMOVE_MODEL, about=name, reason=reason) as unit:
            store.delete(unit, name)

    def _read(self, path: Path, job: Job | None) -> Facts:
        spec = WorkerSpec(
            module="core.models.worker.reading",
            readable=(str(path),),
            memory=READING_MEMORY,
            seconds=READING_SECONDS,
            title="The reader of model files",
        )
        with self._supervisor.start(spec, job) as worker:
            return worker.call(ReadModel(path=str(path)), Facts, job)

    def _remember(self, digest: Digest, state: tuple[int, int]) -> None:
        with self._lock:
            self._verified[digest] = state


def file_digest(path: Path, job: Job | None = None) -> Digest:
    """The SHA-256 of a file; progress in bytes. Raises `Cancelled`, `NotFound`."""
    hashed = hashlib.sha256()
    done = 0
    try:
        with path.open("rb") as file:
            total = path.stat().st_size
            while piece := file.read(PIECE):
                hashed.update(piece)
                done += len(piece)
                if job is not None:
                    job.report(done, total, "bytes")
    except OSError as error:
        raise NotFound(
            kind="readable file", name=f"{path} ({error.strerror})", step="Check its place and its rights."
        ) from error
    return Digest(hashed.hexdigest())


def _state(path: Path) -> tuple[int, int]:
    """Size, and time of the last change in microseconds."""
    found = path.stat()
    return found.st_size, found.st_mtime_ns // 1000


def _model(name: str, digest: Digest, path: Path, state: tuple[int, int], facts: Facts) -> ModelFile:
    return ModelFile(
        name=name,
        digest=digest,
        path=str(path),
        size=state[0],
        modified_us=state[1],
        architecture=facts.architecture,
        purpose=facts.purpose,
        quantization=facts.quantization,
        parameters=facts.parameters,
        context=facts.context,
        dimensions=facts.dimensions,
        has_template=facts.has_template,
        licence=facts.licence,
        added=now(),
    )


def _name(name: str) -> str:
    if name == FAKE:
        raise BadInput(source="The name fake", problem="it is the built-in model's. Choose another name.")
    if not _NAME.fullmatch(name):
        raise BadInput(
            source=f"The name {name[:80]}",
            problem="use up to 80 lower-case letters, digits, points, dashes and underscores, beginning with a letter or digit.",
        )
    return name
