"""Errors in the form that OpenAI's clients read: our sentence, with a type, a code and the parameter that it is about.

A program's own mistakes are 400, as there, whatever status the error has elsewhere; a prompt that doesn't fit has the code that clients look for.
A fault of ours is told by its kind alone, as on the command line: its message may quote what was worked on.
"""

from typing import Final

from core.errors import (
    AssayError,
    BadInput,
    Cancelled,
    ContextExceeded,
    Damaged,
    NotFound,
    Refused,
    Unavailable,
    Unsupported,
    WorkerFailed,
)
from core.records import Json, Record

INVALID: Final = "invalid_request_error"
SERVER: Final = "server_error"
_BY_CLASS: Final[tuple[tuple[type[AssayError], int, str, str | None], ...]] = (
    (ContextExceeded, 400, INVALID, "context_length_exceeded"),
    (BadInput, 400, INVALID, "invalid_value"),
    (Unsupported, 400, INVALID, "unsupported"),
    (NotFound, 404, INVALID, "not_found"),
    (Refused, 403, "permission_error", "refused"),
    (Cancelled, 499, SERVER, "cancelled"),
    (Unavailable, 503, SERVER, "unavailable"),
    (WorkerFailed, 502, SERVER, "worker_failed"),
    (Damaged, 409, SERVER, "damaged"),
)


class Problem(Record, frozen=True, kw_only=True):
    """What is answered in place of a result."""

    status: int
    message: str
    type: str = INVALID
    code: str | None = None
    param: str | None = None
    retry_after: int = 0
    """Seconds after which asking again may help; 0 where that isn't known."""

    def content(self) -> dict[str, Json]:
        """The body."""
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}


def problem(error: Exception) -> Problem:
    """What a program is told of an error."""
    if not isinstance(error, AssayError):
        return Problem(
            status=500,
            message=f"A fault of Assay's own: {type(error).__name__}. Report it.",
            type=SERVER,
            code="fault",
        )
    for kind, status, type_, code in _BY_CLASS:
        if isinstance(error, kind):
            named = isinstance(error, BadInput) and str(error.fields.get("source", "")).isidentifier()
            param = str(error.fields["source"]) if named else "model" if error.fields.get("kind") == "model" else None
            return Problem(
                status=status,
                message=str(error),
                type=type_,
                code="model_not_found" if param == "model" and kind is NotFound else code,
                param=param,
            )
    return Problem(
        status=error.http_status,
        message=str(error),
        type=SERVER if error.http_status >= 500 else INVALID,
        code=type(error).__name__.lower(),
    )
