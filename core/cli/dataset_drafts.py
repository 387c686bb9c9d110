"""`assay dataset draft` and what follows: samples made from documents, answers and failures, which wait for a person's word."""

import click

from core.cli.output import table
from core.cli.session import Session, pass_session
from core.datasets.drafting import Drafted, DraftQuestions
from core.datasets.drafts import STATES, DraftView
from core.datasets.records import Sample
from core.errors import BadInput
from core.evals.failures import failures


@click.command()
@click.argument("name")
@click.option("--collection", default="", help="Draft questions on these documents.")
@click.option("--model", default="", help="The local model that writes them.")
@click.option("--count", type=int, default=20, help="How many questions.")
@click.option("--seed", type=int, default=0, help="Another seed asks about other passages.")
@click.option("--answers", type=int, default=0, metavar="N", help="Draft samples from the N latest answers instead.")
@click.option("--failures", "run", default="", metavar="RUN", help="Draft the samples that this run failed instead.")
@pass_session
def draft(
    session: Session, name: str, collection: str, model: str, count: int, seed: int, answers: int, run: str
) -> None:
    """Draft samples for a dataset from documents, answers or failures. They wait for `dataset accept`."""
    if sum(map(bool, (collection, answers, run))) != 1:
        raise BadInput(source="assay dataset draft", problem="say one of --collection, --answers and --failures.")
    if collection and not model:
        raise BadInput(source="--model", problem="name the local model that writes the questions.")
    with session.workbench() as bench:
        if collection:
            request = DraftQuestions(dataset=name, collection=collection, model=model, count=count, seed=seed)
            done = bench.drafting.draft(request, session.output.job("Drafting"))
        elif run:
            done = bench.drafting.from_failures(name, failures(bench.vault, bench.evals, run), run)
        else:
            done = bench.drafting.from_answers(name, [trace for trace, _ in bench.assistants.traces(answers)])
        session.output.result(
            {"dataset": done.dataset, "drafts": done.made, "refused": done.refused}, _drafted_lines(done)
        )


@click.command()
@click.argument("name")
@click.option("--state", type=click.Choice(STATES), multiple=True, help="Only these; waiting and accepted without it.")
@pass_session
def drafts(session: Session, name: str, state: tuple[str, ...]) -> None:
    """The drafts of a dataset, with what was checked."""
    with session.workbench() as bench:
        found = bench.drafting.list(name, state or ("waiting", "accepted"))
        session.output.result(
            {"drafts": [_draft_json(view) for view in found]},
            table(
                ("draft", "state", "question", "answer", "where"),
                [
                    (
                        str(view.number),
                        view.state,
                        s.input,
                        s.target or s.answer,
                        f"{s.document} {s.page or ''}".strip(),
                    )
                    for view in found
                    for s in (view.draft.sample,)
                ],
                empty=f"There are no drafts for {name}. `assay dataset draft {name}` makes some.",
            ),
        )


@click.command()
@click.argument("name")
@click.argument("numbers", metavar="[DRAFT]…", nargs=-1, type=int)
@click.option("--all", "everything", is_flag=True, help="All that wait.")
@pass_session
def accept(session: Session, name: str, numbers: tuple[int, ...], everything: bool) -> None:
    """Accept drafts, and keep all accepted ones in the next version of their dataset."""
    with session.workbench() as bench:
        for number in _numbers(bench.drafting.list(name, ("waiting",)), name, numbers, everything):
            bench.drafting.accept(number)
        saved = bench.drafting.keep(name)
        session.output.result(
            {"dataset": saved.dataset.reference, "digest": saved.digest, "samples": len(saved.dataset.samples)},
            [f"Saved {saved.dataset.reference}: {len(saved.dataset.samples)} samples."],
        )


@click.command()
@click.argument("name")
@click.argument("numbers", metavar="[DRAFT]…", nargs=-1, type=int)
@click.option("--all", "everything", is_flag=True, help="All that wait.")
@pass_session
def reject(session: Session, name: str, numbers: tuple[int, ...], everything: bool) -> None:
    """Reject drafts; their dataset never gets them."""
    with session.workbench() as bench:
        chosen = _numbers(bench.drafting.list(name), name, numbers, everything)
        for number in chosen:
            bench.drafting.reject(number)
        session.output.result({"rejected": chosen}, [f"{len(chosen)} drafts rejected."])


ADDED: tuple[click.Command, ...] = (draft, drafts, accept, reject)


def _numbers(known: tuple[DraftView, ...], name: str, numbers: tuple[int, ...], everything: bool) -> list[int]:
    """The drafts that are meant. Raises `BadInput` where one isn't of that dataset."""
    there = [view.number for view in known]
    strange = next((number for number in numbers if number not in there), None)
    if strange is not None:
        raise BadInput(source=f"Draft {strange}", problem=f"no draft of {name} that waits has this number.")
    return there if everything else list(dict.fromkeys(numbers))


def _drafted_lines(done: Drafted) -> list[str]:
    lines = [f"{done.made} drafts wait for {done.dataset}. `assay dataset drafts {done.dataset}` shows them."]
    return [*lines, *(f"{count} not kept: {reason}." for reason, count in done.refused.items())]


def _draft_json(view: DraftView) -> dict[str, object]:
    sample: Sample = view.draft.sample
    checks = view.draft.checks
    return {
        "draft": view.number,
        "state": view.state,
        "input": sample.input,
        "target": sample.target,
        "answer": sample.answer,
        "document": sample.document,
        "page": sample.page,
        "quote": sample.quote,
        "passage": view.draft.passage,
        "note": view.draft.note,
        "synthetic": sample.synthetic,
        "checks": {"quoted": checks.quoted, "answered": checks.answered, "found_at": checks.found_at},
    }
