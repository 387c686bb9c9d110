"""The memory that is planned before a run beside what the run then holds, in processes of their own (`tests.unit.training.planned`)."""

import json
import subprocess
import sys
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("peft")

from tests.benchmarks.figures import REPOSITORY
from tests.unit.training import planned

NEAR = 0.15


def measured(*names: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.unit.training.planned", *names], check=True, capture_output=True, cwd=REPOSITORY
    )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith(b"{")]
    return {line["case"]: line for line in lines}


def test_the_memory_of_a_short_run_is_planned() -> None:
    found = measured("short")["short"]
    assert abs(found["ratio"] - 1) <= NEAR, found
    assert found["gradients"] == found["adapter"]
    assert found["optimizer"] == 2 * found["adapter"]
    assert found["activations"] > 0


@pytest.mark.slow
def test_the_memory_is_planned_for_several_shapes_methods_lengths_and_batches() -> None:
    found = measured()
    assert found.keys() == planned.CASES.keys()
    assert not {name: line["ratio"] for name, line in found.items() if abs(line["ratio"] - 1) > NEAR}
