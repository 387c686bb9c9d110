"""`assay serve` and `assay token`: the local API of a vault, and the tokens that programs show it.

The socket is made by the process that the person started, before its barrier is raised (`listening_for`). Where another process has the vault open,
it is handed over: the API is served there for the joined person, under their roles, until they stop the command.
"""

import socket
import threading
import time
from collections.abc import Sequence

import click
import msgspec

from core.cli.output import table
from core.cli.session import Session, pass_session
from core.errors import AlreadyExists, AssayError
from core.vault import api_tokens
from core.vault.api_tokens import PER_MINUTE, ApiToken, MakeToken
from core.workbench import Workbench

PORT = 11535
FIRST = "first"
"""The token that is made where there is none."""


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="0 takes a free one.")
@click.option("--token", "token_name", metavar="NAME", help="Make a token of that name and print it, once.")
@click.option("--quiet", is_flag=True, help="Don't print a line for each request.")
@pass_session
def serve(session: Session, port: int, token_name: str | None, quiet: bool) -> None:
    """Serve the vault's models and collections to programs on this machine, in the form of OpenAI's API.

    Listens on 127.0.0.1 only. Each program shows a token (`assay token`); each call leaves a trace in the vault."""
    with session.workbench() as bench:
        session.console.stays()
        listening = session.console.listening()
        from core.server.app import Line
        from core.server.service import Server

        try:
            made, secret = _token(bench, token_name)
            server = Server(bench, listening)
        except BaseException:
            listening.close()
            raise
        stop = threading.Event()
        job = session.output.quiet_job("Serving")
        job.on_cancel(stop.set)
        names = [one.name for one in _in_force(bench)]
        lines = [f"Serving {session.as_given(session.folder)} on {server.address}, for {bench.vault.user.user}."]
        if secret:
            lines += [f"Token {made}, shown this once: {secret}"]
        lines += [f"Tokens in force: {', '.join(names)}. Ctrl-C stops it."]
        content = {"address": server.address, "port": server.port, "user": bench.vault.user.user, "tokens": names}
        session.output.result(content | ({"name": made, "token": secret} if secret else {}), lines)

        def told(line: Line) -> None:
            at = time.strftime("%H:%M:%S", time.localtime(line.time))
            session.output.say(
                f"{at}  {line.method} {line.path}  {line.status}  {line.seconds:.3f} s  {line.token or 'no token'}"
            )

        if not quiet:
            server.listen(told)
        while not stop.wait(0.5):
            pass
        server.stop()
        session.output.say("The API is stopped. Every call has its trace in the vault.")


@click.group()
def token() -> None:
    """Tokens of the local API."""


@token.command()
@click.argument("name")
@click.option("--per-minute", default=PER_MINUTE, show_default=True, help="Requests a minute; 0 for no limit.")
@click.option("--per-day", default=0, show_default=True, help="Model tokens read and written in a day; 0 for no limit.")
@pass_session
def make(session: Session, name: str, per_minute: int, per_day: int) -> None:
    """Make a token for a program. It is shown this once; the vault keeps a hash."""
    with session.workbench() as bench:
        wanted = MakeToken(name=name, requests_per_minute=per_minute, tokens_per_day=per_day)
        made, secret = api_tokens.make(bench.vault, wanted)
        session.output.result(
            msgspec.to_builtins(made) | {"token": secret}, [f"Token {made.name}, shown this once: {secret}"]
        )


@token.command("list")
@pass_session
def list_tokens(session: Session) -> None:
    """Everybody's tokens, without what programs show."""
    with session.workbench() as bench:
        with bench.vault.read() as reader:
            known = api_tokens.tokens(reader)
        session.output.result(
            {"tokens": [msgspec.to_builtins(one) for one in known]},
            table(
                ("name", "of", "made", "a minute", "a day", "revoked"),
                [
                    (
                        one.name,
                        one.user,
                        one.made[:10],
                        str(one.requests_per_minute or "-"),
                        str(one.tokens_per_day or "-"),
                        one.revoked[:10],
                    )
                    for one in known
                ],
                "There are no tokens; `assay token make NAME` makes one.",
            ),
        )


@token.command()
@click.argument("name")
@pass_session
def revoke(session: Session, name: str) -> None:
    """End a token at once."""
    with session.workbench() as bench:
        ended = api_tokens.revoke(bench.vault, name)
        session.output.result({"name": ended.name, "user": ended.user}, [f"{ended.name} opens nothing any more."])


def listening_for(name: str | None, arguments: Sequence[str]) -> "socket.socket | AssayError | None":
    """The socket for a command line that serves, or why there is none; None for every other command."""
    if name != serve.name:
        return None
    from core.server.listening import listen

    try:
        return listen(serve.make_context("serve", list(arguments), resilient_parsing=True).params["port"] or 0)
    except AssayError as error:
        return error


def _token(bench: Workbench, name: str | None) -> tuple[str, str]:
    """The name and the token that is made: the one that was asked for, or the person's first one; else empty."""
    if name is None and _in_force(bench):
        return "", ""
    number = 1
    while True:
        wanted = name or (FIRST if number == 1 else f"{FIRST}-{number}")
        try:
            made, secret = api_tokens.make(bench.vault, MakeToken(name=wanted))
            return made.name, secret
        except AlreadyExists:
            if name is not None:
                raise
            number += 1


def _in_force(bench: Workbench) -> list[ApiToken]:
    with bench.vault.read() as reader:
        return [one for one in api_tokens.tokens(reader) if one.user == bench.vault.user.user and not one.revoked]
