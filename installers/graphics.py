"""Makes the add-on for NVIDIA's cards out of what `installers.cuda` built: llama.cpp's back end, the three libraries of CUDA that it needs,
and the licences of all. The driver isn't in it: that belongs to the machine with the card.

CUDA's runtime and cuBLAS are NVIDIA's; Attachment A of its licence lists them among what may be passed on with a program that does more than they
do. They lie in this file alone, in no other artefact, and whoever releases it agrees to that licence.
"""

import json
from pathlib import Path
from typing import Final

from core.models.worker.library import ADDED
from installers import addon, cuda
from installers.plan import BuildProblem

NAME: Final = "graphics"


def build(backends: Path, program: str, out: Path, key: Path) -> Path:
    """Make the file in `out`; returns its place. Raises `BuildProblem` where the folder isn't what `installers.cuda` leaves."""
    try:
        told = json.loads((backends / cuda.BUILT).read_text())
    except (OSError, ValueError) as error:
        raise BuildProblem(f"{backends}: there is no {cuda.BUILT}. `python -m installers.cuda` makes it.") from error
    cuda.check(backends)
    files = {
        f"{ADDED}/{path.name}": path
        for path in sorted(backends.iterdir())
        if path.is_file() and path.name != cuda.BUILT
    }
    release = f"{program}+cuda13.llama{told['llama']}"
    return addon.pack(NAME, release, program, told["packages"], files, out, key)
