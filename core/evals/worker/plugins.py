"""The worker of plugins: the only place where their code runs. One worker holds one plugin."""

import importlib
import sys
from collections.abc import Callable
from typing import Any

import msgspec

from core.errors import BadInput, Unsupported
from core.evals.scoring.records import AskPlugin, Plug, Plugged, PluginScore
from core.records import Record
from core.workers.serving import Call, Handler


class _Host:
    def __init__(self) -> None:
        self._score: Callable[..., object] | None = None

    def plug(self, request: Plug, call: Call) -> Plugged:
        """Raises `Unsupported` for a target that is no function."""
        if request.folder not in sys.path:
            sys.path.insert(0, request.folder)
        module, _, name = request.target.partition(":")
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part, None)
        if not callable(found):
            raise Unsupported(source=f"plugin {request.name}", reason="its entry point is no function.")
        self._score = found
        return Plugged()

    def ask(self, request: AskPlugin, call: Call) -> PluginScore:
        """Raises `BadInput` for an answer of another form."""
        assert self._score is not None
        given = self._score(request.sample, request.answer, request.settings)
        try:
            return msgspec.convert(given, PluginScore)
        except msgspec.ValidationError as error:
            raise BadInput(
                source=f"plugin {request.name}", problem=f"its score is of another form ({error})."
            ) from error


def handlers() -> dict[type[Record], Handler]:
    """What `core.workers.child` serves."""
    host = _Host()
    return {Plug: host.plug, AskPlugin: host.ask}
