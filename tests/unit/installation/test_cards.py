"""The doctor says what llama.cpp can compute on, asked in a worker's sandbox."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from core.installation import cards
from core.jobs import Job
from core.workers.records import WorkerSpec
from core.workers.supervisor import Supervisor
from tests.conftest import REPOSITORY


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
