"""`assay model plan`: the memory that a model would take, before it is loaded."""

from typing import Final

import click
import msgspec

from core.cli.output import table
from core.cli.session import Session, pass_session
from core.inference.offloading import CHOSEN
from core.inference.planning import SHORTEST, MemoryPlan
from core.inference.pool import UNKNOWN
from core.inference.records import MODES

GPU_LAYERS: Final = click.option(
    "--gpu-layers",
    metavar="N",
    type=click.IntRange(min=CHOSEN, max=2**16 - 1),
    help="Layers that a graphics card takes: 0 for none, -1 for as many as fit. As set where it isn't given.",
)


@click.command()
@click.argument("name")
@click.option("--context", default=0, metavar="TOKENS", type=click.IntRange(min=0), help="Of a context so long.")
@click.option("--mode", type=click.Choice(MODES), default="fast", show_default=True, help="For answers in this mode.")
@GPU_LAYERS
@pass_session
def plan(session: Session, name: str, context: int, mode: str, gpu_layers: int | None) -> None:
    """Say what memory a model takes at most, once its context and what is kept beside it are full, and whether that fits. Nothing is loaded."""
    with session.workbench() as bench:
        made = bench.engine.plan(name, context, session.output.quiet_job("Plan"), mode, gpu_layers)
        content = msgspec.to_builtins(made) | {"budget": None if made.budget >= UNKNOWN // 2 else made.budget}
        session.output.result({"model": name, "mode": mode} | content, _lines(made))


def _lines(made: MemoryPlan) -> list[str]:
    parts = (
        ("weights", made.weights, made.device_weights),
        ("keys and values", made.cache, made.device_cache),
        ("buffers", made.buffers, made.device_buffers),
        ("the process", made.process, 0),
        ("together, at most", made.total, made.device_total),
    )
    heads = ("", "MiB") if not made.gpu_layers else ("", "MiB", "MiB on the card")
    lines = table(heads, [(name, *map(_mib, sizes[: len(heads) - 1])) for name, *sizes in parts])
    if made.gpu_layers:
        lines.append(f"{made.gpu_layers} of {made.layers} layers on {made.device}, {_mib(made.device_free)} MiB free.")
    else:
        lines.append(f"The processor computes all layers{f': {made.without_card}' if made.without_card else ''}.")
    if made.fits:
        return [*lines, f"It fits, with a context of {made.context} tokens."]
    short = f"It doesn't fit: models may take {_mib(made.budget)} MiB."
    if made.suggestion:
        return [*lines, f"{short} A context of {made.suggestion} tokens would."]
    return [*lines, f"{short} No context of {SHORTEST} tokens or more does."]


def _mib(size: int) -> str:
    return f"{size / 2**20:,.0f}"


COMMANDS: Final = (plan,)
