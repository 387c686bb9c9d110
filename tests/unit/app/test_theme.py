"""The look: colours of the file as Qt reads them, every theme complete, scale and restyle at run time, icons that exist."""

import re

import pytest
from PySide6.QtGui import QFont, QIcon, QImage, QPainter
from PySide6.QtWidgets import QApplication, QLabel

from app.theme import icons
from app.theme.look import look
from app.theme.stylesheet import stylesheet
from app.theme.tokens import colour, css, raw_colour, tokens

THEMES = ("light", "dark", "high_contrast")


def test_the_alpha_of_a_colour_is_at_its_end() -> None:
    scrim = colour("#1A1E2166")
    assert (scrim.red(), scrim.green(), scrim.blue(), scrim.alpha()) == (0x1A, 0x1E, 0x21, 0x66)
    assert css("#1A1E2166") == "rgba(26, 30, 33, 102)"
    assert css("#1D4F91") == "#1d4f91"


def names(node: object, path: str = "") -> list[str]:
    if isinstance(node, dict):
        return [name for key, value in node.items() for name in names(value, f"{path}.{key}" if path else key)]
    if isinstance(node, list):
        return [name for at, value in enumerate(node) for name in names(value, f"{path}.{at}")]
    return [path]


def test_all_themes_have_the_same_colours_and_all_are_colours() -> None:
    first = names(tokens().themes["light"])
    for theme in THEMES:
        assert names(tokens().themes[theme]) == first
        assert all(colour(raw_colour(theme, name)).isValid() for name in first)


def luminance(text: str) -> float:
    parts = [value / 255 for value in colour(text).getRgb()[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(
    "text", ["text.primary", "text.secondary", "text.tertiary", "fail.fg", "warn.fg", "pass.fg", "signed.fg"]
)
def test_texts_can_be_read_on_the_surfaces(theme: str, text: str) -> None:
    for surface in ("surface.window", "surface.panel", "surface.rail", "surface.sunken", "surface.selected"):
        light, dark = sorted((luminance(raw_colour(theme, text)), luminance(raw_colour(theme, surface))), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, surface)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("scale", [0.9, 1.0, 2.0])
def test_the_style_sheet_is_whole_at_every_scale(
    theme: str, scale: float, qapp: QApplication, capfd: pytest.CaptureFixture[str]
) -> None:
    sheet = stylesheet(theme, scale, "Inter", "JetBrains Mono")
    assert "$" not in sheet
    assert not re.search(r"#[0-9A-Fa-f]{8}\b", sheet)
    label = QLabel()
    label.setStyleSheet(sheet)
    assert "Could not parse" not in capfd.readouterr().err


def test_restyling_changes_palette_fonts_and_says_so(qapp: QApplication) -> None:
    heard = []
    look().changed.connect(lambda: heard.append(look().theme))
    before = look().font("body").pixelSize()
    look().apply("dark", 2.0)
    assert heard[-1] == "dark"
    assert qapp.palette().window().color() == look().colour("surface.window")
    assert look().font("body").pixelSize() == 2 * before
    look().apply("contrast", 5.0)
    assert look().theme == "high_contrast"
    assert look().scale == 2.0


def test_digits_are_equally_wide_and_code_has_no_ligatures(qapp: QApplication) -> None:
    assert look().font("body").featureValue(QFont.Tag("tnum")) == 1
    assert look().font("code").featureValue(QFont.Tag("liga")) == 0


def test_motion_is_off_when_it_is_reduced(qapp: QApplication) -> None:
    look().apply("light", reduced_motion=True)
    assert look().motion("panel") == 0
    assert look().motion("toast_stays") == 10_000


@pytest.mark.parametrize("name", sorted({*icons.GLYPHS, *icons.STROKES}))
def test_every_icon_paints_something(name: str, qapp: QApplication) -> None:
    image = QImage(24, 24, QImage.Format.Format_ARGB32)
    image.fill(0)
    painter = QPainter(image)
    icons.paint_icon(painter, image.rect(), name, "text.primary")
    painter.end()
    assert any(image.pixelColor(x, y).alpha() > 0 for x in range(24) for y in range(24))


def test_an_icon_takes_the_colour_of_the_theme_in_force(qapp: QApplication) -> None:
    made = icons.icon("check", "accent.base")

    def strongest() -> str:
        image = made.pixmap(32, 32, QIcon.Mode.Normal).toImage()
        return max((image.pixelColor(x, y) for x in range(32) for y in range(32)), key=lambda one: one.alpha()).name()

    light = strongest()
    look().apply("dark")
    assert light == raw_colour("light", "accent.base").lower()
    assert strongest() == raw_colour("dark", "accent.base").lower()


def test_an_unknown_icon_is_an_error() -> None:
    with pytest.raises(KeyError):
        icons.icon("rocket")
