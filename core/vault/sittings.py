"""A sitting: one person's continuous period of signing in an open vault (21 CFR 11.200(a)(1)).

Rules: the first signing of a sitting takes user name and passphrase, each further one the passphrase; a sitting ends when the vault is
locked, after the policy's idle time without a touch, after a wrong answer, and with `end`. Nobody else signs in it: a sitting belongs to
the person who has the vault open. Wrong answers are logged; after the policy's number of them nobody signs for the policy's minutes.
"""

import time
import unicodedata
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from core.errors import Refused, WrongPassphrase
from core.vault import policies, sessions
from core.vault.roles import Act
from core.vault.signing import Signer

if TYPE_CHECKING:
    from core.vault.vault import Vault

ABOUT = "signing"
"""What the log's entry of a wrong answer is about, to tell it from one at the opening of a vault."""


class Sitting:
    """A series of signings. The window keeps one while its vault is open; each command has one of its own. `clock` gives seconds."""

    def __init__(self, vault: "Vault", clock: Callable[[], float] = time.monotonic) -> None:
        self._vault = vault
        self._clock = clock
        self._touched: float | None = None

    @property
    def needs_name(self) -> bool:
        """Whether the next signing takes the user name too."""
        if self._touched is None:
            return True
        with self._vault.read() as reader:
            idle = policies.current(reader).idle_minutes
        return self._clock() - self._touched >= idle * 60

    def touch(self) -> None:
        """Somebody is at work: the idle time begins again. Doesn't begin a sitting, nor revive one that has ended."""
        if self._touched is not None and not self.needs_name:
            self._touched = self._clock()

    def end(self) -> None:
        """The next signing takes user name and passphrase."""
        self._touched = None

    def confirm(self, passphrase: str, user: str = "") -> Signer:
        """This person's signing keys for one act (`with sitting.confirm(...) as signer:`); begins or continues the sitting.

        Raises `WrongPassphrase`, without saying which of the two was wrong, and `Refused` after too many wrong answers or without a user
        name where one is needed.
        """
        with sessions.refusals(self._vault, Act.SIGN, ABOUT):
            self._check_lockout()
            if self.needs_name and not user:
                raise Refused(
                    act="Sign", reason="The first signing of a sitting takes your user name and your passphrase."
                )
        try:
            if user and unicodedata.normalize("NFC", user) != self._vault.user.user:
                raise WrongPassphrase(vault=str(self._vault.folder))
            signer = self._vault.confirm(passphrase)
        except WrongPassphrase:
            self.end()
            self._vault.record(Act.SIGN_IN_FAILED, about=ABOUT)
            raise
        self._touched = self._clock()
        return signer

    def _check_lockout(self) -> None:
        with self._vault.read() as reader:
            policy = policies.current(reader)
            since = datetime.now().astimezone() - timedelta(minutes=policy.lockout_minutes)
            rows = reader.db.execute(
                "SELECT seq FROM trail WHERE user = ? AND act = ? AND at > ? ORDER BY seq",
                (self._vault.user.user, Act.SIGN_IN_FAILED.value, int(since.timestamp())),
            ).fetchall()
            wrong = [index for (index,) in rows if reader.log(1, index - 1)[0].about == ABOUT]
        if len(wrong) >= policy.lockout_attempts:
            raise Refused(
                act="Sign",
                reason=f"{len(wrong)} wrong answers in {policy.lockout_minutes} minutes: wait, then try again.",
            )
