"""How long the window takes from the command to its first painted frame, and what it loads."""

import os
import subprocess
import sys
from collections.abc import Iterator
from statistics import median

from tests.benchmarks.figures import PAIRS, Figure, figures, seconds

HEAVY = ("llama_cpp", "torch", "chromadb", "pymupdf", "transformers", "matplotlib")
_FIRST_FRAME = """
import sys
from PySide6.QtWidgets import QApplication
from app.__main__ import main
QApplication.exec = staticmethod(lambda: QApplication.processEvents() or 0)
sys.exit(main([]))
"""
"""The program as it starts, left after its first round of events, in which the window is painted."""


@figures("desktop.start")
def start() -> Iterator[Figure]:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}

    def window() -> None:
        subprocess.run([sys.executable, "-c", _FIRST_FRAME], check=True, env=environment, stdout=subprocess.DEVNULL)

    yield Figure("desktop.start", median(seconds(window) for _ in range(PAIRS)), "s", "<= 2.0")
    probe = f"import sys, app.main_window; print(sum(name in sys.modules for name in {HEAVY!r}))"
    loaded = subprocess.run([sys.executable, "-c", probe], check=True, env=environment, capture_output=True, text=True)
    yield Figure("desktop.heavy_imports", float(loaded.stdout), "modules", "<= 0")
