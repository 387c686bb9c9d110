"""The add-on for graphics cards: made of what was built and no more, refused where a library is missing, taken by the program."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.installation import addons as installing
from core.jobs import Job
from core.models.worker.library import ADDED
from core.workers import addons
from installers import addon, cuda, graphics
from installers.plan import BuildProblem
from tests import minisigning

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
NEEDS = {
    cuda.BACKEND: ["libggml-base.so.0", cuda.RUNTIME, "libcublas.so.13", "libc.so.6"],
    "libcublas.so.13": ["libcublasLt.so.13", "libm.so.6"],
}


@pytest.fixture
def backends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as `installers.cuda` leaves it, with libraries that only say what they need."""
    folder = tmp_path / "backends"
    folder.mkdir()
    for name in (cuda.BACKEND, cuda.RUNTIME, *cuda.CUBLAS, "cuBLAS-licence.txt"):
        (folder / name).write_bytes(name.encode())
    told = {"llama": "0.3.36", "packages": [{"name": "nvidia-cublas", "release": "13", "licence": cuda.NVIDIA}]}
    (folder / cuda.BUILT).write_text(json.dumps(told))

    def run(command: Sequence[str | Path]) -> str:
        needed = "".join(f"  NEEDED               {one}\n" for one in NEEDS.get(Path(command[-1]).name, []))
        return f"{needed}  RUNPATH              $ORIGIN\n"

    def sign(file: Path, key: Path, comment: str) -> None:
        signed = minisigning.signature(file.read_bytes(), KEY, comment=comment)
        file.with_name(f"{file.name}.minisig").write_text(signed)

    monkeypatch.setattr(cuda, "run", run)
    monkeypatch.setattr(addon, "sign", sign)
    return folder


def test_the_program_takes_it_and_finds_the_back_end(backends: Path, tmp_path: Path) -> None:
    file = graphics.build(backends, addons.release(), tmp_path / "out", Path("unused"))
    key = tmp_path / "key.pub"
    key.write_text(minisigning.public(KEY))
    place = tmp_path / "place"
    taken = installing.install(file, Job("Installing"), key, place)
    assert (taken.name, taken.purpose, [one.licence for one in taken.packages]) == (
        "graphics",
        addons.GRAPHICS,
        [cuda.NVIDIA],
    )
    (site,), why = addons.usable(addons.GRAPHICS, (place,))
    assert (why, sorted(path.name for path in (Path(site) / ADDED).iterdir())) == (
        "",
        sorted([cuda.BACKEND, cuda.RUNTIME, *cuda.CUBLAS, "cuBLAS-licence.txt"]),
    )


def test_a_library_that_nobody_brings_stops_the_build(
    backends: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cuda.check(backends)
    monkeypatch.setitem(NEEDS, "libcublasLt.so.13", ["libcuda.so.1"])
    with pytest.raises(BuildProblem, match="libcuda"):
        graphics.build(backends, addons.release(), tmp_path / "out", Path("unused"))


def test_what_was_not_built_stops_the_build(tmp_path: Path) -> None:
    with pytest.raises(BuildProblem, match=r"installers\.cuda"):
        graphics.build(tmp_path, "0", tmp_path, Path("unused"))


def test_only_the_source_of_the_programs_own_llama_cpp_is_built(tmp_path: Path) -> None:
    with pytest.raises(BuildProblem, match="isn't the source"):
        cuda.build(tmp_path / "llama_cpp_python-0.0.1.tar.gz", tmp_path / "x.whl", tmp_path, tmp_path, "90")
