"""What a child process can't do. Each layer's tests are skipped, with the reason, where the system doesn't offer that layer."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import WorkerFailed
from core.workers.records import WorkerSpec
from core.workers.supervisor import Supervisor, Worker
from tests.processes import runs, until
from tests.unit.workers.children.hostile import Look, Outcome, Seen, Try
from tests.unit.workers.children.natives import Use, Used

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")
REPOSITORY = Path(__file__).resolve().parents[3]
TESTS = str(REPOSITORY / "tests")
CHILDREN = "tests.unit.workers.children"


@pytest.fixture(scope="module")
def supervisor() -> Iterator[Supervisor]:
    with Supervisor() as one:
        yield one


@pytest.fixture(scope="module")
def worker(supervisor: Supervisor) -> Worker:
    return supervisor.start(WorkerSpec(module=f"{CHILDREN}.hostile", readable=(TESTS,)))


def need(worker: Worker, layer: str) -> None:
    if layer not in worker.barrier.names:
        pytest.skip(f"not in force here: {worker.barrier.missing}")


def test_what_is_in_force_and_what_is_missing_make_up_the_whole(worker: Worker) -> None:
    named = set(worker.barrier.names) | {missing.split(":")[0] for missing in worker.barrier.missing}
    assert named == {"namespace", "landlock", "seccomp"}


def test_a_layer_that_the_system_refuses_is_reported_and_the_others_stand() -> None:
    code = (
        "from core import egress\n"
        "from core.workers.supervisor import Supervisor\n"
        "from core.workers.records import WorkerSpec\n"
        "egress.deny([egress.Rule('unshare')])\n"
        "with Supervisor() as supervisor:\n"
        f"    worker = supervisor.start(WorkerSpec(module='{CHILDREN}.hostile', readable=({TESTS!r},)))\n"
        "    print('namespace' in worker.barrier.names, worker.barrier.missing[0], worker.barrier.tested)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, timeout=300)
    assert done.stdout.strip() == "False namespace: Operation not permitted True", done.stderr


def test_no_socket_opens_through_python_libc_or_the_kernel(worker: Worker) -> None:
    need(worker, "seccomp")
    seen = worker.call(Look(), Seen)
    assert worker.barrier.tested
    assert seen.barrier.names == ("seccomp",)
    assert len(seen.attempts) > 15
    assert all(attempt.refused for attempt in seen.attempts), [one for one in seen.attempts if not one.refused]
    assert not worker.call(Try(what="unix socket"), Outcome).done
    assert not worker.call(Try(what="datagram pair"), Outcome).done
    assert worker.call(Try(what="stream pair"), Outcome).done


@pytest.mark.parametrize("what", ["program", "exec", "fork", "trace", "namespace", "mount"])
def test_no_program_process_or_mount_is_made(worker: Worker, what: str) -> None:
    need(worker, "seccomp")
    assert worker.call(Try(what=what, number=os.getpid()), Outcome).detail == "Operation not permitted"


def test_files_outside_are_closed_and_those_of_the_spec_open(supervisor: Supervisor, tmp_path: Path) -> None:
    inside, outside, writable = tmp_path / "inside.txt", tmp_path / "outside.txt", tmp_path / "writable"
    inside.write_text("inside")
    outside.write_text("outside")
    writable.mkdir()
    its = WorkerSpec(module=f"{CHILDREN}.hostile", readable=(TESTS, str(inside)), writable=(str(writable),))
    worker = supervisor.start(its)
    need(worker, "landlock")

    def done(what: str, path: Path) -> bool:
        return worker.call(Try(what=what, path=str(path)), Outcome).done

    assert done("read", inside)
    assert not done("write", inside)
    assert not done("remove", inside)
    assert not done("read", outside)
    assert not done("list", tmp_path)
    assert not done("read", Path("/etc/passwd"))
    assert not done("read", Path(f"/proc/{os.getpid()}/environ"))
    assert not done("read", REPOSITORY / "pyproject.toml")
    assert not done("write", tmp_path / "new")
    assert done("write", writable / "new")
    assert done("read", writable / "new")
    assert done("remove", writable / "new")
    assert done("null", Path())


def test_no_file_grows_where_nothing_is_writable(worker: Worker, tmp_path: Path) -> None:
    assert not worker.call(Try(what="write", path=str(tmp_path / "new")), Outcome).done
    assert not (tmp_path / "new").exists() or (tmp_path / "new").stat().st_size == 0


def test_no_signal_reaches_the_parent(worker: Worker) -> None:
    need(worker, "seccomp")
    assert not worker.call(Try(what="signal", number=os.getpid()), Outcome).done


def test_a_child_has_a_session_of_its_own_and_no_core_file(supervisor: Supervisor) -> None:
    worker = supervisor.start(WorkerSpec(module=f"{CHILDREN}.hostile", readable=(TESTS,)))
    assert worker.call(Look(), Seen).session == worker.pid != os.getsid(0)
    assert "Max core file size        0" in Path(f"/proc/{worker.pid}/limits").read_text()
    with pytest.raises(WorkerFailed, match="SIGABRT"):
        worker.call(Try(what="core file"), Outcome)


def test_children_die_with_the_program(tmp_path: Path) -> None:
    code = (
        "import time\n"
        "from core.workers.supervisor import Supervisor\n"
        "from core.workers.records import WorkerSpec\n"
        "from tests.unit.workers.children.hostile import Look\n"
        f"worker = Supervisor().start(WorkerSpec(module='{CHILDREN}.hostile', readable=({TESTS!r},)))\n"
        "print(worker.pid, flush=True)\n"
        "time.sleep(3600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        pid = int(program.stdout.readline())
        assert Path(f"/proc/{pid}").exists()
        program.send_signal(signal.SIGKILL)
    assert until(lambda: not runs(pid))


@pytest.mark.parametrize(
    ("library", "result"),
    [
        ("threading", "[0, 1, 2, 3, 4, 5, 6, 7]"),
        ("numpy", "27000000.0"),
        ("pymupdf", "inside"),
        ("llama_cpp", "True"),
        ("chromadb", "a"),
        ("torch", "8000000.0"),
    ],
)
def test_the_native_libraries_work_inside(supervisor: Supervisor, tmp_path: Path, library: str, result: str) -> None:
    pytest.importorskip("torch") if library == "torch" else None
    its = WorkerSpec(module=f"{CHILDREN}.natives", readable=(TESTS,), writable=(str(tmp_path),))
    with supervisor.start(its) as worker:
        assert worker.call(Use(library=library), Used).result == result


def test_hidden_storage_is_the_workers_own_and_ends_with_it(supervisor: Supervisor, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "earlier").write_text("x")
    its = WorkerSpec(
        module=f"{CHILDREN}.hostile", readable=(TESTS,), writable=(str(hidden),), hidden=(str(hidden),), title="Hider"
    )
    worker = supervisor.start(its)
    need(worker, "storage")
    assert {"namespace", "landlock", "seccomp"} <= set(worker.barrier.names)
    assert worker.call(Try(what="write", path=str(hidden / "new")), Outcome).done
    assert worker.call(Try(what="read", path=str(hidden / "new")), Outcome).done
    assert not worker.call(Try(what="read", path=str(hidden / "earlier")), Outcome).done
    assert not worker.call(Try(what="mount"), Outcome).done
    assert [path.name for path in hidden.iterdir()] == ["earlier"]
    assert str(hidden) not in Path("/proc/self/mountinfo").read_text()
    other = supervisor.start(its)
    assert not other.call(Try(what="read", path=str(hidden / "new")), Outcome).done
    status = Path(f"/proc/{worker.pid}/status").read_text()
    assert "CapEff:\t0000000000000000" in status
    assert "CapPrm:\t0000000000000000" in status
