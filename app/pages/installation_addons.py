"""The add-ons of this installation: what is there and whether it can be used, taking one from its signed file, removing one."""

from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from app.bridge import adding
from app.bridge.opening import size
from app.bridge.operations import Failure, Handle
from app.pages.page import Shell
from app.theme.look import look
from app.widgets.act_form import ActForm
from app.widgets.announcing import announce
from app.widgets.banner import Banner
from app.widgets.basic import Card, IconLabel, clear, column, label, line, row
from app.widgets.buttons import Button, button
from app.widgets.long_work import LongWork
from app.widgets.tabbing import reach_here

NONE = "None is installed. Training and graphics cards need one each, which comes in a signed file."
MEGABYTE = 1_000_000
EVERYBODYS = "It is there for all who use this machine. An administrator removes it: assay addon remove --system"


class AddonsCard(Card):
    """`refresh` reads what is there. Installing goes on while other pages are shown, and can be stopped."""

    def __init__(self, shell: Shell) -> None:
        super().__init__("Add-ons")
        self._shell = shell
        self._work: Handle | None = None
        self._there: tuple[adding.Added, ...] | None = None
        self.install = button("Install from file", "plus")
        self.install.clicked.connect(self._choose)
        self.banner = Banner()
        self.work = LongWork()
        self.work.cancelled.connect(self._stop)
        self.work.hide()
        self._rows = column(space=8)
        self.remove: dict[str, Button] = {}
        self.body.addWidget(self.banner)
        self.body.addWidget(self.work)
        self.body.addLayout(self._rows)
        self.body.addLayout(row(self.install, None, margins=(0, 4, 0, 0)))

    def refresh(self) -> None:
        """Read what is there, and show it."""
        self._shell.operations.run_alone("Read the add-ons", adding.found, self.show_added, self._fail)

    def show_added(self, there: tuple[adding.Added, ...]) -> None:
        """Show these; the same again changes nothing, so that a button keeps its focus."""
        if there == self._there:
            return
        self._there = there
        self.remove = {}
        clear(self._rows)
        for number, one in enumerate(there):
            if number:
                self._rows.addWidget(line())
            self._rows.addWidget(self._row(one))
        if not there:
            self._rows.addWidget(label(NONE, tone="secondary", wrap=True))
        reach_here(self, [*self.remove.values(), self.install])

    def begin(self, file: Path, key: Path | None = None) -> None:
        """Take an add-on from its file. What was refused is said above the list, and nothing of it stays."""
        if self._work is not None:
            return
        self.banner.forget()
        self._work = self._shell.operations.run_alone(
            "Install an add-on", partial(adding.install, file, key), self._done, self._refused, self._ended, shown=True
        )
        self.work.begin(f"Installing {file.name}", "Each file is compared with the signed list")
        self._work.progress.connect(
            lambda made: self.work.say(
                made.done // MEGABYTE, None if made.total is None else made.total // MEGABYTE, "MB"
            )
        )
        self._say()

    def ask_removal(self, added: adding.Added) -> ActForm:
        """Ask whether an add-on shall go."""
        form = ActForm(
            "Remove",
            f"{added.title} {added.release} goes with all its files ({size(added.size)}). Its file can be installed again.",
            title=f"Remove the add-on {added.name}",
            consequences=_LOST.get(added.name, ()),
        )
        form.cancelled.connect(self._shell.close_overlay)
        form.acted.connect(lambda: self._remove(added, form))
        self._shell.open_dialog(form, 480)
        return form

    def _choose(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Install an add-on", "", adding.KINDS)
        if not path:
            return
        key = ""
        if not adding.carries_key():
            key, _ = QFileDialog.getOpenFileName(self, "The signer’s public key", "", adding.KEYS)
            if not key:
                return
        self.begin(Path(path), Path(key) if key else None)

    def _done(self, added: adding.Added) -> None:
        self._ended()
        self._shell.toast(f"The add-on {added.name} is installed")
        announce(self, f"The add-on {added.name} is installed")

    def _refused(self, found: Failure) -> None:
        self._ended()
        self._fail(found)

    def _ended(self) -> None:
        self._work = None
        self._say()
        self.refresh()

    def _remove(self, added: adding.Added, form: ActForm) -> None:
        def done(_: Path) -> None:
            self._shell.close_overlay()
            self._shell.toast(f"The add-on {added.name} is removed")
            self.refresh()

        self._shell.operations.run_alone(
            "Remove an add-on", lambda job: adding.remove(added), done, lambda found: form.refuse(found.sentence)
        )

    def _fail(self, found: Failure) -> None:
        self.banner.say(found.sentence, found.safe)

    def _stop(self) -> None:
        if self._work is not None:
            self._work.cancel()

    def _say(self) -> None:
        busy = self._work is not None
        self.work.setVisible(busy)
        self.install.refuse("One is being installed." if busy else "")

    def _row(self, added: adding.Added) -> QWidget:
        made = QWidget()
        name = label(added.title, strong=True, wrap=True)
        name.setFixedWidth(look().px(168))
        said = _sentence(added.why.removeprefix(f"{added.name}: ")) or f"{added.release}, {size(added.size)}"
        words = column(label(said, wrap=True), space=2)
        words.addWidget(label(str(added.folder), tone="secondary", wrap=True))
        remove = button("Remove", small=True)
        remove.setAccessibleName(f"Remove the add-on {added.name}")
        remove.refuse("" if added.own else EVERYBODYS)
        remove.clicked.connect(partial(self.ask_removal, added))
        self.remove[added.name] = remove
        sign = ("warning", "warn.fg") if added.why else ("check", "pass.fg")
        layout = row(space=10)
        layout.addLayout(column(IconLabel(*sign), None, margins=(0, 2, 0, 0)))
        layout.addLayout(column(name, None))
        layout.addLayout(words, 1)
        layout.addLayout(column(remove, None))
        made.setLayout(layout)
        made.setAccessibleName(f"Add-on {added.title}: {said}")
        return made


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


_LOST = {
    "training": ("Nothing can be trained until it is installed again. Adapters stay, and so do their evaluations.",),
    "graphics": ("Models that are loaded from now on run on the processor.",),
}
