"""What is stored of a training run, and what its operations take and give.

A run is two kinds of record: `TrainingRun` is written before the first step, so that a crash stays visible; `TrainingResult` says how it ended,
and leads to the adapter. A run that goes on after an interruption keeps its first record and gets a new result.
"""

from typing import Any, Literal

from core.evals.records import SIGNIFICANT, Environment
from core.records import Digest, Record
from core.training.settings import Settings
from core.training.worker.recall import Memorised, Sampled
from core.training.worker.records import Measured, Problem, Step


class Source(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where examples come from: a dataset of the vault, or a file. A file of samples becomes a version of the dataset that is named with it.

    `system` stands before every conversation that has no system turn of its own. `collection`: the documents whose text is learned."""

    dataset: str = ""
    file: str = ""
    collection: str = ""
    system: str = ""


class Judged(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the base and the adapter are asked after the run: samples that weren't learned from. `form` is a regular expression that an
    answer in the house style matches as a whole."""

    dataset: str = ""
    file: str = ""
    system: str = ""
    form: str = ""
    max_tokens: int = 64
    spec: str = ""
    """An evaluation spec of the vault, which is run on base and adapter too."""


class TrainSpec(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A run as a person writes it. `folder`: the original of `base` as a Hugging Face folder, where the weights are to come from that."""

    name: str
    base: str
    data: tuple[Source, ...]
    folder: str = ""
    preset: str = "balanced"
    settings: dict[str, Any] = {}  # noqa: RUF012 (msgspec copies it)
    leave_out: bool = False
    """Leave out examples that can't be learned, and say which; otherwise they are a reason not to start."""
    evaluation: Judged | None = None
    out: str = ""
    """Where the model of a run that trains all weights is written to (.gguf), in clear, to be registered under its name. Without it the
    weights stay sealed until `assay train merge`."""
    sweep: str = ""
    """The place in a sweep that the run is for ("sweep-2/3"); a sweep says so itself."""


class UsedSource(Record, frozen=True, kw_only=True):
    """What was read: a dataset's version and digest, or a file's name and SHA-256."""

    reference: str
    digest: Digest
    form: str
    examples: int


class TrainingRun(Record, frozen=True, kw_only=True, tag="training-run"):
    """A run with all that it depends on."""

    id: str
    name: str
    base: str
    base_digest: Digest
    folder: str
    """Name of the folder that the weights came from; "" for the registered file."""
    spec: TrainSpec
    settings: Settings
    sources: tuple[UsedSource, ...]
    examples: int
    left_out: tuple[Problem, ...]
    versions: dict[str, str]
    environment: Environment
    device: str
    threads: int
    user: str
    started: str
    imported: str = ""
    """The folder's name, of an adapter that was made elsewhere."""


class Rated(Record, frozen=True, kw_only=True):
    """One measure of base and adapter on the same samples: shares, the paired difference with its 95 % interval, and its p."""

    measure: str
    base: float
    adapter: float
    difference: float
    low: float
    high: float
    p: float
    n: int
    worse: tuple[str, ...]
    """The samples that the base had right and the adapter hasn't."""


class Compared(Record, frozen=True, kw_only=True, tag="adapter-comparison"):
    """Base against adapter, on samples that weren't learned from."""

    run: str
    dataset: str
    dataset_digest: Digest
    rated: tuple[Rated, ...]
    seconds: float


class TrainingResult(Record, frozen=True, kw_only=True, tag="training-result"):
    """How a run ended. The adapter's files are sealed in the vault; `gguf` is empty where it can't be attached (DoRA)."""

    run: Digest
    status: Literal["finished", "cancelled", "failed"]
    reason: str
    """"done", "early" or "stopped" (by a person, at the last checkpoint) for a finished run, else why it ended."""
    step: int
    weights: Digest | Literal[""] = ""
    config: Digest | Literal[""] = ""
    gguf: Digest | Literal[""] = ""
    gguf_size: int = 0
    architecture: str = ""
    curve: tuple[Step, ...] = ()
    measured: tuple[Measured, ...] = ()
    tokens: int = 0
    seconds: float = 0.0
    peak: int = 0
    memorised: Memorised | None = None
    finished: str


class Answered(Record, frozen=True, kw_only=True, tag="training-samples"):
    """What the model answered at the checkpoints of a run. It holds texts, so it stays in the vault: no pack and no export has it."""

    run: Digest
    sampled: tuple[Sampled, ...]


class Regressed(Record, frozen=True, kw_only=True):
    """A scorer's paired difference between base and adapter; `tag` is empty for all samples, `p` corrected for all that are told together."""

    variant: str
    tag: str
    scorer: str
    base: float
    adapter: float
    difference: float
    low: float
    high: float
    p: float
    n: int
    worse: bool
    """Which way the difference goes; `change` says whether it is shown."""
    samples: tuple[str, ...]
    """Of the variant: samples that passed before and fail now."""

    @property
    def change(self) -> Literal["better", "worse", ""]:
        """What the difference shows; "" where its interval contains 0, or its p is no smaller than `SIGNIFICANT`."""
        if self.low <= 0 <= self.high or self.p >= SIGNIFICANT:
            return ""
        return "worse" if self.worse else "better"


class GateLine(Record, frozen=True, kw_only=True):
    line: str
    met: bool
    reason: str


class Proved(Record, frozen=True, kw_only=True, tag="adapter-evaluation"):
    """What the evaluation that was chosen at the start found, by the run of `core.evals` that it made."""

    training: str
    evaluation: str
    spec: str
    rows: tuple[Regressed, ...]
    gate: tuple[GateLine, ...]
    passed: bool
    finished: bool


class TrainingView(Record, frozen=True, kw_only=True):
    """A run as it stands. `status` is "interrupted" where no result was written."""

    digest: Digest
    run: TrainingRun
    result_digest: Digest | None = None
    result: TrainingResult | None = None
    compared: Compared | None = None
    proved: Proved | None = None
    sampled: tuple[Sampled, ...] = ()
    """Answers to held-out inputs at the checkpoints."""
    checkpoint: int = 0
    """The step of the last sealed checkpoint; 0 for none."""
    signed: tuple[tuple[str, str], ...] = ()

    @property
    def status(self) -> str:
        return self.result.status if self.result is not None else "interrupted"


class Plan(Record, frozen=True, kw_only=True):
    """What a run would take, found out by a few steps. Bytes, seconds."""

    examples: int
    left_out: tuple[Problem, ...]
    longest: int
    """Tokens of the longest example."""
    learned: int
    """Tokens that are learned in one epoch."""
    trained: int
    weights: int
    adapter: int
    gradients: int
    optimizer: int
    activations: int
    program: int
    """Python and its libraries."""
    memory: int
    """All together, at most."""
    free: int
    fits: bool
    seconds: float
    """Until the adapter is there; the evaluation afterwards comes on top. 0 where it isn't known."""
    steps: int
    device: str
    settings: Settings
    time_from: Literal["probe", "run", ""] = "probe"
    """What tells the time: a few steps of it, or an earlier run of the same shape; "" for nothing."""
    low: float = 0.0
    high: float = 0.0
    """Between which `seconds` lies on a machine that does little else."""


class ExportAdapter(Record, frozen=True, kw_only=True):
    """Write an adapter's files to a new folder."""

    run: str
    folder: str
    reason: str = ""


class ImportAdapter(Record, frozen=True, kw_only=True):
    """Take in a folder that PEFT saved, as an adapter of a registered base."""

    folder: str
    base: str
    name: str = ""
    reason: str = ""


class MergeAdapter(Record, frozen=True, kw_only=True):
    """Write a run's base with the adapter in its weights to a new file `out`, as `quantization` (f32, f16, bf16, q8_0), and register it as `name`."""

    run: str
    out: str
    quantization: str = "f16"
    name: str = ""
    reason: str = ""
