"""The device files of graphics cards, for workers that compute on them.

A card's driver is a large piece of the kernel to talk to, and a card's memory is shared by all who may open it: so only a worker that was asked to
compute there gets these files, and on a machine without a card nobody gets anything.
"""

from pathlib import Path
from typing import Final

PATTERNS: Final = (
    "nvidia[0-9]*",
    "nvidiactl",
    "nvidia-uvm",
    "nvidia-uvm-tools",
    "nvidia-modeset",
    "kfd",
    "dri/renderD*",
)
"""Below /dev: CUDA, ROCm, Vulkan."""
DRIVERS: Final = (
    "/proc/devices",
    "/proc/driver/nvidia",
    "/sys/bus/pci/devices",
    "/sys/class/kfd",
    "/sys/devices",
    "/sys/module/nvidia",
    "/usr/local/cuda",
    "/usr/local/nvidia",
    "/opt/rocm",
    "/etc/vulkan",
    "/usr/share/vulkan",
)
"""What drivers' own libraries read."""


def device_files(folder: Path = Path("/dev")) -> tuple[str, ...]:
    """Those of this machine, sorted."""
    return tuple(sorted(str(path) for pattern in PATTERNS for path in folder.glob(pattern)))
