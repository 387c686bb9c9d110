"""What is stored of a dataset, and what its operations take and give."""

import msgspec

from core.records import Digest, Record


class Sample(Record, frozen=True, kw_only=True):
    """One question with what a right answer must hold. A sample that the documents don't answer has `unanswerable` and no target."""

    id: str
    input: str
    target: str | None = None
    """The value that a right answer contains, word for word."""
    answer: str = ""
    """A whole right answer, for reading."""
    unanswerable: bool = False
    document: str = ""
    """The name of the document that holds the answer."""
    page: int | None = None
    """The page of that document, from 1."""
    quote: str = ""
    """The sentence on that page, verbatim."""
    tags: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    """What can be chosen from, in the order in which it is shown; the target is one of them."""
    targets: tuple[str, ...] = ()
    """Further texts that are as right as the target."""
    passages: tuple[str, ...] = ()
    """Texts that the question is asked about."""
    metadata: dict[str, str] = msgspec.field(default_factory=dict)
    """What else is known of it, by name."""


class Dataset(Record, frozen=True, kw_only=True, tag="dataset"):
    """One immutable version of a dataset."""

    name: str
    number: int
    samples: tuple[Sample, ...]
    source: str
    """The file that it was read from, by name."""
    parent: Digest | None
    author: str
    saved: str

    @property
    def reference(self) -> str:
        """How the version is named everywhere: `name@number`."""
        return f"{self.name}@{self.number}"


class AddDataset(Record, frozen=True, kw_only=True):
    name: str
    path: str


class SavedDataset(Record, frozen=True, kw_only=True):
    """A version with its digest; `created` is False when the file holds what the latest version holds."""

    digest: Digest
    dataset: Dataset
    created: bool
