"""What is done to one model on the models page: its card is written, signed and withdrawn, aliases are moved and ended."""

from typing import TYPE_CHECKING, TypeVar

from app.bridge.operations import Failure
from app.pages.model_detail import in_use
from app.pages.model_forms import AliasForm, AliasHistory, CardForm, CardVersions, WithdrawForm
from app.pages.signatures import ask_and_sign, meanings_for
from app.widgets.act_form import ActForm
from app.widgets.signing import Signed, ToSign
from core.models.records import CardState, ModelAlias, SavedCard, SignCard
from core.vault.records import Signature, User
from core.vault.roles import Act, allowed
from core.vault.signing import Signer

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.pages.models import ModelsPage
    from core.jobs import Job
    from core.workbench import Workbench

T = TypeVar("T")
WRITES_NOT = "Your roles here don’t allow writing cards; an author must."
MOVES_NOT = "Your roles here don’t allow moving aliases; an author or reviewer may."
REMOVES_NOT = "Your roles here don’t allow removing models; an author or administrator may."
ADDS_NOT = "Your roles here don’t allow making models; an author or administrator may."


class ModelActs:
    """The page's acts on the model that its detail shows. `given` are the signatures on the latest version of its card."""

    def __init__(self, page: "ModelsPage") -> None:
        self._page = page
        self.given: tuple[Signature, ...] = ()
        detail = page.detail
        detail.describe.connect(self.describe)
        detail.sign.connect(self.sign)
        detail.withdraw.connect(self.withdraw)
        detail.versions.connect(self.show_versions)
        detail.point.connect(lambda: self.move(""))
        detail.alias.connect(self.show_alias)

    def person(self) -> User:
        """Whose vault is open."""
        workbench = self._page.operations.workbench
        assert workbench is not None
        return workbench.vault.user

    def roles(self) -> tuple[str, ...]:
        return tuple(self.person().roles)

    def allow(self) -> None:
        """Enable what this person may do to the shown model, and say why not where they may not."""
        detail, model = self._page.detail, self._page.detail.model
        if model is None or self._page.operations.workbench is None:
            return
        roles, state = self.roles(), self._state()
        detail.describe_button.refuse("" if allowed(Act.DESCRIBE_MODEL, roles) else WRITES_NOT)
        moves = "" if allowed(Act.MOVE_ALIAS, roles) else MOVES_NOT
        detail.point_button.refuse(moves)
        signs = allowed(Act.SIGN, roles) or allowed(Act.APPROVE, roles)
        old = "" if state is None or state.current else "It is about another file. Write a new version first."
        detail.sign_button.refuse(old if signs else "Your roles here don’t allow signing.")
        detail.withdraw_button.refuse("" if allowed(Act.APPROVE, roles) else "A reviewer withdraws approvals.")
        if not allowed(Act.REMOVE_MODEL, roles):
            detail.remove_button.refuse(REMOVES_NOT)
        else:
            detail.remove_button.refuse(in_use(self._page.found.uses.get(model.name, ())))
        if not allowed(Act.ADD_MODEL, roles):
            detail.quantize_button.refuse(ADDS_NOT)

    # the card

    def describe(self) -> None:
        """Write the next version of the model's card."""
        model, state = self._page.detail.model, self._state()
        if model is None:
            return

        def show(runs: tuple[str, ...]) -> None:
            form = CardForm(model, state.card if state is not None else None, runs)

            def done(saved: SavedCard) -> None:
                self._page.shell.close_overlay()
                kept = f"Version {saved.card.number} of the card is kept." if saved.created else "Nothing changed."
                self._page.shell.toast(kept)
                self._page.opened()

            self._open(form, "Save a card", form.request, lambda bench, card: bench.model_cards.save(card), done)

        self._page.operations.run(
            "Read the runs", lambda bench, job: tuple(view.run.id for view in bench.evals.list()), show, self._page.fail
        )

    def sign(self) -> None:
        """Open the signing panel for the latest version of the card."""
        model, state = self._page.detail.model, self._state()
        if model is None or state is None:
            return
        from core.models.cards import signing_text

        person, card = self.person(), state.card
        approved = any(given.meaning == "approved" for given in self.given)
        what = ToSign(
            title=f"Sign the card of {card.name}, version {card.number}",
            text=signing_text(card),
            digest=state.digest,
            meanings=meanings_for(person, card.author, self.given),
            user=person.user,
            printed=f"{person.name}, {', '.join(person.roles)}",
            after="" if approved else "Approving makes this file an approved model.",
        )

        def work(bench: "Workbench", job: "Job", signer: Signer, entered: Signed) -> Signature:
            request = SignCard(reference=card.reference, meaning=entered.meaning, reason=entered.reason)  # type: ignore[arg-type]
            return bench.model_cards.sign(request, signer)

        def done(signature: Signature) -> None:
            self._page.shell.toast(f"Signed the card {card.reference} as {signature.meaning}.")
            self._page.opened()

        ask_and_sign(self._page.shell, what, work, done, [self._page._middle])

    def withdraw(self) -> None:
        """End the model's approval, with a reason."""
        model = self._page.detail.model
        if model is None:
            return
        form, name = WithdrawForm(model.name, self._page.rules.approved), model.name

        def done(_: CardState) -> None:
            self._page.shell.close_overlay()
            self._page.shell.toast(f"{name} isn’t approved any more.")
            self._page.opened()

        self._open(
            form,
            "Withdraw",
            lambda: form.reason.text.strip(),
            lambda bench, reason: bench.model_cards.withdraw(name, reason),
            done,
        )

    def show_versions(self) -> None:
        """Show all versions of the card."""
        model = self._page.detail.model
        if model is None:
            return
        name = model.name

        def show(states: tuple[CardState, ...]) -> None:
            panel = CardVersions(name, states)
            panel.close_button.clicked.connect(self._page.shell.close_overlay)
            self._page.shell.open_dialog(panel, 520)

        self._page.operations.run(
            "Read the card", lambda bench, job: tuple(bench.model_cards.versions(name)), show, self._page.fail
        )

    # aliases

    def show_alias(self, alias: str) -> None:
        """Show where an alias pointed, with the ways to move and to end it."""

        def show(history: tuple[ModelAlias, ...]) -> None:
            panel = AliasHistory(alias, history)
            refusal = "" if allowed(Act.MOVE_ALIAS, self.roles()) else MOVES_NOT
            panel.move.refuse(refusal)
            panel.end.refuse(refusal)
            panel.close_button.clicked.connect(self._page.shell.close_overlay)
            panel.move.clicked.connect(lambda: self._instead(lambda: self.move(alias)))
            panel.end.clicked.connect(lambda: self._instead(lambda: self._end(alias)))
            self._page.shell.open_dialog(panel, 480)

        self._page.operations.run(
            "Read an alias", lambda bench, job: bench.model_aliases.history(alias), show, self._page.fail
        )

    def move(self, alias: str) -> None:
        """Ask where an alias points from now on; an empty one asks for a new name too."""
        model = self._page.detail.model
        if model is None:
            return
        form = AliasForm(self._page.found.models, model.name, alias, self._reasoned())

        def done(moved: ModelAlias) -> None:
            self._page.shell.close_overlay()
            self._page.shell.toast(f"{moved.name} points at {moved.model_name}.")
            self._page.opened()

        self._open(form, "Move an alias", form.request, lambda bench, to: bench.model_aliases.move(to), done)

    def _end(self, alias: str) -> None:
        def end(reason: str) -> None:
            def done(_: None) -> None:
                self._page.shell.toast(f"{alias} points at nothing.")
                self._page.opened()

            self._page.operations.run(
                "End an alias", lambda bench, job: bench.model_aliases.end(alias, reason), done, self._page.fail
            )

        from app.pages.removal import Removal

        panel = Removal(
            "End alias", f"{alias} points at nothing then. Whoever asks for it is refused.", self._reasoned()
        )
        panel.keep.clicked.connect(self._page.shell.close_overlay)

        def sure() -> None:
            if panel.good():
                reason = panel.reason.text.strip()
                self._page.shell.close_overlay()
                end(reason)

        panel.remove.clicked.connect(sure)
        self._page.shell.open_dialog(panel, 440)

    # shared

    def _reasoned(self) -> bool:
        return Act.MOVE_ALIAS.value in self._page.rules.reasons

    def _instead(self, then: "Callable[[], None]") -> None:
        self._page.shell.close_overlay()
        then()

    def _state(self) -> CardState | None:
        model = self._page.detail.model
        return self._page.found.cards.get(model.name) if model is not None else None

    def _open(
        self,
        form: ActForm,
        title: str,
        read: "Callable[[], T]",
        work: "Callable[[Workbench, T], object]",
        done: "Callable[..., None]",
    ) -> None:
        """Open a form that does one thing with what it holds; what the core refuses is said in it."""
        form.cancelled.connect(self._page.shell.close_overlay)

        def failed(found: Failure) -> None:
            form.refuse(found.sentence)

        def go() -> None:
            given = read()
            form.wait("It is being done.")
            self._page.operations.run(title, lambda bench, job: work(bench, given), done, failed)

        form.acted.connect(go)
        self._page.shell.open_dialog(form, 520)
