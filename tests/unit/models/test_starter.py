"""Starter models in vaults that are older than the program's files."""

import os
from pathlib import Path
from types import MappingProxyType

import pytest

from core.errors import Changed
from core.models import starter
from core.models.records import AddModel
from core.models.service import Models
from core.vault.vault import Vault


@pytest.fixture
def shipped(stories: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One starter model, of which a vault may know an earlier file."""
    monkeypatch.setattr(starter, "STARTERS", MappingProxyType({"starter-chat": stories}))
    return stories


def replaced(path: Path) -> None:
    """Another file in its place, with the same header and one other weight."""
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(1, 1))


def test_a_file_that_an_update_replaced_is_registered_anew(models: Models, vault: Vault, shipped: Path) -> None:
    (known,) = starter.ensure_starters(models)
    assert starter.renew_starters(models) == ()
    replaced(shipped)
    with pytest.raises(Changed):
        models.located("starter-chat")
    (renewed,) = starter.renew_starters(models)
    assert renewed.digest != known.digest
    assert models.located("starter-chat") == renewed
    assert models.list() == (renewed,)
    with vault.read() as reader:
        size = reader.log_size
    os.utime(shipped, ns=(2, 2))
    assert starter.renew_starters(models) == ()
    with vault.read() as reader:
        assert reader.log_size == size, "nothing is logged where nothing changed"


def test_what_was_removed_or_lies_elsewhere_stays_as_it_is(models: Models, shipped: Path, tmp_path: Path) -> None:
    assert starter.renew_starters(models) == ()
    own = tmp_path / "own.gguf"
    own.write_bytes(shipped.read_bytes())
    models.add(AddModel(path=str(own), name="starter-chat"))
    replaced(own)
    assert starter.renew_starters(models) == ()


def test_a_shipped_file_that_is_damaged_keeps_nobody_out(models: Models, shipped: Path) -> None:
    (known,) = starter.ensure_starters(models)
    shipped.write_bytes(b"GGUF")
    assert starter.renew_starters(models) == ()
    assert models.show("starter-chat") == known
