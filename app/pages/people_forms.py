"""What an administrator does to a person, and what everybody may do to their own passphrase: one dialog each, with its consequences said first.

A person types their own passphrase, twice; whoever makes a change types theirs, because their signature stands below it.
"""

from collections.abc import Sequence

from PySide6.QtWidgets import QWidget

from app.bridge.people import AddPerson, Person
from app.widgets.act_form import ActForm
from app.widgets.basic import column, label
from app.widgets.forms import Check, Field, line_edit, passphrase_edit, required
from app.widgets.strength import StrengthLine

ROLES = (
    ("author", "Author: documents, prompts, evaluations"),
    ("reviewer", "Reviewer: reads, signs and approves, never their own work"),
    ("auditor", "Auditor: reads everything, changes nothing"),
    ("admin", "Administrator: people, policy, backups"),
)


def own_passphrase(says: str = "Your passphrase: your signature stands below this change.") -> Field:
    """The passphrase of whoever makes a change."""
    return Field("Your own", passphrase_edit(), says, required("Your passphrase"), beside=True)


def reason_field() -> Field:
    """Why; it goes into the audit log."""
    return Field(
        "Reason", line_edit("Left the team on 30 June"), "Stands in the audit log.", required("The reason"), beside=True
    )


class NewPassphrase:
    """Two fields for a new passphrase, with a sentence on what it is worth."""

    def __init__(self, whose: str) -> None:
        self.first = Field("Passphrase", passphrase_edit(), whose, required("The passphrase"), beside=True)
        self.again = Field("Once more", passphrase_edit(), check=self._same, beside=True)
        self.strength = StrengthLine(self.first.edit)
        self.parts: tuple[QWidget, ...] = (self.first, self.strength, self.again)

    def _same(self, text: str) -> str:
        return "" if text == self.first.text else "The two passphrases differ."


class Roles(QWidget):
    """Which roles, at least one."""

    def __init__(self, chosen: Sequence[str] = ()) -> None:
        super().__init__()
        self.checks = {name: Check(words) for name, words in ROLES}
        for name in chosen:
            self.checks[name].setChecked(True)
        self.setLayout(column(label("Roles", strong=True), *self.checks.values(), space=2))

    def chosen(self) -> tuple[str, ...]:
        return tuple(name for name, check in self.checks.items() if check.isChecked())


class AddForm(ActForm):
    """Who shall be added, with which roles; they type their passphrase themselves."""

    def __init__(self) -> None:
        self.user = Field("User name", line_edit(), check=required("The user name"), beside=True)
        self.person = Field("Name", line_edit(), "Printed on what they sign.", required("The name"), beside=True)
        self.roles = Roles()
        self.new = NewPassphrase("Theirs. Let them type it.")
        self.own = own_passphrase("Your passphrase: your signature on their card says that you know them.")
        super().__init__(
            "Add person", parts=(self.user, self.person, self.roles, *self.new.parts, self.own), icon="person-plus"
        )
        for field in (self.user, self.person):
            field.edit.textChanged.connect(lambda _: self.new.strength.know(self.user.text, self.person.text))

    def check(self) -> str:
        return "" if self.roles.chosen() else "Choose at least one role."

    def request(self) -> tuple[AddPerson, str]:
        """Whom to add, and the passphrase of whoever does. Empties the passphrase fields."""
        theirs, _, own = self.take_secrets()
        return AddPerson(self.user.text.strip(), self.person.text.strip(), self.roles.chosen(), theirs), own


class RevokeForm(ActForm):
    """Shut somebody out."""

    def __init__(self, person: Person) -> None:
        self.reason = reason_field()
        self.own = own_passphrase()
        super().__init__(
            "Revoke",
            title=f"Revoke {person.name}",
            parts=(self.reason, self.own),
            icon="person-minus",
            consequences=(
                f"{person.name} can’t open the vault any more: it gets a new key, which only the others can use.",
                "What they signed until now stays valid. What is signed with their card from now on counts nowhere.",
                "A copy of the vault that they made before today stays readable to them. Nothing can change that.",
                "Their versions, runs and log entries stay. A reset brings them back, with new keys and a new card.",
            ),
        )


class ResetForm(ActForm):
    """A new passphrase and new keys for somebody who lost theirs."""

    def __init__(self, person: Person) -> None:
        self.new = NewPassphrase("Theirs. Let them type it.")
        self.new.strength.know(person.user, person.name)
        self.reason = reason_field()
        self.reason.edit.setPlaceholderText("Forgot the passphrase")
        self.own = own_passphrase()
        super().__init__(
            "Reset",
            title=f"Reset {person.name}" if person.active else f"Bring {person.name} back",
            parts=(*self.new.parts, self.reason, self.own),
            icon="key",
            consequences=(
                f"{person.name} gets new signing keys and a new card. Nobody can bring the old keys back, and nobody could sign with them.",
                "What they signed before stays valid. Their old card ends now.",
                "Give the new card to those who check your packs: they don’t know it yet.",
            ),
        )


class RolesForm(ActForm):
    """Other roles for a person, on a new card."""

    def __init__(self, person: Person) -> None:
        self._before = person.roles
        self.roles = Roles(person.roles)
        self.reason = reason_field()
        self.reason.edit.setPlaceholderText("Reviews from now on")
        self.own = own_passphrase()
        super().__init__(
            "Change roles",
            title=f"Roles of {person.name}",
            parts=(self.roles, self.reason, self.own),
            icon="roles",
            consequences=(
                "They hold at once. The card in use ends; the new one becomes theirs when they next sign.",
                "What they did and signed before stays as it is. Give the new card to those who check your packs.",
                "Nobody approves their own work, whatever their roles.",
            ),
        )

    def check(self) -> str:
        chosen = self.roles.chosen()
        if not chosen:
            return "Choose at least one role."
        return "These are the roles that they have." if set(chosen) == set(self._before) else ""


class RenewForm(ActForm):
    """A new card with the same roles, valid longer."""

    def __init__(self, person: Person, until: str) -> None:
        self.own = own_passphrase()
        super().__init__(
            "Renew card",
            title=f"Renew the card of {person.name}",
            parts=(self.own,),
            icon="again",
            consequences=(
                f"The card in use ends on {until}. After that day nothing that is signed with it counts.",
                "The new card becomes theirs when they next sign. Their keys and roles stay.",
                "It has a new fingerprint. Give it to those who check your packs.",
            ),
        )


class PassphraseForm(ActForm):
    """Another passphrase for oneself."""

    def __init__(self, person: Person, because: str = "") -> None:
        self.old = Field("Now", passphrase_edit(), "The one you unlock with.", required("Your passphrase"), beside=True)
        self.new = NewPassphrase("The new one.")
        self.new.strength.know(person.user, person.name)
        super().__init__(
            "Change passphrase",
            because,
            parts=(self.old, *self.new.parts),
            icon="key",
            consequences=(
                "It opens the vault and signs from now on. Your keys and your card stay the same.",
                "Backups that were made before still open with the old one.",
            ),
        )

    def check(self) -> str:
        return "That is the passphrase you have." if self.old.text == self.new.first.text else ""

    def request(self) -> tuple[str, str]:
        """The old and the new one. Empties the fields."""
        old, new, _ = self.take_secrets()
        return old, new
