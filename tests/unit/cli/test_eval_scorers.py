"""What can be measured, on the command line; and suites as files that the other commands take."""

import json
from collections.abc import Callable

from core.cli.main import share
from core.evals.scorers import SCORERS
from core.workbench import Workbench
from tests.unit.cli.people import Person


def test_all_scorers_are_told_with_their_limits(bench: Workbench, person: Callable[..., Person]) -> None:
    ines = person("ines")
    assert ines("eval", "scorers") == 0
    for scorer in SCORERS.values():
        assert scorer.name in ines.output
        assert scorer.limits in " ".join(ines.output.split())
    assert ines("eval", "scorers", "numeric", "--json") == 0
    (told,) = json.loads(ines.output)["scorers"]
    assert told["settings"] == {"tolerance": "0.0", "relative": "0.0", "which": "any", "decimals": "point"}
    assert (told["range"], told["interval"]) == ("0 or 1", "wilson")


def test_a_suite_becomes_a_dataset_a_prompt_and_a_spec_that_runs(
    bench: Workbench, person: Callable[..., Person]
) -> None:
    share(bench)
    ines = person("ines")
    line = '{"question": "Two and two?", "answer": "2+2=4\\n#### 4"}\n'
    (ines.folder / "test.jsonl").write_text(line * 2)
    assert ines("eval", "suite", "gsm8k", "test.jsonl", "suite", "--model", "fake") == 0
    assert "2 samples" in ines.output
    assert ines("dataset", "add", "gsm8k", "suite/gsm8k.jsonl") == 0
    assert ines("prompt", "save", "gsm8k", "--file", "suite/gsm8k-prompt.yaml") == 0
    assert ines("eval", "run", "suite/gsm8k.yaml", "--json") == 0
    (variant,) = json.loads(ines.output)["variants"]
    assert (variant["metrics"]["numeric"]["n"], variant["errors"]) == (2, 0)
