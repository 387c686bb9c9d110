"""`assay eval replay`: whether a run gives the same again."""

import click

from core.cli.session import Session, pass_session
from core.evals.replaying import Replay
from core.records import Json

MOST_NAMED = 20


@click.command()
@click.argument("name", metavar="RUN")
@pass_session
def replay(session: Session, name: str) -> None:
    """Make a reproducible run's answers again and compare them byte for byte. Exit code 1 when one differs; nothing is recorded."""
    with session.workbench() as bench:
        found = bench.evals.replay(name, session.output.job("Replaying"))
        session.output.result(_json(found), _lines(found))
    if found.different:
        raise SystemExit(1)


def _json(found: Replay) -> dict[str, Json]:
    return {
        "run": found.run,
        "compared": found.compared,
        "same": found.same,
        "different": [
            {"sample": d.sample, "variant": d.variant, "repetition": d.repetition, "fields": list(d.fields)}
            for d in found.different
        ],
        "reasons": list(found.reasons),
    }


def _lines(found: Replay) -> list[str]:
    lines = [f"{found.run}: {found.same} of {found.compared} outcomes are the same, byte for byte."]
    for one in found.different[:MOST_NAMED]:
        lines.append(f"  {one.sample}, {one.variant}: {', '.join(one.fields)}")
    if len(found.different) > MOST_NAMED:
        lines.append(f"  and {len(found.different) - MOST_NAMED} more")
    return [*lines, *(f"That may be because {reason}." for reason in found.reasons)]
