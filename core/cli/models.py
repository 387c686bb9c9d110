"""`assay model`: register model files and see what is known of them."""

from pathlib import Path

import click
import msgspec

from core.cli import model_cards, model_care, model_making, model_memory, model_signatures, model_use
from core.cli.output import short, table
from core.cli.session import FILE, Session, pass_session
from core.models.records import AddModel, ModelFile
from core.training import merged


@click.group()
def model() -> None:
    """Model files."""


model.add_command(model_use.tokens)
model.add_command(model_use.rerank)


for command in (
    *model_making.COMMANDS,
    *model_signatures.COMMANDS,
    *model_care.COMMANDS,
    *model_memory.COMMANDS,
    model_cards.card,
):
    model.add_command(command)


@model.command()
@click.argument("file", metavar="FILE", type=FILE)
@click.option("--name", help="How it is called in this vault; the file's name where it isn't given.")
@click.option("--signature", type=FILE, help="The signature on it, where that doesn't lie beside it.")
@click.option("--key", "pem", type=FILE, help="The key or root certificate (PEM) that must have signed it.")
@pass_session
def add(session: Session, file: Path, name: str | None, signature: Path | None, pem: Path | None) -> None:
    """Register a GGUF file by its digest, or all files of a model in several.

    A signature beside it (FILE.sig, or model.sig in its folder) is verified by --key, or by the keys that this vault trusts.
    """
    with session.workbench() as bench:
        request = AddModel(
            path=str(file),
            name=name,
            signature=None if signature is None else str(signature),
            key=None if pem is None else str(pem),
        )
        added = bench.models.add(request, session.output.job("Hashing"))
        session.output.result(
            msgspec.to_builtins(added),
            [
                f"Registered {added.name}: {added.architecture}, {added.quantization}, digest {short(added.digest)}.",
                *([signed_line(added)] if added.signature else []),
            ],
        )


@model.command("list")
@pass_session
def list_models(session: Session) -> None:
    """What is registered."""
    with session.workbench() as bench:
        known = bench.models.list()
        session.output.result(
            {"models": [msgspec.to_builtins(m) for m in known]},
            table(
                ("name", "for", "architecture", "quantization", "megabytes", "digest"),
                [
                    (m.name, m.purpose, m.architecture, m.quantization, f"{m.size / 1e6:.1f}", short(m.digest))
                    for m in known
                ],
            ),
        )


@model.command()
@click.argument("name")
@pass_session
def show(session: Session, name: str) -> None:
    """Everything that is known of one model."""
    with session.workbench() as bench:
        found = bench.models.show(name)
        source = merged.of_file(bench.vault, found.digest)
        content = {**msgspec.to_builtins(found), "merged": msgspec.to_builtins(source)}
        session.output.result(content, [*described(found), *merged.told(source)])


def signed_line(model: ModelFile) -> str:
    """What is known of the signature that lay beside a model."""
    if model.signature == "valid":
        return f"Signature: valid, by {model.signed_by}."
    return f"Signature: not verified, nobody here trusts its signer ({model.signed_by})."


def described(model: ModelFile) -> list[str]:
    """Everything known of a model, a line a fact; what its file doesn't say is left out."""
    facts = {
        "name": model.name,
        "title": model.title,
        "for": model.purpose,
        "architecture": model.architecture,
        "parameters": f"{model.parameters:,}",
        "size": f"{model.size:,} bytes",
        "quantization": model.quantization,
        "context": f"{model.context} tokens" if model.context else "",
        "dimensions": str(model.dimensions or ""),
        "chat template": "yes" if model.has_template else "no",
        "tokenizer": model.tokenizer,
        "licence": model.licence or "not said in the file",
        "base model": model.base_model,
        "importance learnt from": model.importance,
        "digest": model.digest,
        "path": model.path,
        "added": model.added,
    }
    lines = [f"{key}: {value}" for key, value in facts.items() if value]
    lines += [f"part: {part.name}, {part.size:,} bytes, digest {part.digest}" for part in model.parts]
    return [*lines, *([signed_line(model)] if model.signature else [])]
