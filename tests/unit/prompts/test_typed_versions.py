import json
from collections.abc import Callable, Iterator

import pytest

from core.errors import BadInput, TemplateError
from core.inference.records import Message
from core.inference.service import Engine
from core.models import store as models_store
from core.models.service import Models
from core.prompts.contracts import check_contract, grammar, kept
from core.prompts.records import Contract, Given, PromptVersion, Sampling, SavePrompt, Variable
from core.prompts.service import Prompts, as_text, content, signing_text
from core.records import Json
from core.trust.canonical import NONCE, canonical, digest, record_bytes, record_from
from core.vault.vault import Vault
from core.workers.supervisor import Supervisor

OLD = {
    "author": "ines",
    "messages": [{"content": "Say {{ question }}", "role": "user", "version": 1}],
    "name": "cite",
    "notes": "",
    "number": 1,
    "parent": None,
    "saved": "2026-01-01T00:00:00+00:00",
    "type": "prompt-version",
    "version": 1,
}
TYPED = SavePrompt(
    name="label",
    messages=(
        Message(role="system", content="Be {{ tone }}."),
        Message(role="user", content="{% for e in shots %}{{ e.input }}: {{ e.target }}\n{% endfor %}{{ question }}"),
    ),
    variables=(
        Variable(name="tone", kind="choice", choices=("calm", "warm"), default="calm"),
        Variable(name="shots", kind="examples", dataset="notes", count=1),
    ),
    contract=Contract(form="choice", choices=("yes", "no")),
    settings=Sampling(temperature=0.5, max_tokens=8),
)


def examples(reference: str) -> tuple[str, tuple[dict[str, Json], ...]]:
    return "notes@4", ({"input": "a", "target": "yes"}, {"input": "b", "target": "no"})


@pytest.fixture(scope="module")
def supervisor() -> Iterator[Supervisor]:
    with Supervisor() as running:
        yield running


@pytest.fixture
def prompts(vault_factory: Callable[..., Vault], supervisor: Supervisor) -> Iterator[Prompts]:
    vault = vault_factory((models_store.SCHEMA,))
    engine = Engine(Models(vault, supervisor), supervisor)
    yield Prompts(vault, engine, examples=examples)
    engine.close()


def test_a_version_of_before_opens_with_its_digest() -> None:
    stored = canonical({"kind": "prompt-version", "nonce": bytes(NONCE).hex(), "record": OLD})
    old, nonce = record_from(stored, PromptVersion)
    assert (old.declared, old.promised, old.sampling) == ((), Contract(), Sampling())
    assert digest(record_bytes(old, nonce)) == digest(stored)


def test_a_plain_prompt_is_stored_as_before(prompts: Prompts) -> None:
    saved = prompts.save(SavePrompt(name="cite", messages=(Message(role="user", content="Say {{ question }}"),)))
    with prompts._vault.read() as reader:
        record = json.loads(reader.raw(saved.digest, PromptVersion))["record"]
    assert record.keys() == OLD.keys()
    assert record["version"] == 1


def test_a_typed_prompt_is_kept_whole_and_its_dataset_as_a_version(prompts: Prompts) -> None:
    saved = prompts.save(TYPED)
    assert not prompts.save(TYPED).created
    version = prompts.show("label@1").prompt
    assert version.version == 2
    assert version.declared[1].dataset == "notes@4"
    assert (version.promised, version.sampling) == (TYPED.contract, TYPED.settings)
    assert content(version).messages == TYPED.messages
    assert saved.prompt == version
    for said in ("tone: choice; of calm, warm", "one of: yes, no", "temperature 0.5", "notes@4, the first 1"):
        assert said in as_text(version)
        assert said in signing_text(version)


def test_it_is_rendered_with_its_values_and_compared_so(prompts: Prompts) -> None:
    prompts.save(TYPED)
    given = Given(values={"tone": "warm"}, base={"question": "c"})
    rendered = prompts.rendered(prompts.show("label").prompt, given)
    assert [message.content for message in rendered] == ["Be warm.", "a: yes\nc"]
    changed = SavePrompt(name="label", messages=(TYPED.messages[1],), variables=TYPED.variables[1:])
    prompts.save(changed)
    parts = prompts.diff_rendered("label@1", "label@2", given)
    assert "Be warm." in "".join(part.text for part in parts if part.kind == "removed")
    assert "".join(part.text for part in parts if part.kind != "removed") == "user:\na: yes\nc"
    preview = prompts.preview(TYPED, given)
    assert [message.content for message in preview.messages] == ["Be warm.", "a: yes\nc"]


def test_tokens_of_a_preview_are_counted(prompts: Prompts) -> None:
    preview = prompts.preview(TYPED, Given(base={"question": "c"}), "fake")
    assert preview.tokens > 5
    assert preview.window == 4096


def test_what_is_read_and_not_declared_is_named_with_its_line(prompts: Prompts) -> None:
    wrong = SavePrompt(
        name="label",
        messages=(Message(role="user", content="{{ tone }}\n\n{{ toen }}"),),
        variables=(Variable(name="tone"),),
    )
    with pytest.raises(TemplateError, match="variable toen, line 3: it isn't declared"):
        prompts.save(wrong)
    assert prompts.list() == ()


@pytest.mark.parametrize(
    ("contract", "said"),
    [
        (Contract(form="choice"), "needs the answers"),
        (Contract(form="choice", choices=("a", "a")), "each once"),
        (Contract(form="json"), "needs its schema"),
        (Contract(schema={}), "only JSON has a schema"),
        (Contract(form="json", schema={}, choices=("a",)), "only a choice"),
    ],
)
def test_a_contract_that_can_not_be_kept_is_refused(contract: Contract, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        check_contract(contract, "p")


def test_settings_that_no_model_follows_are_refused(prompts: Prompts) -> None:
    message = (Message(role="user", content="x"),)
    for settings in (Sampling(temperature=11), Sampling(top_p=0), Sampling(max_tokens=0), Sampling(stop=("",))):
        with pytest.raises(BadInput, match="p, settings"):
            prompts.save(SavePrompt(name="p", messages=message, settings=settings))


def test_a_finished_answer_is_held_to_its_contract() -> None:
    choice = Contract(form="choice", choices=("yes", "no"))
    assert kept(Contract(), "anything", "") == ("", "")
    assert kept(choice, " yes\n", "") == ("kept", "")
    assert kept(choice, "yes, but", "")[0] == "broken"
    assert kept(Contract(form="json", schema={}), "{", "it was cut off.") == ("broken", "it was cut off.")
    assert grammar(('say "no"', "né")) == 'root ::= "say \\"no\\"" | "né"'
