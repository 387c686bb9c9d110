"""The memory of a model before it is loaded, on the command line."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from core.cli.main import share
from core.models.records import AddModel
from core.workbench import Workbench
from core.workers import graphics
from tests.unit.cli.people import Person


@pytest.fixture
def ines(bench: Workbench, person: Callable[..., Person], shared_data: Path) -> Person:
    stories = shared_data / "models" / "stories260K" / "stories260K.gguf"
    bench.models.add(AddModel(path=str(stories), name="stories"))
    share(bench)
    return person("ines")


def test_a_plan_shows_its_parts_and_where_they_lie(ines: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphics, "device_files", lambda: ())
    assert ines("model", "plan", "stories", "--gpu-layers", "0", "--json") == 0
    found = json.loads(ines.output)
    assert found["total"] == sum(found[part] for part in ("weights", "cache", "buffers", "process"))
    assert (found["model"], found["mode"], found["fits"], found["gpu_layers"]) == ("stories", "fast", True, 0)
    assert {"device", "device_weights", "device_cache", "device_buffers", "device_total", "device_free"} <= set(found)
    assert ines("model", "plan", "stories", "--gpu-layers", "0", "--context", "1024", "--mode", "reproducible") == 0
    assert "The processor computes all layers.\nIt fits, with a context of 1024 tokens." in ines.output
    assert ines("model", "plan", "stories") == 0
    assert "The processor computes all layers: llama.cpp finds no graphics card here." in ines.output


def test_what_can_not_be_planned_is_refused(ines: Person) -> None:
    assert ines("model", "plan", "fake") == 9
    assert ines("model", "plan", "absent") == 6
    assert ines("model", "plan", "stories", "--gpu-layers", "-2") == 2
    assert ines("model", "plan", "stories", "--context", "-1") == 2
