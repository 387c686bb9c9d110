"""Signatures as pages show them, and the way from a button to a signature.

A page says what is signed and what to do with the signer; this asks for the signature in the window's panel, unseals the keys off the UI
thread, and turns a refusal into a sentence in the panel. Nothing is signed unless the person entered their own user name and passphrase.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from app.bridge.operations import Failure
from app.pages.page import Shell
from app.theme.look import look
from app.widgets.basic import clear, column, label, line, row
from app.widgets.seal import Seal, SealState
from app.widgets.signing import Meaning, Signed, SigningPanel, ToSign, clock
from core.errors import WrongPassphrase
from core.jobs import Job
from core.vault.records import Signature, User
from core.vault.roles import Act, allowed
from core.vault.signing import Signer

if TYPE_CHECKING:
    from core.workbench import Workbench

T = TypeVar("T")
WORDS = {"authored": "Authored", "reviewed": "Reviewed", "approved": "Approved", "released": "Released"}
SAYS = {
    "authored": "I wrote it as it stands",
    "reviewed": "I read it and its evidence",
    "approved": "It may be used as labelled",
    "released": "It may leave this vault",
}
WRONG = "The user name or the passphrase is wrong. Nothing was signed."
OWN_WORK = "You wrote this version, so someone else must review and approve it."


def moment(text: str) -> str:
    """A recorded time for lists: day, month, year, hour and minute."""
    when = datetime.fromisoformat(text)
    return f"{when.day} {when:%b %Y, %H:%M}"


def exact_moment(text: str) -> str:
    """A recorded time as it stands on a signature, with its offset."""
    return clock(datetime.fromisoformat(text))


def seal_of(meanings: Sequence[str]) -> SealState:
    """The seal of something with signatures of these meanings."""
    if "approved" in meanings:
        return SealState.SIGNED
    return SealState.PARTLY if meanings else SealState.UNSIGNED


def meanings_for(person: User, author: str, signatures: Sequence[Signature]) -> tuple[Meaning, ...]:
    """What a person's signature on a version may mean, each with the reason where it may not."""
    authors = {author, *(given.user for given in signatures if given.meaning == "authored")}
    done = {given.meaning for given in signatures if given.user == person.user}
    if person.user in authors:
        offered = {
            "authored": "You signed this version as authored already." if "authored" in done else "",
            "approved": OWN_WORK,
        }
    else:
        able = allowed(Act.APPROVE, person.roles)
        offered = {
            "reviewed": "",
            "approved": "" if able else "Your roles here don’t allow approving; a reviewer must do it.",
        }
        for meaning in done & offered.keys():
            offered[meaning] = offered[meaning] or f"You signed this version as {meaning} already."
    return tuple(Meaning(name, WORDS[name], SAYS[name], refused) for name, refused in offered.items())


def ask_and_sign(
    shell: Shell,
    what: ToSign,
    work: "Callable[[Workbench, Job, Signer, Signed], T]",
    done: Callable[[T], None],
    lit: Sequence[QWidget] = (),
    shown: bool = False,
) -> SigningPanel:
    """Open the signing panel; when the person signs, do `work` with their keys, close the panel and call `done`.

    The first signature of a sitting takes user name and passphrase, each further one the passphrase; the core decides which it is.
    """

    sitting = shell.operations.sitting()
    what = replace(what, first=sitting.needs_name)

    def sign(entered: Signed, panel: SigningPanel) -> None:
        def signing(workbench: "Workbench", job: Job) -> T:
            with sitting.confirm(entered.passphrase, entered.user) as signer:
                return work(workbench, job, signer, entered)

        def signed(result: T) -> None:
            shell.close_overlay()
            done(result)

        def refused(found: Failure) -> None:
            if not isinstance(found.error, WrongPassphrase):
                panel.refuse(found.sentence, sitting.needs_name)
            elif entered.user and entered.user != what.user:
                panel.refuse(f"{WRONG} The vault is open for {what.user}: only they sign in it.", first=True)
            else:
                panel.refuse(WRONG, first=True)

        shell.operations.run(
            what.title, signing, signed, refused, lambda: panel.refuse("Stopped. Nothing was signed."), shown
        )

    return shell.ask_signature(what, sign, lit)


class SignatureRows(QWidget):
    """One row for each meaning: its seal, who signed, when and why; or that nobody did yet."""

    def __init__(self, meanings: Sequence[str] = ("authored", "reviewed", "approved")) -> None:
        super().__init__()
        self._meanings = tuple(meanings)
        self._rows = column(space=0)
        self.setLayout(self._rows)
        self.setAccessibleName("Signatures")

    def show_signatures(self, signatures: Sequence[Signature]) -> None:
        """Show these instead of what was shown."""
        clear(self._rows)
        for meaning in self._meanings:
            given = [signature for signature in signatures if signature.meaning == meaning]
            for signature in given or [None]:
                if self._rows.count():
                    self._rows.addWidget(line())
                self._rows.addWidget(_signature_row(meaning, signature))

    def words(self) -> tuple[str, ...]:
        """What each row says."""
        return tuple(
            widget.accessibleName()
            for position in range(self._rows.count())
            if (widget := self._rows.itemAt(position).widget()) is not None and widget.accessibleName()
        )


def _signature_row(meaning: str, signature: Signature | None) -> QWidget:
    made = QWidget()
    seal = Seal(SealState.SIGNED if signature else SealState.UNSIGNED)
    word = label(WORDS[meaning], strong=signature is not None)
    word.setFixedWidth(look().px(72))
    word.setMinimumHeight(look().px(22))
    if signature is None:
        nobody = label("Not yet", tone="secondary")
        nobody.setMinimumHeight(look().px(22))
        says = column(nobody)
        made.setAccessibleName(f"{WORDS[meaning]}: not yet")
    else:
        when = exact_moment(signature.time)
        says = column(label(signature.name, wrap=True), label(when, type="small", tone="secondary", wrap=True), space=1)
        if signature.reason:
            says.addWidget(label(f"“{signature.reason}”", type="small", tone="secondary", wrap=True))
        made.setAccessibleName(f"{WORDS[meaning]}: {signature.name}, {when}. {signature.reason}".strip())
    layout = row(seal, word, space=10, margins=(0, 8, 0, 8))
    layout.setAlignment(seal, Qt.AlignmentFlag.AlignTop)
    layout.setAlignment(word, Qt.AlignmentFlag.AlignTop)
    layout.addLayout(says, 1)
    made.setLayout(layout)
    return made
