"""llama.cpp's contexts and threads, and what of a file stays in memory. The library itself is opened in `core.models.worker.library`."""

import ctypes
import os
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from core.errors import Damaged

SMALL: Final = 50_000_000
"""Parameters below which one thread is faster than several: 1,000 tokens a second against 300 (4 million, a busy machine)."""

_MADV_DONTNEED: Final = 4


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
