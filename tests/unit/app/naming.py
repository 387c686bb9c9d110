"""What a screen reader would have no word for, below a widget: every control and every picture that the keys reach."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QAbstractScrollArea, QAbstractSpinBox, QComboBox, QLineEdit, QWidget


def nameless(part: QWidget) -> list[str]:
    """Also what is hidden now. What belongs to a choice, a number field or a scrolled view is named by that."""
    found = []
    for one in (part, *part.findChildren(QWidget)):
        control = isinstance(one, QAbstractButton | QLineEdit | QComboBox | QAbstractSpinBox | QAbstractScrollArea)
        reached = bool(one.focusPolicy() & Qt.FocusPolicy.TabFocus)
        if one is part or not (control or reached):
            continue
        owner = one.parentWidget()
        inner = isinstance(owner, QComboBox | QAbstractSpinBox | QAbstractScrollArea) or one.inherits("QListView")
        words = one.text() if isinstance(one, QAbstractButton) else ""
        if not (one.accessibleName() or words or inner or one.objectName().startswith("qt_")):
            found.append(f"{type(one).__name__} in {type(owner).__name__}")
    return found
