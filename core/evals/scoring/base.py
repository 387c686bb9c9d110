"""What a scorer is, and what it can use beside the sample and the answer.

Rules: a scorer states what it measures, its range, its limits and its source; `applies` says for which samples and answers it counts, and
the others are left out of its metric. What needs a native library, a pattern of somebody else or somebody else's code runs in a worker
(`Tools.measure`), what needs a model asks the engine. A scorer with settings may stand several times in a spec: `regex:date` is the scorer
`regex` under the label `regex:date`.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

import msgspec

from core.assistants.records import Answer
from core.datasets.records import Sample
from core.errors import BadInput, Unavailable
from core.evals.scoring.records import AskPlugin, Measure, Measured, PluginScore
from core.inference.records import AdapterUse, Message, Weighed
from core.inference.service import Floats
from core.records import Record

_MARK: Final = re.compile(r"\s*\[\d+\]")
_SPACE: Final = re.compile(r"\s+")
_EDGE: Final = " .,:;!?\"'“”‘’()"
SEPARATOR: Final = ":"

Scored = tuple[float, bool, str]
"""Value, whether it passed, and why."""
When = Literal["at once", "after"]


class NoSettings(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of a scorer that has none."""


class AtLeast(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of a scorer whose value is a degree: from which value a sample passes. At 0 each does, and the figure alone counts."""

    at_least: float = 0.0


class Asked(NamedTuple):
    """How the answer came about, for scorers that ask the same model again."""

    model: str
    messages: tuple[Message, ...]
    variables: dict[str, Any]
    adapters: tuple[AdapterUse, ...] = ()


class Decision(NamedTuple):
    """What a judge is asked: the rubric is a prompt version or the program's messages; time 0 takes the likeliest words, the others chance."""

    model: str
    rubric: str | tuple[Message, ...]
    variables: dict[str, Any]
    schema: dict[str, Any]
    time: int


def _missing(what: str) -> Callable[..., Any]:
    def refuse(*_: object, **__: object) -> Any:
        raise Unavailable(what=f"This scorer needs {what}, which isn't at hand here", step="Use another scorer.")

    return refuse


_NO_WORKER = _missing("the scoring worker")
_NO_PLUGINS = _missing("the worker of plugins")
_NO_EMBEDDER = _missing("an embedder")
_NO_MODEL = _missing("a model")
_NO_JUDGE = _missing("a judge")


@dataclass(frozen=True)
class Tools:
    """What scorers may use. Those that are missing raise `Unavailable` when a scorer needs them."""

    measure: Callable[[Measure], Measured] = _NO_WORKER
    plugin: Callable[[AskPlugin], PluginScore] = _NO_PLUGINS
    embed: Callable[[list[str], str], Floats] = _NO_EMBEDDER
    """Of texts by an embedder's name; "" for the run's own."""
    embed_tokens: Callable[[list[str], str], list[tuple[Floats, Any]]] = _NO_EMBEDDER
    """For each text the vectors of its tokens, and which of them are words; embedder as for `embed`."""
    weigh: Callable[[Asked, tuple[str, ...]], Weighed] = _NO_MODEL
    decide: Callable[[Decision], dict[str, Any]] = _NO_JUDGE
    """To the JSON that the judge wrote."""


@dataclass(frozen=True)
class Case:
    """One answer to one sample, and what it can be set against."""

    sample: Sample
    answer: Answer
    tools: Tools = Tools()
    asked: Asked | None = None
    baseline: Answer | None = None
    """The first variant's answer to the same sample; None for the first variant itself."""


class Scorer(NamedTuple):
    """`method` says how its metric's interval is made: Wilson for yes or no, bootstrap for anything else."""

    name: str
    measures: str
    limits: str
    method: Literal["wilson", "bootstrap"]
    applies: Callable[[Case], bool]
    score: Callable[[Case, Any], Scored]
    range: str = "0 or 1"
    source: str = "Assay"
    settings: type[Record] = NoSettings
    when: When = "at once"
    """`after`: it asks a judge, and its turn comes when the answers are there."""
    lower_is_better: bool = False

    @property
    def bounded(self) -> bool:
        """Whether its values lie between 0 and 1."""
        return self.range in ("0 or 1", "0 to 1")


class Use(NamedTuple):
    """A scorer in a spec: its label there, and its settings."""

    label: str
    scorer: Scorer
    settings: Any


class Registry(Mapping[str, Scorer]):
    """Scorers by name; a label with a colon is looked up by what stands before it."""

    def __init__(self, scorers: tuple[Scorer, ...]) -> None:
        self._scorers = {scorer.name: scorer for scorer in scorers}

    def __getitem__(self, label: str) -> Scorer:
        return self._scorers[label.partition(SEPARATOR)[0]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._scorers)

    def __len__(self) -> int:
        return len(self._scorers)

    def use(self, label: str, settings: Mapping[str, Any]) -> Use:
        """Raises `BadInput` for a scorer that doesn't exist and for settings that it doesn't have."""
        if label not in self:
            raise BadInput(source=f"scorer {label}", problem=f"not known. There are {', '.join(self)}.")
        scorer = self[label]
        given = dict(settings)
        if "entry" in scorer.settings.__struct_fields__:
            given.setdefault("entry", label.partition(SEPARATOR)[2])
        try:
            found = msgspec.convert(given, scorer.settings)
        except msgspec.ValidationError as error:
            raise BadInput(source=f"scorer {label}", problem=f"{error}.") from error
        return Use(label, scorer, found)


def normalised(text: str) -> str:
    """The form in which texts are compared: Unicode NFKC, case folded, white space folded, without citation marks and outer punctuation."""
    folded = unicodedata.normalize("NFKC", _MARK.sub("", text)).casefold()
    return _SPACE.sub(" ", folded).strip(_EDGE)


def comparable(text: str) -> str:
    """The same; of a text that is nothing but punctuation, that."""
    return normalised(text) or text.strip()


def unmarked(text: str) -> str:
    """The text without citation marks."""
    return _MARK.sub("", text).strip()


def references(sample: Sample) -> tuple[str, ...]:
    """All that is right: the target, the whole answer, and what else is as right."""
    return tuple(dict.fromkeys(text for text in (sample.target or "", sample.answer, *sample.targets) if text.strip()))


def yes_no(holds: bool, yes: str, no: str) -> Scored:
    return float(holds), holds, yes if holds else no


def graded(value: float, at_least: float, reason: str) -> Scored:
    return value, value >= at_least, reason


def always(_: Case) -> bool:
    return True


def answerable(case: Case) -> bool:
    return not case.sample.unanswerable


def referenced(case: Case) -> bool:
    return not case.sample.unanswerable and bool(references(case.sample))
