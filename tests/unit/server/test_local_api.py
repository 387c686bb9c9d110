"""The API as a window has it: on, off and on again, while its vault is open."""

import socket
from collections.abc import Callable, Iterator

import httpx
import pytest
from msgspec import structs

from core.errors import Refused, Unavailable
from core.server.app import Line
from core.server.listening import listen
from core.server.local_api import LocalApi
from core.vault import api_tokens
from core.vault.api_tokens import MakeToken
from core.vault.vault import Vault
from core.workbench import SCHEMA, Workbench


@pytest.fixture
def bench(vault_factory: Callable[..., Vault]) -> Iterator[Workbench]:
    with Workbench(vault_factory(SCHEMA)) as made:
        yield made


@pytest.fixture
def api() -> Iterator[LocalApi]:
    made = LocalApi(listen)
    yield made
    made.stop()


def test_it_is_started_stopped_and_started_again_on_the_same_port(api: LocalApi, bench: Workbench) -> None:
    _, secret = api_tokens.make(bench.vault, MakeToken(name="editor"))
    mine = {"Authorization": f"Bearer {secret}"}
    seen: list[Line] = []
    forget = api.listen(seen.append)
    assert (api.address, api.port, api.running, api.lines()) == ("", 0, 0, ())
    first = api.start(bench, 0)
    port = api.port
    assert first == api.address == f"http://127.0.0.1:{port}/v1"
    assert api.start(bench, 0) == first  # on already
    assert httpx.get(f"{first}/models", headers=mine, trust_env=False, timeout=120).status_code == 200
    api.stop()
    api.stop()
    assert (api.address, api.port) == ("", 0)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{first}/models", headers=mine, trust_env=False, timeout=120)
    assert api.start(bench, port) == first
    assert httpx.get(f"{first}/models", trust_env=False, timeout=120).status_code == 401
    api.stop()
    assert [(line.status, line.token) for line in api.lines()] == [(200, "editor"), (401, "")]
    assert tuple(seen) == api.lines()
    forget()


def test_closing_the_vault_stops_it_and_takes_the_log_along(api: LocalApi, vault_factory: Callable[..., Vault]) -> None:
    bench = Workbench(vault_factory(SCHEMA))
    address = api.start(bench, 0)
    httpx.get(f"{address}/models", trust_env=False, timeout=120)
    bench.close()
    assert (api.address, api.lines()) == ("", ())
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address}/models", trust_env=False, timeout=120)


def test_what_keeps_it_from_starting_leaves_it_off(
    api: LocalApi, bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listen(0) as other, pytest.raises(Unavailable, match="another program has it"):
        api.start(bench, other.getsockname()[1])
    made: list[socket.socket] = []

    def listening(port: int) -> socket.socket:
        made.append(listen(port))
        return made[-1]

    auditor = structs.replace(bench.vault.user, roles=("auditor",))
    monkeypatch.setattr(bench.vault, "user", auditor)
    with pytest.raises(Refused):
        LocalApi(listening).start(bench, 0)
    assert made[0].fileno() == -1
    assert api.address == ""
