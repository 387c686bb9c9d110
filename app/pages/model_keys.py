"""The keys whose signatures on model files count here, and the way to sign and to verify files."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.bridge.clipboard import copy
from app.pages.model_forms import Told
from app.pages.page import scrolled
from app.pages.person_card import day
from app.widgets.act_form import ActForm
from app.widgets.basic import Elided, IconLabel, clear, column, frame, label, line, row, shorten
from app.widgets.buttons import Button, button
from app.widgets.forms import Choice, Field, line_edit, required
from core.models.records import ModelKey, SignedModel, TrustKey
from core.trust.cards import grouped

PEM = "Keys (*.pem *.pub *.crt *.cer);;All files (*)"
ANY_TRUSTED = "Whichever trusted key it is of"
OTHER = "A key’s file"


class ModelKeysView(QWidget):
    """`trust`, `sign_file`, `sign_folder` and `verify` are asked for; `distrust` gives a key's name."""

    trust, sign_file, sign_folder, verify = Signal(), Signal(), Signal(), Signal()
    distrust = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.trust_button = button("Trust a key…", "key", small=True)
        self.trust_button.clicked.connect(self.trust)
        self.file_button = button("Sign a file…", "stamp", small=True)
        self.file_button.clicked.connect(self.sign_file)
        self.folder_button = button("Sign a folder…", "stamp", small=True)
        self.folder_button.clicked.connect(self.sign_folder)
        self.verify_button = button("Verify…", "check", small=True)
        self.verify_button.clicked.connect(self.verify)
        note = label(
            "A signature beside a model’s file counts when one of these keys made it. It is checked when the file is added; a wrong one "
            "keeps the file out.",
            tone="secondary",
            wrap=True,
        )
        files = label(
            "Sign the file of a model, or a folder such as an adapter’s, for others to verify; or verify what others signed.",
            tone="secondary",
            wrap=True,
        )
        self._rows = column(space=10)
        self.buttons: dict[str, Button] = {}
        inside = QWidget()
        inside.setLayout(
            column(
                row(label("Trusted keys", type="heading"), None, self.trust_button),
                note,
                self._rows,
                8,
                line(),
                8,
                label("Files", type="heading"),
                files,
                row(self.verify_button, self.file_button, self.folder_button, None),
                None,
                margins=(20, 16, 20, 20),
                space=10,
            )
        )
        self.setLayout(column(scrolled(inside), space=0))
        self.setAccessibleName("Signatures on model files")

    def show_keys(self, keys: Sequence[ModelKey], refusal: str) -> None:
        """Show the trusted keys; `refusal` says why this person can't change them."""
        clear(self._rows)
        self.buttons = {}
        for one in keys:
            self._rows.addWidget(self._row(one, refusal))
        if not keys:
            self._rows.addWidget(label("No key is trusted yet.", wrap=True))
        self.trust_button.refuse(refusal)

    def _row(self, one: ModelKey, refusal: str) -> QWidget:
        act = Button("Trust no more…", "trash", "quiet", small=True)
        act.setAccessibleName(f"Trust {one.name} no more")
        act.refuse(refusal)
        act.clicked.connect(lambda: self.distrust.emit(one.name))
        self.buttons[one.name] = act
        print_ = Elided(f"sha256 {shorten(one.fingerprint, 16, 16)}", middle=True, type="code", tone="secondary")
        print_.setToolTip(grouped(one.fingerprint))
        words = column(
            label(one.name, strong=True),
            print_,
            label(f"Trusted by {one.by}, {day(one.added)}", type="small", tone="secondary"),
            space=1,
        )
        made = QWidget()
        made.setAccessibleName(f"Key {one.name}")
        layout = row(IconLabel("key"), space=10)
        layout.addLayout(words, 1)
        layout.addWidget(act)
        made.setLayout(layout)
        return made


def _file_row(field: Field, *buttons: Button) -> QWidget:
    place = frame("plain")
    place.setLayout(row(None, *buttons))
    return place


class TrustForm(ActForm):
    """Whose signatures on model files count from now on."""

    def __init__(self, reasoned: bool) -> None:
        self.name = Field(
            "Name", line_edit("merrowdale-models"), "What this vault calls it.", required("The name"), True
        )
        self.file = Field("Key", line_edit("A .pem file"), check=required("The key’s file"), beside=True)
        choose = button("Choose…", "folder", small=True)
        choose.clicked.connect(self._choose)
        self.reason = Field(
            "Reason",
            line_edit("Compared by telephone, 12 October"),
            "Stands in the audit log.",
            required("The reason") if reasoned else None,
            beside=True,
        )
        super().__init__(
            "Trust the key",
            "A public key, or the root certificate above the signer’s. Compare its fingerprint with the signer first, by another way than "
            "the one that the file came by.",
            (self.name, self.file, _file_row(self.file, choose), self.reason),
            "key",
            title="Trust a key",
        )
        self.setFocusProxy(self.name.edit)

    def request(self) -> TrustKey:
        return TrustKey(name=self.name.text.strip(), path=self.file.text.strip(), reason=self.reason.text.strip())

    def _choose(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Trust a key", "", PEM)
        if path:
            self.file.edit.setText(path)
            self.file.good()


class VerifyForm(ActForm):
    """Which file, and by whose key."""

    def __init__(self) -> None:
        self.path = Field(
            "File or folder",
            line_edit("model.gguf"),
            "Its signature lies beside it (.sig), or in the folder (model.sig).",
            required("The file"),
            beside=True,
        )
        file, folder, pem = (
            button("Choose a file…", "file", small=True),
            button("Choose a folder…", "folder", small=True),
            button("Choose…", "key", small=True),
        )
        file.clicked.connect(lambda: self._take(self.path, QFileDialog.getOpenFileName(self, "Verify a file")[0]))
        folder.clicked.connect(lambda: self._take(self.path, QFileDialog.getExistingDirectory(self, "Verify a folder")))
        self.by = Field("Signed by", Choice(), beside=True)
        self.by.edit.addItems([ANY_TRUSTED, OTHER])
        self.key = Field("Key", line_edit("A .pem file"), check=required("The key’s file"), beside=True)
        pem.clicked.connect(
            lambda: self._take(self.key, QFileDialog.getOpenFileName(self, "Choose the signer’s key", "", PEM)[0])
        )
        self._other = _file_row(self.key, pem)
        self.by.edit.currentIndexChanged.connect(self._turn)
        super().__init__(
            "Verify",
            "Every file is read to its end and compared with what was signed.",
            (self.path, _file_row(self.path, file, folder), self.by, self.key, self._other),
            "check",
            title="Verify a signature",
        )
        self._turn()
        self.setFocusProxy(self.path.edit)

    def request(self) -> tuple[str, str]:
        """The path, and the key's file or nothing for the trusted ones."""
        other = self.by.edit.currentIndex() == 1
        return self.path.text.strip(), self.key.text.strip() if other else ""

    def _turn(self) -> None:
        other = self.by.edit.currentIndex() == 1
        self.key.setVisible(other)
        self._other.setVisible(other)

    def _take(self, field: Field, path: str) -> None:
        if path:
            field.edit.setText(path)
            field.good()


class SignedPanel(Told):
    """What was signed and where its signature lies; `save` asks for the key's file."""

    save = Signal()

    def __init__(self, signed: SignedModel) -> None:
        count = len(signed.files)
        facts = [
            ("Signature", signed.signature),
            ("Files", f"{count:,}"),
            ("Your key (SHA-256)", grouped(signed.fingerprint)),
        ]
        notes = ["Who verifies it needs your public key, and compares its fingerprint with you."]
        super().__init__("Signed", facts, notes)
        self.copy_button = button("Copy the key", "copy", "quiet")
        self.copy_button.clicked.connect(lambda: (copy(signed.key), self.copy_button.setText("Copied")))
        self.save_button = button("Save the key…", "save", "quiet")
        self.save_button.clicked.connect(self.save)
        self.buttons.insertWidget(0, self.copy_button)
        self.buttons.insertWidget(1, self.save_button)
