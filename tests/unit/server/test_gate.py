"""Who gets nothing: pages of other origins, names that were pointed at this machine, wrong tokens, too much at once."""

import socket
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
from starlette.testclient import TestClient

from core.errors import BadInput, Refused, Unavailable
from core.server import app
from core.server.app import Api
from core.server.gate import Gate
from core.server.limits import Limits
from core.server.listening import listen
from core.server.service import Server
from core.server.tracing import Tracer
from core.server.work import Work
from core.vault import api_tokens
from core.vault.api_tokens import ApiToken, MakeToken
from core.vault.vault import Vault
from core.workbench import SCHEMA, Workbench

ASKED = {"model": "fake", "messages": [{"role": "user", "content": "Hello"}]}
POST = "/v1/chat/completions"


def traces(bench: Workbench) -> int:
    return len(bench.api_calls.list(10_000))


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:{port}"},
        {"Host": "127.0.0.1"},
        {"Host": "127.0.0.1:1"},
        {"Host": "127.0.0.1.evil.example:{port}"},
        {"Host": "[::1]:{port}"},
        {"Host": "0.0.0.0:{port}"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:{port}"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "same-origin"},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    ("method", "path"), [("POST", POST), ("GET", "/v1/models"), ("GET", "/health"), ("OPTIONS", POST)]
)
def test_pages_and_borrowed_names_get_nothing(
    http: httpx.Client, server: Server, bench: Workbench, headers: dict[str, str], method: str, path: str
) -> None:
    before = traces(bench)
    sent = {name: value.replace("{port}", str(server.port)) for name, value in headers.items()}
    answer = http.request(method, path, json=ASKED if method == "POST" else None, headers=sent)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "foreign_request")
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert traces(bench) == before


def test_a_preflight_is_refused_and_no_answer_speaks_of_other_origins(http: httpx.Client) -> None:
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    assert http.request("OPTIONS", POST, headers=asked).status_code == 403
    for answer in (http.get("/health"), http.get("/v1/models"), http.post(POST, json=ASKED)):
        assert answer.status_code == 200
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-request-id"].startswith("req-")


def test_requests_with_two_hosts_or_none_get_nothing(server: Server, token: str) -> None:
    for hosts in ("", f"Host: 127.0.0.1:{server.port}\r\nHost: evil.example\r\n"):
        with socket.create_connection(("127.0.0.1", server.port)) as raw:
            raw.sendall(
                f"GET /v1/models HTTP/1.1\r\n{hosts}Authorization: Bearer {token}\r\nConnection: close\r\n\r\n".encode()
            )
            answer = b""
            while some := raw.recv(65536):
                answer += some
        assert answer.split(b" ")[1] in (b"400", b"403")
        assert b"fake" not in answer
        assert b"object" not in answer


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_what_a_form_of_a_page_can_send_is_refused(http: httpx.Client, kind: str) -> None:
    answer = http.post(POST, content=b'{"model": "fake"}', headers={"Content-Type": kind} if kind else {})
    assert answer.status_code == 415


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer assay-wrong", "Basic {token}", "{token}", "Bearer {token}x"])
def test_without_a_token_in_force_nobody_is_let_in(http: httpx.Client, token: str, given: str) -> None:
    answer = http.get("/v1/models", headers={"Authorization": given.replace("{token}", token)})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert token not in answer.text


def test_a_token_holds_from_its_making_to_its_end(http: httpx.Client, bench: Workbench) -> None:
    _, secret = api_tokens.make(bench.vault, MakeToken(name="short"))
    mine = {"Authorization": f"Bearer {secret}"}
    assert http.get("/v1/models", headers=mine).status_code == 200
    api_tokens.revoke(bench.vault, "short")
    assert http.get("/v1/models", headers=mine).status_code == 401


def test_the_vault_keeps_no_token_and_no_trace_names_more_than_its_name(bench: Workbench, token: str) -> None:
    with bench.vault.read() as reader:
        rows = reader.db.execute("SELECT * FROM api_tokens").fetchall()
        kept = reader.db.execute("SELECT content FROM records WHERE kind = 'api-call'").fetchall()
        logged = reader.db.execute("SELECT entry FROM log").fetchall()
    assert any("tests" in row for row in rows)
    secret = token.removeprefix(api_tokens.PREFIX)
    for row in (*rows, *kept, *logged):
        assert secret not in repr(row)


def test_the_paths_that_there_are_and_their_methods(http: httpx.Client) -> None:
    assert http.get("/health").json() == {"status": "ok"}
    assert http.get("/").json()["error"]["code"] == "unknown_url"
    assert http.get(POST).status_code == 405
    assert http.post("/v1/images/generations", json={}).status_code == 404


def test_a_large_body_is_refused_before_it_is_read(http: httpx.Client, server: Server) -> None:
    assert http.post(POST, json=ASKED | {"user": "x" * app.LARGEST_BODY}).status_code == 413
    head = f"POST {POST} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Type: application/json\r\n"
    head += f"Authorization: {http.headers['authorization']}\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port)) as raw:  # says nothing of its length
        raw.sendall(head.encode())
        chunk = f"{1 << 20:x}\r\n".encode() + b"x" * (1 << 20) + b"\r\n"
        try:
            for _ in range(app.LARGEST_BODY // (1 << 20) + 1):
                raw.sendall(chunk)
        except OSError:
            pass
        assert raw.recv(100).split(b" ")[1] == b"413"


def test_a_compressed_body_is_refused(http: httpx.Client) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert http.post(POST, content=b"\x1f\x8b", headers=headers).status_code == 415


@pytest.fixture
def inside(bench: Workbench) -> Iterator[Callable[[str], TestClient]]:
    """The application without a socket."""
    limits = Limits(bench.api_calls.used, time.monotonic)
    work = Work(Tracer(bench.api_calls.keep), limits)
    gate = Gate(bench.vault, limits, 8000)
    api = Api(bench, gate, work, lambda line: None)
    clients = []

    def make(secret: str) -> TestClient:
        gate.renew()
        clients.append(TestClient(api, base_url="http://127.0.0.1:8000", headers={"Authorization": f"Bearer {secret}"}))
        return clients[-1]

    yield make
    work.stop()


def test_a_token_has_its_requests_a_minute_and_its_tokens_a_day(
    inside: Callable[[str], TestClient], bench: Workbench
) -> None:
    _, few = api_tokens.make(bench.vault, MakeToken(name="few", requests_per_minute=2))
    _, little = api_tokens.make(bench.vault, MakeToken(name="little", tokens_per_day=5))
    client = inside(few)
    assert [client.get("/v1/models").status_code for _ in range(3)] == [200, 200, 429]
    refused = client.post(POST, json=ASKED)
    assert (refused.json()["error"]["code"], refused.headers["retry-after"]) == ("rate_limit_exceeded", "30")
    client = inside(little)
    assert client.post(POST, json=ASKED).status_code == 200
    assert client.post(POST, json=ASKED).json()["error"]["code"] == "insufficient_quota"
    afresh = Gate(bench.vault, Limits(bench.api_calls.used, time.monotonic), 8000)
    headers = [(b"host", b"127.0.0.1:8000"), (b"authorization", f"Bearer {little}".encode())]
    assert getattr(afresh.check(POST, headers), "code", "") == "insufficient_quota", "a new start forgets nothing"


def test_minutes_and_days_go_on() -> None:
    now, day = 0.0, "2026-01-31"
    limits = Limits(lambda day: {"t": 90} if day == "2026-01-31" else {}, lambda: now, lambda: day)
    token = ApiToken(name="t", user="u", made="", requests_per_minute=2, tokens_per_day=100)
    assert [limits.ask(token) is None for _ in range(3)] == [True, True, False]
    now = 29.0
    assert limits.ask(token) is not None
    now = 30.0
    assert limits.ask(token) is None
    limits.add("t", 10)
    now = 600.0
    refused = limits.ask(token)
    assert refused is not None
    assert refused.code == "insufficient_quota"
    day = "2026-02-01"
    assert limits.ask(token) is None


@pytest.mark.parametrize("address", ["0.0.0.0", "", "::", "192.168.1.2", "localhost"])  # noqa: S104
def test_no_other_address_is_listened_on(address: str) -> None:
    with pytest.raises(BadInput, match="listens on"):
        listen(0, address)


def test_a_socket_on_another_address_is_not_served(bench: Workbench) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.2", 0))
        other.listen()
        with pytest.raises(BadInput, match="listens on"):
            Server(bench, other)


def test_a_port_that_is_taken_is_told(server: Server) -> None:
    with pytest.raises(Unavailable, match="another program has it"):
        listen(server.port)


def test_who_may_not_ask_may_not_serve(vault_factory: Callable[..., Vault]) -> None:
    vault = vault_factory(SCHEMA)
    with vault.confirm("seven lanterns by the river") as signer:
        from core.vault import people
        from tests.conftest import weak_kdf

        people.add(vault, signer, "audrey", "Audrey", ("auditor",), "a bell rings under the lake", kdf=weak_kdf)
    vault.close()
    with Workbench(Vault.open(vault.folder, "audrey", "a bell rings under the lake", SCHEMA)) as bench:
        with listen(0) as made, pytest.raises(Refused, match="author, reviewer"):
            Server(bench, made)
        with pytest.raises(Refused):
            api_tokens.make(bench.vault, MakeToken(name="mine"))


def test_anothers_token_opens_nothing_here(vault_factory: Callable[..., Vault], reopen: Callable[..., Vault]) -> None:
    vault = vault_factory(SCHEMA)
    _, secret = api_tokens.make(vault, MakeToken(name="hers"))
    again = reopen(vault, "tomas", SCHEMA)
    gate = Gate(again, Limits(lambda day: {}, time.monotonic), 8000)
    headers = [(b"host", b"127.0.0.1:8000"), (b"authorization", f"Bearer {secret}".encode())]
    assert getattr(gate.check(POST, headers), "status", 0) == 401
    with pytest.raises(Refused, match="ines's"):
        api_tokens.revoke(again, "hers")


def test_names_of_tokens_are_given_once(bench: Workbench) -> None:
    from core.errors import AlreadyExists, NotFound

    api_tokens.make(bench.vault, MakeToken(name="once"))
    api_tokens.revoke(bench.vault, "once")
    with pytest.raises(AlreadyExists):
        api_tokens.make(bench.vault, MakeToken(name="once"))
    with pytest.raises(NotFound):
        api_tokens.revoke(bench.vault, "once")
    for name in ("", "Upper", "a b", "-a", "x" * 41):
        with pytest.raises(BadInput):
            api_tokens.make(bench.vault, MakeToken(name=name))
