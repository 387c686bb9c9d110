"""Who is let in, before anything of a request is read.

Rules, in this order: 1. The request names this server (`Host`), so that a page whose name was pointed at this machine gets nothing. 2. No
browser page asks: whatever has an `Origin`, or says that another site sent it, is refused; there are no CORS headers at all, also not for a
preflight. 3. A token that is in force and belongs to the person who has the vault open, who may use the API. 4. The token's limits.
`/health` needs no token and tells nothing.
"""

from collections.abc import Iterable
from typing import Final

from core.server.limits import Limits
from core.server.problems import INVALID, Problem
from core.vault.api_tokens import ApiToken, hashed, in_force
from core.vault.roles import Act, allowed
from core.vault.vault import Vault

Headers = Iterable[tuple[bytes, bytes]]
OPEN: Final = "/health"
LONGEST_TOKEN: Final = 200
_FROM_NOBODY: Final = (b"none",)
"""`Sec-Fetch-Site` of what a person typed into the address bar; programs send no such header."""
NO_TOKEN: Final = Problem(
    status=401,
    message="A token is needed: Authorization: Bearer assay-…. `assay token make NAME` makes one.",
    type=INVALID,
    code="invalid_api_key",
)


class Gate:
    """The checks of one server."""

    def __init__(self, vault: Vault, limits: Limits, port: int) -> None:
        self._vault = vault
        self._limits = limits
        self._hosts = {f"{name}:{port}".encode() for name in ("127.0.0.1", "localhost")}
        self._tokens: dict[str, ApiToken] = {}
        self.renew()

    def check(self, path: str, headers: Headers) -> ApiToken | Problem | None:
        """The token that a request came with; None for what needs none; or why it is refused."""
        given: dict[bytes, list[bytes]] = {}
        for name, value in headers:
            given.setdefault(name, []).append(value)
        if refused := self._place(given):
            return refused
        if path == OPEN:
            return None
        token = self._token(given.get(b"authorization", []))
        if token is None:
            return NO_TOKEN
        if not allowed(Act.USE_API, self._vault.user.roles):
            return Problem(
                status=403,
                message=f"The roles of {self._vault.user.user} don't allow to use the API.",
                type="permission_error",
                code="refused",
            )
        return self._limits.ask(token) or token

    def _place(self, given: dict[bytes, list[bytes]]) -> Problem | None:
        hosts = given.get(b"host", [])
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return _foreign("The Host header doesn't name this server. Ask 127.0.0.1 with its port.")
        if b"origin" in given:
            return _foreign("Web pages may not ask here: the request has an Origin header.")
        if any(value not in _FROM_NOBODY for value in given.get(b"sec-fetch-site", [])):
            return _foreign("Web pages may not ask here: a browser sent this for another site.")
        return None

    def _token(self, values: list[bytes]) -> ApiToken | None:
        if len(values) != 1 or len(values[0]) > LONGEST_TOKEN:
            return None
        scheme, _, secret = values[0].decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            return None
        return self._tokens.get(hashed(secret.strip()))

    def renew(self) -> None:
        """Take up which tokens are in force."""
        with self._vault.read() as reader:
            self._tokens = in_force(reader, self._vault.user.user)


def _foreign(message: str) -> Problem:
    return Problem(status=403, message=message, type="permission_error", code="foreign_request")
