"""The graphics cards that models can be computed on: asked of llama.cpp itself, in a process like the one that computes.

A card counts when llama.cpp, as it was built, finds it from inside the sandbox; what a driver or a tool of the system would say doesn't help a model.
"""

from typing import Final

from msgspec.structs import replace

from core.errors import AssayError
from core.inference.offloading import INTEGRATED, Device, DevicesFound, FindDevices
from core.installation.records import Finding
from core.jobs import Job
from core.workers import graphics
from core.workers.records import WorkerSpec
from core.workers.supervisor import Supervisor

ABOUT: Final = "graphics card"
SPEC: Final = WorkerSpec(module="core.inference.worker.llama", seconds=120.0, title="The model worker")
_GIB: Final = 1024**3


def examine(supervisor: Supervisor, job: Job, files: tuple[str, ...] | None = None, spec: WorkerSpec = SPEC) -> Finding:
    """What llama.cpp can compute on beside the processor; a fault where llama.cpp itself doesn't start. `files` are the cards' device files."""
    present = graphics.device_files() if files is None else files
    try:
        with supervisor.start(replace(spec, devices=present), job) as worker:
            found = worker.call(FindDevices(), DevicesFound, job).devices
    except AssayError as error:
        return Finding(
            about=ABOUT,
            state="fault",
            sentence=f"llama.cpp doesn't start here, so no GGUF model runs: {error}",
            step="Install Assay again; on a bare system, see which libraries its package depends on.",
        )
    figures: dict[str, int | float | str | bool] = {"cards": len(found), "device_files": len(present)}
    if found:
        figures["free"] = sum(one.free for one in found)
        figures["names"] = ", ".join(one.name for one in found)
        return Finding(about=ABOUT, state="good", sentence=" ".join(map(_said, found)), figures=figures)
    if present:
        return Finding(
            about=ABOUT,
            state="note",
            sentence=f"This machine has one ({', '.join(present)}), but llama.cpp finds none that it was built for: models run on the processor.",
            step="A build of llama.cpp for this kind of card would use it (resources/help/installing.md).",
            figures=figures,
        )
    return Finding(about=ABOUT, state="good", sentence="There is none: models run on the processor.", figures=figures)


def _said(one: Device) -> str:
    shared = ", which shares the machine's memory and is used only when you choose so" if one.kind == INTEGRATED else ""
    return f"{one.name} ({one.description}) has {one.free / _GIB:,.1f} of {one.total / _GIB:,.1f} GiB free{shared}."
