"""From the bytes of tokens to text that may be shown: whole characters only, and nothing of a stop text."""

import codecs
from collections.abc import Sequence


class Emitter:
    """Takes a model's bytes in any cut, gives out text as soon as it is certain.

    A multi-byte character is held back until it is whole; bytes that can't become one are U+FFFD. The end of the text is held back while it
    may be the beginning of a stop text; once one is there, it and all that follows is dropped."""

    def __init__(self, stop: Sequence[str] = ()) -> None:
        self.stopped = False
        self._stop = tuple(text for text in stop if text)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""

    def feed(self, data: bytes) -> str:
        """The text that is certain now; empty while there is none."""
        return self._take(self._decoder.decode(data))

    def finish(self) -> str:
        """What was held back, when nothing follows."""
        rest = self._take(self._decoder.decode(b"", final=True)) + self._held
        self._held = ""
        return rest

    def _take(self, text: str) -> str:
        if self.stopped:
            return ""
        self._held += text
        found = [at for at in (self._held.find(stop) for stop in self._stop) if at >= 0]
        if found:
            out, self._held, self.stopped = self._held[: min(found)], "", True
            return out
        keep = max((_overlap(self._held, stop) for stop in self._stop), default=0)
        cut = len(self._held) - keep
        out, self._held = self._held[:cut], self._held[cut:]
        return out


def _overlap(text: str, stop: str) -> int:
    """The length of the longest end of `text` that is a beginning of `stop`."""
    return next((size for size in range(min(len(text), len(stop) - 1), 0, -1) if text.endswith(stop[:size])), 0)
