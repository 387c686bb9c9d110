"""The seal: a twelve-lobed rosette that says by shape and by words what is signed.

r(t) = R (1 + 0.055 cos 12t) with R = 17/40 of the side. Signed: filled plum with a check. Partly signed: plum outline. Unsigned: grey
dashed circle. Incomplete: amber outline, left half filled. Broken: red, split by a zigzag, the halves turned 4° apart. Valid is a
pack's verdict only: the signed shape in green. The logo is the same rosette in the accent with an A.
"""

import math
from enum import StrEnum
from functools import cache

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.theme.look import look

LOBES = 12
SWING = 0.055
RADIUS = 17 / 40


class SealState(StrEnum):
    """What a seal says. The value is the word that stands beside it or is read aloud."""

    SIGNED = "Signed"
    PARTLY = "Partly signed"
    UNSIGNED = "Unsigned"
    INCOMPLETE = "Incomplete"
    BROKEN = "Broken"
    VALID = "Valid"


class Seal(QWidget):
    """A seal of 22 (row), 26 (list), 44 (dialog) or 56 (verdict) pixels."""

    def __init__(self, state: SealState = SealState.UNSIGNED, side: int = 22) -> None:
        super().__init__()
        self._state, self._side = state, side
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.show_state(state)

    @property
    def state(self) -> SealState:
        return self._state

    def show_state(self, state: SealState) -> None:
        self._state = state
        self.setAccessibleName(state.value)
        self.setToolTip(state.value)
        self.update()

    def sizeHint(self) -> QSize:
        side = look().px(self._side)
        return QSize(side, side)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_seal(painter, QRectF(self.rect()), self._state)
        painter.end()


class Logo(QWidget):
    """The mark of Assay."""

    def __init__(self, side: int = 26) -> None:
        super().__init__()
        self._side = side
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Assay")

    def sizeHint(self) -> QSize:
        side = look().px(self._side)
        return QSize(side, side)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_logo(painter, QRectF(self.rect()))
        painter.end()


def paint_logo(painter: QPainter, area: QRectF) -> None:
    here = look()
    side = min(area.width(), area.height())
    painter.save()
    _enter(painter, area, side)
    painter.scale(1.12, 1.12)
    painter.fillPath(rosette(), here.colour("accent.base"))
    pen = QPen(
        here.colour("text.on_accent"), 0.075, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin
    )
    painter.setPen(pen)
    painter.drawPolyline(QPolygonF([QPointF(-0.17, 0.18), QPointF(0, -0.2), QPointF(0.17, 0.18)]))
    painter.drawLine(QPointF(-0.11, 0.06), QPointF(0.11, 0.06))
    painter.restore()


def paint_seal(painter: QPainter, area: QRectF, state: SealState) -> None:
    """Paint a seal into the square of `area`."""
    here = look()
    side = min(area.width(), area.height())
    painter.save()
    _enter(painter, area, side)
    pen = QPen()
    pen.setWidthF(max(0.055, 1.6 / side))
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    if state in (SealState.SIGNED, SealState.VALID):
        painter.fillPath(rosette(), here.colour("signed.fg" if state is SealState.SIGNED else "pass.fg"))
        _check(painter, side)
    elif state is SealState.PARTLY:
        pen.setColor(here.colour("signed.fg"))
        painter.setPen(pen)
        painter.drawPath(rosette())
    elif state is SealState.UNSIGNED:
        pen.setColor(here.colour("unverified.fg"))
        pen.setDashPattern([2.4, 2.1])
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        painter.drawEllipse(QPointF(0, 0), RADIUS, RADIUS)
    elif state is SealState.INCOMPLETE:
        painter.save()
        painter.setClipRect(QRectF(-0.5, -0.5, 0.5, 1))
        painter.fillPath(rosette(), here.colour("warn.fg"))
        painter.restore()
        pen.setColor(here.colour("warn.fg"))
        painter.setPen(pen)
        painter.drawPath(rosette())
    else:
        for half, turn in ((_half(left=True), -4.0), (_half(left=False), 4.0)):
            painter.save()
            painter.rotate(turn)
            painter.translate(0.025 if turn > 0 else -0.025, 0)
            painter.fillPath(rosette().intersected(half), here.colour("fail.fg"))
            painter.restore()
    painter.restore()


def _enter(painter: QPainter, area: QRectF, side: float) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(area.center())
    painter.scale(side, side)


def _check(painter: QPainter, side: float) -> None:
    here = look()
    width = 0.095 if side >= 40 else 0.11
    pen = QPen(
        here.colour("surface.panel"), width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin
    )
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPolyline(QPolygonF([QPointF(-0.17, 0.01), QPointF(-0.05, 0.13), QPointF(0.18, -0.12)]))
    if side >= 40:
        pen.setWidthF(0.02)
        painter.setPen(pen)
        painter.drawEllipse(QPointF(0, 0), 0.335, 0.335)


@cache
def rosette() -> QPainterPath:
    """The outline in a unit square around the origin."""
    path = QPainterPath()
    steps = LOBES * 16
    for step in range(steps):
        angle = 2 * math.pi * step / steps
        reach = RADIUS * (1 + SWING * math.cos(LOBES * angle))
        point = QPointF(reach * math.cos(angle), reach * math.sin(angle))
        if step == 0:
            path.moveTo(point)
        else:
            path.lineTo(point)
    path.closeSubpath()
    return path


def _half(left: bool) -> QPainterPath:
    zigzag = [
        QPointF(0.02, -0.6),
        QPointF(0.02, -0.3),
        QPointF(-0.1, -0.12),
        QPointF(0.1, 0.06),
        QPointF(-0.05, 0.26),
        QPointF(0.02, 0.6),
    ]
    edge = -0.6 if left else 0.6
    path = QPainterPath()
    path.addPolygon(QPolygonF([*zigzag, QPointF(edge, 0.6), QPointF(edge, -0.6)]))
    path.closeSubpath()
    return path
