"""Registering a model: hashing beside `sha256sum`, reading a header in its worker, and the look before each use. Quantizing one, beside llama.cpp's
own call."""

import ctypes
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from core.jobs import Job
from core.models import store
from core.models.files import file_digest
from core.models.making_records import QuantizeModel
from core.models.records import AddModel
from core.models.service import Models
from core.paths import RESOURCES
from core.trust.passphrases import FLOOR_MEMORY, FLOOR_PASSES, Kdf, new_kdf
from core.vault.vault import Vault
from core.workbench import SCHEMA, Workbench
from core.workers.supervisor import Supervisor
from tests.benchmarks import shapes
from tests.benchmarks.figures import PAIRS, Figure, figures, median_seconds, paired_ratio, seconds

SIZE = 512 * 1024 * 1024
LOOKS = 1000
STARTER = RESOURCES / "models" / "starter-chat.gguf"


def weak() -> Kdf:
    return new_kdf(memory=FLOOR_MEMORY, passes=FLOOR_PASSES)


@figures("models.hashing")
def hashing() -> Iterator[Figure]:
    """A file that the system holds in memory, so that the disk's speed plays no part; with progress and cancelling, as it is in use."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.gguf"
        with path.open("wb") as file:
            for _ in range(SIZE // 2**20):
                file.write(os.urandom(2**20))
        program = shutil.which("sha256sum")
        if program is not None:
            ratio = paired_ratio(
                lambda: file_digest(path, Job("Hash")),
                lambda: subprocess.run([program, str(path)], check=True, capture_output=True),
            )
            yield Figure("models.hashing_over_sha256sum", ratio, "ratio", "<= 1.1")
        yield Figure("models.hashing", SIZE / 1e6 / median_seconds(lambda: file_digest(path, Job("Hash"))), "MB/s")


@figures("models.add")
def adding() -> Iterator[Figure]:
    """The starter chat model: its header in a worker of its own, its digest, its record; then the look before a use."""
    with tempfile.TemporaryDirectory() as folder, Supervisor() as supervisor:
        path = Path(shutil.copy(STARTER, Path(folder) / "tiny.gguf"))
        with Vault.create(
            Path(folder) / "A.assay", "ana", "Ana", "a bench by the river", (store.SCHEMA,), kdf=weak
        ) as vault:
            models = Models(vault, supervisor)
            models.add(AddModel(path=str(path)))
            yield Figure("models.add", median_seconds(lambda: models.add(AddModel(path=str(path)))), "s")
            started = time.perf_counter()
            for _ in range(LOOKS):
                models.located("tiny")
            yield Figure("models.add_look_before_use", (time.perf_counter() - started) / LOOKS * 1e3, "ms", "<= 1")


@figures("models.quantize")
def quantizing() -> Iterator[Figure]:
    """A model of 150 million parameters from 16 bits to Q8_0: in the worker, hashed and registered, and by llama.cpp's one call in this process."""
    source = shapes.plain(shapes.SMALL)
    settings = shapes.LLAMA.llama_model_quantize_default_params()
    settings.ftype = shapes.TYPES["Q8_0"]
    settings.nthread = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as folder:
        vault = Vault.create(Path(folder) / "A.assay", "ana", "Ana", "a bench by the river", SCHEMA, kdf=weak)
        with Workbench(vault) as bench:
            bench.models.add(AddModel(path=str(source), name="plain"))
            ours, theirs = Path(folder) / "ours.gguf", Path(folder) / "theirs.gguf"

            def whole() -> None:
                request = QuantizeModel(model="plain", quantization="Q8_0", out=str(ours), name="small")
                bench.making.quantize(request, Job("Quantize"))

            def call() -> None:
                if shapes.LLAMA.llama_model_quantize(bytes(source), bytes(theirs), ctypes.byref(settings)) != 0:
                    raise RuntimeError("llama.cpp could not quantize")

            def measured() -> float:
                taken = seconds(whole)
                bench.models.remove("small")
                ours.unlink()
                return taken

            ratios = []
            for pair in range(PAIRS):
                if pair % 2:
                    other, own = seconds(call), measured()
                else:
                    own, other = measured(), seconds(call)
                ratios.append(own / other)
            yield Figure("models.quantize_over_llama_cpp", statistics.median(ratios), "ratio", "<= 1.1")
            call()
            whole()
            same = ours.read_bytes() == theirs.read_bytes()
            yield Figure("models.quantize_same_bytes", float(same), "same", ">= 1")
