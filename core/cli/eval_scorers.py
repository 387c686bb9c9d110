"""`assay eval scorers` and `assay eval suite`: what can be measured, and standard suites as files that the other commands take."""

from collections.abc import Mapping
from pathlib import Path

import click
import msgspec
import yaml

from core.cli.output import table
from core.cli.session import FILE, Session, pass_session
from core.datasets.files import write_samples
from core.evals.scorers import SCORERS
from core.evals.scoring.plugins import plugins
from core.evals.suites import SUITES, read_suite
from core.paths import write_whole
from core.records import Json


@click.command()
@click.argument("name", required=False, type=click.Choice(list(SCORERS)), metavar="[NAME]")
@pass_session
def scorers(session: Session, name: str | None) -> None:
    """What each scorer measures, its range, its limits, its source and its settings. Needs no vault."""
    chosen = [SCORERS[name]] if name else list(SCORERS.values())
    content: list[Json] = []
    lines: list[str] = []
    for scorer in chosen:
        settings = _settings(scorer.settings)
        content.append(
            {
                "name": scorer.name,
                "measures": scorer.measures,
                "range": scorer.range,
                "limits": scorer.limits,
                "source": scorer.source,
                "interval": scorer.method,
                "settings": dict(settings),
            }
        )
        lines += [scorer.name, f"  {scorer.measures}", f"  Range: {scorer.range}.", f"  Limits: {scorer.limits}"]
        lines.append(f"  Source: {scorer.source.rstrip('.')}.")
        if settings:
            lines.append(f"  Settings: {', '.join(f'{key} ({value})' for key, value in settings)}.")
        lines.append("")
    installed = plugins() if name in (None, "plugin") else ()
    if installed:
        lines += table(("plugin", "from"), [(f"plugin:{one.name}", one.distribution) for one in installed])
    found: list[Json] = [{"name": f"plugin:{one.name}", "distribution": one.distribution} for one in installed]
    session.output.result({"scorers": content, "plugins": found}, lines)


@click.command()
@click.argument("name", type=click.Choice(list(SUITES)))
@click.argument("file", metavar="FILE", type=FILE)
@click.argument("folder", metavar="FOLDER", type=FILE)
@click.option("--model", required=True, help="The model that the spec asks.")
@pass_session
def suite(session: Session, name: str, file: Path, folder: Path, model: str) -> None:
    """Turn a suite's published file into a dataset, a prompt and a spec in FOLDER. Needs no vault."""
    made = SUITES[name]
    samples = read_suite(made, file)
    folder.mkdir(parents=True, exist_ok=True)
    messages = [{"role": message.role, "content": message.content} for message in made.prompt]
    spec = {
        "name": name,
        "dataset": name,
        "prompts": [f"{name}@1"],
        "models": [model],
        "scorers": list(made.scorers),
        "max_tokens": made.max_tokens,
    }
    files = {
        f"{name}.jsonl": write_samples(samples, ".jsonl"),
        f"{name}-prompt.yaml": _yaml({"name": name, "notes": f"{made.title} {made.source}", "messages": messages}),
        f"{name}.yaml": _yaml(spec),
    }
    for file_name, data in files.items():
        write_whole(folder / file_name, data)
    session.output.result(
        {"samples": len(samples), "files": list(files)},
        [
            f"{made.title} {made.source}",
            f"{len(samples):,} samples, written to {folder.name}: {', '.join(files)}.",
            f"Next: `assay dataset add {name} {name}.jsonl`, `assay prompt save {name} --file {name}-prompt.yaml`, "
            f"`assay eval run {name}.yaml`.",
        ],
    )


def _settings(of: type[msgspec.Struct]) -> list[tuple[str, str]]:
    """(name, default) of each setting."""
    found = []
    for field in msgspec.structs.fields(of):
        if field.name == "version":
            continue
        needed = field.default is msgspec.NODEFAULT and field.default_factory is msgspec.NODEFAULT
        default = "none" if field.default in (None, "", ()) else str(field.default)
        if field.default is msgspec.NODEFAULT:
            default = "needed" if needed else "none"
        found.append((field.name, default))
    return found


def _yaml(content: Mapping[str, object]) -> bytes:
    text: str = yaml.safe_dump(dict(content), allow_unicode=True, sort_keys=False, width=100)
    return text.encode()
