"""Sealed files beside `vault.db`: what is too large or too short-lived for a table, such as the index cache.

Rules: a file is one sealed stream (`core.trust.streams`) under a key that is derived from the vault key for its kind, so a rotation of that key
closes it; its vault, kind, name and generation are authenticated; it is replaced whole or stays as it was; only ciphertext is ever written.
"""

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from core.errors import NotFound, Unavailable
from core.paths import replacing
from core.trust.streams import StreamContext, purpose_key, sealed, unsealed
from core.vault.vault import Vault

CACHE: Final = "cache"
"""The folder for what can be made again from the vault. It may be deleted at any time, and no backup holds it."""
_READ: Final = 1024 * 1024


def cache_folder(vault: Vault) -> Path:
    """The vault's cache, made where it is missing. Raises `Unavailable`."""
    folder = vault.folder / CACHE
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            what=f"{folder} can't be made ({error.strerror})", step="Make the vault's folder writable."
        ) from error
    return folder


def drop_cache(vault: Vault) -> None:
    """Remove all that was sealed into the cache: after an erasure, nothing of what was erased may stay in it."""
    shutil.rmtree(vault.folder / CACHE, ignore_errors=True)


def seal_file(vault: Vault, path: Path, kind: str, name: str, generation: int, parts: Iterable[bytes]) -> None:
    """Write what `parts` make up, sealed, in place of `path`; memory stays constant. Raises `DiskFull`, `NotFound` (the folder), `Unavailable`,
    and whatever `parts` raises: nothing is kept then."""
    context = StreamContext(vault=vault.id, kind=kind, name=name, generation=generation)
    with replacing(path) as file:
        for part in sealed(_key(vault, kind), parts, context):
            file.write(part)


def open_file(vault: Vault, path: Path, kind: str, name: str, generation: int) -> Iterator[bytes]:
    """The content of a sealed file, as it is authenticated. Until the end was reached it may turn out to be cut: who needs the whole waits.

    Raises `NotFound`, `Unavailable` (not readable), `InvalidSeal` (altered, cut, of another vault, name or generation)."""
    context = StreamContext(vault=vault.id, kind=kind, name=name, generation=generation)
    try:
        with path.open("rb") as file:
            yield from unsealed(_key(vault, kind), iter(lambda: file.read(_READ), b""), context)
    except FileNotFoundError as error:
        raise NotFound(kind="file", name=str(path), step="It is made again when it is needed.") from error
    except OSError as error:
        raise Unavailable(what=f"{path} can't be read ({error.strerror})", step="Check who may read it.") from error


def _key(vault: Vault, kind: str) -> bytes:
    return purpose_key(vault._connections.key, kind)
