"""The doctor tries every way out of every kind of process, and says which barrier held."""

import ast
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

import core
from core.egress import Attempt, Barrier
from core.installation import barriers, doctor, files
from core.installation.records import Finding
from core.installation.worker import probe
from core.jobs import Job
from core.workers.supervisor import Supervisor

CORE = Path(str(core.__file__)).parent


@pytest.fixture(scope="module")
def supervisor() -> Iterator[Supervisor]:
    with Supervisor() as one:
        yield one


def test_each_kind_of_worker_is_tried(supervisor: Supervisor) -> None:
    found = list(barriers.workers(supervisor, Job("Examining")))
    assert [one.about for one in found] == [f"network: {kind.name}" for kind in barriers.KINDS]
    for one in found:
        assert one.state in ("good", "note"), one.sentence
        assert "seccomp" in str(one.figures["barriers"])
        assert int(one.figures["tried"]) > 20
    assert supervisor.workers() == ()


def test_every_module_that_runs_in_a_worker_is_of_a_known_kind() -> None:
    """A worker's module is one that defines `handlers` for the child process."""
    modules = set()
    for file in CORE.rglob("worker/**/*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        if any(isinstance(node, ast.FunctionDef) and node.name == "handlers" for node in tree.body):
            modules.add(".".join(("core", *file.relative_to(CORE).with_suffix("").parts)))
    known = {module for kind in barriers.KINDS for module in kind.modules}
    assert modules - {barriers.PROBE} == known


def test_a_process_without_a_barrier_is_a_fault_that_names_what_is_open() -> None:
    if not any(not attempt.refused for attempt in probe.reach()):
        pytest.skip("this process is barred itself")
    found = barriers.own()
    assert found.state == "fault"
    assert "not raised" in found.sentence
    assert "tcp/ipv4" in str(found.figures["open"])


def test_a_worker_that_gets_out_is_a_fault(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    def tried(self: object, request: object, reply: object, job: object) -> probe.Tried:
        return probe.Tried(
            attempts=(
                Attempt(kind="python tcp/ipv4", refused=False, detail=""),
                Attempt(kind="x", refused=True, detail=""),
            )
        )

    monkeypatch.setattr("core.workers.supervisor.Worker.call", tried)
    found = next(barriers.workers(supervisor, Job("Examining")))
    assert (found.state, found.figures["open"]) == ("fault", "python tcp/ipv4")


def test_a_missing_layer_is_told(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    less = Barrier(names=("seccomp",), missing=("landlock: not in this kernel",), tested=True)
    monkeypatch.setattr(
        "core.workers.supervisor.Worker.barrier", property(lambda self: less, lambda self, value: None), raising=False
    )
    found = next(barriers.workers(supervisor, Job("Examining")))
    assert (found.state, "landlock: not in this kernel" in found.sentence) == ("note", True)


def test_asking_for_a_route_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[int, int]] = []

    class Watched(socket.socket):
        def __init__(self, family: int = -1, type: int = -1, *rest: object) -> None:
            made.append((family, type))
            super().__init__(family, type)

        def send(self, *given: object) -> int:  # type: ignore[override]
            raise AssertionError("something was sent")

        sendto = sendmsg = sendall = send  # type: ignore[assignment]

    monkeypatch.setattr(probe.socket, "socket", Watched)
    probe._tried("route", probe._route)
    assert made == [(socket.AF_INET, socket.SOCK_DGRAM)]


def test_the_examination_tells_each_finding_as_it_comes(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = Finding(about="network: this process", state="fault", sentence="It is not barred.")
    monkeypatch.setattr(barriers, "own", lambda: fault)
    monkeypatch.setattr(barriers, "KINDS", barriers.KINDS[:1])
    monkeypatch.setattr(files, "installed", lambda: None)
    told: list[Finding] = []
    found = doctor.examine(supervisor, tmp_path, Job("Examining"), told.append)
    assert tuple(told) == found.findings
    assert not found.sound
    assert len({finding.about for finding in told}) == len(told)
