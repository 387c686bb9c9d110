"""Pictures of a question: seen by the model that answers, kept with the trace, and refused where nobody sees them."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from msgspec.structs import replace

from core.assistants.pictures import kept
from core.assistants.records import QUOTES, Answered, Question
from core.documents.records import AddDocuments
from core.documents.service import Documents
from core.errors import BadInput, NotFound, Refused
from core.inference.pictures import LARGEST, MOST, projectors, small_copy
from core.inference.records import AdapterUse
from core.inference.worker.pictures import MOST_PIXELS
from core.jobs import Job
from core.models.records import FAKE, AddModel
from core.retrieval.service import Retrieval
from core.vault import policies
from core.vault.vault import Vault
from core.workbench import SCHEMA, Workbench
from tests.conftest import PASSPHRASES, weak_kdf
from tests.golden import seeing
from tests.unit.models.test_converting import convert

QUESTION = Question(collection="towers", text="What is it?", model="seer", passages=1, max_tokens=3)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """An open vault with a collection and a small model that sees."""
    folder = tmp_path_factory.mktemp("seeing")
    vault = Vault.create(folder / "A.assay", "ines", "Inês Duarte", PASSPHRASES["ines"], SCHEMA, kdf=weak_kdf)
    with Workbench(vault) as made:
        made.documents = Documents(vault, made.supervisor, made.engine, embedder=FAKE)
        made.retrieval = Retrieval(vault, made.supervisor, made.engine, made.documents)
        made.assistants._documents, made.assistants._retrieval = made.documents, made.retrieval
        (folder / "tower.md").write_text("The tower has nine floors.\n")
        made.documents.add(AddDocuments(collection="towers", paths=(str(folder / "tower.md"),)), Job("Add"))
        convert(seeing.write_base(folder / "base"), folder / "seer.gguf")
        made.models.add(AddModel(path=str(folder / "seer.gguf"), name="seer"))
        made.models.add(AddModel(path=str(seeing.write_projector(folder / "eyes.gguf")), name="eyes"))
        yield made


def ask(bench: Workbench, question: Question, pictures: tuple[bytes, ...]) -> Answered:
    *_, end = bench.assistants.ask(question, Job("Ask"), pictures)
    assert isinstance(end, Answered)
    return end


@contextmanager
def approved_only(bench: Workbench) -> Iterator[None]:
    """The policy wants approved models for answers."""
    for wanted in ("answers", "no"):
        with bench.vault.confirm(PASSPHRASES["ines"]) as signer:
            policies.change(bench.vault, {"approved-models": wanted}, "For the study", signer)
        if wanted == "answers":
            yield


def test_pictures_need_no_collection(bench: Workbench) -> None:
    end = ask(bench, replace(QUESTION, collection=""), (seeing.picture(),))
    assert end.answer.passages == end.answer.citations == ()
    assert "What is it?" in end.answer.rendered
    assert "passage" not in end.answer.rendered


def test_a_model_is_asked_without_a_collection_and_quotes_are_not(bench: Workbench) -> None:
    end = ask(bench, replace(QUESTION, collection="", text="Why so?"), ())
    assert end.answer.passages == end.answer.citations == ()
    assert "Why so?" in end.answer.rendered
    assert "passage" not in end.answer.rendered
    with pytest.raises(NotFound):
        ask(bench, replace(QUESTION, collection="", model=QUOTES), ())


def test_a_picture_is_seen_and_kept_with_the_trace(bench: Workbench) -> None:
    picture = seeing.picture()
    end = ask(bench, QUESTION, (picture,))
    digest = hashlib.sha256(picture).hexdigest()
    assert end.answer.question.pictures == (digest,)
    assert f"[picture 1, SHA-256 {digest}]" in end.answer.rendered
    assert end.answer.prompt_tokens > ask(bench, QUESTION, ()).answer.prompt_tokens
    stored = bench.assistants.trace(bench.assistants.traces(2)[1][0])
    assert stored == end.answer
    with bench.vault.read() as reader:
        assert kept(reader, stored.question) == (picture,)


def test_digests_that_nobody_showed_are_not_believed(bench: Workbench) -> None:
    named = replace(QUESTION, pictures=(bench.models.show("seer").digest,))
    assert ask(bench, named, ()).answer.question.pictures == ()


@pytest.mark.parametrize(
    ("model", "pictures", "says"),
    [
        ("quotes", (seeing.picture(),), "quotes sees none"),
        ("seer", (b"",), "it is empty"),
        ("seer", (b"no picture",), "can't be read"),
        ("seer", (b"x" * (LARGEST + 1),), "Make it smaller"),
        ("seer", (seeing.picture(),) * (MOST + 1), f"{MOST} at once"),
    ],
)
def test_what_cant_be_seen_is_told_and_leaves_no_trace(
    bench: Workbench, model: str, pictures: tuple[bytes, ...], says: str
) -> None:
    before = bench.assistants.traces()
    with pytest.raises(BadInput, match=says):
        ask(bench, replace(QUESTION, model=model), pictures)
    assert bench.assistants.traces() == before


def test_a_small_copy_is_made_in_a_worker(bench: Workbench) -> None:
    found = small_copy(bench.supervisor, seeing.picture(), 8, Job("Look"))
    assert max(found.shown_width, found.shown_height) <= 8 <= max(found.width, found.height)
    assert len(found.pixels) == found.shown_width * found.shown_height * 3
    with pytest.raises(BadInput, match="Picture 2: it can't be read"):
        small_copy(bench.supervisor, b"GIF89a nothing", 8, Job("Look"), 2)


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(bench: Workbench) -> None:
    side = int(MOST_PIXELS**0.5) + 1
    header = b"BM" + (54).to_bytes(4, "little") + bytes(4) + (54).to_bytes(4, "little") + (40).to_bytes(4, "little")
    large = header + side.to_bytes(4, "little") * 2 + b"\x01\x00\x18\x00" + bytes(24)
    with pytest.raises(BadInput, match="more than 40,000,000 pixels"):
        small_copy(bench.supervisor, large, 8, Job("Look"))


def test_which_projectors_fit_is_told_by_the_files(bench: Workbench) -> None:
    known = bench.models.list()
    seer, eyes = bench.models.show("seer"), bench.models.show("eyes")
    assert projectors(seer, known) == (eyes,)
    assert projectors(eyes, known) == ()
    assert projectors(bench.models.show(FAKE), known) == ()
    assert projectors(seer, [replace(eyes, dimensions=eyes.dimensions + 1)]) == ()


def test_adapters_of_an_answer_are_asked_for_and_held_to_the_policy(bench: Workbench) -> None:
    with pytest.raises(NotFound, match="nowhere"):
        ask(bench, replace(QUESTION, adapters=(AdapterUse(model="nowhere"),)), ())
    with approved_only(bench), pytest.raises(Refused, match="nobody approved the card"):
        ask(bench, QUESTION, ())
