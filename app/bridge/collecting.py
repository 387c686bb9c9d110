"""Collects garbage on the UI thread only.

Python's collector runs on whichever thread happens to allocate, and a cycle that holds a widget would then be taken apart on a worker's
thread, where Qt crashes. So the automatic collector is off while the window lives, and a timer on the UI thread does its work: often for
young garbage, seldom for all of it.
"""

import gc

from PySide6.QtCore import QCoreApplication, QObject, QTimer

EVERY = 400
"""Milliseconds between looks at how much has gathered."""
_running: list["Collector"] = []


class Collector(QObject):
    """Takes the place of the automatic collector, with its thresholds."""

    def __init__(self) -> None:
        super().__init__(QCoreApplication.instance())
        self._limits = gc.get_threshold()
        gc.disable()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.look)
        self._timer.start(EVERY)

    def look(self) -> None:
        """Collect the oldest generation whose limit is passed."""
        counts = gc.get_count()
        for generation in (2, 1, 0):
            if counts[generation] > self._limits[generation]:
                gc.collect(generation)
                return

    def stop(self) -> None:
        """Give the work back to the automatic collector."""
        self._timer.stop()
        gc.enable()


def collect_on_ui_thread() -> None:
    """From now on, collect garbage on the thread that calls this, which is the UI thread."""
    if not _running:
        _running.append(Collector())


def collect_anywhere() -> None:
    """The window is gone: collect what it left, here, and let Python collect by itself again."""
    gc.collect()
    while _running:
        _running.pop().stop()
