"""The forms of the page while no vault is open: which vault to unlock and by what, and what a new one needs."""

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from app.bridge.opening import SUFFIX, Remembered, shown_name
from app.widgets.basic import column, label, row
from app.widgets.buttons import button
from app.widgets.forms import Check, Choice, Field, line_edit, passphrase_edit, required

GETS_IN = "For opening only: signing still asks for the passphrase. Whoever uses this desktop as you gets in."


class OpenForm(QWidget):
    """Which vault, who, and the passphrase."""

    def __init__(self) -> None:
        super().__init__()
        place = Choice()
        place.setEditable(True)
        place.lineEdit().setPlaceholderText("Folder of the vault, ending in .assay")
        self.place = Field("Vault", place, check=required("The vault’s folder"))
        browse = button("Choose folder", "folder-open", "quiet", small=True)
        browse.clicked.connect(self._browse)
        user = Choice()
        user.setEditable(True)
        self.user = Field("User name", user, check=required("The user name"))
        self.passphrase = Field("Passphrase", passphrase_edit(), check=required("The passphrase"))
        self.remembered = False
        self.keep = Check("Remember this vault in the system’s keyring")
        self.keep.hide()
        self._keyring = label("", type="small", tone="tertiary", wrap=True)
        self._keyring.hide()
        self.forget = button("Forget it there", kind="link", small=True)
        self.forget.setAccessibleDescription("The system’s keyring doesn’t open this vault any more")
        self.forget.hide()
        self.unlock = button("Unlock", "unlock", "primary", hint="Enter")
        self.lost = button("I lost my passphrase", kind="link", small=True)
        self.setLayout(
            column(
                self.place,
                row(browse, None),
                self.user,
                self.passphrase,
                self.keep,
                self._keyring,
                6,
                row(self.lost, self.forget, None, self.unlock),
                None,
                space=10,
            )
        )

    def know(self, found: Remembered | None) -> None:
        """Show what the system's keyring can do for this vault and person; None while that isn't known."""
        self.remembered = found is not None and found.has
        able = found is not None and not found.why
        self.keep.setVisible(able and not self.remembered)
        if not able or self.remembered:
            self.keep.setChecked(False)
        self.forget.setVisible(self.remembered)
        words = "" if found is None else f"{found.why} So it can’t remember this vault." if found.why else GETS_IN
        if self.remembered:
            words = f"The system’s keyring opens it: no passphrase is needed. {GETS_IN}"
        self._keyring.setText(words)
        self._keyring.setVisible(bool(words))
        self.keep.setAccessibleDescription(GETS_IN)
        self.passphrase.edit.setPlaceholderText("Not needed" if self.remembered else "")

    @property
    def keyring_says(self) -> str:
        return self._keyring.text()

    def offer(self, vaults: tuple[Path, ...]) -> None:
        edit = self.place.edit
        before = edit.currentText()
        edit.blockSignals(True)
        edit.clear()
        edit.addItems([str(path) for path in vaults])
        if before:
            edit.setEditText(before)
        edit.blockSignals(False)

    def offer_names(self, known: tuple[str, ...]) -> None:
        edit = self.user.edit
        before = edit.currentText()
        edit.clear()
        edit.addItems(list(known))
        if before:
            edit.setEditText(before)

    def _browse(self) -> None:
        found = QFileDialog.getExistingDirectory(self, "Choose a vault")
        if found:
            self.place.edit.setEditText(found)


class CreateForm(QWidget):
    """Where, who is first, and a passphrase twice."""

    def __init__(self) -> None:
        super().__init__()
        self._parent = Path.home()
        self.name = Field("Name of the vault", line_edit("Drug safety"), check=self._check_name)
        self._where = label("", type="small", tone="secondary", wrap=True)
        place = button("Another place", "folder-open", "quiet", small=True)
        place.clicked.connect(self._browse)
        self.user = Field(
            "User name",
            line_edit("ines"),
            "For unlocking and signing. You become administrator and author.",
            required("The user name"),
        )
        self.person = Field("Your name", line_edit("Ines Korhan"), "Printed on what you sign.", required("Your name"))
        self.passphrase = Field(
            "Passphrase",
            passphrase_edit(),
            "Several words. Nobody can open the vault without one: write it down.",
            required("The passphrase"),
        )
        self.again = Field("Passphrase again", passphrase_edit(), check=self._check_again)
        self.create = button("Create vault", "plus", "primary")
        self.setLayout(
            column(
                self.name,
                row(self._where, None, place),
                self.user,
                self.person,
                self.passphrase,
                self.again,
                6,
                row(None, self.create),
                None,
                space=10,
            )
        )
        self.name.edit.textChanged.connect(self._say_where)
        self._say_where()

    def fields(self) -> tuple[Field, ...]:
        return (self.name, self.user, self.person, self.passphrase, self.again)

    def folder(self) -> Path:
        return self._parent / f"{self.name.text.strip()}{SUFFIX}"

    def place_in(self, parent: Path) -> None:
        """Make the vault in another folder."""
        self._parent = parent
        self._say_where()

    def _browse(self) -> None:
        found = QFileDialog.getExistingDirectory(self, "Choose where the vault lies", str(self._parent))
        if found:
            self.place_in(Path(found))

    def _say_where(self) -> None:
        self._where.setText(f"It will lie in {self._parent}")

    def _check_name(self, text: str) -> str:
        if not text.strip():
            return "The name is missing."
        if any(sign in text for sign in '/\\:*?"<>|') or text.strip().startswith("."):
            return 'A name has no / \\ : * ? " < > | and doesn’t begin with a dot.'
        if self.folder().exists():
            return f"{shown_name(self.folder())} exists already in that place."
        return ""

    def _check_again(self, text: str) -> str:
        return "" if text == self.passphrase.text else "The two passphrases differ."
