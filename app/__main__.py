"""Starts the window: `python -m app`, or `main` from another program.

The order is fixed: the hardening, the broker of the local API's sockets and the network barrier before anything is opened, then the settings, the
look, the window. Nothing heavy is imported; the core's services are loaded when a vault is opened.
"""

import logging
import os
import sys
from collections.abc import Sequence

from app.bridge import installing, serving
from core import egress
from core.errors import AssayError
from core.settings import Settings, load

os.environ.setdefault("QT_API", "pyside6")
os.environ.setdefault("HF_HUB_OFFLINE", "1")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the window until it is closed; returns the exit code. A path among the arguments is a vault or a pack to open."""
    egress.harden()
    serving.begin()
    barrier = egress.raise_barrier("unix")

    from PySide6.QtCore import QSettings, Qt
    from PySide6.QtGui import QGuiApplication
    from PySide6.QtWidgets import QApplication

    from app.bridge.operations import Operations
    from app.main_window import MainWindow
    from app.pages.all import PAGES
    from app.theme.look import look

    # Qt's own file dialogs keep the folders that were visited in a file of the person's configuration; nothing else here uses QSettings.
    QSettings.setPath(QSettings.Format.NativeFormat, QSettings.Scope.UserScope, os.devnull)
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s")
    QGuiApplication.setHighDpiScaleFactorRoundingPolicy(Qt.HighDpiScaleFactorRoundingPolicy.PassThrough)
    app = QApplication(["assay", *(arguments if arguments is not None else sys.argv[1:])])
    app.setApplicationName("Assay")
    app.setDesktopFileName("assay")
    problem = ""
    try:
        settings = load()
    except AssayError as error:
        settings, problem = Settings(), str(error)
    look().apply(settings.theme, settings.scale, settings.reduced_motion)
    window = MainWindow(Operations(), PAGES, barrier.names)
    paths = [argument for argument in app.arguments()[1:] if not argument.startswith("-")]
    if paths:
        window.go("unlock", paths[0])
    if problem and window.page is not None:
        window.page.banner.say(problem, "The defaults are used until then.")
    window.show()
    window.operations.run_alone("Look at the program's own files", installing.warning, window.say_altered)
    return app.exec()


if __name__ == "__main__":
    raise SystemExit(main())
