"""llama.cpp's worker, on a machine that says it has a graphics card of 24 GiB. It has none: what goes there is computed by the processor."""

from core.inference.offloading import GPU, INTEGRATED, Device, DevicesFound, FindDevices
from core.inference.worker import llama
from core.records import Record
from core.workers.serving import Call, Handler

CARD = Device(name="CUDA0", description="Played card", kind=GPU, free=24 * 2**30, total=25 * 2**30)
SHARED = Device(name="Vulkan0", description="Shared memory", kind=INTEGRATED, free=2**34, total=2**34)


def played(*devices: Device) -> dict[type[Record], Handler]:
    def find(request: FindDevices, call: Call) -> DevicesFound:
        return DevicesFound(devices=devices)

    return llama.handlers() | {FindDevices: find}


def handlers() -> dict[type[Record], Handler]:
    return played(CARD, SHARED)
