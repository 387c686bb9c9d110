"""The command line as a process of its own that ends itself with SIGKILL at one place: `python -m tests.unit.evals.deadly PLAN assay-arguments`.

PLAN is JSON: `events`, a file to which one line is added for each thing that happens; `at` and `when`, at which of the evaluation's writes it dies
(0: at none), and whether before that, inside of its transaction, or after it; `asked`, at which request to a model it dies, after the first piece of
its answer (0: at none); `every`, the seconds between writes.
"""

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from core.cli.main import main
from core.evals import service
from core.inference.records import Complete
from core.inference.service import Engine
from core.vault.roles import Act
from core.vault.vault import Vault
from core.workers.supervisor import Supervisor


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("nobody lives on after it")


class Watched:
    """Tells of writes, requests and workers, and dies where it is told to."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self.plan = plan
        self.writes = self.requests = 0
        self.file = os.open(plan["events"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def note(self, *what: object) -> None:
        os.write(self.file, json.dumps(what).encode() + b"\n")

    def patch(self) -> None:
        service.BATCH_SECONDS = self.plan["every"]
        write, generate, start = Vault.write, Engine.generate, Supervisor.start

        @contextmanager
        def watched_write(vault: Vault, act: Act, about: str = "", reason: str = "") -> Iterator[Any]:
            mine = act is Act.RUN_EVALUATION
            self.writes += mine
            here = self.plan["when"] if mine and self.writes == self.plan["at"] else ""
            if here == "before":
                die()
            with write(vault, act, about, reason) as unit:
                yield unit
                if here == "inside":
                    die()
            if mine:
                self.note("written", about)
            if here == "after":
                die()

        def watched_generate(engine: Engine, request: Any, job: Any = None) -> Iterator[Any]:
            self.requests += 1
            last = self.requests == self.plan["asked"]
            asked = request.request if isinstance(request, Complete) else request
            self.note("asked", str(asked.model), json.dumps(asked.variables, sort_keys=True), repr(asked.messages))
            for part in generate(engine, request, job):
                if last:
                    die()
                yield part

        def watched_start(supervisor: Supervisor, *given: Any, **named: Any) -> Any:
            worker = start(supervisor, *given, **named)
            self.note("worker", worker.pid)
            return worker

        vault: Any = Vault
        engine: Any = Engine
        supervisor: Any = Supervisor
        vault.write, engine.generate, supervisor.start = watched_write, watched_generate, watched_start


if __name__ == "__main__":
    Watched(json.loads(sys.argv.pop(1))).patch()
    main()
