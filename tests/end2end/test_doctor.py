"""`assay doctor` as a person runs it: without a vault, in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

from core.installation import barriers

ASSAY = Path(sys.executable).with_name("assay")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(ASSAY), "doctor", *arguments], capture_output=True, text=True, timeout=300, check=False)


def test_a_process_of_each_kind_is_barred_here_and_the_machine_is_described(tmp_path: Path) -> None:
    done = run("--json", "--folder", str(tmp_path))
    told = json.loads(done.stdout)
    assert sorted(told) == ["findings", "sound"]
    assert {tuple(sorted(finding)) for finding in told["findings"]} == {
        ("about", "figures", "sentence", "state", "step")
    }
    states = {finding["about"]: finding["state"] for finding in told["findings"]}
    assert states["network: this process"] == "good"
    assert {f"network: {kind.name}" for kind in barriers.KINDS} <= set(states)
    assert {
        "processor",
        "graphics card",
        "memory",
        "swap",
        "disk",
        "storage in memory",
        "clock",
        "text recognition",
        "fonts",
    } <= set(states)
    assert (done.returncode == 0) is told["sound"] is all(state != "fault" for state in states.values())


def test_a_person_reads_a_line_for_each_finding() -> None:
    done = run()
    lines = done.stdout.splitlines()
    assert len(lines) == len(barriers.KINDS) + 12
    assert all(line.startswith(("ok ", "note ", "warning ", "FAULT ")) for line in lines[:-1])
    assert done.stderr == ""
