"""Where a run's adapters come from, and what the vault keeps of its models: the records in a pack that say so, and whether they fit the run.

The rules, which both verifiers check:

1. Every adapter that a variant names is in the pack: as a model's record, or as the result of a training in the vault. It was made for the
   model that the variant uses it with.
2. Every training in the pack has one run and one finished result, and its adapter is one that the run used. What compared an adapter with
   its base names a training in the pack; a dataset that goes with a training is one of its sources, and not the run's own.
3. Every card is about the file of a model or an adapter in the pack, no two about the same.
4. What is said of models that are merges fits the models and trainings (`merges`).

A training may have sources that aren't in the pack: files, and datasets that were too large or are no longer there. Their digests are.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from core.errors import Damaged
from core.evidence import merges
from core.evidence.opened import Opened, Row
from core.records import Digest

SOURCE = "origins"
Rows = Mapping[str, tuple[Row, ...]]


class Training(NamedTuple):
    """A training in the vault: its run, its result with the adapter, and what base and adapter were found to do, if they were compared."""

    run: Row
    result: Row
    comparison: Row | None

    @property
    def adapter(self) -> str:
        """The digest of the adapter's file."""
        return str(self.result.record.get("gguf"))

    @property
    def sources(self) -> list[Any]:
        """What it learned from, each with its `reference`, `digest`, `form` and `examples`."""
        found: Any = self.run.record.get("sources")
        return found or []


def trainings(rows: Rows) -> tuple[Training, ...]:
    """The trainings of a pack, in order of their results."""
    runs = {str(row.digest): row for row in rows["training-run"]}
    compared = {str(row.record.get("run")): row for row in rows["adapter-comparison"]}
    return tuple(
        Training(run, result, compared.get(str(run.record.get("id"))))
        for result in rows["training-result"]
        if (run := runs.get(str(result.record.get("run")))) is not None
    )


def dataset_of(source: Any, rows: Rows) -> Row | None:
    """The record of the dataset that a source is; None for a file, and for a dataset that isn't in the pack."""
    every = (*rows["training-data"], *rows["dataset"])
    return next((row for row in every if row.digest == source.get("digest")), None)


def card_of(rows: Rows, model: str) -> Row | None:
    """The card that the vault keeps about that file."""
    return next((row for row in rows["model-card"] if row.record.get("model") == model), None)


def merge_of(rows: Rows, model: str) -> Row | None:
    """What the vault keeps of where that file is from; None where it is no merge."""
    return next((row for row in rows.get(merges.KIND, ()) if row.record.get("digest") == model), None)


def uses(variant: Any) -> list[tuple[str, float]]:
    """The adapters of a variant: the digest and the scale of each."""
    settings = variant.get("settings") or {}
    return [(str(use.get("model")), float(use.get("scale", 1.0))) for use in settings.get("adapters") or []]


class _Use(msgspec.Struct, frozen=True):
    model: str


class _Settings(msgspec.Struct, frozen=True):
    adapters: tuple[_Use, ...] = ()


class _Variant(msgspec.Struct, frozen=True):
    name: str
    model_digest: str = ""
    settings: _Settings | None = None


class _Run(msgspec.Struct, frozen=True):
    variants: tuple[_Variant, ...]


class _Source(msgspec.Struct, frozen=True):
    digest: str


class _TrainingRun(msgspec.Struct, frozen=True):
    id: str
    base_digest: str
    sources: tuple[_Source, ...]
    user: str


class _TrainingResult(msgspec.Struct, frozen=True):
    run: str
    status: str
    gguf: str


class _Compared(msgspec.Struct, frozen=True):
    run: str


class _Card(msgspec.Struct, frozen=True):
    model: str


def check(pack: Opened) -> int:
    """How many adapters were trained in the vault, if everything fits. Raises `Damaged` naming the first thing that doesn't."""
    rows = pack.rows
    variants: tuple[_Variant, ...] = _as(pack.one("run"), _Run, "run").variants
    runs: dict[Digest, _TrainingRun] = {row.digest: _as(row, _TrainingRun, "training") for row in rows["training-run"]}
    results: list[_TrainingResult] = [_as(row, _TrainingResult, "result") for row in rows["training-result"]]
    _require(
        sorted(result.run for result in results) == sorted(runs) and all(r.status == "finished" for r in results),
        "a training has no finished result, or several.",
    )
    bases = {result.gguf: runs[Digest(result.run)].base_digest for result in results}
    files = {str(row.record.get("digest")): row.record.get("base_digest") for row in rows["model"]}
    used = [(use.model, variant) for variant in variants if variant.settings for use in variant.settings.adapters]
    for adapter, variant in used:
        _require(adapter in bases or adapter in files, f"an adapter of {variant.name} isn't in the pack.")
        _require(
            bases.get(adapter, variant.model_digest) == variant.model_digest
            and files.get(adapter) in (None, "", variant.model_digest),
            f"{variant.name} uses an adapter that was made for another model.",
        )
    _require(
        len(bases) == len(results) and bases.keys() <= {adapter for adapter, _ in used}, "a training isn't the run's."
    )
    compared = [_as(row, _Compared, "comparison").run for row in rows["adapter-comparison"]]
    names = [run.id for run in runs.values()]
    _require(len({*names}) == len(names) and {*compared} <= {*names}, "an adapter was compared that isn't in the pack.")
    _require(len({*compared}) == len(compared), "an adapter was compared twice.")
    sources = {source.digest for run in runs.values() for source in run.sources} - {pack.one("dataset").digest}
    _require({row.digest for row in rows["training-data"]} <= sources, "a dataset is of no training.")
    cards = [_as(row, _Card, "model card").model for row in rows["model-card"]]
    merges.check(
        [row.record for row in rows.get(merges.KIND, ())],
        [row.record for row in rows["model"]],
        {row.digest: row.record for row in rows["training-result"]},
        {row.digest: row.record for row in rows["training-run"]},
    )
    _require(
        len({*cards}) == len(cards) and {*cards} <= files.keys() | bases.keys(),
        "a card is about no model of the run, or two are about one.",
    )
    return len(results)


def missing(rows: Rows) -> int:
    """How many sources of trainings aren't in the pack."""
    return sum(dataset_of(source, rows) is None for training in trainings(rows) for source in training.sources)


def _as(row: Row, type: Any, name: str) -> Any:
    try:
        return msgspec.convert(row.record, type)
    except msgspec.ValidationError as error:
        raise Damaged(source=f"{name} {row.digest[:8]}", problem=f"not of the form expected ({error}).") from error


def _require(holds: bool, problem: str) -> None:
    if not holds:
        raise Damaged(source=SOURCE, problem=problem)
