"""A small vault with a registry of models, and workers that end with the test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.models import store
from core.models.service import Models
from core.trust.passphrases import Kdf, new_kdf
from core.vault.vault import Vault
from core.workers.supervisor import Supervisor


def weak() -> Kdf:
    return new_kdf(memory=8192, passes=1)


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    with Supervisor() as made:
        yield made


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    folder = tmp_path / "A.assay"
    with Vault.create(folder, "ana", "Ana", "several words together", (store.SCHEMA,), kdf=weak) as made:
        yield made


@pytest.fixture
def models(vault: Vault, supervisor: Supervisor) -> Models:
    return Models(vault, supervisor)


@pytest.fixture
def stories(shared_data: Path, tmp_path: Path) -> Path:
    """A copy of a real model of 260,000 parameters, to move, cut and change."""
    copy = tmp_path / "stories.gguf"
    copy.write_bytes((shared_data / "models" / "stories260K" / "stories260K.gguf").read_bytes())
    return copy
