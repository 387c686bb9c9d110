"""What this process holds: of the GPU's memory where there is one, else of the machine's. Bytes. And how it is told that there is no more."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def now() -> int:
    """Held at this moment."""
    gpu = _gpu("memory_allocated")
    return _resident("VmRSS") if gpu is None else gpu


def peak() -> int:
    """The most that was held since the process began."""
    gpu = _gpu("max_memory_allocated")
    return _resident("VmHWM") if gpu is None else gpu


def _gpu(name: str) -> int | None:
    import torch

    return int(getattr(torch.cuda, name)()) if torch.cuda.is_available() else None


def _resident(name: str) -> int:
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:")), 0)


def load_libraries() -> None:
    """What a run imports, so that it isn't taken for what the run needs."""
    import accelerate  # noqa: F401
    import peft  # noqa: F401
    from transformers import get_scheduler  # noqa: F401


@contextmanager
def told_apart() -> Iterator[None]:
    """torch's ways of saying that memory ran out, as Python's."""
    try:
        yield
    except RuntimeError as error:
        text = str(error)
        if "allocate memory" in text or "out of memory" in text or "not enough memory" in text:
            raise MemoryError from None
        raise
