"""A workbench for the fine-tuning page: a real vault, datasets and training service; a worker that computes nothing and does as it is told."""

import json
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from core.datasets.records import AddDataset
from core.datasets.service import Datasets
from core.errors import AssayError, WorkerFailed
from core.inference.records import Finished, Generate, Token
from core.jobs import Job
from core.models.records import ModelFile
from core.training.records import ImportAdapter, MergeAdapter, Source, TrainingView, TrainSpec
from core.training.service import Trainings
from core.training.settings import Settings
from core.training.sweeps import Sweeps
from core.training.work import KEPT, TITLE
from core.training.worker.recall import Exposure, Memorised, Sampled, Shown, Verbatim
from core.training.worker.records import (
    Ended,
    Example,
    KeepTrained,
    Measured,
    Opened,
    Piece,
    Probed,
    Problem,
    Step,
)
from core.training.worker.showing import ShownExample, ShownPart
from core.trust.canonical import digest as sha256
from core.vault.vault import Vault
from tests.unit.app.model_bench import Engine, ModelBench

KILLED = WorkerFailed(worker=TITLE, reason="out of memory", safe=KEPT)
STEPS = 60
EVERY = 10
"""Steps between two checkpoints, and between two measurements."""
CONTENT = {"safetensors": b"weights", "config": b"{}", "gguf": b"GGUF of an adapter" * 4000}


class Worker:
    """Takes `steps` steps with a curve that falls; before step `hold_at` it waits for `gate`, at `fail_at` it fails once."""

    opened = Opened(family="llama", architecture="llama", window=1536, device="cpu", versions={"torch": "2.13.0", "peft": "0.19.1"})  # fmt: skip

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.hold_at = STEPS // 2 + 1
        self.fail_at = 0
        self.steps = STEPS
        self.wrong: tuple[Problem, ...] = ()
        self.state = b""
        self.given: list[Example] = []
        self.fits = True

    @contextmanager
    def __call__(self, supervisor: Any, request: Any, memory: int, job: Job) -> Iterator["Worker"]:
        self.given, self.state = [], b""
        yield self

    def give(self, examples: Sequence[Example], longest: int, job: Job) -> tuple[list[int], int, tuple[Problem, ...]]:
        self.given += examples
        refused = {one.line for one in self.wrong}
        lengths = [24 + (37 * place) % 140 for place, one in enumerate(examples) if one.line not in refused]
        return lengths, sum(lengths) // 3, self.wrong

    def show(self, examples: Sequence[Example], job: Job) -> tuple[ShownExample, ...]:
        return tuple(_shown(one) for one in examples)

    def plant(self, canaries: Sequence[Any], repeats: int, text: bool, job: Job) -> None: ...

    def give_checkpoint(self, state: bytes, job: Job) -> None:
        self.state = state

    def probe(self, settings: Settings, job: Job) -> Probed:
        return Probed(
            weights=96_000_000,
            adapter=2_900_000,
            gradients=2_900_000,
            optimizer=5_800_000,
            activations=210_000_000,
            before=420_000_000,
            peak=740_000_000 if self.fits else 9_000_000_000_000,
            trained=720_896,
            tokens_per_second=2400.0,
            steps=self.steps,
            tokens=260_000,
        )

    def parts(self, request: Any, job: Job, pausing: Callable[[], bool] = lambda: False) -> Iterator[Any]:
        first = int(self.state or b"0") + 1
        if not isinstance(request, KeepTrained):
            for number in range(first, self.steps + 1):
                if number == self.hold_at:
                    while not self.gate.wait(0.005) and not pausing():
                        job.check()
                job.check()
                if pausing():
                    yield Piece(of="checkpoint", step=number - 1, data=str(number - 1).encode(), last=True)
                    yield Ended(reason="paused", step=number - 1, tokens=0, seconds=1.0, peak=735_000_000)
                    return
                if number == self.fail_at:
                    self.fail_at = 0
                    raise KILLED
                yield step(number, self.steps, request.settings)
                if number % EVERY == 0:
                    yield Measured(step=number, loss=0.9 + 2.1 * math.exp(-number / 18), best=True)
                    if request.settings.samples:
                        yield sampled(number)
                    yield Piece(of="checkpoint", step=number, data=str(number).encode(), last=True)
            yield remembered(request.settings)
        at = first - 1 if isinstance(request, KeepTrained) else self.steps
        for of, content in CONTENT.items():
            yield Piece(of=of, step=at, data=content, last=True)  # type: ignore[arg-type]
        stopped = isinstance(request, KeepTrained)
        yield Ended(
            reason="stopped" if stopped else "done", step=at, tokens=4300 * at, seconds=1.9 * at, peak=735_000_000
        )


def step(number: int, steps: int, settings: Settings) -> Step:
    return Step(
        step=number,
        steps=steps,
        loss=0.7 + 2.6 * math.exp(-number / (400 * settings.learning_rate**0.5 * 4)) + 0.12 * math.sin(number * 1.7),
        learning_rate=settings.learning_rate * 0.5 * (1 + math.cos(math.pi * number / steps)),
        gradient_norm=1.1 + 0.4 * math.sin(number * 2.3),
        tokens_per_second=2300 + 160 * math.sin(number),
        memory=700_000_000 + 300_000 * (number % 7),
    )


def sampled(number: int) -> Sampled:
    """Two held-out inputs, whose answers come nearer to the data's."""
    rows = [(f"How much of substance {n} was given?", f"Finding: {n} mg. [1]") for n in (104, 131)]
    words = ("It may be", "{0} mg.", "Finding: {0} mg.", "Finding: {0} mg. [1]")[min(3, number // 20)]
    given = [words.format(wanted.split()[1]) for _, wanted in rows]
    return Sampled(
        step=number,
        shown=tuple(
            Shown(asked=asked, answer=answer, wanted=wanted)
            for (asked, wanted), answer in zip(rows, given, strict=True)
        ),
    )


def remembered(settings: Settings) -> Memorised:
    """Three of eight learned texts come out; each planted sentence is found at once."""
    found = (
        ("learned", "base", 0, 9),
        ("learned", "adapter", 3, 34),
        ("held out", "base", 0, 7),
        ("held out", "adapter", 0, 11),
    )
    return Memorised(
        canaries=tuple(
            Exposure(name=name, base_rank=90 + place, base=1.5, rank=1 + place, adapter=8.0 - place)
            for place, name in enumerate(("Fenmere", "Dalford", "Corwick")[: settings.canaries])
        ),
        repeats=settings.canary_repeats if settings.canaries else 0,
        candidates=255 if settings.canaries else 0,
        verbatim=tuple(
            Verbatim(of=of, model=model, n=8, copied=copied, longest_tokens=tokens, longest_characters=tokens * 4)  # type: ignore[arg-type]
            for of, model, copied, tokens in found
        )
        if settings.recall
        else (),
        seconds=4.0,
    )


def _shown(example: Example) -> ShownExample:
    parts: list[ShownPart] = []
    for place, message in enumerate(example.messages):
        last = place + 1 == len(example.messages)
        parts.append(ShownPart(text=f"<|im_start|>{message.role}\n", learned=False))
        parts += [ShownPart(text=f"{word} ", learned=last) for word in message.content.split()]
        parts.append(ShownPart(text="<|im_end|>", learned=last))
        if not last:
            parts.append(ShownPart(text="\n", learned=False))
    return ShownExample(line=example.line, parts=tuple(parts))


class Answers(Engine):
    """The base answers with the value alone; an adapter as the examples do, but for every ninth question."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def generate(self, request: Generate, job: Job) -> Iterator[Token | Finished]:
        number = int("".join(filter(str.isdigit, request.messages[-1].content)) or 0)
        self.asked += 1
        text = f"{number} mg." if not request.adapters or number % 9 == 4 else f"Finding: {number} mg. [1]"
        yield Token(text="It may be so." if request.adapters and number % 9 == 4 else text)


class AdapterFiles:
    """Takes a folder in, or refuses it; writes a model at once."""

    def __init__(self, bench: "TrainingBench") -> None:
        self.bench = bench
        self.refusal: AssayError | None = None
        self.merged: list[MergeAdapter] = []

    def import_adapter(self, request: ImportAdapter, job: Job) -> TrainingView:
        if self.refusal is not None:
            raise self.refusal
        base = self.bench.model(request.base)
        spec = TrainSpec(
            name=request.name or Path(request.folder).name, base=base.name, data=(Source(dataset="house-style"),)
        )
        return self.bench.trainings.run(spec, "import", job)

    def merge(self, request: MergeAdapter, job: Job) -> ModelFile:
        job.report(1, 2, "tensors")
        if self.refusal is not None:
            raise self.refusal
        self.merged.append(request)
        return msgspec.structs.replace(self.bench.model("corvid-1.5b"), name=request.name or Path(request.out).stem)


class TrainingBench(ModelBench):
    """What the page sees of a workbench: two chat models, one that can't be trained, and two datasets."""

    def __init__(self, vault: Vault, folder: Path) -> None:
        super().__init__(vault, folder)
        self.worker = Worker()
        self.engine = Answers()
        self.datasets = Datasets(vault)
        self.adapters = AdapterFiles(self)
        self.trainings = Trainings(
            vault, self._models, self.datasets, self.engine, None, opened=self.worker  # type: ignore[arg-type]
        )  # fmt: skip
        self.sweeps = Sweeps(vault, self.trainings)

    def with_models(self) -> "TrainingBench":
        for name, more in (
            ("corvid-1.5b", {}),
            ("falcon-7b", {"architecture": "falcon"}),
            ("rook-embed", {"purpose": "embed"}),
        ):
            content = b"GGUF" + name.encode() * 400
            self.put(name, **{"digest": sha256(content), "size": len(content), **more})  # type: ignore[arg-type]
        return self

    def model(self, name: str) -> ModelFile:
        return next(one for one in self._models.list() if one.name == name)

    def with_datasets(self) -> "TrainingBench":
        for name, first, count in (("house-style", 100, 80), ("house-style-test", 500, 36)):
            path = self.folder / f"{name}.jsonl"
            rows = (
                {
                    "id": f"S-{number}",
                    "input": f"How much of substance {number} was given?",
                    "target": f"{number} mg",
                    "answer": f"Finding: {number} mg. [1]",
                    "tags": ["doses" if number % 2 else "intake"],
                }
                for number in range(first, first + count)
            )
            path.write_text("\n".join(map(json.dumps, rows)))
            self.datasets.add(AddDataset(name=name, path=str(path)), Job("Read"))
        return self
