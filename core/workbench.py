"""The services of one open vault, constructed in the order of the floors. No domain logic."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from core import settings
from core.assistants import api_calls, saved
from core.assistants import store as assistants_store
from core.assistants.api_calls import ApiCalls, ErasableApiCalls
from core.assistants.erasing import ErasableTraces
from core.assistants.service import Assistants
from core.datasets import drafts
from core.datasets.drafting import Drafting
from core.datasets.drafts import ErasableDrafts
from core.datasets.erasing import ErasableDatasets
from core.datasets.examples import examples
from core.datasets.service import Datasets
from core.documents import rebuilding, refreshing
from core.documents import store as documents_store
from core.documents.comparing import Comparing
from core.documents.erasing import ErasableCollections, ErasableDocuments
from core.documents.rebuilding import Rebuilding
from core.documents.refreshing import Refreshing
from core.documents.screening import store as screening_store
from core.documents.screening.service import Screening
from core.documents.service import Documents
from core.documents.tagging import Tagging
from core.documents.watched import Watched
from core.evals import releasing
from core.evals import store as evals_store
from core.evals.erasing import ErasableOutcomes, ErasableRuns
from core.evals.scoring.tools import Scoring
from core.evals.service import Evals
from core.evidence import salts
from core.evidence.service import Evidence
from core.guards import personal
from core.inference.service import Engine
from core.jobs import Job, JobQueue, Visitor, nobody
from core.models import store as models_store
from core.models.aliases import ModelAliases
from core.models.cards import ModelCards, approved_use
from core.models.disk import ModelDisk
from core.models.making import ModelMaking
from core.models.service import Models
from core.models.signatures import ModelSignatures
from core.models.starter import ensure_starters, renew_starters
from core.prompts.service import Prompts
from core.retrieval.service import Retrieval
from core.training import store as training_store
from core.training import sweeps as training_sweeps
from core.training.adapters import AdapterFiles
from core.training.erasing import ErasableTrainings
from core.training.learned import learned
from core.training.service import Trainings
from core.trust.passphrases import Kdf, calibrated
from core.vault import api_tokens
from core.vault.erasable import Erasables
from core.vault.roles import Act, allowed
from core.vault.vault import Vault
from core.workers.supervisor import Supervisor

SCHEMA = (
    models_store.SCHEMA,
    documents_store.SCHEMA,
    refreshing.SCHEMA,
    rebuilding.SCHEMA,
    screening_store.SCHEMA,
    assistants_store.SCHEMA,
    evals_store.SCHEMA,
    salts.SCHEMA,
    drafts.SCHEMA,
    api_tokens.SCHEMA,
    api_calls.SCHEMA,
    training_store.SCHEMA,
    training_sweeps.SCHEMA,
)
"""The tables of every package, as the vault knows them."""

ERASABLES: Erasables = (
    ErasableTraces(),
    ErasableApiCalls(),
    ErasableDocuments(),
    ErasableCollections(),
    ErasableRuns(),
    ErasableOutcomes(),
    ErasableDatasets(),
    ErasableDrafts(),
    ErasableTrainings(),
)
"""The kinds of content that can be held, kept for a time and erased."""


class Workbench:
    """What window, command line and API work with while a vault is open. A context manager; closing locks the vault."""

    def __init__(self, vault: Vault, first: "Workbench | None" = None) -> None:
        """With `first`, its workers are used, and stay open when this one is closed: loaded models and indexes belong to no person."""
        self.vault = vault
        self.events = vault.events
        self._first = first
        self._before_closing: list[Callable[[], None]] = []
        self.jobs = JobQueue()
        self.visitors: Callable[[], Sequence[Visitor]] = nobody
        """Who works here from another process (`core.cli.sharing`)."""
        self.supervisor: Supervisor = first.supervisor if first else Supervisor()
        self.models = Models(vault, self.supervisor)
        self.signatures = ModelSignatures(vault, self.models)
        self.model_aliases = ModelAliases(vault, self.models)
        self.model_disk = ModelDisk(vault, self.models)
        self.making = ModelMaking(vault, self.models, self.supervisor, _threads)
        self.engine: Engine = (
            first.engine if first else Engine(self.models, self.supervisor, _threads, _memory, _context, _gpu_layers)
        )
        self.documents = Documents(vault, self.supervisor, self.engine)
        self.refreshing = Refreshing(vault, self.documents)
        self.watched = Watched(vault, self.refreshing)
        self.rebuilding = Rebuilding(vault, self.supervisor, self.engine, self.documents)
        self.tagging = Tagging(vault)
        self.comparing = Comparing(vault, self.engine)
        self.screening = Screening(vault, self.documents)
        self.retrieval: Retrieval = Retrieval(
            vault, self.supervisor, self.engine, self.documents, first.retrieval if first else None
        )
        self.datasets = Datasets(vault, self.supervisor, personal.kinds_in)
        self.prompts = Prompts(
            vault, self.engine, releasing.blocked, lambda reference: examples(self.datasets, reference)
        )
        self.assistants = Assistants(vault, self.models, self.engine, self.documents, self.retrieval, self.prompts)
        self.api_calls = ApiCalls(vault)
        self.scoring = Scoring(self.models, self.engine, self.prompts, self.supervisor)
        self.evals = Evals(
            vault, self.models, self.documents, self.prompts, self.datasets, self.assistants, self.scoring
        )
        self.model_cards = ModelCards(vault, self.models, lambda run: self.evals.show(run).digest)
        self.models.asked += [approved_use, documents_store.uses_of, saved.uses_of, evals_store.uses_of]
        self.trainings = Trainings(
            vault,
            self.models,
            self.datasets,
            self.engine,
            self.supervisor,
            _threads,
            evals=self.evals,
            documents=self.documents,
        )
        self.adapters = AdapterFiles(vault, self.models, self.trainings, self.supervisor)
        self.sweeps = training_sweeps.Sweeps(vault, self.trainings)
        self.datasets.learned = lambda: learned(vault)
        self.drafting = Drafting(vault, self.models, self.engine, self.retrieval, self.assistants)
        self.evidence = Evidence(vault, self.evals)

    @classmethod
    def create(cls, folder: Path, user: str, name: str, passphrase: str, kdf: Callable[[], Kdf] = calibrated) -> Self:
        """A new vault with its first person (admin and author), which knows the starter models; `kdf` as in `Vault.create`."""
        bench = cls(Vault.create(folder, user, name, passphrase, SCHEMA, kdf))
        try:
            ensure_starters(bench.models, Job("Register the starter models"))
        except BaseException:
            bench.close()
            raise
        return bench

    @classmethod
    def open(cls, folder: Path, user: str, passphrase: str) -> Self:
        """Raises `WrongPassphrase`, `NotFound`, `NewerVault`, `VaultBusy`, `Damaged`."""
        bench = cls(Vault.open(folder, user, passphrase, SCHEMA))
        try:
            if allowed(Act.ADD_MODEL, bench.vault.user.roles):
                renew_starters(bench.models, Job("Look at the starter models"))
        except BaseException:
            bench.close()
            raise
        return bench

    def beside(self, vault: Vault) -> "Workbench":
        """The services for another person of the same open vault (`core.vault.joining`), to be closed before this one."""
        return Workbench(vault, first=self)

    def before_closing(self, callback: Callable[[], None]) -> None:
        """Call `callback` at the beginning of `close`, while everything still works."""
        self._before_closing.append(callback)

    def close(self) -> None:
        """Stop what runs, end the workers, lock the vault."""
        callbacks, self._before_closing = self._before_closing, []
        for callback in callbacks:
            callback()
        self.jobs.close()
        self.documents.close()
        self.scoring.close()
        if self._first is not None:
            return
        self.retrieval.close()
        self.engine.close()
        self.supervisor.close()
        self.vault.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _threads() -> int:
    """How many threads a model may take, as it is set when the model is loaded."""
    return settings.load().threads


def _memory() -> int:
    """Bytes that all models may take; 0 goes by what is free."""
    return settings.load().model_memory * 2**20


def _gpu_layers() -> int:
    """Layers of a model on a graphics card by the settings; -1 takes as many as fit. Raises `BadInput`."""
    return settings.load().gpu_layers


def _context() -> int:
    """Tokens of a context at most; 0 for the usual number."""
    return settings.load().model_context
