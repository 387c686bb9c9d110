"""Listening to a run until it ends: its curve, its checkpoints, its adapter, and the record of how it ended.

A person who stops a run pauses it: the worker finishes its step, gives its state, and is ended; the run goes on from that very step. Only where it
doesn't come to the end of its step within `PATIENCE` seconds does it end at the last checkpoint.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal

from core.errors import AssayError, Cancelled
from core.jobs import Job
from core.records import Digest, now
from core.training import sealed, store, work
from core.training.alone import alone
from core.training.records import Answered, TrainingResult, TrainingRun
from core.training.worker.recall import Memorised, Sampled
from core.training.worker.records import Ended, KeepTrained, Measured, Piece, Step, Train
from core.vault.roles import Act
from core.vault.vault import Vault

PATIENCE: Final = 120.0
"""Seconds for the present step of a run that is paused."""
Watch = Callable[[Step | Measured | Sampled], None]
Status = Literal["finished", "cancelled", "failed"]


class Pausing:
    """A job for the worker that isn't cancelled with the person's own, which asks for a pause instead."""

    def __init__(self, job: Job, patience: float = PATIENCE) -> None:
        self.inner = Job(job.title)
        self._asked = threading.Event()
        self._late = threading.Timer(patience, self.inner.cancel)
        self._late.daemon = True
        self._forget = job.on_cancel(self._ask)

    def _ask(self) -> None:
        self._asked.set()
        self._late.start()

    def asked(self) -> bool:
        return self._asked.is_set()

    def close(self) -> None:
        """Nothing is cancelled any more."""
        self._forget()
        self._late.cancel()


def listen(
    vault: Vault,
    trainer: work.Trainer,
    run: TrainingRun,
    digest: Digest,
    before: Sequence[Step | Measured | Sampled],
    job: Job,
    watch: Watch | None,
    request: Train | KeepTrained | None = None,
) -> None:
    """Listen to the run until it ends, and record how; without a `request` it is trained. Raises `BadInput` for a run that is under way already,
    `Cancelled` for one that was paused, and as the worker does."""
    with alone(digest, run.id, job.cancel):
        heard = _Heard(before)
        pausing = Pausing(job)
        status: Status = "finished"
        reason = ""
        try:
            asked = request or Train(settings=run.settings, base_digest=run.base_digest)
            for part in trainer.parts(asked, pausing.inner, pausing.asked):
                match part:
                    case Step() | Measured() | Sampled():
                        heard.curve.append(part)
                        if isinstance(part, Step) and not job.cancelled:
                            job.report(part.step, part.steps, "steps")
                        if watch is not None:
                            watch(part)
                    case Piece():
                        heard.pieces.setdefault(part.of, []).append(part.data)
                        if part.last and part.of == "checkpoint":
                            sealed.save(vault, digest, part.step, heard.curve, heard.pieces.pop("checkpoint"))
                    case Memorised():
                        heard.memorised = part
                    case Ended():
                        heard.ended = part
            assert heard.ended is not None
            reason = heard.ended.reason
            if reason == "paused":
                raise Cancelled(what=f"{run.id}, after step {heard.ended.step}")
        except AssayError as error:
            status, reason = ("cancelled" if isinstance(error, Cancelled) else "failed"), str(error)
            _close(vault, run, digest, status, reason, heard, trainer.opened.architecture)
            raise
        finally:
            pausing.close()
        _close(vault, run, digest, status, reason, heard, trainer.opened.architecture)
        sealed.drop(vault, digest)


class _Heard:
    """What came until now."""

    def __init__(self, before: Sequence[Step | Measured | Sampled]) -> None:
        self.curve = [*before]
        self.pieces: dict[str, list[bytes]] = {}
        self.memorised: Memorised | None = None
        self.ended: Ended | None = None


def _close(
    vault: Vault, run: TrainingRun, digest: Digest, status: Status, reason: str, heard: _Heard, architecture: str
) -> None:
    steps = tuple(part for part in heard.curve if isinstance(part, Step))
    sampled = tuple(part for part in heard.curve if isinstance(part, Sampled))
    ended = heard.ended
    with vault.write(Act.TRAIN, about=f"{run.id} {status}") as unit:
        whole = status == "finished"
        pieces: Mapping[str, Sequence[bytes]] = heard.pieces if whole else {}
        found = {of: unit.seal(parts) for of, parts in pieces.items()}
        result = TrainingResult(
            run=digest,
            status=status,
            reason=reason,
            step=ended.step if ended else len(steps),
            weights=found.get("safetensors", ""),
            config=found.get("config", ""),
            gguf=found.get("gguf", ""),
            gguf_size=sum(map(len, pieces.get("gguf", []))),
            architecture=architecture,
            curve=steps,
            measured=tuple(part for part in heard.curve if isinstance(part, Measured)),
            tokens=ended.tokens if ended else 0,
            seconds=round(ended.seconds, 3) if ended else 0.0,
            peak=ended.peak if ended else 0,
            memorised=heard.memorised,
            finished=now(),
        )
        if sampled:
            store.answer(unit, Answered(run=digest, sampled=sampled))
        store.close(unit, digest, result)
