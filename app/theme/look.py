"""How the window looks now: which theme, at which scale, with which fonts.

There is one look for each application, as there is one `QPalette`: `look()` gives it. Applying another theme or scale sets the palette, the
one generated style sheet and the application's font, then says `changed`. Painting code asks `look()` for colours, lengths and fonts at
the moment of painting and keeps none of them, so that a restyle needs nothing but a repaint.
"""

from functools import cache, lru_cache
from pathlib import Path
from typing import Literal, cast

from PySide6.QtCore import QEasingCurve, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

from app.theme.stylesheet import stylesheet
from app.theme.tokens import Theme, colour, raw_colour, tokens
from core.paths import RESOURCES

Choice = Literal["auto", "light", "dark", "contrast"]
SANS = ("Inter", "Inter Variable", "Segoe UI Variable Text", "Segoe UI", "SF Pro Text", "Noto Sans", "DejaVu Sans")
MONO = ("JetBrains Mono", "Cascadia Mono", "SF Mono", "Menlo", "Consolas", "Noto Sans Mono", "DejaVu Sans Mono")


class Look(QObject):
    """The look of this application. `changed` comes after palette, style sheet and font are in place."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.theme: Theme = "light"
        self.choice: Choice = "light"
        self.scale = 1.0
        self.reduced_motion = False
        self._fonts: dict[tuple[str, int | None, bool], QFont] = {}
        self._colours: dict[str, QColor] = {}
        self._follows = False

    def apply(self, choice: Choice = "auto", scale: float = 1.0, reduced_motion: bool = False) -> None:
        """Restyle the application. `auto` follows the system's colour scheme and contrast preference from now on."""
        app = cast(QApplication, QApplication.instance())
        load_fonts()
        self.choice, self.scale = choice, max(0.9, min(2.0, scale))
        hints = app.styleHints()
        if not self._follows:
            hints.colorSchemeChanged.connect(self._system_changed)
            self._follows = True
        scheme = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark, "contrast": Qt.ColorScheme.Dark}
        hints.setColorScheme(scheme.get(choice, Qt.ColorScheme.Unknown))
        self.theme = self._resolve()
        self.reduced_motion = reduced_motion
        self._fonts.clear()
        self._colours.clear()
        if app.style().name().lower() != "fusion":
            app.setStyle(QStyleFactory.create("Fusion"))
        app.setPalette(self._palette())
        app.setFont(self.font("body"))
        app.setStyleSheet(stylesheet(self.theme, self.scale, sans_family(), mono_family()))
        self.changed.emit()

    def colour(self, name: str) -> QColor:
        """A colour by its dotted token name."""
        found = self._colours.get(name)
        if found is None:
            found = self._colours[name] = colour(raw_colour(self.theme, name))
        return found

    def paper_colour(self, name: str) -> QColor:
        """A colour of the light theme: paper stays paper in every theme."""
        return colour(raw_colour("light", name))

    def px(self, length: float) -> int:
        """A length at the person's scale."""
        return round(length * self.scale)

    def font(self, use: str = "body", weight: int | None = None, italic: bool = False) -> QFont:
        """The font of a use in the type scale; digits are equally wide."""
        key = (use, weight, italic)
        found = self._fonts.get(key)
        if found is None:
            size, _, usual = tokens().type["scale"][use]
            found = QFont()
            mono = use == "code"
            found.setFamilies([mono_family() if mono else sans_family()])
            found.setPixelSize(max(1, self.px(size)))
            found.setWeight(QFont.Weight(weight or usual))
            found.setItalic(italic)
            if mono:
                found.setStyleHint(QFont.StyleHint.Monospace)
                found.setFeature(QFont.Tag("liga"), 0)
                found.setFeature(QFont.Tag("calt"), 0)
            else:
                found.setFeature(QFont.Tag("tnum"), 1)
            self._fonts[key] = found
        return found

    def line(self, use: str = "body") -> int:
        """The line height of a use in the type scale."""
        return self.px(tokens().type["scale"][use][1])

    def motion(self, kind: str) -> int:
        """Milliseconds of a motion (`state`, `panel`, `toast_in`, `toast_stays`)."""
        table = tokens().motion
        return int(table["reduced"][kind] if self.reduced_motion and kind in table["reduced"] else table[kind])

    @property
    def easing(self) -> QEasingCurve.Type:
        return QEasingCurve.Type.OutCubic

    @property
    def dark(self) -> bool:
        return self.theme != "light"

    def chart_style(self) -> dict[str, object]:
        """matplotlib's rcParams for this theme, without `axes.prop_cycle_colors`, which the caller makes a cycler of."""
        return dict(tokens().chart["rcparams"][self.theme])

    def _resolve(self) -> Theme:
        if self.choice == "contrast":
            return "high_contrast"
        if self.choice in ("light", "dark"):
            return cast(Theme, self.choice)
        hints = cast(QApplication, QApplication.instance()).styleHints()
        if hints.accessibility().contrastPreference() == Qt.ContrastPreference.HighContrast:
            return "high_contrast"
        return "dark" if hints.colorScheme() == Qt.ColorScheme.Dark else "light"

    def _system_changed(self) -> None:
        if self.choice == "auto" and self._resolve() != self.theme:
            QTimer.singleShot(0, lambda: self.apply(self.choice, self.scale, self.reduced_motion))

    def _palette(self) -> QPalette:
        role, group = QPalette.ColorRole, QPalette.ColorGroup
        names = {
            role.Window: "surface.window",
            role.WindowText: "text.primary",
            role.Base: "surface.panel",
            role.AlternateBase: "surface.sunken",
            role.Text: "text.primary",
            role.Button: "surface.panel",
            role.ButtonText: "text.primary",
            role.BrightText: "text.on_accent",
            role.Light: "surface.raised",
            role.Midlight: "border.subtle",
            role.Mid: "border.default",
            role.Dark: "border.strong",
            role.Shadow: "border.strong",
            role.Highlight: "surface.selected",
            role.HighlightedText: "text.primary",
            role.ToolTipBase: "surface.raised",
            role.ToolTipText: "text.primary",
            role.PlaceholderText: "text.tertiary",
            role.Link: "text.link",
            role.LinkVisited: "text.link",
            role.Accent: "accent.base",
        }
        palette = QPalette()
        for which, name in names.items():
            palette.setColor(which, self.colour(name))
        for which in (role.WindowText, role.Text, role.ButtonText):
            palette.setColor(group.Disabled, which, self.colour("text.disabled"))
        return palette


@cache
def look() -> Look:
    """The look of this application."""
    return Look()


@cache
def load_fonts(folder: Path = RESOURCES / "fonts") -> tuple[str, ...]:
    """The families of the fonts that this installation brings; none in a checkout. Needs an application."""
    loaded = [QFontDatabase.addApplicationFont(str(path)) for path in sorted(folder.glob("*.[ot]tf"))]
    return tuple(dict.fromkeys(name for font in loaded for name in QFontDatabase.applicationFontFamilies(font)))


@lru_cache(maxsize=1)
def sans_family() -> str:
    """The first of our sans-serif families that the system has, or its own."""
    return _first(SANS, QFontDatabase.SystemFont.GeneralFont)


@lru_cache(maxsize=1)
def mono_family() -> str:
    """The first of our monospaced families that the system has, or its own."""
    return _first(MONO, QFontDatabase.SystemFont.FixedFont)


def _first(wanted: tuple[str, ...], otherwise: QFontDatabase.SystemFont) -> str:
    present = set(QFontDatabase.families())
    return next((name for name in wanted if name in present), QFontDatabase.systemFont(otherwise).family())
