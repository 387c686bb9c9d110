"""What the status bar says of what runs: the models in memory with the share that they take, and the local API while it is on.

It is looked at now and then while a vault is open. Whether programs ask is told with the number of their requests, never with what they ask.
"""

from collections.abc import Sequence

from PySide6.QtCore import QObject, QTimer

from app.bridge import serving
from app.bridge.models import Memory, amounts, memory, taken
from app.bridge.models import named as known_as
from app.bridge.opening import size
from app.bridge.operations import Operations
from app.widgets.status_bar import StatusBar
from core.inference.records import Loaded

LOOK_EVERY = 2500
"""Milliseconds between looks at which models are loaded."""
API_EVERY = 500
"""Milliseconds between looks at the local API, which asks nobody."""
NO_MODEL = "No model loaded"
BYTES_AT_LEAST = 1
"""A model that says nothing of its memory still counts as something."""


def named(loaded: Sequence[Loaded]) -> str:
    """The models in memory, in few words."""
    names = [known_as(one) for one in loaded]
    if not names:
        return NO_MODEL
    return ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")


def told(found: Memory) -> str:
    """What they take, in a sentence or two."""
    if not found.loaded:
        return "One is loaded when it is first asked"
    together = sum(map(taken, found.loaded))
    of = f" of {size(found.budget)}" if found.budget else ""
    each = "\n".join(f"{known_as(one)}: {amounts(one)}" for one in found.loaded)
    return f"{size(together)}{of} of memory\n{each}"


class Watching(QObject):
    """Keeps two items of the status bar up to date between `begin` and `end`."""

    def __init__(self, operations: Operations, status: StatusBar, parent: QObject) -> None:
        super().__init__(parent)
        self._operations, self._status = operations, status
        self._asking = False
        self._models = QTimer(self)
        self._models.setInterval(LOOK_EVERY)
        self._models.timeout.connect(self.look_at_models)
        self._api = QTimer(self)
        self._api.setInterval(API_EVERY)
        self._api.timeout.connect(self.look_at_api)

    def begin(self) -> None:
        """A vault is open."""
        self._models.start()
        self._api.start()
        self.look_at_api()

    def end(self) -> None:
        """It is being locked, or the window closes."""
        self._models.stop()
        self._api.stop()
        self._asking = False
        self._status.model.say(NO_MODEL)
        self._status.show_api(0, 0, 0)

    def look_at_models(self) -> None:
        """See which models are in memory; the timer does it."""
        if self._asking or self._operations.workbench is None:
            return
        self._asking = True

        def over() -> None:
            self._asking = False

        self._operations.run("Look at the models", memory, self.say_models, lambda _: self.say_models(Memory()), over)

    def say_models(self, found: Memory) -> None:
        """Say which models are in memory, and draw what they take of what they may."""
        self._asking = False
        together = sum(max(taken(one), BYTES_AT_LEAST) for one in found.loaded)
        share = min(1.0, together / found.budget) if found.budget and found.loaded else None
        self._status.model.say(named(found.loaded), detail=told(found), share=share)

    def look_at_api(self) -> None:
        """See whether the local API is on; the timer does it."""
        api = serving.api()
        self._status.show_api(api.port if api.address else 0, api.running, len(api.lines()))
