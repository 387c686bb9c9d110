"""What stands before a signature on a terminal: the exact content, its digest, the meaning, the reason; then name and passphrase.

Each line of the content begins with a bar, so that nothing in it can pass for a line of the program's own, and everything that a
terminal would hide or reorder is written out.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from core.cli.session import Session
from core.records import Digest
from core.trust.cards import grouped
from core.trust.visible import found, visible
from core.vault.signing import Signer
from core.workbench import Workbench

SAYS = {
    "authored": "I wrote it as it stands",
    "reviewed": "I read it and its evidence",
    "approved": "it may be used as labelled",
    "released": "it may leave this vault",
}
"""What each meaning says."""
BAR = "| "


@contextmanager
def signing(
    session: Session, bench: Workbench, name: str, digest: Digest, text: str, meaning: str, reason: str
) -> Iterator[Signer]:
    """Show what is about to be signed, ask the person, and give their keys for the one act in the block. Raises `WrongPassphrase`, `Refused`."""
    for line in shown(name, digest, text, meaning, reason):
        session.output.say(line)
    with session.signer(bench) as signer:
        yield signer


@contextmanager
def announced(
    session: Session, bench: Workbench, name: str, text: str, reason: str, meaning: str = "authored"
) -> Iterator[Signer]:
    """The same for a record that is made with the signature, and has no digest before."""
    for line in (f"You sign {visible(name)} as {meaning}: {SAYS[meaning]}.", *_content(text, reason)):
        session.output.say(line)
    with session.signer(bench) as signer:
        yield signer


@contextmanager
def countersigning(session: Session, bench: Workbench, user: str, text: str, reason: str = "") -> Iterator[Signer]:
    """The same for a person's card, or its end, which an administrator vouches for."""
    said = f"You sign what auditors believe of {visible(user)}: it is so, and you vouch for it."
    for line in (said, *_content(text, reason)):
        session.output.say(line)
    with session.signer(bench) as signer:
        yield signer


def shown(name: str, digest: Digest, text: str, meaning: str, reason: str) -> list[str]:
    """The lines that a person sees before they sign."""
    return [
        f"You sign {visible(name)} as {meaning}: {SAYS[meaning]}.",
        f"Digest (SHA-256): {grouped(digest)}",
        *_content(text, reason),
    ]


def _content(text: str, reason: str) -> list[str]:
    marked = found(text)
    many = "1 character" if marked == 1 else f"{marked} characters"
    hidden = [f"{many} that a screen would hide or dress up, written as [U+…]."] if marked else []
    return [
        f"Reason: {visible(reason) or 'none'}",
        "What you sign:",
        *(BAR + line for line in visible(text).split("\n")),
        *hidden,
    ]
