"""The gate of a run in the window: each criterion and each line of the spec's gate with its verdict, which prompt versions it holds back from
their labels, who signed an exception, and the way to sign one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from app.pages.evaluation_content import RunContent
from app.pages.evaluation_matrix import criterion_words, sentence, short_names, signed_before
from app.pages.page import Shell
from app.pages.signatures import SAYS, WORDS, ask_and_sign
from app.widgets.basic import Badge, Card, IconLabel, clear, column, label, row
from app.widgets.buttons import button
from app.widgets.seal import Seal, SealState
from app.widgets.signing import Meaning, Signed, ToSign
from core.errors import BadInput, NotFound
from core.evals.gates import GateResult, Verdict
from core.evals.records import CriterionResult, RunResult
from core.evals.releasing import EXCEPTIONS
from core.jobs import Job
from core.vault import judging
from core.vault.records import Signature, User
from core.vault.roles import Act, allowed
from core.vault.signing import Signer

if TYPE_CHECKING:
    from core.workbench import Workbench

SIGNED_BEFORE = {
    True: "The criteria were signed before the run began.",
    False: "Nobody had signed the criteria when the run began.",
}


@dataclass(frozen=True)
class GateState:
    """What the vault says of a finished run's gate."""

    run: str
    results: tuple[GateResult, ...]
    held_back: tuple[str, ...]
    """The prompt versions that this run keeps from `approved` and `production`."""
    exceptions: tuple[Signature, ...]

    @property
    def passed(self) -> bool:
        return all(result.passed for result in self.results)


def read_gate(bench: "Workbench", run: str) -> GateState | None:
    """A finished run's gate; None where it has neither a gate nor criteria, or isn't finished."""
    view = bench.evals.show(run)
    if view.result is None or view.result.status != "finished":
        return None
    try:
        results = bench.evals.gate(run)
    except BadInput:
        return None
    prompts = dict.fromkeys(variant.prompt for variant in view.run.variants if variant.prompt)
    held = tuple(name for name in prompts if _held_back(bench, name).startswith(f"{view.run.id} "))
    with bench.vault.read() as reader:
        signed = tuple(s for s in judging.counting(reader, view.result_digest) if s.meaning == "approved")
    return GateState(view.run.id, results, held, signed)


class GateCard(Card):
    """`exception_asked` says that the person wants to sign an exception."""

    exception_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.badge = Badge("", "plain")
        self.setAccessibleName("Release gate")
        self.body.addLayout(row(label("Release gate", type="heading"), None, self.badge))
        self._rows = column(space=8)
        self.body.addLayout(self._rows)
        self.held = label("", wrap=True)
        self.body.addWidget(self.held)
        self._signed = column(space=4)
        self.body.addLayout(self._signed)
        self._note = label("", type="small", tone="secondary", wrap=True)
        self.body.addWidget(self._note)
        self.exception = button("Sign an exception…", "stamp")
        self.exception.clicked.connect(self.exception_asked)
        self.body.addLayout(row(self.exception, None))
        self.show_state(None, None)

    def show_run(self, content: RunContent) -> None:
        """Show the criteria; the gate's own lines come with `show_state`."""
        self.show_state(None, None)
        clear(self._rows)
        result = content.view.result
        names = short_names(content.run.variants)
        lines = content.spec.spec.spec.gate
        if not content.run.criteria and not lines:
            self.badge.say("No criteria", "plain")
            self._note.setText("This evaluation has no criteria. Add one, and a run says whether it is met.")
            return
        finished = result is not None and result.status == "finished"
        if content.live:
            self.badge.say("Not yet", "plain")
        elif result is None or not finished:
            self.badge.say("Not judged", "warn", "warning")
        elif result.passed:
            self.badge.say("Met", "pass", "check")
        else:
            self.badge.say("Not met", "fail", "cross")
        for judged in result.criteria if result is not None else ():
            says, measured = criterion_words(judged, names)
            because = broken_off(judged, result) if finished and result is not None else ""
            self._rows.addWidget(_criterion_row(says, measured, judged.met if finished else None, because))
        ended = "" if finished or result is None else "The run didn’t come to its end, so nothing is judged. "
        self._note.setText(ended + SIGNED_BEFORE[bool(signed_before(content))])

    def show_state(self, content: RunContent | None, state: GateState | None, person: User | None = None) -> None:
        """Add the verdicts of the gate's lines, what they hold back, and who signed an exception."""
        clear(self._signed)
        blocks = state is not None and not state.passed
        self.held.setVisible(blocks)
        self.exception.setVisible(blocks)
        if content is None or state is None:
            return
        names = short_names(content.run.variants)
        for found in state.results:
            for verdict in gate_verdicts(content, found):
                self._rows.addWidget(_line_row(verdict, names.get(found.variant, found.variant)))
        self.badge.say(*(("Met", "pass", "check") if state.passed else ("Not met", "fail", "cross")))
        if not blocks:
            return
        for given in state.exceptions:
            made = QWidget()
            made.setLayout(row(Seal(SealState.SIGNED), label(f"{given.name}: “{given.reason}”", wrap=True), space=8))
            made.layout().setStretch(1, 1)
            made.setAccessibleName(f"Exception signed by {given.name}: {given.reason}")
            self._signed.addWidget(made)
        self.held.setText(held_words(state))
        self.exception.refuse(exception_refused(state, content.run.user, person))


def verdict_text(state: GateState) -> str:
    """Every verdict in plain lines, as it is signed."""
    found = []
    for result in state.results:
        against = f", compared with {result.baseline}" if result.baseline else ""
        found.append(f"{result.variant}{against}: {'met' if result.passed else 'not met'}")
        found += [f"  {'met' if v.met else 'not met'}: {v.line} ({v.reason.rstrip('.')})" for v in result.verdicts]
    return "\n".join(found)


def _held_back(bench: "Workbench", prompt: str) -> str:
    try:
        return bench.prompts.held_back(prompt)
    except NotFound:
        return ""


def gate_verdicts(content: RunContent, found: GateResult) -> tuple[Verdict, ...]:
    """The verdicts of a variant on the gate's own lines, without those on criteria, which stand first."""
    criteria = sum(one.variant == found.variant for one in content.run.criteria)
    return found.verdicts[criteria:]


def held_words(state: GateState) -> str:
    """What a gate that isn't met keeps from happening, and what would let it."""
    given = len({signature.user for signature in state.exceptions})
    if not state.held_back:
        return (
            f"{given} people signed an exception, so nothing is held back."
            if given >= EXCEPTIONS
            else "No prompt version is held back by this run."
        )
    which = " and ".join(state.held_back)
    left = EXCEPTIONS - given
    need = (
        f"unless {EXCEPTIONS} people sign an exception" if given == 0 else "until one more person signs the exception"
    )
    if left <= 0:
        need = f"until {EXCEPTIONS} people who didn’t write it sign an exception"
    return f"{which} can’t be labelled approved {need}."


def exception_refused(state: GateState, ran_by: str, person: User | None) -> str:
    """Why a person can't sign an exception; nothing where they can."""
    if person is None or not allowed(Act.APPROVE, person.roles):
        return "Your roles here don’t allow approving; a reviewer must do it."
    if person.user == ran_by:
        return "You made this run, so someone else must sign the exception."
    if person.user in {signature.user for signature in state.exceptions}:
        return "You signed this exception already; another person must sign it too."
    return ""


def ask_exception(shell: Shell, content: RunContent, state: GateState, person: User, done: Callable[[], None]) -> None:
    """Open the signing panel for an exception to a run's gate."""
    run = content.run.id
    what = ToSign(
        title=f"Sign an exception for {run.replace('-', ' ')}",
        text=f"An exception to the gate of {run}, {content.run.spec_reference}\n\n{verdict_text(state)}",
        digest=content.view.result_digest,
        meanings=(Meaning("approved", WORDS["approved"], SAYS["approved"], ""),),
        user=person.user,
        printed=f"{person.name}, {', '.join(person.roles)}",
        after=f"When {EXCEPTIONS} people have signed, the run’s prompts can be labelled.",
        note="Say in the reason why the gate may be passed over; it is part of what is signed.",
    )

    def sign(bench: "Workbench", job: Job, signer: Signer, entered: Signed) -> Signature:
        return bench.evals.sign_exception(run, entered.reason, signer)

    def signed(signature: Signature) -> None:
        shell.toast(f"Signed an exception for {run}.")
        done()

    ask_and_sign(shell, what, sign, signed)


def broken_off(judged: CriterionResult, result: RunResult) -> str:
    """That errors are why a criterion isn't met: samples of its variant on which nothing could be measured. Nothing where they aren't."""
    errors = next((one.errors for one in result.variants if one.name == judged.criterion.variant), 0)
    if judged.met or not errors:
        return ""
    count = f"{errors:,} sample{'' if errors == 1 else 's'} ended in an error"
    least, most, found = judged.criterion.at_least, judged.criterion.at_most, judged.measured
    if found is None:
        return f"{count}, and nothing was measured."
    if (least is None or found >= least) and (most is None or found <= most):
        return f"{count}, so it isn’t met, whatever the others reached."
    return f"{count}, and the others didn’t reach it either."


def _line_row(verdict: Verdict, who: str) -> QWidget:
    return _criterion_row(f"{verdict.line}\n{who}: {sentence(verdict.reason)}", "", verdict.met)


def _criterion_row(says: str, measured: str, met: bool | None, because: str = "") -> QWidget:
    """One criterion; `met` is None while that isn't judged; `because` says what beside the number decided."""
    made = QWidget()
    glyph, tone, word = {
        True: ("check", "pass.fg", "met"),
        False: ("cross", "fail.fg", "not met"),
        None: ("minus", "text.tertiary", "not judged"),
    }[met]
    sign = IconLabel(glyph, tone, 16)
    what, _, who = says.partition("\n")
    value = label(measured, strong=met is False, tone="fail" if met is False else "secondary")
    layout = row(sign, space=10)
    layout.setAlignment(sign, Qt.AlignmentFlag.AlignTop)
    words = column(label(what, wrap=True), label(who, type="small", tone="secondary", wrap=True), space=0)
    if because:
        words.addWidget(label(because, type="small", tone="warn", wrap=True))
    layout.addLayout(words, 1)
    layout.addWidget(value, 0, Qt.AlignmentFlag.AlignTop)
    made.setLayout(layout)
    made.setAccessibleName(f"{what}, {who}: {measured}, {word}. {because}".strip())
    return made
