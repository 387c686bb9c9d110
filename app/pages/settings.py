"""Settings: how the window looks, how much of the machine models may use, and the people of this vault."""

import os
from pathlib import Path

import msgspec
from PySide6.QtWidgets import QFileDialog, QFrame, QWidget

from app.bridge.people import AddPerson, Person, add_person, list_people, save_trust_file
from app.pages.page import Page, Shell, scrolled
from app.theme.look import look
from app.theme.tokens import tokens
from app.widgets.basic import Card, IconLabel, column, label, line, row
from app.widgets.buttons import Button, button
from app.widgets.forms import Check, Choice, Field, line_edit, passphrase_edit, required
from core import settings
from core.errors import AssayError

THEMES = (("auto", "Like the system"), ("light", "Light"), ("dark", "Dark"), ("contrast", "High contrast"))
ROLES = (
    ("author", "Author: documents, prompts, evaluations"),
    ("reviewer", "Reviewer: reads, signs and approves, never their own work"),
    ("auditor", "Auditor: reads everything, changes nothing"),
    ("admin", "Administrator: people and settings"),
)


class SettingsPage(Page):
    """What is set takes effect at once and is kept outside the vault; people belong to the vault."""

    title = "Settings"

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.theme = Choice()
        for _, word in THEMES:
            self.theme.addItem(word)
        self.scale = Choice()
        self._scales = [float(scale) for scale in tokens().type["user_scale"]]
        for scale in self._scales:
            self.scale.addItem(f"{scale:.0%}".replace("%", " %"))
        self.motion = Check("Reduced motion: no transitions, progress moves in steps")
        self.threads = Choice()
        self.threads.addItem("All cores")
        for count in range(1, (os.cpu_count() or 1) + 1):
            self.threads.addItem(f"{count}")
        appearance = Card("Appearance")
        appearance.body.addWidget(Field("Colours", self.theme, beside=True))
        appearance.body.addWidget(Field("Size", self.scale, beside=True))
        appearance.body.addWidget(self.motion)
        machine = Card("This machine", "Nothing leaves it. How many threads may models use?")
        machine.body.addWidget(Field("Threads", self.threads, beside=True))
        self.people = Card("People")
        self._people = column(space=8)
        self.people.body.addLayout(self._people)
        self.add = button("Add person", "plus")
        self.add.clicked.connect(self._ask_person)
        self.trust = button("Save trust file", "save", "quiet")
        self.trust.setToolTip(
            "What an auditor needs to check this vault’s packs: the cards of its people and its log’s key"
        )
        self.trust.clicked.connect(self._save_trust)
        self.people.body.addLayout(row(self.add, self.trust, None))
        inside = QWidget()
        inside.setLayout(column(appearance, machine, self.people, None, margins=(24, 20, 24, 24), space=16))
        inside.setMaximumWidth(look().px(720))
        self.body.addWidget(scrolled(inside))
        self._show(settings.load())
        self.theme.activated.connect(self._keep)
        self.scale.activated.connect(self._keep)
        self.motion.clicked.connect(self._keep)
        self.threads.activated.connect(self._keep)

    def opened(self) -> None:
        self.operations.run("Read the people", lambda bench, job: list_people(bench), self._show_people)

    def changed(self, event: object) -> None:
        if self.isVisible() and getattr(event, "act", "") in ("add-user", "revoke-user"):
            self.opened()

    def _show(self, known: settings.Settings) -> None:
        self.theme.setCurrentIndex([name for name, _ in THEMES].index(known.theme))
        nearest = min(range(len(self._scales)), key=lambda at: abs(self._scales[at] - known.scale))
        self.scale.setCurrentIndex(nearest)
        self.motion.setChecked(known.reduced_motion)
        self.threads.setCurrentIndex(min(known.threads, self.threads.count() - 1))

    def _keep(self) -> None:
        before = settings.load()
        now = msgspec.structs.replace(
            before,
            theme=THEMES[self.theme.currentIndex()][0],
            scale=self._scales[self.scale.currentIndex()],
            reduced_motion=self.motion.isChecked(),
            threads=self.threads.currentIndex(),
        )
        if now == before:
            return
        try:
            settings.save(now)
        except (AssayError, OSError) as error:
            self.banner.say(f"The settings couldn’t be kept: {error}", "They hold until the window is closed.")
        look().apply(now.theme, now.scale, now.reduced_motion)

    def _show_people(self, people: tuple[Person, ...]) -> None:
        while self._people.count():
            inner = self._people.takeAt(0)
            widget = inner.widget()
            if widget is not None:
                widget.deleteLater()
        for person in people:
            self._people.addWidget(person_row(person))
            self._people.addWidget(line())
        me = next((person for person in people if person.you), None)
        allowed = me is not None and "admin" in me.roles
        self.add.refuse("" if allowed else "Only an administrator may add people.")

    def _ask_person(self) -> None:
        form = PersonForm()
        form.cancel.clicked.connect(self.shell.close_overlay)
        form.add.clicked.connect(lambda: self._add_person(form))
        self.shell.open_dialog(form)

    def _add_person(self, form: "PersonForm") -> None:
        request = form.request()
        if request is None:
            return
        own = form.own.text
        for field in (form.passphrase, form.again, form.own):
            field.edit.clear()
        form.add.refuse("Adding takes a moment.")

        def done(person: Person) -> None:
            self.shell.close_overlay()
            self.shell.toast(f"{person.name} was added")
            self.opened()

        def failed(found) -> None:
            form.add.refuse("")
            form.own.fail(found.sentence)

        self.operations.run("Add a person", lambda bench, job: add_person(bench, request, own), done, failed)

    def _save_trust(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Save the trust file", "vault.trust.json", "Trust file (*.json)")
        if path:
            self.operations.run(
                "Save the trust file",
                lambda bench, job: save_trust_file(bench, Path(path)),
                lambda _: self.shell.toast("The trust file was saved"),
                self.fail,
            )


def person_row(person: Person) -> QWidget:
    """A person with their roles."""
    made = QWidget()
    you = label("(you)", tone="tertiary") if person.you else label("")
    roles = label(", ".join(person.roles) + ("" if person.active else ", revoked"), tone="secondary")
    made.setLayout(row(IconLabel("person"), label(person.name), you, None, roles, space=8))
    return made


class PersonForm(QFrame):
    """Who shall be added, with which roles, and the administrator's own passphrase, which countersigns their card."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("surface", "dialog")
        self.setAccessibleName("Add a person")
        self.user = Field("User name", line_edit(), check=required("The user name"), beside=True)
        self.person = Field("Name", line_edit(), "Printed on what they sign.", required("The name"), beside=True)
        self.roles = {name: Check(word) for name, word in ROLES}
        self.passphrase = Field(
            "Passphrase", passphrase_edit(), "Theirs. Let them type it.", required("The passphrase"), beside=True
        )
        self.again = Field("Again", passphrase_edit(), check=self._same, beside=True)
        self.own = Field(
            "Your own",
            passphrase_edit(),
            "Your passphrase countersigns their card.",
            required("Your passphrase"),
            beside=True,
        )
        self._problem = label("", type="small", tone="fail", wrap=True)
        self.cancel = Button("Cancel", hint="Esc")
        self.add = Button("Add person", "plus", "primary")
        roles = column(*self.roles.values(), space=2)
        self.setLayout(
            column(
                label("Add a person", type="title"),
                self.user,
                self.person,
                label("Roles", strong=True),
                roles,
                self.passphrase,
                self.again,
                self.own,
                self._problem,
                row(None, self.cancel, self.add),
                space=10,
                margins=(24, 20, 24, 20),
            )
        )

    def request(self) -> AddPerson | None:
        """What was entered, when nothing is wrong with it."""
        good = [field.good() for field in (self.user, self.person, self.passphrase, self.again, self.own)]
        roles = tuple(name for name, check in self.roles.items() if check.isChecked())
        self._problem.setText("" if roles else "Choose at least one role.")
        if not all(good) or not roles:
            return None
        return AddPerson(self.user.text.strip(), self.person.text.strip(), roles, self.passphrase.text)

    def _same(self, text: str) -> str:
        return "" if text == self.passphrase.text else "The two passphrases differ."
