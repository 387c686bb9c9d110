"""`assay serve` in a vault that is open elsewhere: served there on the joined person's own socket, under their name, until they are gone."""

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from core.cli import rendezvous
from core.cli.channels import Channel
from core.cli.main import LOCKED, execute
from core.cli.messages import Cancel, Given, frame, from_guest
from core.cli.sharing import Listener
from core.errors import BadInput, Unavailable
from core.records import Json
from core.server.listening import adopted, bind, listen
from core.vault import api_tokens
from core.vault.api_tokens import MakeToken
from core.workbench import Workbench
from tests.unit.cli.people import Person

pytestmark = pytest.mark.skipif(not rendezvous.SUPPORTED, reason="a second process is refused on this system")
People = Callable[..., Person]


@pytest.fixture
def listener(bench: Workbench) -> Iterator[Listener]:
    made = Listener(bench, execute)
    yield made
    made.stop(LOCKED)


def served(person: Person) -> tuple[threading.Thread, list[int], dict[str, Json]]:
    """A person's `assay serve`, once it says where."""
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(person("serve", "--json", "--quiet")))
    thread.start()
    while True:
        assert person.told.wait(120), person.errors
        person.told.clear()
        with suppress(ValueError):
            return thread, codes, json.loads(person.output)


def models(told: dict[str, Json], secret: str) -> httpx.Response:
    with httpx.Client(trust_env=False) as client:
        return client.get(f"{told['address']}/models", headers={"Authorization": f"Bearer {secret}"}, timeout=120)


def test_it_serves_the_joined_person_on_their_socket_until_they_are_stopped(
    bench: Workbench, listener: Listener, person: People
) -> None:
    _, of_ines = api_tokens.make(bench.vault, MakeToken(name="hers"))
    tomas = person("tomas")
    tomas._listening = listen(0)
    port = tomas._listening.getsockname()[1]
    thread, codes, told = served(tomas)
    assert (told["port"], told["user"]) == (port, "tomas")
    assert tomas._listening.fileno() == -1, "it listens in the other process alone"
    assert models(told, str(told["token"])).status_code == 200
    assert models(told, of_ines).status_code == 401, "each person's tokens are for what that person serves"
    listener.stop(LOCKED)
    thread.join(120)
    assert codes == [Unavailable.exit_code]
    with pytest.raises(httpx.ConnectError):
        models(told, str(told["token"]))
    with bench.vault.read() as reader:
        users = {entry.user for entry in reader.log(1000) if entry.act == "make-token" and entry.about != "hers"}
    assert users == {"tomas"}


def test_without_a_socket_it_says_why(bench: Workbench, listener: Listener, person: People) -> None:
    tomas = person("tomas")
    tomas._listening = Unavailable(what="Port 11535: another program has it", step="Choose another one.")
    assert tomas("serve") == Unavailable.exit_code
    assert "another program has it" in tomas.errors


def held(pipe: os.stat_result) -> int:
    """How many descriptors this process has of a pipe's ends."""
    found = 0
    for handle in Path("/dev/fd").iterdir():
        with suppress(OSError):
            there = os.fstat(int(handle.name))
            found += (there.st_dev, there.st_ino) == (pipe.st_dev, pipe.st_ino)
    return found


def test_only_what_listens_for_this_machine_is_taken_over() -> None:
    elsewhere = socket.socket()
    elsewhere.bind(("", 0))
    elsewhere.listen()
    others = [elsewhere, socket.socket(), bind(0), socket.socket(type=socket.SOCK_DGRAM), *socket.socketpair()]
    for other in others:
        with other, pytest.raises(BadInput):
            adopted(other.detach())
    reading, writing = os.pipe()
    os.close(writing)
    pipe = os.fstat(reading)
    with pytest.raises(BadInput):
        adopted(reading)
    assert held(pipe) == 0
    with listen(0) as fine:
        port = fine.getsockname()[1]
        with adopted(os.dup(fine.fileno())) as taken:
            assert taken.getsockname() == ("127.0.0.1", port)


def test_descriptors_that_nobody_asked_for_pile_up_nowhere() -> None:
    ours, theirs = socket.socketpair()
    channel = Channel(ours, from_guest, 120.0)
    reading, writing = os.pipe()

    def send(count: int) -> None:
        socket.send_fds(theirs, [frame(Given(text="x"))], [reading] * count)
        assert channel.receive() == Given(text="x")

    with theirs:
        pipe, before = os.fstat(reading), 2
        send(3)
        assert (channel.handle(), held(pipe)) == (-1, before), "before the person is known, none comes in"
        channel.known()
        channel.take_handles()
        for _ in range(20):
            send(5)
        assert held(pipe) == before + 1
        theirs.sendall(frame(Cancel()))
        assert channel.receive() == Cancel()
        channel.close()
        assert held(pipe) == before
    os.close(reading)
    os.close(writing)
