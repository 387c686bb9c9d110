"""Which option answers an error: the core's sentences name none, since the window shows them too."""

from collections.abc import Iterator
from contextlib import contextmanager

from core.errors import AssayError


@contextmanager
def option(name: str, *, field: str, says: str) -> Iterator[None]:
    """Name an option at the end of an error's `field` ("step", "problem" or "reason") where that contains `says`."""
    try:
        yield
    except AssayError as error:
        said = error.fields.get(field)
        if not isinstance(said, str) or says not in said:
            raise
        fields = error.fields | {field: f"{said.removesuffix('.')} ({name})."}
        raise type(error)(**fields) from error
