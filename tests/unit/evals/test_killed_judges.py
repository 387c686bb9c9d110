"""`assay eval run` with judges is killed with kill -9 in each of its phases, and resumed: as if it had not been, and no worker outlives it."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from core.datasets.records import AddDataset
from core.evals.records import Criterion, RunSpec, Spec
from core.inference import service as engine_service
from core.inference.records import TEXT, Generate, Message
from core.jobs import Job
from core.models.records import AddModel
from core.paths import RESOURCES
from core.prompts.records import SavePrompt
from core.vault.check import check
from core.vault.vault import Vault
from core.workbench import SCHEMA, Workbench
from core.workers.supervisor import Worker
from tests.processes import runs, until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")

SAMPLES = 2
ANSWERS = SAMPLES * 2
SPEC = Spec(
    name="judged",
    dataset="set",
    prompts=("ask@1", "ask@2"),
    models=("fake",),
    max_tokens=8,
    scorers=("rubric:one", "pairwise", "rubric:two", "length"),
    scoring={
        "rubric:one": {"rubric": "judge@1", "model": "stories"},
        "pairwise": {"rubric": "pairs@1", "model": "stories"},
        "rubric:two": {"rubric": "judge@1", "model": "tales"},
    },
    criteria=(Criterion(metric="length", variant="ask@1 / fake", at_least=0.0),),
)
WRITES = 1 + 3 * ANSWERS + 1
"""The run itself, its answers, what the first judge's model said of each, the final outcomes, and how it ended."""
ASKED = ANSWERS + (ANSWERS + 2 * SAMPLES) + ANSWERS
"""Answers, the first judge's marks and its pairs in both orders, the second judge's marks."""


@dataclass
class Study:
    """A vault in which a spec with two judges ran once from beginning to end."""

    folder: Path
    passphrase: str
    place: Path
    whole: list[tuple[object, ...]] = field(default_factory=list)
    events: list[list[Any]] = field(default_factory=list)

    def assay(self, *arguments: str, at: int = 0, when: str = "", asked: int = 0, every: float = 0.0) -> int:
        """The command line, in a process that dies there; its exit code. What happens in it is added to `events`."""
        events = self.place / "events"
        events.unlink(missing_ok=True)
        plan = {"events": str(events), "at": at, "when": when, "asked": asked, "every": every}
        environment = {
            **os.environ,
            "ASSAY_VAULT": str(self.folder),
            "ASSAY_USER": "ines",
            "ASSAY_PASSPHRASE_FILE": str(self.place / "passphrase"),
            "XDG_CONFIG_HOME": str(self.place / "config"),
        }
        ended = subprocess.run(
            [sys.executable, "-m", "tests.unit.evals.deadly", json.dumps(plan), *arguments],
            env=environment,
            cwd=RESOURCES.parent,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=300,
        )
        assert events.exists(), ended.stderr.decode()
        found = [json.loads(line) for line in events.read_bytes().splitlines()]
        self.events += found
        for _, pid in (event for event in found if event[0] == "worker"):
            assert until(lambda pid=pid: not runs(pid)), "a worker outlived its program"  # type: ignore[misc]
        return ended.returncode

    def happened(self, kind: str) -> list[tuple[Any, ...]]:
        return [tuple(event[1:]) for event in self.events if event[0] == kind]

    def open(self) -> Workbench:
        return Workbench(Vault.open(self.folder, "ines", self.passphrase, SCHEMA))

    def as_the_first(self, name: str) -> None:
        """A resumed run is what the first one was, and the vault is whole."""
        with self.open() as bench:
            assert keyed(bench, name) == self.whole
            first, view = bench.evals.show("run-1").result, bench.evals.show(name).result
            assert first is not None
            assert view is not None
            assert view.status == "finished"
            for what in ("variants", "differences", "criteria", "passed"):
                assert getattr(view, what) == getattr(first, what)
            assert check(bench.vault) == ()


def keyed(bench: Workbench, run: str) -> list[tuple[object, ...]]:
    found = [outcome for _, outcome in bench.evals.outcomes(run)]
    assert not [outcome.error for outcome in found if outcome.error]
    lines: list[tuple[object, ...]] = [
        (o.variant, o.sample, o.repetition, o.answer and o.answer.answer, o.scores) for o in found
    ]
    assert len({line[:3] for line in lines}) == len(lines), "nothing is there twice"
    return lines


def prepared(bench: Workbench, place: Path, shared_data: Path) -> None:
    lines = [json.dumps({"id": f"q{n}", "input": f"What is {n}?", "target": "amber"}) for n in range(SAMPLES)]
    (place / "set.jsonl").write_text("\n".join(lines))
    content = (shared_data / "models" / "stories260K" / "stories260K.gguf").read_bytes()
    for name, end in (("stories", b""), ("tales", bytes(32))):
        (place / f"{name}.gguf").write_bytes(content + end)
        bench.models.add(AddModel(path=str(place / f"{name}.gguf"), name=name))
    bench.datasets.add(AddDataset(name="set", path=str(place / "set.jsonl")), Job("Add"))
    for text in ("{{ question }}", "Say: {{ question }}"):
        bench.prompts.save(SavePrompt(name="ask", messages=(Message(role="user", content=text),)))
    for name, text in (("judge", "{{ question }} {{ answer }}"), ("pairs", "{{ first }} or {{ second }}")):
        bench.prompts.save(SavePrompt(name=name, messages=(Message(role=TEXT, content=text),)))
    bench.evals.save(SPEC)


@pytest.fixture
def study(vault_factory: Callable[..., Vault], passphrases: dict[str, str], shared_data: Path, tmp_path: Path) -> Study:
    vault = vault_factory(SCHEMA)
    made = Study(vault.folder, passphrases["ines"], tmp_path)
    (tmp_path / "passphrase").write_text(passphrases["ines"] + "\n")
    with Workbench(vault) as bench:
        prepared(bench, tmp_path, shared_data)
        assert bench.evals.run(RunSpec(reference="judged", fresh=True), Job("Run")).status == "finished"
        made.whole = keyed(bench, "run-1")
        assert len(made.whole) == ANSWERS
    return made


def killed(study: Study, *arguments: str, **where: Any) -> None:
    assert study.assay("eval", *arguments, **where) == -signal.SIGKILL


def resumed(study: Study, run: str, kills: int) -> None:
    """Resume a run that was killed so often, and see that it is whole, and that little was asked again."""
    assert study.assay("eval", "resume", run) == 0
    study.as_the_first(run)
    asked = Counter(study.happened("asked"))
    assert sum(asked.values()) <= ASKED + 3 * kills, (
        "at most what was in hand: a sample's mark and its pair in two orders"
    )
    study.events.clear()


def test_a_run_with_judges_killed_while_it_judges_is_resumed(study: Study) -> None:
    """Inside of the transaction for the second of the first judge's samples; all is written as it comes."""
    killed(study, "run", "judged", "--fresh", at=1 + ANSWERS + 2, when="inside")
    assert len(study.happened("written")) == 1 + ANSWERS + 1
    resumed(study, "run-2", 1)


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "inside", "after"])
def test_a_run_is_killed_at_each_of_its_writes(study: Study, when: str) -> None:
    number = 1
    for at in range(1, WRITES + 1):
        killed(study, "run", "judged", "--fresh", at=at, when=when)
        written = at > 1 or when == "after"
        number += written
        study.happened("written")
        if not written:  # the run itself was never recorded
            study.events.clear()
        elif at == WRITES and when == "after":  # it was over
            study.as_the_first(f"run-{number}")
            study.events.clear()
        else:
            resumed(study, f"run-{number}", 1)
    assert number > WRITES - 1


@pytest.mark.slow
def test_a_run_is_killed_at_each_request_to_a_model(study: Study) -> None:
    """After the first piece of its answer, with a model's worker at work."""
    for number, asked in enumerate(range(1, ASKED + 1), 2):
        killed(study, "run", "judged", "--fresh", asked=asked)
        assert len(study.happened("asked")) == asked
        resumed(study, f"run-{number}", 1)


@pytest.mark.slow
def test_one_run_is_killed_again_and_again(study: Study) -> None:
    """Each time it gets one or two steps further; no step is gone back."""
    killed(study, "run", "judged", "--fresh", at=2, when="before")
    kills, known = 1, 0
    whens = ("after", "inside", "before")
    while study.assay("eval", "resume", "run-2", at=3, when=whens[kills % 3]) == -signal.SIGKILL:
        kills += 1
        done = len([about for (about,) in study.happened("written") if "resumed" not in about])
        assert done > known or kills % 3 != 1
        known = done
        assert kills < 3 * WRITES
    assert kills > ANSWERS
    study.as_the_first("run-2")
    assert sum(Counter(study.happened("asked")).values()) <= ASKED + 3 * kills


@pytest.mark.slow
@pytest.mark.parametrize("asked", [2, ANSWERS + 3, ASKED - 1])
def test_what_was_not_written_is_made_again(study: Study, asked: int) -> None:
    """Nothing of a phase is written before its end: all of it is lost, and made again."""
    killed(study, "run", "judged", "--fresh", asked=asked, every=1e9)
    assert [about for (about,) in study.happened("written")] == ["judged@1 started"]
    assert study.assay("eval", "resume", "run-2", every=1e9) == 0
    study.as_the_first("run-2")


@contextmanager
def lost(worker: Worker) -> Iterator[None]:
    """The worker takes the request that is sent within, and is killed before it answers anything."""
    os.kill(worker.pid, signal.SIGSTOP)
    killer = threading.Thread(target=os.kill, args=(worker.pid, signal.SIGKILL))
    killer.start()
    try:
        yield
    finally:
        killer.join()


def test_a_judges_worker_that_is_killed_costs_the_verdict_in_hand(
    vault_factory: Callable[..., Vault], shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer it was judging ends in an error that names the worker; the others, and the other judge, go on with a new one."""
    stream = Worker.stream
    verdicts = 0

    def deadly(worker: Worker, request: Any, *given: Any) -> Any:
        nonlocal verdicts
        judging = isinstance(request, Generate) and request.model == "stories"
        verdicts += judging
        with lost(worker) if judging and verdicts == 2 else nullcontext():
            yield from stream(worker, request, *given)

    with Workbench(vault_factory(SCHEMA)) as bench:
        prepared(bench, tmp_path, shared_data)
        monkeypatch.setattr(Worker, "stream", deadly)
        view = bench.evals.run(RunSpec(reference="judged", fresh=True), Job("Run"))
        assert view.status == "finished"
        found = [outcome for _, outcome in bench.evals.outcomes("run-1")]
        assert len(found) == ANSWERS
        (broken,) = [outcome for outcome in found if outcome.error]
        assert "scorer rubric:one: The model stories" in broken.error
        assert (broken.answer, broken.scores) == (None, ())
        assert all(len(outcome.scores) >= 3 for outcome in found if not outcome.error)
        assert check(bench.vault) == ()


def test_an_answering_models_worker_that_is_killed_costs_the_answer_in_hand(
    vault_factory: Callable[..., Vault], shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a request in hand: that one ends in an error that names the model; the others are what they are without a kill."""
    complete = engine_service._complete
    asked, pids = 0, []

    def deadly(worker: Worker, request: Any, job: Job | None) -> Any:
        nonlocal asked
        asked += 1
        last = asked == ANSWERS // 2
        if last:
            pids.append(worker.pid)
        with lost(worker) if last else nullcontext():
            yield from complete(worker, request, job)

    with Workbench(vault_factory(SCHEMA)) as bench:
        prepared(bench, tmp_path, shared_data)
        for text in ("{{ question }}", "Say: {{ question }}"):
            bench.prompts.save(SavePrompt(name="say", messages=(Message(role=TEXT, content=text),)))
        bench.evals.save(
            Spec(
                name="plain",
                dataset="set",
                prompts=("say@1", "say@2"),
                models=("stories",),
                max_tokens=8,
                scorers=("length",),
                criteria=(Criterion(metric="length", variant="say@1 / stories", at_least=0.0),),
            )
        )
        bench.evals.run(RunSpec(reference="plain", fresh=True), Job("Run"))
        whole = keyed(bench, "run-1")
        monkeypatch.setattr(engine_service, "_complete", deadly)
        view = bench.evals.run(RunSpec(reference="plain", fresh=True), Job("Run"))
        assert len(pids) == 1
        assert (view.status, asked) == ("finished", ANSWERS)
        found = [outcome for _, outcome in bench.evals.outcomes("run-2")]
        assert len(found) == ANSWERS
        (broken,) = [outcome for outcome in found if outcome.error]
        assert "The model stories" in broken.error
        assert (broken.answer, broken.scores) == (None, ())
        kept = [(o.variant, o.sample, o.repetition, o.answer and o.answer.answer, o.scores) for o in found if o.answer]
        assert kept == [line for line in whole if line[:2] != (broken.variant, broken.sample)]
        assert view.result is not None
        assert not view.result.passed, "an error fails its variant's criterion"
        assert [held.pid for held in bench.engine.loaded() if held.name == "stories"] != pids
        assert check(bench.vault) == ()
