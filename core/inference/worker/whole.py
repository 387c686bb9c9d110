"""Answers that nobody reads before their end, handed over in one piece.

Each piece of a stream wakes the program at the other end of the pipe, and takes a core from the model while it does.
"""

from collections.abc import Callable, Iterator

from core.inference.records import Complete, Completed, Finished, Generate, Token
from core.workers.serving import Call

Stream = Callable[[Generate, Call], Iterator[Token | Finished]]


def whole(generate: Stream) -> Callable[[Complete, Call], Completed]:
    """The handler that answers with what `generate` streams. It raises what that does."""

    def complete(request: Complete, call: Call) -> Completed:
        return joined(generate(request.request, call))

    return complete


def joined(parts: Iterator[Token | Finished]) -> Completed:
    """The pieces of one answer as one."""
    *pieces, end = parts
    assert isinstance(end, Finished)
    tokens = [piece for piece in pieces if isinstance(piece, Token)]
    text = "".join(token.text for token in tokens)
    choices = tuple(choice for token in tokens for choice in token.choices)
    return Completed(token=Token(text=text, choices=choices), finished=end)
