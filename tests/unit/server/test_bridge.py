"""Items cross from a thread to the loop whole and in order, whether the loop deals with them at once or gives them back."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterable

import pytest

from core.server.bridge import Bridge
from core.server.service import Server

ITEMS = 3000


@pytest.mark.parametrize("refused", [(), range(ITEMS), range(0, ITEMS, 7), range(1000, 2000)])
def test_items_come_once_each_and_in_order_whatever_is_dealt_with_at_once(refused: Iterable[int]) -> None:
    left = frozenset(refused)

    async def run() -> tuple[list[int], set[int]]:
        bridge: Bridge[int] = Bridge(asyncio.get_running_loop())
        seen: list[int] = []
        given: set[int] = set()

        def now(item: int) -> bool:
            if item in left or item == ITEMS:
                return False
            seen.append(item)
            return True

        def put() -> None:
            for item in range(ITEMS + 1):
                bridge.put(item)

        thread = threading.Thread(target=put)
        thread.start()
        while ITEMS not in seen:
            found = await bridge.take(now)
            assert found
            given.update(found)
            seen += found
        thread.join()
        return seen, given

    seen, given = asyncio.run(run())
    assert seen == list(range(ITEMS + 1))
    assert left <= given


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_stream_has_the_form_that_its_program_reads(server: Server, token: str, version: str) -> None:
    body = json.dumps({"model": "fake", "prompt": "Tell me", "stream": True, "max_tokens": 40, "seed": 1}).encode()
    head = (
        f"POST /v1/completions HTTP/{version}\r\nHost: 127.0.0.1:{server.port}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=120) as raw:
        raw.sendall(head.encode() + body)
        with raw.makefile("rb") as file:
            answer = file.read()
    first, _, content = answer.partition(b"\r\n\r\n")
    assert b" 200 " in first.split(b"\r\n")[0]
    if b"transfer-encoding: chunked" in first.lower():
        assert version == "1.1"
        content = unchunked(content)
    events = content.split(b"\n\n")
    assert events[-2:] == [b"data: [DONE]", b""]
    assert all(event.startswith(b"data: {") for event in events[:-2])
    texts = [choice["text"] for event in events[:-2] for choice in json.loads(event[6:])["choices"]]
    assert len(texts) > 2


def unchunked(content: bytes) -> bytes:
    """A body of chunks, which must end as such bodies do."""
    whole = b""
    while True:
        size, _, content = content.partition(b"\r\n")
        length = int(size, 16)
        assert content[length : length + 2] == b"\r\n"
        whole, content = whole + content[:length], content[length + 2 :]
        if not length:
            assert content == b""
            return whole
