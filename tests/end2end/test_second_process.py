"""Two processes and one vault: the second works through the first, whichever of them is interrupted or killed."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.cli import rendezvous
from core.datasets.records import AddDataset
from core.documents.records import AddDocuments
from core.jobs import Job
from core.models.starter import ensure_starters
from core.vault.vault import Vault
from core.workbench import SCHEMA, Workbench
from tests.conftest import PASSPHRASES
from tests.processes import until

pytestmark = pytest.mark.skipif(not rendezvous.SUPPORTED, reason="a second process is refused on this system")
SECONDS = 300
PROMPT = "messages:\n  - role: user\n    content: 'Question: {{ question }}'\n"
FIRST = """\
import sys, threading
from pathlib import Path
from core import egress
egress.harden()
assert not egress.raise_barrier("unix").missing
from core.cli.main import execute, share
from core.cli.sharing import Listener
from core.jobs import Job
from core.workbench import Workbench

def slow(console, arguments):
    job, over = Job("Slow"), threading.Event()
    job.on_cancel(over.set)
    console.watch(job)
    print("begun", flush=True)
    over.wait()
    print("stopped", flush=True)
    if "stubborn" in arguments:
        threading.Event().wait()
    return 130

folder, user, passphrase, what = sys.argv[1:]
bench = Workbench.open(Path(folder), user, passphrase)
share(bench) if what == "share" else Listener(bench, slow)
print("ready", flush=True)
sys.stdin.readline()
if what == "share":
    bench.close()
"""


@pytest.fixture
def folder(vault_factory: Callable[..., Vault]) -> Path:
    """The closed vault of ines and tomas."""
    vault = vault_factory(SCHEMA)
    vault.close()
    return vault.folder


class Processes:
    """Starts them for the test, and ends them after it."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder = folder
        self.home = home
        self.started: list[subprocess.Popen[str]] = []
        (home / "r").mkdir(mode=0o700)
        for user, passphrase in PASSPHRASES.items():
            (home / f"{user}.txt").write_text(passphrase + "\n")

    def first(self, what: str = "share") -> subprocess.Popen[str]:
        """A process that has the vault open for ines, under the barrier."""
        found = self._start([sys.executable, "-c", FIRST, str(self.folder), "ines", PASSPHRASES["ines"], what], "ines")
        assert found.stdout is not None
        assert found.stdout.readline() == "ready\n"
        return found

    def assay(self, *arguments: str, user: str = "tomas") -> subprocess.Popen[str]:
        program = Path(sys.executable).with_name("assay")
        return self._start([str(program), *arguments], user)

    def ran(self, *arguments: str, user: str = "tomas") -> tuple[int, str, str]:
        process = self.assay(*arguments, user=user)
        out, said = process.communicate(timeout=SECONDS)
        return process.returncode, out, said

    def _start(self, command: list[str], user: str) -> subprocess.Popen[str]:
        environment = {
            **os.environ,
            "XDG_RUNTIME_DIR": str(self.home / "r"),
            "ASSAY_VAULT": str(self.folder),
            "ASSAY_USER": user,
            "ASSAY_PASSPHRASE_FILE": str(self.home / f"{user}.txt"),
        }
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment, cwd=self.home
        )
        self.started.append(process)
        return process


@pytest.fixture
def processes(folder: Path, tmp_path: Path) -> Iterator[Processes]:
    home = tmp_path / "home"
    home.mkdir()
    made = Processes(folder, home)
    yield made
    for process in made.started:
        process.kill()
        process.communicate()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def test_the_second_process_does_what_it_would_alone(processes: Processes) -> None:
    (processes.home / "p.yaml").write_text(PROMPT)
    assert processes.ran("prompt", "save", "cite", "--file", "p.yaml", user="ines")[0] == 0
    alone = processes.ran("prompt", "show", "cite", "--json")
    first = processes.first()
    joined = processes.ran("prompt", "show", "cite", "--json")
    assert joined == alone
    code, out, said = processes.ran("prompt", "approve", "cite@1", "--json")
    assert (code, json.loads(out)["name"]) == (0, "Tomás Vidal"), said
    code, out, said = processes.ran("pack", "trust", "-o", "trust.json")
    assert (code, out.startswith("Wrote trust.json with 2 cards")) == (0, True), said
    assert (processes.home / "trust.json").is_file()
    first.communicate("lock\n", timeout=SECONDS)
    with Vault.open(processes.folder, "ines", PASSPHRASES["ines"], SCHEMA) as vault, vault.read() as reader:
        told = [(entry.user, entry.act) for entry in reader.log(1000)]
    assert ("tomas", "approve") in told


def test_the_death_of_the_first_is_told_in_one_sentence(processes: Processes) -> None:
    first = processes.first("slow")
    second = processes.assay("prompt", "list")
    assert line(first) == "begun\n"
    first.kill()
    out, said = second.communicate(timeout=SECONDS)
    assert (second.returncode, out) == (16, "")
    assert said == (
        f"The Assay that has the vault open (process {first.pid}) ended. "
        "What was recorded until then is kept. Run the command again.\n"
    )
    first.wait()
    assert processes.ran("prompt", "list")[0] == 0, "what it left behind bars nobody"


def test_the_death_of_the_second_stops_its_command(processes: Processes) -> None:
    first = processes.first("slow")
    second = processes.assay("prompt", "list")
    assert line(first) == "begun\n"
    second.kill()
    assert line(first) == "stopped\n"


def test_an_interrupt_stops_the_command_and_a_second_one_leaves_it(processes: Processes) -> None:
    first = processes.first("slow")
    second = processes.assay("prompt", "list")
    assert line(first) == "begun\n"
    second.send_signal(signal.SIGINT)
    assert line(first) == "stopped\n"
    assert second.wait(timeout=SECONDS) == 130
    stubborn = processes.assay("documents", "list", "stubborn")
    assert line(first) == "begun\n"
    stubborn.send_signal(signal.SIGINT)
    assert line(first) == "stopped\n"
    stubborn.send_signal(signal.SIGINT)
    _, said = stubborn.communicate(timeout=SECONDS)
    assert (stubborn.returncode, said) == (130, "Stopped. What was recorded until then is kept.\n")


def test_a_question_is_answered_while_an_evaluation_runs(processes: Processes, tmp_path: Path) -> None:
    (tmp_path / "sheet.txt").write_text("The flash point of solvent R-12 is 11 degrees.\n")
    samples = [{"id": str(n), "input": f"What is point {n} of R-12?", "target": "11"} for n in range(2000)]
    (tmp_path / "many.jsonl").write_text("\n".join(map(json.dumps, samples)))
    (processes.home / "many.yaml").write_text(
        "name: many\ndataset: many\ncollection: sheets\ninclude_quotes: true\nscorers: [contains]\n"
    )
    with Workbench.open(processes.folder, "ines", PASSPHRASES["ines"]) as bench:
        ensure_starters(bench.models, Job("Register"))
        bench.documents.add(AddDocuments(collection="sheets", paths=(str(tmp_path / "sheet.txt"),)), Job("Add"))
        bench.datasets.add(AddDataset(name="many", path=str(tmp_path / "many.jsonl")), Job("Add"))
    first = processes.assay("eval", "run", "many.yaml", "--json", user="ines")
    assert until(
        lambda: bool(list((processes.home / "r").glob("*/*.open"))) or first.poll() is not None, seconds=SECONDS
    )
    assert until(lambda: '"run-1"' in processes.ran("eval", "list", "--json")[1], seconds=SECONDS)
    code, out, said = processes.ran("ask", "sheets", "What is the flash point of solvent R-12?", "--json")
    assert code == 0, said
    assert "11 degrees" in json.loads(out)["answer"]
    first.send_signal(signal.SIGINT)
    out, said = first.communicate(timeout=SECONDS)
    assert (first.returncode, json.loads(out)["status"]) == (130, "cancelled"), said
    with Vault.open(processes.folder, "ines", PASSPHRASES["ines"], SCHEMA) as vault, vault.read() as reader:
        told = [(entry.user, entry.act, entry.about) for entry in reader.log(10_000)]
    asked = told.index(("tomas", "ask", "sheets"))
    assert told.index(("ines", "run-evaluation", "many@1 started")) < asked
    assert asked < told.index(("ines", "run-evaluation", "run-1 cancelled"))
