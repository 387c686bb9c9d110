"""A process that is killed anywhere loses nothing that it acknowledged, and leaves a vault that its check finds whole."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.vault.vault import Vault

REPOSITORY = Path(__file__).resolve().parents[3]
KINDS = {"records", "content", "sign", "version", "cache", "compact", "backup"}

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="fork and SIGKILL are Unix's")


def killed(vault: Vault, kills: int, seed: int) -> dict[str, Any]:
    vault.close()
    done = subprocess.run(
        [sys.executable, "-m", "tests.unit.vault.children.kills", str(vault.folder), str(kills), str(seed)],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    assert (told["lost"], told["findings"]) == ([], []), f"seed {seed}: {told}"
    assert told["kills"] == kills
    return told


def test_a_few_kills_lose_nothing(vault: Vault) -> None:
    assert killed(vault, 8, seed=random.randrange(1_000_000))["acknowledged"] > 0


@pytest.mark.slow
def test_two_hundred_kills_lose_nothing(vault: Vault) -> None:
    told = killed(vault, 200, seed=random.randrange(1_000_000))
    assert told["done"].keys() >= KINDS, "every kind of work was done"
    assert told["acknowledged"] > 1000
