"""GGUF files made to hurt whoever reads them: one sentence each, in bounded time and memory, and never more than the worker's end."""

import contextlib
import random
import resource
import struct
import time
from pathlib import Path

import pytest

from core.errors import AssayError, Damaged, Unsupported
from core.models.records import Facts, ReadModel
from core.models.service import READING_MEMORY, READING_SECONDS
from core.models.worker.reading import facts
from core.workers.records import WorkerSpec
from core.workers.supervisor import Supervisor
from tests.unit.models.test_reading import MODEL, TENSOR, file, key, tensor, text, written

HUGE = (2**31, 2**32 - 1, 2**40, 2**62, 2**63 - 1, 2**63, 2**64 - 1)


def sentence(path: Path) -> str:
    """What is said of a file that can't be used; "" for one that can."""
    try:
        facts(path)
    except AssayError as error:
        said = str(error)
        assert said.startswith(f"{path.name}: ")
        assert "\n" not in said
        assert len(said) < 400
        return said
    return ""


def test_a_small_file_cut_at_every_byte(tmp_path: Path) -> None:
    whole = file(tensors=(TENSOR, tensor("token_embd.weight", (32, 2), offset=256)), data=512)
    assert sentence(written(tmp_path / "x.gguf", whole)) == ""
    for cut in range(len(whole)):
        assert sentence(written(tmp_path / "x.gguf", whole[:cut])), cut


@pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.slow)])
def test_numbers_of_a_small_file_made_huge(tmp_path: Path, step: int) -> None:
    """Counts, lengths, types, shapes and offsets, wherever they lie: 4 and 8 bytes at each place."""
    whole = file(
        (*MODEL, key("a", 9, struct.pack("<IQ", 4, 2) + bytes(8)), key("b", 9, struct.pack("<IQ", 8, 1) + text("x")))
    )
    began = time.process_time()
    for place in range(4, len(whole) - 256, step):
        for number in (0, 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1):
            for form in ("<I", "<Q"):
                if form == "<Q" or number < 2**32:
                    changed = bytearray(whole)
                    struct.pack_into(form, changed, place, number)
                    sentence(written(tmp_path / "x.gguf", bytes(changed)))
    assert time.process_time() - began < 60


@pytest.mark.parametrize("huge", HUGE)
def test_huge_counts_lengths_sizes_and_offsets(tmp_path: Path, huge: int) -> None:
    large = struct.pack("<Q", huge)
    for content in (
        b"GGUF" + struct.pack("<IQQ", 3, huge, 1) + bytes(64),
        b"GGUF" + struct.pack("<IQQ", 3, 1, huge) + bytes(64),
        file((large + b"general", *MODEL)),
        file((*MODEL, text("a") + struct.pack("<I", 8) + large)),
        file((*MODEL, key("a", 9, struct.pack("<I", 8) + large))),
        file((*MODEL, key("a", 9, struct.pack("<I", 12) + large))),
        file((*MODEL, key("a", 9, struct.pack("<IQI", 9, 1, 9) + large))),
        file(tensors=(tensor("t", (huge,)),)),
        file(tensors=(tensor("t", (32, huge)),)),
        file(tensors=(tensor("t", (32, 2), offset=huge // 32 * 32),)),
        file(tensors=(large + b"t",)),
    ):
        said = sentence(written(tmp_path / "x.gguf", content))
        assert "ends early" in said or "not a whole GGUF file" in said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (file(tensors=(TENSOR, tensor("t", (32, 2), offset=128)), data=512), "output.weight and t overlap"),
        (file(tensors=(TENSOR, tensor("t", (32, 2), offset=0)), data=512), "overlap"),
        (file((*MODEL, key("general.alignment", 4, struct.pack("<I", 0)))), "power of two"),
        (file((*MODEL, key("general.alignment", 10, struct.pack("<Q", 32)))), "power of two"),
        (file((*MODEL, key("general.alignment", 4, struct.pack("<I", 2**31)))), "power of two"),
        (file((*MODEL, key("a" * 2000, 4, bytes(4)))), "a key's name has 2000 bytes"),
        (file(tensors=(tensor("t" * 2000, (32, 2)),)), "a tensor's name has 2000 bytes"),
        (file((*MODEL, key("a", 9, struct.pack("<IQ", 9, 2) * 40))), "nested too deeply"),
        (file((*MODEL, key("a", 9, struct.pack("<IQ", 77, 1)))), "unknown type 77"),
        (file((*MODEL, MODEL[1])), "occurs twice"),
        (file((key("general.architecture", 4, bytes(4)), *MODEL[1:])), "names no architecture"),
    ],
)
def test_files_that_contradict_themselves(tmp_path: Path, content: bytes, said: str) -> None:
    assert said in sentence(written(tmp_path / "x.gguf", content))


def test_numbers_where_texts_belong_and_texts_where_numbers_belong(tmp_path: Path) -> None:
    for name, value in (
        ("llama.context_length", key("llama.context_length", 8, text("many"))),
        ("llama.embedding_length", key("llama.embedding_length", 12, struct.pack("<d", float("nan")))),
        ("llama.pooling_type", key("llama.pooling_type", 8, text("mean"))),
        ("split.count", key("split.count", 8, text("three"))),
        ("split.count", key("split.count", 6, struct.pack("<f", float("inf")))),
        ("split.no", key("split.no", 8, text("x"))),
    ):
        keys = tuple(known for known in MODEL if name.encode() not in known)
        sentence(written(tmp_path / "x.gguf", file((*keys, value))))


def test_a_huge_sparse_file_is_read_no_further_than_its_header(tmp_path: Path) -> None:
    path = written(tmp_path / "x.gguf", file((*MODEL, key("a", 9, struct.pack("<IQ", 8, 4_999_999)))))
    with path.open("ab") as grown:
        grown.truncate(2**42)
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    sentence(path)
    assert time.process_time() - began < 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def test_all_real_files_give_facts_or_a_sentence(shared_data: Path) -> None:
    found = {path.name: sentence(path) for path in sorted((shared_data / "models").rglob("*")) if path.is_file()}
    assert len(found) > 40
    assert [name for name, said in found.items() if not said] == ["stories260K.gguf"]


def changed(whole: bytes, chance: random.Random) -> bytes:
    """A file with a few bytes, numbers or pieces of it changed, moved, doubled or lost."""
    content = bytearray(whole)
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(content) + 1)
        what = chance.randrange(5)
        if what == 0 and place + 8 <= len(content):
            struct.pack_into("<Q", content, place, chance.choice((0, 1, *HUGE, chance.getrandbits(64))))
        elif what == 1 and place < len(content):
            content[place] = chance.randrange(256)
        elif what == 2:
            del content[place : place + chance.randint(1, 40)]
        elif what == 3:
            content[place:place] = content[place : place + chance.randint(1, 60)]
        elif place + 4 <= len(content):
            struct.pack_into("<I", content, place, chance.choice((0, 8, 9, 77, 2**32 - 1)))
    return bytes(content)


def fuzz(supervisor: Supervisor, tmp_path: Path, real: bytes, rounds: int, seed: int) -> None:
    """Changed files through one worker, which must answer all of them."""
    path, chance = tmp_path / "x.gguf", random.Random(seed)
    path.touch()
    small = file((*MODEL, key("a", 9, struct.pack("<IQ", 8, 2) + text("x") + text("yz"))), data=512)
    spec = WorkerSpec(
        module="core.models.worker.reading",
        readable=(str(path),),
        memory=READING_MEMORY,
        seconds=READING_SECONDS,
        title="The reader of model files",
    )
    with supervisor.start(spec) as worker:
        for number in range(rounds):
            whole = real[:30_000] if number % 4 == 0 else small
            path.write_bytes(changed(whole, chance))
            with contextlib.suppress(Damaged, Unsupported):
                worker.call(ReadModel(path=str(path)), Facts)
        assert worker.alive


def test_changed_files_in_the_worker(supervisor: Supervisor, tmp_path: Path, stories: Path) -> None:
    fuzz(supervisor, tmp_path, stories.read_bytes(), rounds=100, seed=1)


@pytest.mark.slow
def test_very_many_changed_files_in_the_worker(supervisor: Supervisor, tmp_path: Path, stories: Path) -> None:
    for seed in range(5):
        fuzz(supervisor, tmp_path, stories.read_bytes(), rounds=2_000, seed=100 + seed)
