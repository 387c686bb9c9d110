"""What is asked of the training worker, and what it says. Training text goes to it in these messages and nowhere else."""

from typing import Literal

from core.inference.records import Message
from core.records import Record
from core.training.settings import Settings
from core.training.worker.recall import Memorised, Sampled


class Example(Record, frozen=True, kw_only=True):
    """A conversation whose last turn is the assistant's, which is learned. `line` names it for a person ("style.jsonl, line 3").

    Of a preference, `rejected` is the worse answer to the same turns. Plain text has no turns, and all of it is learned."""

    line: str
    messages: tuple[Message, ...] = ()
    rejected: str = ""
    text: str = ""


class OpenBase(Record, frozen=True, kw_only=True, tag="open-base"):
    """The model that is trained from. `form`: a registered GGUF, or a folder of safetensors."""

    path: str
    name: str
    form: Literal["gguf", "folder"]
    threads: int = 0


class Opened(Record, frozen=True, kw_only=True, tag="opened-base"):
    """`family`: what transformers calls its architecture; `architecture`: what llama.cpp does."""

    family: str
    architecture: str
    window: int
    device: str
    versions: dict[str, str]


class Encode(Record, frozen=True, kw_only=True, tag="encode-examples"):
    """Examples to turn into tokens and keep in the worker; `held` ones are only measured."""

    examples: tuple[Example, ...]
    longest: int
    held: bool = False


class Problem(Record, frozen=True, kw_only=True):
    """Why an example can't be learned."""

    line: str
    problem: str


class Encoded(Record, frozen=True, kw_only=True, tag="encoded-examples"):
    """`lengths`: tokens of each example with its prompt; `learned`: of its completion."""

    lengths: tuple[int, ...]
    learned: tuple[int, ...]
    problems: tuple[Problem, ...]


class Probe(Record, frozen=True, kw_only=True, tag="probe-training"):
    """Take a few steps with the longest examples, and forget them."""

    settings: Settings


class Foresee(Record, frozen=True, kw_only=True, tag="foresee-training"):
    """Say by formula what a run would hold; no step is taken."""

    settings: Settings


class Probed(Record, frozen=True, kw_only=True, tag="probed-training"):
    """Bytes, and what the probe's steps took. `peak` is what the process (or the GPU) held at most during them, `before` what it held before
    the model was there."""

    weights: int
    adapter: int
    gradients: int
    optimizer: int
    activations: int
    before: int
    peak: int
    trained: int
    """Numbers that are trained."""
    tokens_per_second: float
    steps: int
    """Steps of the whole run."""
    tokens: int
    """Tokens of the whole run."""
    seconds: float = 0.0
    """Of the whole run, as `core.training.worker.pacing` counts them; 0 where it isn't known."""


class TakeCheckpoint(Record, frozen=True, kw_only=True, tag="take-checkpoint"):
    """A piece of the checkpoint that the next run goes on from."""

    at: int
    size: int
    data: bytes


class Taken(Record, frozen=True, kw_only=True, tag="taken"):
    whole: bool


class Train(Record, frozen=True, kw_only=True, tag="train"):
    """Train with the encoded examples, from the checkpoint where one was taken."""

    settings: Settings
    base_digest: str = ""
    lot: float = 0.0
    """Seconds after which the stream ends with `More` between two steps; 0 for never."""


class GoOn(Record, frozen=True, kw_only=True, tag="go-on"):
    """The next parts of a run whose stream ended with `More`, for `lot` seconds."""

    lot: float


class PauseRun(Record, frozen=True, kw_only=True, tag="pause-run"):
    """Give the state of a run whose stream ended with `More`, as a checkpoint at its present step."""


class KeepTrained(Record, frozen=True, kw_only=True, tag="keep-trained"):
    """Give the adapter as the checkpoint that was taken has it, without a further step."""

    settings: Settings
    base_digest: str = ""


class Step(Record, frozen=True, kw_only=True, tag="step"):
    """One step. `loss` is the mean over the tokens that were learned in it, in nats, or over the preferences; `memory` in bytes."""

    step: int
    steps: int
    loss: float
    learning_rate: float
    gradient_norm: float
    tokens_per_second: float
    memory: int


class Measured(Record, frozen=True, kw_only=True, tag="held-out-loss"):
    """The loss on the held-out examples after a step."""

    step: int
    loss: float
    best: bool


class Piece(Record, frozen=True, kw_only=True, tag="piece"):
    """Some bytes of a checkpoint, of the adapter as safetensors, or of its configuration or its GGUF; `last` ends it."""

    of: Literal["checkpoint", "safetensors", "config", "gguf"]
    step: int
    data: bytes
    last: bool


class Ended(Record, frozen=True, kw_only=True, tag="ended"):
    """Why the run ended: all steps taken, no better measurement for a while, a person stopped it, or it is paused after `step` with its state given.
    `step` is the one whose weights were given."""

    reason: Literal["done", "early", "stopped", "paused"]
    step: int
    tokens: int
    seconds: float
    peak: int


class More(Record, frozen=True, kw_only=True, tag="more"):
    """The run waits between two steps for `GoOn` or `PauseRun`."""


TrainPart = Step | Measured | Piece | Ended | Sampled | Memorised | More
