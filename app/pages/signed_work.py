"""From a button over a signature to work that takes a while: the panel goes away once the keys are unsealed, and the work shows how far it is.

A wrong passphrase, or a refusal before anything began, is said in the panel, and nothing was done; what goes wrong later is said by the page.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from app.bridge.operations import Failure, Handle
from app.pages.page import Shell
from app.pages.signatures import WRONG
from app.widgets.signing import Meaning, Signed, SigningPanel, ToSign
from core.errors import WrongPassphrase
from core.jobs import Job
from core.vault.signing import Signer

if TYPE_CHECKING:
    from core.workbench import Workbench

T = TypeVar("T")
DECIDED = Meaning("authored", "Decided", "It is my decision, for the reason below")
NO_DIGEST = "What is signed has your reason and the time in it, so its digest is made as you sign."


def to_sign(shell: Shell, title: str, text: str, verb: str, after: str, hint: str) -> ToSign:
    """A decision of whoever has the vault open; `verb` stands on the button, `after` beside it, `hint` below the reason."""
    workbench = shell.operations.workbench
    assert workbench is not None
    person = workbench.vault.user
    printed = f"{person.name}, {', '.join(person.roles)}"
    return ToSign(title, text, "", (DECIDED,), person.user, printed, after, NO_DIGEST, verb=verb, hint=hint)


def sign_and_work(
    shell: Shell,
    what: ToSign,
    work: "Callable[[Workbench, Job, Signer, Signed], T]",
    begun: Callable[[Handle], None],
    done: Callable[[T], None],
    failed: Callable[[Failure], None],
    stopped: Callable[[], None],
) -> SigningPanel:
    """Ask for the signature and do `work` with the keys. `begun` comes once they are unsealed, then exactly one of the others."""
    sitting = shell.operations.sitting()
    what = replace(what, first=sitting.needs_name)

    def sign(entered: Signed, panel: SigningPanel) -> None:
        open_still = True

        def working(workbench: "Workbench", job: Job, tell: "Callable[[str], None]") -> T:
            with sitting.confirm(entered.passphrase, entered.user) as signer:
                tell("unsealed")
                return work(workbench, job, signer, entered)

        def unsealed(_: list[str]) -> None:
            nonlocal open_still
            if open_still:
                open_still = False
                shell.close_overlay()
                begun(handle)

        def refused(found: Failure) -> None:
            if not open_still:
                failed(found)
            elif not isinstance(found.error, WrongPassphrase):
                panel.refuse(found.sentence, sitting.needs_name)
            elif entered.user and entered.user != what.user:
                panel.refuse(f"{WRONG} The vault is open for {what.user}: only they sign in it.", first=True)
            else:
                panel.refuse(WRONG, first=True)

        def over() -> None:
            if open_still:
                panel.refuse("Stopped. Nothing was signed.")
            else:
                stopped()

        handle = shell.operations.watch(what.title, working, unsealed, done, refused, over, shown=True)

    return shell.ask_signature(what, sign)
