"""Fonts that an installation brings."""

import shutil
from pathlib import Path

import matplotlib
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QApplication

from app.theme.look import load_fonts

FONT = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "cmr10.ttf"


def test_fonts_of_the_installation_are_loaded(tmp_path: Path, qapp: QApplication) -> None:
    shutil.copy(FONT, tmp_path / "letters.ttf")
    (tmp_path / "OFL.txt").write_text("their licence")
    assert load_fonts(tmp_path) == ("cmr10",)
    assert "cmr10" in QFontDatabase.families()


def test_a_broken_font_and_no_folder_stop_nothing(tmp_path: Path, qapp: QApplication) -> None:
    (tmp_path / "broken.otf").write_bytes(b"OTTO" + bytes(20))
    assert load_fonts(tmp_path) == ()
    assert load_fonts(tmp_path / "none") == ()
