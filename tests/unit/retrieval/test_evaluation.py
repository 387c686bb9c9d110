"""The measures beside trec_eval's own figures, and what they say of empty and odd rankings."""

from pathlib import Path

import pytest

from core.retrieval import judged
from core.retrieval.evaluation import average_precision, measures, ndcg, recall, reciprocal_rank

NAMES = {"ndcg_cut_10": "ndcg@10", "recip_rank": "mrr", "map": "map"} | {
    f"recall_{k}": f"recall@{k}" for k in (5, 10, 20, 100)
}


def run(path: Path) -> dict[str, list[str]]:
    """A TREC run in trec_eval's order: by score, ties by the later name."""
    rows: dict[str, list[tuple[float, str]]] = {}
    for line in path.read_text().splitlines():
        query, _, document, _, score, _ = line.split()
        rows.setdefault(query, []).append((float(score), document))
    return {query: [document for _, document in sorted(found, reverse=True)] for query, found in rows.items()}


def test_the_measures_agree_with_trec_eval_to_four_digits(shared_data: Path) -> None:
    folder = shared_data / "vectors" / "trec-eval"
    rankings = run(folder / "results.test")
    graded = judged.judgements("qrels", (folder / "qrels.test").read_text())
    ours = {query: measures(ranking, graded[query]) for query, ranking in rankings.items()}
    ours["all"] = {name: sum(one[name] for one in ours.values()) / len(ours) for name in NAMES.values()}
    checked = 0
    for line in (folder / "out.test.aq").read_text().splitlines():
        name, query, value = line.split()
        if name in NAMES:
            assert f"{ours[query][NAMES[name]]:.4f}" == value, line
            checked += 1
    assert checked == len(NAMES) * 4


def test_graded_judgements_gain_by_their_grade() -> None:
    grades = {"a": 3, "b": 2, "c": 0, "d": -1}
    assert ndcg(["a", "b"], grades, 10) == 1.0
    assert ndcg(["b", "a"], grades, 10) == pytest.approx((2 + 3 / 1.5849625) / (3 + 2 / 1.5849625))
    assert ndcg(["d", "c"], grades, 10) == 0.0
    assert ndcg(["c", "a"], grades, 1) == 0.0


def test_empty_and_odd_rankings() -> None:
    grades = {"a": 1, "b": 1}
    assert (recall([], grades, 5), reciprocal_rank([], grades), average_precision([], grades)) == (0.0, 0.0, 0.0)
    assert measures(["a", "a", "b"], grades) == measures(["a", "b"], grades)
    assert measures(["x"], {"a": 0})["map"] == 0.0
