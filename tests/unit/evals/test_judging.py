"""Judges come last: after all answers, one model after the other; what is cut off between goes on, nothing twice and nothing lost."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.datasets.records import AddDataset
from core.errors import BadInput
from core.evals import answered, service, store
from core.evals.records import Outcome, RunSpec, Spec
from core.evals.scoring.base import Decision
from core.evals.scoring.tools import Scoring
from core.inference.records import Message
from core.jobs import Job, Progress
from core.models.records import AddModel
from core.prompts.records import SavePrompt
from core.records import kind
from core.vault.erasure import Erase, erase
from core.vault.holds import Thing
from core.vault.vault import Vault
from core.workbench import ERASABLES, SCHEMA, Workbench

SAMPLES = 4
SPEC = Spec(
    name="judged",
    dataset="set",
    prompts=("ask@1", "ask@2"),
    models=("fake",),
    max_tokens=8,
    scorers=("rubric:one", "pairwise", "rubric:two", "length"),
    scoring={
        "rubric:one": {"rubric": "judge@1", "model": "stories"},
        "pairwise": {"rubric": "judge@1", "model": "stories"},
        "rubric:two": {"rubric": "judge@1", "model": "tales"},
    },
)
STEPS = SAMPLES * 2


class Killed(BaseException):
    """As little is done after it as after a kill: no handler catches it."""


class Recorded:
    """What was asked of models and judges, in order; ends everything at one place of it."""

    def __init__(self, kill_at: int = 0) -> None:
        self.asked: list[tuple[str, str]] = []
        self.kill_at = kill_at

    def note(self, who: str, what: str) -> None:
        if self.kill_at and len(self.asked) + 1 == self.kill_at:
            raise Killed
        self.asked.append((who, what))


@pytest.fixture(scope="module")
def models(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two files, for two judges that are never loaded."""
    content = (shared_data / "models" / "stories260K" / "stories260K.gguf").read_bytes()
    folder = tmp_path_factory.mktemp("judges")
    files = folder / "stories.gguf", folder / "tales.gguf"
    files[0].write_bytes(content)
    files[1].write_bytes(content + bytes(32))
    return files


@pytest.fixture
def bench(
    vault_factory: Callable[..., Vault],
    models: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    lines = [json.dumps({"id": f"q{n}", "input": f"What is {n}?", "target": "amber"}) for n in range(SAMPLES)]
    (tmp_path / "set.jsonl").write_text("\n".join(lines))
    with Workbench(vault_factory(SCHEMA)) as made:
        for path in models:
            made.models.add(AddModel(path=str(path), name=path.stem))
        made.datasets.add(AddDataset(name="set", path=str(tmp_path / "set.jsonl")), Job("Add"))
        for name, text in (("ask", "{{ question }}"), ("ask", "Say: {{ question }}"), ("judge", "{{ question }}")):
            made.prompts.save(SavePrompt(name=name, messages=(Message(role="user", content=text),)))
        made.evals.save(SPEC)
        monkeypatch.setattr(service, "BATCH_SECONDS", 0.0)
        yield made


def watched(bench: Workbench, monkeypatch: pytest.MonkeyPatch, recorded: Recorded) -> None:
    """Judges who say something that depends on what they see, with no model behind them."""
    engine = bench.engine
    generate = type(engine).generate

    def answering(request: Any, job: Any = None) -> Any:
        recorded.note("fake", request.request.variables["question"])
        return generate(engine, request, job)

    def decide(self: Scoring, decision: Decision, job: Job) -> dict[str, Any]:
        seen = json.dumps(decision.variables, sort_keys=True, default=str)
        recorded.note(str(decision.model), seen)
        names = decision.schema["properties"]
        chosen = {name: one["enum"][len(seen) % len(one["enum"])] for name, one in names.items() if "enum" in one}
        score = {name: one.get("minimum", 1) for name, one in names.items() if one.get("type") == "integer"}
        return dict.fromkeys(names, "said") | score | chosen

    monkeypatch.setattr(engine, "generate", answering)
    monkeypatch.setattr(Scoring, "_decide", decide)


def keyed(bench: Workbench, run: str) -> list[tuple[object, ...]]:
    found = [outcome for _, outcome in bench.evals.outcomes(run)]
    assert not [outcome.error for outcome in found if outcome.error]
    return [(o.variant, o.sample, o.answer and o.answer.answer, o.scores) for o in found]


def test_all_answers_come_before_the_first_verdict_and_no_two_models_take_turns(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = Recorded()
    watched(bench, monkeypatch, recorded)
    seen: list[Progress] = []
    view = bench.evals.run(RunSpec(reference="judged", fresh=True), Job("Run", seen.append))
    assert view.status == "finished"
    turns = [who for who, _ in recorded.asked]
    assert [who for at, who in enumerate(turns) if at == 0 or turns[at - 1] != who] == [
        "fake",
        *(bench.models.show(name).name for name in ("stories", "tales")),
    ]
    assert turns[:STEPS] == ["fake"] * STEPS
    assert {len(scores) for *_, scores in keyed(bench, "run-1")} == {3, 4}
    steps = [progress for progress in seen if progress.unit.startswith("steps")]
    assert [one.done for one in steps] == sorted(one.done for one in steps)
    assert {one.total for one in steps} == {3 * STEPS}
    phases = list(dict.fromkeys(one.unit for one in steps if ", " in one.unit))
    assert phases == ["steps, answering", "steps, judging"]
    with bench.vault.read() as reader:
        waited = answered.digests(reader, view.digest)
        assert len(waited) == 2 * STEPS
        assert set(waited) < set(store.parts(reader, view.digest)), "what waited goes with its run"
        assert {stage for stage, _ in answered.outcomes(reader, view.digest)} == {1}


def test_a_run_that_is_killed_anywhere_asks_nothing_twice(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Recorded()
    watched(bench, monkeypatch, whole)
    bench.evals.run(RunSpec(reference="judged", fresh=True), Job("Run"))
    kills = (3, STEPS + 1, STEPS + 4, len(whole.asked) - 2)
    for number, place in enumerate(kills, 2):
        recorded = Recorded(place)
        watched(bench, monkeypatch, recorded)
        with pytest.raises(Killed):
            bench.evals.run(RunSpec(reference="judged", fresh=True), Job("Run"))
        run = f"run-{number}"
        assert bench.evals.show(run).status == "started"
        recorded.kill_at = 0
        assert bench.evals.resume(run, Job("Resume")).status == "finished"
        assert keyed(bench, run) == keyed(bench, "run-1")
        twice = len(recorded.asked) - len(whole.asked)
        assert 0 <= twice <= 1, "of what was being judged when it was killed, the verdict before it at most"
        fake = [what for who, what in recorded.asked if who == "fake"]
        assert len(fake) == STEPS, "no answer is asked twice"
        with pytest.raises(BadInput, match="it is finished"):
            bench.evals.resume(run, Job("Resume"))


def test_what_waited_for_judges_goes_with_its_outcome(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch, passphrases: dict[str, str]
) -> None:
    watched(bench, monkeypatch, Recorded())
    run = bench.evals.run(RunSpec(reference="judged", fresh=True), Job("Run")).digest
    gone, kept = bench.evals.outcomes("run-1")[:2]
    request = Erase(things=(Thing(kind="outcome", reference=gone[0]),), reason="request 12")
    with bench.vault.confirm(passphrases["ines"]) as signer:
        erase(bench.vault, ERASABLES, signer, request, Job("Erase"))
    with bench.vault.read() as reader:
        left = [reader.get(one, Outcome) for one in reader.linked_from(run) if reader.kind(one) == kind(Outcome)]
        assert len(answered.outcomes(reader, run)) == STEPS - 1
    assert not [one for one in left if (one.variant, one.sample) == (gone[1].variant, gone[1].sample)]
    assert len(left) == 3 * (STEPS - 1), "each of the others twice while it waited, and once at its end"
    assert kept[1] in left
