"""How much each token may ask: requests a minute, tokens a day. Kept in memory; a day's use is taken up from the traces.

Times are the workstation's clock for days, and a clock that never goes back for minutes. Safe from several threads.
"""

import math
import threading
from collections.abc import Callable
from datetime import datetime

from core.server.problems import Problem
from core.vault.api_tokens import ApiToken

MINUTE = 60.0


class Limits:
    """The counts of one server."""

    def __init__(
        self,
        used: Callable[[str], dict[str, int]],
        clock: Callable[[], float],
        today: Callable[[], str] = lambda: datetime.now().astimezone().date().isoformat(),
    ) -> None:
        """`used` gives the tokens of a day by the name of who used them."""
        self._read = used
        self._clock = clock
        self._today = today
        self._lock = threading.Lock()
        self._left: dict[str, tuple[float, float]] = {}
        self._day = ""
        self._used: dict[str, int] = {}

    def ask(self, token: ApiToken) -> Problem | None:
        """Count one request; why it is refused, where it is."""
        with self._lock:
            return self._rate(token) or self._quota(token)

    def add(self, token: str, tokens: int) -> None:
        """Count what a call has used."""
        with self._lock:
            self._turn()
            self._used[token] = self._used.get(token, 0) + tokens

    def _rate(self, token: ApiToken) -> Problem | None:
        most = token.requests_per_minute
        if not most:
            return None
        now = self._clock()
        left, since = self._left.get(token.name, (float(most), now))
        left = min(float(most), left + (now - since) * most / MINUTE)
        if left >= 1.0:
            self._left[token.name] = (left - 1.0, now)
            return None
        self._left[token.name] = (left, now)
        wait = max(1, math.ceil((1.0 - left) * MINUTE / most))
        return Problem(
            status=429,
            message=f"The token {token.name} may ask {most} times a minute. Ask again in {wait} s.",
            type="requests",
            code="rate_limit_exceeded",
            retry_after=wait,
        )

    def _quota(self, token: ApiToken) -> Problem | None:
        self._turn()
        if not token.tokens_per_day or self._used.get(token.name, 0) < token.tokens_per_day:
            return None
        return Problem(
            status=429,
            message=f"The token {token.name} has used its {token.tokens_per_day} tokens of today. Ask again tomorrow.",
            type="insufficient_quota",
            code="insufficient_quota",
        )

    def _turn(self) -> None:
        """Begin a new day's count, with what the traces hold of it."""
        if self._day != (day := self._today()):
            self._day, self._used = day, self._read(day)
