"""`assay documents` and `assay ask`: put documents in, find passages, ask."""

import time
from pathlib import Path
from typing import Any, Literal

import click
from click.core import ParameterSource

from core import settings
from core.assistants import answer_report
from core.assistants.prompting import with_values
from core.assistants.records import QUOTES, Answer, Answered, Delta, Question
from core.cli import screening
from core.cli.asking import BESIDE, adapter_uses, asking_options, choose_layers, read_pictures, values_of
from core.cli.calibration import calibration
from core.cli.document_comparison import compare
from core.cli.finding import finding, finding_json, finding_options
from core.cli.guard_rates import guard_rates
from core.cli.output import one_line, table
from core.cli.passwords import read_passwords
from core.cli.previewing import choice, cutting_options, preview
from core.cli.rebuilding import rebuild
from core.cli.refreshing import refresh, watch
from core.cli.search_quality import evaluate
from core.cli.session import FILE, Session, pass_session
from core.cli.tagging import tag, tags, untag
from core.documents import readers
from core.documents.records import AddDocuments
from core.errors import AssayError, BadInput, NotFound
from core.inference.records import MODES
from core.jobs import Job
from core.records import Json
from core.retrieval.records import Passage, Search
from core.workbench import Workbench

SHOWN = 160
"""Characters of a passage in a list."""
LARGE = 2_000
"""New passages after which an import makes the index too: building it takes seconds then, which the first question would pay."""
LONGEST = 256
"""Tokens of an answer where nothing else is asked for."""


@click.group()
def documents() -> None:
    """Collections of documents."""


@documents.command()
@click.argument("collection")
@click.argument("paths", nargs=-1, required=True, type=FILE)
@click.option("--password-file", type=FILE, help="Passwords of encrypted documents, one a line. They are kept nowhere.")
@click.option("--ask-password", is_flag=True, help="Ask for the password of encrypted documents.")
@cutting_options
@pass_session
def add(
    session: Session,
    collection: str,
    paths: tuple[Path, ...],
    password_file: Path | None,
    ask_password: bool,
    strategy: str | None,
    size: int | None,
    overlap: int | None,
) -> None:
    """Read files and folders into a collection, which is created where it doesn't exist. Exit code 1 when none could be read.

    Attachments of mails and PDFs and the files in ZIP archives become documents of their own, named by the path through what holds them.
    --strategy, --size and --overlap say how a new collection's documents are cut; `assay documents preview` shows the effect beforehand.
    """
    passwords = read_passwords(password_file)
    if ask_password:
        step = "Put it into a file and give --password-file."
        passwords.append(session.console.ask_passphrase("Password of the documents", confirm=False, step=step))
    with session.workbench() as bench:
        request = AddDocuments(
            collection=collection, paths=tuple(map(str, paths)), cutting=choice(strategy, size, overlap)
        )
        done = bench.documents.add(request, session.output.job("Reading"), passwords)
        if done.chunks >= LARGE and bench.retrieval.index_state(done.collection).state != "exact":
            _prepare(session, bench, done.collection)
        session.output.result(
            {
                "collection": done.collection,
                "added": done.added,
                "replaced": done.replaced,
                "unchanged": done.unchanged,
                "held": done.held,
                "redacted": done.redacted,
                "excluded": done.excluded,
                "with_furniture": done.with_furniture,
                "refused": [{"file": r.file, "reason": r.reason} for r in done.refused],
                "chunks": done.chunks,
                "pages": done.pages,
                "seconds": round(done.seconds, 3),
            },
            [
                f"{done.collection}: {done.added} added, {done.unchanged} unchanged, {len(done.refused)} refused; "
                f"{done.pages} pages, {done.chunks} chunks in {done.seconds:.1f} s.",
                *([f"  {done.replaced} of them replaced an earlier version."] if done.replaced else []),
                *screening.furniture_lines(done),
                *screening.added_lines(done),
                *(f"  refused: {one_line(r.reason)}" for r in done.refused),
            ],
        )
    if not done.added and not done.unchanged and not done.held:
        raise SystemExit(1)


@documents.command()
@click.argument("collection")
@click.option(
    "--allow-clear", is_flag=True, help="Where no storage in memory is: let it lie in clear while it is open."
)
@click.option("--reason", default="", help="Why it may lie in clear; it stands in the audit log.")
@pass_session
def index(session: Session, collection: str, allow_clear: bool, reason: str) -> None:
    """Build the index that searches a collection by meaning, now instead of beside the first searches, and keep it sealed.

    An index is open in storage that the system keeps in memory. Where there is none, all vectors are compared instead, which is slower
    and no less exact; with --allow-clear an administrator lets the index lie in clear in the temporary folder, until this vault is closed.
    """
    with session.workbench() as bench:
        bench.documents.collection(collection)
        if allow_clear:
            if not reason.strip():
                raise BadInput(source="--allow-clear", problem="the log says why. Give --reason.")
            bench.retrieval.allow_clear(reason)
        made = bench.retrieval.prepare(collection, session.output.job("Indexing"))
        session.output.result(
            {"collection": collection, "state": made.state, "vectors": made.vectors, "reason": made.reason},
            [f"{collection}: {made.vectors:,} vectors in the index." if made.state == "ready" else made.reason],
        )


def _prepare(session: Session, bench: Workbench, collection: str) -> None:
    """Build the index after a large import; what is in the way of that costs the first searches some time and nothing else."""
    try:
        bench.retrieval.prepare(collection, session.output.job("Indexing"))
    except AssayError as error:
        session.output.say(f"The documents are in; their index isn't made yet, and the first searches do that. {error}")


@documents.command("list")
@click.argument("collection", required=False)
@click.option("--gone", is_flag=True, help="Those that were taken out, with the digest by which they stay readable.")
@pass_session
def list_documents(session: Session, collection: str | None, gone: bool) -> None:
    """The collections, or the documents of one."""
    if gone and collection is None:
        raise click.UsageError("--gone needs a collection.")
    with session.workbench() as bench:
        if gone and collection is not None:
            _list_gone(session, bench, collection)
            return
        if collection is None:
            known = bench.documents.collections()
            session.output.result(
                {
                    "collections": [
                        {"name": c.name, "documents": c.documents, "chunks": c.chunks, "older": c.older} for c in known
                    ]
                },
                [
                    *table(
                        ("collection", "documents", "chunks"),
                        [(c.name, str(c.documents), str(c.chunks)) for c in known],
                        empty="There are no collections. `assay documents add COLLECTION PATH…` makes one.",
                    ),
                    *(f"{c.name}: {readers.older(c)}" for c in known if c.older),
                ],
            )
            return
        held = [document for _, document in bench.documents.list(collection)]
        about = bench.documents.collection(collection)
        session.output.result(
            {
                "documents": [{"name": d.name, "pages": d.pages, "size": d.size, "added": d.added} for d in held],
                "older": about.older,
            },
            [
                *table(
                    ("document", "pages", "kilobytes", "added"),
                    [(d.name, str(d.pages), f"{d.size / 1e3:.0f}", d.added) for d in held],
                ),
                *([readers.older(about)] if about.older else []),
            ],
        )


def _list_gone(session: Session, bench: Workbench, collection: str) -> None:
    bench.documents.collection(collection)
    found = bench.documents.gone(collection)
    session.output.result(
        {"gone": [{"name": d.name, "digest": digest, "retired": time} for digest, d, time in found]},
        table(
            ("document", "taken out", "digest"),
            [(d.name, time, digest) for digest, d, time in found],
            empty=f"No document was taken out of {collection}.",
        ),
    )


@documents.command()
@click.argument("collection")
@click.argument("name")
@click.option("--reason", default="", help="Why; it stands in the audit log.")
@pass_session
def remove(session: Session, collection: str, name: str, reason: str) -> None:
    """Take a document out of a collection's search. What was recorded of it stays, for the answers that cite it."""
    with session.workbench() as bench:
        found = next((digest for digest, held in bench.documents.list(collection) if held.name == name), None)
        if found is None:
            raise NotFound(kind="document", name=name, step=f"`assay documents list {collection}` shows what it holds.")
        bench.documents.remove(found, reason)
        session.output.result(
            {"collection": collection, "document": name, "digest": found},
            [f"{name} is no longer searched in {collection}; answers that cite it keep it."],
        )


documents.add_command(evaluate)
documents.add_command(preview)
documents.add_command(rebuild)
documents.add_command(refresh)
documents.add_command(watch)
for command in (tag, untag, tags, compare, calibration):
    documents.add_command(command)
for command in (screening.screen, screening.findings, screening.decide, screening.admit, screening.guard):
    documents.add_command(command)
documents.add_command(guard_rates)


@documents.command()
@click.argument("collection")
@click.argument("query")
@click.option("--limit", default=8, show_default=True, type=click.IntRange(1, 100), help="Passages to show.")
@finding_options
@pass_session
def search(session: Session, /, collection: str, query: str, limit: int, **options: Any) -> None:
    """The passages nearest to a query."""
    with session.workbench() as bench:
        found = bench.retrieval.show(
            Search(collection=collection, query=query, limit=limit, finding=finding(options)),
            session.output.quiet_job("Search"),
        )
        lines = []
        for passage in found:
            text = " ".join(passage.text.split())
            lines += [
                f"{passage.score:.2f}  {one_line(passage.name)}, {passage.place or f'page {passage.page}'}{_home(passage)}",
                f"      {text[:SHOWN]}{'…' if len(text) > SHOWN else ''}",
            ]
        session.output.result(
            {
                "results": [
                    {
                        "document": p.name,
                        "page": p.page,
                        "place": p.place,
                        "text": p.text,
                        "score": round(p.score, 4),
                        "collection": p.collection or collection,
                    }
                    for p in found
                ],
                "finding": finding_json(finding(options)),
            },
            lines or ["Nothing found."],
        )


def _home(passage: Passage) -> str:
    return f" ({one_line(passage.collection)})" if passage.collection else ""


@click.command()
@click.argument("asked", metavar="[COLLECTION] QUESTION", nargs=-1, required=True)
@click.option("--assistant", metavar="NAME", help="Ask a saved assistant, which says all the rest.")
@click.option("--model", "model_name", default=QUOTES, show_default=True, help="A chat model, or quotes.")
@click.option("--prompt", "prompt_name", help="A prompt version, name@number; the built-in one where it isn't given.")
@click.option(
    "--passages", default=6, show_default=True, type=click.IntRange(1, 50), help="The most that are put to the model."
)
@click.option(
    "--max-tokens",
    default=LONGEST,
    show_default=True,
    type=click.IntRange(min=1),
    help="The longest that a model may answer.",
)
@click.option(
    "--trim",
    default="refuse",
    show_default=True,
    type=click.Choice(["refuse", "passages"]),
    help="When the prompt doesn't fit into the model: refuse, or leave out the least relevant passages.",
)
@click.option(
    "--mode",
    type=click.Choice(MODES),
    help="fast, or reproducible: the same question gives the same answer, to the byte. As set for the chat where it isn't given.",
)
@click.option("--earlier", multiple=True, metavar="QUESTION", help="What was asked before, oldest first.")
@click.option(
    "--without-support",
    default="decline",
    show_default=True,
    type=click.Choice(["decline", "mark"]),
    help="When no sentence of a model's answer has support: answer that the documents don't say, or mark them.",
)
@click.option(
    "--out", type=FILE, metavar="PATH", help="Write the answer with the pages that it rests on to this .html file too."
)
@asking_options
@finding_options
@pass_session
def ask(
    session: Session,
    /,
    asked: tuple[str, ...],
    assistant: str | None,
    model_name: str,
    prompt_name: str | None,
    passages: int,
    max_tokens: int,
    trim: Literal["refuse", "passages"],
    mode: str | None,
    earlier: tuple[str, ...],
    without_support: Literal["decline", "mark"],
    out: Path | None,
    adapters: tuple[str, ...],
    pictures: tuple[Path, ...],
    values: tuple[str, ...],
    gpu_layers: int | None,
    **options: Any,
) -> None:
    """Ask the documents, of a collection or as a saved assistant does. Quotes answers with their own sentences; a model writes, and cites."""
    if len(asked) not in ((1,) if assistant else (1, 2) if pictures else (2,)):
        raise click.UsageError(
            "Give --assistant NAME and a question, or a collection and a question, in quotation marks. Pictures need no collection."
        )
    text = asked[-1]
    if assistant:
        _only_earlier(click.get_current_context())
    elif prompt_name is not None and model_name == QUOTES:
        raise click.UsageError("--prompt needs a chat model: give --model too. Quotes uses no prompt.")
    with session.workbench() as bench:
        if assistant:
            question = bench.assistants.question(assistant, text, earlier)
        else:
            question = Question(
                collection=asked[0] if len(asked) == 2 else "",
                text=text,
                model=model_name,
                prompt=prompt_name,
                passages=passages,
                max_tokens=max_tokens,
                trim=trim,
                mode=mode or settings.load().answers,
                finding=finding(options),
                earlier=earlier,
                without_support=without_support,
                adapters=adapter_uses(adapters),
            )
        question = with_values(question, values_of(values))
        choose_layers(bench, question, gpu_layers)
        if out is not None:
            answer_report.check_ending(out)
        _answer(session, bench, question, read_pictures(pictures), out)


def _only_earlier(context: click.Context) -> None:
    """Refuse options beside --assistant: what they say, the assistant says. Raises `click.UsageError`."""
    for name in context.params:
        given = context.get_parameter_source(name) == ParameterSource.COMMANDLINE
        if given and name not in ("asked", "assistant", "earlier", *BESIDE):
            option = next(one for one in context.command.params if one.name == name).opts[0]
            raise click.UsageError(
                f"{option} is said by the assistant. `assay assistant change` makes a new version of it."
            )


def _answer(
    session: Session, bench: Workbench, question: Question, pictures: tuple[bytes, ...], out: Path | None
) -> None:
    """Print the answer as it comes, then what it rests on."""
    started = time.monotonic()
    begun = False
    for part in bench.assistants.ask(question, session.output.quiet_job("Answer"), pictures):
        if isinstance(part, Delta):
            text = part.text if begun else part.text.lstrip()
            begun = begun or bool(text)
            if not question.fallback:  # with one, it isn't known before the end what is answered
                session.output.text(f"{text} [these words stand in no passage] " if part.misquoted else text)
        elif isinstance(part, Answered):
            if out is not None:
                answer_report.export(bench.vault, bench.documents, part.answer, out, Job("Export an answer"))
            if question.fallback:
                session.output.text(part.answer.answer)
            session.output.text("\n")
            session.output.result(
                answer_json(part.answer, part.trace),
                [
                    *contract_lines(part.answer),
                    *support_lines(part.answer),
                    *citation_lines(part.answer),
                    *left_out_lines(part.answer),
                    *screening.guarded_lines(part.answer.guarded),
                    *([f"Written to {out}."] if out is not None else []),
                    f"({answered_by(part.answer)}, {time.monotonic() - started:.1f} s)",
                ],
            )


def answered_by(answer: Answer) -> str:
    """Who answered; of a model, in which mode."""
    who = f"{answer.question.assistant}, " if answer.question.assistant else ""
    return who + (answer.model if answer.model == QUOTES else f"{answer.model}, {answer.question.mode}")


def answer_json(answer: Answer, trace: str) -> Json:
    """The interface's form of an answer."""
    return {
        "answer": answer.answer,
        "model": answer.model,
        "mode": answer.question.mode,
        "abstained": answer.abstained,
        "citations": [
            {"document": c.name, "page": c.page, "place": c.place, "quote": c.quote, "score": round(c.score, 4)}
            for c in answer.citations
        ],
        "finding": finding_json(answer.question.finding),
        "searched": answer.searched or answer.question.text,
        "support": [
            {
                "sentence": answer.answer[one.start : one.end],
                "passage": one.passage,
                "score": round(one.score, 4),
                "supported": one.supported,
                "misquoted": one.misquoted,
            }
            for one in answer.support
        ],
        "withdrawn": answer.withdrawn,
        "values": dict(answer.question.values),
        "contract": answer.contract or None,
        "broken": answer.broken,
        "guarded": screening.guarded_json(answer.guarded),
        "assistant": answer.question.assistant or None,
        "adapters": [{"model": use.model, "scale": use.scale} for use in answer.question.adapters],
        "pictures": list(answer.question.pictures),
        "trace": trace,
    }


def contract_lines(answer: Answer) -> list[str]:
    """What to say of an answer that doesn't have the form that its prompt version promises."""
    return (
        [f"The answer breaks the prompt's contract: {one_line(answer.broken)}"] if answer.contract == "broken" else []
    )


def support_lines(answer: Answer) -> list[str]:
    """What was searched for, where that isn't the question; what was withdrawn or has no support."""
    unsupported = [one for one in answer.support if not one.supported]
    return [
        *([f"Searched for: {one_line(answer.searched)}"] if answer.searched else []),
        *([_withdrawn(answer)] if answer.withdrawn else []),
        *(
            f"  {'misquoted' if one.misquoted else 'without support'}: {one_line(answer.answer[one.start : one.end])}"
            for one in unsupported
        ),
    ]


def _withdrawn(answer: Answer) -> str:
    if answer.question.fallback:  # then what was withdrawn wasn't shown
        return "What the model wrote has no support in the documents; the trace has it."
    return f"{answer.answer} What stands above has no support in them."


def left_out_lines(answer: Answer) -> list[str]:
    """What to say when passages were left out of the prompt."""
    if not answer.left_out:
        return []
    return [f"{answer.left_out} of {answer.left_out + len(answer.passages)} passages didn't fit and were left out."]


def citation_lines(answer: Answer) -> list[str]:
    """Where the answer stands, a line a passage; for an abstention, how near the nearest sentence came."""
    if answer.abstained and answer.model == QUOTES:
        return [f"The nearest sentence scores {answer.best_score:.2f}; an answer needs {answer.needed_score:.2f}."]
    return [f"  [{c.number}] {one_line(c.name)}, {c.place or f'page {c.page}'}: “{c.quote}”" for c in answer.citations]
