"""Passwords of encrypted documents, from a file."""

from pathlib import Path

from core.errors import BadInput

LARGEST = 64 * 1024
"""Bytes of a file of passwords."""


def read_passwords(file: Path | None) -> list[str]:
    """A file's lines; none without a file. Raises `BadInput`."""
    if file is None:
        return []
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise BadInput(source=file.name, problem="too large to hold passwords. Give a file with one a line.")
        return [line for line in content.decode("utf-8-sig").splitlines() if line]
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            source=file.name, problem="can't be read as text; passwords stand in it one a line. Check the file."
        ) from error
