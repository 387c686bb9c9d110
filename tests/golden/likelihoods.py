"""What `transformers` finds likely of samples of standard suites, with a small model of random weights.

`python -m tests.golden.likelihoods TRUTHFULQA.csv ORI_PQAL.json` computes `likelihoods.json` anew (needs torch and transformers): for each
suite and sample the log-likelihood and number of tokens of each choice, and the scores by the suites' own formulas. Only numbers are kept;
the questions are read from the suites' files.
"""

import json
import math
import sys
import tempfile
from pathlib import Path
from typing import Any

from core.datasets.records import Sample
from core.evals.suites import SUITES, read_suite
from tests.golden import families

STORED = Path(__file__).with_suffix(".json")
FAMILY = "qwen2"
WINDOW = 4096
COUNTS = {"truthfulqa": 8, "pubmedqa": 3}
MMLU = (
    'Which of these is a planet?,Jupiter,Sirius,Titan,Ceres,A\n"Two, three, five and:",seven,nine,six,eight,A\n'
    "Who wrote Emma?,Charlotte Brontë,Jane Austen,George Eliot,Mary Shelley,B\n"
)
"""Questions of MMLU's form."""


def write(folder: Path) -> Path:
    """The model's folder, without torch."""
    kept = families.golden()[FAMILY]
    return families.write(folder, FAMILY, {**kept, "config": {**kept["config"], "max_position_embeddings": WINDOW}})


def prompt(suite: str, sample: Sample) -> str:
    """As the suite's template has it."""
    (message,) = SUITES[suite].prompt
    return message.content.replace("{{ question }}", sample.input)


def continuations(suite: str, sample: Sample) -> list[str]:
    return [f" {choice}" for choice in ("ABCD" if suite == "mmlu" else sample.choices)]


def by_transformers(folder: Path, samples: dict[str, tuple[Sample, ...]]) -> dict[str, Any]:
    import torch
    import transformers

    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    tokens = transformers.PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
    found: dict[str, Any] = {}
    for suite, some in samples.items():
        found[suite] = []
        for sample in some:
            before = tokens(prompt(suite, sample))["input_ids"]
            sums, counts = [], []
            for text in continuations(suite, sample):
                after = tokens(text, add_special_tokens=False)["input_ids"]
                with torch.no_grad():
                    logits = model(torch.tensor([before + after])).logits[0].double().log_softmax(-1)
                sums.append(sum(float(logits[len(before) - 1 + at, id]) for at, id in enumerate(after)))
                counts.append(len(after))
            found[suite].append({"id": sample.id, "sums": sums, "tokens": counts, **scores(sample, sums)})
    return found


def scores(sample: Sample, sums: list[float]) -> dict[str, float]:
    """MC1 and MC2 of TruthfulQA; for one right choice MC1 is the accuracy."""
    best = sums[sample.choices.index(str(sample.target))]
    good = (sample.target, *sample.targets)
    right = [value for value, choice in zip(sums, sample.choices, strict=True) if choice in good]
    wrong = [value for value, choice in zip(sums, sample.choices, strict=True) if choice not in good]
    true, false = sum(map(math.exp, right)), sum(map(math.exp, wrong))
    return {"mc1": float(best > max(wrong)), "mc2": true / (true + false) if true + false else -1.0}


def chosen(truthfulqa: Path, pubmedqa: Path, folder: Path) -> dict[str, tuple[Sample, ...]]:
    """The samples that are weighed."""
    mmlu = folder / "mmlu.csv"
    mmlu.write_text(MMLU, "utf-8")
    return {
        "truthfulqa": read_suite(SUITES["truthfulqa"], truthfulqa)[: COUNTS["truthfulqa"]],
        "pubmedqa": read_suite(SUITES["pubmedqa"], pubmedqa)[: COUNTS["pubmedqa"]],
        "mmlu": read_suite(SUITES["mmlu"], mmlu),
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        samples = chosen(Path(sys.argv[1]), Path(sys.argv[2]), Path(place))
        STORED.write_text(json.dumps(by_transformers(write(Path(place) / "model"), samples), indent=1) + "\n", "utf-8")
