"""Labels: who may move them, what is written of it, and what holds them back."""

from collections.abc import Callable, Iterator

import pytest

from core.errors import Refused
from core.inference.records import Message
from core.inference.service import Engine
from core.models import store as models_store
from core.models.service import Models
from core.prompts.records import SavePrompt
from core.prompts.service import LABELS, Prompts
from core.vault import trail_search
from core.vault.unit import Reader
from core.vault.vault import Vault
from core.workers.supervisor import Supervisor

PROMPT = SavePrompt(name="cite", messages=(Message(role="user", content="Say {{ question }}"),))


@pytest.fixture(scope="module")
def supervisor() -> Iterator[Supervisor]:
    with Supervisor() as running:
        yield running


@pytest.fixture
def study(vault_factory: Callable[..., Vault]) -> Vault:
    return vault_factory((models_store.SCHEMA,))


@pytest.fixture
def opened(supervisor: Supervisor) -> Iterator[Callable[..., Prompts]]:
    engines: list[Engine] = []

    def make(vault: Vault, gate: Callable[[Reader, str], str] = lambda _, __: "") -> Prompts:
        engines.append(Engine(Models(vault, supervisor), supervisor))
        return Prompts(vault, engines[-1], gate)

    yield make
    for engine in engines:
        engine.close()


def test_the_common_labels_go_their_way(study: Vault, opened: Callable[..., Prompts]) -> None:
    prompts = opened(study)
    prompts.save(PROMPT)
    assert LABELS == ("draft", "candidate", "approved", "production")
    assert set(prompts.label("cite", "draft").labels) == {"draft"}
    assert set(prompts.label("cite", "candidate", "ready to be measured").labels) == {"draft", "candidate"}
    for label in ("approved", "production"):
        with pytest.raises(Refused):
            prompts.label("cite", label)
    assert set(prompts.show("cite").labels) == {"draft", "candidate"}


def test_each_move_stands_in_the_log(study: Vault, opened: Callable[..., Prompts]) -> None:
    prompts = opened(study)
    prompts.save(PROMPT)
    prompts.label("cite", "candidate", "ready to be measured")
    with study.read() as reader:
        last = trail_search.search(reader, trail_search.TrailQuery(limit=1)).entries[0]
    assert (last.act, last.user, last.reason) == ("label", "ines", "ready to be measured")
    assert ("candidate: none" in last.before, "candidate: 1" in last.after) == (True, True)


def test_a_gate_holds_back_what_the_policy_wants_approved(
    study: Vault, opened: Callable[..., Prompts], passphrases: dict[str, str], reopen: Callable[..., Vault]
) -> None:
    opened(study).save(PROMPT)
    other = reopen(study, "tomas", (models_store.SCHEMA,))
    held = opened(other, lambda _, __: "run-1 doesn't meet its gate.")
    with other.confirm(passphrases["tomas"]) as signer:
        held.approve("cite@1", "", signer)
    assert held.show("cite").labels == ()
    with pytest.raises(Refused, match="run-1 doesn't meet its gate"):
        held.label("cite", "production")
    held.label("cite", "candidate")
