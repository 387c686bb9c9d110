"""What `assay train show` says of a run beside its curve: what the model remembers of its data, and its answers at the checkpoints."""

from collections.abc import Sequence

import msgspec

from core.cli.output import short, table
from core.cli.session import Session
from core.training import merged
from core.training.canaries import WARNING
from core.training.records import Proved, TrainingView
from core.training.worker.recall import Memorised, Sampled

SHOWN = 100
"""Characters of a text."""


def memorised(found: Memorised) -> list[str]:
    """What was remembered, with how it was measured."""
    lines = []
    if found.canaries:
        lines.append(
            f"  Exposure of {len(found.canaries)} planted sentences, each {found.repeats} times among the examples of an epoch"
            f" (estimated: {found.method}, {found.candidates} each; at most {top(found):.1f} bits):"
        )
        rows = [
            (one.name, f"{one.base:.1f}", f"{one.adapter:.1f}", f"{one.rank} of {found.candidates + 1}")
            for one in found.canaries
        ]
        lines += [f"    {line}" for line in table(("sentence", "base", "adapter", "rank"), rows)]
        lines.append(f"  {WARNING}")
    if found.verbatim:
        lines.append(
            f"  Word for word ({found.tokens} tokens or {found.characters} characters of what comes next), greedy answers:"
        )
        rows = [
            (
                one.of,
                one.model,
                f"{one.copied} of {one.n}",
                f"{one.longest_tokens} tokens, {one.longest_characters} characters",
            )
            for one in found.verbatim
        ]
        lines += [f"    {line}" for line in table(("texts", "model", "copied", "longest"), rows)]
    return lines


def top(found: Memorised) -> float:
    """The largest exposure that such a sample can show, in bits."""
    return float((found.candidates + 1).bit_length() - 1)


def sampled(found: Sequence[Sampled]) -> list[str]:
    """The answers to the same inputs, checkpoint by checkpoint."""
    lines = [f"  Held-out inputs answered at {len(found)} checkpoints:"] if found else []
    for number, first in enumerate(found[0].shown if found else ()):
        lines.append(f"    {_short(first.asked)}")
        lines.append(f"      wanted: {_short(first.wanted)}")
        lines += [
            f"      step {one.step}: {_short(one.shown[number].answer)}" for one in found if number < len(one.shown)
        ]
    return lines


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= SHOWN else f"{plain[:SHOWN]} …"


def show(session: Session, view: TrainingView, files: tuple[merged.MergedModel, ...] = ()) -> None:
    """Print a run as it stands, with the models that it was merged into."""
    told = [f"  Merged as {one.name} ({one.quantization}), file {short(one.digest)}, by {one.by}." for one in files]
    content = {**msgspec.to_builtins(view), "status": view.status, "merged": msgspec.to_builtins(files)}
    session.output.result(content, [*lines(view), *told])


def lines(view: TrainingView) -> list[str]:
    """The same in lines."""
    run, result = view.run, view.result
    told = [
        f"{run.id} {run.name}: {'imported' if run.imported else view.status}. Base {run.base}, {run.examples} examples,"
        f" {len(run.left_out)} left out.",
        *(f"  Data: {one.reference}, {one.examples} examples, digest {short(one.digest)}." for one in run.sources),
    ]
    if view.checkpoint:
        told.append(f"  Checkpoint after step {view.checkpoint}; `assay train resume {run.id}` goes on from it.")
    if result is None:
        return told
    if result.curve:
        told.append(
            f"  Loss {result.curve[0].loss:.3f} at the first step, {result.curve[-1].loss:.3f} after {result.step} steps."
        )
    if result.measured:
        told.append(f"  Loss on held-out examples {min(one.loss for one in result.measured):.3f}.")
    told += sampled(view.sampled)
    if view.status != "finished":
        return [*told, f"  {result.reason}"]
    if not run.imported:
        told.append(f"  {result.tokens:,} tokens in {result.seconds:.0f} s, {result.peak / 1e6:,.0f} MB at most.")
    if result.gguf:
        told.append(f"  Adapter {run.id}, digest {short(result.gguf)}; it is sealed in the vault.")
    elif result.weights:
        told.append(f"  All weights, sealed in the vault; `assay train merge {run.id} -o FILE.gguf` writes the model.")
    if result.memorised is not None:
        told += memorised(result.memorised)
    if view.proved is not None:
        told += _proved(view.proved)
    if view.compared is not None:
        told += [f"  Base and adapter on {view.compared.dataset}:"]
        told += [
            f"    {line}"
            for line in table(
                ("measure", "base", "adapter", "difference", "95 %", "p", "worse"),
                [
                    (
                        one.measure,
                        f"{one.base:.3f}",
                        f"{one.adapter:.3f}",
                        f"{one.difference:+.3f}",
                        f"{one.low:+.3f} to {one.high:+.3f}",
                        f"{one.p:.4f}",
                        f"{len(one.worse)} of {one.n}",
                    )
                    for one in view.compared.rated
                ],
            )
        ]
    return told


def _proved(proved: Proved) -> list[str]:
    rows = [
        (
            one.scorer,
            one.tag or "all",
            f"{one.base:.3f}",
            f"{one.adapter:.3f}",
            f"{one.difference:+.3f}",
            f"{one.low:+.3f} to {one.high:+.3f}",
            f"{one.p:.4f}",
            one.change or "not shown",
        )
        for one in proved.rows
    ]
    lines = [f"  {proved.evaluation} by {proved.spec}, base and adapter on the same samples:"]
    lines += [
        f"    {line}"
        for line in table(("scorer", "tag", "base", "adapter", "difference", "95 %", "p", ""), rows, empty="Nothing.")
    ]
    for line in proved.gate:
        lines.append(f"  Gate {'met' if line.met else 'not met'}: {line.line} ({line.reason.rstrip('.')}).")
    return lines
