"""Views of which one is shown at a time."""

from PySide6.QtWidgets import QWidget

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
