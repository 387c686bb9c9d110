"""A process that runs an evaluation is killed with kill -9, again and again: nothing is done twice, nothing is lost."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.datasets.records import AddDataset
from core.evals.records import RunSpec, Spec
from core.inference.records import Message
from core.jobs import Job
from core.paths import RESOURCES
from core.prompts.records import SavePrompt
from core.vault.check import check
from core.vault.vault import Vault
from core.workbench import SCHEMA, Workbench

SAMPLES = 12
AHEAD = 4
"""Outcomes that a process may be ahead of what was read of it when it is killed."""
SPEC = Spec(
    name="towers",
    dataset="towers",
    prompts=("ask@1", "ask@2"),
    models=("fake",),
    max_tokens=8,
    scorers=("contains", "exact"),
)


def prepared(vault: Vault, folder: Path) -> list[tuple[object, ...]]:
    """What a run gives that nobody kills."""
    lines = [f'{{"id": "q{n}", "input": "What is {n}?", "target": "amber"}}' for n in range(SAMPLES)]
    (folder / "towers.jsonl").write_text("\n".join(lines))
    with Workbench(vault) as bench:
        bench.datasets.add(AddDataset(name="towers", path=str(folder / "towers.jsonl")), Job("Add"))
        for text in ("{{ question }}", "Say: {{ question }}"):
            bench.prompts.save(SavePrompt(name="ask", messages=(Message(role="user", content=text),)))
        bench.evals.save(SPEC)
        bench.evals.run(RunSpec(reference="towers"), Job("Run"))
        return keyed(bench, "run-1")


def keyed(bench: Workbench, run: str) -> list[tuple[object, ...]]:
    found = [outcome for _, outcome in bench.evals.outcomes(run)]
    assert all(outcome.answer is not None for outcome in found)
    return [(o.variant, o.sample, o.repetition, o.answer and o.answer.answer, o.scores) for o in found]


def kill_after(command: list[str], outcomes: int) -> int | None:
    """Start a process, and kill it when it has told of so many outcomes; None if it ended before, else the last that it told of."""
    told = -1
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=RESOURCES.parent
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            told = int(line)
            outcomes -= 1
            if outcomes == 0:
                os.kill(process.pid, signal.SIGKILL)
                break
        process.stdout.read()
        process.wait()
    return told if process.returncode == -signal.SIGKILL else None


def killed(vault_factory: Callable[..., Vault], passphrases: dict[str, str], folder: Path, seed: int, most: int) -> int:
    """Kill at random until the run is over; how often."""
    vault = vault_factory(SCHEMA)
    place = vault.folder
    whole = prepared(vault, folder)
    chance, kills, known = random.Random(seed), 0, 0
    what = "run"
    while True:
        after = chance.randint(1, most)
        given = (str(place), passphrases["ines"], what, str(after + chance.randint(0, AHEAD)))
        command = [sys.executable, "-m", "tests.unit.evals.killed", *given]
        told = kill_after(command, after)
        with Workbench(Vault.open(place, "ines", passphrases["ines"], SCHEMA)) as bench:
            view = bench.evals.show("run-2")
            done = keyed(bench, "run-2")
            assert len({line[:3] for line in done}) == len(done), "nothing is there twice"
            if view.status == "finished":  # it may be so far when the kill reaches it
                assert done == whole
                assert view.result is not None
                first = bench.evals.show("run-1").result
                assert first is not None
                assert (view.result.variants, view.result.differences) == (first.variants, first.differences)
                assert check(bench.vault) == ()
                return kills
            assert (told is None, view.status) == (False, "started")
            assert told is not None
            assert len(done) >= max(told, known), "what was told of, and what was there before, is kept"
            assert set(map(str, done)) <= set(map(str, whole))
            known, kills, what = len(done), kills + 1, "resume"


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_run_is_resumed(
    vault_factory: Callable[..., Vault], passphrases: dict[str, str], tmp_path: Path
) -> None:
    assert killed(vault_factory, passphrases, tmp_path, seed=1, most=16) >= 1


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize("seed", range(2, 8))
def test_a_run_is_killed_at_many_points(
    vault_factory: Callable[..., Vault], passphrases: dict[str, str], tmp_path: Path, seed: int
) -> None:
    assert killed(vault_factory, passphrases, tmp_path, seed, most=5) >= 3
