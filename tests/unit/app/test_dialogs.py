"""What Qt itself would write to disk."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
CODE = """
import sys
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QFileDialog
import app.__main__ as program

def choose():
    dialog = QApplication.activeModalWidget()
    if dialog is None:
        QTimer.singleShot(200, choose)
    else:
        dialog.accept()

def run(self):
    QTimer.singleShot(200, choose)
    chosen, _ = QFileDialog.getSaveFileName(None, "Export", sys.argv[1])
    print(chosen)
    return 0

if sys.argv[2] == "assay":
    QApplication.exec = run
    program.main([])
else:
    run(QApplication([]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system's own dialogs are used")
@pytest.mark.parametrize("program", ["assay", "any"])
def test_a_file_dialog_keeps_no_history(tmp_path: Path, program: str) -> None:
    """Any other Qt program writes down which folders were visited; that is why."""
    chosen = tmp_path / "exports of study 7" / "run.pack"
    chosen.parent.mkdir()
    home = tmp_path / "home"
    home.mkdir()
    folders = {f"XDG_{name}_HOME": str(home / name) for name in ("CONFIG", "CACHE", "DATA", "STATE")}
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(chosen), program],
        env={**os.environ, **folders, "HOME": str(home), "QT_QPA_PLATFORM": "offscreen"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == str(chosen), done.stderr
    written = [path for path in home.rglob("*") if path.is_file() and b"study" in path.read_bytes()]
    assert bool(written) == (program == "any")
