"""What is done to one finished run on the fine-tuning page: its adapter is signed, exported, asked in the chat, and erased."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog

from app.bridge import training as bridge
from app.bridge.operations import Failure, Handle
from app.pages.signatures import ask_and_sign, meanings_for
from app.pages.training_files import merge
from app.widgets.act_form import ActForm
from app.widgets.basic import frame, row
from app.widgets.buttons import button
from app.widgets.forms import Check, Field, line_edit, required
from app.widgets.signing import Signed, ToSign
from core.training.records import ExportAdapter, TrainingView
from core.vault.records import Signature, User
from core.vault.roles import Act, allowed

if TYPE_CHECKING:
    from app.pages.training import TrainingPage
    from core.jobs import Job
    from core.vault.signing import Signer
    from core.workbench import Workbench

TRAINS_NOT = "Your roles here don’t allow training; an author must."
EXPORTS_NOT = "Your roles here don’t allow exporting adapters; an author must."
UNFINISHED = "The run hasn’t finished."
MERGES_NOT = "Your roles here don’t allow adding models; an author or administrator may."
NOT_NOW = "An evaluation is being run again. Wait for it."
FULL = "All weights are another model. Write it as a file, and ask that in the chat."
DORA = "A DoRA adapter is exported, not attached."


class ExportForm(ActForm):
    """Where an adapter's files go, and why."""

    def __init__(self, view: TrainingView, reason: bool) -> None:
        self._name = f"{view.run.name}-{view.run.id}"
        self.folder = Field("New folder", line_edit("Where it doesn’t exist yet"), check=self._check, beside=True)
        choose = button("Choose…", "folder", small=True)
        choose.clicked.connect(self._choose)
        place = frame("plain")
        place.setLayout(row(None, choose))
        self.reason = Field(
            "Reason",
            line_edit("Released with edition 9"),
            "Stands in the audit log.",
            required("The reason") if reason else None,
            beside=True,
        )
        self.clear = Check("These files lie outside the vault, readable by whoever may read the folder")
        super().__init__(
            "Export",
            "PEFT’s two files, the GGUF and a model card are written. The audit log keeps that you did it.",
            (self.folder, place, self.reason, self.clear),
            "upload",
            title=f"Export the adapter of {view.run.id}",
        )
        self.setFocusProxy(self.folder.edit)

    def check(self) -> str:
        return "" if self.clear.isChecked() else "Say that the files may lie outside the vault."

    def take(self, parent: str) -> None:
        """A new folder in this one."""
        self.folder.edit.setText(str(Path(parent) / self._name))  # type: ignore[union-attr]
        self.folder.good()

    def _check(self, text: str) -> str:
        if not text.strip():
            return "The folder is missing."
        path = Path(text.strip()).expanduser()
        if path.exists():
            return "There is such a folder already. Choose another name."
        return "" if path.parent.is_dir() else "The folder that it would lie in isn’t there."

    def _choose(self) -> None:
        parent = QFileDialog.getExistingDirectory(self, "Where the adapter’s folder goes")
        if parent:
            self.take(parent)


class TrainingActs:
    """The page's acts on the run that it shows. `given` are the signatures on its result."""

    def __init__(self, page: "TrainingPage") -> None:
        self._page = page
        self.given: tuple[Signature, ...] = ()
        shown = page.run_view
        shown.sign_button.clicked.connect(self.sign)
        shown.export_button.clicked.connect(self.export)
        shown.chat_button.clicked.connect(self.chat)
        shown.erase_button.clicked.connect(self.erase)
        shown.merge_button.clicked.connect(lambda: merge(page))
        shown.again.again_button.clicked.connect(self.evaluate)
        shown.again.work.cancelled.connect(self.stop)
        self._evaluating: Handle | None = None

    def person(self) -> User:
        """Whose vault is open."""
        workbench = self._page.operations.workbench
        assert workbench is not None
        return workbench.vault.user

    def allow(self) -> None:
        """Enable what this person may do to the shown run, and say why not where they may not."""
        page, view = self._page, self._page.run_view.view
        if view is None or page.operations.workbench is None:
            return
        roles = self.person().roles
        result = view.result
        done = result is not None and bool(result.weights)
        full = view.run.settings.method == "full"
        signs = allowed(Act.SIGN, roles) or allowed(Act.APPROVE, roles)
        page.run_view.allow(
            chat="" if done and result and result.gguf else UNFINISHED if not done else FULL if full else DORA,
            export=UNFINISHED if not done else "" if allowed(Act.EXPORT_ADAPTER, roles) else EXPORTS_NOT,
            sign=UNFINISHED if not done else "" if signs else "Your roles here don’t allow signing.",
            erase="" if allowed(Act.ERASE, roles) else "Your roles here don’t allow erasing; an administrator may.",
            train=page.why_not_train(),
            merge=self._why_not_merge(view),
            again=NOT_NOW if self.evaluating else "" if allowed(Act.TRAIN, roles) else TRAINS_NOT,
        )

    @property
    def evaluating(self) -> bool:
        """Whether an evaluation is run again now."""
        return self._evaluating is not None

    def _why_not_merge(self, view: TrainingView) -> str:
        roles, result = self.person().roles, view.result
        if result is None or not result.weights:
            return UNFINISHED
        if not result.gguf and view.run.settings.method != "full":
            return "A DoRA adapter isn’t merged here. Export it."
        if not allowed(Act.ADD_MODEL, roles):
            return MERGES_NOT
        return "" if allowed(Act.EXPORT_ADAPTER, roles) else EXPORTS_NOT

    def evaluate(self) -> None:
        """Run the shown run's evaluation again; other pages can be used meanwhile."""
        page, view = self._page, self._page.run_view.view
        if view is None or self._evaluating is not None:
            return
        name = view.run.id
        page.banner.forget()

        def over() -> None:
            self._evaluating = None
            page.await_run(name)
            page.load()

        def done(_: TrainingView) -> None:
            page.shell.toast(f"The evaluation of {view.run.name} has finished.")
            over()

        def failed(found: Failure) -> None:
            over()
            page.fail(found)

        page.run_view.again.begin()
        self._evaluating = page.operations.run(
            f"Evaluate {view.run.name}",
            lambda bench, job: bench.trainings.evaluate(name, "", job),
            done,
            failed,
            over,
            True,
        )
        self._evaluating.progress.connect(lambda told: page.run_view.again.work.say(told.done, told.total, told.unit))

    def stop(self) -> None:
        """Stop the evaluation that is being run again."""
        if self._evaluating is not None:
            self._evaluating.cancel()

    def sign(self) -> None:
        """Open the signing panel for the run's result, with its adapter."""
        from core.training.exporting import card

        page, view = self._page, self._page.run_view.view
        if view is None or view.result is None or view.result_digest is None:
            return
        person, name = self.person(), view.run.id
        what = ToSign(
            title=f"Sign the adapter of {name}",
            text=card(view).decode(),
            digest=view.result_digest,
            meanings=meanings_for(person, view.run.user, self.given),
            user=person.user,
            printed=f"{person.name}, {', '.join(person.roles)}",
            note="The signature covers the run, its data’s digests, its curve and the adapter’s files.",
        )

        def work(bench: "Workbench", job: "Job", signer: "Signer", entered: Signed) -> Signature:
            return bench.trainings.sign(name, entered.meaning, entered.reason, signer)

        def done(signature: Signature) -> None:
            page.shell.toast(f"Signed the adapter of {name} as {signature.meaning}.")
            page.load()

        ask_and_sign(page.shell, what, work, done, [page.run_view.main])

    def export(self) -> None:
        """Ask where the adapter's files go, and write them."""
        page, view = self._page, self._page.run_view.view
        if view is None:
            return

        def show(reasons: tuple[str, ...]) -> None:
            form = ExportForm(view, Act.EXPORT_ADAPTER.value in reasons)
            form.cancelled.connect(page.shell.close_overlay)

            def go() -> None:
                request = ExportAdapter(
                    run=view.run.id, folder=form.folder.text.strip(), reason=form.reason.text.strip()
                )
                form.wait("The files are being written.")

                def done(files: tuple[str, ...]) -> None:
                    page.shell.close_overlay()
                    page.shell.toast(f"{len(files)} files are written to {Path(request.folder).name}.")

                page.operations.run(
                    "Export an adapter",
                    lambda bench, job: bench.trainings.export(request),
                    done,
                    lambda found: form.refuse(found.sentence),
                )

            form.acted.connect(go)
            page.shell.open_dialog(form, 520)

        page.operations.run("Read the policy", lambda bench, job: bridge.reasons(bench), show, page.fail)

    def chat(self) -> None:
        """Ask the base with this adapter attached."""
        view = self._page.run_view.view
        if view is not None and view.result is not None and view.result.gguf:
            from app.bridge.chatting import WithAdapter

            self._page.shell.go("chat", WithAdapter(view.run.base, view.result.gguf))

    def erase(self) -> None:
        """Go to where content is erased, with this run looked for; what would go with it is shown there first."""
        view = self._page.run_view.view
        if view is not None:
            self._page.shell.go("retention", ("erase", "training", view.run.id))
