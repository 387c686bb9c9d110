"""What llama.cpp can compute on beside the processor, out of its own library's list of devices."""

import ctypes
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from core.inference.offloading import GPU, INTEGRATED, Device

_KINDS: Final = {1: GPU, 2: INTEGRATED}
"""enum ggml_backend_dev_type. The others are processors and what helps them."""


def found(library: ModuleType) -> tuple[Device, ...]:
    """In llama.cpp's order; none with a build for processors only. What can't be asked counts as none."""
    if not library.llama_supports_gpu_offload():
        return ()
    ggml = _ggml(library)
    if ggml is None:
        return ()
    devices = []
    for number in range(ggml.ggml_backend_dev_count()):
        handle = ggml.ggml_backend_dev_get(number)
        kind = _KINDS.get(ggml.ggml_backend_dev_type(handle))
        if kind is None:
            continue
        free, total = ctypes.c_size_t(), ctypes.c_size_t()
        ggml.ggml_backend_dev_memory(handle, ctypes.byref(free), ctypes.byref(total))
        devices.append(
            Device(
                name=_text(ggml.ggml_backend_dev_name(handle)),
                description=_text(ggml.ggml_backend_dev_description(handle)),
                kind=kind,
                free=int(free.value),
                total=int(total.value),
            )
        )
    return tuple(devices)


def backends(library: ModuleType) -> tuple[str, ...]:
    """What llama.cpp has code for, whether or not the machine has it."""
    ggml = _ggml(library)
    if ggml is None:
        return ()
    return tuple(
        _text(ggml.ggml_backend_reg_name(ggml.ggml_backend_reg_get(number)))
        for number in range(ggml.ggml_backend_reg_count())
    )


def handles(library: ModuleType, names: tuple[str, ...]) -> Any:
    """For `llama_model_params.devices`: those of these names, ended by NULL; without any, llama.cpp keeps to the processor. To be held until
    the model is loaded."""
    ggml = _ggml(library) if names else None
    known = [ggml.ggml_backend_dev_by_name(name.encode()) for name in names] if ggml is not None else []
    return (ctypes.c_void_p * (len(known) + 1))(*known, None)


def _ggml(library: ModuleType) -> Any:
    """The library that llama.cpp itself uses: by the name that it was linked with, for another name would be a second copy with its own list."""
    folder = Path(str(library.__file__)).parent / "lib"
    name = {"win32": "ggml.dll", "darwin": "libggml.dylib"}.get(sys.platform, "libggml.so.0")
    try:
        ggml = ctypes.CDLL(str(folder / name))
        for function, result, arguments in (
            ("reg_count", ctypes.c_size_t, []),
            ("reg_get", ctypes.c_void_p, [ctypes.c_size_t]),
            ("reg_name", ctypes.c_char_p, [ctypes.c_void_p]),
            ("dev_count", ctypes.c_size_t, []),
            ("dev_get", ctypes.c_void_p, [ctypes.c_size_t]),
            ("dev_by_name", ctypes.c_void_p, [ctypes.c_char_p]),
            ("dev_type", ctypes.c_int, [ctypes.c_void_p]),
            ("dev_name", ctypes.c_char_p, [ctypes.c_void_p]),
            ("dev_description", ctypes.c_char_p, [ctypes.c_void_p]),
            ("dev_memory", None, [ctypes.c_void_p, ctypes.POINTER(ctypes.c_size_t), ctypes.POINTER(ctypes.c_size_t)]),
        ):
            bound = getattr(ggml, f"ggml_backend_{function}")
            bound.restype, bound.argtypes = result, arguments
    except (OSError, AttributeError):
        return None
    return ggml


def _text(data: bytes | None) -> str:
    return (data or b"").decode("utf-8", "replace").strip()[:80]
