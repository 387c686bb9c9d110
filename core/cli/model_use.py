"""`assay model tokens` and `assay model rerank`: what a model sees of a prompt, and what a reranker makes of texts."""

import json
from pathlib import Path
from typing import Final

import click
import msgspec

from core.cli.output import table
from core.cli.session import FILE, Session, pass_session
from core.errors import BadInput
from core.inference.records import MODES, TEXT, Generate, Message, PromptToken

LARGEST: Final = 16_000_000
"""Bytes of a file of messages."""


@click.command()
@click.argument("name")
@click.argument("text", required=False)
@click.option("--messages", metavar="FILE", type=FILE, help="A JSON list of turns, each with a role and a content.")
@click.option(
    "--mode",
    type=click.Choice(MODES),
    default="fast",
    show_default=True,
    help="Templates that write the date write today's in fast mode, and always the same one in reproducible mode.",
)
@click.option("--as-is", is_flag=True, help="TEXT goes to the model without its chat template.")
@pass_session
def tokens(session: Session, name: str, text: str | None, messages: Path | None, mode: str, as_is: bool) -> None:
    """Show what a model sees, token by token. TEXT is put to it as one question; nothing is generated."""
    if (text is None) == (messages is None) or (as_is and messages is not None):
        raise click.UsageError("Give TEXT, with --as-is or without, or --messages FILE.")
    with session.workbench() as bench:
        turns = read_messages(messages) if messages is not None else (_turn(text or "", as_is),)
        request = Generate(model=name, messages=turns, mode=mode)
        shown = bench.engine.tokens(request, session.output.quiet_job("Tokens"))
        session.output.result(
            {
                "model": name,
                "prompt": shown.prompt,
                "tokens": [
                    {"id": t.id, "text": t.text, "special": t.special, "message": t.message} for t in shown.tokens
                ],
                "window": shown.window,
            },
            [
                *table(
                    ("", "id", "message", "kind", "text"), [_row(n, token) for n, token in enumerate(shown.tokens, 1)]
                ),
                f"{len(shown.tokens)} tokens; the window holds {shown.window}, the answer included.",
            ],
        )


@click.command()
@click.argument("name")
@click.argument("query")
@click.argument("texts", nargs=-1, required=True)
@pass_session
def rerank(session: Session, name: str, query: str, texts: tuple[str, ...]) -> None:
    """Score how well each of TEXTS answers QUERY, with a reranking model; the best comes first."""
    with session.workbench() as bench:
        scores = bench.engine.rerank(query, texts, name, session.output.quiet_job("Rerank"))
        best = sorted(range(len(texts)), key=lambda number: -scores[number])
        session.output.result(
            {"model": name, "results": [{"index": n, "score": scores[n], "text": texts[n]} for n in best]},
            table(("score", "text"), [(f"{scores[n]:.3f}", _quoted(texts[n])) for n in best]),
        )


def read_messages(path: Path) -> tuple[Message, ...]:
    """The turns in a file. Raises `BadInput`."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise BadInput(source=path.name, problem=f"over {LARGEST // 1_000_000} MB. No model takes that much in.")
        return msgspec.json.decode(data, type=tuple[Message, ...])
    except OSError as error:
        raise BadInput(source=path.name, problem=f"it can't be read ({error.strerror}).") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(
            source=path.name, problem=f'{error}. Give a list like [{{"role": "user", "content": "Why?"}}].'
        ) from error


def _turn(text: str, as_is: bool) -> Message:
    return Message(role=TEXT if as_is else "user", content=text)


def _row(number: int, token: PromptToken) -> tuple[str, ...]:
    message = "" if token.message is None else str(token.message)
    return str(number), str(token.id), message, "special" if token.special else "text", _quoted(token.text)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
