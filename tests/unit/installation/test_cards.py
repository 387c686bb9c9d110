"""The doctor says what llama.cpp can compute on, asked in a worker's sandbox."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from core.inference import pool
from core.installation import cards
from core.jobs import Job
from core.models.records import ModelFile
from core.models.worker.library import ADDED
from core.workers import addons, graphics
from core.workers.records import WorkerSpec
from core.workers.supervisor import Supervisor
from tests.conftest import REPOSITORY
from tests.unit.workers.test_every_kind import model as model_file


@pytest.fixture(scope="module")
def supervisor() -> Iterator[Supervisor]:
    with Supervisor() as one:
        yield one


def played(child: str) -> WorkerSpec:
    return replace(cards.SPEC, module=f"tests.unit.workers.children.{child}", readable=(str(REPOSITORY / "tests"),))


def test_a_card_is_named_with_its_memory(supervisor: Supervisor) -> None:
    found = cards.examine(supervisor, Job("Examining"), (), played("carded"))
    assert found.state == "good"
    assert "CUDA0 (Played card) has 24.0 of 25.0 GiB free." in found.sentence
    assert "shares the machine's memory" in found.sentence
    assert (found.figures["cards"], found.figures["free"]) == (2, 24 * 2**30 + 2**34)
    assert supervisor.workers() == ()


def test_a_card_that_llama_cpp_was_not_built_for_is_a_note_and_none_is_no_fault(supervisor: Supervisor) -> None:
    without = played("cardless")
    found = cards.examine(supervisor, Job("Examining"), ("/dev/null",), without)
    assert (found.state, "/dev/null" in found.sentence) == ("note", True)
    assert cards.examine(supervisor, Job("Examining"), (), without).state == "good"


def test_a_llama_cpp_that_does_not_start_is_a_fault(supervisor: Supervisor) -> None:
    found = cards.examine(supervisor, Job("Examining"), (), played("nowhere"))
    assert (found.about, found.state) == ("graphics card", "fault")
    assert "llama.cpp doesn't start here" in found.sentence


def add_on(place: Path, **other: Any) -> tuple[Path, ...]:
    """A folder of add-ons with one for graphics cards, whose back end is no library."""
    site = place / "graphics" / "site" / ADDED
    site.mkdir(parents=True)
    (site / "libggml-cuda.so").write_bytes(b"no library")
    held = addons.AddonFile(path=f"site/{ADDED}/libggml-cuda.so", size=10, sha256="")
    here = {"programs": (addons.release(),), "python": addons.python(), "system": addons.system()} | other
    told = addons.Manifest(name="graphics", release="1", purpose="graphics", packages=(), files=(held,), **here)
    (place / "graphics" / addons.MANIFEST).write_bytes(msgspec.json.encode(told))
    return (place,)


def test_a_back_end_that_cannot_be_loaded_leaves_models_to_the_processor_and_is_told(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    found = cards.examine(supervisor, Job("Examining"), (), cards.SPEC, add_on(tmp_path))
    assert (found.state, found.figures["backends"]) == ("warning", "CPU")
    assert "can't load the add-on" in found.sentence


def test_an_add_on_for_another_program_is_not_used(supervisor: Supervisor, tmp_path: Path) -> None:
    folders = add_on(tmp_path, programs=("9.9.9",))
    found = cards.examine(supervisor, Job("Examining"), (), played("backed"), folders)
    assert (found.state, "9.9.9" in found.sentence) == ("warning", True)
    assert addons.usable("graphics", folders)[0] == ()


def test_an_add_on_that_is_loaded_says_what_it_waits_for(supervisor: Supervisor, tmp_path: Path) -> None:
    folders = add_on(tmp_path)
    without = cards.examine(supervisor, Job("Examining"), (), played("backed"), folders)
    assert (without.state, "is loaded" in without.sentence) == ("good", True)
    undriven = cards.examine(supervisor, Job("Examining"), ("/dev/null",), played("backed"), folders)
    assert (undriven.state, "driver" in undriven.sentence, "580" in undriven.step) == ("note", True, True)


def test_a_model_worker_gets_the_add_on_only_where_there_are_cards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = add_on(tmp_path)
    monkeypatch.setattr(addons, "places", lambda: places)
    model: ModelFile = model_file(tmp_path, "m")
    assert pool.Slot(model, cards=True).spec.imports == ()
    monkeypatch.setattr(graphics, "device_files", lambda: ("/dev/null",))
    assert pool.Slot(model, cards=True).spec.imports == (str(tmp_path / "graphics" / "site"),)
    assert pool.Slot(model, cards=False).spec.imports == ()
