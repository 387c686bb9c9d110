"""The shipped examples of a house style: built the same again, in the style that the spec names, and apart from what they are judged by."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.inference.records import AdapterUse, Generate, Message, Token
from core.jobs import Job
from core.paths import RESOURCES
from core.training.files import read_spec
from core.workbench import Workbench
from tests.conftest import weak_kdf

EXAMPLE = RESOURCES / "example"
NAME = re.compile(r"\b[A-Z][a-z]+(?:bex|dine|fol|gan|lix|mot|nor|pax|rin|sol|tex|vane)\b")


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (EXAMPLE / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def test_the_script_makes_the_same_files_again(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(EXAMPLE / "build_style.py"), str(tmp_path)], check=True, timeout=300)
    for name in ("style.jsonl", "style-test.jsonl"):
        assert (tmp_path / name).read_bytes() == (EXAMPLE / name).read_bytes()


def test_every_answer_is_in_the_style_and_holds_its_value() -> None:
    spec = read_spec(EXAMPLE / "style.yaml")
    assert spec.evaluation is not None
    judged = [row for row in rows("style-test") if not row.get("unanswerable")]
    assert [len(rows("style")), len(judged), len(rows("style-test"))] == [300, 60, 80]
    for row in [row for row in rows("style") if not row.get("unanswerable")] + judged:
        assert re.fullmatch(spec.evaluation.form, row["answer"])
        assert row["target"] in row["answer"]


def test_declining_is_learned_too_and_only_where_the_passages_dont_answer() -> None:
    declining = [row for row in rows("style") if row.get("unanswerable")]
    named = 0
    for row in declining:
        passages, _, question = row["input"].partition("\n\nQuestion: ")
        assert row["answer"] == "Not stated in the documents."
        (subject,) = NAME.findall(question)
        line = next((line for line in passages.splitlines() if subject in line), "")
        named += bool(line)
        word = next(
            word for word in ("keep", "delivery", "price", "temperature", "limit", "weigh") if word in question.lower()
        )
        said = {"keep": "shelf life", "temperature": "stored"}.get(word, word)
        assert said not in line.lower(), "it says just that, so it is answerable"
    assert (len(declining), named) == (60, 30)


def test_nothing_that_is_judged_was_learned() -> None:
    learned, judged = (
        {name for row in rows(of) for name in NAME.findall(row["input"])} for of in ("style", "style-test")
    )
    assert learned
    assert judged
    assert not learned & judged


@pytest.mark.slow
def test_the_starter_model_learns_the_style_and_its_adapter_is_attached(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("peft")
    bench = Workbench.create(tmp_path / "A.assay", "ana", "Ana", "several words together", kdf=weak_kdf)
    with bench:
        view = bench.trainings.run(read_spec(EXAMPLE / "style.yaml"), str(EXAMPLE / "style.yaml"), Job("Train"))
        assert view.compared is not None
        form = next(one for one in view.compared.rated if one.measure == "form")
        assert form.base == 0.0
        assert form.low > 0.5
        declined = next(one for one in view.compared.rated if one.measure == "refusal")
        assert declined.adapter >= 0.8, "answering in the style may not cost the right refusals"
        asked = rows("style-test")[0]
        answers = [
            "".join(
                part.text
                for part in bench.engine.generate(
                    Generate(
                        model="starter-chat",
                        messages=(Message(role="user", content=asked["input"]),),
                        max_tokens=48,
                        temperature=0.0,
                        adapters=uses,
                    )
                )
                if isinstance(part, Token)
            )
            for uses in ((), (AdapterUse(model="training-1"),), (AdapterUse(model="training-1", scale=0.0),))
        ]
        assert answers[0] == answers[2] != answers[1]
        assert answers[1].strip().startswith("Finding: ")
