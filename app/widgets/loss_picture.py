"""How far one model's predictions are from another's, in a picture: both perplexities as bars on one scale, the divergence with the value
that 99 % of the tokens stay under, and the share of tokens that are the same."""

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.theme.look import look

ROW = 28
HEAD = 24


@dataclass(frozen=True)
class Loss:
    """What was measured of two models over the same tokens, as `core.models.making_records.Compared` names it."""

    first: str
    second: str
    first_perplexity: float
    second_perplexity: float
    divergence: float
    divergence_99: float
    same_top: float


class LossPicture(QWidget):
    """Three groups below each other; every number also stands beside its bar."""

    def __init__(self, loss: Loss) -> None:
        super().__init__()
        self._loss = loss
        self.setAccessibleName("What differs, in a picture")
        self.setAccessibleDescription(
            "; ".join(f"{head}: {name} {words}".strip() for head, name, words, *_ in self._rows())
        )
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(look().px(440), look().px(4 * ROW + 3 * HEAD + 8))

    def minimumSizeHint(self) -> QSize:
        return QSize(look().px(280), self.sizeHint().height())

    def _rows(self) -> list[tuple[str, str, str, str, float, float]]:
        """(heading of a group, name, words, colour, how far the bar goes, where the 99 % are or -1)."""
        loss = self._loss
        most = max(loss.first_perplexity, loss.second_perplexity, 1e-9)
        far = max(loss.divergence_99, loss.divergence, 1e-9) * 1.08
        same = f"{loss.same_top:.1%}".replace("%", " %")
        return [
            (
                "Perplexity, lower is better",
                loss.first,
                f"{loss.first_perplexity:,.2f}",
                "chart.0",
                loss.first_perplexity / most,
                -1.0,
            ),
            ("", loss.second, f"{loss.second_perplexity:,.2f}", "chart.1", loss.second_perplexity / most, -1.0),
            (
                "Divergence, nats a token: mean, and what 99 % stay under",
                loss.second,
                f"{loss.divergence:.3f}, {loss.divergence_99:.3f}",
                "chart.1",
                loss.divergence / far,
                loss.divergence_99 / far,
            ),
            ("Same likeliest token", "Both", same, "chart.0", loss.same_top, -1.0),
        ]

    def paintEvent(self, event: QPaintEvent) -> None:
        here = look()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        small, body, bold = here.font("small"), here.font("body"), here.font("body", 600)
        rows = self._rows()
        names = min(
            max(QFontMetrics(body).horizontalAdvance(name) for _, name, *_ in rows) + here.px(12),
            int(self.width() * 0.4),
        )
        worth = max(QFontMetrics(bold).horizontalAdvance(words) for _, _, words, *_ in rows) + here.px(12)
        track = max(10, self.width() - names - worth)
        y = 0
        for heading, name, words, colour, share, mark in rows:
            if heading:
                painter.setFont(small)
                painter.setPen(here.colour("text.secondary"))
                painter.drawText(QRect(0, y, self.width(), here.px(HEAD)), Qt.AlignmentFlag.AlignVCenter, heading)
                y += here.px(HEAD)
            line = QRect(0, y, self.width(), here.px(ROW))
            painter.setFont(body)
            painter.setPen(here.colour("text.primary"))
            shown = QFontMetrics(body).elidedText(name, Qt.TextElideMode.ElideMiddle, names - here.px(8))
            painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, shown)
            painter.setFont(bold)
            painter.drawText(line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, words)
            middle = y + here.px(ROW) / 2
            self._bar(painter, QRectF(names, middle - here.px(5), track, here.px(10)), colour, share, mark)
            y += here.px(ROW)
        painter.end()

    def _bar(self, painter: QPainter, area: QRectF, colour: str, share: float, mark: float) -> None:
        here = look()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(here.colour("surface.sunken"))
        painter.drawRoundedRect(area, here.px(2), here.px(2))
        done = QRectF(area)
        done.setWidth(max(here.px(2), area.width() * min(1.0, share)))
        painter.setBrush(here.colour(colour))
        painter.drawRoundedRect(done, here.px(2), here.px(2))
        if mark >= 0:
            at = area.x() + area.width() * min(1.0, mark)
            painter.setPen(QPen(here.colour(colour), 2))
            painter.drawLine(QPointF(done.right(), area.center().y()), QPointF(at, area.center().y()))
            painter.drawLine(QPointF(at, area.y() - here.px(2)), QPointF(at, area.bottom() + here.px(2)))
