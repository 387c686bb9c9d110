"""What scorers use, over the engine and workers of one open vault: `Scoring.tools` makes it for a run, `close` ends the workers.

Rules: the scoring worker and one worker for each plugin start at their first use; one that took longer than `SECONDS` for one answer is ended, and
the next answer gets another. A judge is asked alone and reproducibly; only repetitions use chance, with their number as the seed.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from core.assistants.follow_ups import standalone
from core.assistants.prompting import given
from core.assistants.records import Answer
from core.datasets.records import Sample
from core.errors import BadInput, Unavailable
from core.evals.filling import fields_of
from core.evals.records import Instrument, Variant
from core.evals.scoring import plugins
from core.evals.scoring.asked_back import AskedBack
from core.evals.scoring.base import Asked, Decision, Tools, Use
from core.evals.scoring.judged import Pairwise, Rubric
from core.evals.scoring.plugins import PluginSettings
from core.evals.scoring.records import AskPlugin, Measure, Measured, Plug, Plugged, PluginScore
from core.evals.scoring.similarity import Nearness
from core.inference.records import Generate, Token, Weigh, Weighed
from core.inference.service import Engine, Floats
from core.jobs import Job
from core.models.service import Models
from core.prompts.records import Given, PromptVersion
from core.prompts.service import Prompts
from core.records import Digest
from core.workers.records import WorkerSpec
from core.workers.supervisor import Supervisor, Worker

SECONDS: Final = 20.0
"""For one answer and one scorer."""
MEMORY: Final = 3 * 2**30
JUDGED_TOKENS: Final = 720
"""Room for the longest reason with a token for each of its characters, so that a verdict is cut off by its schema alone."""
WARMTH: Final = 0.7
"""The temperature of a judge's repetitions after the first."""


def models_in(instruments: Iterable[Instrument]) -> tuple[Digest, ...]:
    """The digests of the models among them."""
    return tuple(dict.fromkeys(one.digest for one in instruments if one.kind in ("judge", "embedder")))


class Scoring:
    """The workers and models behind scorers. Safe from several threads."""

    def __init__(
        self,
        models: Models,
        engine: Engine,
        prompts: Prompts,
        supervisor: Supervisor,
        plugin_folders: Iterable[Path] = (),
    ) -> None:
        self._models = models
        self._engine = engine
        self._prompts = prompts
        self._supervisor = supervisor
        self._folders = tuple(plugin_folders)
        self._workers: dict[str, Worker] = {}
        self._lock = threading.Lock()
        self._known: dict[str, PromptVersion] = {}
        """Prompt versions, which never change."""

    def tools(self, embedder: str, job: Job) -> Tools:
        """For a run over documents of that embedder ("" where there are none)."""

        def embed(texts: Sequence[str], name: str) -> Floats:
            if not (name or embedder):
                raise Unavailable(
                    what="This scorer needs an embedder, and the evaluation searches no documents",
                    step="Name one in the scorer's settings: embedder.",
                )
            return self._engine.embed(texts, name or embedder, job)

        def embed_tokens(texts: Sequence[str], name: str) -> list[tuple[Floats, Any]]:
            if not (name or embedder):
                embed((), name)
            return list(self._engine.embed_tokens(texts, name or embedder, job))

        return Tools(
            measure=lambda request: self._measure(request, job),
            plugin=lambda request: self._plugin(request, job),
            embed=embed,
            embed_tokens=embed_tokens,
            weigh=lambda asked, continuations: self._weigh(asked, continuations, job),
            decide=lambda decision: self._decide(decision, job),
        )

    def asked(self, variant: Variant, sample: Sample, answer: Answer) -> Asked | None:
        """How a variant's answer to a sample was asked for; None in quotes mode."""
        if not variant.prompt:
            return None
        prompt = self._prompt(variant.prompt)
        question = answer.question
        brought = given(question, standalone(question.text, question.earlier), answer.passages, fields_of(sample))
        return Asked(
            model=variant.model_digest,
            messages=prompt.messages,
            variables=self._prompts.values(prompt, brought),
            adapters=variant.settings.adapters if variant.settings is not None else (),
        )

    def instruments(self, uses: Iterable[Use]) -> tuple[Instrument, ...]:
        """What these scorers rest on, by digest. Raises `NotFound` for a rubric, model or plugin that isn't there, `Unsupported`."""
        found: list[Instrument] = []
        for label, _, settings in uses:
            if isinstance(settings, Rubric | Pairwise):
                prompt, model = self._prompts.show(settings.rubric), self._models.show(settings.model)
                found.append(
                    Instrument(scorer=label, kind="rubric", name=prompt.prompt.reference, digest=prompt.digest)
                )
                found.append(Instrument(scorer=label, kind="judge", name=model.name, digest=model.digest))
            elif isinstance(settings, Nearness | AskedBack):
                if isinstance(settings, AskedBack):
                    model = self._models.show(settings.model)
                    found.append(Instrument(scorer=label, kind="judge", name=model.name, digest=model.digest))
                if settings.embedder:
                    model = self._models.show(settings.embedder)
                    found.append(Instrument(scorer=label, kind="embedder", name=model.name, digest=model.digest))
            elif isinstance(settings, PluginSettings):
                plugin = plugins.find(settings.entry, self._folders)
                found.append(
                    Instrument(
                        scorer=label,
                        kind="plugin",
                        name=f"{plugin.name} of {plugin.distribution}",
                        digest=plugins.digest(plugin),
                    )
                )
        return tuple(found)

    def close(self) -> None:
        """End the workers."""
        with self._lock:
            workers, self._workers = list(self._workers.values()), {}
        for worker in workers:
            worker.close()

    def _prompt(self, reference: str) -> PromptVersion:
        if reference not in self._known:
            self._known[reference] = self._prompts.show(reference).prompt
        return self._known[reference]

    def _measure(self, request: Measure, job: Job) -> Measured:
        spec = WorkerSpec(
            module="core.evals.worker.scoring", memory=MEMORY, seconds=SECONDS, title="The scoring worker"
        )
        return self._worker("", spec, job, lambda worker: None).call(request, Measured, job)

    def _plugin(self, request: AskPlugin, job: Job) -> PluginScore:
        plugin = plugins.find(request.name, self._folders)
        spec = WorkerSpec(
            module="core.evals.worker.plugins",
            readable=(plugin.folder,),
            memory=MEMORY,
            seconds=SECONDS,
            title=f"The plugin {plugin.name}",
        )

        def plug(worker: Worker) -> None:
            worker.call(Plug(name=plugin.name, target=plugin.target, folder=plugin.folder), Plugged, job)

        return self._worker(f"plugin {plugin.name}", spec, job, plug).call(request, PluginScore, job)

    def _worker(self, name: str, spec: WorkerSpec, job: Job, prepare: Callable[[Worker], None]) -> Worker:
        with self._lock:
            worker = self._workers.get(name)
            if worker is None or not worker.alive:
                worker = self._supervisor.start(spec, job)
                try:
                    prepare(worker)
                except BaseException:
                    worker.close()
                    raise
                self._workers[name] = worker
            return worker

    def _weigh(self, asked: Asked, continuations: tuple[str, ...], job: Job) -> Weighed:
        return self._engine.weigh(
            Weigh(
                model=asked.model,
                messages=asked.messages,
                continuations=continuations,
                variables=asked.variables,
                adapters=asked.adapters,
            ),
            job,
        )

    def _decide(self, decision: Decision, job: Job) -> dict[str, Any]:
        messages, variables = decision.rubric, decision.variables
        if isinstance(messages, str):
            rubric = self._prompt(messages)
            messages, variables = rubric.messages, self._prompts.values(rubric, Given(base=variables))
        request = Generate(
            model=decision.model,
            messages=messages,
            variables=variables,
            schema=decision.schema,
            max_tokens=JUDGED_TOKENS,
            temperature=WARMTH if decision.time else 0.0,
            seed=decision.time,
        )
        text = "".join(part.text for part in self._engine.generate(request, job) if isinstance(part, Token))
        try:
            return msgspec.json.decode(text, type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise BadInput(source="The judge", problem="it wrote no whole verdict.") from error
