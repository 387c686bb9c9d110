"""What an evaluation is told before it asks: which of its samples the adapters under test were trained on."""

from core.cli.session import Session
from core.errors import AssayError
from core.records import Json
from core.workbench import Workbench

SHOWN = 5
"""Samples that a warning names."""


def warned(session: Session, bench: Workbench, reference: str) -> list[Json]:
    """Say which samples an adapter learned, and what couldn't be compared; the samples as JSON. The evaluation runs whatever is found."""
    try:
        found, unknown = bench.evals.contamination(
            reference, session.output.quiet_job("Comparing with what adapters learned")
        )
    except AssayError:
        return []  # the run itself says what is missing
    by: dict[str, list[str]] = {}
    for one in found:
        by.setdefault(one.adapter, []).append(one.sample)
    for adapter, samples in by.items():
        named = ", ".join(samples[:SHOWN]) + (" …" if len(samples) > SHOWN else "")
        session.output.say(
            f"{adapter} was trained on {len(samples)} of the samples ({named}): its results on them mean nothing."
        )
    for file in unknown:
        session.output.say(f"{file} isn't kept in the vault, so it can't be compared with the samples.")
    return [{"sample": c.sample, "adapter": c.adapter, "dataset": c.dataset, "of": c.of, "how": c.how} for c in found]
