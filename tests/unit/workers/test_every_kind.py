"""A compromised worker of each kind, in the very sandbox that the program gives to that kind: it reaches nothing of its parent, of other workers or
of the user's files, and no other process."""

import os
import socket
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from core.datasets import files as datasets
from core.documents import reading
from core.inference import pictures
from core.inference.pool import Slot
from core.inference.service import Engine
from core.installation.barriers import KINDS
from core.jobs import Job
from core.models import making
from core.models.records import LEGACY, ModelFile
from core.models.service import Models
from core.records import Digest
from core.retrieval import index
from core.training import adapters, work
from core.workers.records import WorkerSpec
from core.workers.supervisor import Supervisor, Worker
from tests.unit.workers.children.hostile import Look, Outcome, Seen, Try

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")
TESTS = str(Path(__file__).resolve().parents[2])
HOSTILE = "tests.unit.workers.children.hostile"
NAMES = (
    "document reader",
    "dataset reader",
    "picture reader",
    "template worker",
    "model",
    "model with a projector",
    "old model",
    "model file reader",
    "model maker",
    "index worker",
    "scoring worker",
    "plugin worker",
    "trainer",
    "reader of other programs' adapters",
)


class Recorded(Exception):
    """Nothing is started."""


class Recorder:
    """In a supervisor's place: keeps what was to be started."""

    def __init__(self) -> None:
        self.specs: list[WorkerSpec] = []

    def start(self, spec: WorkerSpec, job: Job | None = None) -> Worker:
        self.specs.append(spec)
        raise Recorded


def model(folder: Path, name: str, architecture: str = "llama", purpose: str = "chat") -> ModelFile:
    path = folder / f"{name}.gguf"
    path.write_bytes(b"GGUF")
    return ModelFile(
        name=name,
        digest=Digest("0" * 64),
        path=str(path),
        size=4,
        modified_us=0,
        architecture=architecture,
        purpose=purpose,
        quantization="",
        parameters=0,
        context=0,
        dimensions=0,
        has_template=False,
        licence="",
        added="",
    )


def recorded(use: Any) -> WorkerSpec:
    """What `use` would start."""
    recorder = Recorder()
    with pytest.raises(Recorded):
        use(recorder)
    return recorder.specs[0]


def specs(folder: Path) -> dict[str, WorkerSpec]:
    """Of each kind, with files and folders of its own below `folder`, out of the code that starts it."""
    private, plugin = folder / "private", folder / "plugin"
    private.mkdir()
    plugin.mkdir()
    chat, eyes = model(folder, "chat"), model(folder, "eyes", "clip", "projector")
    old = model(folder, "old", f"{LEGACY}gpt2")
    anyone: Any = SimpleNamespace(located=lambda name, job=None: chat, _supervisor=None)

    def read_model(recorder: Any) -> None:
        anyone._supervisor = recorder
        Models._read(anyone, [Path(chat.path)], None)

    def train(recorder: Any) -> None:
        with work.trainer(recorder, SimpleNamespace(path=chat.path), 0, Job("Train")):  # type: ignore[arg-type]
            pass

    found = {
        "document reader": reading.SPEC,
        "dataset reader": datasets.SPEC,
        "picture reader": pictures.SPEC,
        "template worker": recorded(lambda recorder: Engine(anyone, recorder).check_template("a", "b")),
        "model": Slot(chat, cards=True).spec,
        "model with a projector": Slot(chat, eyes, cards=True).spec,
        "old model": Slot(old).spec,
        "model file reader": recorded(read_model),
        "model maker": making._spec("quantizing", (Path(chat.path),), private),
        "index worker": index._spec(private),
        "scoring worker": WorkerSpec(module="core.evals.worker.scoring", memory=3 * 2**30),
        "plugin worker": WorkerSpec(module="core.evals.worker.plugins", readable=(str(plugin),), memory=3 * 2**30),
    }
    alike = replace(found["index worker"], module="core.training.worker.training")
    found["trainer"] = recorded(train) if find_spec("peft") and find_spec("torch") else alike
    found["reader of other programs' adapters"] = adapters._spec((chat.path,), (str(private),), str(private))
    return found


@pytest.fixture(scope="module")
def supervisor() -> Iterator[Supervisor]:
    with Supervisor() as one:
        yield one


@pytest.fixture(scope="module")
def other(supervisor: Supervisor) -> Worker:
    """Another worker, with other documents in its memory."""
    return supervisor.start(WorkerSpec(module=HOSTILE, readable=(TESTS,)))


def started(supervisor: Supervisor, spec: WorkerSpec) -> Worker:
    """The attacker in a worker's place; folders that a use of it made, and took along again, are made anew."""
    for path in spec.writable:
        Path(path).mkdir(parents=True, exist_ok=True)
    worker = supervisor.start(replace(spec, module=HOSTILE, readable=(*spec.readable, TESTS)))
    if not {"seccomp", "landlock"} <= set(worker.barrier.names):
        missing = worker.barrier.missing
        worker.close()
        pytest.skip(f"not in force here: {missing}")
    return worker


def test_all_kinds_are_here(tmp_path: Path) -> None:
    assert tuple(specs(tmp_path)) == NAMES
    here = {spec.module for spec in specs_once(tmp_path / "again").values()} | {"core.inference.worker.fake"}
    known = {module for kind in KINDS for module in kind.modules}
    assert known - here == {"core.models.worker.converting.folder"}  # made as quantizing's is
    assert here <= known


def specs_once(folder: Path) -> dict[str, WorkerSpec]:
    folder.mkdir()
    return specs(folder)


@pytest.mark.parametrize("name", NAMES)
def test_a_compromised_worker_gets_at_nothing(supervisor: Supervisor, other: Worker, tmp_path: Path, name: str) -> None:
    spec = specs_once(tmp_path / "own")[name]
    vault = tmp_path / "Vault.assay"
    vault.mkdir()
    (vault / "keys.json").write_bytes(b"keys")
    (vault / "vault.db").write_bytes(b"database")
    (tmp_path / "run").mkdir()
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.socket(socket.AF_UNIX) as local,
        started(supervisor, spec) as worker,
    ):
        local.bind(str(tmp_path / "run" / "s"))
        local.listen()

        def done(what: str, path: Path | str = "", number: int = 0) -> bool:
            return worker.call(Try(what=what, path=str(path), number=number), Outcome, seconds=60.0).done

        for file in (vault / "keys.json", vault / "vault.db", Path("/etc/passwd")):
            assert not done("read", file)
        for what in ("write", "remove", "empty", "rights", "times", "mark"):
            assert not done(what, vault / "vault.db"), what
        assert not done("list", vault)
        assert not done("list", tmp_path)
        assert (vault / "vault.db").read_bytes() == b"database"
        assert (vault / "vault.db").stat().st_mode & 0o777 != 0o777
        for process in (os.getpid(), other.pid):
            for part in ("mem", "environ", "maps", "fd/0"):
                assert not done("first byte", f"/proc/{process}/{part}"), part
            for what in ("vm read", "trace", "signal"):
                assert not done(what, number=process), what
        assert not done("loopback", number=listening.getsockname()[1])
        assert not done("socket file", tmp_path / "run" / "s")
        for what in ("unix socket", "datagram pair", "program", "exec", "fork", "namespace", "mount"):
            assert not done(what), what
        for what in ("shared memory", "queue", "watch", "kernel's log"):
            assert not done(what), what
        for path in spec.readable:  # what it may read stays as it is
            assert not done("write", path)
            assert not done("empty", path)
            assert not done("rights", path)
        seen = worker.call(Look(), Seen)
        assert all(attempt.refused for attempt in seen.attempts)
        pipes = {int(seen.arguments[1]), int(seen.arguments[2])}
        assert set(seen.descriptors) == {0, 1, 2} | pipes
        assert not any(word in text for text in seen.environment.values() for word in ("assay_", str(tmp_path / "run")))
