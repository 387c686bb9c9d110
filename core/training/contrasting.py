"""Runs beside each other: the settings in which they differ, and what each reached. Pure."""

from collections.abc import Sequence

import msgspec

from core.records import Record
from core.training.records import TrainingView


class Reached(Record, frozen=True, kw_only=True):
    """What a run reached. `settings`: its values of those that differ, in their order; `measures`: of base, adapter and their difference, by name;
    `evaluation`: the run of the evaluation spec, which the comparison of evaluations takes."""

    run: str
    name: str
    status: str
    settings: tuple[str, ...]
    steps: int
    loss: float | None
    held_out: float | None
    seconds: float
    measures: dict[str, tuple[float, float, float]]
    evaluation: str
    gate: bool | None
    copied: float | None
    """Share of examples that come out word for word."""


class Contrasted(Record, frozen=True, kw_only=True):
    """Runs in the order they were given, with the names of the settings that differ."""

    settings: tuple[str, ...] = ()
    runs: tuple[Reached, ...] = ()
    best: str = ""
    """The run with the least loss on held-out examples, where all kept the same share back."""


def contrast(views: Sequence[TrainingView]) -> Contrasted:
    """The runs beside each other."""
    if not views:
        return Contrasted()
    told = [msgspec.to_builtins(view.run.settings) for view in views]
    differing = tuple(name for name in told[0] if len({str(one.get(name)) for one in told}) > 1)
    runs = tuple(
        _reached(view, tuple(_word(one.get(name)) for name in differing)) for view, one in zip(views, told, strict=True)
    )
    fair = not {"held_out", "seed", "objective", "longest"} & set(differing)
    fair = fair and len({str(view.run.sources) for view in views}) == 1
    held = [(one.held_out, one.run) for one in runs if one.held_out is not None]
    return Contrasted(settings=differing, runs=runs, best=min(held)[1] if fair and len(held) > 1 else "")


def _reached(view: TrainingView, settings: tuple[str, ...]) -> Reached:
    result = view.result
    measures: dict[str, tuple[float, float, float]] = {}
    if view.compared is not None:
        measures |= {one.measure: (one.base, one.adapter, one.difference) for one in view.compared.rated}
    if view.proved is not None:
        measures |= {one.scorer: (one.base, one.adapter, one.difference) for one in view.proved.rows if not one.tag}
    learned = [
        one
        for one in (result.memorised.verbatim if result is not None and result.memorised is not None else ())
        if (one.of, one.model) == ("learned", "adapter")
    ]
    return Reached(
        run=view.run.id,
        name=view.run.name,
        status=view.status,
        settings=settings,
        steps=result.step if result is not None else view.checkpoint,
        loss=result.curve[-1].loss if result is not None and result.curve else None,
        held_out=min((one.loss for one in result.measured), default=None) if result is not None else None,
        seconds=result.seconds if result is not None else 0.0,
        measures=measures,
        evaluation=view.proved.evaluation if view.proved is not None else "",
        gate=view.proved.passed if view.proved is not None and view.proved.gate else None,
        copied=learned[0].share if learned else None,
    )


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value in ([], ()):
        return "all"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
