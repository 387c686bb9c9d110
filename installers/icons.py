"""Draws the program's icon in the sizes that desktops ask for: `python -m installers.icons SVG FOLDER SIZE…`."""

import sys
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer


def draw(source: Path, size: int) -> QImage:
    """The picture, square, with a clear ground."""
    image = QImage(size, size, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    QSvgRenderer(str(source)).render(painter)
    painter.end()
    return image


if __name__ == "__main__":
    QGuiApplication(sys.argv[:1])
    for size in map(int, sys.argv[3:]):
        place = Path(sys.argv[2]) / f"{size}x{size}" / "apps" / "assay.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        draw(Path(sys.argv[1]), size).save(str(place))
