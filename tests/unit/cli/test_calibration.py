"""`assay documents calibration`."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.vault.vault import Vault
from core.workbench import SCHEMA, Workbench
from tests.unit.cli.test_indexing import Desk


@pytest.fixture
def desk(vault_factory: Callable[..., Vault], tmp_path: Path) -> Iterator[Desk]:
    with Workbench(vault_factory(SCHEMA)) as bench:
        yield Desk(bench, tmp_path)


def test_the_curve_is_shown_with_intervals(desk: Desk) -> None:
    assert desk("documents", "calibration") == 0
    assert "90 questions over eu-law and nist-800-63-3, 56 of which the documents answer." in desk.output
    assert "right of these" in desk.output
    assert desk("documents", "calibration", "--json") == 0
    found = json.loads(desk.output)
    assert (found["questions"], found["answerable"], found["needed"]) == (90, 56, 0.5)
    answered = [one["answered"]["number"] for one in found["curve"]]
    assert answered == sorted(answered, reverse=True)
    assert all(
        one["right"]["low"] <= (one["right"]["share"] or 0) <= one["right"]["high"] for one in found["reliability"]
    )
