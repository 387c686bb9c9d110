"""Ends a process at each point where a change of the vault becomes durable, and just before it."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.errors import Damaged, Refused, WrongPassphrase
from core.trust.passphrases import Kdf, new_kdf
from core.vault import attempts, slots
from core.vault.connection import Connections, connect
from core.vault.vault import Vault
from tests.conftest import PASSPHRASES

KILLED = 9
EVE = "eleven grey herons at dusk"


def weak() -> Kdf:
    return new_kdf(memory=8192, passes=1)


def with_eve(vault: Vault) -> Path:
    """The folder of a closed vault that a third person, an administrator and author, knows too."""
    with vault.confirm(PASSPHRASES["ines"]) as signer:
        vault.add_user(signer, "eve", "Eve Brandt", ("admin", "author"), EVE, kdf=weak)
    vault.close()
    return vault.folder


def killed_at(point: int, work: Callable[[], object]) -> bool:
    """Run `work` in a child process that ends hard at its `point`th point; False when it came to its end before that."""
    child = os.fork()
    if child == 0:
        try:
            _install(point)
            work()
            os._exit(0)
        except BaseException as error:  # noqa: BLE001 (the child must never come back into the tests)
            print(f"{type(error).__name__}: {error}")
            os._exit(1)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, KILLED), status
    return status == KILLED


def every_kill(folder: Path, work: Callable[[Path], object]) -> Iterator[tuple[int, Path]]:
    """A copy of the folder for each point, in which `work` was killed there; the last one, in which it wasn't, isn't given out."""
    for point in range(200):
        copy = folder.with_name(f"killed-{point}.assay")
        shutil.copytree(folder, copy)
        if not killed_at(point, lambda copy=copy: work(copy)):  # type: ignore[misc]
            assert point > 3, "no point was reached"
            return
        yield point, copy
    raise AssertionError("it never came to its end")


def keys_that_open(folder: Path, candidates: set[bytes]) -> set[bytes]:
    """Which of these keys the database opens with, tried on copies."""
    found = set()
    for key in candidates:
        copy = folder.with_name("tried.assay")
        shutil.copytree(folder, copy)
        try:
            connect(copy / "vault.db", key, writable=False).conn.close()
            found.add(key)
        except Damaged:
            pass
        shutil.rmtree(copy)
    return found


def lets_in(folder: Path, user: str, passphrase: str) -> bool:
    """Whether this passphrase opens the vault, tried on a copy. Failures of other tries don't count."""
    copy = folder.with_name("entered.assay")
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns(attempts.NAME))
    try:
        Vault.open(copy, user, passphrase).close()
    except (WrongPassphrase, Refused):
        return False
    finally:
        shutil.rmtree(copy)
    return True


def _install(point: int) -> None:
    left = [point]

    def reached() -> None:
        if left[0] == 0:
            os._exit(KILLED)
        left[0] -= 1

    def around(function: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **named: Any) -> Any:
            reached()
            found = function(*arguments, **named)
            reached()
            return found

        return called

    whole = Connections.transaction

    @contextmanager
    def transaction(self: Connections) -> Iterator[Any]:
        with whole(self) as db:
            yield db
            reached()
        reached()

    slots.write = around(slots.write)
    Connections.transaction = transaction  # type: ignore[method-assign]
    for name in ("fold", "rekey", "reopen"):
        setattr(Connections, name, around(getattr(Connections, name)))
