"""The pictures that a question is asked with: dropped, pasted or chosen, read one after the other, and shown in small above the question."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QMimeData, QObject, Signal
from PySide6.QtWidgets import QFileDialog, QFrame, QLabel, QSizePolicy, QWidget
from shiboken6 import isValid

from app.bridge.chatting import Given, Seen, large_copy, read_picture
from app.bridge.operations import Failure, Operations
from app.pages.page import Shell
from app.theme.look import look
from app.widgets.announcing import announce
from app.widgets.basic import column, label, row
from app.widgets.buttons import Button, icon_button
from app.widgets.picture_tray import SUFFIXES, PictureTray, picture_bytes, picture_files, pixels
from core.inference.pictures import MOST
from core.inference.records import ShownPicture


def said(seen: Seen) -> str:
    """A picture's name and size."""
    return f"{seen.name}, {seen.copy.width:,} × {seen.copy.height:,} pixels"


def show_in(tray: PictureTray, pictures: Sequence[Seen]) -> None:
    """Show pictures in a tray."""
    shown = [(pixels(one.copy.shown_width, one.copy.shown_height, one.copy.pixels), said(one)) for one in pictures]
    tray.show_pictures(shown)


def show_large(shell: Shell, seen: Seen) -> None:
    """Show a picture as large as the window lets it."""

    def show(found: ShownPicture) -> None:
        panel = LargePicture(seen, found, shell)
        panel.close_button.clicked.connect(shell.close_overlay)
        shell.open_dialog(panel, panel.width_wanted)

    shell.operations.run("Show a picture", lambda bench, job: large_copy(bench, job, seen), show)


class LargePicture(QFrame):
    """One picture, with its name."""

    def __init__(self, seen: Seen, found: ShownPicture, shell: Shell) -> None:
        super().__init__()
        self.setProperty("surface", "dialog")
        self.setAccessibleName(said(seen))
        from PySide6.QtCore import Qt
        from PySide6.QtGui import QPixmap

        here = look()
        window = shell.window() if isinstance(shell, QWidget) else None
        room_wide = (window.width() if window is not None else 1024) - here.px(160)
        room_high = (window.height() if window is not None else 700) - here.px(240)
        image = pixels(found.shown_width, found.shown_height, found.pixels)
        if image.width() > room_wide or image.height() > room_high:
            image = image.scaled(
                room_wide, room_high, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
            )
        shown = QLabel()
        shown.setPixmap(QPixmap.fromImage(image))
        shown.setAccessibleName(said(seen))
        shown.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.width_wanted = round(max(360, image.width() / here.scale + 48))
        self.close_button = Button("Close", hint="Esc")
        head = row(label(said(seen), type="heading", wrap=True), space=12)
        head.setStretch(0, 1)
        self.setLayout(column(head, shown, row(None, self.close_button), space=12, margins=(24, 20, 24, 20)))
        self.setFocusProxy(self.close_button)


class Pictures(QObject):
    """`button`, `tray` and `note` stand in the box of the question. `sees_not` says why the model sees none; `changed` comes with each change."""

    changed = Signal()

    def __init__(self, shell: Shell, sees_not: Callable[[], str]) -> None:
        super().__init__()
        self._shell, self._sees_not = shell, sees_not
        self._waiting: list[Given] = []
        self._reading = False
        self._blind = False
        self._round = 0
        self.seen: list[Seen] = []
        self.tray = PictureTray()
        self.tray.taken.connect(self._take_away)
        self.tray.asked.connect(lambda place: show_large(shell, self.seen[place]))
        self.button = icon_button("picture", "Show the model a picture")
        self.button.clicked.connect(self.choose)
        self.note = label("", type="small", tone="secondary", wrap=True)
        self.note.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.note.hide()

    @property
    def data(self) -> tuple[bytes, ...]:
        """The pictures' files."""
        return tuple(one.data for one in self.seen)

    @property
    def reason(self) -> str:
        """Why the question can't be asked with them now; nothing where it can."""
        if self._reading:
            return "A picture is being read."
        return self._sees_not() if self.seen else ""

    def judge(self) -> None:
        """Another model may see, or not."""
        problem = self._sees_not()
        self.button.setEnabled(not problem)
        self.button.setToolTip(problem or "Show the model a picture; or drop it, or paste it")
        self.button.setAccessibleDescription(problem)
        if self.seen and (problem or self._blind):
            self._blind = bool(problem)
            self.say(problem)

    def choose(self) -> None:
        """Ask for files."""
        kinds = " ".join(f"*{suffix}" for suffix in SUFFIXES)
        paths, _ = QFileDialog.getOpenFileNames(None, "Show the model a picture", "", f"Pictures ({kinds})")
        self.add([Given(Path(path).name, path) for path in paths])

    def take(self, mime: QMimeData) -> None:
        """Take what was dropped or pasted."""
        paths = picture_files(mime)
        if paths:
            self.add([Given(Path(path).name, path) for path in paths])
            return
        data = picture_bytes(mime)
        if data:
            self.add([Given("Pasted picture", data=data)])

    def add(self, given: Sequence[Given]) -> None:
        """Read pictures, and show them."""
        if not given:
            return
        problem = self._sees_not()
        if problem:
            self.say(problem)
            return
        room = max(0, MOST - len(self.seen) - len(self._waiting) - self._reading)
        self.say(f"{MOST} pictures at once can be shown; the others are left out." if len(given) > room else "")
        self._waiting += given[:room]
        self._next()

    def clear(self) -> None:
        """Take all away; what is being read is dropped."""
        self._round += 1
        self._reading = False
        self._waiting.clear()
        self.seen.clear()
        self.say("")
        self._show()

    def put_back(self, pictures: Sequence[Seen]) -> None:
        """Show these, which were read before."""
        self.clear()
        self.seen = list(pictures)
        self._show()

    def say(self, words: str) -> None:
        """A sentence above the question."""
        self.note.setText(words)
        self.note.setVisible(bool(words))
        if words:
            announce(self.note, words)

    def _next(self) -> None:
        """Read the next one, while none is being read: they stay in their order."""
        if self._reading or not self._waiting:
            return
        this, given = self._round, self._waiting.pop(0)
        self._reading = True
        self.changed.emit()

        def over(found: Seen | None = None, words: str = "") -> None:
            if not isValid(self) or this != self._round:
                return
            self._reading = False
            if words:
                self.say(words)
            if found is not None:
                self.seen.append(found)
            self._show()
            self._next()

        def failed(found: Failure) -> None:
            over(words=found.sentence)

        operations: Operations = self._shell.operations
        operations.run("Read a picture", lambda bench, job: read_picture(bench, job, given), over, failed, over)

    def _take_away(self, place: int) -> None:
        del self.seen[place]
        self.say("")
        self._show()
        if self.tray.crosses:
            self.tray.crosses[min(place, len(self.tray.crosses) - 1)].setFocus()
        else:
            self.button.setFocus()

    def _show(self) -> None:
        show_in(self.tray, self.seen)
        self.changed.emit()
