"""Adapters that come in from elsewhere, and adapters that are written into their base as a model file: the dialogs, and what they do.

Both stay open while they work, with the progress; cancelling there stops the work, and no part of a file is left.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtWidgets import QFileDialog, QWidget

from app.bridge import training as bridge
from app.bridge.operations import Handle
from app.pages.training_out import MODELS, new_model_file
from app.widgets.act_form import ActForm
from app.widgets.basic import frame, row
from app.widgets.buttons import button
from app.widgets.forms import Check, Choice, Field, line_edit, required
from app.widgets.long_work import LongWork
from core.errors import BadInput
from core.models.records import AddModel, ModelFile
from core.training.adapters import QUANTIZATIONS
from core.training.records import ImportAdapter, MergeAdapter, TrainingView
from core.vault.roles import Act

if TYPE_CHECKING:
    from app.pages.training import TrainingPage
    from core.jobs import Job
    from core.workbench import Workbench

T = TypeVar("T")
NUMBERS = {
    "f16": "16 bits: f16",
    "f32": "32 bits: f32",
    "bf16": "16 bits with a wider range: bf16",
    "q8_0": "Half the size: q8_0",
}


class WorkForm(ActForm):
    """A dialog that stays while its work goes on, and shows how far that is."""

    def __init__(self, act: str, says: str, parts: Sequence[QWidget], icon: str, title: str) -> None:
        self.work = LongWork()
        self.work.cancel.hide()
        self.work.hide()
        self.handle: Handle | None = None
        super().__init__(act, says, (*parts, self.work), icon, title=title)

    def follow(self, handle: Handle, title: str) -> None:
        """Show the progress of this work until it ends."""
        self.handle = handle
        self.wait(f"{title}. Cancel stops it.")
        self.work.begin(title)
        self.work.show()
        handle.progress.connect(lambda told: self.work.say(told.done, told.total, told.unit))

    def refuse(self, sentence: str) -> None:
        if sentence:
            self.work.hide()
            self.handle = None
        super().refuse(sentence)


class ImportForm(WorkForm):
    """An adapter from elsewhere: the folder that PEFT saved, or a GGUF adapter."""

    def __init__(self, bases: Sequence[str], base: str = "", reason: bool = False) -> None:
        self.path = Field(
            "Adapter", line_edit("A folder, or a .gguf file"), "PEFT’s folder with its safetensors.", self._check, True
        )
        folder = button("Folder…", "folder", small=True)
        folder.setAccessibleName("Choose the folder of the adapter")
        folder.clicked.connect(self._folder)
        file = button("GGUF file…", "file", small=True)
        file.setAccessibleName("Choose the GGUF file of the adapter")
        file.clicked.connect(self._file)
        place = frame("plain")
        place.setLayout(row(None, folder, file))
        edit = Choice()
        for name in bases:
            edit.addItem(name, name)
        edit.setCurrentIndex(max(0, edit.findData(base)))
        self.base = Field(
            "Made for", edit, "The model that it was trained on.", required("The model") if bases else None, True
        )
        self.name = Field("Name", line_edit("As the folder or file"), "What this vault calls it.", beside=True)
        self.reason = Field(
            "Reason",
            line_edit("Made by the research team"),
            "Stands in the audit log.",
            required("The reason") if reason else None,
            beside=True,
        )
        super().__init__(
            "Import",
            "A folder is read by a process without a network, sealed in the vault and used like an adapter that was trained here. A GGUF file "
            "stays where it is and is registered. What isn’t a LoRA adapter of that model is refused.",
            (self.path, place, self.base, self.name, self.reason),
            "adapter",
            "Import an adapter",
        )
        self.path.edit.textChanged.connect(lambda _: self._turned())  # type: ignore[union-attr]
        self.setFocusProxy(self.path.edit)

    def gguf(self) -> bool:
        """Whether it is one file."""
        return self.path.text.strip().endswith(".gguf")

    def take(self, path: str) -> None:
        self.path.edit.setText(path)  # type: ignore[union-attr]
        self.path.good()

    def request(self) -> ImportAdapter:
        return ImportAdapter(
            folder=self.path.text.strip(),
            base=self.base.edit.currentData(),  # type: ignore[union-attr]
            name=self.name.text.strip(),
            reason=self.reason.text.strip(),
        )

    def _check(self, text: str) -> str:
        if not text.strip():
            return "The folder or file is missing."
        path = Path(text.strip()).expanduser()
        if self.gguf():
            return "" if path.is_file() else "There is no such file."
        return "" if path.is_dir() else "There is no such folder. A single file is taken as .gguf."

    def _turned(self) -> None:
        self.base.setVisible(not self.gguf())
        self.reason.setVisible(not self.gguf())

    def _folder(self) -> None:
        if path := QFileDialog.getExistingDirectory(self, "The folder of the adapter"):
            self.take(path)

    def _file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "The adapter", "", "Adapters (*.gguf)")
        if path:
            self.take(path)


class MergeForm(WorkForm):
    """Where the model goes that is the base with the adapter in its weights, and in which numbers."""

    def __init__(self, view: TrainingView, reason: bool = False) -> None:
        self._view = view
        full = view.run.settings.method == "full"
        self.file = Field("New file", line_edit(f"{view.run.name}.gguf"), check=self._check, beside=True)
        choose = button("Choose…", "folder", small=True)
        choose.setAccessibleName("Choose where the model is written")
        choose.clicked.connect(self._choose)
        place = frame("plain")
        place.setLayout(row(None, choose))
        kinds = Choice()
        for kind in sorted(QUANTIZATIONS, key=list(NUMBERS).index):
            kinds.addItem(NUMBERS[kind], kind)
        self.kind = Field("Numbers", kinds, "Smaller types are made of an f16 file on the models page.", beside=True)
        self.name = Field("Name", line_edit("As the file"), "What this vault calls the model.", beside=True)
        self.reason = Field(
            "Reason",
            line_edit("For machines that attach no adapters"),
            "Stands in the audit log.",
            required("The reason") if reason else None,
            beside=True,
        )
        self.clear = Check("This file lies outside the vault, readable by whoever may read its folder")
        what = "the weights that it trained" if full else f"{view.run.base} with the adapter in its weights"
        super().__init__(
            "Write the model",
            f"A new file is written with {what}, and registered as a model. The audit log keeps that you did it, and the model keeps what "
            "it was made from.",
            (self.file, place, self.kind, self.name, self.reason, self.clear),
            "models",
            f"Write {view.run.id} as a model" if full else f"Merge {view.run.id} into a model",
        )
        self.setFocusProxy(self.file.edit)

    def check(self) -> str:
        return "" if self.clear.isChecked() else "Say that the file may lie outside the vault."

    def take(self, path: str) -> None:
        """Write it there."""
        self.file.edit.setText(path if path.endswith(".gguf") else f"{path}.gguf")  # type: ignore[union-attr]
        self.file.good()

    def request(self) -> MergeAdapter:
        return MergeAdapter(
            run=self._view.run.id,
            out=str(Path(self.file.text.strip()).expanduser().absolute()),
            quantization=self.kind.edit.currentData(),  # type: ignore[union-attr]
            name=self.name.text.strip(),
            reason=self.reason.text.strip(),
        )

    def _check(self, text: str) -> str:
        return new_model_file(text) if text.strip() else "The file is missing."

    def _choose(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Where the model is written", f"{self._view.run.name}.gguf", MODELS)
        if path:
            self.take(path)


def _open(
    page: "TrainingPage",
    form: WorkForm,
    title: str,
    work: "Callable[[], Callable[[Workbench, Job], T]]",
    done: "Callable[[T], None]",
) -> None:
    """Open a form; when it acts, do what `work` makes of its fields."""

    def over() -> None:
        page.shell.close_overlay()

    def cancelled() -> None:
        if form.handle is not None:
            form.handle.cancel()
        over()

    def ended(result: T) -> None:
        form.handle = None
        over()
        done(result)
        page.load()

    def go() -> None:
        handle = page.operations.run(
            title, work(), ended, lambda found: form.refuse(found.sentence), lambda: None, shown=True
        )
        form.follow(handle, title)

    form.acted.connect(go)
    form.cancelled.connect(cancelled)
    page.shell.open_dialog(form, 560)


def add_adapter(bench: "Workbench", request: AddModel, job: "Job") -> ModelFile:
    """Register a GGUF adapter. Raises as `Models.add`, and `BadInput` for a file that is a model by itself, which stays unregistered."""
    known = {one.name for one in bench.models.list()}
    found = bench.models.add(request, job)
    if found.purpose == "adapter":
        return found
    if found.name not in known:
        bench.models.remove(found.name)
    raise BadInput(source=Path(request.path).name, problem="it is a model, not an adapter. Add it on the models page.")


def import_adapter(page: "TrainingPage") -> None:
    """Ask for an adapter from elsewhere, and take it in."""
    bases = [one.model.name for one in page.found.choices.bases if one.model.purpose == "chat"]

    def show(reasons: tuple[str, ...]) -> None:
        form = ImportForm(bases, reason=Act.TRAIN.value in reasons)

        def work() -> "Callable[[Workbench, Job], TrainingView | ModelFile]":
            request = form.request()
            if form.gguf():
                return lambda bench, job: add_adapter(
                    bench, AddModel(path=request.folder, name=request.name or None), job
                )
            return lambda bench, job: bench.adapters.import_adapter(request, job)

        def done(found: TrainingView | ModelFile) -> None:
            if isinstance(found, TrainingView):
                page.await_run(found.run.id)
                page.shell.toast(f"{found.run.name} is sealed in the vault as {found.run.id}.")
            else:
                page.shell.toast(f"{found.name} is registered. The chat and evaluations can use it.")

        _open(page, form, "Import an adapter", work, done)

    page.operations.run("Read the policy", lambda bench, job: bridge.reasons(bench), show, page.fail)


def merge(page: "TrainingPage") -> None:
    """Ask where the shown run's model goes, and write it."""
    view = page.run_view.view
    if view is None:
        return

    def show(reasons: tuple[str, ...]) -> None:
        form = MergeForm(view, Act.EXPORT_ADAPTER.value in reasons)

        def work() -> "Callable[[Workbench, Job], ModelFile]":
            request = form.request()
            return lambda bench, job: bench.adapters.merge(request, job)

        _open(
            page,
            form,
            "Merge an adapter",
            work,
            lambda model: page.shell.toast(f"{model.name} is written and registered as a model."),
        )

    page.operations.run("Read the policy", lambda bench, job: bridge.reasons(bench), show, page.fail)
