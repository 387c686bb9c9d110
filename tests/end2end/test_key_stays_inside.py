"""The vault key and the passphrase stay in the one process that has the vault open: no worker, of whatever kind, was given them.

Each worker is looked at from outside at the end of its life, after it did what it is for: its environment, command line, folder, descriptors and
limits, and all of its memory.
"""

import contextlib
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from core.assistants.records import Question
from core.documents.records import AddDocuments
from core.documents.service import Documents
from core.errors import AssayError
from core.inference.records import Message
from core.jobs import Job
from core.models.records import AddModel
from core.models.starter import EMBEDDER, STARTERS
from core.paths import ram_backed
from core.prompts.records import SavePrompt
from core.retrieval.cache import KIND
from core.retrieval.records import Search
from core.trust.streams import purpose_key
from core.vault.vault import Vault
from core.workbench import SCHEMA, Workbench
from core.workers.pipes import environment
from core.workers.records import WorkerSpec
from core.workers.supervisor import Supervisor, Worker
from tests.conftest import PASSPHRASES, weak_kdf
from tests.processes import links
from tests.unit.documents.workspace import pdf

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes through /proc")
CORE = Path(__file__).resolve().parents[2] / "core"
HIDDEN = "the system lets nobody but root look into a worker, which is the point; run it as root"
TEXT = "Quicksilver fills the seventh tower"
TEMPLATE = "{% for p in passages %}[{{ p.number }}] {{ p.text }}\n{% endfor %}\nQuestion: {{ question }}"


@dataclass
class Look:
    """What was seen of one worker."""

    module: str
    environment: bytes
    arguments: bytes
    folder: str
    files: list[str] | None
    """What its descriptors lead to."""
    limits: str
    owner: int
    remembered: set[str] | None
    """What of the secrets and of `TEXT` is in its memory; None where the system doesn't let us look."""


@dataclass
class Watched:
    looks: list[Look] = field(default_factory=list)
    secrets: dict[str, bytes] = field(default_factory=dict)
    vault: Path = Path()


def regions(process: int) -> Iterator[bytes]:
    """What a process has written or may write into, region by region. Raises `PermissionError`."""
    with Path(f"/proc/{process}/mem").open("rb", buffering=0) as file:
        for line in Path(f"/proc/{process}/maps").read_text().splitlines():
            match = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
            if match is None:
                continue
            start, end = int(match[1], 16), int(match[2], 16)
            file.seek(start)
            with contextlib.suppress(OSError):  # a device or a guard page
                yield file.read(end - start)


def remembered(process: int, needles: dict[str, bytes]) -> set[str] | None:
    """Which of these a process has in its memory; None where the system doesn't let us look."""
    found: set[str] = set()
    try:
        for region in regions(process):
            found |= {name for name, needle in needles.items() if needle in region}
    except PermissionError:
        return None
    return found


def looked(worker: Worker, secrets: dict[str, bytes]) -> Look:
    """Of a worker, only root sees more than the command line: then the rest is what it was started with."""
    process = Path(f"/proc/{worker.pid}")
    try:
        found = (process / "environ").read_bytes()
        folder = str((process / "cwd").readlink())
        files = sorted(links(worker.pid))
    except PermissionError:
        found, folder, files = repr(environment(worker.spec)).encode(), "/", None
    return Look(
        module=worker.spec.module,
        environment=found,
        arguments=(process / "cmdline").read_bytes(),
        folder=folder,
        files=files,
        limits=(process / "limits").read_text(),
        owner=(process / "mem").stat().st_uid,
        remembered=remembered(worker.pid, {**secrets, "text": TEXT.encode()}),
    )


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """Workers of every kind at work on an open vault, each looked at right before its end."""
    folder = tmp_path_factory.mktemp("team")
    passphrase = folder / "passphrase-of-ines"
    passphrase.write_text(PASSPHRASES["ines"])
    seen = Watched()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_PASSPHRASE_FILE", str(passphrase))
        patch.setenv("ASSAY_VAULT", str(folder / "Team.assay"))
        start = Supervisor.start

        def watching(self: Supervisor, spec: WorkerSpec, job: Job | None = None) -> Worker:
            worker = start(self, spec, job)
            close = worker.close

            def look_and_close() -> None:
                if worker.alive and not worker._expected:
                    seen.looks.append(looked(worker, seen.secrets))
                close()

            worker.close = look_and_close  # type: ignore[method-assign]
            return worker

        patch.setattr(Supervisor, "start", watching)
        vault = Vault.create(folder / "Team.assay", "ines", "Ines", PASSPHRASES["ines"], SCHEMA, weak_kdf)
        key = vault._connections.key
        seen.vault = vault.folder
        seen.secrets = {
            "key": key,
            "key in hexadecimal": key.hex().encode(),
            "key in capitals": key.hex().upper().encode(),
            "cache key": purpose_key(key, KIND),
            "passphrase": PASSPHRASES["ines"].encode(),
            "passphrase file": passphrase.name.encode(),
            "passphrase variable": b"ASSAY_PASSPHRASE",
        }
        with Workbench(vault) as bench:
            _work(bench, folder)
            for module in (
                kinds() - {look.module for look in seen.looks} - {w.spec.module for w in bench.supervisor.workers()}
            ):
                with contextlib.suppress(AssayError):  # one that nothing above needed, if what it uses is installed
                    bench.supervisor.start(WorkerSpec(module=module)).close()
        assert not bench.supervisor.workers()
    return seen


def _work(bench: Workbench, folder: Path) -> None:
    (folder / "tower.pdf").write_bytes(pdf([(72, 72, f"{TEXT}.", 11)]))
    fake = Documents(bench.vault, bench.supervisor, bench.engine, "fake")
    fake.add(AddDocuments(collection="towers", paths=(str(folder / "tower.pdf"),)), Job("Add"))
    ((document, _),) = fake.list("towers")
    fake.page(document, 1)
    bench.retrieval.prepare("towers", Job("Index"))
    bench.retrieval.search(Search(collection="towers", query=TEXT), Job("Search"))
    bench.prompts.save(SavePrompt(name="cite", messages=(Message(role="user", content=TEMPLATE),)))
    question = Question(collection="towers", text=f"What of {TEXT}?", model="fake", prompt="cite@1")
    list(bench.assistants.ask(question, Job("Ask")))
    if STARTERS[EMBEDDER].is_file():
        bench.models.add(AddModel(path=str(STARTERS[EMBEDDER]), name=EMBEDDER))
        bench.engine.embed([TEXT], EMBEDDER)
    fake.close()


def kinds() -> set[str]:
    """The modules that run as workers."""
    files = [path for path in CORE.rglob("worker/*.py") if "\ndef handlers(" in path.read_text()]
    return {".".join(("core", *path.relative_to(CORE).with_suffix("").parts)) for path in files}


def test_workers_of_every_kind_were_looked_at(watched: Watched) -> None:
    missing = kinds() - {look.module for look in watched.looks}
    if not STARTERS[EMBEDDER].is_file():
        missing -= {"core.inference.worker.llama"}
    if ram_backed() is None:
        missing -= {"core.retrieval.worker.index"}
    assert missing == set()


def test_no_worker_was_given_the_key_or_the_passphrase(watched: Watched) -> None:
    for look in watched.looks:
        for name, secret in watched.secrets.items():
            assert secret not in look.environment, (look.module, name)
            assert secret not in look.arguments, (look.module, name)
        assert os.fsencode(watched.vault) not in look.environment + look.arguments
        assert look.folder == "/"


def test_no_worker_has_a_way_into_the_vault_among_its_descriptors(watched: Watched) -> None:
    allowed = re.compile(r"pipe:\[\d+\]|/dev/null|anon_inode:\[(eventfd|eventpoll)\]|socket:\[\d+\]")
    if any(look.files is None for look in watched.looks):
        pytest.skip(HIDDEN)
    for look in watched.looks:
        assert look.files is not None
        own = [file for file in look.files if not allowed.fullmatch(file)]
        if look.module == "core.retrieval.worker.index":
            own = [file for file in own if "/assay-" not in file]  # the index itself, in its own storage
        if look.module == "core.inference.worker.llama":
            own = [file for file in own if file != str(STARTERS[EMBEDDER])]
        assert own == [], look.module
        assert not [file for file in look.files if str(watched.vault) in file]


def test_no_worker_writes_a_core_file_or_can_be_read_by_the_same_user(watched: Watched) -> None:
    for look in watched.looks:
        assert re.search(r"Max core file size\s+0\s+0\s", look.limits), look.module
        if os.getuid() != 0:
            assert look.owner == 0, look.module  # /proc gives what isn't dumpable to root


def test_no_worker_has_the_key_in_its_memory(watched: Watched) -> None:
    if any(look.remembered is None for look in watched.looks):
        pytest.skip(HIDDEN)
    key = watched.secrets["key"]
    assert any(key in region for region in regions(os.getpid()))  # this is how it looks where the key is
    for look in watched.looks:
        assert look.remembered is not None
        assert look.remembered <= {"text"}, look.module
        if look.module == "core.inference.worker.fake":
            assert look.remembered == {"text"}  # what a worker was given is found in it
