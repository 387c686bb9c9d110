"""What every part of a build shares: the version, the one time that stands in all files, the folders, and how another program is run."""

import os
import subprocess
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
HERE: Final = Path(__file__).resolve().parent
NAME: Final = "assay-workbench"
PROGRAM: Final = "assay"
HOMEPAGE: Final = "https://assay.invalid/"
"""There is no public place for the project yet; a releaser sets it."""


@dataclass(frozen=True)
class Plan:
    """One build. `epoch` is the time, in seconds, of the commit that is built; `commit` its whole name."""

    out: Path
    work: Path
    version: str
    commit: str
    epoch: int
    python: str


class BuildProblem(Exception):
    """A build can't go on, with the reason and the next step in one sentence."""


def make(out: Path, work: Path, python: str, fresh: bool = True) -> Plan:
    """The plan for building the commit that is checked out; or the commit that an earlier step in `work` took, where it isn't `fresh`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    taken = work / "commit"
    commit = taken.read_text() if not fresh and taken.exists() else run(["git", "rev-parse", "HEAD"], cwd=ROOT).strip()
    given = os.environ.get("SOURCE_DATE_EPOCH")
    epoch = int(given) if given else int(run(["git", "log", "-1", "--format=%ct", commit], cwd=ROOT))
    out.mkdir(parents=True, exist_ok=True)
    work.mkdir(parents=True, exist_ok=True)
    taken.write_text(commit)
    return Plan(out.resolve(), work.resolve(), project["version"], commit, epoch, python)


def dependencies(extra: str = "") -> list[str]:
    """The requirements of the program, or with `train` those of training too."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [*project["dependencies"], *(project["optional-dependencies"][extra] if extra else ())]


def run(command: Sequence[str | Path], cwd: Path | None = None, environment: Mapping[str, str] | None = None) -> str:
    """The output of a program. Raises `BuildProblem` with the end of what it said when it fails or isn't there."""
    try:
        done = subprocess.run(
            [str(word) for word in command],
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise BuildProblem(f"{command[0]} isn't installed.") from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout)[-3000:]
        raise BuildProblem(f"{command[0]} ended with {done.returncode}:\n{said}")
    return done.stdout
