"""What is in a collection already is screened again, and what came of it is said with the number of findings to decide."""

from collections.abc import Callable
from typing import Any

from app.bridge import screening as bridge
from app.bridge.screening import count
from app.pages.page import Shell
from app.widgets.act_form import ActForm
from app.widgets.basic import label
from core.documents.screening.records import Rescreened

SAYS = "Every document that is searched here is read again from the vault, by the rules and the policy as they are now."
CONSEQUENCES = (
    "A document in which something new is found goes out of search, until somebody decided about it and it is taken in again.",
    "What was decided before holds. What a legal hold keeps stays in search, and is named.",
    "It can be stopped; what was looked at until then stays so.",
)
NAMED = 5
"""Documents that a sentence names."""


def sentences(found: Rescreened, open_: int) -> list[str]:
    """What came of it; `open_` findings wait for decisions."""
    said = [f"{count(found.clean, 'document')} with nothing new to decide."]
    if found.waiting:
        went = "went out of search and waits" if len(found.waiting) == 1 else "went out of search and wait"
        said.append(
            f"{count(len(found.waiting), 'document')} {went}: {_named(found.waiting)}. {count(open_, 'finding')} to decide."
        )
    if found.held:
        said.append(f"A legal hold keeps in search, though something was found: {'; '.join(found.held)}.")
    if found.refused:
        said.append(f"{count(len(found.refused), 'document')} could not be looked at, and stays in search as before:")
        said += [one.reason for one in found.refused[:NAMED]]
    return said


def ask_again(
    shell: Shell, collection: str, done: Callable[[bridge.Standing], None], decide: Callable[[], None]
) -> ActForm:
    """Say what screening again does, do it, and say what came of it. `done` gets where the collection stands then."""
    form = ActForm("Screen again", SAYS, title=f"Screen {collection} again", consequences=CONSEQUENCES)

    def work(bench: Any, job: Any) -> tuple[Rescreened, bridge.Standing]:
        return bench.screening.again(collection, job), bridge.standing(bench, collection)

    def act() -> None:
        form.wait("It is being screened.")
        handle = shell.operations.run(
            f"Screening {collection} again",
            work,
            show,
            lambda found: form.refuse(found.sentence),
            lambda: form.refuse("Stopped. What was looked at until then stays so."),
            shown=True,
        )
        form.cancelled.connect(handle.cancel)

    def show(found: tuple[Rescreened, bridge.Standing]) -> None:
        again, standing = found
        done(standing)
        result = ActForm(
            "Decide" if again.waiting else "Close",
            parts=[label(one, wrap=True) for one in sentences(again, standing.open)],
            title=f"{collection} was screened again",
        )
        result.cancel.setText("Later")
        result.cancel.setVisible(bool(again.waiting))
        result.cancelled.connect(shell.close_overlay)

        def go() -> None:
            shell.close_overlay()
            if again.waiting:
                decide()

        result.acted.connect(go)
        shell.open_dialog(result, 560)

    form.acted.connect(act)
    form.cancelled.connect(shell.close_overlay)
    shell.open_dialog(form, 560)
    return form


def _named(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"
