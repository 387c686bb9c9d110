"""Tries to reach outside from every kind of process that this program starts, and says what keeps each from it.

A worker is tried in the sandbox of its kind, with another module in it (`core.installation.worker.probe`): the files that it may read
and the folders that it may write are as for the real one. The command line and the window raise the same barrier; this process is one of
them. Rules: a refusal that wasn't tried isn't reported; a barrier that the system lacks is a fault for what holds its promise alone,
and the sentence names it.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from core import egress
from core.errors import AssayError
from core.installation.records import Finding
from core.installation.worker.probe import Probe, Tried, reach
from core.jobs import Job
from core.workers.records import WorkerSpec
from core.workers.supervisor import Supervisor

PROBE: Final = "core.installation.worker.probe"
SECONDS: Final = 60.0


@dataclass(frozen=True)
class Kind:
    """A kind of worker: how findings name it, its modules, and what its sandbox opens to it."""

    name: str
    modules: tuple[str, ...]
    reads: bool = False
    """It may read the files that it works on."""
    writes: bool = False
    """It has a folder to write in."""
    hidden: bool = False
    """That folder is seen by nobody else."""


KINDS: Final = (
    Kind("document reader", ("core.documents.worker.parsing",)),
    Kind("dataset reader", ("core.datasets.worker.reading",)),
    Kind("picture reader", ("core.inference.worker.pictures",)),
    Kind("template worker", ("core.inference.worker.rendering",)),
    Kind(
        "model worker",
        ("core.inference.worker.llama", "core.inference.worker.fake", "core.inference.worker.legacy"),
        True,
    ),
    Kind("model file reader", ("core.models.worker.reading",), reads=True),
    Kind(
        "model maker",
        ("core.models.worker.converting.folder", "core.models.worker.quantizing"),
        reads=True,
        writes=True,
    ),
    Kind("index worker", ("core.retrieval.worker.index",), writes=True, hidden=True),
    Kind("scoring worker", ("core.evals.worker.scoring",)),
    Kind("plugin worker", ("core.evals.worker.plugins",), reads=True),
    Kind(
        "trainer",
        ("core.training.worker.training", "core.training.worker.foreign"),
        reads=True,
        writes=True,
        hidden=True,
    ),
)
"""Every module that runs in a worker is in one of these (a test compares them with the code)."""


def own() -> Finding:
    """What keeps this process, the command line or the window, from the network."""
    found = egress.barrier()
    open_ways = [attempt.kind for attempt in reach() if not attempt.refused]
    about = "network: this process"
    if open_ways or not found.tested:
        return _open(about, "This process", open_ways, found.missing)
    return Finding(
        about=about,
        state="good",
        sentence=f"It can't reach outside ({', '.join(found.names)}; every way that was tried is refused). "
        "Programs of this machine that relay what they are sent over a local socket are outside of this barrier.",
        figures={"barriers": " ".join(found.names)},
    )


def workers(supervisor: Supervisor, job: Job) -> Iterator[Finding]:
    """The same for a worker of each kind, which may start no program and read no other's files either."""
    with tempfile.TemporaryDirectory(prefix="assay-examination-") as folder:
        base = Path(folder)
        given, private, forbidden = base / "given", base / "private", base / "forbidden"
        given.write_bytes(b"given")
        forbidden.write_bytes(b"not for workers")
        private.mkdir()
        for number, kind in enumerate(KINDS):
            job.report(number, len(KINDS), "kinds of process")
            yield _worker(supervisor, kind, given, private, forbidden, job)
        job.report(len(KINDS), len(KINDS), "kinds of process")


def _worker(supervisor: Supervisor, kind: Kind, given: Path, private: Path, forbidden: Path, job: Job) -> Finding:
    spec = WorkerSpec(
        module=PROBE,
        readable=(str(given),) if kind.reads else (),
        writable=(str(private),) if kind.writes else (),
        hidden=(str(private),) if kind.hidden else (),
        seconds=SECONDS,
        title=f"The {kind.name}",
    )
    about = f"network: {kind.name}"
    files = (str(forbidden),) if kind.reads else (str(forbidden), str(given))
    try:
        with supervisor.start(replace(spec), job) as worker:
            barrier = worker.barrier
            tried = worker.call(Probe(forbidden=files), Tried, job)
    except AssayError as error:
        return Finding(about=about, state="fault", sentence=str(error), step="Nothing that needs it works here.")
    open_ways = [attempt.kind for attempt in tried.attempts if not attempt.refused]
    if open_ways:
        return _open(about, f"The {kind.name}", open_ways, barrier.missing)
    names = ", ".join(barrier.names)
    figures: dict[str, int | float | str | bool] = {"barriers": " ".join(barrier.names), "tried": len(tried.attempts)}
    if barrier.missing:
        return Finding(
            about=about,
            state="note",
            sentence=f"All {len(tried.attempts)} ways out were refused ({names}), with a layer less than there could be: "
            f"{'; '.join(barrier.missing)}.",
            step="resources/help/security.md says what each layer is for.",
            figures=figures,
        )
    return Finding(
        about=about,
        state="good",
        sentence=f"All {len(tried.attempts)} ways out were refused ({names}).",
        figures=figures,
    )


def _open(about: str, who: str, ways: list[str], missing: tuple[str, ...]) -> Finding:
    because = f" ({'; '.join(missing)})" if missing else ""
    what = f": {', '.join(ways)}" if ways else ""
    return Finding(
        about=about,
        state="fault",
        sentence=f"{who} is not fully barred{because}{what}.",
        step="Assay itself opens no connection, but a library that tried would not be stopped. Keep this machine off networks.",
        figures={"open": ", ".join(ways)},
    )
