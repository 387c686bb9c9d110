"""An engine over a small vault, with a real tiny chat model and, where it is built, the starter embedder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.inference.service import Engine
from core.models import store
from core.models.records import AddModel
from core.models.service import Models
from core.models.starter import EMBEDDER, STARTERS
from core.trust.passphrases import Kdf, new_kdf
from core.vault.vault import Vault
from core.workers.supervisor import Supervisor


def weak() -> Kdf:
    return new_kdf(memory=8192, passes=1)


@pytest.fixture(scope="module")
def supervisor() -> Iterator[Supervisor]:
    with Supervisor() as made:
        yield made


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory, supervisor: Supervisor) -> Iterator[Models]:
    folder = tmp_path_factory.mktemp("vault") / "A.assay"
    with Vault.create(folder, "ana", "Ana", "several words together", (store.SCHEMA,), kdf=weak) as vault:
        yield Models(vault, supervisor)


@pytest.fixture
def engine(models: Models, supervisor: Supervisor) -> Iterator[Engine]:
    made = Engine(models, supervisor)
    yield made
    made.close()


@pytest.fixture(scope="module")
def warm(models: Models, supervisor: Supervisor) -> Iterator[Engine]:
    """An engine whose models stay loaded from test to test."""
    made = Engine(models, supervisor)
    yield made
    made.close()


@pytest.fixture(scope="module")
def stories_file(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("models") / "stories.gguf"
    copy.write_bytes((shared_data / "models" / "stories260K" / "stories260K.gguf").read_bytes())
    return copy


@pytest.fixture(scope="module")
def stories(stories_file: Path, models: Models) -> str:
    """The name of a real Llama of 260,000 parameters, without a chat template."""
    return models.add(AddModel(path=str(stories_file), name="stories")).name


@pytest.fixture(scope="module")
def embedder(models: Models) -> str:
    path = STARTERS[EMBEDDER]
    if not path.is_file():
        pytest.skip(f"{path.name} is not built; `make setup` builds it")
    return models.add(AddModel(path=str(path), name=EMBEDDER)).name
