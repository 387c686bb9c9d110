"""The page while no vault is open: unlock one, create one, restore one from a backup, or check a pack, which needs none."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QWidget

from app.bridge.care import recover, restore
from app.bridge.opening import (
    NewVault,
    Remembered,
    create_vault,
    forget_vault,
    names,
    open_and_remember,
    open_remembered,
    open_vault,
    recent_vaults,
    remembered,
    shown_name,
)
from app.bridge.operations import Failure, Handle
from app.pages.page import Page, Shell, scrolled
from app.pages.recovery_form import RecoverForm
from app.pages.restore_form import RestoreForm
from app.pages.unlock_forms import CreateForm, OpenForm
from app.theme.look import look
from app.widgets.basic import column, frame, label, row
from app.widgets.buttons import Button, Segments, button
from app.widgets.forms import Field
from app.widgets.seal import Logo
from app.widgets.views import Views
from core.errors import Damaged, WrongPassphrase
from core.jobs import Job

if TYPE_CHECKING:
    from core.workbench import Workbench

WIDTH = 480
TYPED = 300
"""Milliseconds after the last key until the system's keyring is asked."""
BACKUP = ".assay-backup"


class UnlockPage(Page):
    """Opening and creating run off the UI thread; the passphrase fields are emptied the moment they were handed on."""

    title = "Assay"

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.bar.hide()
        self.setAcceptDrops(True)
        self.ways = Segments([("open", "Open"), ("create", "Create"), ("restore", "Restore a backup")], "What to do")
        self.ways.chosen.connect(self._choose)
        self.opening = OpenForm()
        self.creating = CreateForm()
        self.restoring = RestoreForm()
        self._stack = Views(self.opening, self.creating, self.restoring)
        self.restoring.restore.clicked.connect(self._restore)
        self.restoring.work.cancelled.connect(self._stop_restoring)
        self._restoration: Handle | None = None
        self.opening.unlock.clicked.connect(self._open)
        self.opening.passphrase.edit.returnPressed.connect(self._open)
        self.opening.place.edit.currentTextChanged.connect(lambda _: self._ask_names())
        self.opening.forget.clicked.connect(self._forget)
        self._asked = 0
        self._typed = QTimer(self)
        self._typed.setSingleShot(True)
        self._typed.setInterval(TYPED)
        self._typed.timeout.connect(self._ask_keyring)
        for field in (self.opening.place, self.opening.user):
            field.edit.currentTextChanged.connect(self._ask_soon)
        self.creating.create.clicked.connect(self._create)
        self.opening.lost.clicked.connect(self._ask_recovery)
        self.check = button("Check a pack", "stamp", "quiet")
        self.check.setAccessibleDescription("No vault is needed to check one")
        self.check.clicked.connect(lambda: self.shell.go("evidence"))
        self.examine = button("This installation", "health", "quiet")
        self.examine.setAccessibleDescription(
            "What this machine gives, what bars the network, and the program’s own files"
        )
        self.examine.clicked.connect(lambda: self.shell.go("installation"))
        self.note = label("", tone="secondary", wrap=True)
        self.note.hide()
        card = frame("card")
        inside = column(self.note, self.ways, 4, self._stack, space=12, margins=(24, 20, 24, 22))
        card.setLayout(inside)
        card.setFixedWidth(look().px(WIDTH))
        head = row(Logo(40), space=14)
        head.addLayout(
            column(
                label("Assay", type="verdict"),
                label("Models, documents and evidence on one machine, without a network", tone="secondary", wrap=True),
                space=2,
            )
        )
        foot = row(self.check, label("No vault is needed to check one.", type="small", tone="secondary"), None)
        other = row(self.examine, label("Examine the machine and the program.", type="small", tone="secondary"), None)
        whole = column(head, 8, card, column(foot, other, space=4), None, space=12, margins=(0, 72, 0, 24))
        holder = QWidget()
        holder.setFixedWidth(look().px(WIDTH))
        holder.setLayout(whole)
        centre = QWidget()
        centre.setLayout(row(None, holder, None, space=0))
        self.body.addWidget(scrolled(centre))

    def opened(self) -> None:
        recent = recent_vaults()
        self.opening.offer(recent)
        way = "open" if recent else "create"
        self.ways.choose(way)
        self._choose(way)
        self._ask_names()
        self._typed.start()

    def after_lock(self, folder: Path, user: str, because: str, kept: bool) -> None:
        """Offer the vault that was just locked to the person who had it open."""
        words = [because or "The vault is locked."]
        if kept:
            words.append(f"What {user} was writing is sealed, and comes back when they unlock.")
        self.note.setText(" ".join(words))
        self.note.show()
        self.ways.choose("open")
        self.opening.place.edit.setEditText(str(folder))
        self.opening.user.edit.setEditText(user)
        self._choose("open")

    def show_about(self, about: object) -> None:
        """A vault's folder, or a pack, from the command line or the file manager."""
        path = Path(str(about))
        if path.is_file() and path.suffix == BACKUP:
            self.ways.choose("restore")
            self._choose("restore")
            self.restoring.take(path)
            return
        if path.is_file():
            self.shell.go("evidence", str(path))
            return
        self.ways.choose("open")
        self._choose("open")
        self.opening.place.edit.setEditText(str(path))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if len(paths) > 1 and all(Path(path).is_file() for path in paths):
            self.shell.go("evidence", paths)  # a pack with its trust file
        else:
            self.show_about(paths[0])

    def _choose(self, way: str) -> None:
        forms: dict[str, QWidget] = {"open": self.opening, "create": self.creating, "restore": self.restoring}
        self._stack.setCurrentWidget(forms[way])
        if way == "restore":
            self.restoring.file.edit.setFocus()
        elif way == "open":
            (self.opening.passphrase.edit if self.opening.user.text else self.opening.user.edit).setFocus()
        else:
            self.creating.name.edit.setFocus()

    def _ask_names(self) -> None:
        folder = Path(self.opening.place.text)
        if self.opening.place.text and folder.is_dir():
            self.operations.run_alone(
                "Read the names", lambda job: names(folder), self.opening.offer_names, lambda _: None
            )

    def _ask_soon(self) -> None:
        """The vault or the person is another one: what the keyring has of the last one doesn't hold."""
        self._asked += 1
        self.opening.know(None)
        self._typed.start()

    def _ask_keyring(self) -> None:
        form = self.opening
        folder, user = Path(form.place.text).expanduser(), form.user.text.strip()
        if not form.place.text or not self.isVisible() or not folder.is_dir():
            return
        self._asked += 1
        asked = self._asked

        def told(found: Remembered) -> None:
            if asked == self._asked:
                form.know(found)

        self.operations.run_alone("Ask the keyring", lambda job: remembered(folder, user), told, lambda _: None)

    def _forget(self) -> None:
        form = self.opening
        folder, user = Path(form.place.text).expanduser(), form.user.text.strip()
        self.operations.run_alone(
            "Forget the vault",
            lambda job: forget_vault(folder, user),
            lambda _: self._ask_keyring(),
            lambda found: form.passphrase.fail(found.sentence),
        )

    def _open(self) -> None:
        form = self.opening
        by_keyring = form.remembered and not form.passphrase.text
        fields = (form.place, form.user) if by_keyring else (form.place, form.user, form.passphrase)
        good = [field.good() for field in fields]
        if not all(good) or not form.unlock.isEnabled():
            return
        folder, user, passphrase = Path(form.place.text).expanduser(), form.user.text.strip(), form.passphrase.text
        keep = form.keep.isVisibleTo(form) and form.keep.isChecked()
        form.passphrase.edit.clear()
        self._wait(form.unlock, "Unlocking")

        def work(job: Job) -> "Workbench":
            if by_keyring:
                return open_remembered(folder, user, job)
            return (open_and_remember if keep else open_vault)(folder, user, passphrase, job)

        def failed(found: Failure) -> None:
            self._failed(found, form.unlock, "Unlock", form.passphrase)
            self._ask_keyring()

        self.operations.run_alone("Unlock the vault", work, self._enter, failed)

    def _create(self) -> None:
        form = self.creating
        good = [field.good() for field in form.fields()]
        if not all(good):
            return
        request = NewVault(form.folder(), form.user.text.strip(), form.person.text.strip(), form.passphrase.text)
        form.passphrase.edit.clear()
        form.again.edit.clear()
        self._wait(form.create, "Creating")
        self.operations.run_alone(
            "Create the vault",
            lambda job: create_vault(request, job),
            self._enter,
            lambda found: self._failed(found, form.create, "Create vault", form.passphrase),
        )

    def _restore(self) -> None:
        form = self.restoring
        good = [field.good() for field in form.fields()]
        if not all(good):
            return
        file, folder = Path(form.file.text.strip()).expanduser(), form.folder()
        user, passphrase, despite = form.user.text.strip(), form.passphrase.text, form.despite.isChecked()
        form.passphrase.edit.clear()
        form.restore.refuse("It is being restored.")
        form.work.begin("Restoring", "The vault appears when it was checked")
        form.work.show()

        def free() -> None:
            form.work.hide()
            form.restore.refuse("")
            self._restoration = None

        def done(made: str) -> None:
            free()
            self.after_lock(
                folder, user, f"{shown_name(folder)} is restored as it was on {_day(made)}. Unlock it.", False
            )

        def failed(found: Failure) -> None:
            free()
            wrong = isinstance(found.error, WrongPassphrase)
            field = form.passphrase if wrong else form.file
            field.fail(
                "The user name or the passphrase is wrong." if wrong else f"{found.sentence} {found.safe}".strip()
            )
            form.despite.setVisible(isinstance(found.error, Damaged))

        handle = self.operations.run_alone(
            "Restore the vault",
            lambda job: restore(file, folder, user, passphrase, despite, job),
            done,
            failed,
            free,
        )
        handle.progress.connect(lambda progress: form.work.say(progress.done, progress.total, progress.unit))
        self._restoration = handle

    def _ask_recovery(self) -> None:
        folder = Path(self.opening.place.text).expanduser()
        if not self.opening.place.good():
            return
        form = RecoverForm(folder, self.opening.user.text.strip())
        form.cancelled.connect(self.shell.close_overlay)

        def recovering() -> None:
            words, user, new = form.request()
            form.wait("It takes some seconds: keys are made.")

            def done(name: str) -> None:
                self.shell.close_overlay()
                self.after_lock(
                    folder, user, f"{name} has a new passphrase, new keys and a new card. Unlock with it.", False
                )

            self.operations.run_alone(
                "Recover the vault",
                lambda job: recover(folder, words, user, new, job),
                done,
                lambda found: form.refuse(
                    "The words don’t open this vault." if isinstance(found.error, WrongPassphrase) else found.sentence
                ),
            )

        form.acted.connect(recovering)
        self.shell.open_dialog(form, 520)

    def _stop_restoring(self) -> None:
        if self._restoration is not None:
            self._restoration.cancel()

    def _enter(self, workbench) -> None:
        self._ready(self.opening.unlock, "Unlock")
        self._ready(self.creating.create, "Create vault")
        self.shell.enter(workbench)

    def _failed(self, found: Failure, act: Button, word: str, field: Field) -> None:
        self._ready(act, word)
        field.fail(found.sentence)
        field.edit.setFocus()

    def _wait(self, act: Button, word: str) -> None:
        act.setText(word)
        act.refuse("It takes a moment: the key is derived from your passphrase.")

    def _ready(self, act: Button, word: str) -> None:
        act.setText(word)
        act.refuse("")


def _day(text: str) -> str:
    when = datetime.fromisoformat(text)
    return f"{when.day} {when:%b %Y, %H:%M}"
