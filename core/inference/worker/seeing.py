"""Pictures in a prompt, through llama.cpp's `mtmd` and a model's projector file (mmproj).

A picture stands before the text of the last message that a person wrote. Its place in the rendered prompt is a mark that occurs nowhere else, so
that no text can pass for a picture; text is read by the model's own vocabulary as everywhere, only a picture's tokens come from `mtmd`.
Pictures are decoded here, in the confined worker, and bounded. Requests are computed alone.
"""

import ctypes
import hashlib
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from core.errors import BadInput, Damaged, Unsupported
from core.inference.records import TEXT, Finished, Generate, Token
from core.inference.worker.adapters import NONE, AdapterSet
from core.inference.worker.computing import PACE
from core.inference.worker.generation import Chat
from core.inference.worker.pictures import decoded
from core.inference.worker.prompting import Prompter
from core.inference.worker.single import BATCH, Single
from core.inference.worker.vocabulary import Vocabulary, free_mark
from core.inference.worker.watching import WATCH
from core.models.worker.library import dropped
from core.workers.serving import Call

_TEXT: Final = 0
"""mtmd's kind of chunk that is tokens of text."""


class Piece(NamedTuple):
    """A part of what a picture becomes: tokens around it, or the picture itself with the number of places that it takes in the context."""

    ids: list[int]
    chunk: Any = None


class _Looking(Prompter):
    """Makes prompts with places for the pictures in `seen`, whose chunks are then in `chunks`."""

    def __init__(self, library: ModuleType, model: Any, name: str, vocabulary: Vocabulary) -> None:
        super().__init__(library, model, name, vocabulary)
        self.seen: list[list[Piece]] = []
        self.digests: list[str] = []
        self.chunks: list[Any] = []

    def prompt(self, request: Generate) -> tuple[str, list[int]]:
        """The prompt's text with each picture's digest where that stands, and its tokens; each place of a picture is a number below 0.

        Raises as `Prompter.prompt`."""
        messages = list(request.messages)
        last = max((n for n, message in enumerate(messages) if message.role in ("user", TEXT)), default=None)
        if last is None:
            raise BadInput(source="The messages", problem="a picture needs a message of a person. Give one.")
        place = free_mark(message.content for message in messages)
        messages[last] = replace(messages[last], content=place * len(self.seen) + messages[last].content)
        text, parts = self.parts(replace(request, messages=tuple(messages)), place)
        if len(parts) != len(self.seen) + 1:
            raise Unsupported(
                source=self._name,
                reason="its chat template changes what a person wrote, so that no picture finds its place.",
            )
        ids = parts[0]
        for number, (pieces, following) in enumerate(zip(self.seen, parts[1:], strict=True), 1):
            for piece in pieces:
                if piece.chunk is not None:
                    self.chunks.append(piece.chunk)
                ids = ids + (piece.ids if piece.chunk is None else [-len(self.chunks)] * len(piece.ids))
            ids = ids + following
            text = text.replace(place, f"[picture {number}, SHA-256 {self.digests[number - 1]}]", 1)
        return text, ids


class Seeing(Chat):
    """A loaded chat model with its projector. One request at a time."""

    def __init__(
        self, library: ModuleType, model: Any, name: str, window: int, threads: int, backend: str, projector: Path
    ) -> None:
        """Raises `Unsupported`."""
        super().__init__(library, model, name, window, threads, backend)
        from llama_cpp import mtmd_cpp

        self._mtmd = mtmd_cpp
        _drop_log(mtmd_cpp)
        settings = mtmd_cpp.mtmd_context_params_default()
        settings.use_gpu, settings.print_timings, settings.warmup, settings.n_threads = False, False, False, threads
        self._eyes = mtmd_cpp.mtmd_init_from_file(bytes(projector), model, settings)
        if not self._eyes:
            raise Unsupported(
                source=projector.name,
                reason=f"it isn't the part of {name} that looks at pictures, or of a kind that llama.cpp doesn't know. "
                "Take the file that came with the model.",
            )
        if not mtmd_cpp.mtmd_support_vision(self._eyes):
            raise Unsupported(source=projector.name, reason="it looks at no pictures. Choose another file.")
        self._prompter = self._looking = _Looking(library, model, name, self._vocabulary)
        self._alone: _SeeingAlone | None = None

    def generate(self, request: Generate, call: Call, pace: float = PACE) -> Iterator[Token | Finished]:
        """As `Chat.generate`, computed alone. Raises `BadInput` for a picture that can't be read."""
        held: list[Any] = []
        try:
            self._looking.seen = []
            for number, data in enumerate(request.images, 1):
                with WATCH.step():
                    self._looking.seen.append(self._pieces(number, data, held))
            self._looking.digests = [hashlib.sha256(data).hexdigest() for data in request.images]
            yield from super().generate(replace(request, mode="reproducible"), call, pace)
        finally:
            self._looking.seen, self._looking.chunks = [], []
            for chunks in held:
                self._mtmd.mtmd_input_chunks_free(chunks)

    def _pieces(self, number: int, data: bytes, held: list[Any]) -> list[Piece]:
        """A picture's tokens, with those that the model wants around it."""
        mtmd, (pixels, width, height) = self._mtmd, decoded(number, data)
        bitmap = mtmd.mtmd_bitmap_init(width, height, (ctypes.c_uint8 * len(pixels)).from_buffer_copy(pixels))
        marker = mtmd.mtmd_default_marker()
        held.append(chunks := mtmd.mtmd_input_chunks_init())
        asked = mtmd.mtmd_input_text(marker, len(marker), False, True)
        code = mtmd.mtmd_tokenize(self._eyes, chunks, ctypes.byref(asked), (ctypes.c_void_p * 1)(bitmap), 1)
        mtmd.mtmd_bitmap_free(bitmap)
        if code != 0:
            raise BadInput(source=f"Picture {number}", problem="the model can't take it. Try it in another size.")
        found = []
        for place in range(mtmd.mtmd_input_chunks_size(chunks)):
            chunk = mtmd.mtmd_input_chunks_get(chunks, place)
            if mtmd.mtmd_input_chunk_get_type(chunk) == _TEXT:
                count = ctypes.c_size_t()
                ids = mtmd.mtmd_input_chunk_get_tokens_text(chunk, ctypes.byref(count))
                found.append(Piece(list(ids[: count.value])))
            else:
                found.append(Piece([0] * mtmd.mtmd_input_chunk_get_n_pos(chunk), chunk))
        return found

    def _one(self) -> Single:
        with self._making:
            if self._alone is None:
                self._alone = _SeeingAlone(self)
            return self._alone


class _SeeingAlone(Single):
    """Computes tokens, and pictures in their places."""

    def __init__(self, seeing: Seeing) -> None:
        super().__init__(seeing._library, seeing._model, seeing.name, seeing.window, seeing._threads, seeing._computer)
        self._seeing = seeing

    def _read(self, ids: Sequence[int], call: Call, adapters: AdapterSet = NONE) -> Iterator[None]:
        if min(ids) >= 0:
            yield from super()._read(ids, call, adapters)
            return
        self._library.llama_memory_clear(self._memory, True)
        adapters.attach(self._library, self._context)
        self._computed = 0
        for number, run in groupby(ids, lambda token: min(token, 0)):
            part = list(run)
            call.check()
            if number < 0:
                self._look(self._seeing._looking.chunks[-number - 1])
            for start in range(0, len(part) if number == 0 else 0, BATCH):
                self._decode(part[start : start + BATCH], call)
                yield

    def _look(self, chunk: Any) -> None:
        after = ctypes.c_int32()
        mtmd = self._seeing._mtmd
        code = mtmd.mtmd_helper_eval_chunk_single(
            self._seeing._eyes, self._context, chunk, self._computed, 0, BATCH, True, ctypes.byref(after)
        )
        if code != 0:
            raise Damaged(source=self.name, problem="llama.cpp can't compute the picture. Try it in another size.")
        self._computed = after.value


def _drop_log(mtmd: ModuleType) -> None:
    """mtmd has logs of its own, on standard error."""
    for name in ("mtmd_log_set", "mtmd_helper_log_set"):
        if function := getattr(mtmd._libmtmd, name, None):
            function.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
            function.restype = None
            function(ctypes.cast(dropped(), ctypes.c_void_p), None)
