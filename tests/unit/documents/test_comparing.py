"""Two documents side by side: aligned by order and likeness, every passage once, differences in words."""

from collections.abc import Iterator
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.documents.comparing import ALIKE, Comparing, Piece, aligned, differences, rows
from core.errors import BadInput, NotFound
from core.jobs import Job
from core.vault.roles import Act
from tests.unit.documents.workspace import Workspace

FIRST = """Valves are checked every six months.

The red pump stands in hall 7.

Records are kept for two years.

The blue drum is empty.
"""
SECOND = """The blue drum is empty.

Valves are checked every twelve months.

Ladders are locked away.

Records are kept for two years.
"""


def piece(text: str) -> Piece:
    return Piece(page=1, start=0, place="", text=text)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Workspace]:
    (tmp_path / "a.txt").write_text(FIRST)
    (tmp_path / "b.txt").write_text(SECOND)
    with Workspace(tmp_path) as made:
        made.add(tmp_path / "a.txt", collection="old")
        made.add(tmp_path / "b.txt", collection="new")
        yield made


def test_passages_are_aligned_and_what_differs_is_told_in_words(made: Workspace) -> None:
    comparing = Comparing(made.vault, made.engine)
    first, second = comparing.find("old/a.txt"), comparing.find("new/b.txt")
    found = comparing.compare(first, second, Job("Compare"))
    told = [
        (row.kind, row.first and row.first.text.split()[0], row.second and row.second.text.split()[0])
        for row in found.rows
    ]
    assert told[0] == ("moved", "The", "The")
    assert ("same", "Records", "Records") in told
    assert ("second", None, "Ladders") in told
    assert ("first", "The", None) in told
    (changed,) = [row for row in found.rows if row.kind == "changed"]
    assert [(one.kind, one.text) for one in changed.words] == [
        ("same", "Valves are checked every"),
        ("gone", "six"),
        ("new", "twelve"),
        ("same", "months."),
    ]
    assert changed.first is not None
    assert changed.first.place == "line 1"
    with made.vault.read() as reader:
        entry = next(entry for entry in reversed(reader.log(1000)) if entry.act == Act.SHOW_DOCUMENT)
    assert entry.about == "a.txt and b.txt, compared"


def test_a_document_is_the_same_as_itself_and_as_its_earlier_version_but_for_the_change(
    made: Workspace, tmp_path: Path
) -> None:
    comparing = Comparing(made.vault, made.engine)
    earlier = comparing.find("old/a.txt")
    assert {row.kind for row in comparing.compare(earlier, earlier, Job("Compare")).rows} == {"same"}
    (tmp_path / "a.txt").write_text(FIRST.replace("two years", "three years"))
    made.add(tmp_path / "a.txt", collection="old")
    now = comparing.find("old/a.txt")
    assert comparing.find(str(earlier)) == earlier != now
    found = comparing.compare(earlier, now, Job("Compare"))
    assert [row.kind for row in found.rows] == ["same", "same", "changed", "same"]


def test_what_is_not_there_or_too_long_is_refused(made: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    comparing = Comparing(made.vault, made.engine)
    for reference in ("old/b.txt", "a.txt", "0" * 64):
        with pytest.raises(NotFound):
            comparing.find(reference)
    first = comparing.find("old/a.txt")
    monkeypatch.setattr("core.documents.comparing.MOST", 3)
    with pytest.raises(BadInput, match="4 passages"):
        comparing.compare(first, first, Job("Compare"))


@given(st.integers(0, 5), st.integers(0, 5), st.randoms(use_true_random=False))
def test_the_alignment_is_the_best_one(n: int, m: int, chance: object) -> None:
    likeness = np.array(
        [[round(chance.random(), 2) for _ in range(m)] for _ in range(n)],  # type: ignore[attr-defined]
        dtype=np.float32,
    ).reshape(n, m)
    pairs = aligned(likeness)
    assert all(one[0] < two[0] and one[1] < two[1] for one, two in pairwise(pairs))
    best = max(
        sum(float(likeness[row, column]) - ALIKE for row, column in zip(some, others, strict=True))
        for size in range(min(n, m) + 1)
        for some in combinations(range(n), size)
        for others in combinations(range(m), size)
    )
    assert sum(float(likeness[pair]) - ALIKE for pair in pairs) == pytest.approx(best, abs=1e-4)
    found = rows([piece(f"a{at}") for at in range(n)], [piece(f"b{at}") for at in range(m)], likeness)
    assert sorted(row.first.text for row in found if row.first) == sorted(f"a{at}" for at in range(n))
    assert [row.second.text for row in found if row.second] == [f"b{at}" for at in range(m)]


@given(st.text(alphabet="ab \n", max_size=40), st.text(alphabet="ab \n", max_size=40))
def test_no_word_of_either_is_lost(first: str, second: str) -> None:
    found = differences(first, second)
    assert " ".join(one.text for one in found if one.kind != "new").split() == first.split()
    assert " ".join(one.text for one in found if one.kind != "gone").split() == second.split()
