"""The last checkpoint of each unfinished run, sealed in the vault's `cache/` under a key of that run alone.

Rules: only ciphertext is written; a checkpoint is replaced whole or stays as it was; the file's run and step are authenticated; it goes when
its run ends well. Without it a run begins anew, and nothing else is lost. It holds the state of the worker, and behind a length the parts of
the curve until then.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from core.errors import Damaged
from core.records import Digest, Record
from core.training.worker.recall import Sampled
from core.training.worker.records import Measured, Step
from core.vault import sealed_files
from core.vault.vault import Vault

_LENGTH: Final = 8
START: Final = 16
_NAME: Final = re.compile(rf"training-([0-9a-f]{{{START}}})-(\d{{1,12}})\.sealed")


class Until(Record, frozen=True, kw_only=True, tag="curve"):
    """What was measured and answered until a checkpoint."""

    steps: tuple[Step, ...]
    measured: tuple[Measured, ...]
    sampled: tuple[Sampled, ...] = ()


def save(
    vault: Vault, run: Digest, step: int, curve: Sequence[Step | Measured | Sampled], state: Sequence[bytes]
) -> None:
    """Seal the state after `step`, in place of earlier ones. Raises `DiskFull`, `Unavailable`."""
    steps = tuple(one for one in curve if isinstance(one, Step))
    measured = tuple(one for one in curve if isinstance(one, Measured))
    sampled = tuple(one for one in curve if isinstance(one, Sampled))
    until = msgspec.msgpack.encode(Until(steps=steps, measured=measured, sampled=sampled))
    path = sealed_files.cache_folder(vault) / f"training-{run[:START]}-{step}.sealed"
    parts = (len(until).to_bytes(_LENGTH, "big"), until, *state)
    sealed_files.seal_file(vault, path, _kind(run), run, step, parts)
    for other in _files(vault, run):
        if other != path:
            other.unlink(missing_ok=True)


def step_of(vault: Vault, run: Digest) -> int:
    """The step of the run's last checkpoint; 0 for none."""
    return max((_step(path, run) for path in _files(vault, run)), default=0)


def steps(vault: Vault) -> dict[str, int]:
    """The step of the last checkpoint of each run that has one, by the beginning of the run's digest (`START` characters)."""
    folder = vault.folder / sealed_files.CACHE
    found: dict[str, int] = {}
    for path in folder.iterdir() if folder.is_dir() else ():
        if named := _NAME.fullmatch(path.name):
            found[named[1]] = max(found.get(named[1], 0), int(named[2]))
    return found


def load(vault: Vault, run: Digest) -> tuple[Until, bytes] | None:
    """The last checkpoint, if there is one. Raises `InvalidSeal`, `Damaged`."""
    step = step_of(vault, run)
    if not step:
        return None
    path = vault.folder / sealed_files.CACHE / f"training-{run[:START]}-{step}.sealed"
    content = b"".join(sealed_files.open_file(vault, path, _kind(run), run, step))
    size = int.from_bytes(content[:_LENGTH], "big")
    try:
        until = msgspec.msgpack.decode(content[_LENGTH : _LENGTH + size], type=Until)
    except msgspec.DecodeError as error:
        raise Damaged(source="The checkpoint", problem="not readable. Start the run anew.") from error
    return until, content[_LENGTH + size :]


def drop(vault: Vault, run: Digest) -> None:
    """Remove the run's checkpoints."""
    for path in _files(vault, run):
        path.unlink(missing_ok=True)


def _kind(run: Digest) -> str:
    return f"training checkpoint {run}"


def _files(vault: Vault, run: Digest) -> list[Path]:
    folder = vault.folder / sealed_files.CACHE
    return [path for path in folder.iterdir() if _step(path, run)] if folder.is_dir() else []


def _step(path: Path, run: Digest) -> int:
    found = _NAME.fullmatch(path.name)
    return int(found[2]) if found and found[1] == run[:START] else 0
