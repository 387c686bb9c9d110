"""What a newer program wrote is refused by name, before anything is changed or half of it is read."""

import secrets
from collections.abc import Callable
from typing import cast

import pytest

from core.errors import NewerVault
from core.records import Digest, Record, kinds, newest
from core.trust.canonical import canonical, digest
from core.vault.roles import Act
from core.vault.vault import Vault
from tests.conftest import PASSPHRASES

Make = Callable[..., Vault]


class Known(Record, frozen=True, kw_only=True, tag="test-known"):
    version: int = 2
    text: str


def put(vault: Vault, of: str, version: int) -> Digest:
    """A record as another version of the program may write it."""
    content = canonical(
        {"kind": of, "nonce": secrets.token_hex(32), "record": {"type": of, "version": version, "text": "x", "more": 1}}
    )
    with vault.write(Act.SAVE_PROMPT) as unit:
        unit.db.execute(
            "INSERT INTO records(digest, kind, author, time, content) VALUES (?, ?, 'ines', '', ?)",
            (digest(content), of, content),
        )
        unit._objects.append(digest(content))
    return digest(content)


def test_records_of_an_unknown_kind_keep_the_vault_closed_and_untouched(vault: Vault) -> None:
    put(vault, "test-of-tomorrow", 1)
    vault.close()
    file = vault.folder / "vault.db"
    before = file.read_bytes()
    with pytest.raises(NewerVault, match="the record test-of-tomorrow is at version 1; this program knows 0"):
        Vault.open(vault.folder, "ines", PASSPHRASES["ines"])
    assert file.read_bytes() == before


def test_a_record_of_a_newer_shape_is_not_read_in_half(vault: Vault, reopen: Make) -> None:
    older, same, newer = (put(vault, "test-known", version) for version in (1, 2, 3))
    again = reopen(vault, "ines")
    with again.read() as reader:
        assert [reader.get(one, Known).version for one in (older, same)] == [1, 2]
        with pytest.raises(NewerVault, match="the record test-known is at version 3; this program knows 2"):
            reader.get(newer, Known)


def test_the_program_knows_its_kinds_and_their_versions() -> None:
    assert {"test-known", "signature", "log-entry", "backup"} <= kinds()
    assert "Record" not in kinds()
    assert (newest(Known), newest(cast(type[Record], Record))) == (2, 1)
