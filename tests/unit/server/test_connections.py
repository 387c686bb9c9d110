"""Connections that say slowly what they want, say nothing, or are too many."""

import contextlib
import socket
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from core.server.connections import Connection
from core.server.service import Server
from tests.unit.server.test_api import HELLO, wait_for

Attempt = Callable[[float], bool]


@pytest.fixture
def within(monkeypatch: pytest.MonkeyPatch) -> Callable[[Attempt], bool]:
    """`within(attempt)`: whether it goes as `attempt(seconds)` has it where a head has so long; on a busy machine, where what is sent
    at once comes late, it is tried with more."""

    def made(attempt: Attempt) -> bool:
        for seconds in (0.3, 3.0, 30.0):
            monkeypatch.setattr(Connection, "head_seconds", seconds)
            with contextlib.suppress(ConnectionError):
                if attempt(seconds):
                    return True
        return False

    return made


def everything(raw: socket.socket) -> bytes:
    raw.settimeout(120)
    found = b""
    while some := raw.recv(65536):
        found += some
    return found


def answered(raw: socket.socket) -> bool:
    raw.settimeout(120)
    found = b""
    while not found.endswith(b'{"status":"ok"}'):
        some = raw.recv(65536)
        if not some:
            return False
        found += some
    return True


def ask(server: Server) -> bytes:
    return f"GET /health HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode()


def test_half_a_head_is_not_waited_for(server: Server, within: Callable[[Attempt], bool]) -> None:
    def half(_: float) -> bool:
        with socket.create_connection(("127.0.0.1", server.port)) as raw:
            raw.sendall(ask(server)[:-6])
            return everything(raw).startswith(b"HTTP/1.1 408 ")

    assert within(half)
    with socket.create_connection(("127.0.0.1", server.port)) as raw:
        assert everything(raw) == b""  # said nothing


def test_a_head_that_drips_in_is_not_waited_for_longer(server: Server, within: Callable[[Attempt], bool]) -> None:
    def drip(seconds: float) -> bool:
        with socket.create_connection(("127.0.0.1", server.port)) as raw:
            try:
                for byte in ask(server) * 100:
                    raw.sendall(bytes((byte,)))
                    time.sleep(seconds / 20)
            except OSError:
                return True
        pytest.fail("it was waited for")

    assert within(drip)


def test_a_later_request_of_a_connection_has_the_same_time(server: Server, within: Callable[[Attempt], bool]) -> None:
    def again(seconds: float) -> bool:
        with socket.create_connection(("127.0.0.1", server.port)) as raw:
            raw.sendall(ask(server))
            if not answered(raw):
                return False
            time.sleep(seconds * 2)  # a connection between two requests is left open
            raw.sendall(ask(server))
            if not answered(raw):
                return False
            raw.sendall(ask(server)[:20])
            return everything(raw).startswith(b"HTTP/1.1 408 ")

    assert within(again)


def test_half_a_head_behind_another_request_has_it_too(server: Server, within: Callable[[Attempt], bool]) -> None:
    def behind(_: float) -> bool:
        with socket.create_connection(("127.0.0.1", server.port)) as raw:
            raw.sendall(ask(server) + ask(server)[:20])
            return b"HTTP/1.1 408 " in everything(raw)

    assert within(behind)


def test_an_answer_may_take_longer(
    post: Callable[..., httpx.Response], http: httpx.Client, within: Callable[[Attempt], bool]
) -> None:
    from core.server.app import POSTS

    path = next(iter(POSTS))

    def slow(seconds: float) -> bool:
        def slowly() -> Iterator[bytes]:
            yield b'{"model": "fake", '
            time.sleep(seconds * 2)
            yield b'"messages": [{"role": "user", "content": "Hello"}]}'

        with contextlib.suppress(httpx.TransportError):
            answer = http.post(path, content=slowly(), headers={"Content-Type": "application/json"})
            return answer.status_code == 200
        return False

    assert within(slow)
    assert post(path, model="fake", messages=HELLO).status_code == 200


def test_too_many_connections_are_closed(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def open_one() -> socket.socket:
        return socket.create_connection(("127.0.0.1", server.port))

    monkeypatch.setattr(Connection, "most", 0)
    with open_one() as raw:
        assert everything(raw) == b""
    monkeypatch.setattr(Connection, "most", 512)

    def answers() -> bool:
        with open_one() as raw:
            raw.sendall(ask(server))
            return answered(raw)

    wait_for(answers)
