"""Sealed packs: opening one with the keys that it was sealed to, sealing one to an auditor, and making the keys for that. None needs a vault.

A sealed pack is opened in memory: it is judged and read without lying anywhere in clear, unless somebody saves it.
"""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from app.pages.fingerprints import FingerprintGrid
from app.pages.pack_words import CheckedPack, capped, judge, read_file
from app.widgets.act_form import ActForm
from app.widgets.basic import column, label, row
from app.widgets.buttons import Button, button
from app.widgets.forms import Check, Field, line_edit, passphrase_edit, required
from app.widgets.strength import StrengthLine
from core.errors import AlreadyExists
from core.evidence import sealing, zipform
from core.evidence.sealing import AuditorKey
from core.jobs import Job
from core.paths import write_whole
from core.trust.passphrases import Kdf, calibrated
from core.trust.trustfile import TrustFile

SUFFIX = ".sealed"
KEYS = "Auditor’s keys (*.keys *.pub *.json);;All files (*)"


def is_sealed(path: Path) -> bool:
    """Whether a file begins as a sealed pack does."""
    try:
        with path.open("rb") as stream:
            return stream.read(len(sealing.MAGIC)) == sealing.MAGIC
    except OSError:
        return False


def sealed_to(path: Path) -> str:
    """The fingerprint of the key that a pack is sealed to, as it says itself."""
    start = read_file(path, len(sealing.MAGIC) + 32)
    return start[len(sealing.MAGIC) : len(sealing.MAGIC) + 32].hex()


def open_and_check(
    path: Path, keys: Path, passphrase: str, trust: TrustFile, trust_name: str, job: Job, nonce: str = ""
) -> CheckedPack:
    """Open a sealed pack and judge what is in it. Raises `WrongPassphrase`, `Damaged`, `BadInput`."""
    own = sealing.load_keys(read_file(keys, sealing.LARGEST_KEYS), keys.name)
    data = sealing.open_pack(read_file(path, sealing.LARGEST_SEALED), own, passphrase)
    return judge(path, data, trust, trust_name, job, nonce, sealed=True)


def load_public(path: Path) -> AuditorKey:
    """The key to seal to, from either file of a pair. Raises `BadInput`, `Damaged`."""
    return sealing.load_public(read_file(path, sealing.LARGEST_KEYS), path.name)


def write_sealed(data: bytes, to: AuditorKey, out: Path, job: Job) -> None:
    """Seal a pack into a file of its own. Raises `Damaged` where it is no pack."""
    zipform.read(data)
    job.check()
    sealed = b"".join(sealing.seal_pack(data, to))
    job.check()
    write_whole(out, sealed)


def write_keys(name: str, passphrase: str, out: Path, kdf: Callable[[], Kdf] = calibrated) -> AuditorKey:
    """Make a pair of keys: the private file at `out`, the public one beside it. Raises `AlreadyExists`, `BadInput`."""
    public = public_of(out)
    for path in (out, public):
        if path.exists():
            raise AlreadyExists(kind="file", name=path.name, step="Choose another name.")
    made = sealing.make_keys(name, passphrase, kdf)
    write_whole(out, sealing.dump(made))
    write_whole(public, sealing.dump(made.public_half), private=False)
    return made.public_half


def public_of(private: Path) -> Path:
    """Where the public file of a pair lies."""
    return private.with_name(f"{private.name}.pub")


class FileField(Field):
    """A file, typed or chosen."""

    def __init__(self, word: str, note: str, ask: str, kinds: str, given: str = "") -> None:
        edit = line_edit(text=given)
        super().__init__(word, edit, note, required("The file"), beside=True)
        self._ask, self._kinds = ask, kinds
        self.choose: Button = button("Choose…", "folder-open", small=True)
        self.choose.setAccessibleName(f"Choose {word.lower()}")
        self.choose.setAutoDefault(False)
        self.choose.clicked.connect(self._choose)
        body = self.layout().itemAt(1).layout()
        body.insertLayout(1, row(self.choose, None))  # type: ignore[attr-defined]

    @property
    def path(self) -> Path:
        return Path(self.text.strip()).expanduser()

    def _choose(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, self._ask, "", self._kinds)
        if path:
            self.edit.setText(path)  # type: ignore[union-attr]
            self.good()


class OpenForm(ActForm):
    """Which keys open a sealed pack, and their passphrase."""

    def __init__(self, path: Path, to: str, keys: str = "") -> None:
        self.keys = FileField(
            "Your keys",
            "The private file of your pair: the one that stays with you.",
            "Choose your keys",
            KEYS,
            keys,
        )
        self.passphrase = Field(
            "Passphrase",
            passphrase_edit(),
            "The one that you chose for these keys.",
            required("The passphrase"),
            beside=True,
        )
        super().__init__(
            "Open and check",
            f"It is sealed to the key {to[:4]} {to[4:8]} … {to[-8:-4]} {to[-4:]}. Only whoever has that key’s private file opens it.",
            (self.keys, self.passphrase),
            "unlock",
            title=f"Open {path.name}",
        )


class SealForm(ActForm):
    """To whom a pack is sealed: the key is shown with its fingerprint, and nothing is sealed until somebody compared it."""

    def __init__(self, name: str) -> None:
        self.key = FileField(
            "Their key",
            "The public file that the auditor gave you; its name often ends in .pub.",
            "Choose the auditor’s key",
            KEYS,
        )
        self.to: AuditorKey | None = None
        self._whose = label("", strong=True, wrap=True)
        self._grid = FingerprintGrid()
        self.compared = Check("I compared this fingerprint with its owner, by a way that I trust")
        self._shown = QWidget()
        self._shown.setLayout(column(self._whose, self._grid, self.compared, space=6))
        self._shown.hide()
        super().__init__(
            "Seal",
            "Only the holder of the key will be able to open it. Sealing says nothing about who sealed: what the pack says is judged "
            "by its signatures, as before.",
            (self.key, self._shown),
            "lock",
            title=f"Seal {name} to an auditor",
        )
        self.key.edit.textChanged.connect(lambda _: self._load())  # type: ignore[union-attr]

    def check(self) -> str:
        if self.to is None:
            return "Choose the auditor’s key."
        return (
            ""
            if self.compared.isChecked()
            else "Compare the fingerprint with its owner first: whoever has the key reads the pack."
        )

    def _load(self) -> None:
        self.to = None
        self.compared.setChecked(False)
        path = self.key.path
        if not path.is_file():
            self._shown.hide()
            return
        try:
            self.to = load_public(path)
        except Exception as error:  # noqa: BLE001 (whatever a file holds, the form says that it is none)
            self.key.fail(str(error))
            self._shown.hide()
            return
        self.key.fail("")
        self._whose.setText(f"Key of {capped(self.to.name)}, as the file says")
        self._grid.show_print(self.to.fingerprint)
        self._shown.show()


class MakeKeysForm(ActForm):
    """An auditor's own pair of keys."""

    def __init__(self) -> None:
        self.person = Field("Name", line_edit(), "For whoever seals to you.", required("The name"), beside=True)
        self.first = Field(
            "Passphrase", passphrase_edit(), "Nobody can reset it: keep it.", required("The passphrase"), beside=True
        )
        self.again = Field("Once more", passphrase_edit(), check=self._same, beside=True)
        self.strength = StrengthLine(self.first.edit)
        super().__init__(
            "Make keys",
            "You get two files: one stays with you, under the passphrase; the other, which ends in .pub, you give to whoever seals packs "
            "to you.",
            (self.person, self.first, self.strength, self.again),
            "key",
            title="Make keys to receive sealed packs",
        )

    def _same(self, text: str) -> str:
        return "" if text == self.first.text else "The two passphrases differ."
