"""What models take on the disk: a bar of the largest, a row for each, and what lies there twice or isn't registered."""

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QWidget

from app.bridge.opening import size
from app.pages.page import scrolled
from app.theme.look import look
from app.widgets.basic import Badge, Card, Elided, IconLabel, clear, column, label, row
from app.widgets.buttons import Button, button
from app.widgets.share_bar import COLOURS, Part, ShareBar, Swatch
from core.models.records import DiskView, Duplicate, OnDisk

REST = "The others"
MOST = 40
"""Rows of each kind; the sums name all."""


def largest(found: DiskView) -> list[Part]:
    """The largest models as parts, and the others together."""
    models = sorted(found.models, key=lambda one: -one.space)
    room = COLOURS if len(models) <= COLOURS else COLOURS - 1
    parts = [Part(one.name, one.space, size(one.space)) for one in models[:room]]
    rest = sum(one.space for one in models[room:])
    return [*parts, Part(REST, rest, size(rest))] if len(models) > room else parts


def wasted(found: DiskView) -> int:
    """Bytes that copies of the same content take beyond the first."""
    return sum(twice.size * (len(twice.paths) - 1) for twice in found.duplicates)


class ModelsDisk(QWidget):
    """`looked` asks for a new look; `folder_asked` for one that takes in a folder too; `discard` for deleting a model's files."""

    looked, folder_asked = Signal(), Signal()
    discard = Signal(str)
    register = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._sum = label("", tone="secondary")
        self.again = button("Look again", "again", small=True)
        self.again.clicked.connect(self.looked)
        self.more = button("Another folder…", "folder", small=True)
        self.more.clicked.connect(self.folder_asked)
        head = row(label("On the disk", type="heading"), self._sum, None, self.more, self.again, space=10)
        self.bar = ShareBar("Disk space of models", 16)
        self._rows = column(space=8)
        self.buttons: dict[str, Button] = {}
        self.found: DiskView | None = None
        self._twice = Card("Twice on the disk")
        self._twice_rows = column(space=8)
        self._twice.body.addLayout(self._twice_rows)
        self._others = Card("Not registered", "Model files that lie beside registered ones.")
        self._other_rows = column(space=6)
        self._others.body.addLayout(self._other_rows)
        inside = QWidget()
        inside.setLayout(
            column(head, self.bar, self._rows, 6, self._twice, self._others, None, margins=(20, 16, 20, 20), space=12)
        )
        self.setLayout(column(scrolled(inside), space=0))
        self.setAccessibleName("Disk space of models")
        for part in (self._twice, self._others):
            part.hide()
        self._sum.setText("Looking")

    def show_disk(self, found: DiskView) -> None:
        """Show a look at the disk."""
        self.found = found
        free = ", ".join(sorted({f"{size(left)} free" for _, left in found.free}))
        self._sum.setText(f"{size(found.total)} in {len(found.models)} models" + (f"; {free}" if free else ""))
        self.bar.show_parts(largest(found))
        clear(self._rows)
        self.buttons = {}
        named = [part.name for part in largest(found)]
        for one in sorted(found.models, key=lambda model: -model.space)[:MOST]:
            place = named.index(one.name) if one.name in named else len(named) - 1
            self._rows.addLayout(self._row(place, one))
        clear(self._twice_rows)
        for twice in found.duplicates[:MOST]:
            self._twice_rows.addWidget(_copies(twice))
        if found.duplicates:
            self._twice_rows.addWidget(
                label(
                    f"The copies take {size(wasted(found))}. Delete those that nothing uses.",
                    tone="secondary",
                    wrap=True,
                )
            )
        self._twice.setVisible(bool(found.duplicates))
        clear(self._other_rows)
        for path, amount in found.others[:MOST]:
            self._other_rows.addLayout(self._other(path, amount))
        self._others.setVisible(bool(found.others))

    def _row(self, place: int, one: OnDisk):
        facts = "; ".join(one.uses) if one.uses else "nothing uses it"
        name, said = label(one.name, strong=True), Elided(facts, type="small", tone="secondary")
        act = Button("Delete…", "trash", "quiet", small=True)
        act.setAccessibleName(f"Delete {one.name}")
        act.refuse(f"It is in use: {facts}." if one.uses else "")
        act.clicked.connect(lambda: self.discard.emit(one.name))
        self.buttons[one.name] = act
        made = row(Swatch(place), name, said, space=10)
        made.setStretch(2, 1)
        if one.missing:
            made.addWidget(Badge("File missing", "fail", "file-broken"))
        made.addWidget(label(size(one.space)))
        made.addWidget(act)
        return made

    def _other(self, path: str, amount: int):
        act = Button("Register", "plus", "quiet", small=True)
        act.setAccessibleName(f"Register {Path(path).name}")
        act.clicked.connect(lambda: self.register.emit(path))
        made = row(IconLabel("file"), Elided(path, middle=True), label(size(amount)), act, space=10)
        made.setStretch(1, 1)
        return made


def _copies(twice: Duplicate) -> QFrame:
    made = QFrame()
    made.setProperty("surface", "plain")
    body = column(label(f"{len(twice.paths)} copies of {size(twice.size)}", strong=True), space=2)
    for path in twice.paths:
        shown = Elided(path, middle=True, type="code", tone="secondary")
        shown.setMinimumHeight(look().px(18))
        body.addWidget(shown)
    made.setLayout(body)
    return made
