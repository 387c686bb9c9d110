"""LoRA adapters on their way to a model's worker: found, checked against the model, and handed over once.

The worker may read no file but its model's, so an adapter's bytes go to it through the pipe, in pieces; there they are kept in memory. Rules:
only a registered adapter whose file is still the registered one is handed over, or one that lies sealed in the vault, and what is handed over
has its digest; one that names
another architecture or another model than this one is refused.
"""

import hashlib
import io
import math
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from core.errors import BadInput, Changed, NotFound, Unsupported, WorkerFailed
from core.inference.records import AdapterHeld, AdapterPart, AdapterUse
from core.jobs import Job
from core.models.records import FAKE, ModelFile
from core.models.service import Models
from core.records import Digest
from core.workers.supervisor import Worker

PIECE: Final = 4 * 1024 * 1024
MOST: Final = 8
"""Adapters of one request."""
LARGEST_SCALE: Final = 100.0


class Adapters:
    """Knows which worker holds which adapters. Safe from several threads."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self._lock = threading.Lock()
        self._held: weakref.WeakKeyDictionary[Worker, _Held] = weakref.WeakKeyDictionary()

    def resolved(self, uses: Sequence[AdapterUse], model: ModelFile, job: Job | None) -> tuple[AdapterUse, ...]:
        """The same with digests. Raises `NotFound`, `Changed`, `Unsupported` (no adapter), `BadInput` (made for another model)."""
        check_uses(uses)
        if uses and model.name == FAKE:
            raise Unsupported(source=model.name, reason="it takes no adapters. Choose a chat model with a file.")
        found = tuple(replace(use, model=_fitting(self._models.located(use.model, job), model).digest) for use in uses)
        if len({use.model for use in found}) != len(found):
            raise BadInput(source="The adapters", problem="one is named twice. Name it once, with its scale.")
        return found

    def hand_over(self, uses: Sequence[AdapterUse], worker: Worker, job: Job | None) -> None:
        """Give the worker those that it doesn't hold yet. `uses` are resolved. Raises `Changed`, `NotFound`, `BadInput`, `WorkerFailed`."""
        if not uses:
            return
        with self._lock:
            held = self._held.setdefault(worker, _Held())
        for use in uses:
            with held.lock:
                if use.model not in held.digests:
                    self._send(self._models.located(use.model, job), worker, job)
                    held.digests.add(Digest(use.model))

    def _send(self, adapter: ModelFile, worker: Worker, job: Job | None) -> None:
        hashed, at = hashlib.sha256(), 0
        try:
            with self._content(adapter) as read:
                while data := read(min(PIECE, adapter.size - at)):
                    hashed.update(data)
                    at += len(data)
                    if at == adapter.size and hashed.hexdigest() != adapter.digest:
                        break
                    part = AdapterPart(
                        digest=adapter.digest, name=adapter.name, at=at - len(data), size=adapter.size, data=data
                    )
                    if worker.call(part, AdapterHeld, job).whole != (at == adapter.size):
                        raise WorkerFailed(
                            worker="The model", reason="it lost a part of an adapter", safe="Nothing was kept."
                        )
        except OSError as error:
            raise NotFound(
                kind="readable file",
                name=f"{adapter.path} ({error.strerror})",
                step="Put it back, or register it again.",
            ) from error
        if hashed.hexdigest() != adapter.digest:
            raise Changed(source=adapter.path or adapter.name, since=adapter.added[:10])

    @contextmanager
    def _content(self, adapter: ModelFile) -> Iterator[Callable[[int], bytes]]:
        """What gives the adapter's next bytes, out of its file, or of the vault into memory where it has none."""
        lent = None if adapter.path else self._models.lent(adapter.digest)
        with Path(adapter.path).open("rb") if lent is None else io.BytesIO(b"".join(lent.content())) as file:
            yield file.read


class _Held:
    """What one worker holds."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.digests: set[Digest] = set()


def check_uses(uses: Sequence[AdapterUse]) -> None:
    """Raises `BadInput` for what no model can follow."""
    if len(uses) > MOST:
        raise BadInput(source="The adapters", problem=f"there are {len(uses)}; {MOST} at once can be used.")
    if not all(math.isfinite(use.scale) and abs(use.scale) <= LARGEST_SCALE for use in uses):
        raise BadInput(
            source="An adapter's scale", problem=f"use a number from -{LARGEST_SCALE:g} to {LARGEST_SCALE:g}."
        )


def fits(adapter: ModelFile, model: ModelFile) -> bool:
    """Whether a model can be computed with an adapter, as far as the files say."""
    try:
        _fitting(adapter, model)
    except (Unsupported, BadInput):
        return False
    return True


def _fitting(adapter: ModelFile, model: ModelFile) -> ModelFile:
    if adapter.purpose != "adapter":
        raise Unsupported(source=adapter.name, reason="it is no adapter. Choose a LoRA adapter.")
    if adapter.architecture != model.architecture:
        raise BadInput(
            source=adapter.name,
            problem=f"an adapter for {adapter.architecture} models, and {model.name} is of {model.architecture}. Choose its own base model.",
        )
    if adapter.base_digest and adapter.base_digest != model.digest:
        raise BadInput(
            source=adapter.name,
            problem=f"made for the model {adapter.base_digest[:12]}, and {model.name} is {model.digest[:12]}. Choose its own base model.",
        )
    return adapter
