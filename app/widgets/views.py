"""Views of which one is shown at a time."""

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QStackedWidget, QWidget

from app.widgets.basic import column


class Views(QWidget):
    """One of several views, as high as that one needs to be (a stack would be as high as its highest)."""

    def __init__(self, *views: QWidget) -> None:
        super().__init__()
        self._views = views
        self.setLayout(column(*views, space=0))
        self.setCurrentWidget(views[0])

    def setCurrentWidget(self, wanted: QWidget) -> None:
        for view in self._views:
            view.setVisible(view is wanted)


def below(*widgets: QWidget) -> QWidget:
    """Widgets below each other, as one."""
    made = QWidget()
    made.setLayout(column(*widgets, space=6))
    return made


class Fitting(QStackedWidget):
    """A stack that is as high as the view it shows, not as its highest."""

    def sizeHint(self) -> QSize:
        shown = self.currentWidget()
        return super().sizeHint() if shown is None else shown.sizeHint()

    def minimumSizeHint(self) -> QSize:
        shown = self.currentWidget()
        if shown is None:
            return super().minimumSizeHint()
        height = shown.heightForWidth(self.width()) if shown.hasHeightForWidth() else shown.sizeHint().height()
        return QSize(shown.minimumSizeHint().width(), max(height, shown.minimumSizeHint().height()))

    def hasHeightForWidth(self) -> bool:
        shown = self.currentWidget()
        return shown is not None and shown.hasHeightForWidth()

    def heightForWidth(self, width: int) -> int:
        shown = self.currentWidget()
        return -1 if shown is None else shown.heightForWidth(width)

    def setCurrentWidget(self, widget: QWidget) -> None:
        super().setCurrentWidget(widget)
        self.updateGeometry()
