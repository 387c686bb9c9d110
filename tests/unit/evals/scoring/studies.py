"""Evaluations over a vault with real services."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

from core.assistants.service import Assistants
from core.datasets.service import Datasets
from core.documents.service import Documents
from core.evals.scoring.tools import Scoring
from core.evals.service import Evals
from core.inference.service import Engine
from core.models.service import Models
from core.prompts.service import Prompts
from core.retrieval.service import Retrieval
from core.vault.vault import Vault
from core.workbench import SCHEMA
from core.workers.supervisor import Supervisor


@contextmanager
def study(vault_factory: Callable[..., Vault], plugin_folders: tuple[Path, ...] = ()) -> Iterator[SimpleNamespace]:
    vault = vault_factory(SCHEMA)
    with Supervisor() as supervisor:
        models = Models(vault, supervisor)
        engine = Engine(models, supervisor)
        documents = Documents(vault, supervisor, engine, embedder="fake")
        retrieval = Retrieval(vault, supervisor, engine, documents)
        prompts, datasets = Prompts(vault, engine), Datasets(vault)
        assistants = Assistants(vault, models, engine, documents, retrieval, prompts)
        scoring = Scoring(models, engine, prompts, supervisor, plugin_folders)
        evals = Evals(vault, models, documents, prompts, datasets, assistants, scoring)
        yield SimpleNamespace(
            evals=evals, models=models, prompts=prompts, datasets=datasets, documents=documents, scoring=scoring
        )
        scoring.close()
        retrieval.close()
        documents.close()
        engine.close()
