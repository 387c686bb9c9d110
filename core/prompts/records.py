"""What is stored of a prompt, and what its operations take and give."""

from typing import Literal

from core.inference.records import Message
from core.records import Digest, Record


class PromptVersion(Record, frozen=True, kw_only=True, tag="prompt-version"):
    """One immutable version of a prompt: Jinja templates of chat messages."""

    name: str
    number: int
    messages: tuple[Message, ...]
    notes: str
    parent: Digest | None
    """The version before it, None for the first."""
    author: str
    saved: str

    @property
    def reference(self) -> str:
        """How the version is named everywhere: `name@number`."""
        return f"{self.name}@{self.number}"


class SavePrompt(Record, frozen=True, kw_only=True):
    name: str
    messages: tuple[Message, ...]
    notes: str = ""


class SavedPrompt(Record, frozen=True, kw_only=True):
    """A version with its digest; `created` is False when the content equals the latest version's, and nothing was written."""

    digest: Digest
    prompt: PromptVersion
    created: bool


class SignPrompt(Record, frozen=True, kw_only=True):
    """`meaning`: what the signature says (authored, reviewed, approved)."""

    reference: str
    meaning: Literal["authored", "reviewed", "approved"]
    reason: str = ""


class PromptState(Record, frozen=True, kw_only=True):
    """A version as lists show it. `signed` holds the meanings, by printed name."""

    digest: Digest
    prompt: PromptVersion
    labels: tuple[str, ...]
    signed: tuple[tuple[str, str], ...]


class DiffPart(Record, frozen=True, kw_only=True):
    """A run of words that both versions have, or that one of them added or lost."""

    kind: Literal["same", "added", "removed"]
    text: str
