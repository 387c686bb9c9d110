"""A scorer that somebody else wrote, as a distribution on a path: its code runs in a worker and nowhere else."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.datasets.records import AddDataset, Sample
from core.errors import BadInput, NotFound, WorkerFailed
from core.evals.records import RunSpec, Spec
from core.evals.scorers import chosen, score_answer
from core.evals.scoring import plugins
from core.inference.records import Message
from core.jobs import Job
from core.prompts.records import SavePrompt
from core.vault.vault import Vault
from tests.unit.evals.scoring.answers import answered
from tests.unit.evals.scoring.studies import study

CODE = '''
import os, pathlib

def politeness(sample, answer, settings):
    """Whether the answer says a polite word."""
    word = settings.get("word", "kindly")
    polite = word in answer["answer"]
    return {"value": float(polite), "passed": polite, "reason": f"{sample['id']}: {word}"}

def odd(sample, answer, settings):
    return {"value": "much"}

def broken(sample, answer, settings):
    raise RuntimeError("a secret of the answer")

def curious(sample, answer, settings):
    try:
        pathlib.Path(settings["file"]).read_text()
    except OSError:
        return {"value": 0.0, "passed": True, "reason": "refused"}
    return {"value": 1.0, "passed": False, "reason": "read it"}
'''
NAMES = ("politeness", "odd", "broken", "curious")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "plugins"
    (place / "courtly").mkdir(parents=True)
    (place / "courtly" / "__init__.py").write_text(CODE)
    about = place / "courtly-1.2.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: courtly\nVersion: 1.2\n")
    entries = "".join(f"{name} = courtly:{name}\n" for name in NAMES)
    (about / "entry_points.txt").write_text(f"[{plugins.GROUP}]\n{entries}nothing = courtly:nothing\n")
    return place


def test_a_plugin_is_found_without_running_it(folder: Path) -> None:
    found = plugins.find("politeness", [folder])
    assert (found.target, found.distribution) == ("courtly:politeness", "courtly 1.2")
    assert "courtly" not in sys.modules
    before = plugins.digest(found)
    (folder / "courtly" / "more.py").write_text("x = 1\n")
    assert plugins.digest(plugins.find("politeness", [folder])) != before
    with pytest.raises(NotFound, match="scorer plugin"):
        plugins.find("rudeness", [folder])


def test_a_run_records_the_plugin_that_scored_it(
    vault_factory: Callable[..., Vault], folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "set.jsonl").write_text('{"id": "a", "input": "Why?", "target": "x"}\n')
    secret = tmp_path / "secret.txt"
    secret.write_text("of the vault")
    label = "plugin:politeness"
    spec = Spec(
        name="manners",
        dataset="set",
        prompts=("ask@1",),
        models=("fake",),
        scorers=(label, "plugin:curious"),
        scoring={label: {"settings": {"word": "a"}}, "plugin:curious": {"settings": {"file": str(secret)}}},
        max_tokens=8,
    )
    with study(vault_factory, (folder,)) as made:
        made.datasets.add(AddDataset(name="set", path=str(tmp_path / "set.jsonl")), Job("Add"))
        made.prompts.save(SavePrompt(name="ask", messages=(Message(role="user", content="{{ question }}"),)))
        made.evals.save(spec)
        view = made.evals.run(RunSpec(reference="manners"), Job("Run"))
        ((_, outcome),) = made.evals.outcomes("run-1")
        polite, curious = outcome.scores
        assert (polite.scorer, polite.reason) == (label, "a: a")
        assert polite.passed is ("a" in outcome.answer.answer)
        if "landlock" in made.scoring._workers["plugin curious"].barrier.names:
            assert curious.reason == "refused"
        instrument = view.run.instruments[0]
        assert (instrument.kind, instrument.name) == ("plugin", "politeness of courtly 1.2")
        assert instrument.digest == plugins.digest(plugins.find("politeness", [folder]))
        assert "courtly" not in sys.modules
        unknown = Spec(name="n", dataset="set", prompts=("ask@1",), models=("fake",), scorers=("plugin:rudeness",))
        with pytest.raises(NotFound):
            made.evals.save(unknown)


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        ("odd", BadInput, "another form"),
        ("broken", WorkerFailed, "RuntimeError"),
        ("nothing", Exception, "no function"),
    ],
)
def test_what_a_plugin_does_wrong_is_told(
    vault_factory: Callable[..., Vault], folder: Path, name: str, error: type[Exception], said: str
) -> None:
    with study(vault_factory, (folder,)) as made:
        uses = chosen((f"plugin:{name}",))
        tools = made.scoring.tools("", Job("Score"))
        with pytest.raises(error, match=said) as raised:
            score_answer(uses, Sample(id="1", input="?"), answered("x"), tools)
        assert "secret" not in str(raised.value)
