"""The machine as the program finds it: processor, memory, disk, clock, storage in memory, text recognition, fonts.

Nothing here is tried with privileges, written, or sent. Where a system doesn't say something, the finding says that.
"""

import ctypes
import os
import platform
import shutil
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from core import paths
from core.documents import ocr
from core.installation.records import Finding

MIB: Final = 1024**2
GIB: Final = 1024**3
LITTLE_MEMORY: Final = 4 * GIB
"""Free memory under which a small quantized model and an embedder don't fit together."""
LITTLE_DISK: Final = 5 * GIB
LITTLE_STORAGE: Final = 256 * MIB
"""In memory; an opened index of 100,000 passages takes about this much."""
RELEASED: Final = datetime(2026, 11, 1, tzinfo=UTC)
"""No clock that is right shows an earlier time."""
USEFUL: Final = (
    "avx",
    "avx2",
    "fma",
    "f16c",
    "avx512f",
    "avx512_bf16",
    "avx512_vnni",
    "amx_int8",
    "asimd",
    "asimddp",
    "sve",
)
"""Features that llama.cpp and ONNX Runtime have faster code for."""
_NETWORK_FILE_SYSTEMS: Final = {0x6969: "NFS", 0xFF534D42: "SMB", 0xFE534D42: "SMB", 0x517B: "SMB", 0x01021997: "9P"}
"""f_type by name, where locks and syncing can't be relied on (linux/magic.h)."""
_FONT_FOLDERS: Final = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts")
_FONT_FILES: Final = (".ttf", ".otf", ".ttc")
_UNSYNCHRONISED: Final = 0x40  # STA_UNSYNC (linux/timex.h)


def processor(cpuinfo: str | None = None) -> Finding:
    """The processor and what of its features models can use."""
    text = _text(Path("/proc/cpuinfo")) if cpuinfo is None else cpuinfo
    fields = _fields(text)
    name = fields.get("model name") or platform.processor() or platform.machine()
    known = set((fields.get("flags") or fields.get("Features") or "").split())
    features = [feature for feature in USEFUL if feature in known]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    figures: dict[str, int | float | str | bool] = {"cores": cores, "features": " ".join(features), "name": name}
    said = f"{name}, {_count(cores, 'core')} for this program"
    if platform.machine() in ("x86_64", "AMD64") and text and "avx2" not in known:
        return Finding(
            about="processor",
            state="warning",
            sentence=f"{said}. It has no AVX2: models run several times slower.",
            step="Use a processor made since 2015 for language models.",
            figures=figures,
        )
    told = f", with {', '.join(feature.upper().replace('_', '-') for feature in features)}" if features else ""
    return Finding(about="processor", state="good", sentence=f"{said}{told}.", figures=figures)


def memory(meminfo: str | None = None, limits: Sequence[Path] | None = None) -> Finding:
    """How much memory is there and free, the limit of a container included."""
    told = _fields(_text(Path("/proc/meminfo")) if meminfo is None else meminfo)
    total, free = _kib(told, "MemTotal"), _kib(told, "MemAvailable")
    if total is None or free is None:
        return Finding(about="memory", state="note", sentence="The system doesn't say how much memory it has.")
    limit = _limit(limits)
    if limit is not None and limit < total:
        total, free = limit, min(free, limit)
    figures: dict[str, int | float | str | bool] = {"total": total, "free": free}
    said = f"{_gib(free)} of {_gib(total)} are free"
    if free < LITTLE_MEMORY:
        return Finding(
            about="memory",
            state="warning",
            sentence=f"{said}. That is little for a language model.",
            step="Close other programs, or choose small models: a model's page says before loading what it takes.",
            figures=figures,
        )
    return Finding(about="memory", state="good", sentence=f"{said}.", figures=figures)


def swap(swaps: str | None = None) -> Finding:
    """Whether memory may be written to a disk, where it would lie in clear."""
    text = _text(Path("/proc/swaps")) if swaps is None else swaps
    devices = [line.split()[0] for line in text.splitlines()[1:] if line.strip()]
    on_disk = [device for device in devices if "/zram" not in device]
    if not text:
        return Finding(about="swap", state="note", sentence="The system doesn't say whether it swaps memory to a disk.")
    if on_disk:
        return Finding(
            about="swap",
            state="warning",
            sentence=f"Memory may be written to {_joined(on_disk)}, with what is open in it.",
            step="Encrypt the swap space, or turn it off (swapoff). Hibernation writes there too.",
            figures={"devices": len(on_disk)},
        )
    return Finding(about="swap", state="good", sentence="No memory is written to a disk.")


def disk(folder: Path) -> Finding:
    """Room and kind of the file system on which vaults lie."""
    place = next(each for each in (folder, *folder.parents) if each.exists())
    free = shutil.disk_usage(place).free
    figures: dict[str, int | float | str | bool] = {"free": free}
    kind = _NETWORK_FILE_SYSTEMS.get(_file_system(place))
    if kind is not None:
        return Finding(
            about="disk",
            state="warning",
            sentence=f"{place} lies on {kind}. A vault there can be damaged by two machines that open it at once.",
            step="Keep vaults on a disk of this machine, and copy backups to the other.",
            figures={**figures, "kind": kind},
        )
    if free < LITTLE_DISK:
        return Finding(
            about="disk",
            state="warning",
            sentence=f"{_gib(free)} are free in {place}. That is little for models and documents.",
            step="Free some space, or keep the vault on another disk.",
            figures=figures,
        )
    return Finding(about="disk", state="good", sentence=f"{_gib(free)} are free in {place}.", figures=figures)


def storage() -> Finding:
    """Whether there is storage in memory for what must lie open while it is used."""
    base = paths.ram_backed()
    if base is None:
        return Finding(
            about="storage in memory",
            state="warning",
            sentence="There is none: searching by meaning needs an index that lies open in it while it is used.",
            step="Mount /dev/shm, or sign in so that XDG_RUNTIME_DIR is set.",
        )
    free = shutil.disk_usage(base).free
    said = f"{base} has {_gib(free)} free, in memory"
    if free < LITTLE_STORAGE:
        return Finding(
            about="storage in memory",
            state="warning",
            sentence=f"{said}. A large collection's index doesn't fit.",
            step="Give it more room (mount -o remount,size=…).",
            figures={"free": free},
        )
    return Finding(about="storage in memory", state="good", sentence=f"{said}.", figures={"free": free})


def clock(now: datetime | None = None, synchronised: bool | None = None) -> Finding:
    """Whether the clock, whose time stands in signatures and in the log, can be right."""
    shown = now or datetime.now().astimezone()
    said = f"The clock shows {shown.isoformat(timespec='minutes')}"
    if shown < RELEASED:
        return Finding(
            about="clock",
            state="fault",
            sentence=f"{said}, before this program was made. Signatures would carry a wrong time.",
            step="Set the clock.",
        )
    kept = _synchronised() if synchronised is None else synchronised
    if not kept:
        return Finding(
            about="clock",
            state="note",
            sentence=f"{said}. Nothing on this machine keeps it right.",
            step="Compare it with a clock that you trust now and then; a witness on another machine shows a clock that was set back.",
        )
    return Finding(about="clock", state="good", sentence=f"{said}, and a time service keeps it.")


def recognition(environment: Mapping[str, str] = os.environ) -> Finding:
    """Whether scanned pages can be read."""
    found = ocr.find(environment)
    return Finding(
        about="text recognition",
        state="good" if found is not None else "note",
        sentence=ocr.state(found),
        figures={"languages": found.languages} if found is not None else {},
    )


def fonts(folders: Sequence[str] = _FONT_FOLDERS, bundled: Path = paths.RESOURCES / "fonts") -> Finding:
    """Whether the window finds letters to write with, beside those that it brings."""
    if sys.platform != "linux":
        return Finding(about="fonts", state="good", sentence="The system brings its fonts.")
    found = sum(_fonts(Path(folder).expanduser()) for folder in folders)
    brought = _fonts(bundled)
    figures: dict[str, int | float | str | bool] = {"found": found, "brought": brought}
    if found == 0 and brought == 0:
        return Finding(
            about="fonts",
            state="warning",
            sentence="There are no fonts on this machine: the window would show no text.",
            step="Install a font package, such as fonts-dejavu-core.",
            figures=figures,
        )
    if found == 0:
        return Finding(
            about="fonts",
            state="note",
            sentence="Only the window's own fonts are there. Scripts that they lack are shown as boxes.",
            step="Install fonts for the languages of your documents.",
            figures=figures,
        )
    return Finding(
        about="fonts", state="good", sentence=f"{_count(found, 'font file')} on this machine.", figures=figures
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _fields(text: str) -> dict[str, str]:
    """`name : value` lines; of a name that comes more than once, the first."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            found.setdefault(name.strip(), value.strip())
    return found


def _kib(fields: Mapping[str, str], name: str) -> int | None:
    number = fields.get(name, "").removesuffix(" kB").strip()
    return int(number) * 1024 if number.isdigit() else None


def _limit(files: Sequence[Path] | None) -> int | None:
    """The memory limit of the container that this runs in, bytes."""
    candidates = (
        files
        if files is not None
        else (
            Path("/sys/fs/cgroup/memory.max"),
            Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
        )
    )
    found = [int(text) for file in candidates if (text := _text(file).strip()).isdigit()]
    return min(found) if found else None


def _file_system(place: Path) -> int:
    if sys.platform != "linux":
        return 0
    found = (ctypes.c_long * 32)()
    if ctypes.CDLL(None, use_errno=True).statfs(os.fsencode(place), ctypes.byref(found)) != 0:
        return 0
    return int(found[0]) & 0xFFFFFFFF


def _synchronised() -> bool:
    """Whether the kernel says that something keeps its clock."""
    if sys.platform != "linux":
        return True
    status = (ctypes.c_int * 64)()  # struct timex: modes, offset, freq, maxerror, esterror, status
    ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(status))
    return not status[10] & _UNSYNCHRONISED


def _fonts(folder: Path) -> int:
    if not folder.is_dir():
        return 0
    return sum(file.lower().endswith(_FONT_FILES) for _, _, files in os.walk(folder) for file in files)


def _gib(size: int) -> str:
    return f"{size / GIB:,.1f} GiB"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _joined(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
