"""The models in memory: each in a worker of its own, all of them under one budget.

A worker is started when its model is first needed, and kept until its memory is needed for another: then the least recently used of those
that nobody uses leaves. Before a file is loaded its worker says what it will take (`core.inference.planning`); what doesn't fit is refused.
A worker that died is started again for the next request, but a file whose workers died `CRASHES` times is not tried any more.
"""

import itertools
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Final

from msgspec.structs import replace

from core.errors import Unavailable, WorkerFailed
from core.inference.offloading import CHOSEN, NOWHERE, Device, DevicesFound, FindDevices, Placement, place, said
from core.inference.planning import (
    ALWAYS,
    REPRODUCIBLE,
    SPARED,
    Held,
    Measure,
    MemoryPlan,
    Needs,
    available,
    leaving,
    plan,
)
from core.inference.records import Load, Loaded, Ready
from core.jobs import Job
from core.models.records import FAKE, LEGACY, ModelFile
from core.records import Digest
from core.workers import addons, graphics
from core.workers.records import WorkerSpec
from core.workers.supervisor import Supervisor, Worker

CRASHES: Final = 2
AT_ONCE: Final = 32
"""Requests that a chat model's worker takes in; of these, as many are computed together as its scheduler has slots for."""
TOGETHER: Final = 16
"""Requests that a chat model's worker computes together in fast mode."""
MOST_WAITING: Final = 256
"""Requests to one model, computed or waiting; more are refused."""
LARGEST_WINDOW: Final = 4096
"""Tokens; a longer context takes memory that most questions never use."""
UNKNOWN: Final = 2**62
"""The budget where the system doesn't say how much memory is free, and nobody set one."""
_TURN: Final = 0.1
_GIB: Final = 2**30


class Slot:
    """One model's place: its worker, once there is one."""

    def __init__(self, model: ModelFile, projector: ModelFile | None = None, cards: bool = False) -> None:
        """With `cards` its worker may use graphics cards, where there are some."""
        fake, legacy = model.name == FAKE, model.architecture.startswith(LEGACY)
        devices = graphics.device_files() if cards and offloads(model) else ()
        self.model = model
        self.projector = projector
        self.spec = WorkerSpec(
            module=f"core.inference.worker.{'fake' if fake else 'legacy' if legacy else 'llama'}",
            readable=() if fake else (*model.files, *(projector.files if projector is not None else ())),
            threads=AT_ONCE if model.purpose == "chat" and not (fake or legacy or projector) else 0,
            title=f"The model {model.name}",
            devices=devices,
            imports=addons.usable(addons.GRAPHICS)[0] if devices else (),
        )
        self.starting = threading.Lock()
        self.worker: Worker | None = None
        self.ready: Ready | None = None
        self.plan: MemoryPlan | None = None
        self.needs: Needs | None = None
        self.placement = NOWHERE
        self.modes: frozenset[str] = frozenset()
        """The modes of answering that have a context."""
        self.seconds = 0.0
        self.users = 0
        self.used = 0
        self.speed = 0.0

    @property
    def memory(self) -> int:
        """Bytes that it takes or is about to take."""
        return self.plan.total if self.plan is not None else 0


class Pool:
    """Safe from several threads."""

    def __init__(
        self,
        supervisor: Supervisor,
        threads: Callable[[], int],
        memory: Callable[[], int],
        context: Callable[[], int],
        gpu_layers: Callable[[], int] = lambda: CHOSEN,
    ) -> None:
        """Each asked at a model's loading: how many threads it computes with (0 chooses), how many bytes all models may take (0: by what is
        free), how many tokens a context has at most (0: `LARGEST_WINDOW`), and how many layers a graphics card takes (`CHOSEN`: as many as fit)."""
        self._supervisor = supervisor
        self._threads = threads
        self._memory = memory
        self._context = context
        self._gpu_layers = gpu_layers
        self._wanted: dict[Digest, int] = {}  # layers on a graphics card, where a person said so for a model
        self._cards = True  # until a worker found none
        self._lock = threading.Lock()
        self._slots: dict[Digest, Slot] = {}
        self._needs: dict[Digest, tuple[int, Needs]] = {}  # with the longest context that was asked about
        self._clock = itertools.count(1)

    @contextmanager
    def using(
        self, model: ModelFile, job: Job | None, projector: ModelFile | None = None, mode: str = ALWAYS
    ) -> Iterator[Worker]:
        """The model's worker, ready for requests of this mode; with a projector that of both together, where all are computed alone. It is not
        ended for want of room while the block runs. Raises `Unavailable` (too little memory, too many requests), `WorkerFailed`, `Cancelled`,
        and what the worker raises."""
        with self._lock:
            key = _key(model, projector)
            slot = self._slots.get(key)
            if slot is None or slot.model.path != model.path:
                slot = self._slots[key] = Slot(model, projector, self._layers(model) != 0)
            if slot.users >= MOST_WAITING:
                raise Unavailable(
                    what=f"{MOST_WAITING} requests wait for {model.name} already", step="Try again in a moment."
                )
            slot.users += 1
            slot.used = next(self._clock)
        try:
            yield self._started(slot, job, REPRODUCIBLE if projector is not None else mode)
        finally:
            with self._lock:
                slot.users -= 1

    def plan(
        self, model: ModelFile, context: int, job: Job | None, mode: str, gpu_layers: int | None = None
    ) -> MemoryPlan:
        """What the model takes for requests of one mode, with a context of so many tokens (0: as it would be loaded) and so many layers on a
        graphics card (None: as it would be loaded), beside those in use. A worker measures it, and looks for cards. Raises as `using`."""
        window, context = max(context, self.window()), context or self.window()
        wanted = self._layers(model) if gpu_layers is None else gpu_layers
        asked, needs = self._needs.get(model.digest, (0, None))
        spec = Slot(model, cards=wanted != 0).spec
        devices: tuple[Device, ...] = ()
        if needs is None or asked < window or self._may_offload(model, wanted):
            with self._supervisor.start(spec, job) as worker:
                needs = self._measured(model, window, worker, job)
                devices = self._devices(model, wanted, worker, job)
        placement = place(model.name, needs, context, devices, wanted) if offloads(model) else NOWHERE
        with self._lock:
            others = [slot for digest, slot in self._slots.items() if digest != model.digest and slot.users]
            budget = self._budget() - sum(slot.memory for slot in others)
        made = _plan(needs, context, max(0, budget), (mode,), placement)
        return replace(made, without_card=_without_card(model, placement, devices, wanted))

    def choose_layers(self, model: ModelFile, layers: int | None) -> None:
        """How many layers of this model a graphics card takes from now on (`CHOSEN`: as many as fit; None: as all models). Where it is loaded
        otherwise and nobody uses it, the next request loads it anew."""
        with self._lock:
            before = self._wanted.get(model.digest)
            self._wanted.pop(model.digest, None)
            if layers is not None:
                self._wanted[model.digest] = layers
            keys = [key for key, slot in self._slots.items() if slot.model.digest == model.digest and not slot.users]
            gone = [self._slots.pop(key) for key in keys] if layers != before else []
        for slot in gone:
            if slot.worker is not None:
                slot.worker.close()

    def budget(self) -> int:
        """Bytes that all models together may take now; `UNKNOWN` where nothing limits them."""
        with self._lock:
            return self._budget()

    def window(self) -> int:
        """Tokens of a context at most."""
        return self._context() or LARGEST_WINDOW

    def ready(self, model: Digest) -> Ready | None:
        """What the model's worker, that without a projector, said when it was ready; None where there is none."""
        with self._lock:
            slot = self._slots.get(model)
            return slot.ready if slot is not None else None

    def note_speed(self, model: ModelFile, projector: ModelFile | None, speed: float) -> None:
        """Tokens a second of the model's last answer."""
        with self._lock:
            if slot := self._slots.get(_key(model, projector)):
                slot.speed = speed

    def loaded(self) -> tuple[Loaded, ...]:
        """The models that are held ready, the most recently used first."""
        with self._lock:
            slots = sorted(self._slots.values(), key=lambda slot: -slot.used)
            return tuple(
                Loaded(
                    name=slot.model.name,
                    digest=slot.model.digest,
                    pid=slot.worker.pid,
                    context=slot.ready.context,
                    start_seconds=slot.seconds,
                    backend=slot.ready.backend,
                    resident=slot.worker.resident,
                    tokens_per_second=slot.speed,
                    memory=slot.memory,
                    projector=slot.projector.name if slot.projector is not None else "",
                    projector_digest=slot.projector.digest if slot.projector is not None else "",
                    requests=slot.users,
                    slots=TOGETHER if slot.spec.threads else 1,
                    gpu_layers=slot.plan.gpu_layers if slot.plan is not None else 0,
                    layers=slot.plan.layers if slot.plan is not None else 0,
                    device=slot.plan.device if slot.plan is not None else "",
                    device_memory=slot.plan.device_total if slot.plan is not None else 0,
                )
                for slot in slots
                if slot.worker is not None and slot.ready is not None and slot.worker.alive
            )

    def unload(self, model: Digest, projector: str | None = None) -> None:
        """End the model's workers, also when they are at work, and forget their crashes: all, or only that with a projector of this digest (empty:
        that without any)."""
        with self._lock:
            keys = [
                key
                for key, slot in self._slots.items()
                if slot.model.digest == model and projector in (None, slot.projector.digest if slot.projector else "")
            ]
            gone = [self._slots.pop(key) for key in keys]
        for slot in gone:
            self._supervisor.forgive(slot.spec)
            if slot.worker is not None:
                slot.worker.close()

    def close(self) -> None:
        """End all workers."""
        with self._lock:
            workers = [slot.worker for slot in self._slots.values()]
            self._slots.clear()
        for worker in workers:
            if worker is not None:
                worker.close()

    def _started(self, slot: Slot, job: Job | None, mode: str) -> Worker:
        while not slot.starting.acquire(timeout=_TURN):
            if job is not None:
                job.check()
        try:
            if slot.worker is not None and slot.worker.alive:
                if mode in (ALWAYS, *slot.modes) or self._widened(slot, mode):
                    return slot.worker
                slot.worker.close()
            if self._supervisor.crashes(slot.spec) >= CRASHES:
                raise WorkerFailed(
                    worker=slot.spec.title,
                    reason=f"it crashed {CRASHES} times with this file and is not tried again",
                    safe="Choose another model, or unload this one to try again.",
                )
            began = time.monotonic()
            slot.plan, slot.modes = None, frozenset({mode} - {ALWAYS})
            slot.worker, slot.ready = self._start(slot, job)
            slot.seconds = time.monotonic() - began
            return slot.worker
        finally:
            slot.starting.release()

    def _start(self, slot: Slot, job: Job | None) -> tuple[Worker, Ready]:
        model = slot.model
        worker = self._supervisor.start(slot.spec, job)
        try:
            window = 0
            if model.name != FAKE:
                needs = self._measured(model, self.window(), worker, job)
                if slot.projector is not None:
                    needs = replace(needs, weights=needs.weights + slot.projector.size)
                slot.needs, wanted = needs, self._layers(model)
                if offloads(model):
                    devices = self._devices(model, wanted, worker, job)
                    slot.placement = place(model.name, needs, self.window(), devices, wanted)
                window = self._make_room(slot, needs, self.window(), slot.modes).context
            request = Load(
                path=model.path,
                name=model.name,
                embeds=model.purpose == "embed",
                ranks=model.purpose == "rerank",
                threads=self._threads(),
                window=window,
                projector=slot.projector.path if slot.projector is not None else "",
                gpu_layers=slot.placement.layers,
                devices=tuple(device.name for device in slot.placement.devices),
                placed=said(slot.placement, slot.needs.layers) if slot.needs is not None else "",
            )
            return worker, worker.call(request, Ready, job)
        except BaseException:
            slot.plan = None
            worker.close()
            raise

    def _measured(self, model: ModelFile, window: int, worker: Worker, job: Job | None) -> Needs:
        asked, needs = self._needs.get(model.digest, (0, None))
        if needs is None or asked < window:
            request = Measure(
                path=model.path, name=model.name, purpose=model.purpose, window=window, threads=self._threads()
            )
            needs = worker.call(request, Needs, job)
            self._needs[model.digest] = (window, needs)
        return needs

    def _layers(self, model: ModelFile) -> int:
        return self._wanted.get(model.digest, self._gpu_layers())

    def _may_offload(self, model: ModelFile, wanted: int) -> bool:
        """Whether a worker has to look for cards. Where one found none, none will appear while this program runs."""
        return offloads(model) and wanted != 0 and (self._cards or wanted != CHOSEN)

    def _devices(self, model: ModelFile, wanted: int, worker: Worker, job: Job | None) -> tuple[Device, ...]:
        if wanted == 0 or not offloads(model):
            return ()
        found = worker.call(FindDevices(), DevicesFound, job).devices
        self._cards = bool(found)
        return found

    def _widened(self, slot: Slot, mode: str) -> bool:
        """Whether the worker may make the context of one more mode. False where there is no room for both, and nobody else uses it: it is then
        started again for this one. Raises `Unavailable`."""
        modes = slot.modes | {mode}
        if slot.needs is not None and slot.plan is not None:
            try:
                self._make_room(slot, slot.needs, slot.plan.context, modes)
            except Unavailable:
                with self._lock:
                    if slot.users > 1:
                        raise
                return False
        slot.modes = modes
        return True

    def _make_room(self, slot: Slot, needs: Needs, context: int, modes: frozenset[str]) -> MemoryPlan:
        """Reserve the memory, and end who has to leave for it. Raises `Unavailable`."""
        name = slot.model.name
        with self._lock:
            made = _plan(needs, context, self._budget(), modes, slot.placement)
            if not made.fits:
                raise Unavailable(
                    what=f"{name} {_needs(made)}, and models may take {_size(made.budget)}", step=_advice(made)
                )
            others = [other for other in self._slots.values() if other is not slot and other.plan is not None]
            held = [Held(memory=other.memory, used=other.used, busy=other.users > 0) for other in others]
            gone = leaving(made.total, made.budget, held)
            if gone is None:
                busy = ", ".join(other.model.name for other in others if other.users)
                raise Unavailable(
                    what=f"{name} {_needs(made)}, which isn't free while {busy} is at work",
                    step="Try again when that has finished.",
                )
            leavers = [others[place] for place in gone]
            for other in leavers:
                del self._slots[_key(other.model, other.projector)]
            slot.plan = made
        for other in leavers:
            if other.worker is not None:
                other.worker.close()
        return made

    def _budget(self) -> int:
        """Bytes that all models together may take; what they hold now counts as free."""
        if given := self._memory():
            return given
        free = available()
        if not free:
            return UNKNOWN
        held = sum(slot.worker.resident for slot in self._slots.values() if slot.worker is not None)
        return round(free * SPARED) + held


def _key(model: ModelFile, projector: ModelFile | None) -> Digest:
    """A model's place among the slots; with a projector it is another one."""
    return model.digest if projector is None else Digest(f"{model.digest}+{projector.digest}")


def offloads(model: ModelFile) -> bool:
    """Whether a graphics card may take layers of it: what writes text through llama.cpp."""
    return model.purpose == "chat" and model.name != FAKE and not model.architecture.startswith(LEGACY)


def _plan(needs: Needs, context: int, budget: int, modes: Collection[str], placement: Placement) -> MemoryPlan:
    device = " and ".join(f"{one.name} ({one.description})" for one in placement.devices)
    return plan(needs, context, budget, modes, placement.layers, device, placement.free)


def _without_card(model: ModelFile, placement: Placement, devices: tuple[Device, ...], wanted: int) -> str:
    """Why the processor computes all of a model; empty where a card takes layers, or none was to go to one."""
    if placement.layers or wanted == 0:
        return ""
    if not offloads(model):
        return "no graphics card takes layers of a model of this kind"
    if not devices:
        return "llama.cpp finds no graphics card here"
    return f"none fits into what is free on {' and '.join(one.name for one in devices)}"


def _size(memory: int) -> str:
    return f"{memory / _GIB:.1f} GiB" if memory >= _GIB else f"{memory / 2**20:.0f} MiB"


def _needs(made: MemoryPlan) -> str:
    return f"needs {_size(made.total)} with a context of {made.context} tokens"


def _advice(made: MemoryPlan) -> str:
    if made.suggestion:
        return f"Set a context of {made.suggestion} tokens, which fits, or choose a smaller model."
    return "Choose a smaller model, or let models take more memory."
