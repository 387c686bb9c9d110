"""Training: from examples to an adapter that is sealed in the vault, signed like everything else, and attached to its running base.

A run is recorded before its first step. Its checkpoints are sealed with a key of its own; a run that was stopped, failed or was killed goes on
at the last one. The adapter's files never lie in clear: they go from the worker's pipe into the vault, and from there through a pipe into the
model's worker. Nothing is left out of the data but what the person said may be, and the run's record says which lines.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal

import msgspec

from core.datasets.records import AddDataset
from core.datasets.service import Datasets
from core.documents.service import Documents
from core.errors import BadInput, NotFound, Refused, Unavailable
from core.evals import releasing
from core.evals.service import Evals, environment
from core.inference.service import Engine
from core.jobs import Job
from core.models.records import FAKE, ModelFile
from core.models.service import Lent, Models
from core.paths import write_whole
from core.records import Digest, now
from core.training import (
    canaries,
    comparing,
    data,
    evaluating,
    examining,
    exporting,
    listening,
    looking,
    merged,
    pausing,
    planning,
    proving,
    sealed,
    store,
    whole,
    work,
)
from core.training.listening import Watch
from core.training.preparing import Ready, adapter_of, check_left_out, file_content, text_of
from core.training.records import (
    Compared,
    ExportAdapter,
    Plan,
    Proved,
    TrainingResult,
    TrainingRun,
    TrainingView,
    TrainSpec,
    UsedSource,
)
from core.training.settings import Settings, chosen
from core.training.worker.recall import Sampled
from core.training.worker.records import Example, KeepTrained, Measured, OpenBase, Problem, Step
from core.vault import versions
from core.vault.records import Signature
from core.vault.roles import Act, allowed
from core.vault.signing import Signer
from core.vault.unit import Reader
from core.vault.vault import Vault
from core.workers.supervisor import Supervisor


class Trainings:
    """The training runs of one open vault."""

    def __init__(
        self,
        vault: Vault,
        models: Models,
        datasets: Datasets,
        engine: Engine,
        supervisor: Supervisor,
        threads: Callable[[], int] = lambda: 0,
        memory: int = 0,
        opened: Callable[..., AbstractContextManager[work.Trainer]] = work.trainer,
        evals: Evals | None = None,
        documents: Documents | None = None,
    ) -> None:
        """`threads` that a run computes with, 0 for the machine's own choice; `memory`: address space of the worker, 0 for no limit; `opened`
        makes the worker; `evals` runs the evaluations that specs name; `documents` are those whose text is learned."""
        self._vault = vault
        self._models = models
        self._datasets = datasets
        self._engine = engine
        self._supervisor = supervisor
        self._threads = threads
        self._memory = memory
        self._opened = opened
        self._evals = evals
        self._documents = documents
        self.writer: whole.Writer | None = None
        """Writes the model of a run that trained all weights, and registers it; set by whoever can."""
        models.lenders.append(self.lent)

    def check(self, specs: Sequence[TrainSpec], source: str, job: Job) -> None:
        """Raises, before anything starts, what would keep one of these runs of one base from starting: as `run`, but for its data."""
        for place, spec in enumerate(specs):
            settings = chosen(spec.preset, spec.settings, source)
            if not place:
                model, _, folder = self._base(spec, source, job)
            whole.check(spec, settings, model, folder, source, work.free_memory())

    def plan(self, spec: TrainSpec, source: str, job: Job, quick: bool = False) -> Plan:
        """What the run would take, from a few steps of it; `quick` takes none: memory by formula, time from an earlier run of the same shape.

        Raises as `run`; nothing is recorded but datasets that were read from files."""
        ready = self._prepared(spec, source, job)
        with self._opened(self._supervisor, ready.base, self._memory, job) as trainer:
            lengths, learned, problems = trainer.give(ready.examples, ready.settings.longest, job)
            self._plant(trainer, spec, ready.settings, job)
            found = (trainer.foresee if quick else trainer.probe)(ready.settings, job)
            device = trainer.opened.device
        seconds = planning.seconds(found)
        if quick:
            seconds = planning.as_before(self.list(), ready.model, ready.settings, device, ready.base.threads, found)
        problems = (*ready.problems, *problems)
        return planning.plan(found, lengths, learned, problems, ready.settings, device, seconds, quick)

    def look(self, spec: TrainSpec, source: str, job: Job, start: int = 0) -> looking.Looked:
        """The data as it would be learned: lengths, problems by line, and the tokens of some examples from `start` on. Raises as `run`."""
        ready = self._prepared(msgspec.structs.replace(spec, leave_out=True), source, job)
        with self._opened(self._supervisor, ready.base, self._memory, job) as trainer:
            return looking.look(trainer, ready.examples, ready.problems, ready.settings.longest, start, job)

    def examine(self, spec: TrainSpec, source: str, job: Job) -> tuple[examining.Finding, ...]:
        """What is suspicious in the data, by line; needs no training library. Raises as `run` for data that can't be read."""
        ready = self._prepared(msgspec.structs.replace(spec, leave_out=True), source, job)
        return examining.examine(ready.examples, ready.asked, examining.FINDERS, job)

    def run(self, spec: TrainSpec, source: str, job: Job, watch: Watch | None = None) -> TrainingView:
        """Train an adapter, seal it, and compare it where the spec says so. `source` names the spec, and its folder is where files are.

        Before the run is recorded, raises `Refused`, `NotFound`, `Changed`, `BadInput` (data, settings), `Unsupported` (the base), `Unavailable`
        (the training libraries). A run that fails is recorded as failed; then raises `WorkerFailed`, `BadInput` (a loss that is no number),
        `DiskFull`, `Cancelled`."""
        self._check_right(spec.name)
        ready = self._prepared(spec, source, job)
        with self._opened(self._supervisor, ready.base, self._memory, job) as trainer:
            lengths, _, problems = trainer.give(ready.examples, ready.settings.longest, job)
            left_out = (*ready.problems, *problems)
            check_left_out(spec, left_out)
            self._plant(trainer, spec, ready.settings, job)
            with self._vault.write(Act.TRAIN, about=f"{spec.name} started") as unit:
                number = store.next_number(unit)
                run = TrainingRun(
                    id=f"training-{number}",
                    name=spec.name,
                    base=ready.model.name,
                    base_digest=ready.model.digest,
                    folder=Path(spec.folder).name if spec.folder else "",
                    spec=ready.spec,
                    settings=ready.settings,
                    sources=ready.sources,
                    examples=len(lengths),
                    left_out=left_out,
                    versions=trainer.opened.versions,
                    environment=environment(),
                    device=trainer.opened.device,
                    threads=ready.base.threads,
                    user=self._vault.user.user,
                    started=now(),
                )
                digest = store.start(unit, number, run, ready.datasets, str(Path(source).expanduser().absolute()))
            listening.listen(self._vault, trainer, run, digest, (), job, watch)
        return self._compare(self.show(run.id), ready.folder, job)

    def resume(self, name: str, source: str, job: Job, watch: Watch | None = None) -> TrainingView:
        """Go on with a run that didn't finish, at its last checkpoint. `source` "" is where its spec lay at its start.

        Raises `BadInput` where it finished, or its data is other data now."""
        view = self.show(name)
        source = source or self.source(name)
        self._check_right(view.run.name)
        if view.status == "finished":
            raise BadInput(source=name, problem="this run has finished. Start another one.")
        ready = self._prepared(view.run.spec, source, job)
        if ready.model.digest != view.run.base_digest or ready.sources != view.run.sources:
            raise BadInput(source=name, problem="its base or its data is another one now. Start a new run.")
        kept = sealed.load(self._vault, view.digest)
        with self._opened(self._supervisor, ready.base, self._memory, job) as trainer:
            trainer.give(ready.examples, ready.settings.longest, job)
            self._plant(trainer, view.run.spec, view.run.settings, job)
            if kept is not None:
                trainer.give_checkpoint(kept[1], job)
            listening.listen(self._vault, trainer, view.run, view.digest, _before(kept), job, watch)
        return self._compare(self.show(name), ready.folder, job)

    def pause(self, name: str, job: Job) -> TrainingView:
        """Have a run that is under way pause after its present step, and wait until it has; it may have finished meanwhile.

        Raises `NotFound`, `BadInput` where it isn't under way."""
        view = self.show(name)
        pausing.pause(self._vault, view.digest, view.run.id, job)
        return self.show(view.run.id)

    def keep(self, name: str, source: str, job: Job) -> TrainingView:
        """End a run that was stopped, with the adapter of its last checkpoint. `source` "" is where its spec lay at its start.

        Raises `BadInput` without a checkpoint, or where it finished."""
        source = source or self.source(name)
        view = self.show(name)
        self._check_right(view.run.name)
        if view.status == "finished":
            raise BadInput(source=name, problem="this run has finished. Its adapter is kept.")
        kept = sealed.load(self._vault, view.digest)
        if kept is None:
            raise BadInput(source=name, problem="it has no checkpoint yet, so there is nothing to keep. Go on with it.")
        model, base, folder = self._base(view.run.spec, source, job)
        if model.digest != view.run.base_digest:
            raise BadInput(source=name, problem="its base is another one now. Start a new run.")
        with self._opened(self._supervisor, base, self._memory, job) as trainer:
            trainer.give_checkpoint(kept[1], job)
            request = KeepTrained(settings=view.run.settings, base_digest=view.run.base_digest)
            listening.listen(self._vault, trainer, view.run, view.digest, _before(kept), job, None, request)
        return self._compare(self.show(name), folder, job)

    def _plant(self, trainer: work.Trainer, spec: TrainSpec, settings: Settings, job: Job) -> None:
        if settings.canaries:
            made = canaries.planted(settings, spec.name)
            trainer.plant(made, settings.canary_repeats, settings.objective == "text", job)

    def evaluate(self, name: str, source: str, job: Job) -> TrainingView:
        """Evaluate a finished run's adapter once more, as its spec says; what is found takes the place of what was. `source` as in `keep`.

        Raises `BadInput` where it hasn't finished or its spec names no evaluation, and as `run` does after its last step."""
        view = self.show(name)
        self._check_right(view.run.name)
        evaluating.check(view)
        return self._compare(view, Path(source or self.source(name)).expanduser().absolute().parent, job)

    def source(self, name: str) -> str:
        """Where a run's spec lay at its start, on this machine. Raises `NotFound`, `BadInput` for a run from before that was kept."""
        digest = self.show(name).digest
        with self._vault.read() as reader:
            found = next(row.source for row in store.everything(reader) if row.run == digest)
        if not found:
            raise BadInput(source=name, problem="it isn't known where its spec lay. Give the spec's path.")
        return found

    def list(self) -> tuple[TrainingView, ...]:
        """All runs, newest first, without their answers at the checkpoints, which `show` has."""
        steps = sealed.steps(self._vault)
        with self._vault.read() as reader:
            return tuple(
                self._view(reader, row, steps.get(row.run[: sealed.START], 0)) for row in store.everything(reader)
            )

    def show(self, name: str) -> TrainingView:
        """A run by its id (`training-3`, or `latest`). Raises `NotFound`."""
        with self._vault.read() as reader:
            text = name.removeprefix("training-")
            number = store.next_number(reader) - 1 if name == "latest" else int(text) if text.isdigit() else 0
            row = store.find(reader, number)
            if row is None:
                raise NotFound(kind="training run", name=name, step="`assay train list` shows what there is.")
            view = self._view(reader, row, sealed.step_of(self._vault, row.run))
            found = store.answered(reader, row.run)
        return msgspec.structs.replace(view, sampled=found.sampled) if found is not None else view

    def sign(self, name: str, meaning: str, reason: str, signer: Signer) -> Signature:
        """Sign a run's result with its adapter. Raises `Refused` when an author approves their own work."""
        view = self.show(name)
        if view.result is None or view.result_digest is None or view.status != "finished":
            raise BadInput(source=name, problem="it has no adapter to sign. Let it finish first.")
        act = Act.APPROVE if meaning == "approved" else Act.SIGN
        written = {one.digest for one in merged.of_run(self._vault, view.digest)}
        with self._vault.write(act, about=view.run.id, reason=reason) as unit:
            versions.check_signer(view.run.id, unit.authors(view.result_digest), signer.user.user, meaning)
            against = ""
            if meaning == "approved" and view.run.settings.method == "full":
                against = releasing.blocked_model(unit, written, view.result_digest)
            elif meaning == "approved":
                against = releasing.blocked_adapter(unit, view.result.gguf, view.result_digest)
            if meaning == "approved":
                against = against or evaluating.missing(view)
            if against:
                raise Refused(act=act, reason=against.rstrip("."))
            return unit.sign(signer, view.result_digest, view.run.id, meaning, reason)

    def export(self, request: ExportAdapter) -> tuple[str, ...]:
        """Write an adapter as PEFT reads it, its GGUF and a model card into a new folder; the files' names. Raises `AlreadyExists`, `BadInput`."""
        view = self.show(request.run)
        result = view.result
        if result is None or not result.weights:
            raise BadInput(source=request.run, problem="it has no adapter. Let it finish first.")
        folder = exporting.new_folder(Path(request.folder))
        with self._vault.write(
            Act.EXPORT_ADAPTER, about=f"{view.run.id} to {folder.name}", reason=request.reason
        ) as unit:
            assert view.result_digest is not None
            unit.note(touched=(view.result_digest,))
            full = view.run.settings.method == "full"
            files = {name: unit.blob(Digest(found)) for name, found in exporting.files(result, full)}
            files["README.md"] = exporting.card(view)
            folder.mkdir(mode=0o700)
            for name, content in files.items():
                write_whole(folder / name, content)
        return tuple(files)

    def lent(self, name: str) -> Lent | None:
        """The adapter of that run, or whose GGUF has that digest, for whoever uses models; None for none."""
        with self._vault.read() as reader:
            row = store.lent(reader, name)
            if row is None:
                return None
            run, result = reader.get(row.run, TrainingRun), reader.get(Digest(row.result), TrainingResult)
        return Lent(adapter_of(run, result), lambda: self._content(Digest(result.gguf)))

    def _content(self, blob: Digest) -> Iterator[bytes]:
        with self._vault.read() as reader:
            yield from reader.stream(blob)

    def _evaluations(self) -> Evals:
        if self._evals is None:
            raise Unavailable(what="Evaluations", step="Open the vault with all of its services.")
        return self._evals

    def _documented(self) -> Documents:
        if self._documents is None:
            raise Unavailable(what="Documents", step="Open the vault with all of its services.")
        return self._documents

    def _check_right(self, about: str) -> None:
        if not allowed(Act.TRAIN, self._vault.user.roles):
            with self._vault.write(Act.TRAIN, about=about):
                raise Refused(act=Act.TRAIN, reason="your role doesn't allow it")

    def _prepared(self, spec: TrainSpec, source: str, job: Job) -> Ready:
        """Everything that a run needs, checked. Files are looked for from the spec's folder on."""
        settings = chosen(spec.preset, spec.settings, source)
        model, base, folder = self._base(spec, source, job)
        whole.check(spec, settings, model, folder, source, work.free_memory())
        if not spec.data:
            raise BadInput(source=source, problem="there is no data. Name a dataset or a file under data.")
        examples: list[Example] = []
        problems: list[Problem] = []
        sources: list[UsedSource] = []
        datasets: list[Digest] = []
        for one in spec.data:
            if bool(one.collection) != (settings.objective == "text") or (one.collection and (one.dataset or one.file)):
                raise BadInput(
                    source=source, problem="objective text learns from collections alone, the others from none."
                )
            if one.collection:
                texts, used = text_of(self._documented(), one.collection, job)
                examples += texts
                sources.append(used)
                continue
            rows, used, digest = self._read(one.dataset, one.file, folder, job, settings.objective == "preferences")
            examples += data.with_system(rows.examples, one.system)
            problems += rows.problems
            sources.append(used)
            datasets += [digest] if digest else []
        asked: Sequence[str] = ()
        if spec.evaluation is not None:
            comparing.check(spec.evaluation, source)
            own = spec.evaluation.dataset or spec.evaluation.file or not spec.evaluation.spec
            references = [self._dataset(spec.evaluation.dataset, spec.evaluation.file, folder, job)] if own else []
            if spec.evaluation.spec:
                named, dataset = proving.chosen(self._evaluations(), spec.evaluation.spec, model, source)
                references.append(dataset)
                judged = msgspec.structs.replace(spec.evaluation, spec=named)
                spec = msgspec.structs.replace(spec, evaluation=judged)
            asked = [one.input for found in references for one in self._datasets.show(found).dataset.samples]
        rows = data.checked(examples, asked)
        problems += rows.problems
        check_left_out(spec, problems)
        found = tuple(problems), tuple(sources), tuple(datasets), tuple(asked)
        return Ready(spec, settings, model, base, folder, rows.examples, *found)

    def _base(self, spec: TrainSpec, source: str, job: Job) -> tuple[ModelFile, OpenBase, Path]:
        """The base, how the worker opens it, and the folder that files are looked for from."""
        model = self._models.located(spec.base, job)
        if model.purpose != "chat" or model.name == FAKE:
            raise BadInput(source=spec.base, problem="adapters are trained for chat models with a file. Choose one.")
        folder = Path(source).expanduser().absolute().parent
        path = (folder / spec.folder) if spec.folder else Path(model.path)
        if spec.folder and not path.is_dir():
            raise NotFound(kind="folder", name=str(path), step="Give the folder of the base's safetensors.")
        form: Literal["folder", "gguf"] = "folder" if spec.folder else "gguf"
        return model, OpenBase(path=str(path), name=model.name, form=form, threads=self._threads()), folder

    def _read(
        self, dataset: str, file: str, folder: Path, job: Job, preferences: bool = False
    ) -> tuple[data.Rows, UsedSource, Digest | None]:
        """The examples of a source, what it is, and the dataset's digest where it is one."""
        if file and not dataset and preferences:
            raise BadInput(
                source=file, problem="name a dataset with a file of preferences; it becomes a version of it."
            )
        if file and not dataset:
            path = folder / file
            content = file_content(path)
            rows = data.read(path.name, content)
            digest = Digest(hashlib.sha256(content).hexdigest())
            return (
                rows,
                UsedSource(reference=path.name, digest=digest, form=rows.form, examples=len(rows.examples)),
                None,
            )
        reference = self._dataset(dataset, file, folder, job)
        saved = self._datasets.show(reference)
        rows = data.from_samples(saved.dataset.reference, saved.dataset.samples, preferences)
        used = UsedSource(
            reference=saved.dataset.reference, digest=saved.digest, form=rows.form, examples=len(rows.examples)
        )
        return rows, used, saved.digest

    def _dataset(self, dataset: str, file: str, folder: Path, job: Job) -> str:
        """The reference of a dataset, which gets a new version where its file holds something new."""
        if not dataset:
            raise BadInput(source="The data", problem="name a dataset, a file, or both.")
        if not file:
            return dataset
        return self._datasets.add(AddDataset(name=dataset, path=str(folder / file)), job).dataset.reference

    def _compare(self, view: TrainingView, folder: Path, job: Job) -> TrainingView:
        """Ask base and adapter what the spec says, and record the difference."""
        judged, result = view.run.spec.evaluation, view.result
        tuned = whole.written(view, self._vault, self._models, self.writer, folder, job)
        if judged is None or result is None or not (result.gguf or tuned) or view.result_digest is None:
            return view
        if judged.spec:
            proved = proving.prove(
                self._evaluations(), judged.spec, view.run, view.run.base, job, tuned.name if tuned else ""
            )
            with self._vault.write(Act.TRAIN, about=f"{view.run.id} evaluated by {proved.evaluation}") as unit:
                store.prove(unit, view.digest, view.result_digest, proved)
        if not judged.dataset and not judged.file:
            return self.show(view.run.id)
        reference = self._dataset(judged.dataset, judged.file, folder, job)
        dataset = self._datasets.show(reference)
        found: Compared = comparing.compare(
            self._engine,
            view.run.base_digest,
            Digest(result.gguf),
            judged,
            dataset,
            view.run.id,
            job,
            tuned.digest if tuned else None,
        )
        with self._vault.write(Act.TRAIN, about=f"{view.run.id} compared") as unit:
            store.compare(unit, view.digest, view.result_digest, found)
        return self.show(view.run.id)

    def _view(self, reader: Reader, row: store.Row, checkpoint: int) -> TrainingView:
        digest, result, compared = row.run, row.result, row.compared
        ended = reader.get(Digest(result), TrainingResult) if result else None
        signatures = reader.signatures(Digest(result)) if result else ()
        return TrainingView(
            digest=digest,
            run=reader.get(digest, TrainingRun),
            result_digest=Digest(result) if result else None,
            result=ended,
            compared=reader.get(Digest(compared), Compared) if compared else None,
            proved=reader.get(Digest(row.proved), Proved) if row.proved else None,
            checkpoint=checkpoint,
            signed=tuple((signature.meaning, signature.name) for signature in signatures),
        )


def _before(kept: tuple[sealed.Until, bytes] | None) -> tuple[Step | Measured | Sampled, ...]:
    """What was heard of a run until its last checkpoint."""
    return (*kept[0].steps, *kept[0].measured, *kept[0].sampled) if kept is not None else ()
