"""Builds the installers on this machine: `python -m installers.build [STEP…] [--out DIR] [--work DIR] [--llama WHEEL] [--train] [--key FILE]
[--packages DIR] [--backends DIR]`.

Steps, in order; without one, all: `wheels` (gather), `bundle` (the program's folder), `deb`, `run`, `wheelhouse`, `addon` (what training needs,
only where `--packages` says where it is installed, or with `--train` from the wheels; and that for graphics cards, where `--backends` names what
`installers.cuda` built), `trust` (SBOM, provenance, sums, signature). Only
`wheels` and the environment of `bundle` fetch anything, from the package registry that pip is set to.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from installers import (
    addon,
    bundle,
    check,
    deb,
    desktop,
    graphics,
    licences,
    plan,
    provenance,
    sbom,
    selfextract,
    trust,
    wheelhouse,
)
from installers.plan import NAME, ROOT, BuildProblem, Plan

STEPS = ("wheels", "bundle", "deb", "run", "wheelhouse", "addon", "trust")


def main() -> int:
    """0 when all steps were done."""
    parser = argparse.ArgumentParser(description="Build the installers.")
    parser.add_argument("steps", nargs="*", metavar="STEP", help=f"{', '.join(STEPS)}; all where none is given.")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "release")
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "installers")
    parser.add_argument(
        "--python", default=sys.executable, help="The Python that the program is built with (with a shared library)."
    )
    parser.add_argument("--llama", type=Path, help="A wheel of llama-cpp-python built for all processors.")
    parser.add_argument("--train", action="store_true", help="The wheelhouse holds what training needs, too.")
    parser.add_argument(
        "--key", type=Path, help="The releaser's secret minisign key; without it a throw-away key signs, for trials."
    )
    parser.add_argument(
        "--packages", type=Path, help="Packages of an environment with what training needs, for the add-on."
    )
    parser.add_argument(
        "--backends", type=Path, help="What `installers.cuda` built, for the add-on for graphics cards."
    )
    given = parser.parse_args()
    if unknown := set(given.steps) - set(STEPS):
        parser.error(f"no such step: {', '.join(sorted(unknown))}")
    try:
        fresh = not given.steps or "wheels" in given.steps
        build(plan.make(given.out, given.work, given.python, fresh), given.steps or STEPS, given)
    except BuildProblem as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


def build(made: Plan, steps: tuple[str, ...] | list[str], given: argparse.Namespace) -> None:
    """Do the steps that are asked for. Raises `BuildProblem`."""
    wheels = made.work / ("wheels-train" if given.train else "wheels")
    folder = made.work / "dist" / plan.PROGRAM
    python = made.work / "environment" / "bin" / "python"

    def gather() -> None:
        wheelhouse.gather(made, wheels, given.llama, given.train)
        own = bundle.wheel(made, bundle.source(made), made.work / "own")
        for old in wheels.glob(f"{NAME.replace('-', '_')}-*.whl"):
            old.unlink()
        (wheels / own.name).write_bytes(own.read_bytes())

    def freeze() -> None:
        own = next(iter((made.work / "own").glob("*.whl")))
        key = trust.public_key(made.work, given.key)
        bundle.build(made, bundle.environment(made, wheels, own), made.work / "source", key)

    def carry() -> None:
        key = given.key or trust.trial_key(made.work, made.work)
        if given.backends is not None:
            graphics.build(given.backends, made.version, made.out, key)
        if given.packages is None and not given.train:
            return
        with tempfile.TemporaryDirectory(dir=made.work) as stage:
            packages = given.packages or addon.unpacked(wheels, Path(stage))
            addon.build(packages, addon.ROOTS, "training", made.version, made.out, key)

    does: dict[str, Callable[[], object]] = {
        "wheels": gather,
        "bundle": freeze,
        "deb": lambda: deb.build(made, folder, python),
        "run": lambda: selfextract.build(made, folder, python),
        "wheelhouse": lambda: wheelhouse.build(made, wheels, given.train),
        "addon": carry,
        "trust": lambda: vouch(made, wheels, folder, given.key),
    }
    for step in STEPS:
        if step in steps:
            begun = time.monotonic()
            does[step]()
            sys.stdout.write(f"{step}: done in {time.monotonic() - begun:.0f} s\n")
            sys.stdout.flush()
    if "deb" in steps:
        sys.stdout.write("".join(f"{line}\n" for line in desktop.validate(made.work / "deb" / "usr")))


def vouch(made: Plan, wheels: Path, folder: Path, key: Path | None) -> None:
    """SBOM, provenance, sums and signature over what lies in the folder of the release, and the check of all."""
    packages = next(iter((made.work / "environment" / "lib").glob("python3*/site-packages")))
    components = [one for one in licences.all_in(packages) if one.name.lower() not in _TOOLS]
    trust.write_json(made.out / trust.SBOM, sbom.document(NAME, made.version, made.epoch, components, folder))
    (made.out / trust.PROVENANCE).unlink(missing_ok=True)
    materials = {path.name: provenance.digest(path) for path in sorted(wheels.glob("*.whl"))}
    materials[bundle.EMBEDDER.name] = provenance.digest(ROOT / bundle.EMBEDDER)
    statement = provenance.statement(trust.artefacts(made.out)[:], made.commit, made.epoch, made.version, materials)
    statement["subject"] = [one for one in statement["subject"] if one["name"] != trust.PROVENANCE]
    trust.write_json(made.out / trust.PROVENANCE, statement)
    trust.write_sums(made.out)
    if key is None:
        (made.out / trust.TRIAL_KEY).unlink(missing_ok=True)
        trust.sign(made.out, trust.trial_key(made.out, made.work), f"{NAME} {made.version} {made.commit} TRIAL")
        found = check.problems(made.out, made.out / trust.TRIAL_KEY)
    else:
        (made.out / trust.TRIAL_KEY).unlink(missing_ok=True)
        trust.sign(made.out, key, f"{NAME} {made.version} {made.commit}")
        found = check.problems(made.out, key.with_suffix(".pub"))
    if found:
        raise BuildProblem("\n".join(found))


_TOOLS = frozenset({"pip", "setuptools", "pyinstaller", "pyinstaller-hooks-contrib", "altgraph"})

if __name__ == "__main__":
    raise SystemExit(main())
