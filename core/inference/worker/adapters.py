"""LoRA adapters in a model's worker: held in memory, put on a context and taken off it.

An adapter arrives in pieces and never becomes a file (a worker may write none): llama.cpp reads it out of memory. A set of adapters with their
scales is one value; a scale of nothing counts as no adapter, so that such a request is the base model's own. Whoever computes with a
context puts the set of the request on it first, the empty one too.
"""

import ctypes
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Final

from core.errors import BadInput, Unsupported
from core.inference.records import AdapterHeld, AdapterPart, AdapterUse


@dataclass(frozen=True)
class AdapterSet:
    """Adapters with their scales, in order; equal sets compute the same."""

    uses: tuple[tuple[str, float], ...] = ()
    """Digests and scales."""
    _pointers: tuple[Any, ...] = field(default=(), compare=False)

    def attach(self, library: ModuleType, context: Any) -> None:
        """Make the context compute with this set, and with no other adapter."""
        count = len(self.uses)
        pointers = (library.llama_adapter_lora_p_ctypes * count)(*self._pointers)
        scales = (ctypes.c_float * count)(*(scale for _, scale in self.uses))
        if library.llama_set_adapters_lora(context, pointers, count, scales) != 0:
            raise BadInput(source="The adapters", problem="llama.cpp can't use them together. Use one at a time.")


NONE: Final = AdapterSet()


class HeldAdapters:
    """The adapters that this worker has been given. Safe from several threads."""

    def __init__(self, library: ModuleType, model: Any, name: str) -> None:
        self._library = library
        self._model = model
        self._name = name
        self._lock = threading.Lock()
        self._arriving: dict[str, bytearray] = {}
        self._held: dict[str, Any] = {}

    def take(self, part: AdapterPart) -> AdapterHeld:
        """Keep a piece; with the last one, load the adapter. Raises `BadInput` for one that doesn't fit the model, `Unsupported`."""
        with self._lock:
            if part.at == 0:
                self._arriving[part.digest] = bytearray()
            data = self._arriving.get(part.digest)
            if data is None or len(data) != part.at:
                raise BadInput(source=part.name, problem="a piece of it is missing. Try again.")
            data += part.data
            if len(data) < part.size:
                return AdapterHeld(whole=False)
            self._held[part.digest] = self._loaded(self._arriving.pop(part.digest), part.name)
            return AdapterHeld(whole=True)

    def chosen(self, uses: Sequence[AdapterUse]) -> AdapterSet:
        """The set of a request. Raises `BadInput` for an adapter that this worker wasn't given."""
        used = [(str(use.model), use.scale) for use in uses if use.scale]
        with self._lock:
            missing = [digest for digest, _ in used if digest not in self._held]
            if missing:
                raise BadInput(source=missing[0][:12], problem="the model wasn't given this adapter. Try again.")
            return AdapterSet(tuple(used), tuple(self._held[digest] for digest, _ in used))

    def _loaded(self, data: bytearray, name: str) -> Any:
        """llama.cpp's adapter, which has its own copy."""
        c = ctypes.CDLL(None)
        if not hasattr(c, "fmemopen"):
            raise Unsupported(
                source="Adapters", reason="this system doesn't read files out of memory. Use Linux or macOS."
            )
        c.fmemopen.argtypes, c.fmemopen.restype = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p], ctypes.c_void_p
        c.fclose.argtypes = [ctypes.c_void_p]
        room = (ctypes.c_char * len(data)).from_buffer(data)
        stream = c.fmemopen(room, len(data), b"rb")
        try:
            found = self._library.llama_adapter_lora_init_from_file_ptr(self._model, stream)
        finally:
            c.fclose(stream)
        if not found:
            raise BadInput(
                source=name,
                problem=f"it doesn't fit {self._name}: it changes matrices that the model hasn't. Choose its base model.",
            )
        return found
