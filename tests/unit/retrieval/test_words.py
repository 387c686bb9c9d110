"""The ranking by words is FTS5's own, after every kind of change, and keeps nothing of what was erased."""

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.documents import passages, store, vectors
from core.retrieval import words as words_module
from core.retrieval.fusion import word_query
from core.retrieval.words import Words, _sums, _varints
from core.vault.events import Changed
from core.vault.roles import Act
from core.vault.unit import Reader
from tests.unit.documents.workspace import Workspace

VOCABULARY = (
    "valve valves drum drums binder record records recorded report audit auditing pump signal filter the of and "
    "zürich straße 42 b7 qx über naïve river rivers"
).split()
QUERIES = [
    "valve drum record",
    "records recorded record",
    "the of and",
    "zurich strasse NAÏVE 42",
    "nothing_of this is-there",
    "snake_case valve",
    "_ valve",
    "absent",
    "42 b7 qx über pump signal filter audit auditing",
]


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace(tmp_path) as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Notes with words of very different frequency; one of them is long."""
    chance = random.Random(3)
    made = tmp_path / "notes"
    made.mkdir()
    for number in range(60):
        size = 900 if number == 7 else chance.randint(3, 40)
        said = [VOCABULARY[int(len(VOCABULARY) * chance.random() ** 2)] for _ in range(size)]
        (made / f"{number:02}.txt").write_text(f"# Part {VOCABULARY[number % 20]}\n\n{' '.join(said)}.")
    return made


def compare(one: Workspace, ranking: Words) -> None:
    with one.vault.read() as reader:
        kept = store.get(reader, "manuals")
        some = vectors.chunk_ids(reader, kept.id)[::3]
        for question in QUERIES:
            query = word_query(question)
            for limit in (1, 7, 500):
                assert ranking.ranking(reader, kept, query, limit) == passages.by_words(reader, kept.id, query, limit)
            narrowed = ranking.ranking(reader, kept, query, 20, np.array(some, dtype=np.int64))
            assert narrowed == passages.by_words(reader, kept.id, query, 20, some)


def test_the_ranking_is_that_of_fts5_also_after_changes(one: Workspace, folder: Path) -> None:
    one.add(folder)
    ranking = Words(one.vault)
    compare(one, ranking)
    for number in range(0, 60, 4):
        (folder / f"{number:02}.txt").write_text(f"The valve {number} was replaced by another drum.")
    one.add(folder)
    compare(one, ranking)
    for digest, document in one.documents.list("manuals"):
        if document.name.endswith("3.txt"):
            one.documents.remove(digest)
    compare(one, ranking)
    digests = [digest for digest, document in one.documents.list("manuals") if document.name.endswith("5.txt")]
    with one.vault.write(Act.ERASE) as unit:
        store.erase(unit, digests)
    compare(one, ranking)
    for digest, _ in one.documents.list("manuals"):
        one.documents.remove(digest)
    compare(one, ranking)
    ranking.close()


def test_a_word_is_read_once_while_nothing_changes(
    one: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one.add(folder)
    ranking = Words(one.vault)
    read: list[str] = []
    original = words_module._Counts._postings

    def postings(counts: words_module._Counts, text: str) -> object:
        read.append(text)
        return original(counts, text)

    monkeypatch.setattr(words_module._Counts, "_postings", postings)

    def ask(reader: Reader) -> None:
        ranking.ranking(reader, store.get(reader, "manuals"), word_query("valve drum valves"), 5)

    with one.vault.read() as reader:
        ask(reader)
        ask(reader)
    assert len(read) == 2, "two of the three words have one stem"
    one.documents.remove(one.documents.list("manuals")[0][0])
    with one.vault.read() as reader:
        ask(reader)
    assert len(read) == 4
    one.vault.events.publish(Changed(act=Act.ERASE))
    assert not ranking._held
    ranking.close()


def test_more_postings_than_are_kept_are_read_again(
    one: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one.add(folder)
    monkeypatch.setattr(words_module, "MOST_POSTINGS", 10)
    ranking = Words(one.vault)
    compare(one, ranking)
    ranking.close()


@given(st.lists(st.lists(st.integers(0, 2**40), max_size=4), max_size=30))
def test_lengths_of_any_size_are_read(rows: list[list[int]]) -> None:
    pieces = [b"".join(_varint(number) for number in row) for row in rows]
    assert [_varints(piece) for piece in pieces] == rows
    assert _sums(b"".join(pieces), list(map(len, pieces))).tolist() == [sum(row) for row in rows]


def _varint(value: int) -> bytes:
    out = [value & 127]
    while value := value >> 7:
        out.append(value & 127 | 128)
    return bytes(reversed(out))


def test_what_was_read_ahead_is_ready_until_something_changes(one: Workspace, folder: Path) -> None:
    one.add(folder)
    ranking = Words(one.vault)
    query = word_query("the valve and the drum")
    with one.vault.read() as reader:
        kept = store.get(reader, "manuals")
        assert not ranking.ready(kept, query)
        ranking.read(reader, kept, query)
        assert ranking.ready(kept, query)
        assert not ranking.ready(kept, word_query("valve pump"))
    one.documents.remove(one.documents.list("manuals")[0][0])
    with one.vault.read() as reader:
        assert not ranking.ready(store.get(reader, "manuals"), query)
    ranking.close()
