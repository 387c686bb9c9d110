"""Makes an add-on: `python -m installers.addon --packages SITE-PACKAGES --out DIR --key FILE [--comment TEXT]`, or with `--wheels DIR`.

It holds torch, transformers, peft and accelerate with all that they require, at the versions of `constraints.txt`, as files that
`assay addon install` checks and puts in place. They come from a folder of wheels, which pip unpacks without an index, or from an environment in
which they are installed, by the lists of files that the installer kept; there, a file that isn't as listed stops the build.

Rules: nothing is fetched; the same packages give the same bytes; what doesn't run (tests, headers, static libraries, bytecode) stays out; no
package of the program itself is in it. Signed with the release key like `SHA256SUMS`.
"""

import argparse
import base64
import hashlib
import json
import re
import shutil
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from installers import licences
from installers.plan import ROOT, BuildProblem, run

ROOTS: Final = ("torch", "transformers", "peft", "accelerate")
"""What the training worker imports; safetensors, tokenizers and numpy come with them."""
NOT_NEEDED: Final = frozenset({"hf-xet", "setuptools", "triton", "pip"})
"""Required by a package's declaration, but only for downloading, or for compiling on the user's machine."""
DROPPED: Final = re.compile(
    r"\.(pyc|pyi|h|hpp|cuh|cpp|cu|a|lib|cmake|pdb)$|^torch/(include|share|test|csrc)/|^torch/bin/(?!torch_shm_manager$)"
    r"|(^|/)__pycache__/|^(?!torch/)(.*/)?tests?/|^\.\./|^bin/"
    r"|\.dist-info/(RECORD|INSTALLER|REQUESTED|direct_url\.json|WHEEL|sboms/.*)$"
)
"""What isn't carried; torch refuses to start without `torch_shm_manager`, though nothing may run it."""
_PINS: Final = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)", re.MULTILINE)
MANIFEST: Final = "addon.json"
SIGNATURE: Final = "addon.json.minisig"


def main() -> int:
    """0 when the file was made."""
    parser = argparse.ArgumentParser(description="Make the add-on for training.")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--packages", type=Path, help="The site-packages of an environment that holds them.")
    source.add_argument("--wheels", type=Path, help="A folder that holds their wheels.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--key", type=Path, required=True, help="The secret minisign key that signs.")
    parser.add_argument("--program", default=version(), help="The version of the program that it fits.")
    given = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as stage:
            packages = given.packages or unpacked(given.wheels, Path(stage))
            made = build(packages, ROOTS, "training", given.program, given.out, given.key)
    except BuildProblem as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    sys.stdout.write(f"{made}: {made.stat().st_size:,} bytes\n")
    return 0


def version() -> str:
    """The program's version."""
    import tomllib

    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def unpacked(wheels: Path, stage: Path) -> Path:
    """The packages of a folder of wheels, installed by pip without an index into `stage`."""
    options = (
        "--no-index",
        "--no-compile",
        "--only-binary",
        ":all:",
        "--find-links",
        wheels,
        "-c",
        ROOT / "constraints.txt",
    )
    run([sys.executable, "-m", "pip", "install", "-q", *options, "--target", stage, *ROOTS])
    return stage


def build(
    packages: Path, roots: Iterable[str], name: str, program: str, out: Path, key: Path, pinned: bool = True
) -> Path:
    """Make the file in `out`; returns its place. Raises `BuildProblem`."""
    chosen = closure(packages, roots)
    if pinned:
        check_pins(chosen)
    files = dict(sorted(found for one in chosen.values() for found in contents(one)))
    release = f"{program}+{hashlib.sha256(repr(sorted((key, one.version) for key, one in chosen.items())).encode()).hexdigest()[:8]}"
    return pack(name, release, program, [_package(one) for _, one in sorted(chosen.items())], files, out, key)


def pack(
    name: str, release: str, program: str, packages: list[dict[str, str]], files: dict[str, Path], out: Path, key: Path
) -> Path:
    """Sign the list of `files` (by their place among the packages) and make the add-on's file in `out`; returns its place."""
    system = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    manifest: dict[str, Any] = {
        "type": "addon",
        "name": name,
        "release": release,
        "purpose": name,
        "programs": [program],
        "python": f"cp{sys.version_info.major}{sys.version_info.minor}",
        "system": system,
        "packages": packages,
        "files": [
            {"path": f"site/{place}", "size": path.stat().st_size, "sha256": _sha256(path)}
            for place, path in files.items()
        ],
    }
    out.mkdir(parents=True, exist_ok=True)
    target = out / f"assay-{name}-{release}-{manifest['python']}-{system}.addon"
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / MANIFEST
        listed.write_text(json.dumps(manifest, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
        sign(listed, key, f"assay {name} {release}")
        with zipfile.ZipFile(target, "w") as archive:
            for path, place in ((listed, MANIFEST), (Path(folder) / SIGNATURE, SIGNATURE)):
                _add(archive, path, place)
            for place, path in files.items():
                _add(archive, path, f"site/{place}")
    return target


def sign(file: Path, key: Path, comment: str) -> None:
    """Sign a file with a minisign key, the signature beside it."""
    run(
        [
            "minisign",
            "-S",
            "-s",
            key,
            "-m",
            file,
            "-x",
            file.with_name(f"{file.name}.minisig"),
            "-t",
            comment,
            "-c",
            "signature of an add-on",
        ]
    )


def closure(packages: Path, roots: Iterable[str]) -> dict[str, metadata.Distribution]:
    """The distributions of a folder that `roots` require here, themselves included, by name. Raises `BuildProblem` for one that isn't there."""
    from pip._vendor.packaging.requirements import Requirement

    there = {_plain(one.metadata["Name"]): one for one in metadata.distributions(path=[str(packages)])}
    chosen: dict[str, metadata.Distribution] = {}
    waiting = [(_plain(name), "") for name in roots]
    while waiting:
        name, of = waiting.pop()
        if name in chosen or name in NOT_NEEDED:
            continue
        if name not in there:
            raise BuildProblem(f"{name}{f', which {of} requires,' if of else ''} isn't in {packages}.")
        chosen[name] = there[name]
        for line in there[name].requires or ():
            required = Requirement(line)
            if required.marker is None or required.marker.evaluate({"extra": ""}):
                waiting.append((_plain(required.name), name))
    return chosen


def check_pins(chosen: dict[str, metadata.Distribution]) -> None:
    """Raises `BuildProblem` where a version isn't that of `constraints.txt`."""
    pins = {_plain(name): pin for name, pin in _PINS.findall((ROOT / "constraints.txt").read_text())}
    wrong = [
        f"{name} {one.version} (pinned: {pins.get(name, 'not at all')})"
        for name, one in sorted(chosen.items())
        if pins.get(name, "").split("+")[0] != one.version.split("+")[0]
    ]
    if wrong:
        raise BuildProblem(f"Not as constraints.txt has it: {', '.join(wrong)}.")


def contents(distribution: metadata.Distribution) -> Iterator[tuple[str, Path]]:
    """The files of an installed distribution that are carried, by their place among packages. Raises `BuildProblem` for one that was changed."""
    for entry in distribution.files or ():
        place = entry.as_posix()
        if DROPPED.search(place):
            continue
        path = Path(str(entry.locate()))
        if not path.is_file():
            raise BuildProblem(f"{distribution.metadata['Name']}: {place} is missing.")
        if entry.hash is not None and entry.hash.mode == "sha256":
            expected = base64.urlsafe_b64decode(entry.hash.value + "=" * (-len(entry.hash.value) % 4)).hex()
            if _sha256(path) != expected:
                raise BuildProblem(f"{distribution.metadata['Name']}: {place} isn't as it was installed.")
        if place.split("/")[0] in ("core", "app", "resources"):
            raise BuildProblem(f"{place}: the name of a package of the program.")
        yield place, path


def _add(archive: zipfile.ZipFile, path: Path, place: str) -> None:
    entry = zipfile.ZipInfo(place)  # 1980, whatever the file says
    entry.create_system, entry.external_attr = 3, 0o100644 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    with path.open("rb") as file, archive.open(entry, "w", force_zip64=path.stat().st_size > 2**31 - 2**20) as target:
        shutil.copyfileobj(file, target, 1024**2)


def _package(distribution: metadata.Distribution) -> dict[str, str]:
    licence = licences.of(distribution)
    return {"name": licence.name, "release": licence.version, "licence": licence.expression or licence.words}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    raise SystemExit(main())
