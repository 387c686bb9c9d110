"""Connections that say slowly what they want, say nothing, or are too many."""

import socket
import time
from collections.abc import Callable

import httpx
import pytest

from core.server.connections import Connection
from core.server.service import Server
from tests.unit.server.test_api import HELLO, wait_for

SHORT = 0.3


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "head_seconds", SHORT)


def everything(raw: socket.socket) -> bytes:
    raw.settimeout(20)
    found = b""
    while some := raw.recv(65536):
        found += some
    return found


def answered(raw: socket.socket) -> bool:
    raw.settimeout(20)
    found = b""
    while not found.endswith(b'{"status":"ok"}'):
        some = raw.recv(65536)
        if not some:
            return False
        found += some
    return True


def ask(server: Server) -> bytes:
    return f"GET /health HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode()


@pytest.mark.usefixtures("impatient")
def test_half_a_head_is_not_waited_for(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as raw:
        raw.sendall(ask(server)[:-6])
        assert everything(raw).startswith(b"HTTP/1.1 408 ")
    with socket.create_connection(("127.0.0.1", server.port)) as raw:
        assert everything(raw) == b""  # said nothing


@pytest.mark.usefixtures("impatient")
def test_a_head_that_drips_in_is_not_waited_for_longer(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as raw:
        try:
            for byte in ask(server) * 100:
                raw.sendall(bytes((byte,)))
                time.sleep(SHORT / 20)
        except OSError:
            return
        pytest.fail("it was waited for")


@pytest.mark.usefixtures("impatient")
def test_a_later_request_of_a_connection_has_the_same_time(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as raw:
        raw.sendall(ask(server))
        assert answered(raw)
        time.sleep(SHORT * 2)  # a connection between two requests is left open
        raw.sendall(ask(server))
        assert answered(raw)
        raw.sendall(ask(server)[:20])
        assert everything(raw).startswith(b"HTTP/1.1 408 ")


@pytest.mark.usefixtures("impatient")
def test_half_a_head_behind_another_request_has_it_too(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as raw:
        raw.sendall(ask(server) + ask(server)[:20])
        assert b"HTTP/1.1 408 " in everything(raw)


@pytest.mark.usefixtures("impatient")
def test_an_answer_may_take_longer(post: Callable[..., httpx.Response], http: httpx.Client, server: Server) -> None:
    from core.server.app import POSTS

    def slowly() -> object:
        yield b'{"model": "fake", '
        time.sleep(SHORT * 2)
        yield b'"messages": [{"role": "user", "content": "Hello"}]}'

    path = next(iter(POSTS))
    answer = http.post(path, content=slowly(), headers={"Content-Type": "application/json"})  # type: ignore[arg-type]
    assert answer.status_code == 200
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
