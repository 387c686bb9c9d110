"""What is stored of an evaluation: the spec that is locked before it runs, the run, its outcomes and its result.

A run is four kinds of record. `Run` is written before the first sample, so that a crash stays visible. Each `Outcome` is one sample under
one variant. `RunResult` closes the run with metrics and the verdict on the criteria; a run without one was interrupted.
"""

from typing import Any, Literal

import msgspec

from core.assistants.records import Answer
from core.inference.records import AdapterUse
from core.records import Digest, Record


class Criterion(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What must hold for the run to pass: a bound on one metric of one variant, judged on its value or an end of its interval.

    A sample of the variant that ended in an error fails it, whatever the metric is on the others."""

    metric: str
    variant: str
    at_least: float | None = None
    at_most: float | None = None
    on: Literal["value", "low", "high"] = "value"


class Settings(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One way of asking: each of them makes a variant of its own. What is None is as the spec says."""

    name: str
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    repeat_penalty: float = 1.0
    max_tokens: int | None = None
    passages: int | None = None
    collection: str | None = None
    """The documents that are searched, where they were prepared in another way."""
    adapters: tuple[AdapterUse, ...] = ()
    """In a spec by name, digest or alias; in a run by digest."""


class Spec(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An evaluation as a team writes it: which questions, asked of which prompt versions and models over which documents."""

    name: str
    dataset: str
    scorers: tuple[str, ...]
    collection: str = ""
    """Empty for a closed-book evaluation: the model is asked without documents."""
    prompts: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    include_quotes: bool = False
    """Ask the mode without a model too, as one more variant."""
    passages: int = 6
    max_tokens: int = 256
    seed: int = 0
    mode: Literal["reproducible", "fast"] = "reproducible"
    trim: Literal["refuse", "passages"] = "refuse"
    """What happens when a prompt doesn't fit: an error on that sample, or its least relevant passages are left out."""
    criteria: tuple[Criterion, ...] = ()
    settings: tuple[Settings, ...] = ()
    """Without any, each prompt on each model is one variant."""
    gate: tuple[str, ...] = ()
    """What must hold of a variant before its prompt is released; see `core.evals.gates`."""
    repetitions: int = 1
    """How many times each sample is asked under each variant, with a seed of its own each time."""
    scoring: dict[str, dict[str, Any]] = msgspec.field(default_factory=dict)
    """The settings of scorers that have some, by their names in `scorers`."""


class SpecVersion(Record, frozen=True, kw_only=True, tag="spec"):
    """An immutable version of a spec; what is signed before the run."""

    name: str
    number: int
    spec: Spec
    parent: Digest | None
    author: str
    saved: str

    @property
    def reference(self) -> str:
        """How the version is named everywhere: `name@number`."""
        return f"{self.name}@{self.number}"


class SavedSpec(Record, frozen=True, kw_only=True):
    digest: Digest
    spec: SpecVersion
    created: bool
    signed: tuple[tuple[str, str], ...] = ()
    """(meaning, printed name) of each signature."""


class Variant(Record, frozen=True, kw_only=True):
    """One column of the matrix: a prompt version on a model, or `quotes`, under some settings."""

    name: str
    prompt: str
    prompt_digest: str
    model: str
    model_digest: str
    settings: Settings | None = None
    embedder: str = ""
    """The digest of the embedding model of the settings' own collection."""


class Environment(Record, frozen=True, kw_only=True):
    """What the run was made with."""

    assay: str
    python: str
    system: str
    processor: str
    packages: dict[str, str]
    barrier: tuple[str, ...]


class Instrument(Record, frozen=True, kw_only=True):
    """What a scorer rested on beside the answers, as it was when the run started."""

    scorer: str
    kind: Literal["rubric", "judge", "embedder", "plugin"]
    name: str
    digest: Digest


class Run(Record, frozen=True, kw_only=True, tag="run"):
    """A run as it started: everything that was fixed beforehand."""

    id: str
    spec: Digest
    spec_reference: str
    dataset: Digest
    dataset_reference: str
    collection: str
    documents: tuple[Digest, ...]
    """The documents that were in the collection."""
    embedder: str
    variants: tuple[Variant, ...]
    criteria: tuple[Criterion, ...]
    scorers: tuple[str, ...]
    samples: int
    seed: int
    environment: Environment
    user: str
    started: str
    repetitions: int = 1
    instruments: tuple[Instrument, ...] = ()
    reuse: bool = False
    """Whether answers to identical requests were taken from earlier outcomes; each that was says so."""


class Score(Record, frozen=True, kw_only=True):
    """What one scorer says of one answer: `value` in the scorer's range (mostly 0 to 1), whether it passed, and why."""

    scorer: str
    value: float
    passed: bool
    reason: str = ""


class Outcome(Record, frozen=True, kw_only=True, tag="outcome"):
    """One sample under one variant. Exactly one of `answer` and `error` is given."""

    run: Digest
    sample: str
    variant: str
    answer: Answer | None
    scores: tuple[Score, ...]
    error: str = ""
    repetition: int = 0
    """Which time the sample was asked under this variant, from 0."""
    reused: str = ""
    """The digest of the outcome whose answer to the identical request this is; empty where it was made for this run."""

    @property
    def passed(self) -> bool:
        """Whether every scorer that applies was satisfied."""
        return not self.error and all(score.passed for score in self.scores)


class Metric(Record, frozen=True, kw_only=True):
    """A scorer's mean over the samples it applies to, with a 95 % interval; `method` is "wilson" or "bootstrap".

    A sample that was asked more than once counts once, with the mean of its scores; the interval is over samples, never over answers. Where all
    values of a scorer from 0 to 1 are one and the same, which resampling takes for certain, the ends are Wilson's for so many samples."""

    scorer: str
    value: float
    low: float
    high: float
    n: int
    method: str


class VariantResult(Record, frozen=True, kw_only=True):
    name: str
    metrics: tuple[Metric, ...]
    passed: int
    """Samples on which every scorer was satisfied."""
    failed: int
    errors: int


SIGNIFICANT = 0.05
"""A difference with a larger p-value is told as one that may be chance."""


class Difference(Record, frozen=True, kw_only=True):
    """`variant` minus `baseline` on the samples that both answered, with a paired 95 % bootstrap interval and a sign-flip p-value."""

    scorer: str
    baseline: str
    variant: str
    value: float
    low: float
    high: float
    p: float
    n: int


class CriterionResult(Record, frozen=True, kw_only=True):
    criterion: Criterion
    measured: float | None
    met: bool


class RunResult(Record, frozen=True, kw_only=True, tag="run-result"):
    """How a run ended."""

    run: Digest
    status: Literal["finished", "cancelled", "failed"]
    variants: tuple[VariantResult, ...]
    differences: tuple[Difference, ...]
    criteria: tuple[CriterionResult, ...]
    passed: bool
    """Finished, and every criterion met."""
    finished: str
    seconds: float
    error: str = ""


class RunView(Record, frozen=True, kw_only=True):
    """A run with its result, None while it goes on or when it was interrupted."""

    digest: Digest
    run: Run
    result_digest: str
    result: RunResult | None

    @property
    def status(self) -> str:
        """started, finished, cancelled or failed."""
        return self.result.status if self.result else "started"


class RunSpec(Record, frozen=True, kw_only=True):
    """`reference` is a saved spec: `name@number` or `name`."""

    reference: str
    fresh: bool = False
    """Ask everything anew, whatever was answered before."""


class Done(Record, frozen=True, kw_only=True):
    """How far a run is, with what has been scored so far."""

    done: int
    total: int
    outcome: Outcome
