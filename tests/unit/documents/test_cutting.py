"""How documents are cut is chosen before they are indexed, and its effect is shown without keeping anything."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from core.documents import cutting, store
from core.documents.chunking import chunk
from core.documents.records import AddDocuments, Chunking, CuttingChoice
from core.errors import BadInput
from core.jobs import Job
from tests.unit.documents.test_chunking import count, parsed
from tests.unit.documents.workspace import Workspace

LONG = "\n\n".join(
    f"# Gate {number}\n\nThe guard of gate {number} looks at the lamp and writes what is seen into the book of gate {number}."
    for number in range(12)
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with Workspace(tmp_path_factory.mktemp("cutting")) as made:
        yield made


@pytest.fixture(scope="module")
def note(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("notes") / "gates.md"
    path.write_text(LONG)
    return path


def add(made: Workspace, note: Path, collection: str, **choice: object) -> int:
    wanted = CuttingChoice(**choice)  # type: ignore[arg-type]
    request = AddDocuments(collection=collection, paths=(str(note),), cutting=wanted)
    return made.documents.add(request, Job("Add")).chunks


def test_a_new_collection_is_cut_as_was_chosen_and_keeps_to_it(made: Workspace, note: Path) -> None:
    small = add(made, note, "small", size=40, overlap=0)
    assert small > add(made, note, "usual")
    kept = made.documents.collection("small").chunking
    assert (kept.target, kept.overlap, kept.strategy) == (40, 0, "structure")
    assert add(made, note, "small", size=40) == 0  # the same again, and nothing new
    with pytest.raises(BadInput) as refused:
        add(made, note, "small", size=90, overlap=10)
    assert "assay documents rebuild small --size 90 --overlap 10" in str(refused.value)
    assert made.documents.collection("small").chunking == kept


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"size": 3}, "size: 3 tokens; this embedder allows 32 to"),
        ({"size": 100_000}, "size: 100000 tokens; this embedder allows 32 to"),
        ({"size": 50, "overlap": 51}, "overlap: 51 tokens; use 0 to 50"),
        ({"strategy": "moon"}, "strategy: moon isn't known. There are structure, size."),
    ],
)
def test_what_cant_be_is_refused_before_anything_is_read(
    made: Workspace, note: Path, choice: dict[str, object], said: str
) -> None:
    with pytest.raises(BadInput) as refused:
        add(made, note, "never", **choice)
    assert said in str(refused.value)
    assert "never" not in [one.name for one in made.documents.collections()]


def test_a_choice_lasts_when_no_document_came_in_and_can_be_changed_until_one_did(
    made: Workspace, note: Path, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.txt"
    empty.write_text("")
    add(made, empty, "waiting", size=50)
    assert made.documents.collection("waiting").chunking.target == 50
    add(made, empty, "waiting", size=60)
    add(made, note, "waiting")
    assert made.documents.collection("waiting").chunking.target == 60


def test_a_preview_says_what_an_import_makes_and_keeps_nothing(made: Workspace, note: Path) -> None:
    before = [one.name for one in made.documents.collections()]
    sample = made.documents.sample((str(note),), Job("Read"))
    choice = CuttingChoice(size=40, overlap=0, strategy="size")
    shown = made.documents.preview(sample, choice, Job("Preview"))
    assert [one.name for one in made.documents.collections()] == before
    assert shown.chunks == sum(shown.sizes) == add(made, note, "previewed", size=40, overlap=0, strategy="size")
    assert 0 < shown.smallest <= shown.median <= shown.largest <= shown.rules.limit
    assert shown.passages[0].begins.startswith("Gate 0")
    assert shown.passages[0].document == "gates.md"
    with made.vault.read() as reader:
        assert store.get(reader, "previewed").chunking == shown.rules
    as_it_is = made.documents.preview(sample, CuttingChoice(), Job("Preview"), "previewed")
    assert as_it_is.rules == shown.rules


def test_a_sample_is_spread_over_the_files(made: Workspace, tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"{number:02d}.txt").write_text(f"Note {number}.")
    read = made.documents.sample((str(tmp_path),), Job("Read"))
    assert read.files == 30
    assert [name for name, _ in read.read] == [f"{number * 30 // 12:02d}.txt" for number in range(12)]


def test_by_size_headings_begin_no_passage_and_sentences_fill_it() -> None:
    sections = [
        each
        for number in range(6)
        for each in (("heading", f"Part {number}", 1), ("paragraph", f"One two three {number}. " * 5, 0))
    ]
    rules = {"target": 40, "limit": 80, "alone": 5, "headings": 10, "overlap": 0}
    by_structure = chunk(parsed(sections), count, Chunking(**rules))
    by_size = chunk(parsed(sections), count, Chunking(**rules, strategy="size"))
    assert len(by_structure) == 6
    assert len(by_size) < 6
    assert "Part 1" in by_size[0].shown


def test_rules_of_collections_from_before_there_was_a_choice_are_structure() -> None:
    old = b'{"type":"chunking","version":1,"target":180,"limit":254,"alone":48,"headings":48,"overlap":48}'
    assert msgspec.json.decode(old, type=Chunking) == Chunking()
    assert cutting.said(Chunking()) == "structure, passages of 180 tokens, overlap 48"
