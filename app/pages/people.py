"""People: who is in the vault, with which roles, on which card; and what an administrator does about it.

Every change is asked for in a dialog that says its consequences first, and is made with the passphrase of whoever makes it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QFileDialog, QStackedWidget, QWidget

from app.bridge import people as bridge
from app.bridge.clipboard import copy
from app.bridge.operations import Failure
from app.bridge.people import Person
from app.pages.page import Page, Shell, side_pane
from app.pages.people_forms import AddForm, PassphraseForm, RenewForm, ResetForm, RevokeForm, RolesForm
from app.pages.person_card import STATES, PersonCard, day, groups
from app.pages.recovery_form import RecoveryForm, WordsView
from app.pages.role_matrix import RoleMatrix
from app.widgets.act_form import ActForm
from app.widgets.beside import Beside
from app.widgets.buttons import Segments, button
from app.widgets.quick_switcher import Target
from app.widgets.table import Cell, Column, Table
from core.errors import WrongPassphrase
from core.jobs import Job
from core.vault.roles import Act, allowed

if TYPE_CHECKING:
    from core.workbench import Workbench

CHANGES = frozenset(
    {
        Act.ADD_USER,
        Act.REVOKE_USER,
        Act.RESET_USER,
        Act.CHANGE_ROLES,
        Act.RENEW_CARD,
        Act.CHANGE_PASSPHRASE,
        Act.RECOVER,
    }
)
ONLY_ADMIN = "Only an administrator may do this."
WAIT = "It takes some seconds: keys are made."


class PeoplePage(Page):
    """The page. `show_about` takes a user name, or "passphrase" to change one's own."""

    title = "People"

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self._people: tuple[Person, ...] = ()
        self._wanted = ""
        self._first: Callable[[], None] | None = None
        self.view = Segments((("people", "People"), ("roles", "Who may do what")), "What to show")
        self.view.chosen.connect(self._turn)
        self.bar.about(self.view)
        self.trust = button("Save trust file…", "save", "quiet")
        self.trust.setToolTip(
            "What an auditor needs to check this vault’s packs: the cards of its people and its log’s key"
        )
        self.trust.clicked.connect(self._save_trust)
        self.add = button("Add person", "person-plus", "primary")
        self.add.clicked.connect(self._ask_person)
        self.bar.act(self.trust, self.add)

        self.table = Table(
            (
                Column("Name", _name_cell, 176),
                Column("Roles", lambda person: Cell(", ".join(person.roles), tone="text.secondary")),
                Column("Card", _card_cell, 108, spare=1),
                Column("Valid until", _until_cell, 104),
                Column("State", _state_cell, 132),
            ),
            "People",
            height=52,
        )
        self.table.chosen.connect(self._show)
        self.card = PersonCard()
        self.card.export.clicked.connect(self._export_card)
        self.card.copy.clicked.connect(self._copy)
        self.passphrase = button("Change passphrase…", "key")
        self.passphrase.clicked.connect(self._ask_passphrase)
        self.recovery = button("Make recovery key…", "book")
        self.recovery.clicked.connect(self._ask_recovery)
        self.roles = button("Change roles…", "roles")
        self.roles.clicked.connect(lambda: self._ask(RolesForm, self._change_roles))
        self.renew = button("Renew card…", "again")
        self.renew.clicked.connect(self._ask_renewal)
        self.reset = button("Reset…", "key")
        self.reset.setToolTip("For somebody who lost their passphrase")
        self.reset.clicked.connect(lambda: self._ask(ResetForm, self._reset))
        self.revoke = button("Revoke…", "person-minus")
        self.revoke.clicked.connect(lambda: self._ask(RevokeForm, self._revoke))
        self.card.offer(self.passphrase, self.recovery, self.roles, self.renew, self.reset, self.revoke)
        self._side = side_pane(self.card, width=340)
        listed = Beside(self.table, self._side)
        self.matrix = RoleMatrix()
        self._stack = QStackedWidget()
        self._stack.addWidget(listed)
        self._stack.addWidget(self.matrix)
        self.body.addWidget(self._stack, 1)
        self._side.hide()

    # what the window asks

    def opened(self) -> None:
        self.operations.run("Read the people", lambda bench, job: bridge.list_people(bench), self._listed, self.fail)

    def show_about(self, about: object) -> None:
        if about != "passphrase":
            self._wanted = str(about)
        elif self.me is not None:
            self._ask_passphrase()
        else:
            self._first = self._ask_passphrase

    def changed(self, event: object) -> None:
        if getattr(event, "act", "") in CHANGES:
            self.opened()

    def start(self) -> QWidget:
        return self.table if self.view.current() == "people" else self.matrix.table

    def panes(self) -> list[QWidget]:
        return [self.table, self._side] if self.view.current() == "people" else [self.matrix]

    def side(self) -> QWidget | None:
        return self._side if self.view.current() == "people" else None

    def targets(self) -> list[Target]:
        return [
            Target(person.name, "Person", "person", lambda who=person.user: self._go(who)) for person in self._people
        ]

    # showing

    @property
    def me(self) -> Person | None:
        """Who has the vault open."""
        return next((person for person in self._people if person.you), None)

    @property
    def person(self) -> Person | None:
        """Whose card is shown."""
        return self.card.person

    def _go(self, user: str) -> None:
        self.shell.go("people", user)
        self._choose(user)

    def _turn(self, name: str) -> None:
        self._stack.setCurrentIndex(0 if name == "people" else 1)
        self.start().setFocus()

    def _listed(self, people: tuple[Person, ...]) -> None:
        self._people = people
        wanted = self._wanted or (self.person.user if self.person is not None else "")
        self._wanted = ""
        self.table.show_rows(people)
        self._choose(wanted or (self.me.user if self.me is not None else ""))
        self.add.refuse("" if self._may(Act.ADD_USER) else ONLY_ADMIN)
        first, self._first = self._first, None
        if first is not None:
            first()

    def _choose(self, user: str) -> None:
        at = next((at for at, person in enumerate(self._people) if person.user == user), 0)
        if self._people:
            self.table.choose(at)
            self._show(self._people[at])

    def _show(self, person: Person) -> None:
        self.card.show_person(person)
        self._side.show()
        mine, active = person.you, person.active
        self.passphrase.setVisible(mine)
        self.recovery.setVisible(mine and self._may(Act.SET_RECOVERY))
        gone = "" if active else f"{person.name} was revoked. A reset brings them back."
        for act, what, own in (
            (self.roles, Act.CHANGE_ROLES, ""),
            (self.renew, Act.RENEW_CARD, ""),
            (self.reset, Act.RESET_USER, "Change your own passphrase instead."),
            (self.revoke, Act.REVOKE_USER, "Nobody revokes themselves; another administrator must."),
        ):
            refused = "" if self._may(what) else ONLY_ADMIN
            act.refuse(refused or (own if mine else "") or (gone if act is not self.reset else ""))

    def _may(self, act: Act) -> bool:
        return self.me is not None and allowed(act, self.me.roles)

    # changing

    def _open(self, form: ActForm) -> ActForm:
        form.cancelled.connect(self.shell.close_overlay)
        self.shell.open_dialog(form, 480)
        return form

    def _do(
        self,
        form: ActForm,
        title: str,
        work: "Callable[[Workbench, Job], Any]",
        said: str,
        done: Callable[[Any], None] | None = None,
    ) -> None:
        form.wait(WAIT)

        def finished(result: Any) -> None:
            self.shell.close_overlay()
            if said:
                self.shell.toast(said)
            self.opened()
            if done is not None:
                done(result)

        def failed(found: Failure) -> None:
            wrong = isinstance(found.error, WrongPassphrase)
            form.refuse(
                "Your passphrase is wrong. Nothing was changed." if wrong else f"{found.sentence} {found.safe}".strip()
            )

        self.operations.run(title, work, finished, failed, lambda: form.refuse("Stopped. Nothing was changed."))

    def _ask(self, kind: Callable[[Person], Any], do: Callable[[Any, Person], None]) -> None:
        person = self.person
        if person is not None:
            form = kind(person)
            self._open(form)
            form.acted.connect(lambda: do(form, person))

    def _ask_person(self) -> None:
        form = AddForm()
        self._open(form)
        form.acted.connect(lambda: self._add_person(form))

    def _add_person(self, form: AddForm) -> None:
        request, own = form.request()
        self._wanted = request.user
        self._do(
            form, "Add a person", lambda bench, job: bridge.add_person(bench, request, own), f"{request.name} was added"
        )

    def _revoke(self, form: RevokeForm, person: Person) -> None:
        (own,), reason = form.take_secrets(), form.reason.text.strip()
        self._do(
            form,
            "Revoke a person",
            lambda bench, job: bridge.revoke(bench, person.user, reason, own),
            f"{person.name} was revoked; the vault has a new key",
        )

    def _reset(self, form: ResetForm, person: Person) -> None:
        new, _, own = form.take_secrets()
        reason = form.reason.text.strip()
        self._do(
            form,
            "Reset a person",
            lambda bench, job: bridge.reset(bench, person.user, new, reason, own),
            f"{person.name} has new keys and a new card",
        )

    def _change_roles(self, form: RolesForm, person: Person) -> None:
        (own,), reason, roles = form.take_secrets(), form.reason.text.strip(), form.roles.chosen()
        self._do(
            form,
            "Change roles",
            lambda bench, job: bridge.change_roles(bench, person.user, roles, reason, own),
            f"{person.name} has other roles now",
        )

    def _ask_renewal(self) -> None:
        self._ask(lambda person: RenewForm(person, day(person.valid_until)), self._renew)

    def _renew(self, form: RenewForm, person: Person) -> None:
        (own,) = form.take_secrets()
        self._do(
            form,
            "Renew a card",
            lambda bench, job: bridge.renew(bench, person.user, own),
            f"{person.name} has a new card",
        )

    def _ask_passphrase(self) -> None:
        me = self.me
        if me is None:
            return
        form = PassphraseForm(me)
        self._open(form)

        def do() -> None:
            old, new = form.request()
            self._do(
                form,
                "Change the passphrase",
                lambda bench, job: bridge.change_passphrase(bench, old, new),
                "Your passphrase was changed",
            )

        form.acted.connect(do)

    def _ask_recovery(self) -> None:
        def ask(again: bool) -> None:
            form = RecoveryForm(again)
            self._open(form)

            def do() -> None:
                (own,) = form.take_secrets()
                self._do(
                    form,
                    "Make a recovery key",
                    lambda bench, job: bridge.make_recovery(bench, own),
                    "",
                    self._show_words,
                )

            form.acted.connect(do)

        self.operations.run("Look for a recovery key", lambda bench, job: bridge.has_recovery(bench), ask, self.fail)

    def _show_words(self, words: tuple[str, ...]) -> None:
        view = WordsView(words)

        def kept() -> None:
            self.shell.close_overlay()
            self.shell.toast("The recovery key is made. Keep the paper apart from this machine.")

        view.kept.connect(kept)
        self.shell.open_dialog(view, 600)

    # taking away

    def _copy(self) -> None:
        if self.person is not None:
            copy(" ".join(groups(self.person.card)))
            self.shell.toast("The fingerprint is on the clipboard until the vault is locked")

    def _export_card(self) -> None:
        person = self.person
        if person is None:
            return
        path, _ = QFileDialog.getSaveFileName(self, "Export the card", f"{person.user}.card.json", "Cards (*.json)")
        if path:
            self.operations.run(
                "Export a card",
                lambda bench, job: bridge.save_card(bench, person.card, Path(path)),
                lambda _: self.shell.toast(f"Wrote {Path(path).name}"),
                self.fail,
            )

    def _save_trust(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Save the trust file", "vault.trust.json", "Trust file (*.json)")
        if path:
            self.operations.run(
                "Save the trust file",
                lambda bench, job: bridge.save_trust_file(bench, Path(path)),
                lambda _: self.shell.toast(f"Wrote {Path(path).name}"),
                self.fail,
            )


def _name_cell(person: Person) -> Cell:
    user = f"{person.user} (you)" if person.you else person.user
    return Cell(person.name, strong=True, second=user, spoken=f"{person.name}, {user}")


def _card_cell(person: Person) -> Cell:
    parts = groups(person.card)
    return Cell(f"{parts[0]} {parts[1]} …", mono=True, tone="text.secondary", spoken=f"Card {parts[0]} {parts[1]}")


def _until_cell(person: Person) -> Cell:
    return Cell(day(person.valid_until), tone="text.secondary")


def _state_cell(person: Person) -> Cell:
    words, meaning, icon = STATES[person.state]
    tone = "text.secondary" if meaning == "unverified" else f"{meaning}.fg" if meaning != "pass" else "text.primary"
    return Cell(words, icon, tone=tone, icon_tone=f"{meaning}.fg")
