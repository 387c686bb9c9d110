"""A document's page as it was rendered, with its passages marked: paper stays paper in every theme.

The yellow is multiplied onto the pixels, with a 2 px edge below each line; the citation's number stands in the margin. A document without
pages as pictures (text, mail, a web page) is shown as text on the same paper, with the same marks.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
    QTextCharFormat,
    QTextCursor,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QStackedWidget, QTextBrowser, QWidget

from app.theme.look import look
from app.widgets.basic import Elided, column, frame, label, line, row
from app.widgets.buttons import icon_button
from app.widgets.citation_chip import CitationChip, chip_size, paint_chip

MARGIN = 20
GUTTER = 44
"""What is left free for the numbers beside the text when a page is fitted to its text."""
LARGEST_FIT = 1.4
NARROW = 440
"""Under that the tools leave out what their tooltips say too."""
INK_WIDTH, INK_DARK = 160, 235
"""A page is looked at in so many columns; a grey under that is content."""
ZOOMS = (0.5, 0.67, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0)


@dataclass(frozen=True)
class Mark:
    """One citation on a page: its rectangles as (x0, y0, x1, y1) in points from the page's top left."""

    number: int
    rects: tuple[tuple[float, float, float, float], ...]
    chosen: bool = False


class PageCanvas(QAbstractScrollArea):
    """Paints one page. `picked` gives the number of a citation that was clicked; `page_asked` is −1 or +1."""

    picked = Signal(int)
    page_asked = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Page")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self._page: QPixmap | None = None
        self._per_point = 1.0
        self._ink = (0.0, 1.0)
        self._marks: tuple[Mark, ...] = ()
        self.zoom = 1.0
        self._fit = True
        self.viewport().setBackgroundRole(self.backgroundRole())
        self.viewport().setMouseTracking(True)

    def show_page(self, image: QImage, per_point: float, marks: Sequence[Mark] = ()) -> None:
        """Show a page whose image has `per_point` pixels per point."""
        self._page = QPixmap.fromImage(image)
        self._per_point = per_point
        self._ink = ink(image)
        self._marks = tuple(marks)
        self._lay_out()
        self._scroll_to_chosen()

    def mark(self, marks: Sequence[Mark]) -> None:
        self._marks = tuple(marks)
        self._scroll_to_chosen()
        self.viewport().update()

    @property
    def marks(self) -> tuple[Mark, ...]:
        return self._marks

    def clear(self) -> None:
        self._page, self._marks = None, ()
        self._lay_out()

    def set_zoom(self, zoom: float) -> None:
        self.zoom, self._fit = zoom, False
        self._lay_out()

    def fit(self) -> None:
        self._fit = True
        self._lay_out()

    def paper(self) -> QRect:
        """Where the page lies in the viewport."""
        size = self._size()
        left = (
            max(look().px(MARGIN), (self.viewport().width() - size.width()) // 2) - self.horizontalScrollBar().value()
        )
        return QRect(QPoint(left, look().px(MARGIN) - self.verticalScrollBar().value()), size)

    def paintEvent(self, event: QPaintEvent) -> None:
        here = look()
        painter = QPainter(self.viewport())
        painter.fillRect(self.viewport().rect(), here.colour("surface.desk"))
        if self._page is None:
            painter.end()
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        area = self.paper()
        painter.fillRect(area, here.colour("surface.paper"))
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Multiply)
        painter.drawPixmap(area, self._page)
        for mark in self._marks:
            fill = look().paper_colour("highlight.fill" if mark.chosen else "highlight.weak")
            for rect in mark.rects:
                painter.fillRect(self._place(area, rect), fill)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
        edge = look().paper_colour("highlight.edge")
        for mark in self._marks:
            for rect in mark.rects:
                placed = self._place(area, rect)
                painter.fillRect(QRectF(placed.x(), placed.bottom(), placed.width(), 2), edge)
            if mark.rects:
                paint_chip(painter, self._chip(area, mark), mark.number, mark.chosen, paper=True)
        painter.setPen(here.colour("border.default"))
        painter.drawRect(area.adjusted(-1, -1, 0, 0))
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        found = self._at(event.position().toPoint())
        if found is not None:
            self.picked.emit(found.number)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        over = self._at(event.position().toPoint()) is not None
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.ArrowCursor)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        bar = self.verticalScrollBar()
        if event.key() == Qt.Key.Key_PageDown and bar.value() >= bar.maximum():
            self.page_asked.emit(1)
        elif event.key() == Qt.Key.Key_PageUp and bar.value() <= bar.minimum():
            self.page_asked.emit(-1)
        elif event.key() in (Qt.Key.Key_PageDown, Qt.Key.Key_PageUp):
            bar.setValue(bar.value() + (1 if event.key() == Qt.Key.Key_PageDown else -1) * self.viewport().height())
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def _size(self) -> QSize:
        if self._page is None:
            return QSize(0, 0)
        per = self._scale()
        return QSize(
            round(self._page.width() / self._per_point * per), round(self._page.height() / self._per_point * per)
        )

    def _scale(self) -> float:
        """Pixels on the screen per point."""
        if self._page is not None and self._fit:
            left, right = self._ink
            points = (right - left) * self._page.width() / self._per_point
            room = self.viewport().width() - look().px(GUTTER) - look().px(MARGIN)
            whole = (self.viewport().width() - 2 * look().px(MARGIN)) / (self._page.width() / self._per_point)
            return max(0.2, whole, min(room / points, LARGEST_FIT))
        return self.zoom * 96 / 72

    @property
    def percent(self) -> int:
        return round(self._scale() / (96 / 72) * 100)

    def _place(self, area: QRect, rect: tuple[float, float, float, float]) -> QRectF:
        per = self._scale()
        x0, y0, x1, y1 = (value * per for value in rect)
        return QRectF(area.x() + x0 - 1, area.y() + y0 - 1, x1 - x0 + 2, y1 - y0 + 1)

    def _chip(self, area: QRect, mark: Mark) -> QRect:
        size = chip_size(mark.number)
        first = self._place(area, mark.rects[0])
        left = max(first.x() - size.width() - look().px(12), area.x() + 2)
        return QRect(round(left), round(first.center().y() - size.height() / 2), size.width(), size.height())

    def _at(self, spot: QPoint) -> Mark | None:
        area = self.paper()
        for mark in self._marks:
            if any(self._place(area, rect).contains(spot) for rect in mark.rects):
                return mark
            if mark.rects and self._chip(area, mark).contains(spot):
                return mark
        return None

    def _lay_out(self) -> None:
        size = self._size()
        room = self.viewport().size()
        margin = 2 * look().px(MARGIN)
        self.verticalScrollBar().setPageStep(room.height())
        self.verticalScrollBar().setSingleStep(look().px(24))
        self.verticalScrollBar().setRange(0, max(0, size.height() + margin - room.height()))
        self.horizontalScrollBar().setPageStep(room.width())
        before = self.horizontalScrollBar().maximum()
        self.horizontalScrollBar().setRange(0, max(0, size.width() + margin - room.width()))
        policy = Qt.ScrollBarPolicy
        self.setHorizontalScrollBarPolicy(policy.ScrollBarAlwaysOff if self._fit else policy.ScrollBarAsNeeded)
        if self._fit or before != self.horizontalScrollBar().maximum():
            left = look().px(MARGIN) + self._ink[0] * size.width() - look().px(GUTTER)
            self.horizontalScrollBar().setValue(round(max(0.0, left)))
        self.viewport().update()

    def _scroll_to_chosen(self) -> None:
        for mark in self._marks:
            if mark.chosen and mark.rects:
                top = mark.rects[0][1] * self._scale()
                self.verticalScrollBar().setValue(max(0, round(top - self.viewport().height() / 3)))
                return
        self.verticalScrollBar().setValue(0)


def ink(image: QImage) -> tuple[float, float]:
    """Where a page's content begins and ends across, as shares of its width; (0, 1) for an empty page."""
    small = image.scaled(
        INK_WIDTH, INK_WIDTH, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
    )
    small = small.convertToFormat(QImage.Format.Format_Grayscale8)
    data, step = bytes(small.constBits()), small.bytesPerLine()
    dark = [at for at in range(INK_WIDTH) if min(data[at : step * INK_WIDTH : step]) < INK_DARK]
    return (dark[0] / INK_WIDTH, (dark[-1] + 1) / INK_WIDTH) if dark else (0.0, 1.0)


class PageView(QWidget):
    """The reading pane: the document's name, which passage and page, and the page itself.

    `page_asked` gives −1 or +1, `passage_asked` the same for passages, `picked` a citation's number, `closed` that it shall go away.
    """

    page_asked = Signal(int)
    passage_asked = Signal(int)
    picked = Signal(int)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Document")
        self.canvas = PageCanvas()
        self.canvas.page_asked.connect(self.page_asked)
        self.canvas.picked.connect(self.picked)
        self.text = QTextBrowser()
        self.text.setAccessibleName("Text of the page")
        self.text.setOpenLinks(False)
        self._name = Elided("", strong=True)
        self._about = Elided("", type="small", tone="tertiary")
        self.close_button = icon_button("close", "Close the document")
        self.close_button.clicked.connect(self.closed)
        head = frame("panel")
        head.setLayout(row(column(self._name, self._about, space=2), self.close_button, margins=(16, 8, 10, 8)))
        self._chip = CitationChip(1)
        self._chip.setChecked(True)
        self._passage = label("", type="small", tone="secondary")
        self._before = icon_button("up", "Passage before")
        self._after = icon_button("down", "Next passage")
        self._before.clicked.connect(lambda: self.passage_asked.emit(-1))
        self._after.clicked.connect(lambda: self.passage_asked.emit(1))
        self.page_before = icon_button("left", "Page before")
        self.page_after = icon_button("right", "Next page")
        self.page_before.clicked.connect(lambda: self.page_asked.emit(-1))
        self.page_after.clicked.connect(lambda: self.page_asked.emit(1))
        self.page_label = label("", type="small", tone="secondary")
        self._smaller = icon_button("zoom-out", "Smaller")
        self._larger = icon_button("zoom-in", "Larger")
        self._percent = label("100 %", type="small", tone="secondary")
        self._smaller.clicked.connect(lambda: self._zoom(-1))
        self._larger.clicked.connect(lambda: self._zoom(1))
        tools = frame("panel")
        tools.setLayout(
            row(
                self._chip, self._passage, self._before, self._after, None,
                self.page_before, self.page_label, self.page_after, 8,
                self._smaller, self._percent, self._larger,
                space=5, margins=(16, 3, 10, 3),
            )
        )  # fmt: skip
        self._stack = QStackedWidget()
        self._stack.addWidget(self.canvas)
        self._stack.addWidget(self.text)
        self.setLayout(column(head, line(), tools, line(), self._stack, space=0))
        self.layout().setStretch(4, 1)
        self.say_passage(0, 0, 0)

    def say_document(self, name: str, about: str) -> None:
        self._name.say(name)
        self._about.say(about)

    @property
    def about(self) -> str:
        """What is said of the document."""
        return self._about.full

    def say_passage(self, number: int, position: int, total: int) -> None:
        """Which passage is shown: its number, and the how manyth of how many (0 hides it)."""
        shown = total > 0
        for widget in (self._chip, self._passage, self._before, self._after):
            widget.setVisible(shown)
        self._passage.setVisible(shown and self.width() >= look().px(NARROW))
        self._chip.number = number
        self._chip.setAccessibleName(f"Citation {number}")
        self._passage.setText(f"Passage {position} of {total}")

    def say_page(self, page: int, pages: int) -> None:
        self.page_label.setText(f"Page {page} of {pages}")
        self.page_before.setEnabled(page > 1)
        self.page_after.setEnabled(page < pages)

    def show_page(self, image: QImage, per_point: float, marks: Sequence[Mark]) -> None:
        self._stack.setCurrentWidget(self.canvas)
        self.canvas.show_page(image, per_point, marks)
        self._say_zoom()

    def show_text(self, text: str, quotes: Sequence[str]) -> None:
        """Show a page's text, with `quotes` marked where they stand in it word for word."""
        self._stack.setCurrentWidget(self.text)
        paper, ink = look().colour("surface.paper"), look().paper_colour("text.primary")
        self.text.setStyleSheet(
            f"QTextBrowser {{ background: {paper.name()}; color: {ink.name()}; border: 0; padding: {look().px(24)}px; }}"
        )
        self.text.setPlainText(text)
        marked = QTextCharFormat()
        marked.setBackground(look().paper_colour("highlight.fill"))
        marked.setUnderlineColor(look().paper_colour("highlight.edge"))
        marked.setFontUnderline(True)
        for quote in quotes:
            found = self.text.document().find(quote) if quote else QTextCursor()
            if not found.isNull():
                found.mergeCharFormat(marked)
                spot = QTextCursor(found)
                spot.clearSelection()
                self.text.setTextCursor(spot)
                self.text.ensureCursorVisible()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < look().px(NARROW)
        self._percent.setVisible(not narrow)
        self._passage.setVisible(not narrow and self._chip.isVisibleTo(self))

    def _zoom(self, step: int) -> None:
        now = self.canvas.percent / 100
        larger = [zoom for zoom in ZOOMS if zoom > now + 0.02]
        smaller = [zoom for zoom in ZOOMS if zoom < now - 0.02]
        if step > 0 and larger:
            self.canvas.set_zoom(larger[0])
        elif step < 0 and smaller:
            self.canvas.set_zoom(smaller[-1])
        self._say_zoom()

    def _say_zoom(self) -> None:
        self._percent.setText(f"{self.canvas.percent} %")
