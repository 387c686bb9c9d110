"""What is stored of a prompt, and what its operations take and give.

Rule: a version without variables, contract and settings is stored in the form of version 1 of the record, byte for byte as before there were any;
they are left out of it rather than empty.
"""

from typing import Any, Literal

from msgspec import UNSET, UnsetType, field

from core.inference.records import Message
from core.records import Digest, Record

Kind = Literal["text", "number", "choice", "passages", "examples"]
KINDS: tuple[Kind, ...] = ("text", "number", "choice", "passages", "examples")


class Variable(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a template is filled with, by its name and kind."""

    name: str
    kind: Kind = "text"
    description: str = ""
    default: str | int | float | None = None
    """The value where none is given; a variable without one must be given a value."""
    choices: tuple[str, ...] = ()
    """Of a choice: what it may be."""
    least: int | float | None = None
    most: int | float | None = None
    """Of a number: its bounds, both included."""
    dataset: str = ""
    """Of examples: the version of the dataset that they are from; a name alone is kept as its latest version."""
    count: int = 4
    """Of examples: how many, from the dataset's beginning."""
    source: str = ""
    """Where an evaluation finds the value in a sample: `input`, `choices`, `passages` or `metadata.NAME`. Empty: by the variable's own name, there
    or among the metadata."""


class Contract(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The form that every answer to the prompt has. The engine's grammar keeps it while the answer is written, and it is checked afterwards."""

    form: Literal["text", "json", "choice"] = "text"
    schema: dict[str, Any] | None = None
    """Of JSON: the schema (draft 2020-12) that it follows."""
    choices: tuple[str, ...] = ()
    """Of a choice: the answers that there are."""


class Sampling(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an answer is computed, where whoever asks says nothing else. What is None is as usual."""

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    repeat_penalty: float | None = None
    stop: tuple[str, ...] = ()


class PromptVersion(Record, frozen=True, kw_only=True, tag="prompt-version"):
    """One immutable version of a prompt: Jinja templates of chat messages, what they are filled with, and what comes back."""

    version: int = 2
    """1 where it has messages and notes alone."""
    name: str
    number: int
    messages: tuple[Message, ...]
    notes: str
    parent: Digest | None
    """The version before it, None for the first."""
    author: str
    saved: str
    variables: tuple[Variable, ...] | UnsetType = UNSET
    contract: Contract | UnsetType = UNSET
    settings: Sampling | UnsetType = UNSET

    @property
    def declared(self) -> tuple[Variable, ...]:
        """Its typed variables; a version without any takes whatever its templates name."""
        return self.variables or ()

    @property
    def promised(self) -> Contract:
        """The form of its answers: text, where nothing else was said."""
        return self.contract or Contract()

    @property
    def sampling(self) -> Sampling:
        """Its settings; those that are None are left to whoever asks."""
        return self.settings or Sampling()

    @property
    def reference(self) -> str:
        """How the version is named everywhere: `name@number`."""
        return f"{self.name}@{self.number}"


class SavePrompt(Record, frozen=True, kw_only=True):
    name: str
    messages: tuple[Message, ...]
    notes: str = ""
    variables: tuple[Variable, ...] = ()
    contract: Contract = Contract()
    settings: Sampling = Sampling()


class Preview(Record, frozen=True, kw_only=True):
    """A prompt with values, before it is saved."""

    messages: tuple[Message, ...]
    tokens: int
    """Of the whole prompt for the model that was asked about; 0 where none was."""
    window: int = 0


class Given(Record, frozen=True, kw_only=True):
    """What a prompt is filled with: by name, and from where the question came."""

    values: dict[str, Any] = field(default_factory=dict)
    """A person's values, by the variables' names."""
    base: dict[str, Any] = field(default_factory=dict)
    """What every question brings: `question`, `input`, `passages`, `choices`, `metadata`."""


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
