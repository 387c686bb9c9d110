"""What the API calls a model: aliases, models with an adapter, and what the policy lets answer."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import openai
import pytest

from core.inference.records import AdapterUse, Generate, Message, Token
from core.models.records import AddModel, MoveAlias, SaveCard
from core.records import Digest
from core.vault import policies
from core.workbench import Workbench
from tests.conftest import PASSPHRASES, weak_kdf
from tests.unit.inference import loras

Post = Callable[..., httpx.Response]
ONCE = "Once upon a time"


@pytest.fixture(scope="module")
def tone(bench: Workbench, stories: str, shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An adapter for the real model."""
    base = shared_data / "models" / "stories260K" / "stories260K.gguf"
    path = loras.written(tmp_path_factory.mktemp("adapters") / "tone.gguf", loras.pairs(base, 1))
    return bench.models.add(AddModel(path=str(path))).name


@pytest.fixture
def strict(bench: Workbench) -> Iterator[None]:
    """A policy that wants approved models."""

    def change(value: str) -> None:
        with bench.vault.confirm(PASSPHRASES["ines"]) as signer:
            policies.change(bench.vault, {"approved-models": value}, "as agreed", signer)

    change("answers")
    yield
    change("no")


def directly(bench: Workbench, model: str, *uses: tuple[str, float]) -> str:
    adapters = tuple(AdapterUse(model=name, scale=scale) for name, scale in uses)
    messages = (Message(role="text", content=ONCE),)
    request = Generate(model=model, messages=messages, max_tokens=12, adapters=adapters)
    return "".join(part.text for part in bench.engine.generate(request) if isinstance(part, Token))


def test_an_alias_answers_as_its_model_and_is_listed(client: openai.OpenAI, bench: Workbench, stories: str) -> None:
    bench.model_aliases.move(MoveAlias(name="teller", model=stories))
    answer = client.completions.create(model="teller", prompt=ONCE, max_tokens=12, temperature=0, seed=0)
    assert answer.choices[0].text == directly(bench, stories)
    trace = bench.api_calls.show(Digest(answer.assay["trace"]))
    assert (trace.model, trace.model_digest) == ("teller", bench.models.show(stories).digest)
    listed = {one.id: one.assay for one in client.models.list().data}
    assert listed["teller"]["alias_of"] == stories
    assert client.models.retrieve("teller").assay["digest"] == listed[stories]["digest"]
    bench.model_aliases.end("teller")
    assert "teller" not in {one.id for one in client.models.list().data}
    with pytest.raises(openai.NotFoundError):
        client.completions.create(model="teller", prompt=ONCE)


def test_a_model_with_an_adapter_has_a_name_of_its_own(
    client: openai.OpenAI, bench: Workbench, stories: str, templated: str, tone: str
) -> None:
    names = {one.id: one.assay for one in client.models.list().data}
    assert names[f"{stories}+{tone}"]["adapters"] == [{"model": tone, "scale": 1.0}]
    assert f"collection:towers/{stories}+{tone}" not in names
    texts = set()
    for said, uses in (("", ()), (f"+{tone}", ((tone, 1.0),)), (f"+{tone}:0.5", ((tone, 0.5),))):
        answer = client.completions.create(
            model=stories + said, prompt=ONCE, max_tokens=12, temperature=0, seed=0, stream=False
        )
        assert answer.choices[0].text == directly(bench, stories, *uses)
        trace = bench.api_calls.show(Digest(answer.assay["trace"]))
        assert trace.adapters == tuple(f"{bench.models.show(name).digest} {scale:g}" for name, scale in uses)
        texts.add((answer.choices[0].text, answer.system_fingerprint))
    assert len(texts) == 3
    hello = [{"role": "user", "content": "Hello"}]
    said = client.chat.completions.create(model=f"{templated}+{tone}", messages=hello, max_tokens=4)
    assert bench.api_calls.show(Digest(said.assay["trace"])).adapters


def test_adapters_that_nothing_can_follow_are_refused(post: Post, stories: str, tone: str) -> None:
    chat = {"messages": [{"role": "user", "content": "How many floors?"}]}
    for model, status, words in (
        (f"{stories}+{tone}:much", 422, "a number"),
        (f"{stories}+{tone}:1000", 422, "from -100 to 100"),
        (f"{stories}+nobody", 404, "no model nobody"),
        (f"{stories}+{stories}", 415, "no adapter"),
        (f"{stories}+{tone}+{tone}", 422, "named twice"),
        (tone, 415, "writes no text"),
    ):
        answer = post("/v1/completions", model=model, prompt=ONCE, max_tokens=2)
        assert words in answer.json()["error"]["message"], answer.text
        assert answer.status_code in (status, 400), (model, answer.text)
    assert "without adapters" in post("/v1/chat/completions", model=f"collection:towers/{stories}+{tone}", **chat).text
    weighed = {"prompt": ONCE, "echo": True, "logprobs": 1, "max_tokens": 0}
    assert "without adapters" in post("/v1/completions", model=f"{stories}+{tone}", **weighed).text
    assert "Name the model alone" in post("/v1/embeddings", model=f"{stories}+{tone}", input="x").text


@pytest.mark.usefixtures("strict")
def test_a_policy_that_wants_approved_models_holds_for_programs_too(
    post: Post, bench: Workbench, stories: str, templated: str, tone: str
) -> None:
    hello = [{"role": "user", "content": "Hello"}]
    for path, more in (
        ("/v1/chat/completions", {"model": templated, "messages": hello}),
        ("/v1/chat/completions", {"model": f"collection:towers/{templated}", "messages": hello}),
        ("/v1/completions", {"model": stories, "prompt": ONCE}),
        ("/v1/completions", {"model": stories, "prompt": ONCE, "stream": True}),
        ("/v1/completions", {"model": stories, "prompt": ONCE, "echo": True, "max_tokens": 0}),
    ):
        answer = post(path, max_tokens=2, **more) if "max_tokens" not in more else post(path, **more)
        assert (answer.status_code, "nobody approved" in answer.text) == (403, True), answer.text
        trace = bench.api_calls.list(1)[0][1]
        assert (trace.status, trace.answers) == (403, ())


def test_an_approved_model_answers_and_its_adapter_needs_an_approval_too(
    post: Post, bench: Workbench, stories: str, tone: str, strict: None
) -> None:
    from core.models.records import SignCard
    from core.vault import people
    from core.vault.joining import Joined

    words = "a bell rings under the lake"
    with bench.vault.confirm(PASSPHRASES["ines"]) as signer:
        people.add(bench.vault, signer, "ria", "Ria", ("reviewer",), words, kdf=weak_kdf)
    asked = {"prompt": ONCE, "max_tokens": 2}
    for model in (stories, tone):
        assert post("/v1/completions", model=f"{stories}+{tone}", **asked).status_code == 403
        bench.model_cards.save(SaveCard(model=model, intended="stories"))
        theirs = bench.beside(Joined(bench.vault, "ria"))
        with theirs.vault.confirm(words) as signer:
            theirs.model_cards.sign(SignCard(reference=model, meaning="approved", reason="fits"), signer)
        theirs.close()
        assert post("/v1/completions", model=stories, **asked).status_code == 200
    assert post("/v1/completions", model=f"{stories}+{tone}", **asked).status_code == 200
