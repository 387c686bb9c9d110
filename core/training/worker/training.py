"""Trains a LoRA adapter, in a process that sees the base model, the training text and nothing else.

transformers computes, peft makes the adapter, accelerate carries gradients; here stands what is this program's own: which tokens are learned,
what is streamed, and checkpoints that let a run go on as if it had never stopped. Rules: the text comes in messages and is kept in memory;
nothing but a finished adapter's GGUF is ever written, into the worker's own storage in memory, and removed there at once; a loss that is no
number ends the run before it changes a weight.
"""

import math
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from core.errors import BadInput, Unavailable
from core.records import Record
from core.training.settings import Settings
from core.training.worker import (
    adapters,
    answering,
    batches,
    checkpoints,
    foreseeing,
    memorising,
    memory,
    pacing,
    preferring,
    whole,
)
from core.training.worker.base import Base
from core.training.worker.batches import Row
from core.training.worker.encoding import Encoding, encode_all
from core.training.worker.recall import Memorised, Plant, Planted, Sampled
from core.training.worker.records import (
    Encode,
    Encoded,
    Ended,
    Foresee,
    GoOn,
    KeepTrained,
    Measured,
    More,
    OpenBase,
    Opened,
    PauseRun,
    Piece,
    Probe,
    Probed,
    Step,
    TakeCheckpoint,
    Taken,
    Train,
    TrainPart,
)
from core.training.worker.showing import ShowExamples, ShownExamples, shown
from core.workers.serving import Call, Handler

PIECE: Final = 4 * 1024 * 1024
Of = Literal["checkpoint", "safetensors", "config", "gguf"]


class Bench:
    """What this worker holds: a base, the examples as tokens, and the checkpoint that it was given."""

    def __init__(self) -> None:
        self._base: Base | None = None
        self._examples: list[Encoding] = []
        self._held: list[Encoding] = []
        self._arriving = bytearray()
        self._checkpoint: bytes | None = None
        self._plant: Plant | None = None
        self._run: _Run | None = None
        self._going: Iterator[TrainPart | None] | None = None
        self._call: Call | None = None

    def open(self, request: OpenBase, call: Call) -> Opened:
        """Raises `Unsupported`, `Damaged`."""
        self._base = Base(request)
        return self._base.told()

    def encode(self, request: Encode, call: Call) -> Encoded:
        """Keep what can be learned; the rest is told as problems."""
        base = self._opened()
        longest = min(request.longest or base.window, base.window)
        found, told = encode_all(base.encoder, request.examples, longest)
        (self._held if request.held else self._examples).extend(found)
        return told

    def plant(self, request: Plant, call: Call) -> Planted:
        """Learn sentences beside the examples. Raises `BadInput` where they don't fit."""
        base = self._opened()
        for one in request.canaries:
            memorising.encoded(base.encoder, one, request.text, base.window)
        self._plant = request
        return Planted(canaries=len(request.canaries))

    def take(self, request: TakeCheckpoint, call: Call) -> Taken:
        """Keep a piece of a checkpoint."""
        if request.at == 0:
            self._arriving = bytearray()
        if request.at != len(self._arriving):
            raise BadInput(source="The checkpoint", problem="a piece of it is missing. Try again.")
        self._arriving += request.data
        if len(self._arriving) < request.size:
            return Taken(whole=False)
        self._checkpoint, self._arriving = bytes(self._arriving), bytearray()
        return Taken(whole=True)

    def probe(self, request: Probe, call: Call) -> Probed:
        """Take a few steps, measure once on held-out examples and save the state, as a run does."""
        settings = request.settings
        memory.load_libraries()
        before = memory.now()
        learned, held = self._parts(settings)
        window = self._window(settings)
        run = _Run(self._opened(), settings, len(learned))
        widest = [batches.widest(learned, settings, window)] * settings.accumulation
        first = pacing.timed(lambda: run.step(widest))
        epoch = pacing.first_epoch(learned, settings, window)
        tokens, taken = 0, []
        for step in pacing.typical(epoch):
            call.check()
            began = time.monotonic()
            tokens += run.step(step)[2]
            taken.append((pacing.size(step), time.monotonic() - began))
        words = self._opened().encoder.words
        paced = pacing.paced(run, settings, epoch, held, (pacing.size(widest), first), taken, words, call)
        peak = memory.peak()
        weights, adapter, trained = run.sizes()
        steps = batches.count_steps(learned, settings, window)
        return Probed(
            weights=weights or adapter,
            adapter=adapter if weights else 0,
            gradients=adapter,
            optimizer=2 * adapter,
            activations=max(0, peak - before - weights - 4 * adapter),
            before=before,
            peak=peak,
            trained=trained,
            tokens_per_second=tokens / max(sum(seconds for _, seconds in taken), 1e-9),
            steps=steps,
            tokens=sum(len(one.ids) for one in learned) * steps // len(epoch),
            seconds=pacing.whole(paced, settings, steps, learned, held, self._planted_tokens(settings)),
        )

    def foresee(self, request: Foresee, call: Call) -> Probed:
        """What a run would hold, by formula."""
        settings = request.settings
        return foreseeing.foreseen(self._opened(), settings, self._parts(settings)[0], self._window(settings))

    def train(self, request: Train, call: Call) -> Iterator[TrainPart]:
        """The run, part by part. Raises `BadInput` (a loss that is no number), `Damaged` (a checkpoint), `Cancelled`; `MemoryError`."""
        self._going = self._trained(request)
        yield from self._lot(request.lot, call)

    def go_on(self, request: GoOn, call: Call) -> Iterator[TrainPart]:
        """The run's next parts. Raises as `train`."""
        yield from self._lot(request.lot, call)

    def pause(self, request: PauseRun, call: Call) -> Iterator[TrainPart]:
        """The run's state after its last step, with which it ends here. Raises `BadInput` where none waits."""
        run, self._run, self._going = self._run, None, None
        if run is None:
            raise BadInput(source="The run", problem="it isn't under way. Start it first.")
        if run.done:
            yield from _pieces("checkpoint", run.done, run.saved())
        yield Ended(reason="paused", step=run.done, tokens=run.tokens, seconds=run.seconds, peak=memory.peak())

    def _lot(self, seconds: float, call: Call) -> Iterator[TrainPart]:
        """Parts of the run, and after `seconds` between two steps `More`."""
        if self._going is None:
            raise BadInput(source="The run", problem="it isn't under way. Start it first.")
        self._call = call
        began = time.monotonic()
        for part in self._going:
            if part is not None:
                yield part
            elif seconds and time.monotonic() - began >= seconds:
                yield More()
                return
        self._run = self._going = None

    def _trained(self, request: Train) -> Iterator[TrainPart | None]:
        """The run, part by part, with None between two steps."""
        settings = request.settings
        learned, held = self._parts(settings)
        window = self._window(settings)
        steps = batches.count_steps(learned, settings, window)
        run = self._run = _Run(self._opened(), settings, steps)
        if self._checkpoint is not None:
            run.go_on(self._checkpoint)
            self._checkpoint = None
        began, spent = time.monotonic(), run.seconds
        early = False
        for number, step in enumerate(batches.steps(learned, settings, window), 1):
            if number <= run.done:
                continue
            call = self._calling()
            call.check()
            since = time.monotonic()
            rate = run.rate
            loss, norm, tokens = run.step(step)
            run.done, run.tokens = number, run.tokens + tokens
            yield Step(
                step=number,
                steps=steps,
                loss=loss,
                learning_rate=rate,
                gradient_norm=norm,
                tokens_per_second=tokens / max(time.monotonic() - since, 1e-9),
                memory=memory.now(),
            )
            call.report(number, steps, "steps")
            last = number == steps
            if held and (last or number % settings.evaluate_every == 0):
                measured = run.measure(held, settings, call)
                better = run.note(measured, settings)
                yield Measured(step=number, loss=measured, best=better)
                early = 0 < settings.patience <= run.worse
            run.seconds = spent + time.monotonic() - began
            if early or last or number % settings.checkpoint_every == 0:
                if settings.samples and held:
                    shown = answering.shown(
                        run.model, held[: settings.samples], self._opened().encoder.words, run.device
                    )
                    yield Sampled(step=number, shown=shown)
                yield from _pieces("checkpoint", number, run.saved())
            if early:
                break
            if not last:
                yield None
        seconds = run.seconds
        at = run.finish(settings)
        if settings.recall or self._plant is not None:
            yield self._memorised(run, settings, learned, held)
        yield from self._result(run, request, at)
        yield Ended(
            reason="early" if early else "done",
            step=at,
            tokens=run.tokens,
            seconds=seconds,
            peak=memory.peak(),
        )

    def _memorised(self, run: "_Run", settings: Settings, learned: list[Encoding], held: list[Encoding]) -> Memorised:
        planted = set(self._planted(settings))
        known = [one for one in learned if one not in planted]
        base = self._opened()
        ask = memorising.Memory(
            base.encoder, self._plant, settings.seed, self._window(settings), run.device, self._calling().check
        )
        with memory.told_apart():
            return ask.measured(run.model, run.as_before, known, held, settings.recall)

    def _calling(self) -> Call:
        assert self._call is not None
        return self._call

    def keep(self, request: KeepTrained, call: Call) -> Iterator[TrainPart]:
        """The adapter of the checkpoint that was taken. Raises `BadInput` without one, `Damaged`."""
        if self._checkpoint is None:
            raise BadInput(source="The run", problem="it has no checkpoint yet. Go on with it, or erase it.")
        run = _Run(self._opened(), request.settings, 1)
        run.go_on(self._checkpoint)
        self._checkpoint = None
        at = run.finish(request.settings)
        yield from self._result(run, request, at)
        yield Ended(reason="stopped", step=at, tokens=run.tokens, seconds=run.seconds, peak=memory.peak())

    def show(self, request: ShowExamples, call: Call) -> ShownExamples:
        """Examples as tokens, of which nothing is kept."""
        return shown(self._opened().encoder, request.examples)

    def _result(self, run: "_Run", request: Train | KeepTrained, step: int) -> Iterator[Piece]:
        base, settings = self._opened(), request.settings
        if settings.method == "full":
            yield from _pieces("safetensors", step, whole.safetensors_of(run.model))
            yield from _pieces("config", step, base.config.to_json_string().encode())
            return
        yield from _pieces("safetensors", step, adapters.safetensors_of(run.model))
        yield from _pieces("config", step, adapters.config_of(run.model, base.name))
        if settings.dora:
            return
        from peft import get_peft_model_state_dict

        state = get_peft_model_state_dict(run.model)
        tensors = {name: value.detach().cpu().float().numpy().astype(np.float32) for name, value in state.items()}
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "adapter.gguf"
            config = base.config.to_dict()
            adapters.written(
                tensors, out, base.family, config, settings.alpha, settings.rslora, request.base_digest, base.name
            )
            data = out.read_bytes()
        yield from _pieces("gguf", step, data)

    def _opened(self) -> Base:
        if self._base is None:
            raise Unavailable(what="No base model was opened", step="Open one first.")
        return self._base

    def _window(self, settings: Settings) -> int:
        return min(settings.longest or self._opened().window, self._opened().window)

    def _parts(self, settings: Settings) -> tuple[list[Encoding], list[Encoding]]:
        """(learned from, held out). Raises `BadInput` where nothing is left."""
        learned, held = (self._examples, self._held) if self._held else batches.split(self._examples, settings)
        if not learned:
            raise BadInput(source="The training data", problem="there is no example to learn from. Give some.")
        return [*learned, *self._planted(settings)], held

    def _planted_tokens(self, settings: Settings) -> int:
        return sum(one.size for one in {*self._planted(settings)})

    def _planted(self, settings: Settings) -> list[Encoding]:
        plant = self._plant
        if plant is None:
            return []
        encoder, window = self._opened().encoder, self._window(settings)
        found = [memorising.encoded(encoder, one, plant.text, window) for one in plant.canaries]
        return [one for one in found for _ in range(plant.repeats)]


class _Run:
    """A model with an adapter, its optimizer and its schedule."""

    def __init__(self, base: Base, settings: Settings, steps: int) -> None:
        import torch
        from accelerate import Accelerator
        from transformers import get_scheduler

        torch.manual_seed(settings.seed)
        self.device = base.device
        self._base = base
        with memory.told_apart():
            self.model = whole.model(base, settings) if settings.method == "full" else adapters.model(base, settings)
        self._accelerator = Accelerator(cpu=base.device == "cpu")
        optimizer = torch.optim.AdamW(
            [value for _, value in checkpoints.trained(self.model)],
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
        )
        schedule = get_scheduler(settings.schedule, optimizer, round(steps * settings.warmup), steps)
        self.model, self._optimizer = self._accelerator.prepare(self.model, optimizer)
        self._schedule = schedule
        self._clip = settings.clip
        self._packing = settings.packing
        self._settings = settings
        self.done = self.tokens = self.worse = 0
        self.seconds = 0.0
        self._least = math.inf
        self._least_at = 0
        self._best: dict[str, Any] | None = None

    @property
    def rate(self) -> float:
        """The learning rate of the next step."""
        return float(self._schedule.get_last_lr()[0])

    def step(self, step: list[list[Row]]) -> tuple[float, float, int]:
        """(loss in nats a token, length of the gradient, tokens). Raises `BadInput` when the loss is no number."""
        import torch

        self.model.train()
        learned = max(1, sum(map(batches.learned, step)))
        loss, tokens = 0.0, 0
        with memory.told_apart():
            for rows in step:
                if self._settings.objective == "preferences":
                    part, count = preferring.loss(self.model, rows, self._settings.beta, self.device)
                    part = part / sum(map(len, step))
                    self._accelerator.backward(part)
                    loss += float(part.detach())
                    tokens += count
                    continue
                batch = batches.tensors(rows, self._packing, self.device)
                part = self.model(**batch.inputs, num_items_in_batch=torch.tensor(learned, device=self.device)).loss
                self._accelerator.backward(part)
                loss += float(part.detach())
                tokens += batch.tokens
            norm = float(self._accelerator.clip_grad_norm_(self.model.parameters(), self._clip))
            if not math.isfinite(loss) or not math.isfinite(norm):
                raise BadInput(
                    source=f"Step {self.done + 1} of the training",
                    problem="its loss is no number any more. Use a smaller learning_rate; the last checkpoint is kept.",
                )
            self._optimizer.step()
            self._schedule.step()
            self._optimizer.zero_grad()
        return loss, norm, tokens

    def measure(self, held: list[Encoding], settings: Settings, call: Call) -> float:
        """The mean loss of the tokens that are to be learned, on examples that aren't learned from."""
        import torch

        self.model.eval()
        total, count = 0.0, 0
        with torch.no_grad(), memory.told_apart():
            for start in range(0, len(held), settings.batch):
                call.check()
                rows: list[Row] = [(one,) for one in held[start : start + settings.batch]]
                if settings.objective == "preferences":
                    total += float(preferring.loss(self.model, rows, settings.beta, self.device)[0])
                    count += len(rows)
                    continue
                batch = batches.tensors(rows, False, self.device)
                found = self.model(**batch.inputs, num_items_in_batch=torch.tensor(1, device=self.device))
                total += float(found.loss)
                count += batch.learned
        loss = total / max(1, count)
        if not math.isfinite(loss):
            raise BadInput(
                source="The held-out examples",
                problem="their loss is no number any more. Use a smaller learning_rate; the last checkpoint is kept.",
            )
        return loss

    def note(self, loss: float, settings: Settings) -> bool:
        """Remember a measurement; whether it is the best so far."""
        if not loss < self._least:
            self.worse += 1
            return False
        self._least, self._least_at, self.worse = loss, self.done, 0
        if settings.patience:
            self._best = {name: value.detach().clone() for name, value in checkpoints.trained(self.model)}
        return True

    def finish(self, settings: Settings) -> int:
        """Put the best weights back where they were kept; the step that the adapter is of."""
        if self._best is None:
            return self.done
        import torch

        with torch.no_grad():
            for name, value in checkpoints.trained(self.model):
                value.copy_(self._best[name])
        return self._least_at

    def saved(self) -> bytes:
        """The state after the last step."""
        plain = {
            "done": self.done,
            "tokens": self.tokens,
            "worse": self.worse,
            "seconds": self.seconds,
            "least": None if math.isinf(self._least) else self._least,
            "least_at": self._least_at,
        }
        return checkpoints.saved(self.model, self._optimizer, self._schedule, plain, self._best)

    def go_on(self, data: bytes) -> None:
        """Take up a saved state. Raises `Damaged`."""
        plain, self._best = checkpoints.loaded(data, self.model, self._optimizer, self._schedule)
        self.done, self.tokens, self.worse = int(plain["done"]), int(plain["tokens"]), int(plain["worse"])
        self.seconds, self._least_at = float(plain["seconds"]), int(plain["least_at"])
        self._least = math.inf if plain["least"] is None else float(plain["least"])

    @contextmanager
    def as_before(self) -> Iterator[Any]:
        """The model as it computed before its training."""
        if self._settings.method == "full":
            self._optimizer.zero_grad()
            self._optimizer = self._schedule = None
            yield self._base.weights(self._settings.dtype)
            return
        with self.model.disable_adapter():
            yield self.model

    def sizes(self) -> tuple[int, int, int]:
        """(bytes of the base's weights, bytes of the adapter, numbers that are trained)."""
        sized = [(value.numel(), value.element_size(), value.requires_grad) for value in self.model.parameters()]
        weights = sum(count * size for count, size, trained in sized if not trained)
        return weights, sum(c * s for c, s, trained in sized if trained), sum(c for c, _, trained in sized if trained)


def _pieces(of: Of, step: int, data: bytes) -> Iterator[Piece]:
    for start in range(0, max(1, len(data)), PIECE):
        yield Piece(of=of, step=step, data=data[start : start + PIECE], last=start + PIECE >= len(data))


def handlers() -> dict[type[Record], Handler]:
    """What `core.workers.child` serves."""
    bench = Bench()
    return {
        OpenBase: bench.open,
        Encode: bench.encode,
        Plant: bench.plant,
        TakeCheckpoint: bench.take,
        Probe: bench.probe,
        Foresee: bench.foresee,
        Train: bench.train,
        GoOn: bench.go_on,
        PauseRun: bench.pause,
        KeepTrained: bench.keep,
        ShowExamples: bench.show,
    }
