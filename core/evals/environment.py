"""What a run is computed on, as its record says it."""

import importlib.metadata
import platform

from core import egress
from core.evals.records import Environment

PACKAGES = ("llama-cpp-python", "chromadb", "pymupdf", "numpy", "cryptography", "sqlcipher3")


def environment() -> Environment:
    """What this program runs on, without anything that names the machine or the person."""
    return Environment(
        assay=importlib.metadata.version("assay-workbench"),
        python=platform.python_version(),
        system=f"{platform.system()} {platform.release()}",
        processor=platform.machine(),
        packages={name: importlib.metadata.version(name) for name in PACKAGES},
        barrier=egress.barrier().names,
    )
