"""What the systems are told of the program can be read by what reads it there."""

import configparser
import plistlib
import xml.etree.ElementTree as Tree

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QApplication

from app.theme.look import look
from app.widgets.seal import paint_logo
from installers import icons
from installers.plan import HERE

MIME = "{http://www.freedesktop.org/standards/shared-mime-info}"


def test_the_shortcut_opens_what_the_kinds_of_files_declare() -> None:
    shortcut = configparser.ConfigParser(interpolation=None)
    shortcut.read(HERE / "linux" / "assay.desktop")
    entry = shortcut["Desktop Entry"]
    kinds = Tree.parse(HERE / "linux" / "assay.xml").getroot()  # noqa: S314 (our own file)
    declared = {kind.attrib["type"]: kind for kind in kinds}
    assert set(entry["MimeType"].rstrip(";").split(";")) <= set(declared)
    globs = {glob.attrib["pattern"] for kind in declared.values() for glob in kind.iter(f"{MIME}glob")}
    assert globs == {"*.pack", "*.assay", "*.gguf"}
    assert entry["Exec"] == "assay app %f"


def test_the_store_s_data_name_the_shortcut() -> None:
    data = Tree.parse(HERE / "linux" / "org.assay.workbench.metainfo.xml").getroot()  # noqa: S314 (our own file)
    assert data.findtext("launchable") == "assay.desktop"
    assert data.findtext("project_license") == "AGPL-3.0-or-later"


def test_the_entitlements_of_macos_give_no_network() -> None:
    rights = plistlib.loads((HERE / "macos" / "entitlements.plist").read_bytes())
    assert rights
    assert not any("network" in name for name in rights)


def test_the_icon_is_the_badge_of_the_window(qapp: QApplication) -> None:
    if (look().theme, look().scale) != ("light", 1.0):
        look().apply("light", reduced_motion=True)
    badge = QImage(128, 128, QImage.Format.Format_ARGB32)
    badge.fill(Qt.GlobalColor.transparent)
    painter = QPainter(badge)
    paint_logo(painter, QRectF(0, 0, 128, 128))
    painter.end()
    icon = icons.draw(HERE / "linux" / "assay.svg", 128)
    differing = 0
    for x in range(128):
        for y in range(128):
            one, other = badge.pixelColor(x, y).getRgb(), icon.pixelColor(x, y).getRgb()
            differing += max(abs(a - b) for a, b in zip(one, other, strict=True)) > 64
    assert differing < 128 * 128 // 200
    assert icon.pixelColor(64, 20).name() == "#1d4f91"
