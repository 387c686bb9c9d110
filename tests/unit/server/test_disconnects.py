"""Programs that go away: their calls stop, nothing stays taken, and each call has its trace all the same."""

import json
import random
import socket
import threading
from collections.abc import Iterator, Sequence

import httpx
import pytest

from core.assistants.api_calls import ApiCall
from core.errors import DiskFull, Unavailable
from core.records import Digest
from core.server.listening import listen
from core.server.service import Server
from core.server.tracing import Tracer
from core.workbench import Workbench
from tests.unit.server.test_api import wait_for

CLIENTS = 16
HELLO = [{"role": "user", "content": "Hello there"}]


@pytest.fixture
def alone(bench: Workbench, token: str) -> Iterator[Server]:
    """A server of this test's own."""
    made = Server(bench, listen(0))
    yield made
    made.stop()


def request(server: Server, token: str, body: dict[str, object]) -> bytes:
    content = json.dumps(body).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nAuthorization: Bearer {token}\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content


def users(bench: Workbench) -> int:
    """Requests that hold a place at a model."""
    return sum(held.requests for held in bench.engine.loaded())


def traces(bench: Workbench) -> dict[str, ApiCall]:
    return {call.request_id: call for _, call in bench.api_calls.list(100_000)}


def test_a_program_that_goes_stops_its_answer(bench: Workbench, alone: Server, token: str, templated: str) -> None:
    body = {"model": templated, "messages": HELLO, "stream": True, "max_tokens": 1900, "seed": 1}
    with socket.create_connection(("127.0.0.1", alone.port)) as raw:
        raw.sendall(request(alone, token, body))
        begun = b""
        while b"content" not in begun:
            begun += raw.recv(4096)
    wait_for(lambda: alone.running == 0)
    ((_, call),) = bench.api_calls.list(1)
    assert (call.status, call.finish) == (499, ())
    assert 0 < len(call.answers[0]) < 5000
    assert users(bench) == 0


def test_a_program_that_goes_before_the_first_word_stops_too(
    bench: Workbench, alone: Server, token: str, templated: str
) -> None:
    """Others compute; the one that waits in line is gone before its turn."""
    long = {"model": templated, "messages": HELLO, "stream": True, "max_tokens": 1900, "seed": 1}
    with socket.create_connection(("127.0.0.1", alone.port)) as first:
        first.sendall(request(alone, token, long))
        while b"content" not in first.recv(4096):
            pass
        with socket.create_connection(("127.0.0.1", alone.port)) as second:
            second.sendall(request(alone, token, long | {"stream": False}))
            wait_for(lambda: users(bench) == 2)
        wait_for(lambda: alone.running == 1)
        ((_, call),) = bench.api_calls.list(1)
        assert (call.status, call.answers) == (499, ("",))
    wait_for(lambda: alone.running == 0)
    assert users(bench) == 0


def test_stopping_ends_calls_and_closes_the_port(bench: Workbench, alone: Server, token: str, templated: str) -> None:
    body = {"model": templated, "messages": HELLO, "stream": True, "max_tokens": 1900, "seed": 1}
    with socket.create_connection(("127.0.0.1", alone.port)) as raw:
        raw.sendall(request(alone, token, body))
        while b"content" not in raw.recv(4096):
            pass
        alone.stop()
        rest = b""
        while some := raw.recv(65536):
            rest += some
    assert b'"code":"cancelled"' in rest, "a cut answer never looks whole"
    assert b"[DONE]" not in rest
    ((_, call),) = bench.api_calls.list(1)
    assert call.status == 499
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", alone.port), timeout=1)
    alone.stop()


def storm(server: Server, token: str, calls: int, seed: int) -> int:
    """`calls` calls by 16 programs, of which many leave at some moment; how many stayed to the end."""
    stayed = 0
    counting = threading.Lock()

    def program(number: int) -> None:
        nonlocal stayed
        chance = random.Random(seed * 1000 + number)
        for _ in range(calls // CLIENTS):
            body: dict[str, object] = {
                "model": "fake",
                "messages": HELLO,
                "seed": chance.randrange(9),
                "temperature": 1,
            }
            body["stream"] = chance.random() < 0.6
            leaves = chance.random() < 0.5
            with socket.create_connection(("127.0.0.1", server.port), timeout=120) as raw:
                raw.sendall(request(server, token, body))
                wanted = chance.randrange(0, 3000) if leaves else 1 << 30
                got = b""
                while len(got) < wanted:
                    if (some := raw.recv(min(4096, wanted - len(got)))) == b"":
                        break
                    got += some
                    whole = b"0\r\n\r\n" in got if body["stream"] else b'"trace":' in got and got.endswith(b"}}")
                    if whole:
                        break
                if not leaves:
                    assert b" 200 OK" in got[:20]
                    assert b'"trace"' in got
                    with counting:
                        stayed += 1

    failed: list[BaseException] = []

    def guarded(number: int) -> None:
        try:
            program(number)
        except BaseException as error:  # noqa: BLE001 (told by the test)
            failed.append(error)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, failed[:3]
    return stayed


def check_storm(bench: Workbench, server: Server, token: str, calls: int) -> None:
    lines: list[str] = []
    server.listen(lambda line: lines.append(line.request_id) if line.method == "POST" else None)
    before = traces(bench)
    stayed = storm(server, token, calls, seed=11)
    wait_for(lambda: server.running == 0 and len(lines) == calls // CLIENTS * CLIENTS)
    new = {name: call for name, call in traces(bench).items() if name not in before}
    assert set(new) == set(lines), "every call has one trace"
    assert {call.status for call in new.values()} <= {200, 499}
    assert stayed <= sum(call.status == 200 for call in new.values())
    assert users(bench) == 0
    assert not bench.jobs.running()
    body = {"model": "fake", "messages": HELLO}
    answer = httpx.post(
        f"{server.address}/chat/completions", json=body, headers={"Authorization": f"Bearer {token}"}, timeout=120
    )
    assert answer.status_code == 200


def test_a_storm_of_programs_that_leave_takes_nothing_with_it(bench: Workbench, alone: Server, token: str) -> None:
    check_storm(bench, alone, token, 96)


@pytest.mark.slow
def test_a_thousand_calls_of_programs_that_leave(bench: Workbench, alone: Server, token: str) -> None:
    check_storm(bench, alone, token, 1008)


def test_an_answer_without_its_trace_is_not_given(
    bench: Workbench, alone: Server, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(calls: Sequence[ApiCall]) -> tuple[Digest, ...]:
        raise DiskFull(path="the vault")

    monkeypatch.setattr(alone._work._tracer, "_keep", full)
    body = {"model": "fake", "messages": HELLO}
    headers = {"Authorization": f"Bearer {token}"}
    whole = httpx.post(f"{alone.address}/chat/completions", json=body, headers=headers, timeout=120)
    assert (whole.status_code, "choices" in whole.json()) == (507, False)
    stream = httpx.post(
        f"{alone.address}/chat/completions", json=body | {"stream": True}, headers=headers, timeout=120
    ).text
    assert "the disk is full" in stream
    assert "[DONE]" not in stream


def test_traces_that_come_at_once_are_stored_together() -> None:
    changes: list[int] = []
    holding = threading.Event()

    def keep(calls: Sequence[ApiCall]) -> tuple[Digest, ...]:
        changes.append(len(calls))
        holding.wait(120)
        if any(call.status == 500 for call in calls):
            raise Unavailable(what="The vault", step="")
        return tuple(Digest(call.request_id) for call in calls)

    tracer, found = Tracer(keep), {}

    def store(name: str) -> None:
        found[name] = tracer.store(ApiCall(path="/", request_id=name, token="t", began="", request="", status=200))

    threads = [threading.Thread(target=store, args=(f"c{number}",)) for number in range(9)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(tracer._line) == 8)
    holding.set()
    for thread in threads:
        thread.join()
    assert found == {f"c{number}": f"c{number}" for number in range(9)}
    assert changes == [1, 8]
    with pytest.raises(Unavailable):
        tracer.store(ApiCall(path="/", request_id="x", token="t", began="", request="", status=500))
