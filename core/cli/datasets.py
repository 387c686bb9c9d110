"""`assay dataset`: samples in and out, their versions, parts, and what is wrong with them."""

from collections.abc import Callable
from pathlib import Path

import click

from core.cli.dataset_drafts import ADDED
from core.cli.output import one_line, short, table
from core.cli.session import FILE, Session, pass_session
from core.datasets.files import ReadFile
from core.datasets.records import AddDataset, Sample, SavedDataset, SplitDataset, Splitting
from core.datasets.screening import Screening
from core.datasets.splitting import counts
from core.datasets.worker.records import FORMS
from core.datasets.writing import CONVERSATIONS
from core.errors import BadInput
from core.records import Json

SHOWN = 3
"""Samples that a preview shows."""


@click.group()
def dataset() -> None:
    """Datasets of questions with their answers."""


for _command in ADDED:
    dataset.add_command(_command)


def _reading(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say how a file is read."""
    command = click.option(
        "--form", type=click.Choice(FORMS), default=None, help="How rows are written; told by the content without it."
    )(command)
    return click.option(
        "--column",
        "columns",
        multiple=True,
        metavar="NAME=FIELD",
        help="Which column is which field of a sample (input, target, answer …); FIELD - leaves it out.",
    )(command)


@dataset.command()
@click.argument("name")
@click.argument("file", metavar="FILE", type=FILE)
@_reading
@click.option("--leave-out", is_flag=True, help="Leave out rows that can't be read, instead of storing nothing.")
@pass_session
def add(session: Session, name: str, file: Path, form: str | None, columns: tuple[str, ...], leave_out: bool) -> None:
    """Read samples from CSV, Excel, JSON or JSON Lines (also chat, ShareGPT, Alpaca) into a new version."""
    request = AddDataset(name=name, path=str(file), form=form or "", columns=_columns(columns), leave_out=leave_out)
    with session.workbench() as bench:
        saved = bench.datasets.add(request, session.output.job("Reading"))
        session.output.result(_saved_json(saved), [_saved_line(saved)])


@dataset.command()
@click.argument("file", metavar="FILE", type=FILE)
@_reading
@pass_session
def preview(session: Session, file: Path, form: str | None, columns: tuple[str, ...]) -> None:
    """What a file holds and what is wrong with it, line by line; nothing is stored. Exit code 1 when a row can't be read."""
    request = AddDataset(name="preview", path=str(file), form=form or "", columns=_columns(columns))
    with session.workbench() as bench:
        found = bench.datasets.preview(request, session.output.job("Reading"))
        session.output.result(_preview_json(found), _preview_lines(found))
    if found.wrong or not found.samples:
        raise SystemExit(1)


@dataset.command("list")
@pass_session
def list_datasets(session: Session) -> None:
    """The latest version of each dataset."""
    with session.workbench() as bench:
        known = bench.datasets.list()
        session.output.result(
            {"datasets": [{"dataset": d.reference, "samples": len(d.samples), "saved": d.saved} for d in known]},
            table(
                ("dataset", "samples", "saved"),
                [(d.reference, str(len(d.samples)), d.saved) for d in known],
                empty="There are no datasets. `assay dataset add NAME FILE` makes one.",
            ),
        )


@dataset.command()
@click.argument("reference", metavar="NAME[@VERSION]")
@pass_session
def show(session: Session, reference: str) -> None:
    """The samples of a version."""
    with session.workbench() as bench:
        saved = bench.datasets.show(reference)
        samples = saved.dataset.samples
        session.output.result(
            {
                "dataset": saved.dataset.reference,
                "digest": saved.digest,
                "parts": counts(samples),
                "samples": [
                    {"id": s.id, "input": s.input, "target": s.target, "split": s.split, "synthetic": s.synthetic}
                    for s in samples
                ],
            },
            table(("id", "input", "target"), [(s.id, s.input, _answer(s)) for s in samples]),
        )


@dataset.command()
@click.argument("reference", metavar="NAME[@VERSION]")
@click.option("--against", default="", metavar="NAME[@VERSION]", help="Another version than the one it was made from.")
@pass_session
def changes(session: Session, reference: str, against: str) -> None:
    """What a version added, removed and changed."""
    with session.workbench() as bench:
        found = bench.datasets.changes(reference, against)
        session.output.result(
            {"changes": [{"kind": one.kind, "id": one.id, "fields": list(one.fields)} for one in found]},
            table(
                ("change", "id", "fields"),
                [(one.kind, one.id, ", ".join(one.fields)) for one in found],
                empty="Nothing changed.",
            ),
        )


@dataset.command()
@click.argument("reference", metavar="NAME[@VERSION]")
@click.option(
    "--part", "parts", multiple=True, required=True, metavar="NAME=SHARE", help="A part and its share: train=0.8."
)
@click.option("--by", type=click.Choice(["sample", "document", "group"]), default="sample", help="What stays together.")
@click.option("--seed", type=int, default=0, help="Another seed gives another split.")
@click.option("--apart", is_flag=True, help="Keep each part as a dataset of its own too.")
@pass_session
def split(session: Session, reference: str, parts: tuple[str, ...], by: str, seed: int, apart: bool) -> None:
    """Part a dataset into a new version, so that nothing stands on both sides."""
    splitting = Splitting(shares=_shares(parts), by=by, seed=seed)  # type: ignore[arg-type]
    with session.workbench() as bench:
        made = bench.datasets.split(
            SplitDataset(reference=reference, splitting=splitting, apart=apart), session.output.job("Splitting")
        )
        found = counts(made[0].dataset.samples)
        session.output.result(
            {**_saved_json(made[0]), "parts": found, "datasets": [one.dataset.reference for one in made[1:]]},
            [_saved_line(one) for one in made] + [f"{name}: {count} samples" for name, count in found.items()],
        )


@dataset.command()
@click.argument("reference", metavar="NAME[@VERSION]")
@click.option(
    "--adapter", "adapters", multiple=True, metavar="RUN", help="Only what this training run learned; all without it."
)
@pass_session
def screen(session: Session, reference: str, adapters: tuple[str, ...]) -> None:
    """Duplicates, personal data, and samples that an adapter was trained on. Exit code 1 when there is one."""
    with session.workbench() as bench:
        found = bench.datasets.screen(reference, session.output.job("Screening"), adapters or ("*",))
        session.output.result(_screening_json(found), _screening_lines(found))
    if not found.clean:
        raise SystemExit(1)


@dataset.command()
@click.argument("reference", metavar="NAME[@VERSION]")
@click.option("-o", "out", required=True, type=FILE, help="A .jsonl, .json, .csv or .xlsx file.")
@click.option("--form", type=click.Choice(CONVERSATIONS), default=None, help="As conversations, in .jsonl or .json.")
@click.option("--part", default="", help="Only the samples of this part of a split.")
@click.option("--reason", default="", help="Why; it stands in the audit log.")
@pass_session
def export(session: Session, reference: str, out: Path, form: str | None, part: str, reason: str) -> None:
    """Write a version's samples to a file."""
    with session.workbench() as bench:
        count = bench.datasets.export(reference, out, reason, form or "samples", part)
        session.output.result(
            {"samples": count, "file": session.as_given(out)},
            [f"{count} samples written to {session.as_given(out)}."],
        )


def _columns(given: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for one in given:
        name, mark, field = one.rpartition("=")
        if not mark or not name:
            raise BadInput(source=one, problem="say NAME=FIELD, as in --column question=input.")
        found[name] = field
    return found


def _shares(given: tuple[str, ...]) -> dict[str, float]:
    found = {}
    for one in given:
        name, _, share = one.partition("=")
        try:
            found[name] = float(share)
        except ValueError as error:
            raise BadInput(source=one, problem="say NAME=SHARE, as in --part train=0.8.") from error
    return found


def _answer(sample: Sample) -> str:
    if sample.unanswerable:
        return "(not in the documents)"
    return sample.target or sample.answer or sample.chosen or f"(not: {sample.rejected})"


def _saved_json(saved: SavedDataset) -> dict[str, Json]:
    return {
        "dataset": saved.dataset.reference,
        "digest": saved.digest,
        "samples": len(saved.dataset.samples),
        "created": saved.created,
    }


def _saved_line(saved: SavedDataset) -> str:
    return (
        f"{'Saved' if saved.created else 'Unchanged:'} {saved.dataset.reference}: "
        f"{len(saved.dataset.samples)} samples, digest {short(saved.digest)}."
    )


def _preview_json(found: ReadFile) -> dict[str, object]:
    return {
        "kind": found.kind,
        "form": found.form,
        "samples": len(found.samples),
        "wrong": found.wrong,
        "columns": [{"name": c.name, "field": c.field, "example": c.example} for c in found.columns],
        "problems": [{"place": p.place, "problem": p.problem} for p in found.problems],
        "first": [
            {"id": s.id, "input": s.input, "target": s.target, "answer": s.answer} for s in found.samples[:SHOWN]
        ],
    }


def _preview_lines(found: ReadFile) -> list[str]:
    lines = [f"{found.kind}, form {found.form}: {len(found.samples)} samples, {found.wrong} rows that can't be read."]
    lines += table(
        ("column", "becomes", "for example"),
        [(one.name, one.field or "(left out)", one_line(one.example[:60])) for one in found.columns],
    )
    lines += (
        table(("id", "input", "answer"), [(s.id, s.input[:60], _answer(s)[:60]) for s in found.samples[:SHOWN]])
        if found.samples
        else []
    )
    lines += [f"{problem.place}: {problem.problem}" for problem in found.problems]
    rest = found.wrong - len(found.problems)
    return [*lines, f"… and {rest:,} more."] if rest else lines


def _screening_json(found: Screening) -> dict[str, object]:
    return {
        "dataset": found.reference,
        "samples": found.samples,
        "repeats": [{"sample": r.sample, "of": r.of, "how": r.how, "similarity": r.similarity} for r in found.repeats],
        "personal": [{"sample": p.sample, "field": p.field, "kind": p.kind} for p in found.personal],
        "contaminated": [
            {"sample": c.sample, "adapter": c.adapter, "dataset": c.dataset, "of": c.of, "how": c.how}
            for c in found.contaminated
        ],
        "unknown": list(found.unknown),
    }


def _screening_lines(found: Screening) -> list[str]:
    rows: list[tuple[str, str, str]] = [(r.sample, f"repeats {r.of}", r.how) for r in found.repeats]
    rows += [(p.sample, f"personal data in its {p.field}", p.kind) for p in found.personal]
    rows += [(c.sample, f"{c.adapter} learned it as {c.of} of {c.dataset}", c.how) for c in found.contaminated]
    lines = table(
        ("sample", "what", "how"), rows, empty=f"{found.reference}: nothing was found in {found.samples} samples."
    )
    return [*lines, *(f"Can't be compared: {one}." for one in found.unknown)]
