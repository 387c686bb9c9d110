"""Times as signed: RFC 3339 to the second, always with an offset."""

import re
from datetime import datetime

from core.errors import Damaged

_FORM = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)", re.ASCII)


def parse_time(text: str, source: str) -> datetime:
    """The instant that `text` names. Raises `Damaged` for any other form than 2026-11-21T09:30:00+01:00."""
    if _FORM.fullmatch(text) is None:
        raise Damaged(source=source, problem="a time that isn't RFC 3339 with its offset.")
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise Damaged(source=source, problem="a time that doesn't exist.") from error
