"""llama.cpp's worker, which says that it took a back end for graphics cards and found none."""

from core.inference.offloading import DevicesFound, FindDevices
from core.inference.worker import llama
from core.records import Record
from core.workers.serving import Call, Handler


def handlers() -> dict[type[Record], Handler]:
    def find(request: FindDevices, call: Call) -> DevicesFound:
        return DevicesFound(devices=(), backends=("CUDA", "CPU"))

    return llama.handlers() | {FindDevices: find}
