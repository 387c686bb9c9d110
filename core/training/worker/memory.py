"""What this process holds: of the GPU's memory where there is one, else of the machine's. Bytes."""

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
