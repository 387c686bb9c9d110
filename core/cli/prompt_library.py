"""`assay prompt library`: the prompts that ship with the program, put into a vault and measured."""

from pathlib import Path

import click

from core.cli.output import table
from core.cli.session import FILE, Session, pass_session
from core.evals import library as shipped
from core.evals.library import Added, Entry
from core.evals.records import RunView
from core.paths import write_whole
from core.records import Json


@click.command()
@click.argument("names", metavar="[NAME]…", nargs=-1)
@click.option("--add", "wanted", flag_value="add", help="Put them, or all, into the vault, with their datasets.")
@click.option("--measure", "wanted", flag_value="measure", help="Add them and run their evaluations.")
@click.option("--model", default="starter-chat", show_default=True, help="With --measure: what answers.")
@click.option("--page", type=FILE, help="With --measure: write the figures as Markdown to this file.")
@pass_session
def library(session: Session, names: tuple[str, ...], wanted: str | None, model: str, page: Path | None) -> None:
    """The prompts that ship with the program: each has a small invented dataset and an evaluation."""
    with session.workbench() as bench:
        services = (bench.prompts, bench.datasets, bench.evals)
        chosen = names or shipped.names()
        job = session.output.quiet_job("Library")
        if wanted == "add":
            found = shipped.add(*services, chosen, job)
            session.output.result(
                {"added": [_added_json(added) for added in found]},
                [
                    f"{'Added' if added.created else 'Unchanged:'} {added.prompt}, with {added.dataset} and {added.spec}."
                    for added in found
                ],
            )
        elif wanted == "measure":
            runs = shipped.measure(*services, chosen, model, job)
            if page is not None:
                write_whole(page, shipped.results_page(model, runs).encode())
            session.output.result(
                {"model": model, "runs": [_run_json(added, view) for added, view in runs]},
                [line for added, view in runs for line in run_lines(added, view)],
            )
        else:
            entries = [entry for entry in shipped.entries(bench.prompts) if entry.name in chosen]
            _print(session, entries, chosen)


def _print(session: Session, entries: list[Entry], chosen: tuple[str, ...]) -> None:
    for name in chosen:
        shipped.folder_of(name)
    session.output.result(
        {"library": [_entry_json(entry) for entry in entries]},
        table(
            ("prompt", "what it is", "samples", "in this vault"),
            [(entry.name, entry.prompt.notes, str(entry.samples), entry.added) for entry in entries],
            empty="There is nothing in the library.",
        ),
    )


def run_lines(added: Added, view: RunView) -> list[str]:
    """One run's figures, a line each."""
    lines = [f"{added.prompt}, {view.run.samples} samples, {view.run.id}"]
    if view.result is None:
        return lines
    (variant,) = view.result.variants
    lines += [f"  {m.scorer:<12} {m.value:6.2f}  ({m.low:.2f} to {m.high:.2f}, n {m.n})" for m in variant.metrics]
    if variant.errors:
        lines.append(f"  {variant.errors} ended in an error")
    return lines


def _run_json(added: Added, view: RunView) -> dict[str, Json]:
    variant = view.result.variants[0] if view.result is not None else None
    metrics = variant.metrics if variant is not None else ()
    return {
        **_added_json(added),
        "run": view.run.id,
        "samples": view.run.samples,
        "errors": variant.errors if variant is not None else 0,
        "metrics": {m.scorer: {"value": m.value, "low": m.low, "high": m.high, "n": m.n} for m in metrics},
    }


def _added_json(added: Added) -> dict[str, Json]:
    return {
        "name": added.name,
        "prompt": added.prompt,
        "dataset": added.dataset,
        "spec": added.spec,
        "created": added.created,
    }


def _entry_json(entry: Entry) -> dict[str, Json]:
    return {
        "name": entry.name,
        "notes": entry.prompt.notes,
        "dataset": entry.dataset,
        "samples": entry.samples,
        "scorers": list(entry.scorers),
        "added": entry.added,
    }
