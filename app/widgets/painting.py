"""What several widgets paint in the same way: badges, key caps, the focus ring."""

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPen

from app.theme.icons import paint_icon
from app.theme.look import look


def badge_size(text: str, with_icon: bool = False) -> QSize:
    here = look()
    width = QFontMetrics(here.font("small", 500)).horizontalAdvance(text) + here.px(12)
    return QSize(width + (here.px(18) if with_icon else 0), here.px(20))


def paint_badge(painter: QPainter, area: QRect, text: str, meaning: str, name: str = "") -> None:
    """Paint a badge; `plain` is an outline without a tint."""
    here = look()
    if meaning == "plain":
        tint, tone, line = None, here.colour("text.secondary"), here.colour("border.strong")
    elif meaning == "accent":
        tint, tone, line = here.colour("accent.tint"), here.colour("text.link"), None
    else:
        tint, tone, line = here.colour(f"{meaning}.tint"), here.colour(f"{meaning}.fg"), None
    if here.theme == "high_contrast" and line is None:
        line = tone
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(line, 1) if line is not None else Qt.PenStyle.NoPen)
    painter.setBrush(tint if tint is not None else Qt.BrushStyle.NoBrush)
    radius = here.px(3)
    painter.drawRoundedRect(QRectF(area).adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)
    inner = area.adjusted(here.px(6), 0, -here.px(4), 0)
    if name:
        side = here.px(13)
        paint_icon(painter, QRect(inner.x(), inner.center().y() - side // 2 + 1, side, side), name, tone)
        inner.setLeft(inner.left() + here.px(18))
    painter.setFont(here.font("small", 500))
    painter.setPen(tone)
    painter.drawText(inner, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
    painter.restore()


def hint_size(text: str) -> QSize:
    here = look()
    return QSize(QFontMetrics(here.font("key")).horizontalAdvance(text) + here.px(10), here.px(18))


def paint_hint(painter: QPainter, area: QRect, text: str, tone: str = "text.secondary", bare: bool = False) -> None:
    """Paint a key cap."""
    here = look()
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(here.colour(tone if bare else "border.default"), 1))
    painter.setBrush(Qt.BrushStyle.NoBrush if bare else here.colour("surface.sunken"))
    painter.drawRoundedRect(QRectF(area).adjusted(0.5, 0.5, -0.5, -0.5), here.px(3), here.px(3))
    painter.setPen(here.colour(tone))
    painter.setFont(here.font("key"))
    painter.drawText(area, Qt.AlignmentFlag.AlignCenter, text)
    painter.restore()


def focus_ring(painter: QPainter, area: QRect | QRectF, radius: float = 4, inside: bool = True) -> None:
    """Paint the 2 px focus ring just inside `area`."""
    here = look()
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(here.colour("border.focus"), 2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(QRectF(area).adjusted(1, 1, -1, -1), here.px(radius), here.px(radius))
    painter.restore()
