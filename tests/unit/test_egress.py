"""The barrier can't be taken back, so each test raises it in a Python of its own."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from core import egress
from core.egress import CALLS, Rule, program

linux = pytest.mark.skipif(sys.platform != "linux", reason="the barrier is Linux's")
ALLOW, REFUSE = 0x7FFF0000, 0x00050000
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7, "i386": 0x40000003}


def inside(code: str) -> str:
    """What a new Python prints that runs this code with `egress` and `socket` at hand."""
    head = "import socket, threading, subprocess, sys\nfrom core import egress\n"
    root = Path(egress.__file__).resolve().parent.parent
    done = subprocess.run([sys.executable, "-c", head + code], cwd=root, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@linux
@pytest.mark.parametrize("level", ["unix", "none"])
def test_a_raised_barrier_refuses_every_attempt(level: str) -> None:
    code = (
        f"before = [one.kind for one in egress.attempt() if not one.refused]\n"
        f"raised = egress.raise_barrier({level!r})\n"
        "print('python tcp/ipv4' in before, raised == egress.barrier(), raised.names, raised.missing, raised.tested)\n"
    )
    assert inside(code) == "True True ('seccomp',) () True"


@linux
def test_without_a_barrier_the_report_says_so() -> None:
    assert inside("b = egress.barrier(); print(b.names, b.missing, b.tested)") == "() ('seccomp: not raised',) False"


@linux
def test_the_window_keeps_local_sockets_and_a_worker_none() -> None:
    code = (
        "egress.raise_barrier('unix')\n"
        "a, b = socket.socketpair(); a.send(b'x'); print(b.recv(1)); a.close(); b.close()\n"
        "socket.socket(socket.AF_UNIX).close()\n"
        "egress.raise_barrier('none')\n"
        "try: socket.socket(socket.AF_UNIX)\n"
        "except PermissionError: print('refused')\n"
    )
    assert inside(code) == "b'x'\nrefused"


@linux
def test_a_listener_made_before_goes_on_accepting() -> None:
    code = (
        "server = socket.create_server(('127.0.0.1', 0)); client = socket.socket()\n"
        "egress.raise_barrier('unix')\n"
        "client.connect(server.getsockname()); accepted, _ = server.accept(); accepted.send(b'hello'); print(client.recv(5))\n"
        "[s.close() for s in (server, client, accepted)]\n"
    )
    assert inside(code) == "b'hello'"


@linux
def test_threads_that_run_already_and_children_are_barred_too() -> None:
    code = (
        "go, found = threading.Event(), []\n"
        "def later():\n"
        "    go.wait()\n"
        "    found.extend(one.kind for one in egress.attempt() if not one.refused)\n"
        "thread = threading.Thread(target=later); thread.start()\n"
        "egress.raise_barrier('unix'); go.set(); thread.join()\n"
        "child = subprocess.run([sys.executable, '-c', 'import socket; socket.socket()'], capture_output=True, text=True)\n"
        "print(found, 'PermissionError' in child.stderr)\n"
    )
    assert inside(code) == "[] True"


@linux
def test_hardening_makes_the_process_unreadable() -> None:
    code = (
        "import ctypes, resource\n"
        "print(egress.harden(), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), *resource.getrlimit(resource.RLIMIT_CORE))\n"
    )
    assert inside(code) == "True 0 0 0"


def test_an_attempt_opens_nothing_that_stays() -> None:
    kinds = [attempt.kind for attempt in egress.attempt()]
    assert len(kinds) == len(set(kinds))
    assert {"python tcp/ipv4", "python udp/ipv6"} <= set(kinds)


def judged(code: list[tuple[int, int, int, int]], architecture: int, number: int, *arguments: int) -> int:
    """Run the filter as the kernel would: classic BPF over struct seccomp_data."""
    data = {0: number, 4: architecture} | {16 + 8 * index: value for index, value in enumerate(arguments)}
    accumulator = at = 0
    while True:
        operation, if_true, if_false, constant = code[at]
        at += 1
        match operation:
            case 0x20:
                accumulator = data.get(constant, 0)
            case 0x54:
                accumulator &= constant
            case 0x15:
                at += if_true if accumulator == constant else if_false
            case 0x35:
                at += if_true if accumulator >= constant else if_false
            case 0x06:
                return constant


RULES = (Rule("socket", argument=0, allowed=(1,)), Rule("bpf"), Rule("clone3", error=errno.ENOSYS), Rule("vfork"))


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_refuses_what_the_rules_name_and_nothing_else(machine: str) -> None:
    code, own, calls = program(RULES, machine), ARCHITECTURES[machine], CALLS[machine]
    named = {calls[rule.call]: rule for rule in RULES if rule.call in calls}
    for number in range(500):
        rule = named.get(number)
        expected = ALLOW if rule is None else REFUSE | rule.error
        assert judged(code, own, number, 2) == expected, number
    assert judged(code, own, calls["socket"], 1) == ALLOW
    assert judged(code, own, calls["socket"], 16) == REFUSE | errno.EPERM


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_calls_through_a_foreign_table_are_refused_whole(machine: str) -> None:
    code = program(RULES, machine)
    for name, architecture in ARCHITECTURES.items():
        if name != machine:
            assert judged(code, architecture, 1) == REFUSE | errno.EPERM
    x32 = judged(code, ARCHITECTURES[machine], 0x40000000 | 41, 2)
    assert x32 == (REFUSE | errno.EPERM if machine == "x86_64" else ALLOW)


@linux
def test_a_socket_of_the_loopback_address_leads_nowhere_else() -> None:
    """Even when it stops listening and tries: what it is bound to stays, also for what it accepted."""
    code = (
        "from core.server.listening import listen\n"
        "server = listen(0); server.setblocking(True); client = socket.socket(); client.connect(server.getsockname())\n"
        "egress.raise_barrier('unix')\n"
        "accepted, _ = server.accept()\n"
        "server.shutdown(socket.SHUT_RDWR); client.close(); accepted.shutdown(socket.SHUT_RDWR)\n"
        "for one in (server, accepted):\n"
        "    one.setblocking(False)\n"
        "    for where in ('192.0.2.1', '8.8.8.8'):\n"
        "        try: one.connect((where, 80)); print('connected')\n"
        "        except BlockingIOError: print('on its way')\n"
        "        except OSError: print('refused')\n"
        "    one.close()\n"
    )
    assert inside(code).split("\n") == ["refused"] * 4
