"""Settings, repetitions, adapters and closed books."""

from types import SimpleNamespace

import msgspec
import pytest

from core.assistants.records import Question
from core.datasets.records import Sample
from core.errors import BadInput, NotFound
from core.evals import tasks
from core.evals.records import RunSpec, Settings, Spec, Variant
from core.inference.records import AdapterUse, Message
from core.jobs import Job
from core.prompts.records import SavePrompt
from tests.unit.evals.towers import SPEC

CLOSED = Spec(name="closed", dataset="towers", prompts=("bare",), models=("fake",), scorers=("contains", "refusal"))
WARM = Settings(name="warm", temperature=0.8, max_tokens=9)


def bare(study: SimpleNamespace) -> None:
    study.prompts.save(SavePrompt(name="bare", messages=(Message(role="user", content="{{ question }}"),)))


def test_a_closed_book_asks_the_model_alone(study: SimpleNamespace) -> None:
    bare(study)
    study.evals.save(CLOSED)
    view = study.evals.run(RunSpec(reference="closed"), Job("Run"))
    answers = [outcome.answer for _, outcome in study.evals.outcomes("latest")]
    assert (view.run.collection, view.run.documents, view.run.embedder) == ("", (), "")
    assert [(answer.passages, answer.citations) for answer in answers] == [((), ())] * 3
    assert {answer.rendered for answer in answers} == {
        f"user: {text}\n"
        for text in ("How many floors has the tower?", "When does the gate close?", "Who painted the roof?")
    }


def test_repetitions_have_seeds_of_their_own_and_count_once_for_each_sample(study: SimpleNamespace) -> None:
    bare(study)
    study.evals.save(msgspec.structs.replace(CLOSED, settings=(WARM, Settings(name="cold")), repetitions=3, seed=5))
    view = study.evals.run(RunSpec(reference="closed"), Job("Run"))
    held = [outcome for _, outcome in study.evals.outcomes("latest")]
    assert (view.status, view.run.repetitions, len(held)) == ("finished", 3, 18)
    warm = [o for o in held if o.variant == "bare@1 / fake / warm" and o.sample == "q1"]
    cold = [o for o in held if o.variant == "bare@1 / fake / cold" and o.sample == "q1"]
    assert [o.repetition for o in warm] == [0, 1, 2]
    assert [o.answer.question.seed for o in warm] == [5, 6, 7]
    assert (len({o.answer.answer for o in warm}), len({o.answer.answer for o in cold})) == (3, 1)
    assert (warm[0].answer.question.temperature, warm[0].answer.question.max_tokens) == (0.8, 9)
    for metric in view.result.variants[0].metrics:
        own: dict[str, list[float]] = {}
        for outcome in (o for o in held if o.variant == view.result.variants[0].name):
            for score in outcome.scores:
                if score.scorer == metric.scorer:
                    own.setdefault(outcome.sample, []).append(score.value)
        one_and_the_same = all(len(set(values)) == 1 for values in own.values())
        assert metric.method == ("wilson" if one_and_the_same else "bootstrap")
    assert [metric.n for metric in view.result.variants[0].metrics] == [2, 3]
    assert view.result.variants[0].passed + view.result.variants[0].failed == 9


def test_settings_that_search_alike_ask_the_quotes_once(study: SimpleNamespace) -> None:
    ways = (WARM, Settings(name="few", passages=1), Settings(name="few too", passages=1, temperature=0.1))
    study.evals.save(msgspec.structs.replace(SPEC, prompts=("cite@1",), settings=ways, criteria=()))
    view = study.evals.run(RunSpec(reference="towers"), Job("Run"))
    assert [variant.name for variant in view.run.variants] == [
        *(f"cite@1 / fake / {name}" for name in ("warm", "few", "few too")),
        "quotes",
        "quotes / few",
    ]
    counts = {o.variant: len(o.answer.passages) for _, o in study.evals.outcomes("latest")}
    assert (counts["quotes / few"], counts["cite@1 / fake / few"]) == (1, 1)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"repetitions": 0}, "repetitions is 0"),
        ({"settings": (WARM, WARM)}, "no two the same"),
        ({"settings": (Settings(name=" "),)}, "need a name"),
        ({"settings": (Settings(name="odd", temperature=-1.0),)}, "temperature of the settings odd"),
        ({"settings": (Settings(name="odd", top_p=0.0),)}, "top_p of the settings odd"),
        ({"settings": (Settings(name="odd", passages=0),)}, "passages of the settings odd"),
        ({"include_quotes": True}, "quotes need documents"),
    ],
)
def test_settings_that_mean_nothing_are_refused(study: SimpleNamespace, changes: dict[str, object], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        study.evals.save(msgspec.structs.replace(CLOSED, **changes))


def test_what_settings_name_must_be_there(study: SimpleNamespace) -> None:
    bare(study)
    for settings in (Settings(name="a", adapters=(AdapterUse(model="none"),)), Settings(name="a", collection="none")):
        with pytest.raises(NotFound):
            study.evals.save(msgspec.structs.replace(CLOSED, settings=(settings,)))


def test_adapters_stand_in_the_run_by_their_digests(study: SimpleNamespace) -> None:
    bare(study)
    digest = study.models.show("fake").digest
    spec = msgspec.structs.replace(
        CLOSED, settings=(Settings(name="a", adapters=(AdapterUse(model="fake", scale=0.5),)),)
    )
    (variant,) = tasks.variants_of(spec, study.prompts, study.models, study.documents)
    assert variant.settings.adapters == (AdapterUse(model=digest, scale=0.5),)
    assert tasks.used((variant,)) == (digest,)


def test_tasks_keep_a_model_and_its_adapters_together() -> None:
    def variant(name: str, model: str, *adapters: str) -> Variant:
        settings = Settings(name=name, adapters=tuple(AdapterUse(model=adapter) for adapter in adapters))
        return Variant(name=name, prompt="p@1", prompt_digest="", model=model, model_digest=model, settings=settings)

    variants = [variant("1", "m"), variant("2", "n"), variant("3", "m", "x"), variant("4", "m"), variant("5", "n")]
    sample = Sample(id="q", input="Why?")
    assert [task.variant.name for task in tasks.in_order(variants, [sample], 1)] == ["1", "4", "3", "2", "5"]


def test_a_question_without_a_collection_is_not_for_the_chat(study: SimpleNamespace) -> None:
    with pytest.raises(NotFound):
        list(study.assistants.ask(Question(collection="", text="Why?"), Job("Ask")))
