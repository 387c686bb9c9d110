"""Tokens of the local API: what a program shows instead of a passphrase.

Rules: a token is 256 random bits, shown once, when it is made; the vault keeps its SHA-256, which is as good as a slow hash for a secret that
can't be guessed. A token is its maker's: what is done with it is done by them, while they have the vault open, within their roles. A name is
given once, so that a trace names one token for ever. An administrator revokes anybody's, the others their own.
"""

import hashlib
import re
import secrets
from typing import Final

from core.errors import AlreadyExists, BadInput, NotFound, Refused
from core.records import Record
from core.vault.connection import Database
from core.vault.migrations import Migrations
from core.vault.roles import Act, Role
from core.vault.unit import Reader
from core.vault.vault import Vault

PREFIX: Final = "assay-"
"""By which a person, or a tool that looks for secrets in files, knows what it is."""
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
PER_MINUTE: Final = 600
MOST: Final = 10**9


class MakeToken(Record, frozen=True, kw_only=True):
    """A new token. Limits of 0 are none."""

    name: str
    requests_per_minute: int = PER_MINUTE
    tokens_per_day: int = 0
    """Tokens read and written, of prompts, answers and texts, from midnight to midnight of the workstation's clock."""


class ApiToken(Record, frozen=True, kw_only=True):
    """What is known of a token: everything but the token."""

    name: str
    user: str
    made: str
    requests_per_minute: int
    tokens_per_day: int
    revoked: str = ""
    """When; empty while it holds."""


def _first(db: Database) -> None:
    db.execute(
        "CREATE TABLE api_tokens(name TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, user TEXT NOT NULL, made TEXT NOT NULL,"
        " requests_per_minute INTEGER NOT NULL, tokens_per_day INTEGER NOT NULL, revoked TEXT NOT NULL) STRICT"
    )


SCHEMA = Migrations("api-tokens", (_first,))


def make(vault: Vault, request: MakeToken) -> tuple[ApiToken, str]:
    """A new token for the person who has the vault open, and the token itself, which nobody can show again.

    Raises `Refused`, `BadInput`, `AlreadyExists`."""
    if not _NAME.fullmatch(request.name):
        raise BadInput(
            source=f"The name {request.name[:80]}",
            problem="use up to 40 lower-case letters, digits, points, dashes and underscores, beginning with a letter or digit.",
        )
    for limit in (request.requests_per_minute, request.tokens_per_day):
        if not 0 <= limit <= MOST:
            raise BadInput(source=request.name, problem=f"a limit is a number from 0 (none) to {MOST}.")
    secret = PREFIX + secrets.token_urlsafe(32)
    with vault.write(Act.MAKE_TOKEN, about=request.name) as unit:
        if _find(unit, "name", request.name) is not None:
            raise AlreadyExists(kind="token", name=request.name, step="A name is given once; choose another.")
        made = ApiToken(
            name=request.name,
            user=unit.user.user,
            made=unit.time,
            requests_per_minute=request.requests_per_minute,
            tokens_per_day=request.tokens_per_day,
        )
        unit.db.execute(
            "INSERT INTO api_tokens VALUES (?, ?, ?, ?, ?, ?, '')",
            (made.name, hashed(secret), made.user, made.made, made.requests_per_minute, made.tokens_per_day),
        )
    return made, secret


def revoke(vault: Vault, name: str) -> ApiToken:
    """End a token; calls that run with it end as they would. Raises `Refused`, `NotFound`."""
    with vault.write(Act.REVOKE_TOKEN, about=name) as unit:
        found = _find(unit, "name", name)
        if found is None or found.revoked:
            raise NotFound(kind="token in force", name=name, step="`assay token list` shows what there is.")
        if found.user != unit.user.user and Role.ADMIN not in unit.user.roles:
            raise Refused(act=f"Revoke {name}", reason=f"It is {found.user}'s; they or an administrator revoke it.")
        unit.db.execute("UPDATE api_tokens SET revoked = ? WHERE name = ?", (unit.time, name))
    return found


def tokens(reader: Reader) -> tuple[ApiToken, ...]:
    """All tokens ever made, in the order in which they were."""
    rows = reader.db.execute(f"SELECT {_COLUMNS} FROM api_tokens ORDER BY rowid").fetchall()
    return tuple(map(_token, rows))


def in_force(reader: Reader, user: str) -> dict[str, ApiToken]:
    """A person's tokens that hold, by the hash of what a program shows."""
    rows = reader.db.execute(
        f"SELECT hash, {_COLUMNS} FROM api_tokens WHERE user = ? AND revoked = ''", (user,)
    ).fetchall()
    return {str(row[0]): _token(row[1:]) for row in rows}


def hashed(secret: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


_COLUMNS: Final = "name, user, made, requests_per_minute, tokens_per_day, revoked"


def _find(reader: Reader, column: str, value: str) -> ApiToken | None:
    row = reader.db.execute(f"SELECT {_COLUMNS} FROM api_tokens WHERE {column} = ?", (value,)).fetchone()
    return None if row is None else _token(row)


def _token(row: tuple[str, str, str, int, int, str]) -> ApiToken:
    name, user, made, per_minute, per_day, revoked = row
    return ApiToken(
        name=name, user=user, made=made, requests_per_minute=per_minute, tokens_per_day=per_day, revoked=revoked
    )
