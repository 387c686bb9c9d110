"""Evaluations: specs that are locked before they run, runs that are recorded before they start.

A run writes its outcomes in batches, so that a crash or a stop loses one batch at most and keeps the rest. An error on one sample is that
sample's outcome; an error of the vault ends the run. What the run was made with is written down at its start.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import msgspec

from core.assistants.service import Assistants
from core.datasets.records import Dataset, Sample
from core.datasets.screening import Contaminated
from core.datasets.service import Datasets
from core.documents.service import Documents
from core.errors import BadInput, Cancelled, DiskFull, NotFound
from core.evals import comparing, estimating, reading, releasing, replaying, resuming, running, store, summary
from core.evals.answers import Answers
from core.evals.cache import Cache, usable
from core.evals.comparison import Comparison
from core.evals.environment import environment as environment
from core.evals.estimating import Estimate
from core.evals.files import checked
from core.evals.gates import GateResult
from core.evals.records import (
    Done,
    Instrument,
    Outcome,
    Run,
    RunResult,
    RunSpec,
    RunView,
    SavedSpec,
    Spec,
    SpecVersion,
    Variant,
)
from core.evals.replaying import Replay
from core.evals.scorers import chosen
from core.evals.scoring.scores import Scores
from core.evals.scoring.tools import Scoring, models_in
from core.evals.tasks import Task, check_asked_alone, documents_of, in_order, used, variants_of
from core.jobs import Job
from core.models import cards as models_cards
from core.models.service import Models
from core.prompts.service import Prompts
from core.records import Digest, now
from core.vault import versions
from core.vault.records import Signature
from core.vault.roles import Act
from core.vault.signing import Signer
from core.vault.vault import Vault

_KIND = store.SPECS
Outcomes = list[Outcome]
Status = Literal["finished", "cancelled", "failed"]
BATCH_SECONDS = 1.0
"""Outcomes are written together at most this long after they were made."""


class Evals:
    """The evaluations of one open vault."""

    def __init__(
        self,
        vault: Vault,
        models: Models,
        documents: Documents,
        prompts: Prompts,
        datasets: Datasets,
        assistants: Assistants,
        scoring: Scoring | None = None,
    ) -> None:
        self._vault = vault
        self._models = models
        self._documents = documents
        self._prompts = prompts
        self._datasets = datasets
        self._assistants = assistants
        self._scoring = scoring
        self._caches: dict[Digest, Cache] = {}
        """Of the runs at work that may take answers from earlier ones."""

    def save(self, spec: Spec) -> SavedSpec:
        """Keep a new version of a spec, or find that it equals the latest. A dataset without a version is the latest one, and named so in what
        is kept: a dataset that grows later changes nothing that was signed.

        Raises `BadInput` (also for a criterion on a variant that the spec doesn't have), `NotFound` when the dataset, a prompt version or a
        model isn't in the vault, `Refused`.
        """
        checked(spec, spec.name)
        kept = spec

        def make(number: int, parent: Digest | None) -> SpecVersion:
            return SpecVersion(
                name=spec.name,
                number=number,
                spec=kept,
                parent=parent,
                author=self._vault.user.user,
                saved=now(),
            )

        with self._vault.write(Act.SAVE_SPEC, about=spec.name) as unit:
            variants_of(spec, self._prompts, self._models, self._documents)
            self._instruments(spec)
            kept = msgspec.structs.replace(spec, dataset=self._datasets.show(spec.dataset).dataset.reference)
            digest, _, created = versions.save(
                unit, _KIND, spec.name, SpecVersion, lambda last: last.spec == kept, make
            )
            return reading.saved(unit, digest, created)

    def specs(self) -> tuple[SavedSpec, ...]:
        """The latest version of each spec, by name."""
        with self._vault.read() as reader:
            return tuple(reading.saved(reader, digest, created=False) for digest in versions.latest(reader, _KIND))

    def spec(self, reference: str) -> SavedSpec:
        """A version of a spec, by `name@number` or `name`. Raises `NotFound`."""
        with self._vault.read() as reader:
            return reading.saved(reader, versions.resolve(reader, _KIND, reference), created=False)

    def sign(self, reference: str, meaning: str, reason: str, signer: Signer) -> Signature:
        """Sign a spec's exact content. Raises `Refused` when an author approves their own work."""
        saved = self.spec(reference)
        act = Act.APPROVE if meaning == "approved" else Act.SIGN
        with self._vault.write(act, about=saved.spec.reference, reason=reason) as unit:
            versions.check_signer(saved.spec.reference, unit.authors(saved.digest), signer.user.user, meaning)
            return unit.sign(signer, saved.digest, saved.spec.reference, meaning, reason)

    def run(self, request: RunSpec, job: Job, watch: Callable[[Done], None] | None = None) -> RunView:
        """Run a spec: every sample under every variant, variant by variant so that a model stays loaded.

        `watch` is told of each outcome as it comes, on the job's thread. Stopping keeps what was scored and closes the run as cancelled.
        Before the run is recorded: raises `NotFound` when the spec names something that isn't there, `BadInput` when a criterion is for a
        variant that it doesn't have.
        """
        saved = self.spec(request.reference)
        spec = saved.spec.spec
        dataset = self._datasets.show(spec.dataset)
        check_asked_alone(dataset.dataset)
        variants = variants_of(spec, self._prompts, self._models, self._documents)
        for model in (*used(variants), *models_in(self._instruments(spec))):
            models_cards.check_use(self._vault, self._models.show(model), "evaluations")
        run_digest, run = self._start(
            saved, dataset.digest, dataset.dataset, variants, usable(spec) and not request.fresh
        )
        with resuming.working(run_digest, run.id):
            return self._go(spec, RunView(digest=run_digest, run=run, result_digest="", result=None), [], job, watch)

    def estimate(self, given: str | Spec, job: Job) -> Estimate:
        """What a run of a spec, saved or not, would take, from earlier runs or a few samples asked now; nothing is recorded.

        Raises `NotFound`, `BadInput`, `Refused` as `run`, `Unavailable` when no sample gets an answer.
        """
        if isinstance(given, Spec):
            name, spec = given.name, checked(given, given.name)
        else:
            saved = self.spec(given).spec
            name, spec = saved.reference, saved.spec
        dataset = self._datasets.show(spec.dataset).dataset
        check_asked_alone(dataset)
        variants = variants_of(spec, self._prompts, self._models, self._documents)
        for model in used(variants):
            models_cards.check_use(self._vault, self._models.show(model), "evaluations")

        def recorded(variant: Variant) -> estimating.Cost | None:
            with self._vault.read() as reader:
                return estimating.recorded_cost(reader, variant, spec.mode)

        answers = Answers(spec, Digest(""), self._assistants, job)

        def ask(variant: Variant, sample: Sample) -> Outcome:
            return answers.one(Task(variant, sample, 0))

        return estimating.estimate(name, spec, dataset.samples, variants, recorded, ask)

    def resume(self, name: str, job: Job, watch: Callable[[Done], None] | None = None) -> RunView:
        """Go on with a run that was stopped or cut off, with the samples that have no outcome yet.

        Raises `NotFound`, `BadInput` for a run that is finished or at work, and when a model, the documents or what the scorers rest on
        changed since it started.
        """
        view = self.show(name)
        with resuming.working(view.digest, view.run.id):
            view = self.show(view.run.id)
            with self._vault.read() as reader:
                spec = reader.get(view.run.spec, SpecVersion).spec
                earlier = [outcome for _, outcome in store.outcomes(reader, view.digest)]
            variants = variants_of(spec, self._prompts, self._models, self._documents)
            instruments = self._instruments(spec)
            resuming.check(view, variants, documents_of(spec, self._documents), instruments)
            for model in (*used(variants), *models_in(instruments)):
                models_cards.check_use(self._vault, self._models.show(model), "evaluations")
            with self._vault.write(Act.RUN_EVALUATION, about=f"{view.run.id} resumed") as unit:
                unit.note(touched=(view.digest,))
            return self._go(spec, view, earlier, job, watch)

    def contamination(self, reference: str, job: Job) -> tuple[tuple[Contaminated, ...], tuple[str, ...]]:
        """The samples that a spec's adapters were trained on, and what of them couldn't be compared. Raises `NotFound`."""
        spec = self.spec(reference).spec.spec
        ways = [settings.adapters for settings in spec.settings]
        adapters = {self._models.show(use.model).digest for adapters in ways for use in adapters}
        return self._datasets.contaminated(spec.dataset, sorted(adapters), job)

    def replay(self, name: str, job: Job) -> Replay:
        """Make a reproducible run's answers again, and compare them byte for byte; nothing is recorded.

        Raises `NotFound`, `BadInput` for a run in fast mode, and when a model or the documents changed since it started.
        """
        view = self.show(name)
        with self._vault.read() as reader:
            spec = reader.get(view.run.spec, SpecVersion).spec
            samples = reader.get(view.run.dataset, Dataset).samples
            recorded = {(o.variant, o.sample, o.repetition): o for _, o in store.outcomes(reader, view.digest)}
        if spec.mode != "reproducible":
            raise BadInput(source=view.run.id, problem="it was made in fast mode, which promises no equal answers.")
        variants = variants_of(spec, self._prompts, self._models, self._documents)
        resuming.check_same(view.run, variants, documents_of(spec, self._documents), view.run.instruments)
        for model in used(variants):
            models_cards.check_use(self._vault, self._models.show(model), "evaluations")
        tasks = in_order(variants, samples, spec.repetitions)
        wanted = [(task, recorded.get((task.variant.name, task.sample.id, task.repetition))) for task in tasks]
        held = [(task, outcome) for task, outcome in wanted if outcome is not None]
        answers = Answers(spec, view.digest, self._assistants, job)

        def pairs() -> Iterator[tuple[Outcome, Outcome]]:
            for number, (task, outcome) in enumerate(held):
                job.report(number, len(held), "samples")
                yield outcome, answers.one(task)

        return replaying.compare(view.run.id, pairs(), view.run.environment, environment())

    def _go(
        self, spec: Spec, view: RunView, outcomes: Outcomes, job: Job, watch: Callable[[Done], None] | None
    ) -> RunView:
        """Make the outcomes that are missing, and close the run."""
        run_digest, run, variants = view.digest, view.run, view.run.variants
        with self._vault.read() as reader:
            samples = reader.get(run.dataset, Dataset).samples
        if run.reuse:
            self._caches[run_digest] = Cache(self._vault)
        began = time.monotonic()
        status: Status = "finished"
        error = ""
        try:
            for outcome in self._outcomes(spec, run_digest, samples, variants, outcomes, job, watch):
                outcomes.append(outcome)
        except Cancelled:
            status = "cancelled"
        except DiskFull as problem:
            status, error = "failed", str(problem)
        finally:
            self._caches.pop(run_digest, None)
        results = tuple(summary.summarise(v.name, outcomes, spec.scorers, spec.seed) for v in variants)
        criteria = summary.judge(spec.criteria, results)
        result = RunResult(
            run=run_digest,
            status=status,
            variants=results,
            differences=summary.differences([v.name for v in variants], outcomes, spec.scorers, spec.seed),
            criteria=criteria,
            passed=status == "finished" and all(criterion.met for criterion in criteria),
            finished=now(),
            seconds=round(time.monotonic() - began + (view.result.seconds if view.result else 0.0), 3),
            error=error,
        )
        with self._vault.write(Act.RUN_EVALUATION, about=f"{run.id} {status}") as unit:
            digest = store.close(unit, run_digest, result)
        return RunView(digest=run_digest, run=run, result_digest=digest, result=result)

    def list(self) -> tuple[RunView, ...]:
        """All runs, newest first."""
        with self._vault.read() as reader:
            return tuple(reading.view(reader, run, result) for run, result in store.runs(reader))

    def show(self, run: str) -> RunView:
        """A run by its id (`run-3`, or `latest`). Raises `NotFound`."""
        with self._vault.read() as reader:
            number = store.next_number(reader) - 1 if run == "latest" else reading.number(run)
            found = store.find(reader, number)
            if found is None:
                raise NotFound(kind="run", name=run, step="`assay eval list` shows what there is.")
            return reading.view(reader, *found)

    def compare(self, runs: Sequence[str], tags: Sequence[str] = ()) -> Comparison:
        """Runs (`run-3`, or `run-3:VARIANT`) against the first of them; `tags` on their own too, "*" for all. Raises `NotFound`, `BadInput`."""
        with self._vault.read() as reader:
            return comparing.compare_runs(reader, self.show, runs, tags)

    def gate(self, run: str, variants: Sequence[str] = (), baseline: str = "") -> tuple[GateResult, ...]:
        """Whether variants of a finished run meet its gate; `baseline` is `run-2` or `run-2:VARIANT`. Raises `NotFound`, `BadInput`."""
        name, _, variant = baseline.partition(":")
        against = (self.show(name), variant.strip()) if name else None
        view = self.show(run)
        with self._vault.read() as reader:
            found = releasing.judge(reader, view, variants, against)
        if not any(result.verdicts for result in found):
            problem = f"{view.run.spec_reference} has neither a gate nor criteria. Add `gate:` to the spec, and run it."
            raise BadInput(source=view.run.id, problem=problem)
        return found

    def sign_exception(self, run: str, reason: str, signer: Signer) -> Signature:
        """Sign that a run's prompts may be released although its gate isn't met; with the second person's signature their labels move.

        Raises `BadInput` without a reason, `Refused` for who made the run.
        """
        view = self.show(run)
        if view.result is None or not reason.strip():
            problem = "an exception needs a reason. Give one." if view.result else "the run isn't over."
            raise BadInput(source=view.run.id, problem=problem)
        with self._vault.write(Act.APPROVE, about=f"{view.run.id} exception", reason=reason) as unit:
            result, name = Digest(view.result_digest), f"{view.run.id}, an exception to its gate"
            versions.check_signer(name, unit.authors(result), signer.user.user, "approved")
            signature = unit.sign(signer, result, name, "approved", reason)
            for digest in dict.fromkeys(
                variant.prompt_digest for variant in view.run.variants if variant.prompt_digest
            ):
                self._prompts.settle(unit, Digest(digest))
            return signature

    def outcomes(self, run: str) -> tuple[tuple[Digest, Outcome], ...]:
        """Every outcome of a run with its digest, ordered by variant and sample."""
        digest = self.show(run).digest
        with self._vault.read() as reader:
            return store.outcomes(reader, digest)

    def _start(
        self, saved: SavedSpec, dataset_digest: Digest, dataset: Dataset, variants: tuple[Variant, ...], reuse: bool
    ) -> tuple[Digest, Run]:
        spec = saved.spec.spec
        documents, embedder = documents_of(spec, self._documents)
        with self._vault.write(Act.RUN_EVALUATION, about=f"{saved.spec.reference} started") as unit:
            number = store.next_number(unit)
            run = Run(
                id=f"run-{number}",
                spec=saved.digest,
                spec_reference=saved.spec.reference,
                dataset=dataset_digest,
                dataset_reference=dataset.reference,
                collection=spec.collection,
                documents=documents,
                embedder=embedder,
                variants=variants,
                criteria=spec.criteria,
                scorers=spec.scorers,
                samples=len(dataset.samples),
                seed=spec.seed,
                environment=environment(),
                user=self._vault.user.user,
                started=now(),
                repetitions=spec.repetitions,
                instruments=self._instruments(spec),
                reuse=reuse,
            )
            return store.start(unit, number, run), run

    def _outcomes(
        self,
        spec: Spec,
        run: Digest,
        samples: tuple[Sample, ...],
        variants: tuple[Variant, ...],
        done: Outcomes,
        job: Job,
        watch: Callable[[Done], None] | None,
    ) -> Iterator[Outcome]:
        return running.outcomes(
            running.Work(
                vault=self._vault,
                run=run,
                order=tuple(resuming.left(in_order(variants, samples, spec.repetitions), done)),
                answers=Answers(spec, run, self._assistants, job, self._caches.get(run)),
                scores=Scores(spec, variants, self._scoring, documents_of(spec, self._documents)[1], job),
                write=lambda batch: self._write(run, batch),
                every=BATCH_SECONDS,
            ),
            done,
            job,
            watch,
        )

    def _write(self, run: Digest, batch: Outcomes) -> None:
        if batch:
            with self._vault.write(Act.RUN_EVALUATION, about=f"{len(batch)} outcomes") as unit:
                written = store.add(unit, run, batch)
                if run in self._caches:
                    self._caches[run].keep(unit, written)
            batch.clear()

    def _instruments(self, spec: Spec) -> tuple[Instrument, ...]:
        return self._scoring.instruments(chosen(spec.scorers, spec.scoring)) if self._scoring is not None else ()
