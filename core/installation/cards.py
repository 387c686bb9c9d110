"""The graphics cards that models can be computed on: asked of llama.cpp itself, in a process like the one that computes.

A card counts when llama.cpp finds it from inside the sandbox, with the add-on for graphics cards where that is installed; what a driver or a tool of
the system would say doesn't help a model. Without a card the add-on is tried all the same: one that doesn't load is known before there is a card.
"""

from pathlib import Path
from typing import Final

from msgspec.structs import replace

from core.errors import AssayError
from core.inference.offloading import INTEGRATED, Device, DevicesFound, FindDevices
from core.installation.records import Finding, State
from core.jobs import Job
from core.workers import addons, graphics
from core.workers.records import WorkerSpec
from core.workers.supervisor import Supervisor

ABOUT: Final = "graphics card"
SPEC: Final = WorkerSpec(module="core.inference.worker.llama", seconds=120.0, title="The model worker")
_GIB: Final = 1024**3


def examine(
    supervisor: Supervisor,
    job: Job,
    files: tuple[str, ...] | None = None,
    spec: WorkerSpec = SPEC,
    folders: tuple[Path, ...] | None = None,
) -> Finding:
    """What llama.cpp can compute on beside the processor; a fault where llama.cpp itself doesn't start. `files` are the cards' device files,
    `folders` those in which add-ons lie."""
    present = graphics.device_files() if files is None else files
    added, why = addons.usable(addons.GRAPHICS, folders)
    try:
        with supervisor.start(replace(spec, devices=present, imports=(*spec.imports, *added)), job) as worker:
            said = worker.call(FindDevices(), DevicesFound, job)
    except AssayError as error:
        return Finding(
            about=ABOUT,
            state="fault",
            sentence=f"llama.cpp doesn't start here, so no GGUF model runs: {error}",
            step="Install Assay again; on a bare system, see which libraries its package depends on.",
        )
    found = said.devices
    figures: dict[str, int | float | str | bool] = {
        "cards": len(found),
        "device_files": len(present),
        "backends": ", ".join(said.backends),
    }
    if found:
        figures["free"] = sum(one.free for one in found)
        figures["names"] = ", ".join(one.name for one in found)
        return Finding(about=ABOUT, state="good", sentence=" ".join(map(_said, found)), figures=figures)
    state, sentence, step = _without(present, bool(added), why, bool(set(said.backends) - {"CPU"}))
    return Finding(about=ABOUT, state=state, sentence=sentence, step=step, figures=figures)


def _without(present: tuple[str, ...], added: bool, why: str, loaded: bool) -> tuple[State, str, str]:
    """What is to be said where llama.cpp finds no card: whether there is an add-on for cards, why it isn't used, whether llama.cpp took it."""
    if why:
        return "warning", f"The add-on for graphics cards isn't used, so models run on the processor: {why}", ""
    if added and not loaded:
        sentence = "llama.cpp can't load the add-on for graphics cards: models run on the processor."
        return "warning", sentence, "Remove it (assay addon remove) and install the one of this version."
    named = ", ".join(present)
    if added and present:
        sentence = (
            f"This machine has one ({named}), but its driver shows none to llama.cpp: models run on the processor."
        )
        return "note", sentence, "The add-on is for NVIDIA's cards, with a driver for CUDA 13 (version 580 or later)."
    if added:
        sentence = (
            "There is none: models run on the processor. The add-on for graphics cards is loaded and would use one."
        )
        return "good", sentence, ""
    if present:
        sentence = f"This machine has one ({named}), but llama.cpp finds none that it was built for: models run on the processor."
        return (
            "note",
            sentence,
            "For a card of NVIDIA's, install the add-on for graphics cards (assay addon install FILE).",
        )
    return "good", "There is none: models run on the processor.", ""


def _said(one: Device) -> str:
    shared = ", which shares the machine's memory and is used only when you choose so" if one.kind == INTEGRATED else ""
    return f"{one.name} ({one.description}) has {one.free / _GIB:,.1f} of {one.total / _GIB:,.1f} GiB free{shared}."
