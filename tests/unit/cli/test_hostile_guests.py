"""What connects to an open vault's socket need not be Assay: nothing that it sends or leaves out harms the vault, its owner or others."""

import contextlib
import os
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from core.cli import rendezvous, sharing
from core.cli.joining import run
from core.cli.main import LOCKED, execute
from core.cli.messages import FIRST_FRAMES, Cancel, Err, Given, Hello, Proof, Run, Sealed, Welcome, frame, program
from core.cli.rendezvous import Found, Notice, _private_folders, claim, find
from core.cli.sharing import Listener
from core.errors import Damaged, NotFound, Refused, Unavailable
from core.vault.joining import Challenge, answer, new_nonce
from core.vault.vault import Vault
from core.workbench import Workbench
from tests.processes import until
from tests.unit.cli.people import Person

pytestmark = pytest.mark.skipif(not rendezvous.SUPPORTED, reason="a second process is refused on this system")
People = Callable[..., Person]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who connects has little time to say who they are."""
    monkeypatch.setattr(sharing, "HELLO_SECONDS", 2.0)


@pytest.fixture
def listener(bench: Workbench) -> Iterator[Listener]:
    made = Listener(bench, execute)
    yield made
    made.stop(LOCKED)


@pytest.fixture
def found(bench: Workbench, listener: Listener) -> Iterator[Found]:
    """A connection of this user's, and the token."""
    opened = find(bench.vault.folder)
    assert opened is not None
    opened.connection.settimeout(120)
    yield opened
    opened.connection.close()


def hello(found: Found, token: bytes | None = None, user: str = "tomas", nonce: bytes = bytes(32)) -> bytes:
    return frame(Hello(program=program(), token=found.notice.token if token is None else token, user=user, nonce=nonce))


def closed(connection: socket.socket) -> bool:
    """Whether the other side has closed the connection without a word."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def received(connection: socket.socket) -> bytes:
    size = int.from_bytes(connection.recv(4, socket.MSG_WAITALL), "big")
    return connection.recv(size, socket.MSG_WAITALL)


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\xff\xff\xff\xff",
        (FIRST_FRAMES + 1).to_bytes(4, "big") + b"x",
        (5).to_bytes(4, "big") + b"\xc1\xc1\xc1\xc1\xc1",
        (1).to_bytes(4, "big") + b"\x90",
        frame(Cancel()),
        frame(Given(text="x")),
        frame(Run(arguments=(b"vault", b"check"), vault=b"/", user="tomas", folder=b"/", draws=False)),
        frame(Proof(proof=bytes(32))),
        frame(Err(text="x")),
    ],
    ids=["http", "largest", "large", "garbage", "empty", "cancel", "given", "run", "proof", "not-a-guests"],
)
def test_who_begins_with_anything_else_is_let_go(found: Found, person: People, sent: bytes) -> None:
    found.connection.sendall(sent)
    assert closed(found.connection)
    assert person("tomas")("prompt", "list") == 0


def test_a_wrong_token_gets_no_word(found: Found, person: People) -> None:
    found.connection.sendall(hello(found, token=bytes(32)))
    assert closed(found.connection)
    assert person("tomas")("prompt", "list") == 0


def test_a_command_without_a_proof_is_not_run(found: Found, bench: Workbench) -> None:
    found.connection.sendall(hello(found))
    assert b"sealed" in received(found.connection)
    found.connection.sendall(
        frame(
            Run(
                arguments=(b"user", b"list"),
                vault=os.fsencode(bench.vault.folder),
                user="tomas",
                folder=b"/",
                draws=False,
            )
        )
    )
    assert closed(found.connection)


def test_a_wrong_proof_is_refused_and_logged(found: Found, bench: Workbench) -> None:
    found.connection.sendall(hello(found))
    received(found.connection)
    found.connection.sendall(frame(Proof(proof=bytes(32))))
    assert b"WrongPassphrase" in received(found.connection)
    assert closed(found.connection)
    with bench.vault.read() as reader:
        assert [(entry.user, entry.act) for entry in reader.log(1000)][-1] == ("tomas", "sign-in-failed")


def test_who_sends_more_than_was_asked_for_is_let_go(
    found: Found, bench: Workbench, passphrases: dict[str, str], person: People
) -> None:
    """A huge frame comes right behind the proof, before its limit was lifted."""
    nonce = new_nonce()
    found.connection.sendall(hello(found, nonce=nonce))
    sealed = msgspec.msgpack.decode(received(found.connection), type=Sealed).sealed
    proof = answer(bench.vault.folder, "tomas", passphrases["tomas"], nonce, sealed).proof
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        found.connection.sendall(frame(Proof(proof=proof)) + (1 << 30).to_bytes(4, "big") + bytes(100_000))
    with contextlib.suppress(ConnectionResetError):
        while found.connection.recv(65536):
            pass
    assert person("tomas")("prompt", "list") == 0


@pytest.mark.usefixtures("impatient")
def test_who_drips_is_let_go(found: Found) -> None:
    """A byte now and then keeps the connection busy, and doesn't put the deadline off."""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        for byte in hello(found) * 20:
            found.connection.sendall(bytes([byte]))
            time.sleep(0.05)
        pytest.fail("it was listened to")
    assert closed(found.connection)


@pytest.mark.usefixtures("impatient")
def test_many_that_say_nothing_keep_nobody_out(
    bench: Workbench, listener: Listener, found: Found, person: People
) -> None:
    path = found.connection.getpeername()
    with contextlib.ExitStack() as stack:
        crowd = [stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(50)]
        for one in crowd:
            one.settimeout(120)
            one.connect(path)
        assert person("tomas")("user", "list") == 0
        assert all(closed(one) for one in crowd), "and they are let go"
    assert until(lambda: not [thread for thread in threading.enumerate() if thread.name == "guest"])


def test_more_than_that_are_not_even_listened_to(found: Found, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "MOST_CONNECTIONS", 1)
    with socket.socket(socket.AF_UNIX) as one:
        one.settimeout(120)
        one.connect(found.connection.getpeername())
        assert closed(one)


def test_the_socket_and_the_token_are_this_users_alone(found: Found, private_runtime: Path) -> None:
    (folder,) = private_runtime.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(entry.stat().st_mode) for entry in folder.iterdir()} == {0o600}
    assert len(list(folder.iterdir())) == 2
    assert "Study" not in str(list(folder.iterdir())), "the names don't tell the vault's"
    assert not str(found.connection.getpeername()).startswith("\0")


def test_a_folder_that_others_may_enter_is_not_used(private_runtime: Path) -> None:
    mine = private_runtime / f"assay.{os.getuid()}"
    mine.mkdir(mode=0o700)
    assert mine in _private_folders(make=True)
    mine.chmod(0o750)
    assert mine not in _private_folders(make=True)


def test_a_link_in_the_folders_place_is_not_followed(private_runtime: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    (private_runtime / f"assay.{os.getuid()}").symlink_to(elsewhere)
    assert elsewhere not in [folder.resolve() for folder in _private_folders(make=True)]


def test_what_a_killed_process_left_is_passed_over_and_replaced(bench: Workbench, private_runtime: Path) -> None:
    left = claim(bench.vault.folder, bench.vault.id, program())
    left.listening.close()
    assert find(bench.vault.folder) is None
    claimed = claim(bench.vault.folder, bench.vault.id, program())
    there = find(bench.vault.folder)
    assert there is not None
    assert there.notice.token == claimed.token != left.token
    there.connection.close()
    claimed.release()
    assert find(bench.vault.folder) is None
    claimed.release()


def test_a_damaged_notice_is_none(bench: Workbench, private_runtime: Path) -> None:
    claimed = claim(bench.vault.folder, bench.vault.id, program())
    (notice,) = private_runtime.glob("*/*.open")
    notice.write_bytes(b"\x00" * 100)
    assert find(bench.vault.folder) is None
    claimed.release()


def test_a_copy_of_the_vault_is_another_place(bench: Workbench, listener: Listener, tmp_path: Path) -> None:
    copy = tmp_path / "Copy.assay"
    copy.mkdir()
    (copy / "keys.json").write_bytes((bench.vault.folder / "keys.json").read_bytes())
    assert find(copy) is None
    there = find(bench.vault.folder / ".." / bench.vault.folder.name)
    assert there is not None
    there.connection.close()


class Impostor:
    """Listens at the vault's place, and answers with what `answer` makes of the hello."""

    def __init__(self, folder: Path, vault: str, answer: Callable[[Hello], list[bytes]]) -> None:
        self._claimed = claim(folder, vault, program())
        self._claimed.listening.setblocking(True)
        self._answer = answer
        self.heard = bytearray()
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def _work(self) -> None:
        connection, _ = self._claimed.listening.accept()
        with connection:
            connection.settimeout(120)
            for sent in self._answer(msgspec.msgpack.decode(received(connection), type=Hello)):
                connection.sendall(sent)
                with contextlib.suppress(OSError):
                    self.heard += connection.recv(1 << 16)
            with contextlib.suppress(OSError):
                while data := connection.recv(1 << 16):
                    self.heard += data

    def end(self) -> None:
        self._claimed.release()
        self._thread.join(120)


def joining(impostor: Impostor, person: Person, folder: Path) -> int:
    there = find(folder)
    assert there is not None
    person.arguments = ("ask", "law", "a confidential question")
    try:
        return run(there, folder, "tomas", person.known, person)
    finally:
        impostor.end()


def test_an_impostor_learns_neither_passphrase_nor_command(bench: Workbench, person: People) -> None:
    """It knows the public half of the person's slot, and has not the vault's key."""

    def challenge(hello: Hello) -> list[bytes]:
        return [
            frame(Sealed(sealed=Challenge(bench.vault, hello.user, hello.nonce).sealed)),
            frame(Welcome(proof=bytes(32))),
        ]

    impostor = Impostor(bench.vault.folder, bench.vault.id, challenge)
    tomas = person("tomas")
    with pytest.raises(Refused, match="doesn't have this vault open"):
        joining(impostor, tomas, bench.vault.folder)
    assert b"ladder" not in impostor.heard
    assert b"confidential" not in impostor.heard


@pytest.mark.parametrize("sealed", [b"", bytes(1200), bytes(10_000)], ids=["nothing", "zeros", "long"])
def test_a_made_up_challenge_is_found_out(bench: Workbench, person: People, sealed: bytes) -> None:
    impostor = Impostor(bench.vault.folder, bench.vault.id, lambda _: [frame(Sealed(sealed=sealed))])
    with pytest.raises((Refused, Damaged)):
        joining(impostor, person("tomas"), bench.vault.folder)


def test_a_listener_that_says_nothing_is_left(
    bench: Workbench, person: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.cli.joining.ANSWER_SECONDS", 0.2)
    impostor = Impostor(bench.vault.folder, bench.vault.id, lambda _: [])
    with pytest.raises(Unavailable, match="doesn't answer"):
        joining(impostor, person("tomas"), bench.vault.folder)


def test_no_vault_no_place(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no vault"):
        find(tmp_path)


def test_a_notice_holds_nothing_of_the_vault(vault: Vault, private_runtime: Path) -> None:
    claimed = claim(vault.folder, vault.id, program())
    (file,) = private_runtime.glob("*/*.open")
    content = file.read_bytes()
    assert vault.id.encode() not in content
    assert b"Study" not in content
    assert msgspec.msgpack.decode(content, type=Notice).process == os.getpid()
    claimed.release()
