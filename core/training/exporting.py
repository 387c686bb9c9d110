"""An adapter's files outside the vault: PEFT's two, the GGUF, and a model card that says what it was made from."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from core.errors import AlreadyExists, BadInput, NotFound
from core.training.canaries import WARNING
from core.training.records import TrainingResult, TrainingView

NAMES: Final = (
    ("weights", "adapter_model.safetensors"),
    ("config", "adapter_config.json"),
    ("gguf", "adapter.gguf"),
)
OF_A_MODEL: Final = (("weights", "model.safetensors"), ("config", "config.json"))


def files(result: TrainingResult, full: bool = False) -> Iterator[tuple[str, str]]:
    """(file name, digest of its content) of what the result has; `full` where all weights were trained."""
    for field, name in OF_A_MODEL if full else NAMES:
        if found := getattr(result, field):
            yield name, str(found)


def new_folder(folder: Path) -> Path:
    """The folder, which isn't there yet. Raises `AlreadyExists`, `NotFound` (its parent)."""
    folder = folder.expanduser().absolute()
    if folder.exists():
        raise AlreadyExists(kind="folder", name=str(folder), step="Choose another name.")
    if not folder.parent.is_dir():
        raise NotFound(kind="folder", name=str(folder.parent), step="Make it first, or choose another place.")
    return folder


def new_file(path: Path, there: bool = False) -> Path:
    """The model file, which isn't there yet, or may be with `there`. Raises `BadInput`, `NotFound` (its folder), `AlreadyExists`."""
    out = path.expanduser().absolute()
    if out.suffix != ".gguf":
        raise BadInput(source=out.name, problem="name the new file with .gguf at its end.")
    if not out.parent.is_dir():
        raise NotFound(kind="folder", name=str(out.parent), step="Make it first, or choose another place.")
    if out.exists() and not there:
        raise AlreadyExists(kind="file", name=str(out), step="Choose another name.")
    return out


def card(view: TrainingView) -> bytes:
    """The model card, in Markdown. Sources are named by their digests, never by what they hold."""
    run, result = view.run, view.result
    assert result is not None
    full = run.settings.method == "full"
    lines = [
        "---",
        f"library_name: {'transformers' if full else 'peft'}",
        f"base_model: {run.base}",
        f"tags: [{'fine-tuned' if full else 'lora'}]",
        "---",
        "",
        f"# {run.name}",
        "",
        f"{'All weights of' if full else 'A LoRA adapter for'} the model `{run.base}` (SHA-256 `{run.base_digest}`), trained with Assay ({run.id}).",
        "",
        f"- Steps: {result.step}, {result.tokens:,} tokens, {run.examples} examples, {len(run.left_out)} left out",
        f"- Settings: rank {run.settings.rank}, alpha {run.settings.alpha:g}, learning rate {run.settings.learning_rate:g},"
        f" seed {run.settings.seed}",
        *(f"- Data: `{source.digest}` ({source.form}, {source.examples} examples)" for source in run.sources),
        *(f"- {name} {version}" for name, version in sorted(run.versions.items())),
    ]
    if result.curve:
        lines.append(f"- Loss: {result.curve[0].loss:.4f} at the first step, {result.curve[-1].loss:.4f} at the last")
    if result.measured:
        lines.append(f"- Loss on held-out examples: {min(one.loss for one in result.measured):.4f}")
    if result.memorised is not None and result.memorised.canaries:
        lines += ["", f"**{WARNING}**"]
    if view.compared is not None:
        lines += ["", "| measure | base | adapter | difference (95 %) | worse |", "|---|---|---|---|---|"]
        lines += [
            f"| {one.measure} | {one.base:.3f} | {one.adapter:.3f} | {one.difference:+.3f}"
            f" ({one.low:+.3f} to {one.high:+.3f}) | {len(one.worse)} of {one.n} |"
            for one in view.compared.rated
        ]
    return ("\n".join(lines) + "\n").encode()
