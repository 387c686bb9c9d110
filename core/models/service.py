"""Model files: registering them, and making sure that a file is still the one that was registered.

A model is a file outside the vault; the vault keeps its digest and what its header says. The header is read in a worker, because a file
that came from elsewhere is not trusted; the digest is computed here. `located` compares the identity of each file (`core.models.files`) on
each use, and the digest when it differs. `fake` is known without a file: the deterministic built-in model.
"""

import hashlib
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from core.errors import BadInput, Changed, NotFound, Refused
from core.jobs import Job
from core.models import beside, store
from core.models.files import all_parts, file_digest, identity, model_digest, split_stem
from core.models.records import FAKE, AddModel, Facts, ModelFile, Part, ReadModel
from core.records import Digest, now
from core.vault.roles import Act
from core.vault.unit import Reader
from core.vault.vault import Vault
from core.workers.records import WorkerSpec
from core.workers.supervisor import Supervisor

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


Uses = Callable[[Reader, ModelFile], Iterable[str]]


class Lent(NamedTuple):
    """An adapter that lies sealed in the vault and has no file: what it is, and how its content is read."""

    model: ModelFile
    content: Callable[[], Iterator[bytes]]


Lender = Callable[[str], Lent | None]


class Models:
    """The registered models of an open vault."""

    def __init__(self, vault: Vault, supervisor: Supervisor) -> None:
        self._vault = vault
        self._supervisor = supervisor
        self._verified: dict[Digest, str] = {}
        self._lock = threading.Lock()
        self.asked: list[Uses] = [_aliased]
        """Who is asked what uses a model; packages above add themselves."""
        self.lenders: list[Lender] = []
        """Who is asked for an adapter that isn't registered, by its name or digest."""

    def add(self, request: AddModel, job: Job | None = None) -> ModelFile:
        """Register a file, or one of the files of a model in several; progress in bytes. A file that is registered already is returned as it
        is. A registered file that moved, or whose content is another one now, is recorded anew under its name. A signature beside it is
        verified by the key given, or by those that the vault trusts; where none of these signed, that is recorded.

        Raises `NotFound`, `BadInput`, `AlreadyExists` (the name), `Damaged` (the signature's too), `Unsupported`, `Refused`, `Cancelled`."""
        given = Path(request.path).expanduser().absolute()
        if given.is_dir():
            raise BadInput(
                source=given.name, problem="a folder. Give a .gguf file, or make one with `assay model import`."
            )
        if not given.is_file():
            raise NotFound(kind="file", name=str(given), step="Give the path of a .gguf file.")
        files = all_parts(given)
        path = files[0]
        name = checked_name(request.name if request.name is not None else split_stem(path).lower().replace(" ", "-"))
        facts = self._read(files, job)
        parts = _parts(files, job)
        digest = parts[0].digest if len(parts) == 1 else model_digest((part.name, part.digest) for part in parts)
        hashed = [(file, part.digest) for file, part in zip(files, parts, strict=True)]
        with self._vault.read() as reader:
            same, named = store.find(reader, digest), store.find(reader, name)
            state, by = beside.beside_model(reader, hashed, request.signature, request.key, job)
        if same is not None and same.path != str(path) and Path(same.path).is_file():
            raise BadInput(
                source=path.name,
                problem=f"the same file is registered as {same.name} ({same.path}). Use that, or remove it first.",
            )
        if same is not None and request.name not in (None, same.name):
            raise BadInput(source=path.name, problem=f"it is registered as {same.name}. Remove that name first.")
        self._remember(parts)
        moved = same or (named if named is not None and named.path == str(path) else None)
        model = _model(name if moved is None else moved.name, digest, path, parts, facts)
        model = msgspec.structs.replace(model, signature=state, signed_by=by)
        if same is not None and msgspec.structs.replace(model, added=same.added) == same:
            return same
        with self._vault.write(Act.ADD_MODEL, about=model.name) as unit:
            store.insert(unit, model, moved)
        return model

    def list(self) -> tuple[ModelFile, ...]:
        """The registered models, by name; the built-in one is not among them."""
        with self._vault.read() as reader:
            return store.everything(reader)

    def show(self, name: Digest | str) -> ModelFile:
        """The model of that name or alias, or with that digest. Raises `NotFound`."""
        if name in (FAKE, FAKE_MODEL.digest):
            return FAKE_MODEL
        with self._vault.read() as reader:
            pointed = store.pointed(reader, name.lower())
            found = store.find(reader, pointed or name.lower())
        if pointed == FAKE_MODEL.digest:
            return FAKE_MODEL
        if found is None and pointed:
            raise NotFound(
                kind="model",
                name=f"{name}, an alias of {pointed[:12]}…",
                step="Register that file again, or move the alias.",
            )
        if found is None:
            lent = self.lent(name)
            if lent is None:
                raise store.missing(name)
            return lent.model
        return found

    def lent(self, name: Digest | str) -> Lent | None:
        """The sealed adapter of that name or digest; None for what isn't one."""
        return next((lent for lender in self.lenders if (lent := lender(str(name).lower())) is not None), None)

    def located(self, name: Digest | str, job: Job | None = None) -> ModelFile:
        """The model, after making sure that its files are the ones that were registered: by their identity, or else by reading them.

        Raises `NotFound` (unknown, or its file is gone), `Changed` (its content differs)."""
        model = self.show(name)
        if model.name == FAKE or not model.path:
            return model
        one = (Part(name=Path(model.path).name, digest=model.digest, size=model.size, identity=model.identity),)
        for path, part in zip(map(Path, model.files), model.parts or one, strict=True):
            try:
                found = identity(path)
            except OSError:
                raise NotFound(
                    kind="file",
                    name=f"{path} of the model {model.name}",
                    step="Put it back, or register the model again.",
                ) from None
            if found in (part.identity, self._verified.get(part.digest)):
                continue
            if path.stat().st_size != part.size or file_digest(path, job) != part.digest:
                raise Changed(source=str(path), since=model.added[:10])
            self._remember((msgspec.structs.replace(part, identity=found),))
        return model

    def remove(self, name: str, reason: str = "") -> None:
        """Forget a model; its file stays where it is, and what was recorded with it keeps its digest.

        Raises `NotFound`, `Refused` (also while something uses it: what, is said)."""
        with self._vault.write(Act.REMOVE_MODEL, about=name, reason=reason) as unit:
            model = store.find(unit, name)
            if model is None or model.name != name:
                raise store.missing(name)
            uses = self.uses(unit, model)
            if uses:
                raise Refused(act=f"Remove {name}", reason=f"It is in use: {'; '.join(uses)}.")
            store.delete(unit, name)

    def uses(self, reader: Reader, model: ModelFile) -> tuple[str, ...]:
        """What uses a model, each as the end of a sentence; empty for one that can go."""
        return tuple(use for found in self.asked for use in found(reader, model))

    def _read(self, files: Sequence[Path], job: Job | None) -> Facts:
        spec = WorkerSpec(
            module="core.models.worker.reading",
            readable=tuple(map(str, files)),
            memory=READING_MEMORY,
            seconds=READING_SECONDS,
            title="The reader of model files",
        )
        first, *more = map(str, files)
        with self._supervisor.start(spec, job) as worker:
            return worker.call(ReadModel(path=first, more=tuple(more)), Facts, job)

    def _remember(self, parts: Iterable[Part]) -> None:
        with self._lock:
            self._verified.update({part.digest: part.identity for part in parts})


def _aliased(reader: Reader, model: ModelFile) -> Iterable[str]:
    return [f"the alias {alias.name} points at it" for alias in store.aliases(reader) if alias.model == model.digest]


def _parts(files: Sequence[Path], job: Job | None) -> tuple[Part, ...]:
    """The files with their digests. Raises as `file_digest`."""
    total, done, parts = sum(file.stat().st_size for file in files), 0, []
    for file in files:
        before = identity(file)
        digest = file_digest(file, job, done, total)
        size = file.stat().st_size
        done += size
        parts.append(Part(name=file.name, digest=digest, size=size, identity=before))
    return tuple(parts)


def _model(name: str, digest: Digest, path: Path, parts: tuple[Part, ...], facts: Facts) -> ModelFile:
    return ModelFile(
        name=name,
        digest=digest,
        path=str(path),
        size=sum(part.size for part in parts),
        modified_us=path.stat().st_mtime_ns // 1000,
        architecture=facts.architecture,
        purpose=facts.purpose,
        quantization=facts.quantization,
        parameters=facts.parameters,
        context=facts.context,
        dimensions=facts.dimensions,
        has_template=facts.has_template,
        licence=facts.licence,
        added=now(),
        title=facts.title,
        tokenizer=facts.tokenizer,
        base_model=facts.base_model,
        base_digest=facts.base_digest,
        importance=facts.importance,
        parts=parts if len(parts) > 1 else (),
        identity=parts[0].identity if len(parts) == 1 else "",
    )


def checked_name(name: str) -> str:
    """The name, if a model or an alias can have it. Raises `BadInput`."""
    if name == FAKE:
        raise BadInput(source="The name fake", problem="it is the built-in model's. Choose another name.")
    if not _NAME.fullmatch(name):
        raise BadInput(
            source=f"The name {name[:80]}",
            problem="use up to 80 lower-case letters, digits, points, dashes and underscores, beginning with a letter or digit.",
        )
    return name
