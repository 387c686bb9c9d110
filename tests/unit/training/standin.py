"""A stand-in for the training worker: it takes examples and gives the parts that a test wants."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from msgspec.structs import replace

from core.errors import WorkerFailed
from core.jobs import Job
from core.training.worker.records import Ended, Example, Measured, Opened, Piece, Probed, Problem, Step

CONTENT = {"safetensors": b"weights", "config": b"{}", "gguf": b"GGUF of an adapter"}


def step(number: int, steps: int = 4) -> Step:
    return Step(
        step=number,
        steps=steps,
        loss=4.0 - number / 2,
        learning_rate=0.5,
        gradient_norm=1.5,
        tokens_per_second=100.0,
        memory=1000,
    )


class StandIn:
    """Steps 1 to 4 with a checkpoint after 2; `failing` is raised after step 3, once."""

    opened = Opened(family="llama", architecture="llama", window=1536, device="cpu", versions={"torch": "2"})

    def __init__(self) -> None:
        self.failing: Exception | None = None
        self.given: list[Example] = []
        self.state = b""
        self.planted: tuple[Any, ...] = ()
        self.wrong: tuple[Problem, ...] = ()

    @contextmanager
    def __call__(self, supervisor: Any, request: Any, memory: int, job: Job) -> Iterator["StandIn"]:
        self.given, self.state = [], b""
        yield self

    def give(self, examples: Sequence[Example], longest: int, job: Job) -> tuple[list[int], int, tuple[Problem, ...]]:
        self.given += examples
        return [10] * (len(examples) - len(self.wrong)), 5 * len(examples), self.wrong

    def plant(self, canaries: Sequence[Any], repeats: int, text: bool, job: Job) -> None:
        self.planted = tuple(canaries)

    def give_checkpoint(self, state: bytes, job: Job) -> None:
        self.state = state

    def probe(self, settings: Any, job: Job) -> Probed:
        return Probed(
            weights=100,
            adapter=10,
            gradients=10,
            optimizer=20,
            activations=50,
            before=1000,
            peak=1200,
            trained=3,
            tokens_per_second=50.0,
            steps=4,
            tokens=200,
        )

    def foresee(self, settings: Any, job: Job) -> Probed:
        return replace(self.probe(settings, job), tokens_per_second=0.0)

    def parts(self, request: Any, job: Job, pausing: Callable[[], bool] = lambda: False) -> Iterator[Any]:
        first = 3 if self.state else 1
        for number in range(first, 5):
            if number == 4 and self.failing is not None:
                failing, self.failing = self.failing, None
                raise failing
            yield step(number)
            if number == 2:
                yield Measured(step=2, loss=3.0, best=True)
                yield Piece(of="checkpoint", step=2, data=b"state ", last=False)
                yield Piece(of="checkpoint", step=2, data=b"after 2", last=True)
        for of, content in CONTENT.items():
            yield Piece(of=of, step=4, data=content, last=True)  # type: ignore[arg-type]
        yield Ended(reason="done", step=4, tokens=40, seconds=1.5, peak=2000)


KILLED = WorkerFailed(worker="The training worker", reason="out of memory", safe="The last checkpoint is kept.")
