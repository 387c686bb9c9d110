"""The matrix of a run: samples down, variants across, and in each cell whether it passed, what was answered and why it failed.

Passed is quiet: a grey check and no fill. Failed has the fail tint, a cross, a bold score and a reason. An error has the warn tint, a triangle
and its numbers. Not run is an en dash; cached carries a small clock. The samples stay in view on the left, the variants above. Under
75 % zoom a cell is a glyph and a score, under 50 % a glyph on its colour. F goes to the next failure, D to the next difference.
"""

from collections.abc import Sequence
from functools import lru_cache

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QTextLayout, QTextOption
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from app.theme.icons import paint_icon
from app.theme.look import look
from app.widgets.citation_chip import chip_size, paint_chip
from app.widgets.matrix_model import FILTERS, MatrixCell, MatrixModel, MatrixSample, Outcome, Variant, matches
from app.widgets.painting import badge_size, paint_badge
from app.widgets.table import Index

ROW, HEADER, SAMPLES, VARIANT = 60, 64, 236, 212


class Matrix(QTableView):
    """`chosen` gives (sample, variant's position); `opened` the same on Enter or a double click."""

    chosen = Signal(object, int)
    opened = Signal(object, int)

    def __init__(self) -> None:
        super().__init__()
        self.rows = MatrixModel()
        self.zoom = 1.0
        self._all: tuple[MatrixSample, ...] = ()
        self.setModel(self.rows)
        self.setAccessibleName("Results by sample and variant")
        self.setItemDelegate(_CellDelegate(self))
        self.setHorizontalHeader(_VariantHeader(self))
        self.setVerticalHeader(_SampleHeader(self))
        self.setShowGrid(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self._corner = self.findChild(QAbstractButton)
        if self._corner is not None:
            self._corner.installEventFilter(self)
        self.selectionModel().currentChanged.connect(self._moved)
        self.doubleClicked.connect(lambda index: self.opened.emit(index.data(MatrixModel.SampleRole), index.column()))
        self._rescale()
        look().changed.connect(self._rescale)

    def show_run(self, variants: Sequence[Variant], samples: Sequence[MatrixSample]) -> None:
        self._all = tuple(samples)
        self.rows.show(variants, samples)
        self._rescale()

    def put(self, variants: Sequence[Variant], samples: Sequence[MatrixSample]) -> None:
        """Show what has come in since for samples that are known; filter, place and current cell stay."""
        fresh = {sample.id: sample for sample in samples}
        self._all = tuple(fresh.get(sample.id, sample) for sample in self._all)
        self.rows.put(fresh, variants)

    def samples(self) -> tuple[MatrixSample, ...]:
        """Every sample, whatever the filter."""
        return self._all

    def narrow(self, name: str, words: str = "") -> int:
        """Show the samples under a filter whose id, question or place has `words`; returns how many."""
        wanted = words.casefold()
        kept = tuple(
            sample
            for sample in self._all
            if matches(sample, name) and wanted in f"{sample.id} {sample.where} {sample.question}".casefold()
        )
        self.rows.show(self.rows.variants, kept)
        return len(kept)

    def counts(self) -> dict[str, int]:
        return {name: sum(matches(sample, name) for sample in self._all) for name, _ in FILTERS}

    def set_zoom(self, zoom: float) -> None:
        self.zoom = max(0.4, min(1.5, zoom))
        self._rescale()

    def go_next(self, name: str) -> bool:
        """Move to the next cell that failed (`failed`) or the next sample with a difference (`different`)."""
        width, height = len(self.rows.variants), len(self.rows.samples)
        start = self.currentIndex()
        first = start.row() * width + start.column() + 1 if start.isValid() else 0
        for step in range(width * height):
            row, column = divmod((first + step) % (width * height), width)
            sample = self.rows.samples[row]
            hit = (
                sample.cells[column].outcome is Outcome.FAILED if name == "failed" else sample.different and column == 0
            )
            if hit:
                self.setCurrentIndex(self.rows.index(row, column))
                return True
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        index = self.currentIndex()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and index.isValid():
            self.opened.emit(index.data(MatrixModel.SampleRole), index.column())
        elif key == Qt.Key.Key_F and not event.modifiers():
            self.go_next("failed")
        elif key == Qt.Key.Key_D and not event.modifiers():
            self.go_next("different")
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._corner and event.type() == QEvent.Type.Paint:
            here = look()
            painter = QPainter(self._corner)
            area = self._corner.rect()
            painter.fillRect(area, here.colour("surface.window"))
            painter.setPen(here.colour("border.strong"))
            painter.drawLine(area.bottomLeft(), area.bottomRight())
            painter.setPen(here.colour("border.subtle"))
            painter.drawLine(area.topRight(), area.bottomRight())
            left = here.px(20)
            painter.setFont(here.font("body", 600))
            painter.setPen(here.colour("text.primary"))
            painter.drawText(QPoint(left, here.px(22)), "Sample")
            if self.zoom < 0.75:
                painter.end()
                return True
            painter.setFont(here.font("small"))
            painter.setPen(here.colour("text.tertiary"))
            painter.drawText(QPoint(left, here.px(39)), "Question and where the answer is")
            painter.drawText(QPoint(left, here.px(55)), "In the dataset's order")
            painter.end()
            return True
        return super().eventFilter(watched, event)

    def _moved(self, now: QModelIndex, _before: QModelIndex) -> None:
        if now.isValid():
            self.chosen.emit(now.data(MatrixModel.SampleRole), now.column())

    def _rescale(self) -> None:
        here = look()
        small = self.zoom < 0.75
        self.verticalHeader().setDefaultSectionSize(here.px(ROW * self.zoom if not small else 32 * self.zoom / 0.7))
        self.verticalHeader().setFixedWidth(here.px(SAMPLES * max(0.75, self.zoom)))
        self.horizontalHeader().setFixedHeight(here.px(HEADER))
        header = self.horizontalHeader()
        header.setMinimumSectionSize(here.px(40))
        if self.zoom >= 0.75:
            header.setSectionResizeMode(
                QHeaderView.ResizeMode.Stretch if len(self.rows.variants) <= 3 else QHeaderView.ResizeMode.Fixed
            )
        else:
            header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        wide = here.px(VARIANT if self.zoom >= 0.75 else 110 if self.zoom >= 0.5 else 48)
        header.setDefaultSectionSize(wide)
        if header.count() and header.sectionResizeMode(0) is QHeaderView.ResizeMode.Fixed:
            for section in range(header.count()):
                if not header.isSectionHidden(section):
                    header.resizeSection(section, wide)
        self.viewport().update()


class _CellDelegate(QStyledItemDelegate):
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        here = look()
        cell: MatrixCell = index.data(MatrixModel.CellRole)
        view = option.widget
        zoom = view.zoom if isinstance(view, Matrix) else 1.0
        area = option.rect
        painter.save()
        fill = {Outcome.FAILED: "fail.tint", Outcome.ERROR: "warn.tint"}.get(cell.outcome, "surface.panel")
        painter.fillRect(area, here.colour(fill))
        painter.setPen(here.colour("border.subtle"))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        painter.drawLine(area.topRight(), area.bottomRight())
        self._content(painter, area, cell, zoom)
        if isinstance(view, Matrix) and view.currentIndex() == index:
            ring = here.colour("border.focus" if view.hasFocus() else "accent.base")
            painter.setPen(ring)
            painter.drawRect(area.adjusted(0, 0, -1, -1))
            painter.drawRect(area.adjusted(1, 1, -2, -2))
        painter.restore()

    def _content(self, painter: QPainter, area: QRect, cell: MatrixCell, zoom: float) -> None:
        here = look()
        glyph, tone = {
            Outcome.PASSED: ("check", "text.tertiary"),
            Outcome.FAILED: ("cross", "fail.fg"),
            Outcome.ERROR: ("warning", "warn.fg"),
            Outcome.NOT_RUN: ("", "text.tertiary"),
        }[cell.outcome]
        side = here.px(15)
        if zoom < 0.5:
            if glyph:
                paint_icon(
                    painter,
                    QRect(area.center().x() - side // 2, area.center().y() - side // 2, side, side),
                    glyph,
                    tone,
                )
            return
        if not glyph:
            painter.setPen(here.colour(tone))
            painter.setFont(here.font("body"))
            painter.drawText(area.adjusted(here.px(12), 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, "–")
            return
        top = area.y() + here.px(7) if zoom >= 0.75 else area.center().y() - side // 2
        paint_icon(painter, QRect(area.x() + here.px(10), top, side, side), glyph, tone)
        failed = cell.outcome is Outcome.FAILED
        score_font = here.font("body", 700 if failed else 400)
        painter.setFont(score_font)
        painter.setPen(
            here.colour("fail.fg" if failed else "warn.fg" if cell.outcome is Outcome.ERROR else "text.secondary")
        )
        score = cell.score or ("–" if cell.outcome is Outcome.ERROR else "")
        box = area.adjusted(0, 0, -here.px(10), 0)
        if zoom < 0.75:
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, score)
            return
        painter.drawText(
            box.adjusted(0, here.px(5), 0, 0), Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight, score
        )
        if cell.cached:
            small = here.px(12)
            paint_icon(
                painter,
                QRect(box.right() - small, area.bottom() - small - here.px(6), small, small),
                "clock",
                "text.tertiary",
            )
        left = area.x() + here.px(32)
        room = box.right() - left - QFontMetrics(score_font).horizontalAdvance(score) - here.px(8)
        lines = 1 if cell.reason else 2
        y = area.y() + here.px(5)
        y = _wrapped(
            painter,
            QRect(left, y, room, here.px(18)),
            cell.answer,
            "body",
            "text.primary",
            lines,
            cell.citations,
        )
        if cell.reason:
            room = box.right() - left
            _wrapped(painter, QRect(left, y, room, here.px(15)), cell.reason, "small", "text.secondary", 2, ())


@lru_cache(maxsize=8192)
def _cut(text: str, use: str, scale: float, width: int, lines: int, tail: int) -> tuple[tuple[str, int], ...]:
    """`text` cut into at most `lines` lines of `width`, each with its own width; the last is elided and leaves `tail` free."""
    font = look().font(use)
    metrics = QFontMetrics(font)
    layout = QTextLayout(text.replace("\n", " "), font)
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WordWrap)
    layout.setTextOption(option)
    cut: list[tuple[str, int]] = []
    layout.beginLayout()
    while len(cut) < lines:
        found = layout.createLine()
        if not found.isValid():
            break
        found.setLineWidth(max(width, 8))
        start, length = found.textStart(), found.textLength()
        last = len(cut) == lines - 1 and start + length < len(layout.text())
        piece = layout.text()[start:] if last else layout.text()[start : start + length].rstrip()
        if last:
            piece = metrics.elidedText(piece, Qt.TextElideMode.ElideRight, width - tail)
        cut.append((piece, metrics.horizontalAdvance(piece)))
    layout.endLayout()
    return tuple(cut)


def _wrapped(
    painter: QPainter, first: QRect, text: str, use: str, tone: str, lines: int, citations: tuple[int, ...]
) -> int:
    """Paint `text` in at most `lines` lines beginning at `first`, chips after its end; returns the y below."""
    here = look()
    painter.setFont(here.font(use))
    painter.setPen(here.colour(tone))
    tail = sum(chip_size(number).width() + here.px(3) for number in citations)
    cut = _cut(text, use, here.scale, first.width(), lines, tail)
    y, end, count = first.y(), first.x(), len(cut)
    for piece, width in cut:
        painter.drawText(
            QRect(first.x(), y, first.width() + here.px(4), first.height()), Qt.AlignmentFlag.AlignVCenter, piece
        )
        end = first.x() + width
        y += first.height()
    for number in citations:
        size = chip_size(number)
        end += here.px(5)
        if end + size.width() > first.right() + here.px(20) and count < lines:
            end, y = first.x(), y + first.height()
            count += 1
        paint_chip(
            painter,
            QRect(end, y - first.height() + (first.height() - size.height()) // 2, size.width(), size.height()),
            number,
        )
        end += size.width()
    return y


class _VariantHeader(QHeaderView):
    def __init__(self, view: Matrix) -> None:
        super().__init__(Qt.Orientation.Horizontal, view)
        self._view = view
        self.setSectionsClickable(False)

    def paintSection(self, painter: QPainter, area: QRect, section: int) -> None:
        here = look()
        variant = self._view.rows.variants[section]
        painter.save()
        painter.fillRect(area, here.colour("surface.window"))
        painter.setPen(here.colour("border.strong"))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        painter.setPen(here.colour("border.subtle"))
        painter.drawLine(area.topRight(), area.bottomRight())
        painter.setClipRect(area)
        inner = area.adjusted(here.px(12), here.px(7), -here.px(6), 0)
        bold = here.font("body", 600)
        painter.setFont(bold)
        painter.setPen(here.colour("text.primary"))
        badge = badge_size("Baseline") if variant.baseline else QSize(0, 0)
        name = QFontMetrics(bold).elidedText(
            variant.name, Qt.TextElideMode.ElideRight, max(20, inner.width() - badge.width() - here.px(8))
        )
        first = QRect(inner.x(), inner.y(), inner.width(), here.px(18))
        painter.drawText(first, Qt.AlignmentFlag.AlignVCenter, name)
        if variant.baseline and self._view.zoom >= 0.75:
            left = inner.x() + QFontMetrics(bold).horizontalAdvance(name) + here.px(8)
            paint_badge(painter, QRect(left, inner.y() - 1, badge.width(), badge.height()), "Baseline", "plain")
        painter.setFont(here.font("small"))
        painter.setPen(here.colour("text.tertiary"))
        model = QFontMetrics(here.font("small")).elidedText(variant.model, Qt.TextElideMode.ElideRight, inner.width())
        painter.drawText(
            QRect(inner.x(), inner.y() + here.px(18), inner.width(), here.px(16)), Qt.AlignmentFlag.AlignVCenter, model
        )
        painter.setPen(here.colour("text.primary"))
        painter.setFont(here.font("small", 600))
        count = f"{variant.passed} of {variant.total}"
        third = QRect(inner.x(), inner.y() + here.px(34), inner.width(), here.px(18))
        painter.drawText(third, Qt.AlignmentFlag.AlignVCenter, count)
        third.setLeft(third.left() + QFontMetrics(here.font("small", 600)).horizontalAdvance(count + " "))
        painter.setFont(here.font("small"))
        painter.drawText(third, Qt.AlignmentFlag.AlignVCenter, "passed")
        painter.restore()


class _SampleHeader(QHeaderView):
    def __init__(self, view: Matrix) -> None:
        super().__init__(Qt.Orientation.Vertical, view)
        self._view = view
        self.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        row = self.logicalIndexAt(event.position().toPoint())
        if row >= 0:
            self._view.setCurrentIndex(self._view.rows.index(row, 0))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.fillRect(event.rect(), look().colour("surface.panel"))
        painter.end()
        super().paintEvent(event)

    def paintSection(self, painter: QPainter, area: QRect, section: int) -> None:
        here = look()
        sample = self._view.rows.samples[section]
        painter.save()
        painter.fillRect(area, here.colour("surface.panel"))
        painter.setPen(here.colour("border.subtle"))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        painter.drawLine(area.topRight(), area.bottomRight())
        inner = area.adjusted(here.px(20), here.px(4), -here.px(6), 0)
        code = here.font("code")
        painter.setFont(code)
        painter.setPen(here.colour("text.tertiary"))
        small = self._view.zoom < 0.75
        first = QRect(inner.x(), inner.y(), inner.width(), here.px(16)) if not small else inner
        painter.drawText(first, Qt.AlignmentFlag.AlignVCenter, sample.id)
        left = QFontMetrics(code).horizontalAdvance(sample.id + " ") + here.px(2)
        rest = QRect(first.x() + left, first.y(), first.width() - left, first.height())
        painter.setFont(here.font("small"))
        where = sample.where if not small else sample.question
        painter.drawText(
            rest,
            Qt.AlignmentFlag.AlignVCenter,
            QFontMetrics(painter.font()).elidedText(where, Qt.TextElideMode.ElideRight, rest.width()),
        )
        if not small:
            box = QRect(inner.x(), inner.y() + here.px(16), inner.width(), here.px(17))
            _wrapped(painter, box, sample.question, "body", "text.primary", 2, ())
        painter.restore()
