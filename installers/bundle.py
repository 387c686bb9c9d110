"""The program's folder: built by PyInstaller from the wheelhouse alone, with fonts, licences, the source and the list of its files.

Rules: the environment holds what the wheelhouse holds and PyInstaller, nothing else; the source is what the commit holds, not what lies in the
checkout (the starter embedder, which git doesn't hold, is taken from the checkout and named in the provenance); `program.json` is written last.
"""

import hashlib
import shutil
import sys
import tarfile
from pathlib import Path
from typing import Final

from installers import licences, same
from installers.plan import HERE, NAME, PROGRAM, ROOT, BuildProblem, Plan, run

PYINSTALLER: Final = "pyinstaller==6.22.3"
EMBEDDER: Final = Path("resources/models/starter-embed.gguf")
FONTS: Final = (
    ("fonts-inter", Path("/usr/share/fonts/opentype/inter"), ("Inter-Regular", "Inter-Italic", "Inter-Medium", "Inter-SemiBold", "Inter-Bold")),
    ("fonts-jetbrains-mono", Path("/usr/share/fonts/truetype/jetbrains-mono"), ("JetBrainsMono-Regular", "JetBrainsMono-Bold")),
)  # fmt: skip


def source(plan: Plan) -> Path:
    """A folder with the commit's files and the starter embedder."""
    folder = plan.work / "source"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    archive = plan.work / "source.tar"
    run(["git", "archive", "--format=tar", "-o", archive, plan.commit], cwd=ROOT)
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    if not (ROOT / EMBEDDER).is_file():
        raise BuildProblem(f"{EMBEDDER} isn't there. `make setup` makes it.")
    shutil.copy(ROOT / EMBEDDER, folder / EMBEDDER)
    return folder


def environment(plan: Plan, wheels: Path, wheel: Path) -> Path:
    """A clean environment with the program from its wheel; returns its Python. PyInstaller comes from the package registry."""
    python = plan.work / "environment" / "bin" / "python"
    marker = plan.work / "environment" / "made-of"
    state = hashlib.sha256("\n".join(sorted(path.name for path in wheels.glob("*.whl"))).encode()).hexdigest()
    if not marker.exists() or marker.read_text() != state:
        shutil.rmtree(plan.work / "environment", ignore_errors=True)
        run([plan.python, "-m", "venv", plan.work / "environment"])
        run([python, "-m", "pip", "install", "-q", "--no-index", "--find-links", wheels, NAME])
        run([python, "-m", "pip", "install", "-q", PYINSTALLER])
        marker.write_text(state)
    run([python, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--no-compile", "--force-reinstall", wheel])
    return python


def build(plan: Plan, python: Path, folder: Path, key: Path) -> Path:
    """The finished folder, from the unpacked source in `folder`; `key` is the public one that it checks add-ons with."""
    run(
        [python, "-P", "-c", "import core.cli.main, app.main_window, app.pages.all"], cwd=plan.work
    )  # a commit that can't start is told early
    given = {
        "ASSAY_ENTRY": str(folder / "app" / "dispatch.py"),
        "PYTHONHASHSEED": "0",
        "SOURCE_DATE_EPOCH": str(plan.epoch),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    options: list[str | Path] = [
        "--noconfirm",
        "--distpath",
        plan.work / "dist",
        "--workpath",
        plan.work / "pyinstaller",
    ]
    run([python, "-m", "PyInstaller", *options, HERE / "program.spec"], cwd=plan.work, environment=given)
    return finish(plan, python, folder, key)


def finish(plan: Plan, python: Path, folder: Path, key: Path) -> Path:
    """Add what PyInstaller doesn't, and list the files."""
    made = plan.work / "dist" / PROGRAM
    inside = made / "_internal"
    packages = Path(run([python, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"]).strip())
    same.link_equals(inside / "llama_cpp" / "lib", "*.so*")
    _flatten(inside)
    licences.write(licences.all_in(packages), inside / "resources" / "licences")
    shutil.copy(folder / "LICENSE", made / "LICENSE")
    fonts(inside / "resources" / "fonts")
    shutil.copyfile(key, inside / "resources" / "release.pub")
    stage = plan.work / "source-only"
    shutil.rmtree(stage, ignore_errors=True)
    shutil.copytree(folder, stage, symlinks=True)
    (stage / EMBEDDER).unlink()
    same.write_tar_gz(stage, made / f"{NAME}-{plan.version}-source.tar.gz", plan.epoch, f"{NAME}-{plan.version}/")
    if sys.platform == "linux":
        same.plain_modes(made)
    same.settle(made, plan.epoch)
    run([python, "-c", _LIST, made, f"{NAME} {plan.version}"], cwd=folder)
    same.settle(made, plan.epoch)
    return made


_LIST: Final = "import sys, pathlib; from core.installation.files import write_list; write_list(pathlib.Path(sys.argv[1]), sys.argv[2])"


def fonts(target: Path) -> None:
    """The window's two families with their licences, from Debian's packages."""
    target.mkdir(parents=True, exist_ok=True)
    for package, folder, names in FONTS:
        for name in names:
            found = next(iter(folder.glob(f"{name}.[ot]tf")), None)
            if found is None:
                raise BuildProblem(f"{name}: the font isn't installed. `apt-get install {package}` adds it.")
            shutil.copy(found, target / found.name)
        shutil.copy(Path("/usr/share/doc") / package / "copyright", target / f"{package}-copyright.txt")


def _flatten(inside: Path) -> None:
    """Replace links to nothing, which PyInstaller leaves for files that were left out."""
    for path in inside.rglob("*"):
        if path.is_symlink() and not path.exists():
            path.unlink()


def wheel(plan: Plan, folder: Path, target: Path) -> Path:
    """The program's own wheel, built from the unpacked source; the same bytes each time."""
    target.mkdir(parents=True, exist_ok=True)
    same.settle(folder, plan.epoch)
    given = {"SOURCE_DATE_EPOCH": str(plan.epoch)}
    run([plan.python, "-m", "pip", "wheel", "-q", "--no-deps", folder, "-w", target], cwd=plan.work, environment=given)
    return next(iter(target.glob(f"{NAME.replace('-', '_')}-*.whl")))
