"""llama.cpp in this process: loaded once, silent.

llama.cpp writes prompts' fragments and file paths to standard error; a callback drops them all. Processor backends that were built as
plug-ins (portable wheels put them into `bin` beside the packages) are loaded before any model.
"""

import ctypes
import os
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from core.errors import Damaged

SPIN: Final = "1000"
"""How often a thread of libgomp looks before it sleeps at a barrier. By default it spins for milliseconds: where a core is busy elsewhere,
two threads then gave 10 to 20 tokens a second and sleeping ones 300 (4 million parameters)."""
WAITING: Final = "active"
"""So that it looks as often where there are more threads than cores; otherwise it then looks a tenth as often, and nearly always sleeps."""
SMALL: Final = 50_000_000
"""Parameters below which one thread is faster than several: 1,000 tokens a second against 300 (4 million, a busy machine)."""

_MADV_DONTNEED: Final = 4
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
    library.llama_backend_init()
    return library


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


def let_go(path: str) -> None:
    """Give back the pages of a file that is mapped: of weights that llama.cpp rearranged it reads its own copy only, and what is read in place
    comes back from the system's cache. Where the system can't, they stay."""
    try:
        advise = ctypes.CDLL(None).madvise
        lines = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines()
    except (OSError, AttributeError, TypeError):
        return
    advise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    for line in lines:
        if line.endswith(f" {path}"):
            start, end = (int(number, 16) for number in line.split(maxsplit=1)[0].split("-"))
            advise(start, end - start, _MADV_DONTNEED)


def context(
    library: ModuleType,
    model: Any,
    name: str,
    cells: int,
    batch: int,
    threads: int,
    flash: bool = False,
    **settings: bool | int,
) -> Any:
    """A context of `cells` tokens that computes `batch` of them at once. Raises `Damaged` when llama.cpp can't make it."""
    asked = library.llama_context_default_params()
    asked.n_ctx = cells
    asked.n_batch = asked.n_ubatch = batch
    asked.n_threads = asked.n_threads_batch = threads
    kind = library.LLAMA_FLASH_ATTN_TYPE_ENABLED if flash else library.LLAMA_FLASH_ATTN_TYPE_DISABLED
    asked.flash_attn_type = kind
    for key, value in settings.items():
        setattr(asked, key, value)
    made = library.llama_init_from_model(model, asked)
    if not made:
        raise Damaged(source=name, problem="llama.cpp can't run it. Take another copy of the file, or another model.")
    return made


def features(library: ModuleType) -> str:
    """The processor features that llama.cpp uses, as it names them."""
    text: bytes = library.llama_print_system_info()
    words = [
        part.split("=")[0].strip()
        for part in text.decode("ascii", "replace").split("|")
        if part.strip().endswith("= 1")
    ]
    return " ".join(word.split(":")[-1].strip() for word in words)


def threads(library: ModuleType, model: Any) -> int:
    """How many threads compute one token of this model."""
    return 1 if library.llama_model_n_params(model) < SMALL else cores()


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
