"""`assay model import`, `quantize` and `compare`: new model files, and what they lost."""

from pathlib import Path
from typing import Final

import click
import msgspec

from core.cli.naming import option
from core.cli.output import short
from core.cli.session import FILE, Session, pass_session
from core.errors import BadInput
from core.models.making import LONGEST_TEXT
from core.models.making_records import (
    CONVERTED_TYPES,
    QUANTIZATIONS,
    Compared,
    ImportModel,
    QuantizeModel,
)

NEW: Final = click.option("--out", type=FILE, help="The new file; beside the old one where it isn't given.")
NAME: Final = click.option("--name", help="How it is called in this vault; the new file's name where it isn't given.")


@click.command("import")
@click.argument("folder", metavar="DIR", type=FILE)
@click.option(
    "--type",
    "kind",
    type=click.Choice(CONVERTED_TYPES),
    default="bf16",
    show_default=True,
    help="What its matrices are stored as.",
)
@NEW
@NAME
@pass_session
def import_folder(session: Session, folder: Path, kind: str, out: Path | None, name: str | None) -> None:
    """Make a GGUF of a Hugging Face folder (safetensors), with its tokenizer and template, and register it."""
    with session.workbench() as bench:
        request = ImportModel(folder=str(folder), quantization=kind, out=None if out is None else str(out), name=name)
        with option("--out", field="step", says="another name"):
            made = bench.making.import_folder(request, session.output.job("Converting"))
        session.output.result(
            msgspec.to_builtins(made),
            [
                f"Registered {made.model.name}: {made.converted.architecture}, {made.model.quantization}, "
                f"{made.model.size / 1e6:,.0f} MB, digest {short(made.model.digest)}.",
                f"Its tokens are those of the folder's tokenizer on {made.converted.texts} texts.",
                *(f"Note: {note}." for note in made.converted.notes),
                made.model.path,
            ],
        )


@click.command()
@click.argument("model")
@click.argument("type", metavar="TYPE")
@NEW
@NAME
@click.option("--text", type=FILE, help="A text of yours: perplexity before and after, and how far predictions moved.")
@click.option(
    "--importance",
    type=FILE,
    help="A text of yours, from which it learns which numbers matter: nearer to the original, and types of one or two bits need it.",
)
@click.option("--again", is_flag=True, help="Also when the model is quantized already, which loses more.")
@click.option("--pure", is_flag=True, help="Every matrix alike; usually some are kept finer.")
@pass_session
def quantize(
    session: Session,
    model: str,
    type: str,
    out: Path | None,
    name: str | None,
    text: Path | None,
    importance: Path | None,
    again: bool,
    pure: bool,
) -> None:
    """Write a model anew with smaller numbers, and register it."""
    with session.workbench() as bench:
        request = QuantizeModel(
            model=model,
            quantization=type,
            out=None if out is None else str(out),
            name=name,
            again=again,
            pure=pure,
            text="" if text is None else _text(text),
            importance="" if importance is None else _text(importance),
        )
        with (
            option("--out", field="step", says="another name"),
            option("--again", field="problem", says="lose more"),
            option("--importance FILE", field="reason", says="learns which numbers matter"),
        ):
            made = bench.making.quantize(request, session.output.job("Quantizing"))
        session.output.result(
            msgspec.to_builtins(made),
            [
                f"Registered {made.model.name}: {made.model.quantization}, {made.model.size / 1e6:,.1f} MB "
                f"(before: {made.before / 1e6:,.1f} MB), digest {short(made.model.digest)}.",
                *([f"Which numbers matter was learnt from {made.learnt:,} tokens."] if made.learnt else []),
                *([] if made.compared is None else described(made.compared)),
                made.model.path,
            ],
        )


quantize.help = f"{quantize.help}\n\nTYPE is one of {', '.join(QUANTIZATIONS)}."


@click.command()
@click.argument("first")
@click.argument("second")
@click.option("--text", type=FILE, required=True, help="What both read.")
@pass_session
def compare(session: Session, first: str, second: str, text: Path) -> None:
    """How far a model's predictions are from another's with the same tokenizer, on a text."""
    with session.workbench() as bench:
        found = bench.making.compare(first, second, _text(text), session.output.job("Comparing"))
        session.output.result(msgspec.to_builtins(found), described(found))


def described(compared: Compared) -> list[str]:
    """What was lost, for people."""
    return [
        f"Perplexity {compared.first_perplexity:.4g} before, {compared.second_perplexity:.4g} after, over {compared.tokens} tokens.",
        f"Divergence {compared.divergence:.3g} nats a token (99 % below {compared.divergence_99:.3g}); "
        f"the likeliest token is the same for {compared.same_top:.1%}.",
    ]


def _text(path: Path) -> str:
    if path.stat().st_size > 4 * LONGEST_TEXT:
        raise BadInput(source=path.name, problem=f"it is longer than {LONGEST_TEXT:,} characters. Give a part of it.")
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        raise BadInput(source=path.name, problem="not UTF-8 text.") from None


COMMANDS: Final = (import_folder, quantize, compare)
