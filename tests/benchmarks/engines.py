"""An engine to measure, in a process that holds nothing else."""

import contextlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.inference.records import Finished, Generate, Message
from core.inference.service import Engine
from core.models import store
from core.models.records import AddModel
from core.models.service import Models
from core.models.starter import STARTERS
from core.trust.passphrases import FLOOR_MEMORY, new_kdf
from core.vault.vault import Vault
from core.workers.supervisor import Supervisor


@contextmanager
def engine(*paths: Path) -> Iterator[Engine]:
    """An engine over a vault that knows these files by their stems."""
    with tempfile.TemporaryDirectory() as folder, Supervisor() as supervisor:
        kdf = lambda: new_kdf(memory=FLOOR_MEMORY, passes=1)  # noqa: E731
        with Vault.create(
            Path(folder) / "A.assay", "ana", "Ana", "several words together", (store.SCHEMA,), kdf
        ) as vault:
            models = Models(vault, supervisor)
            for path in paths:
                models.add(AddModel(path=str(path), name=path.stem))
            made = Engine(models, supervisor)
            try:
                yield made
            finally:
                made.close()


def ask(made: Engine, model: str, prompt: str, new: int, mode: str = "fast") -> Finished:
    request = Generate(model=model, messages=(Message(role="text", content=prompt),), max_tokens=new, mode=mode)
    *_, last = made.generate(request)
    assert isinstance(last, Finished)
    return last


def level(made: Engine) -> None:
    """Give the workers the share of a busy machine that this process has. Linux shares between sessions, and each worker has one of its own:
    with other programs at work, a ratio to a loop in this process else says whose session they press."""
    even(*(held.pid for held in made.loaded()))


def even(*pids: int) -> None:
    """Give these processes' sessions the share of this one's."""
    with contextlib.suppress(OSError):
        mine = Path("/proc/self/autogroup").read_text(encoding="ascii").split()[-1]
        for pid in pids:
            Path(f"/proc/{pid}/autogroup").write_text(mine, encoding="ascii")


def answer() -> None:
    """A few words of the starter model."""
    path = STARTERS["starter-chat"]
    with engine(path) as made:
        ask(made, path.stem, "Hello", 4)
