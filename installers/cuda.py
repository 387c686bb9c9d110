"""Builds llama.cpp's back end for NVIDIA's cards: `python -m installers.cuda --source SDIST --cublas WHEEL --work DIR [--toolkit DIR]
[--architectures LIST]`.

The program's llama.cpp finds further back ends as files of their own, so only one library is compiled, out of the very source that its wheel
was built from. Rules: nothing is fetched (SDIST is the source of llama-cpp-python at the version of `constraints.txt`, WHEEL NVIDIA's cuBLAS); no
card and no driver is needed to build or to load it, so that a machine without one goes on with its processor; WORK/backends gets the library, the
three of NVIDIA that it needs, the licences and `built.json`, of which `installers.build addon --backends` makes the add-on.
"""

import argparse
import json
import re
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Final

from installers.plan import ROOT, BuildProblem, run

BACKEND: Final = "libggml-cuda.so"
ARCHITECTURES: Final = "80;90"
"""Ampere and Ada (80 runs on 86 and 89 too), and Hopper; what comes later takes the 90 as text and compiles it when it first computes."""
RUNTIME: Final = "libcudart.so.13"
CUBLAS: Final = ("libcublas.so.13", "libcublasLt.so.13")
BUILT: Final = "built.json"
PACKAGE: Final = "llama-cpp-python"
NVIDIA: Final = "LicenseRef-NVIDIA-CUDA-EULA"
"""Its Attachment A lists these three among what may be passed on with a program."""


def main() -> int:
    """0 when the library was built."""
    parser = argparse.ArgumentParser(description="Build llama.cpp's back end for NVIDIA's cards.")
    parser.add_argument("--source", type=Path, required=True, help="The source of llama-cpp-python, a .tar.gz.")
    parser.add_argument("--cublas", type=Path, required=True, help="A wheel of nvidia-cublas for the same CUDA.")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--toolkit", type=Path, default=Path("/usr/local/cuda-13.0"))
    parser.add_argument("--architectures", default=ARCHITECTURES)
    given = parser.parse_args()
    try:
        made = build(given.source, given.cublas, given.work.resolve(), given.toolkit, given.architectures)
    except BuildProblem as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    sys.stdout.write(f"{made}\n")
    return 0


def build(source: Path, cublas: Path, work: Path, toolkit: Path, architectures: str) -> Path:
    """The folder with what was built. Raises `BuildProblem`."""
    release = _release(source)
    tree = _unpacked(source, work / "source")
    libraries = _libraries(cublas, work / "libraries")
    options = {
        "CMAKE_BUILD_TYPE": "Release",
        "CMAKE_CUDA_COMPILER": str(toolkit / "bin" / "nvcc"),
        "CUDAToolkit_ROOT": str(toolkit),
        "CMAKE_CUDA_ARCHITECTURES": architectures,
        "CMAKE_CUDA_FLAGS": f"-I{libraries}",
        "CMAKE_CXX_FLAGS": f"-I{libraries}",
        "CUDA_cublas_LIBRARY": str(libraries / "libcublas.so"),
        "CUDA_cublasLt_LIBRARY": str(libraries / "libcublasLt.so"),
        "CMAKE_SKIP_RPATH": "ON",
        "CMAKE_MODULE_LINKER_FLAGS": f"-Wl,-rpath,'$ORIGIN' -Wl,-rpath-link,{libraries}",
        "BUILD_SHARED_LIBS": "ON",
        "GGML_NATIVE": "OFF",
        "GGML_BACKEND_DL": "ON",
        "GGML_CUDA": "ON",
        "GGML_CUDA_NO_VMM": "ON",  # else it is linked with the driver's own library, and doesn't load where there is none
        "GGML_CUDA_NCCL": "OFF",
        "GGML_CCACHE": "OFF",
        "LLAMA_OPENSSL": "OFF",
        "LLAMA_CURL": "OFF",
        **{f"LLAMA_BUILD_{part}": "OFF" for part in ("COMMON", "TESTS", "TOOLS", "EXAMPLES", "SERVER")},
    }
    place = work / "build"
    given = [f"-D{name}={value}" for name, value in options.items()]
    run(["cmake", "-G", "Ninja", "-S", tree, "-B", place, *given])
    run(["cmake", "--build", place, "--target", "ggml-cuda", "--parallel", "2"])
    made = next(iter(sorted(place.rglob(BACKEND))), None)
    if made is None:
        raise BuildProblem(f"{place}: no {BACKEND} was built.")
    return _collected(made, release, libraries, toolkit, architectures, work / "backends")


def _collected(made: Path, release: str, libraries: Path, toolkit: Path, architectures: str, target: Path) -> Path:
    """Put side by side what the add-on is made of."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    run(["strip", "--strip-unneeded", "-o", target / BACKEND, made])
    for name in CUBLAS:
        shutil.copyfile(libraries / name, target / name)
    shutil.copyfile(toolkit / "lib64" / RUNTIME, target / RUNTIME)
    check(target)
    runtime = next(iter((toolkit / "dist-info").glob("nvidia_cuda_runtime-*.dist-info")), None)
    texts = [*sorted((runtime / "licenses").rglob("*"))] if runtime is not None else []
    for number, text in enumerate(path for path in texts if path.is_file()):
        shutil.copyfile(text, target / f"CUDA-runtime-licence{number or ''}.txt")
    shutil.copyfile(libraries / "cuBLAS-licence.txt", target / "cuBLAS-licence.txt")
    shutil.copyfile(libraries.parent / "source" / "LICENSE", target / "llama.cpp-licence.txt")
    told = {
        "llama": release,
        "architectures": architectures,
        "packages": [
            {"name": f"llama.cpp's back end for CUDA, of {PACKAGE}", "release": release, "licence": "MIT"},
            {"name": "nvidia-cublas", "release": (libraries / "release").read_text(), "licence": NVIDIA},
            {
                "name": "nvidia-cuda-runtime",
                "release": runtime.name.split("-")[1].removesuffix(".dist") if runtime is not None else toolkit.name,
                "licence": NVIDIA,
            },
        ],
    }
    (target / BUILT).write_text(json.dumps(told, indent=1, sort_keys=True) + "\n")
    return target


def check(folder: Path) -> None:
    """Raises `BuildProblem` where the back end needs a library that neither lies beside it, nor belongs to the program or the system, or looks
    for its libraries elsewhere."""
    there = {path.name for path in folder.iterdir()} | {"libggml-base.so.0"}
    system = re.compile(r"^(libc|libm|libdl|libpthread|librt|libgcc_s|libstdc\+\+|ld-linux-x86-64)\.so\.\d+$")
    for name in (BACKEND, RUNTIME, *CUBLAS):
        said = run(["objdump", "-p", folder / name])
        needed = re.findall(r"NEEDED\s+(\S+)", said)
        if name != RUNTIME and not re.search(r"R(UN)?PATH\s+\$ORIGIN$", said, re.MULTILINE):
            raise BuildProblem(f"{name} doesn't look for its libraries beside it.")
        if missing := [one for one in needed if one not in there and not system.match(one)]:
            raise BuildProblem(f"{name} needs {', '.join(missing)}, which nobody brings.")


def _release(source: Path) -> str:
    """The version in the source's name. Raises `BuildProblem` where the program's llama.cpp has another."""
    pinned = re.search(rf"^{PACKAGE}==([^\s;]+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    found = re.fullmatch(r"llama[-_]cpp[-_]python-([0-9.]+)\.tar\.gz", source.name)
    if found is None or pinned is None or found[1] != pinned[1]:
        raise BuildProblem(f"{source.name} isn't the source of {PACKAGE} {pinned[1] if pinned else ''}.")
    return found[1]


def _unpacked(source: Path, target: Path) -> Path:
    if not (target / "CMakeLists.txt").is_file():
        shutil.rmtree(target, ignore_errors=True)
        with tarfile.open(source) as archive:
            inside = f"{source.name.removesuffix('.tar.gz')}/vendor/llama.cpp/"
            members = [one for one in archive.getmembers() if one.name.startswith(inside)]
            for one in members:
                one.name = one.name.removeprefix(inside)
            archive.extractall(target, members, filter="data")
    if not (target / "CMakeLists.txt").is_file():
        raise BuildProblem(f"{source.name} holds no llama.cpp.")
    return target


def _libraries(wheel: Path, target: Path) -> Path:
    """cuBLAS out of its wheel: libraries, headers and licence side by side, with the names that a linker looks for."""
    marker, release = target / "release", wheel.name.split("-")[1]
    if marker.exists() and marker.read_text() == release:
        return target  # newer headers would have everything compiled again
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            path = Path(name)
            if path.name in CUBLAS or path.suffix == ".h":
                (target / path.name).write_bytes(archive.read(name))
            elif path.name == "License.txt":
                (target / "cuBLAS-licence.txt").write_bytes(archive.read(name))
    for name in CUBLAS:
        if not (target / name).is_file():
            raise BuildProblem(f"{wheel.name} holds no {name}.")
        (target / name.removesuffix(".13")).symlink_to(name)
    marker.write_text(release)
    return target


if __name__ == "__main__":
    raise SystemExit(main())
