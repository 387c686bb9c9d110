"""A model's worker that finds nothing beside the processor, without llama.cpp."""

from core.inference.offloading import DevicesFound, FindDevices
from core.records import Record
from core.workers.serving import Call, Handler


def handlers() -> dict[type[Record], Handler]:
    def find(request: FindDevices, call: Call) -> DevicesFound:
        return DevicesFound(devices=())

    return {FindDevices: find}
