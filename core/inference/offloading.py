"""How much of a model a graphics card computes: chosen by what is free on it, or as a person said.

llama.cpp moves a model by layers: the output layer first, then blocks from the last to the first, each with the keys and values that its context
holds. The table of words stays in the machine's own memory. Rules: a card is filled up to `SPARED` of what its driver reports as free, and with the
contexts of both modes in mind, so that the number doesn't depend on which mode is asked for first; a number that a person chose is taken or refused,
never changed; what shares the machine's memory (an integrated card) is not chosen by itself. Pure: reports in, a choice out.
"""

from collections.abc import Sequence
from typing import Final

from core.errors import Unavailable
from core.inference.planning import SPARED, Needs, contexts_at
from core.records import Record

CHOSEN: Final = -1
"""In place of a number of layers: as many as fit."""
GPU: Final = "gpu"
INTEGRATED: Final = "integrated"


class FindDevices(Record, frozen=True, kw_only=True, tag="find-devices"):
    """To a worker: what beside the processor can llama.cpp compute on, as it was built?"""


class Device(Record, frozen=True, kw_only=True):
    """One of them, as its driver reports it. Memory in bytes."""

    name: str
    """As llama.cpp calls it: "CUDA0"."""
    description: str
    kind: str
    """`GPU` with a memory of its own, or `INTEGRATED`."""
    free: int
    total: int


class DevicesFound(Record, frozen=True, kw_only=True, tag="devices-found"):
    """None with a build for processors only, and without a card."""

    devices: tuple[Device, ...]
    backends: tuple[str, ...] = ()
    """What llama.cpp has code for, as it names them: "CPU", and "CUDA" with the add-on for graphics cards."""


class Placement(Record, frozen=True, kw_only=True):
    """Where a model goes. `layers` of 0: all of it stays with the processor."""

    layers: int = 0
    """As llama.cpp counts: the output layer is one, so that all are one more than the model's blocks."""
    devices: tuple[Device, ...] = ()
    """Those that it goes to."""
    free: int = 0
    """Bytes that models may take of them."""


NOWHERE: Final = Placement()


def place(name: str, needs: Needs, context: int, devices: Sequence[Device], wanted: int) -> Placement:
    """Where the model `name` goes with a context of so many tokens. `wanted`: `CHOSEN`, or a number of layers (more than there are: all).

    Raises `Unavailable` for a number above 0 where there is no card, or where it doesn't fit."""
    own = [one for one in devices if one.kind == GPU]
    cards = own if wanted == CHOSEN else own or list(devices)
    if wanted == 0 or (wanted == CHOSEN and not cards):
        return NOWHERE
    if not cards:
        raise Unavailable(
            what=f"{wanted} layers of {name} were to go on a graphics card, and llama.cpp finds none here",
            step="Leave the number of layers to the program, or choose 0.",
        )
    free = round(SPARED * sum(card.free for card in cards))
    most = _fitting(needs, context, free, len(cards))
    if wanted == CHOSEN:
        return Placement(layers=most, devices=tuple(cards), free=free) if most else NOWHERE
    layers = min(wanted, needs.layers + 1)
    if layers > most:
        raise Unavailable(
            what=f"{layers} layers of {name} need more memory than is free on {_named(cards)} ({free / 2**30:.1f} GiB)",
            step=f"Choose {most} layers or fewer." if most else "Choose 0 layers, which leaves it to the processor.",
        )
    return Placement(layers=layers, devices=tuple(cards), free=free)


def said(placement: Placement, blocks: int) -> str:
    """For what is recorded with an answer: "25 of 25 layers on CUDA0 (NVIDIA H200)"; empty without a card."""
    if not placement.layers:
        return ""
    return f"{placement.layers} of {blocks + 1} layers on {_named(placement.devices)}"


def _named(cards: Sequence[Device]) -> str:
    return " and ".join(f"{card.name} ({card.description})" for card in cards)


def _fitting(needs: Needs, context: int, free: int, cards: int) -> int:
    """The most layers that fit into `free` bytes of so many cards together."""
    cache, buffers = contexts_at(needs, min(context, needs.window))
    rows = needs.moving(cache)
    room = free - cards * buffers - (cards - 1) * max(rows, default=0)  # a layer lies on one card whole
    layers = 0
    for row in rows:
        room -= row
        if room < 0:
            break
        layers += 1
    return layers
