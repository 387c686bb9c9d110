"""The local API of the window, started and stopped off the UI thread, and the tokens that programs show.

Behind the barrier a process makes no socket but those of the display; what listens comes from a broker that was started before. `begin` is called
once, first of all; without it (in tests, or where a system has no barrier) sockets are made when they are needed.
"""

from typing import TYPE_CHECKING

import msgspec

from core import settings
from core.errors import AssayError
from core.server.broker import Broker
from core.server.listening import listen
from core.server.local_api import LocalApi

if TYPE_CHECKING:
    from core.jobs import Job
    from core.vault.api_tokens import ApiToken, MakeToken
    from core.workbench import Workbench

_api = LocalApi(listen)


def begin() -> None:
    """Before the barrier is raised, and before there is a thread."""
    global _api
    _api = LocalApi(Broker.start().listen)


def api() -> LocalApi:
    """The window's API; off until somebody starts it."""
    return _api


def wanted_port() -> int:
    """The port that was used last, or the usual one."""
    try:
        return settings.load().api_port
    except AssayError:
        return settings.Settings().api_port


def start(bench: "Workbench", job: "Job", port: int) -> str:
    """Serve, and keep the port for the next time; the address. Raises `Unavailable` (the port is taken), `Refused`."""
    address = api().start(bench, port)
    known = settings.load()
    if known.api_port != port:
        settings.save(msgspec.structs.replace(known, api_port=port))
    return address


def tokens(bench: "Workbench", job: "Job") -> "tuple[ApiToken, ...]":
    """Everybody's tokens that were ever made, newest first."""
    from core.vault import api_tokens

    with bench.vault.read() as reader:
        return tuple(reversed(api_tokens.tokens(reader)))


def make_token(bench: "Workbench", wanted: "MakeToken") -> "tuple[ApiToken, str]":
    """A new token, and the token itself, which nobody can show again."""
    from core.vault import api_tokens

    return api_tokens.make(bench.vault, wanted)


def revoke_token(bench: "Workbench", name: str) -> "ApiToken":
    """End a token."""
    from core.vault import api_tokens

    return api_tokens.revoke(bench.vault, name)
