"""A vault in which the built-in model is evaluated over one small document."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from core.assistants.service import Assistants
from core.datasets.records import AddDataset
from core.datasets.service import Datasets
from core.documents.records import AddDocuments
from core.documents.service import Documents
from core.evals.service import Evals
from core.inference.records import Message
from core.inference.service import Engine
from core.jobs import Job
from core.models.service import Models
from core.prompts.records import SavePrompt
from core.prompts.service import Prompts
from core.retrieval.service import Retrieval
from core.vault.vault import Vault
from core.workbench import SCHEMA
from core.workers.supervisor import Supervisor
from tests.unit.evals.towers import QUESTIONS, TEMPLATE, TEXT


@pytest.fixture
def study(vault_factory: Callable[..., Vault], tmp_path: Path) -> Iterator[SimpleNamespace]:
    vault = vault_factory(SCHEMA)
    with Supervisor() as supervisor:
        models = Models(vault, supervisor)
        engine = Engine(models, supervisor)
        documents = Documents(vault, supervisor, engine, embedder="fake")
        retrieval = Retrieval(vault, supervisor, engine, documents)
        prompts, datasets = Prompts(vault, engine), Datasets(vault)
        assistants = Assistants(vault, models, engine, documents, retrieval, prompts)
        evals = Evals(vault, models, documents, prompts, datasets, assistants)
        (tmp_path / "tower.md").write_text(TEXT)
        (tmp_path / "towers.jsonl").write_text(QUESTIONS)
        documents.add(AddDocuments(collection="towers", paths=(str(tmp_path / "tower.md"),)), Job("Add"))
        datasets.add(AddDataset(name="towers", path=str(tmp_path / "towers.jsonl")), Job("Add"))
        for text in (TEMPLATE, f"Cite.\n{TEMPLATE}"):
            prompts.save(SavePrompt(name="cite", messages=(Message(role="user", content=text),)))
        yield SimpleNamespace(
            evals=evals,
            vault=vault,
            prompts=prompts,
            datasets=datasets,
            models=models,
            documents=documents,
            assistants=assistants,
        )
        retrieval.close()
        documents.close()
        engine.close()
