"""What goes into the program's folder, and what stays out; read by `program.spec` in the environment that is bundled.

Modules that are named in strings (workers, readers, pages) aren't found by looking at imports, so the program's own packages are taken whole.
"""

import fnmatch
import sys
import sysconfig
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Final

PACKAGES: Final = ("core", "app", "chromadb", "sqlite_utils", "uvicorn", "sacrebleu", "rouge_score", "gguf")
"""Taken with all their modules."""
DATA: Final = (
    "chromadb",
    "qtawesome",
    "docx",
    "pptx",
    "sacrebleu",
    "jsonschema_specifications",
    "ctransformers",
    "llama_cpp",
)
"""Packages with files that they read as they run."""
TOOLS: Final = frozenset({"pip", "setuptools", "wheel", "pyinstaller", "pyinstaller-hooks-contrib", "altgraph"})
"""Distributions of the environment that only build; the versions of all others are carried, for records name them."""
EXCLUDED: Final = (
    "kubernetes", "tkinter", "_tkinter", "idlelib", "turtle", "turtledemo", "ensurepip", "lib2to3", "sympy", "IPython", "pytest", "torch",
    "transformers", "peft", "accelerate", "pandas", "scipy", "PyInstaller", "pip", "setuptools", "wheel", "uvloop", "pkg_resources",
    "matplotlib.tests", "numpy.tests", "numpy.f2py", "chromadb.test",
)  # fmt: skip
"""Never needed when the program runs, or forbidden in its processes."""
NO_HOOKS: Final = frozenset({"pyi_rth_mplconfig", "pyi_rth_nltk", "pyi_rth_traitlets", "pyi_rth_multiprocessing"})
NOT_CARRIED: Final = (
    "PySide6/Qt/translations/*",
    "PySide6/Qt/qml/*",
    "PySide6/Qt/plugins/networkinformation/*",
    "PySide6/Qt/plugins/tls/*",
    "PySide6/Qt/plugins/platformthemes/libqgtk3*",  # needs the system's GTK beside our own libraries
    "*/lib-dynload/nis.*",
    "PySide6/Qt/plugins/sqldrivers/*",
    "PySide6/Qt/plugins/qmltooling/*",
    "PySide6/Qt/lib/libQt6Qml*",
    "PySide6/Qt/lib/libQt6Quick*",
    "PySide6/Qt/lib/libQt6VirtualKeyboard*",
    "PySide6/Qt/plugins/platforminputcontexts/libqtvirtualkeyboard*",
    "PySide6/Qt/plugins/platforms/libqeglfs*",
    "PySide6/Qt/plugins/platforms/libqlinuxfb*",
    "PySide6/Qt/plugins/platforms/libqvnc*",
    "PySide6/Qt/plugins/egldeviceintegrations/*",
    "libQt6*",  # links to PySide6/Qt/lib
    "llama_cpp/lib/cmake/*",
    "llama_cpp/lib/*.so.?*.*",
    "ctransformers/lib/cuda/*",
    "resources/models/starter-chat/*.py",  # in the source archive
    "*/tests/*",
    "nltk/test/*",
    "*/.gitignore",
    "*.pyi",
    "*.dist-info/RECORD",
    "*.dist-info/INSTALLER",
    "*.dist-info/REQUESTED",
    "*.dist-info/direct_url.json",
    "*.dist-info/licenses/*",  # all texts lie in resources/licences
    *(("*.dll", "*.dylib") if sys.platform == "linux" else ()),
    "*.h",
    "matplotlib/mpl-data/sample_data/*",
)
"""Files of packages that the program doesn't load, as patterns of the place in the folder."""
_STANDARD: Final = (
    "test",
    "idlelib",
    "tkinter",
    "lib2to3",
    "turtledemo",
    "turtle",
    "ensurepip",
    "antigravity",
    "this",
    "venv",
    "distutils",
    "nis",
    "ossaudiodev",
)


def site_packages() -> Path:
    """Where this environment's packages lie."""
    return Path(sysconfig.get_paths()["purelib"])


def distributions(packages: Path) -> list[str]:
    """Names of the distributions whose metadata are carried."""
    names = {one.metadata["Name"] for one in metadata.distributions(path=[str(packages)])}
    return sorted(name for name in names if name.lower() not in TOOLS)


def wanted(module: str) -> bool:
    """Whether a module of a package that is taken whole belongs to the program."""
    return ".test" not in module and not module.endswith("__main__")


def standard_library() -> Iterator[str]:
    """Top-level modules of Python's own library, which a plug-in may import whether or not the program does."""
    for name in sorted(sys.stdlib_module_names):
        if not name.startswith("_") and name not in _STANDARD:
            yield name


def processor_backends(packages: Path) -> Iterator[tuple[str, str]]:
    """llama.cpp's back ends, one for each generation of processors; they lie in `bin` beside the packages (none in a build for one machine)."""
    for path in sorted((packages / "bin").glob("libggml-*")):
        if path.is_file():
            yield str(path), "bin"


def carried(place: str) -> bool:
    """Whether a file goes into the folder, by its place there."""
    place = place.replace("\\", "/")
    return not any(fnmatch.fnmatchcase(place, pattern) for pattern in NOT_CARRIED)


if __name__ == "__main__":
    sys.stdout.write("\n".join(standard_library()))
