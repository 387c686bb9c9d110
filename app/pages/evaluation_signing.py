"""Signing a spec on the evaluations page: the exact text, before the run."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.bridge.operations import Failure
from app.pages.evaluation_matrix import spec_text
from app.pages.page import Shell
from app.pages.signatures import ask_and_sign, meanings_for
from app.widgets.signing import Signed, ToSign
from core.evals.records import SavedSpec
from core.jobs import Job
from core.vault.records import Signature, User
from core.vault.signing import Signer

if TYPE_CHECKING:
    from core.workbench import Workbench


def ask_spec_signature(
    shell: Shell, saved: SavedSpec, person: User, done: Callable[[], None], fail: Callable[[Failure], None]
) -> None:
    """Open the signing panel for a spec; `done` is called when it is signed."""
    spec = saved.spec

    def read(bench: "Workbench", job: Job) -> tuple[Signature, ...]:
        with bench.vault.read() as reader:
            return reader.signatures(saved.digest)

    def ask(signatures: tuple[Signature, ...]) -> None:
        what = ToSign(
            title=f"Sign {spec.name}, version {spec.number}",
            text=spec_text(spec.spec),
            digest=saved.digest,
            meanings=meanings_for(person, spec.author, signatures),
            user=person.user,
            printed=f"{person.name}, {', '.join(person.roles)}",
            after="Sign before the run, so that a pack proves the criteria came first.",
        )
        ask_and_sign(shell, what, sign, signed)

    def sign(bench: "Workbench", job: Job, signer: Signer, entered: Signed) -> Signature:
        return bench.evals.sign(spec.reference, entered.meaning, entered.reason, signer)

    def signed(signature: Signature) -> None:
        shell.toast(f"Signed {spec.reference} as {signature.meaning}.")
        done()

    shell.operations.run("Read signatures", read, ask, fail)
