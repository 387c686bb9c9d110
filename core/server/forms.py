"""Reading a request's parameters: each is understood or refused in a sentence, none is passed over.

`Parameters` keeps account of what was read; `finish` refuses the rest. null is the same as leaving a parameter out, as in OpenAI's API.
`HARMLESS` ones change no answer there either: they are for the caller's own books.
"""

import math
from collections.abc import Sequence
from typing import Any, Final, NoReturn

import msgspec

from core.errors import BadInput

HARMLESS: Final = ("user", "metadata", "safety_identifier", "prompt_cache_key")


def parsed(body: bytes) -> dict[str, Any]:
    """The JSON object that a body holds. Raises `BadInput`."""
    try:
        content = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadInput(source="The body", problem="it isn't JSON. Send one JSON object.") from error
    if not isinstance(content, dict):
        raise BadInput(source="The body", problem="it isn't a JSON object. Send one.")
    return content


def refuse(name: str, problem: str) -> NoReturn:
    """Raise `BadInput` about one parameter."""
    raise BadInput(source=name, problem=problem)


class Parameters:
    """The parameters of one request."""

    def __init__(self, body: dict[str, Any]) -> None:
        self._left = {name: value for name, value in body.items() if value is not None and name not in HARMLESS}

    def take(self, name: str, default: Any = None) -> Any:
        """A parameter as it came; `default` where it was left out."""
        return self._left.pop(name, default)

    def text(self, name: str, default: str | None = None) -> str:
        """A text. Without `default`, it must be given."""
        value = self.take(name, default)
        if not isinstance(value, str):
            refuse(name, "give a text." if value is not None else "it is missing. Give a text.")
        return value

    def one_of(self, name: str, values: Sequence[str], default: str) -> str:
        """One of some words."""
        value = self.take(name, default)
        if value not in values:
            refuse(name, f"use {' or '.join(values)}.")
        return str(value)

    def flag(self, name: str, default: bool = False) -> bool:
        """true or false."""
        value = self.take(name, default)
        if not isinstance(value, bool):
            refuse(name, "use true or false.")
        return value

    def whole(self, name: str, low: int, high: int, default: int) -> int:
        """A whole number from `low` to `high`."""
        if name not in self._left:
            return default
        value = self.take(name)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            refuse(name, f"use a whole number from {low} to {high}.")
        return value

    def number(self, name: str, low: float, high: float, default: float) -> float:
        """A number from `low` to `high`."""
        value = self.take(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            refuse(name, f"use a number from {low:g} to {high:g}.")
        if not low <= value <= high:
            refuse(name, f"use a number from {low:g} to {high:g}.")
        return float(value)

    def texts(self, name: str, most: int) -> tuple[str, ...]:
        """A text or a list of texts; none where it was left out."""
        value = self.take(name, [])
        found = [value] if isinstance(value, str) else value
        if not isinstance(found, list) or not all(isinstance(one, str) for one in found) or len(found) > most:
            refuse(name, f"give a text, or a list of up to {most} texts.")
        return tuple(found)

    def only(self, name: str, *values: Any, why: str) -> None:
        """A parameter that may only say what is so anyway."""
        value = self.take(name)
        if value is not None and not any(
            value == fine and isinstance(value, bool) == isinstance(fine, bool) for fine in values
        ):
            refuse(name, f"{why} Leave it out.")

    def finish(self) -> None:
        """Refuse what nobody asked for."""
        for name in self._left:
            refuse(name[:80], "this server has no such parameter. Leave it out.")
