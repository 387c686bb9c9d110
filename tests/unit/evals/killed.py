"""A process of its own that runs or resumes an evaluation, to be killed: `python -m tests.unit.evals.killed VAULT PASSPHRASE run|resume PAUSE`.

Outcomes are written one by one, and a line is printed for each that the run has so far. After `PAUSE` of them it waits to be killed.
"""

import sys
from pathlib import Path

from core.evals import service
from core.evals.records import Done, RunSpec
from core.jobs import Job
from core.vault.vault import Vault
from core.workbench import SCHEMA, Workbench


def main(folder: str, passphrase: str, what: str, pause: str) -> None:
    service.BATCH_SECONDS = 0.0
    left = int(pause)
    with Workbench(Vault.open(Path(folder), "ines", passphrase, SCHEMA)) as bench:

        def tell(done: Done) -> None:
            nonlocal left
            print(done.done, flush=True)
            left -= 1
            if left == 0:
                sys.stdin.read()

        if what == "resume":
            bench.evals.resume("latest", Job("Resume"), tell)
        else:
            bench.evals.run(RunSpec(reference="towers", fresh=True), Job("Run"), tell)


if __name__ == "__main__":
    main(*sys.argv[1:])
