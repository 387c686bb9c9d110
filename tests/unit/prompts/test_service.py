from collections.abc import Callable, Iterator

import pytest

from core.errors import BadInput, NotFound, Refused, TemplateError
from core.inference.records import Message
from core.inference.service import Engine
from core.models import store as models_store
from core.models.service import Models
from core.prompts.records import SavePrompt, SignPrompt
from core.prompts.service import Prompts
from core.vault import policies
from core.vault.vault import Vault
from core.workers.supervisor import Supervisor
from tests.conftest import weak_kdf


def prompt(content: str, name: str = "cite") -> SavePrompt:
    return SavePrompt(name=name, messages=(Message(role="user", content=content),))


@pytest.fixture(scope="module")
def supervisor() -> Iterator[Supervisor]:
    with Supervisor() as running:
        yield running


@pytest.fixture
def study(vault_factory: Callable[..., Vault]) -> Vault:
    return vault_factory((models_store.SCHEMA,))


@pytest.fixture
def make_prompts(supervisor: Supervisor) -> Iterator[Callable[[Vault], Prompts]]:
    engines: list[Engine] = []

    def make(vault: Vault) -> Prompts:
        engine = Engine(Models(vault, supervisor), supervisor)
        engines.append(engine)
        return Prompts(vault, engine)

    yield make
    for engine in engines:
        engine.close()


def test_saving_changed_content_makes_the_next_version(study: Vault, make_prompts: Callable[[Vault], Prompts]) -> None:
    prompts = make_prompts(study)
    first = prompts.save(prompt("Say {{ question }}"))
    again = prompts.save(prompt("Say {{ question }}"))
    second = prompts.save(prompt("Say briefly: {{ question }}"))
    assert [(s.prompt.reference, s.created) for s in (first, again, second)] == [
        ("cite@1", True),
        ("cite@1", False),
        ("cite@2", True),
    ]
    assert second.prompt.parent == first.digest
    assert [state.prompt.number for state in prompts.versions("cite")] == [2, 1]
    assert prompts.show("cite").digest == second.digest
    assert prompts.show("cite@1").prompt.messages[0].content == "Say {{ question }}"


def test_a_broken_template_is_not_kept_and_names_its_line(
    study: Vault, make_prompts: Callable[[Vault], Prompts]
) -> None:
    prompts = make_prompts(study)
    with pytest.raises(TemplateError, match="line 2"):
        prompts.save(prompt("fine\n{% for p in passages %}{{ p.text }"))
    assert prompts.list() == ()


@pytest.mark.parametrize(
    "request_",
    [
        prompt("x", name="two words"),
        prompt("x", name="12"),
        SavePrompt(name="cite", messages=()),
        SavePrompt(name="cite", messages=(Message(role="oracle", content="x"),)),
    ],
)
def test_what_can_not_be_a_prompt_is_refused(
    study: Vault, make_prompts: Callable[[Vault], Prompts], request_: SavePrompt
) -> None:
    with pytest.raises(BadInput):
        make_prompts(study).save(request_)


def test_labels_point_at_versions(study: Vault, make_prompts: Callable[[Vault], Prompts]) -> None:
    prompts = make_prompts(study)
    prompts.save(prompt("one"))
    prompts.save(prompt("two"))
    assert prompts.label("cite@1", "trial").labels == ("trial",)
    assert prompts.show("cite@trial").prompt.number == 1
    prompts.label("cite@2", "trial")
    assert prompts.show("cite@trial").prompt.number == 2
    with pytest.raises(Refused):
        prompts.label("cite@2", "approved")
    with pytest.raises(NotFound, match="versions 1 to 2"):
        prompts.show("cite@7")


def test_production_waits_for_the_signatures_that_the_policy_asks_for(
    study: Vault, make_prompts: Callable[[Vault], Prompts], passphrases: dict[str, str], reopen: Callable[..., Vault]
) -> None:
    prompts = make_prompts(study)
    prompts.save(prompt("one"))
    with study.confirm(passphrases["ines"]) as signer:
        prompts.sign(SignPrompt(reference="cite@1", meaning="authored"), signer)
    with pytest.raises(Refused, match="one person besides its author; so far there are 0"):
        prompts.label("cite@1", "production")
    other = reopen(study, "tomas", (models_store.SCHEMA,))
    prompts = make_prompts(other)
    with other.confirm(passphrases["tomas"]) as signer:
        prompts.sign(SignPrompt(reference="cite@1", meaning="reviewed"), signer)
        with pytest.raises(Refused, match="signed it as approved"):
            prompts.label("cite@1", "production")
        assert prompts.show("cite@1").labels == ()
        prompts.approve("cite@1", "Fit for use.", signer)
    assert set(prompts.label("cite@1", "production").labels) == {"approved", "production"}


def test_where_two_must_have_judged_the_second_moves_the_label(
    study: Vault, make_prompts: Callable[[Vault], Prompts], passphrases: dict[str, str], reopen: Callable[..., Vault]
) -> None:
    prompts = make_prompts(study)
    prompts.save(prompt("one"))
    with study.confirm(passphrases["ines"]) as signer:
        policies.change(study, {"approved.reviewers": "2"}, "two pairs of eyes", signer)
        study.add_user(signer, "rea", "Rea Reviewer", ("reviewer",), passphrases["tomas"], kdf=weak_kdf)
    tomas = reopen(study, "tomas", (models_store.SCHEMA,))
    prompts = make_prompts(tomas)
    with tomas.confirm(passphrases["tomas"]) as signer:
        prompts.sign(SignPrompt(reference="cite@1", meaning="reviewed"), signer)
        prompts.approve("cite@1", "Fit for use.", signer)
    assert prompts.show("cite@1").labels == (), "one person twice is one person"
    tomas.close()
    with Vault.open(study.folder, "rea", passphrases["tomas"], (models_store.SCHEMA,)) as rea:
        prompts = make_prompts(rea)
        with rea.confirm(passphrases["tomas"]) as signer:
            prompts.sign(SignPrompt(reference="cite@1", meaning="reviewed"), signer)
        assert prompts.show("cite@1").labels == ("approved",)


def test_the_author_signs_and_another_person_approves(
    study: Vault,
    make_prompts: Callable[[Vault], Prompts],
    passphrases: dict[str, str],
    reopen: Callable[..., Vault],
) -> None:
    prompts = make_prompts(study)
    prompts.save(prompt("one"))
    with study.confirm(passphrases["ines"]) as signer:
        prompts.sign(SignPrompt(reference="cite@1", meaning="authored"), signer)
        for meaning in ("reviewed", "approved"):
            with pytest.raises(Refused):
                prompts.sign(SignPrompt(reference="cite@1", meaning=meaning), signer)
    other = reopen(study, "tomas", (models_store.SCHEMA,))
    prompts = make_prompts(other)
    with other.confirm(passphrases["tomas"]) as signer:
        with pytest.raises(Refused, match="ines wrote this version"):
            prompts.sign(SignPrompt(reference="cite@1", meaning="authored"), signer)
        signature = prompts.approve("cite@1", "Fit for use.", signer)
    state = prompts.show("cite@approved")
    assert (state.prompt.number, signature.reason) == (1, "Fit for use.")
    assert [meaning for meaning, _ in state.signed] == ["authored", "approved"]
