"""A process behind the barrier gets listening sockets from the broker, on the loopback address and nowhere else, as often as it asks."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import BadInput, Unavailable
from core.server.broker import Broker
from tests.processes import runs, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there is no barrier to be behind")

START = """
import os, signal, socket, sys
from core import egress
from core.errors import Unavailable
from core.server.broker import Broker
broker = Broker.start()
assert egress.raise_barrier("unix").tested
def answers(made):
    connection, _ = made.accept()
    connection.sendall(b"here")
    connection.close()
def told(*words):
    print(*words, flush=True)
"""


def behind(script: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", START + script],
        cwd=Path(__file__).parents[3],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def reads(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
        return connection.recv(16)


def test_behind_the_barrier_sockets_come_one_after_the_other_on_any_port() -> None:
    script = """
for port in (0, 0):
    made = broker.listen(port)
    made.setblocking(True)
    told(*made.getsockname())
    answers(made)
    made.close()
again = broker.listen(int(sys.stdin.readline()))
again.setblocking(True)
told(*again.getsockname())
answers(again)
try:
    broker.listen(again.getsockname()[1])
except Unavailable as error:
    told(error)
try:
    socket.socket(socket.AF_INET)
except PermissionError:
    told("barred")
"""
    with behind(script) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        ports = []
        for number in range(3):
            if number == 2:  # the first port again, which is free by now
                process.stdin.write(f"{ports[0]}\n")
                process.stdin.flush()
            address, port = process.stdout.readline().split()
            assert address == "127.0.0.1"
            assert reads(int(port)) == b"here"
            ports.append(int(port))
        assert ports[2] == ports[0]
        assert f"Port {ports[0]}: another program has it" in process.stdout.readline()
        assert process.stdout.readline() == "barred\n"
    assert process.returncode == 0


def test_the_broker_ends_with_its_program_and_its_end_is_told() -> None:
    script = """
from pathlib import Path
child = int(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()[0])
told(child)
sys.stdin.readline()
os.kill(child, signal.SIGKILL)
os.waitpid(child, 0)
try:
    broker.listen(0)
except Unavailable as error:
    told(error)
"""
    with behind(script) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        process.stdin.write("\n")
        process.stdin.flush()
        assert "has ended" in process.stdout.readline()
    with behind(script) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert process.stdout.read() == ""  # the broker holds no end of it open
    assert until(lambda: not runs(child)), "the broker lives on without its program"


def test_the_broker_itself_reaches_nobody() -> None:
    script = """
import os, socket
from core.server.broker import confine
from core.server.listening import bind
confine()
def barred(what):
    try:
        what()
    except PermissionError:
        return
    raise SystemExit("not barred")
made = bind(0)
other = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
barred(lambda: other.connect(made.getsockname()))
barred(lambda: other.sendto(b"x", 0x20000000, made.getsockname()))
barred(lambda: other.sendmsg([b"x"], [], 0x20000000, made.getsockname()))
made.listen(1)
barred(lambda: made.accept())
barred(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
barred(lambda: socket.socket(socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP))
barred(lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132))
barred(lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
barred(os.fork)
barred(lambda: os.execv("/bin/true", ["true"]))
print("alone")
"""
    made = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (made.stdout, made.returncode) == ("alone\n", 0), made.stderr


def test_where_there_is_no_barrier_the_program_makes_its_sockets_itself() -> None:
    broker = Broker(None)
    with broker.listen(0) as made:
        assert made.getsockname()[0] == "127.0.0.1"
        with pytest.raises(Unavailable, match="another program has it"):
            broker.listen(made.getsockname()[1])
    with pytest.raises(BadInput):
        broker.listen(70_000)
    broker.close()
