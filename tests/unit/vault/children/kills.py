"""Works in a vault, is killed, looks at what is left, and again: `python -m tests.unit.vault.children.kills FOLDER KILLS SEED`.

A forked child does a random mixture of everything that is written, and tells each change that was committed through a pipe; it is killed with
SIGKILL after a random time, from its opening of the vault on. Then all that was ever told must be there, and the check must find nothing.
The changes come in no fixed proportion to time, so that each kind of work is met in its middle. Prints one line of JSON.
"""

import contextlib
import json
import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from pathlib import Path

from core.records import Digest, Record
from core.vault import sealed_files, versions
from core.vault.backup import backup
from core.vault.check import check
from core.vault.compact import compact
from core.vault.roles import Act
from core.vault.signing import Signer
from core.vault.vault import Vault
from tests.conftest import PASSPHRASES

EARLY = 0.3
"""Share of the children that are killed after a random time, most of them while they open the vault."""
SECONDS, CHANGES, MORE = 0.2, 12, 0.05
"""How long such a child lives at most; for the others, after how many changes, and how many seconds more, they are killed at most."""


class Line(Record, frozen=True, kw_only=True, tag="test-line"):
    text: str


class Plan(Record, frozen=True, kw_only=True, tag="test-plan"):
    text: str
    number: int


class Worker:
    """One life: changes until it is killed."""

    def __init__(self, vault: Vault, signer: Signer, chance: random.Random, told: int) -> None:
        self.vault, self.signer, self.chance, self.told = vault, signer, chance, told

    def work(self) -> None:
        kinds = [self.records, self.content, self.sign, self.version, self.cache]
        while True:
            kind = self.chance.choices([*kinds, self.compact, self.backup], [6, 4, 4, 4, 2, 1, 1])[0]
            os.write(self.told, (" ".join([kind.__name__, *kind()]) + "\n").encode())

    def records(self) -> list[Digest]:
        with self.vault.write(Act.ADD_DATASET, about="lines") as unit:
            return [unit.put(Line(text="x" * self.chance.randrange(3000))) for _ in range(self.chance.randrange(1, 60))]

    def content(self) -> list[Digest]:
        with self.vault.write(Act.ADD_DOCUMENTS) as unit:
            largest = self.chance.choice([100, 20_000, 20_000, 20_000, 20_000, 1_500_000])
            content = unit.seal([self.chance.randbytes(self.chance.randrange(1, largest))])
            return [content, unit.put(Line(text="made from it"), links=(content,))]

    def sign(self) -> list[Digest]:
        with self.vault.write(Act.SAVE_PROMPT) as unit:
            subject = unit.put(Line(text="signed"))
            unit.sign(self.signer, subject, "line", "authored", "mine")
            return [subject, unit.linked_from(subject)[0]]

    def version(self) -> list[Digest]:
        name = f"plan-{self.chance.randrange(5)}"
        with self.vault.write(Act.SAVE_PROMPT) as unit:
            digest, plan, _ = versions.save(
                unit, "plan", name, Plan, lambda _: False, lambda number, _: Plan(text=name, number=number)
            )
            versions.set_label(unit, "plan", name, "newest", plan.number)
        return [digest]

    def cache(self) -> list[Digest]:
        folder = sealed_files.cache_folder(self.vault)
        sealed_files.seal_file(self.vault, folder / "index", "test index", "lines", 1, [os.urandom(100_000)])
        if self.chance.random() < 0.5:
            sealed_files.drop_cache(self.vault)
        return []

    def compact(self) -> list[Digest]:
        compact(self.vault)
        return []

    def backup(self) -> list[Digest]:
        backup(self.vault, self.vault.folder.parent / "backups" / f"{time.monotonic_ns()}.backup")
        return []


def live(folder: Path, seed: int, told: int) -> None:
    with (
        Vault.open(folder, "ines", PASSPHRASES["ines"]) as vault,
        vault.confirm(PASSPHRASES["ines"]) as signer,
    ):
        Worker(vault, signer, random.Random(seed), told).work()


def kill_once(folder: Path, seed: int) -> list[list[str]]:
    """What a child told, a whole line for each change, before it was killed."""
    chance = random.Random(seed)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        try:
            live(folder, seed, write)
        except BaseException as error:  # noqa: BLE001 (the parent must hear of it)
            os.write(write, f"failed {type(error).__name__}: {error}\n".encode())
        os._exit(1)
    os.close(write)
    said = []
    with os.fdopen(read, "rb") as pipe:
        if chance.random() < EARLY:
            time.sleep(chance.uniform(0, SECONDS))
        else:
            said = [pipe.readline() for _ in range(chance.randrange(1, CHANGES))]
            time.sleep(chance.uniform(0, MORE))
        os.kill(child, signal.SIGKILL)
        said += pipe.readlines()
    os.waitpid(child, 0)
    return [line.decode().split() for line in said if line.endswith(b"\n")]


def main(folder: Path, kills: int, seed: int) -> None:
    (folder.parent / "backups").mkdir(exist_ok=True)
    done: Counter[str] = Counter()
    acknowledged: set[str] = set()
    lost: list[str] = []
    findings: list[str] = []
    for number in range(kills):
        for kind, *digests in kill_once(folder, seed * 1000 + number):
            done[kind] += 1
            acknowledged.update(digests)
            if kind == "failed":
                findings.append(" ".join(digests))
        with Vault.open(folder, "ines", PASSPHRASES["ines"]) as vault:
            findings += [f"{finding.where}: {finding.what}" for finding in check(vault)]
            with vault.read() as reader:
                there = {
                    row[0] for table in ("records", "blobs") for row in reader.db.execute(f"SELECT digest FROM {table}")
                }
            lost += acknowledged - there
        if lost or findings:
            break
        with contextlib.suppress(OSError):
            shutil.rmtree(folder.parent / "backups")
            (folder.parent / "backups").mkdir()
    print(
        json.dumps(
            {
                "kills": kills,
                "done": done,
                "acknowledged": len(acknowledged),
                "lost": lost[:9],
                "findings": findings[:9],
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
