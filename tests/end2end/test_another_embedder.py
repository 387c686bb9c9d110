"""A collection moves to another real embedder: refused while its own isn't here, rebuilt through a cancel and a kill with nothing embedded twice."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import gguf
import numpy as np
import pytest

from core.assistants.records import QUOTES, Answered, Question
from core.documents.rebuilding import Rebuild
from core.documents.records import AddDocuments
from core.errors import BadInput, Cancelled
from core.jobs import Job, Progress
from core.models.records import AddModel
from core.models.starter import EMBEDDER
from core.paths import RESOURCES
from core.records import Digest
from core.retrieval.records import Search
from core.workbench import Workbench
from tests.conftest import weak_kdf

PASSPHRASE = "seven lanterns by the river"
LAYERS = 3
"""Of the six that the starter embedder has."""
FILES = 10
CHILD = """
import sys
from pathlib import Path
from core.documents.rebuilding import Rebuild
from core.jobs import Job
from core.workbench import Workbench

with Workbench.open(Path(sys.argv[1]), "ann", sys.argv[2]) as bench:
    job = Job("Rebuild", lambda progress: print(progress.done, flush=True))
    bench.rebuilding.rebuild(Rebuild(collection="law"), job)
"""
QUESTION = "Which high-risk AI systems keep logs?"


def write_embedder(out: Path) -> Path:
    """The starter embedder with fewer layers and its matrices in 5 bits: its vectors are others."""
    read = gguf.GGUFReader(RESOURCES / "models" / f"{EMBEDDER}.gguf")
    writer = gguf.GGUFWriter(str(out), "bert")
    changed = {
        "general.file_type": int(gguf.LlamaFileType.MOSTLY_Q5_0),
        "bert.block_count": LAYERS,
        "general.name": "short",
    }
    for field in read.fields.values():
        if field.name.startswith("GGUF.") or field.name == "general.architecture":
            continue
        writer.add_key_value(
            field.name,
            changed.get(field.name, field.contents()),
            field.types[0],
            sub_type=field.types[-1] if field.types[0] == gguf.GGUFValueType.ARRAY else None,
        )
    for tensor in read.tensors:
        parts = tensor.name.split(".")
        if parts[0] == "blk" and int(parts[1]) >= LAYERS:
            continue
        quantized = tensor.tensor_type == gguf.GGMLQuantizationType.Q8_0
        data = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        if quantized:
            small = gguf.GGMLQuantizationType.Q5_0
            writer.add_tensor(tensor.name, gguf.quants.quantize(data, small), raw_dtype=small)
        else:
            writer.add_tensor(tensor.name, data.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return out


@pytest.fixture
def vault(tmp_path: Path, shared_data: Path) -> Path:
    files = sorted((shared_data / "documents" / "eu-law" / "eu_ai_act").iterdir())[:FILES]
    folder = tmp_path / "Law.assay"
    with Workbench.create(folder, "ann", "Ann Author", PASSPHRASE, weak_kdf) as bench:
        bench.documents.add(AddDocuments(collection="law", paths=tuple(map(str, files))), Job("Add"))
        bench.models.add(AddModel(path=str(write_embedder(tmp_path / "short.gguf")), name="short"), Job("Add"))
    return folder


def opened(folder: Path) -> Workbench:
    return Workbench.open(folder, "ann", PASSPHRASE)


def laid_by(bench: Workbench) -> tuple[int, int]:
    """Documents that are ready, and the passages in those that aren't."""
    with bench.vault.read() as reader:
        ready = reader.db.execute("SELECT count(*) FROM rebuilt").fetchone()[0]
        rest = reader.db.execute(
            "SELECT count(*) FROM chunks c JOIN documents d ON d.id = c.document WHERE d.current = 1"
            " AND d.id NOT IN (SELECT document FROM rebuilt)"
        ).fetchone()[0]
    return int(ready), int(rest)


def names(bench: Workbench) -> list[str]:
    return [found.name for found in bench.retrieval.search(Search(collection="law", query=QUESTION), Job("Search"))]


@pytest.mark.slow
def test_it_goes_on_after_a_cancel_and_a_kill_and_old_citations_hold(vault: Path) -> None:
    with opened(vault) as bench:
        before = names(bench)
        *_, last = bench.assistants.ask(Question(collection="law", text=QUESTION, model=QUOTES), Job("Ask"))
        assert isinstance(last, Answered)
        cited = last.answer.citations
        assert cited
        old = {digest for digest, _ in bench.documents.list("law")}
        job = Job("Rebuild", lambda progress: _stop(progress, job, 2))
        with pytest.raises(Cancelled):
            bench.rebuilding.rebuild(Rebuild(collection="law", embedder="short"), job)
        ready, _ = laid_by(bench)
        assert 2 <= ready < FILES
        assert names(bench) == before, "it is searched as before"
    arguments = [sys.executable, "-c", CHILD, str(vault), PASSPHRASE]
    child = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
    assert child.stdout is not None
    for line in child.stdout:
        if int(line) >= ready + 2:
            break
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    with opened(vault) as bench:
        after, rest = laid_by(bench)
        assert ready < after < FILES
        assert names(bench) == before
        done = bench.rebuilding.rebuild(Rebuild(collection="law"), Job("Rebuild"))
        assert (done.done, done.documents, done.embedded) == (True, FILES, rest), "nothing is embedded twice"
        assert bench.documents.collection("law").embedder_name == "short"
        assert names(bench)
        assert old.isdisjoint(digest for digest, _ in bench.documents.list("law"))
        for one in cited:
            assert one.quote in bench.documents.text(Digest(one.document), one.page)
            assert bench.documents.show(Digest(one.document)).name == one.name


@pytest.mark.slow
def test_without_its_embedder_it_is_refused_with_the_offer_to_rebuild(vault: Path, tmp_path: Path) -> None:
    with opened(vault) as bench:
        bench.rebuilding.rebuild(Rebuild(collection="law", embedder="short"), Job("Rebuild"))
    (tmp_path / "short.gguf").rename(tmp_path / "away.gguf")
    with opened(vault) as bench:
        with pytest.raises(BadInput, match=r"made with the embedder short, .*`assay documents rebuild law`"):
            names(bench)
        assert "`assay documents rebuild law`" in bench.documents.outdated("law", Job("Look"))
        done = bench.rebuilding.rebuild(Rebuild(collection="law"), Job("Rebuild"))
        assert (done.done, done.plan.embedder_name) == (True, EMBEDDER)
        assert names(bench)
        assert bench.documents.outdated("law", Job("Look")) == ""


def _stop(progress: Progress, job: Job, after: int) -> None:
    if progress.done >= after:
        job.cancel()
