"""What somebody was writing when the vault was locked, sealed until they come back.

The text leaves the widgets with its page. Here it is kept as ciphertext only, under a key that is derived from the vault's own: whoever can't
open the vault can't read it, and only the person who wrote it gets it back. It lives as long as the program does and is never written to a disk.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.records import Json
from core.trust.sealing import InvalidSeal, seal, unseal

if TYPE_CHECKING:
    from core.vault.vault import Vault

PURPOSE = b"assay window drafts"


class Drafts:
    """The sealed drafts of this window, by vault and person."""

    def __init__(self) -> None:
        self._sealed: dict[tuple[str, str], bytes] = {}

    def keep(self, vault: "Vault", written: Mapping[str, Json]) -> bool:
        """Seal what was written on each page; says whether there was anything. The vault must still be open."""
        self._sealed.pop(_whose(vault), None)
        if written:
            self._sealed[_whose(vault)] = seal(_key(vault), msgspec.json.encode(dict(written)), _context(vault))
        return bool(written)

    def give_back(self, vault: "Vault") -> dict[str, Json]:
        """What this person had written in this vault, once; nothing where there is none, or the vault has another key meanwhile."""
        sealed = self._sealed.pop(_whose(vault), None)
        if sealed is None:
            return {}
        try:
            found = msgspec.json.decode(unseal(_key(vault), sealed, _context(vault)))
        except InvalidSeal:
            return {}
        return dict(found)

    def waiting(self, vault: str, user: str) -> bool:
        """Whether something of this person waits for them."""
        return (vault, user) in self._sealed


def _whose(vault: "Vault") -> tuple[str, str]:
    return str(vault.folder), vault.user.user


def _context(vault: "Vault") -> bytes:
    return msgspec.json.encode(_whose(vault))


def _key(vault: "Vault") -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=PURPOSE).derive(vault._connections.key)
