"""The main job as a person meets it: the demonstration from end to end, and putting a real document in."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from core.documents.records import AddDocuments
from core.jobs import Job
from core.workbench import Workbench
from tests.benchmarks.figures import REAL_DATA, Figure, figures, seconds

DOCUMENT = REAL_DATA / "documents" / "nist-ai-rmf" / "AI_RMF_Playbook.pdf"
"""142 pages of text and tables."""


@figures("evidence.main_job")
def main_job() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        program = Path(sys.executable).with_name("assay")
        command = [str(program), "demo", "--out", folder, "--json"]

        def demo() -> None:
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            assert json.loads(done.stdout)["pack"]["verdict"] == "valid"

        yield Figure("evidence.main_job", seconds(demo), "s", "<= 120")


@figures("documents.import")
def imported() -> Iterator[Figure]:
    if not DOCUMENT.is_file():
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        Workbench.create(Path(folder) / "Bench.assay", "ines", "Ines", "a bench by the river") as bench,
    ):
        done = bench.documents.add(AddDocuments(collection="nist", paths=(str(DOCUMENT),)), Job("Import"))
        yield Figure("documents.import", done.pages / done.seconds, "pages/s")
        yield Figure("documents.import_chunks", done.chunks / done.seconds, "chunks/s")
