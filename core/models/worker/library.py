"""llama.cpp in this process: loaded once, silent.

llama.cpp writes prompts' fragments and file paths to standard error; a callback drops them all. Processor backends that were built as
plug-ins (portable wheels put them into `bin` beside the packages) are loaded before any model; then those of an add-on that this worker was given
(`core.workers.addons`), such as the one for graphics cards. One that can't be loaded is passed over: the processor computes.
"""

import ctypes
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Final

SPIN: Final = "1000"
"""How often a thread of libgomp looks before it sleeps at a barrier. By default it spins for milliseconds: where a core is busy elsewhere,
two threads then gave 10 to 20 tokens a second and sleeping ones 300 (4 million parameters)."""
WAITING: Final = "active"
"""So that it looks as often where there are more threads than cores; otherwise it then looks a tenth as often, and nearly always sleeps."""

ADDED: Final = "llama_backends"
"""The folder among an add-on's packages in which back ends lie."""

_kept: list[object] = []  # callbacks that C holds a pointer to


def open_library() -> ModuleType:
    """The `llama_cpp` module, initialised."""
    os.environ.setdefault("GOMP_SPINCOUNT", SPIN)
    os.environ.setdefault("OMP_WAIT_POLICY", WAITING)
    import llama_cpp

    library: ModuleType = llama_cpp
    if _kept:
        return library
    _kept.append(library.llama_log_callback(lambda level, text, data: None))
    silence(library)
    _load_backends(Path(llama_cpp.__file__).parent)
    _load_added(Path(llama_cpp.__file__).parent)
    library.llama_backend_init()
    return library


def dropped() -> Any:
    """A log callback that drops everything; kept for as long as the process lives."""
    return _kept[0]


def silence(library: ModuleType) -> None:
    """Drop what llama.cpp would say."""
    library.llama_log_set(_kept[0], ctypes.c_void_p(0))


def _load_backends(package: Path) -> None:
    folder, ggml = package.parent / "bin", package / "lib" / "libggml.so.0"
    if not folder.is_dir() or not ggml.is_file() or not any(folder.glob("libggml-*")):
        return
    load = ctypes.CDLL(str(ggml)).ggml_backend_load_all_from_path
    load.argtypes = [ctypes.c_char_p]
    load.restype = None
    load(os.fsencode(folder))


def _load_added(package: Path) -> None:
    files = [file for entry in sys.path if entry for file in sorted((Path(entry) / ADDED).glob("*ggml-*"))]
    ggml = package / "lib" / {"win32": "ggml.dll", "darwin": "libggml.dylib"}.get(sys.platform, "libggml.so.0")
    if not files or not ggml.is_file():
        return
    load = ctypes.CDLL(str(ggml)).ggml_backend_load
    load.argtypes = [ctypes.c_char_p]
    load.restype = ctypes.c_void_p
    for file in files:
        load(os.fsencode(file))
