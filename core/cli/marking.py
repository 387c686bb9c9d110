"""`assay eval mark`, and what people say of a run's answers beside its judges."""

from collections.abc import Mapping, Sequence

import click

from core.cli.output import table
from core.cli.session import Session, pass_session
from core.evals import marks
from core.evals.agreement import Agreement, Figure
from core.evals.marks import MarkOutcome, People
from core.records import Json

NOBODY = "No people have marked this yet."


@click.command()
@click.argument("run", metavar="RUN")
@click.argument("sample", metavar="SAMPLE")
@click.option("--variant", required=True, help="Which variant's answer.")
@click.option(
    "--score",
    type=int,
    required=True,
    help="Your mark: a rubric's own; of a pair 0 (the first variant's answer is better), 1 (a tie) or 2; of another scorer 0 or 1 (passes).",
)
@click.option("--scorer", default="", help="For which scorer; not needed where the run has one judge.")
@click.option(
    "--repetition", type=click.IntRange(min=1), default=1, help="Which time, where samples were asked more than once."
)
@click.option("--reason", default="", help="Why, in your own words.")
@pass_session
def mark(
    session: Session, run: str, sample: str, variant: str, score: int, scorer: str, repetition: int, reason: str
) -> None:
    """Mark an answer of a run as a person. It changes no score; `assay eval show` says how far judges agree with people.

    Marking again replaces your earlier mark of that answer.
    """
    with session.workbench() as bench:
        view = bench.evals.show(run)
        request = MarkOutcome(
            run=view.digest,
            sample=sample,
            variant=variant,
            score=score,
            scorer=scorer,
            repetition=repetition - 1,
            reason=reason,
        )
        made = marks.mark(bench.vault, view, request)
        session.output.result(
            {
                "run": view.run.id,
                "sample": made.sample,
                "variant": made.variant,
                "scorer": made.scorer,
                "score": made.score,
                "lowest": made.lowest,
                "highest": made.highest,
                "user": made.user,
            },
            [
                f"Marked {made.sample} under {made.variant}: {made.scorer} {made.score}, of {made.lowest} to {made.highest}."
            ],
        )


def people_json(found: Sequence[People]) -> list[Json]:
    """The interface's form of what people say."""
    return [
        {
            "scorer": one.scale.scorer,
            "judge": one.scale.judge,
            "lowest": one.scale.lowest,
            "highest": one.scale.highest,
            "marks": one.marks,
            "answers": one.answers,
            "agreement": [_agreement_json(each) for each in one.with_people],
            "between": [_agreement_json(each) for each in one.between],
            "repeated": {"answers": one.repeats.asked, "differed": one.repeats.differed} if one.repeats else None,
        }
        for one in found
    ]


def people_lines(found: Sequence[People]) -> list[str]:
    """How far scorers agree with people, people with each other, and judges with themselves."""
    lines: list[str] = []
    for one in found:
        scale = one.scale
        lines += ["", f"{scale.scorer}, {scale.lowest} to {scale.highest}, beside people"]
        if one.repeats:
            lines.append(
                f"Asked {scale.asked} times of each answer, it did not say the same each time on "
                f"{one.repeats.differed} of {one.repeats.asked} answers."
            )
        if not one.marks:
            lines.append(NOBODY)
            continue
        lines += table(
            ("between", "answers", "same mark", "kappa", "weighted kappa"),
            [
                (
                    f"{a.first} and {a.second}",
                    str(a.n),
                    figure_words(a.share),
                    figure_words(a.kappa),
                    figure_words(a.weighted),
                )
                for a in (*one.with_people, *one.between)
            ],
        )
        lines += [line for a in (*one.with_people, *one.between) for line in _table_lines(a)]
    return lines


def people_of_runs(said: Mapping[str, Sequence[People]]) -> list[str]:
    """How far each run's scorers agree with people, one line each."""
    rows = [
        (run, one.scale.scorer, each.second, str(each.n), figure_words(each.share), figure_words(each.kappa))
        for run, found in said.items()
        for one in found
        for each in one.with_people[:1]
    ]
    header = ("run", "scorer", "beside", "answers", "same mark", "kappa")
    return ["", *table(header, rows)] if rows else []


def figure_words(figure: Figure | None) -> str:
    """A figure with its interval; a dash where it isn't defined."""
    return f"{figure.value:.2f} ({figure.low:.2f} to {figure.high:.2f})" if figure else "–"


def _table_lines(found: Agreement) -> list[str]:
    """Which marks met which, where not all are the same."""
    if found.share.value == 1 or not found.n:
        return []
    header = (f"{found.first} \\ {found.second}", *map(str, found.marks))
    return ["", *table(header, [(str(m), *map(str, line)) for m, line in zip(found.marks, found.table, strict=True)])]


def _agreement_json(found: Agreement) -> Json:
    return {
        "first": found.first,
        "second": found.second,
        "n": found.n,
        "share": _figure_json(found.share),
        "kappa": _figure_json(found.kappa),
        "weighted": _figure_json(found.weighted),
        "marks": list(found.marks),
        "table": [list(line) for line in found.table],
    }


def _figure_json(figure: Figure | None) -> Json:
    return {"value": figure.value, "low": figure.low, "high": figure.high} if figure else None
