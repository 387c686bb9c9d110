"""`assay documents screen`, `findings`, `decide`, `admit` and `guard`: what is looked for in documents on the way in, and while they answer."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, cast, get_args

import click
from msgspec.structs import replace

from core.cli.output import one_line, table
from core.cli.passwords import read_passwords
from core.cli.session import FILE, Session, pass_session
from core.documents.records import AddedDocuments
from core.documents.screening.records import KINDS, USUAL, Decide, Mode, Rescreened, ScreeningPolicy, Shown
from core.errors import BadInput
from core.guards.records import Guarded, Reaction
from core.records import Json

SHOWN = 60
"""Characters of a finding in a list."""
ALL = "all"
WHERE = {"input": "question", "passage": "passages", "output": "answer"}
REACTED = {"mark": "marked", "withhold": "withheld", "refuse": "refused"}


def guarded_json(found: Sequence[Guarded]) -> Json:
    """What guards found, as the interface says it."""
    return [
        {
            "where": one.where,
            "kind": one.kind,
            "method": one.method,
            "reaction": one.reaction,
            "passage": one.passage,
            "score": one.score,
        }
        for one in found
    ]


def guarded_lines(found: Sequence[Guarded]) -> list[str]:
    """A line for each place, kind and reaction."""
    said = Counter((one.where, one.kind, one.reaction) for one in found)
    return [
        f"  guard: {kind} in the {WHERE[where]}, {number} ×: {REACTED[reaction]}"
        for (where, kind, reaction), number in said.items()
    ]


def furniture_lines(done: AddedDocuments) -> list[str]:
    """What an import kept out of the text that is searched, where it did."""
    beside = "menus, banners, running heads or page numbers stay on their pages and aren't searched with the text"
    return [f"  {beside} in {done.with_furniture} of them."] if done.with_furniture else []


def added_lines(done: AddedDocuments) -> list[str]:
    """What screening did to an import, where it did anything."""
    said = [f"{done.redacted} of them redacted"] if done.redacted else []
    said += [f"{done.excluded} excluded"] if done.excluded else []
    if done.held:
        said.append(
            f"{done.held} wait for decisions: `assay documents findings {one_line(done.collection)}` shows what was found"
        )
    return [f"  screening: {'; '.join(said)}."] if said else []


@click.command()
@click.argument("collection")
@click.option(
    "--mode",
    type=click.Choice(get_args(Mode)),
    help="off, ask about each finding, or automatic: only what --redact names is taken out.",
)
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    metavar="KIND",
    help="What is looked for, or all; the usual kinds where none is named.",
)
@click.option("--redact", multiple=True, metavar="KIND", help="Redacted without asking.")
@click.option("--readmit", metavar="NAME", help="Let an excluded document be added again.")
@click.option("--again", is_flag=True, help="Screen what is in the collection already, as documents that come in are.")
@click.option("--password-file", type=FILE, help="With --again: passwords of encrypted documents, one a line.")
@pass_session
def screen(
    session: Session,
    collection: str,
    mode: str | None,
    kinds: tuple[str, ...],
    redact: tuple[str, ...],
    readmit: str | None,
    again: bool,
    password_file: Path | None,
) -> None:
    """How a collection is screened, and what waits; with --mode, set it from now on. The collection need not be there yet.

    --again reads the documents that are in already once more; those with new findings go out of search and wait.

    Kinds: email, url, iban, card, national-id, licence, ip, birth-date, address, postcode, phone, age, person; instruction, hidden, invisible,
    near-duplicate.
    """
    if mode is None and (kinds or redact):
        raise click.UsageError("--kind and --redact go with --mode.")
    if password_file and not again:
        raise click.UsageError("--password-file goes with --again.")
    passwords = read_passwords(password_file)
    with session.workbench() as bench:
        if readmit:
            bench.screening.readmit(collection, readmit)
        if mode is not None:
            wanted = tuple(KINDS) if ALL in kinds else kinds or tuple(dict.fromkeys((*USUAL, *redact)))
            policy = replace(
                bench.screening.policy(collection),
                collection=collection,
                mode=cast(Mode, mode),
                kinds=wanted,
                redact=redact,
            )
            bench.screening.set_policy(policy)
        done = bench.screening.again(collection, session.output.job("Screening"), passwords) if again else None
        state = bench.screening.state(collection)
        told: dict[str, Json] = {"again": _again_json(done)} if done else {}
        session.output.result(
            told
            | {
                "collection": collection,
                "mode": state.policy.mode,
                "kinds": list(state.policy.kinds),
                "redact": list(state.policy.redact),
                "waiting": [
                    {
                        "document": one.name,
                        "pages": one.pages,
                        "findings": one.findings,
                        "open": one.open,
                        "excluded": one.excluded,
                    }
                    for one in state.waiting
                ],
                "open": dict(state.open),
                "excluded": list(state.excluded),
            },
            [
                f"{collection}: screening is {_said(state.policy)}.",
                *(_again_lines(done) if done else []),
                *table(
                    ("document that waits", "pages", "findings", "open"),
                    [
                        (
                            one_line(one.name),
                            str(one.pages),
                            str(one.findings),
                            "excluded" if one.excluded else str(one.open),
                        )
                        for one in state.waiting
                    ],
                    empty="No document waits.",
                ),
                *(f"  open: {number} × {KINDS.get(kind, kind)} ({kind})" for kind, number in state.open.items()),
                *(f"  excluded: {one_line(name)}" for name in state.excluded),
            ],
        )


def _again_json(done: Rescreened) -> Json:
    return {
        "clean": done.clean,
        "waiting": list(done.waiting),
        "held": list(done.held),
        "refused": [{"file": one.file, "reason": one.reason} for one in done.refused],
    }


def _again_lines(done: Rescreened) -> list[str]:
    return [
        f"Screened again: {done.clean} stay in search, {len(done.waiting)} went out of it and wait.",
        *(f"  a legal hold keeps it in search: {one_line(name)}" for name in done.held),
        *(f"  not read again, and in search: {one_line(one.reason)}" for one in done.refused),
    ]


def _said(policy: ScreeningPolicy) -> str:
    redacts = f"; {', '.join(policy.redact)} redacted without asking" if policy.redact and policy.mode != "off" else ""
    return policy.mode + redacts


@click.command()
@click.argument("collection")
@click.option("--document", "documents", multiple=True, metavar="NAME", help="Of this document only.")
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Of this kind only.")
@pass_session
def findings(session: Session, collection: str, documents: tuple[str, ...], kinds: tuple[str, ...]) -> None:
    """What screening found in the documents that wait, with its text. The audit log says that it was shown."""
    with session.workbench() as bench:
        found = bench.screening.findings(collection, documents, kinds)
        session.output.result(
            {"collection": collection, "findings": [_json(one) for one in found]},
            table(
                ("number", "kind", "document", "page", "times", "found", "decision"),
                [
                    (
                        str(one.id),
                        one.kind,
                        one_line(one.document),
                        str(one.page) if one.page > 0 else "title" if one.page == 0 else "file",
                        str(one.times),
                        _excerpt(one),
                        one.decision or "open",
                    )
                    for one in found
                ],
                empty="Nothing waits for a decision.",
            ),
        )


def _excerpt(one: Shown) -> str:
    text = one_line(" ".join((one.text or one.detail).split()))
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def _json(one: Shown) -> Json:
    return {
        "id": one.id,
        "document": one.document,
        "kind": one.kind,
        "page": one.page,
        "times": one.times,
        "text": one.text,
        "before": one.before,
        "after": one.after,
        "detail": one.detail,
        "decision": one.decision,
        "by": one.by,
    }


@click.command()
@click.argument("collection")
@click.argument("action", type=click.Choice(["keep", "redact", "exclude", "undo"]))
@click.option("--finding", "ids", multiple=True, type=int, metavar="NUMBER", help="This finding; more may be named.")
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="All of this kind.")
@click.option("--document", "documents", multiple=True, metavar="NAME", help="All in this document.")
@click.option("--all", "everything", is_flag=True, help="All open findings.")
@click.option("--reason", default="", help="Why; it stands in the audit log.")
@pass_session
def decide(
    session: Session,
    collection: str,
    action: Literal["keep", "redact", "exclude", "undo"],
    ids: tuple[int, ...],
    kinds: tuple[str, ...],
    documents: tuple[str, ...],
    everything: bool,
    reason: str,
) -> None:
    """Decide findings: keep or redact their text, or exclude their documents. Can be undone until `admit` takes the documents in."""
    if not (ids or kinds or documents or everything):
        raise BadInput(source="decide", problem="name findings, kinds or documents, or give --all.")
    with session.workbench() as bench:
        request = Decide(collection=collection, action=action, ids=ids, kinds=kinds, documents=documents, reason=reason)
        number = bench.screening.decide(request)
        left = sum(bench.screening.state(collection).open.values())
        session.output.result(
            {"collection": collection, "action": action, "decided": number, "open": left},
            [
                f"{number} findings: {action}. {left} are open. `assay documents admit {one_line(collection)}` takes in what is decided."
            ],
        )


@click.command()
@click.argument("collection")
@pass_session
def admit(session: Session, collection: str) -> None:
    """Take in the documents of which every finding is decided, without what was redacted. Exit code 1 when others still wait."""
    with session.workbench() as bench:
        done = bench.screening.admit(collection, session.output.job("Indexing"))
        session.output.result(
            {
                "collection": collection,
                "added": done.added,
                "redacted": done.redacted,
                "excluded": done.excluded,
                "waiting": done.waiting,
                "chunks": done.chunks,
            },
            [
                f"{collection}: {done.added} added, {done.redacted} of them redacted; {done.excluded} excluded; {done.waiting} wait."
            ],
        )
    if done.waiting:
        raise SystemExit(1)


@click.command()
@click.argument("collection")
@click.option("--input", "asked", type=click.Choice(["off", "mark", "refuse"]), help="Of the question.")
@click.option("--passages", type=click.Choice(get_args(Reaction)), help="Of what is found in the documents.")
@click.option("--output", "answered", type=click.Choice(get_args(Reaction)), help="Of the answer.")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    metavar="KIND",
    help="What is looked for; instruction and invisible where none is named.",
)
@click.option("--classifier", metavar="MODEL", help="A chat model that judges each text too; empty for none.")
@click.option("--threshold", type=click.FloatRange(0, 1), help="The score from which a text counts as found.")
@pass_session
def guard(
    session: Session,
    collection: str,
    asked: str | None,
    passages: str | None,
    answered: str | None,
    kinds: tuple[str, ...],
    classifier: str | None,
    threshold: float | None,
) -> None:
    """What guards do while a collection answers: look for nothing, mark it in the trace, withhold it, or refuse to answer."""
    with session.workbench() as bench:
        policy = bench.screening.policy(collection)
        given = {
            "input": asked,
            "passages": passages,
            "output": answered,
            "kinds": kinds or None,
            "classifier": classifier,
            "threshold": threshold,
        }
        changes = {name: value for name, value in given.items() if value is not None}
        if changes:
            policy = bench.screening.set_policy(
                replace(policy, collection=collection, guards=replace(policy.guards, **changes))
            )
        guards = policy.guards
        session.output.result(
            {
                "collection": collection,
                "input": guards.input,
                "passages": guards.passages,
                "output": guards.output,
                "kinds": list(guards.kinds),
                "classifier": guards.classifier,
                "threshold": guards.threshold,
            },
            [
                f"{collection}: question {guards.input}, passages {guards.passages}, answer {guards.output}; looks for {', '.join(guards.kinds)}.",
                *(
                    [f"{guards.classifier} judges each text too, from {guards.threshold:.2f}."]
                    if guards.classifier
                    else []
                ),
            ],
        )
