"""The wheelhouse: every wheel that the program needs, their hashes, and a script that installs them without a network.

Rules: everything is a wheel (what has none is built here), at the versions of `constraints.txt`; `requirements.txt` pins each with the SHA-256 of
the very file, and the script lets pip take nothing else; the tar has the same bytes whenever it holds the same wheels.
"""

import re
import shutil
from pathlib import Path

from installers import same
from installers.plan import HERE, NAME, ROOT, BuildProblem, Plan, dependencies, run
from installers.provenance import digest

_NAME = re.compile(r"(?P<name>[^-]+)-(?P<version>[^-]+)(-\d[^-]*)?-[^-]+-[^-]+-(?P<platform>[^-]+)\.whl")


def gather(plan: Plan, target: Path, llama: Path | None, train: bool = False) -> None:
    """Fill a folder with wheels, from the package registry and from `llama`, the wheel of llama-cpp-python to take."""
    target.mkdir(parents=True, exist_ok=True)
    if llama is not None:
        for old in target.glob("llama_cpp_python-*.whl"):
            old.unlink()
        shutil.copy(llama, target / llama.name)
    wanted = [*dependencies("train" if train else ""), "pip", "setuptools"]
    run(
        [
            plan.python,
            "-m",
            "pip",
            "wheel",
            "-q",
            "-c",
            ROOT / "constraints.txt",
            "--find-links",
            target,
            "-w",
            target,
            *wanted,
        ]
    )


def build(plan: Plan, wheels: Path, train: bool = False) -> Path:
    """Make the tar; returns its place."""
    name = f"{NAME}-{plan.version}-wheelhouse-{platform(wheels)}{'-train' if train else ''}"
    stage = plan.work / "wheelhouse"
    shutil.rmtree(stage, ignore_errors=True)
    (stage / "wheels").mkdir(parents=True)
    for path in sorted(wheels.glob("*.whl")):
        (stage / "wheels" / path.name).hardlink_to(path)
    (stage / "requirements.txt").write_text(requirements(wheels))
    shutil.copy(ROOT / "constraints.txt", stage / "constraints.txt")
    shutil.copy(ROOT / "LICENSE", stage / "LICENSE")
    text = (HERE / "linux" / "install.sh").read_text().replace("@VERSION@", plan.version)
    (stage / "install.sh").write_text(text)
    (stage / "install.sh").chmod(0o755)
    target = plan.out / f"{name}.tar"
    with target.open("wb") as file:
        same.write_tar(stage, file, plan.epoch, f"{name}/")
    return target


def requirements(wheels: Path) -> str:
    """Each wheel's name, version and hash, as pip reads it with `--require-hashes`. Raises `BuildProblem` for two versions of one thing."""
    lines: dict[str, str] = {}
    for path in sorted(wheels.glob("*.whl")):
        match = _NAME.fullmatch(path.name)
        if match is None:
            raise BuildProblem(f"{path.name}: this isn't the name of a wheel.")
        name = re.sub(r"[-_.]+", "-", match["name"]).lower()
        if name in lines:
            raise BuildProblem(f"{name}: there are two wheels of it. Remove one.")
        lines[name] = f"{name}=={match['version']} --hash=sha256:{digest(path)}\n"
    return "".join(lines[name] for name in sorted(lines))


def platform(wheels: Path) -> str:
    """The platform that the wheels are for: the narrowest of Linux, or another system's."""
    tags = {match["platform"] for path in wheels.glob("*.whl") if (match := _NAME.fullmatch(path.name))} - {"any"}
    for system in ("win_amd64", "macosx"):
        if found := sorted(tag for tag in tags if tag.startswith(system)):
            return found[-1]
    return "linux_x86_64"
