"""The versions of a prompt in a list, newest first: seal, number, labels, what it is about, who saved it when, and who signed it."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QAbstractListModel, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.pages.signatures import WORDS, moment, seal_of
from app.theme.look import look
from app.widgets.painting import badge_size, focus_ring, paint_badge
from app.widgets.seal import paint_seal
from app.widgets.table import _NOWHERE, Index
from core.prompts.records import PromptState

HEIGHT = 88
LABELS = {"production": "pass", "approved": "signed", "candidate": "accent"}
"""The tints of labels that teams commonly use; the others are outlined."""


def signed_words(meanings: Sequence[str]) -> str:
    """Who signed, in words: the meanings, or that nobody did."""
    given = [word.lower() for meaning, word in WORDS.items() if meaning in meanings]
    return ", ".join(given).capitalize() if given else "Not signed"


class _Versions(QAbstractListModel):
    StateRole = Qt.ItemDataRole.UserRole + 1

    def __init__(self) -> None:
        super().__init__()
        self.states: tuple[PromptState, ...] = ()
        self.people: Mapping[str, str] = {}

    def show(self, states: Sequence[PromptState], people: Mapping[str, str]) -> None:
        self.beginResetModel()
        self.states, self.people = tuple(states), people
        self.endResetModel()

    def who(self, state: PromptState) -> str:
        author = self.people.get(state.prompt.author, state.prompt.author)
        return f"{author}, {moment(state.prompt.saved)}"

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self.states)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        state = self.states[index.row()]
        if role == self.StateRole:
            return state
        if role == Qt.ItemDataRole.DisplayRole:
            return f"Version {state.prompt.number}"
        if role == Qt.ItemDataRole.AccessibleTextRole:
            parts = [f"Version {state.prompt.number}", *state.labels, state.prompt.notes, self.who(state)]
            return ", ".join(part for part in [*parts, signed_words([meaning for meaning, _ in state.signed])] if part)
        if role == Qt.ItemDataRole.ToolTipRole:
            return state.prompt.notes
        return None


class VersionList(QListView):
    """`chosen` gives the `PromptState` that the person went to."""

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._model = _Versions()
        self.setModel(self._model)
        self.setItemDelegate(_Delegate(self))
        self.setAccessibleName("Versions")
        self.setProperty("surface", "window")
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.selectionModel().currentChanged.connect(self._moved)
        look().changed.connect(self.doItemsLayout)

    def show_states(self, states: Sequence[PromptState], people: Mapping[str, str]) -> None:
        self._model.show(states, people)

    def states(self) -> tuple[PromptState, ...]:
        return self._model.states

    def choose(self, number: int) -> None:
        """Go to a version; emits `chosen`."""
        for position, state in enumerate(self._model.states):
            if state.prompt.number == number:
                self.setCurrentIndex(self._model.index(position, 0))

    def _moved(self, now: Index, _before: Index) -> None:
        if now.isValid():
            self.chosen.emit(self._model.states[now.row()])


class _Delegate(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(look().px(160), look().px(HEIGHT))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        here = look()
        state: PromptState = index.data(_Versions.StateRole)
        model = index.model()
        area = option.rect
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        if chosen or option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(area, here.colour("surface.selected" if chosen else "surface.hover"))
        if chosen:
            painter.fillRect(QRect(area.x(), area.y(), here.px(3), area.height()), here.colour("accent.base"))
        side = here.px(26)
        meanings = [meaning for meaning, _ in state.signed]
        paint_seal(painter, QRectF(area.x() + here.px(12), area.y() + here.px(8), side, side), seal_of(meanings))
        left = area.x() + here.px(48)
        room = area.right() - left - here.px(8)
        bold = here.font("body", 600)
        title = f"Version {state.prompt.number}"
        painter.setFont(bold)
        painter.setPen(here.colour("text.primary"))
        top = area.y() + here.px(9)
        painter.drawText(QRect(left, top, room, here.px(20)), Qt.AlignmentFlag.AlignVCenter, title)
        x = left + QFontMetrics(bold).horizontalAdvance(title) + here.px(8)
        for word in state.labels:
            size = badge_size(word)
            if x + size.width() > area.right() - here.px(4):
                break
            paint_badge(painter, QRect(x, top, size.width(), size.height()), word, LABELS.get(word, "plain"))
            x += size.width() + here.px(5)
        lines = (
            (state.prompt.notes or "No note", "body", "text.primary" if state.prompt.notes else "text.tertiary", 20),
            (model.who(state) if isinstance(model, _Versions) else "", "small", "text.tertiary", 16),
            (signed_words(meanings), "small", "text.tertiary", 16),
        )
        y = top + here.px(20)
        for text, use, tone, height in lines:
            font = here.font(use)
            painter.setFont(font)
            painter.setPen(here.colour(tone))
            words = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, room)
            painter.drawText(QRect(left, y, room, here.px(height)), Qt.AlignmentFlag.AlignVCenter, words)
            y += here.px(height)
        view = option.widget
        if isinstance(view, QListView) and view.hasFocus() and view.currentIndex() == index:
            focus_ring(painter, area, 3)
        painter.restore()
