"""Calls of the local API: the trace that each one leaves, and the tokens that each token's programs have used.

Rules: a trace is stored before its program hears the end of the answer; one that broke off, or was refused, leaves its trace too. The trace
names the token and never holds it. What a collection answered stands in that answer's own trace, whose digest the call has; the text isn't
kept twice, so that it can be erased in one place.
"""

from collections.abc import Iterable, Sequence

from core.records import Digest, Record
from core.vault.connection import Database
from core.vault.erasable import Erasable
from core.vault.migrations import Migrations
from core.vault.roles import Act
from core.vault.unit import Reader, Unit
from core.vault.vault import Vault


class ApiCall(Record, frozen=True, kw_only=True, tag="api-call"):
    """One call, with what was asked and answered."""

    path: str
    request_id: str
    token: str
    """The token's name."""
    began: str
    request: str
    """The body as it came: JSON text, or what was sent in its place."""
    status: int
    """Of HTTP; 499 when the program was gone before the end."""
    problem: str = ""
    """What was wrong, as the program was told."""
    model: str = ""
    model_digest: str = ""
    rendered: str = ""
    """The prompt as the model saw it."""
    answers: tuple[str, ...] = ()
    """Texts that were written; a part of one where the call broke off. Vectors and scores aren't kept: they can be computed again."""
    finish: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    mode: str = ""
    prompt_tokens: int = 0
    tokens: int = 0
    first_token_seconds: float = 0.0
    seconds: float = 0.0
    backend: str = ""
    adapters: tuple[str, ...] = ()
    """Those that the model was computed with: digest and scale."""
    answer: str = ""
    """The digest of the collection's answer, where one was asked; `answers` is empty then."""


def _first(db: Database) -> None:
    db.execute(
        "CREATE TABLE api_calls(id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, token TEXT NOT NULL,"
        " day TEXT NOT NULL, tokens INTEGER NOT NULL, answer TEXT NOT NULL) STRICT"
    )
    db.execute("CREATE INDEX api_calls_by_day ON api_calls(day, token)")


SCHEMA = Migrations("api-calls", (_first,))


class ApiCalls:
    """The traces of one open vault's calls."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def keep(self, calls: Sequence[ApiCall]) -> tuple[Digest, ...]:
        """Store traces in one change; their digests. Raises `Refused`, `DiskFull`."""
        names = ", ".join(sorted({call.token for call in calls}))
        kept = []
        with self._vault.write(Act.USE_API, about=names) as unit:
            for call in calls:
                digest = unit.put(call)
                unit.db.conn.execute(
                    "INSERT INTO api_calls(digest, token, day, tokens, answer) VALUES (?, ?, ?, ?, ?)",
                    (digest, call.token, call.began[:10], call.prompt_tokens + call.tokens, call.answer),
                )
                kept.append(digest)
        return tuple(kept)

    def list(self, limit: int = 100) -> tuple[tuple[Digest, ApiCall], ...]:
        """The latest calls with their digests, newest first."""
        with self._vault.read() as reader:
            rows = reader.db.execute("SELECT digest FROM api_calls ORDER BY id DESC LIMIT ?", (limit,)).fetchall()
            return tuple((Digest(digest), reader.get(Digest(digest), ApiCall)) for (digest,) in rows)

    def show(self, digest: Digest) -> ApiCall:
        """One call. Raises `NotFound`."""
        with self._vault.read() as reader:
            return reader.get(digest, ApiCall)

    def used(self, day: str) -> dict[str, int]:
        """Tokens that were read and written on a day ("2026-01-31"), by the name of the token that asked."""
        with self._vault.read() as reader:
            rows = reader.db.execute("SELECT token, sum(tokens) FROM api_calls WHERE day = ? GROUP BY token", (day,))
            return {str(token): int(tokens) for token, tokens in rows.fetchall()}


class ErasableApiCalls(Erasable):
    """Named by their digest. The rule counts from the call."""

    kind = "api-call"
    plural = "API calls"
    rule = "api-calls"

    def find(self, reader: Reader, reference: str) -> tuple[Digest, ...]:
        reader.raw(Digest(reference), ApiCall)
        return (Digest(reference),)

    def label(self, reader: Reader, digest: Digest) -> str:
        call = reader.get(digest, ApiCall)
        return f"{call.path} with {call.token}, {digest[:8]}"

    def held(self, reader: Reader, kind: str, id: str) -> Iterable[Digest]:
        if kind == "collection":
            rows = reader.db.execute(
                "SELECT c.digest FROM api_calls c JOIN traces t ON t.digest = c.answer WHERE t.collection = ?", (id,)
            ).fetchall()
            return tuple(Digest(digest) for (digest,) in rows)
        return (Digest(id),) if kind == self.kind else ()

    def aged(self, reader: Reader, before: str) -> Iterable[tuple[Digest, str]]:
        rows = reader.db.execute(
            "SELECT c.digest, r.time FROM api_calls c JOIN records r ON r.digest = c.digest WHERE r.time < ? ORDER BY c.id",
            (before,),
        ).fetchall()
        return [(Digest(digest), str(time)) for digest, time in rows]

    def forget(self, unit: Unit, digests: Sequence[Digest]) -> None:
        unit.db.conn.executemany("DELETE FROM api_calls WHERE digest = ?", [(digest,) for digest in digests])
