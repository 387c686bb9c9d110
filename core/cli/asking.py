"""What a question is asked with beside its words: adapters, pictures, and how much of the model a graphics card computes."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from core.assistants.records import QUOTES, Question
from core.cli.model_memory import GPU_LAYERS
from core.cli.session import FILE
from core.errors import BadInput
from core.inference.pictures import LARGEST, MOST
from core.inference.records import AdapterUse
from core.workbench import Workbench

ADAPTERS = click.option(
    "--adapter", "adapters", multiple=True, metavar="NAME[:SCALE]", help="An adapter of the model, at this scale or 1."
)
BESIDE = ("pictures", "gpu_layers", "values", "out")
"""What a saved assistant doesn't say of itself."""


def asking_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `adapters`, `pictures`, `values` and `gpu_layers`."""
    values = click.option(
        "--value",
        "values",
        multiple=True,
        metavar="NAME=VALUE",
        help="What a variable of the prompt version is filled with; give it again for more.",
    )
    pictures = click.option(
        "--picture",
        "pictures",
        multiple=True,
        type=FILE,
        metavar="FILE",
        help=f"A picture that the model sees before the question; up to {MOST}. Pictures need no collection.",
    )
    return ADAPTERS(pictures(values(GPU_LAYERS(command))))


def values_of(said: Sequence[str]) -> dict[str, str]:
    """What was written as NAME=VALUE, by name. Raises `BadInput` for what isn't, and for a name that is given twice."""
    found: dict[str, str] = {}
    for one in said:
        name, equals, value = one.partition("=")
        if not equals or not name.strip():
            raise BadInput(source="--value", problem="write a value as NAME=VALUE.")
        if name.strip() in found:
            raise BadInput(source="--value", problem=f"{name.strip()} is given twice. Give each variable one value.")
        found[name.strip()] = value
    return found


def adapter_uses(said: Sequence[str]) -> tuple[AdapterUse, ...]:
    """What was written as NAME or NAME:SCALE. Raises `BadInput` for a scale that is no number."""
    return tuple(map(_adapter, said))


def _adapter(said: str) -> AdapterUse:
    name, colon, scale = said.partition(":")
    try:
        return AdapterUse(model=name, scale=float(scale)) if colon else AdapterUse(model=name)
    except ValueError:
        raise BadInput(source=said, problem="an adapter's scale is a number, such as NAME:0.5. Correct it.") from None


def read_pictures(files: Sequence[Path]) -> tuple[bytes, ...]:
    """The files' bytes, of each no more than tells that it is too large. Raises `BadInput` for one that can't be read."""
    found = []
    for file in files[: MOST + 1]:
        try:
            with file.open("rb") as opened:
                found.append(opened.read(LARGEST + 1))
        except OSError as error:
            raise BadInput(source=file.name, problem="this picture can't be read. Check the file.") from error
    return tuple(found)


def choose_layers(bench: Workbench, question: Question, layers: int | None) -> None:
    """Let a graphics card take so many layers of the model that answers; None leaves it as it is set. Raises as `Engine.choose_layers`."""
    if layers is None:
        return
    if question.model == QUOTES:
        raise click.UsageError("--gpu-layers needs a chat model: give --model too. Quotes uses none.")
    bench.engine.choose_layers(question.model, layers)
