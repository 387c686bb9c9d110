"""Pictures that a person shows to a model: bounded, and looked at in a worker of their own, since whoever sent one isn't trusted."""

from collections.abc import Sequence
from typing import Final

from core.errors import BadInput, WorkerFailed
from core.inference.records import ShownPicture, ShowPicture
from core.jobs import Job
from core.models.records import FAKE, LEGACY, ModelFile
from core.workers.records import WorkerSpec
from core.workers.supervisor import Supervisor

MOST: Final = 8
"""Pictures of one question."""
LARGEST: Final = 20_000_000
"""Bytes of one picture's file."""
SPEC: Final = WorkerSpec(
    module="core.inference.worker.pictures", memory=1536 * 1024**2, seconds=30.0, title="The reader of pictures"
)


def check_pictures(pictures: Sequence[bytes]) -> None:
    """Raises `BadInput` for too many, too large and empty ones."""
    if len(pictures) > MOST:
        raise BadInput(source="The pictures", problem=f"there are {len(pictures)}; {MOST} at once can be shown.")
    for number, data in enumerate(pictures, 1):
        if not data:
            raise BadInput(source=f"Picture {number}", problem="it is empty. Choose another file.")
        if len(data) > LARGEST:
            raise BadInput(
                source=f"Picture {number}",
                problem=f"it takes {len(data):,} bytes; {LARGEST:,} can be shown. Make it smaller.",
            )


def small_copy(supervisor: Supervisor, data: bytes, longest: int, job: Job, number: int = 1) -> ShownPicture:
    """The picture no larger than `longest` pixels. Raises `BadInput` when it can't be read, `WorkerFailed`."""
    check_pictures((data,))
    with supervisor.start(SPEC, job) as worker:
        found = worker.call(ShowPicture(data=data, number=number, longest=longest), ShownPicture, job)
    sides = (found.shown_width, found.shown_height)
    if not all(0 < side <= longest for side in sides) or len(found.pixels) != sides[0] * sides[1] * 3:
        raise WorkerFailed(worker=SPEC.title, reason="it sent no picture", safe="Nothing was kept.")
    return found


def projectors(model: ModelFile, known: Sequence[ModelFile]) -> tuple[ModelFile, ...]:
    """The registered projectors that a chat model could see with, by what the files say."""
    if model.purpose != "chat" or model.name == FAKE or model.architecture.startswith(LEGACY):
        return ()
    return tuple(one for one in known if one.purpose == "projector" and one.dimensions == model.dimensions)
