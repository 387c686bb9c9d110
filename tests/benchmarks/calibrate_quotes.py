"""Fits the weights of the quotes mode on questions over law and guidance texts: `python -m tests.benchmarks.calibrate_quotes`.

The questions are ours, the documents are real (`eu-law` and `nist-800-63-3` of the test data); the example workspace and the tests take no
part, so that they stay a fair check. Prints the weights for `core/assistants/quotes.py` and the curve: for each needed score, how many
answerable questions are answered rightly, and how many of the others are answered at all. Cross-validated by question. The scores are kept in
`core.assistants.calibration.CURVE`, which `assay documents calibration` shows.
"""

import json
import re
import tempfile
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from core.assistants import quotes
from core.assistants.calibration import CURVE, CurvePoint, QuotesCurve
from core.documents.records import AddDocuments
from core.jobs import Job
from core.retrieval.records import Search
from core.workbench import Workbench
from tests.benchmarks.figures import REAL_DATA

HERE = Path(__file__).resolve().parent
DATA = REAL_DATA / "documents"
FOLDERS = {"law": "eu-law", "identity": "nist-800-63-3"}
PASSAGES = 6
FOLDS = 5
SIGNALS = 6
"""The bias and the five signals."""
RIDGE = 1e-4
"""Pull towards zero, so that few questions don't make extreme weights."""


class Asked(NamedTuple):
    """A question's candidate sentences: their signals, and which of them hold the answer."""

    answerable: bool
    values: np.ndarray
    right: np.ndarray


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        bench = Workbench.create(Path(folder) / "Calibration.assay", "ines", "Ines", "calibrating the quotes mode")
        with bench:
            for collection, name in FOLDERS.items():
                done = bench.documents.add(AddDocuments(collection=collection, paths=(str(DATA / name),)), Job("Read"))
                print(f"{collection}: {done.added} documents, {done.chunks} chunks, {len(done.refused)} refused")
            lines = (HERE / "quotes_calibration.jsonl").read_text(encoding="utf-8").splitlines()
            asked = [_ask(bench, json.loads(line)) for line in lines]
    found = [one for one in asked if one.answerable and one.right.any()]
    answerable = sum(one.answerable for one in asked)
    print(f"{len(asked)} questions, {answerable} answerable; the answer is among the passages of {len(found)}")
    weights = _fit(asked)
    order = np.random.default_rng(1).permutation(len(asked))
    best: dict[int, tuple[float, bool]] = {}
    for fold in range(FOLDS):
        held = set(order[fold::FOLDS].tolist())
        fitted = _fit([one for index, one in enumerate(asked) if index not in held])
        for index in held:
            logits = asked[index].values @ fitted
            top = int(np.argmax(logits)) if len(logits) else -1
            best[index] = (float(logits[top]), bool(asked[index].right[top])) if len(logits) else (-9.0, False)
    slope, shift = _scale(list(best.values()))
    final = weights * slope + np.array([shift, *[0.0] * (len(weights) - 1)])
    print("weights (bias, sentence, passage, words, short, rank):", [round(float(weight), 2) for weight in final])
    points = [
        CurvePoint(
            score=round(float(expit(slope * logit + shift)), 6), answerable=asked[index].answerable, right=bool(right)
        )
        for index, (logit, right) in sorted(best.items())
    ]
    curve = QuotesCurve(
        weights=quotes.CALIBRATION,
        collections=tuple(FOLDERS.values()),
        points=tuple(sorted(points, key=lambda point: -point.score)),
    )
    CURVE.write_bytes(msgspec.json.format(msgspec.json.encode(curve), indent=1) + b"\n")
    print("needed  right  wrong  declined | answered though unanswerable")
    for needed in np.arange(0.1, 0.95, 0.05):
        kept = {index: right for index, (logit, right) in best.items() if expit(slope * logit + shift) >= needed}
        right = sum(asked[index].answerable and ok for index, ok in kept.items())
        wrong = sum(asked[index].answerable and not ok for index, ok in kept.items())
        false = sum(not asked[index].answerable for index in kept)
        print(
            f"{needed:.2f}  {right:5d}  {wrong:5d}  {answerable - right - wrong:8d} | {false} of {len(asked) - answerable}"
        )


def _ask(bench: Workbench, line: dict[str, str | None]) -> Asked:
    search = Search(collection=str(line["collection"]), query=str(line["question"]), limit=PASSAGES)
    passages = bench.retrieval.search(search, Job("Search"))
    embedder = bench.documents.collection(str(line["collection"])).embedder
    signals = quotes.signals(str(line["question"]), passages, lambda texts: bench.engine.embed(texts, embedder))
    values = np.array([[1.0, s.sentence_cosine, s.passage_cosine, s.words, s.short, s.rank] for s in signals]).reshape(
        -1, SIGNALS
    )
    pattern = line["pattern"]
    right = np.array([bool(pattern and re.search(pattern, s.text, re.IGNORECASE)) for s in signals], dtype=bool)
    return Asked(pattern is not None, values, right)


def _fit(asked: list[Asked]) -> np.ndarray:
    values = np.concatenate([one.values for one in asked])
    right = np.concatenate([one.right for one in asked]).astype(float)

    def loss(weights: np.ndarray) -> float:
        logits = values @ weights
        fit = np.logaddexp(0.0, logits) - right * logits
        return float(fit.mean() + RIDGE * np.square(weights[1:]).sum())

    return np.asarray(minimize(loss, np.zeros(SIGNALS)).x)


def _scale(best: list[tuple[float, bool]]) -> tuple[float, float]:
    """Slope and shift that turn a question's best logit into the chance that its answer is right (Platt 1999)."""
    logits = np.array([logit for logit, _ in best])
    right = np.array([ok for _, ok in best], dtype=float)

    def loss(line: np.ndarray) -> float:
        scaled = line[0] * logits + line[1]
        return float((np.logaddexp(0.0, scaled) - right * scaled).mean() + 1e-3 * line[0] ** 2)

    slope, shift = minimize(loss, [1.0, 0.0]).x
    return float(slope), float(shift)


if __name__ == "__main__":
    main()
