"""What is stored of a dataset, and what its operations take and give.

A sample that a model wrote, all or a part of it, is synthetic for ever: its origin says so, editing it changes nothing about that, and the tag
`synthetic` goes with it. Fields are only added, with a default, so that versions of before keep their bytes and their digests.
Nothing in a sample leads back to it, so Python's collector of cycles doesn't look at samples (`gc=False`), which takes a third from the time of
handling a hundred thousand.
"""

from typing import Literal

import msgspec

from core.records import Digest, Record

SYNTHETIC = "synthetic"
"""The tag of every sample that a model wrote, all or a part of it."""


class Turn(Record, frozen=True, kw_only=True, gc=False):
    """One turn of a conversation: `system`, `user`, `assistant`, `call` (of a function, by the assistant) or `tool` (what came back)."""

    role: str
    content: str


class Origin(Record, frozen=True, kw_only=True, gc=False):
    """Where a sample comes from. What made it is told by name and digest, so that it can be found again."""

    kind: Literal["file", "person", "document", "trace", "failure"]
    source: str = ""
    """The file, the document's or the trace's digest, the run."""
    by: str = ""
    """The person who brought it in, or accepted it."""
    model: str = ""
    """What wrote it, by name and digest; empty where no model did."""
    synthetic: bool = False
    """Whether a model wrote any of it. Never taken back."""


class Sample(Record, frozen=True, kw_only=True, gc=False):
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
    turns: tuple[Turn, ...] = ()
    """The whole conversation before the answer, where it is more than one question; the last turn of the user is the input."""
    chosen: str = ""
    """Of a preference, the better answer."""
    rejected: str = ""
    """Of a preference, the worse answer."""
    group: str = ""
    """What must stay together when the dataset is split: a patient, a case, a source."""
    split: str = ""
    """The part that it belongs to: "train", "test"."""
    origin: Origin | None = None

    @property
    def synthetic(self) -> bool:
        """Whether a model wrote any of it."""
        return SYNTHETIC in self.tags or (self.origin is not None and self.origin.synthetic)


class Splitting(Record, frozen=True, kw_only=True):
    """How samples are parted: by what must stay together, with which shares, from which seed."""

    shares: dict[str, float]
    """Part to share; they sum to 1."""
    by: Literal["sample", "document", "group"] = "sample"
    seed: int = 0


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
    note: str = ""
    """What changed, in the person's words."""
    splitting: Splitting | None = None
    """How its parts were made, where this version made them."""

    @property
    def reference(self) -> str:
        """How the version is named everywhere: `name@number`."""
        return f"{self.name}@{self.number}"


class AddDataset(Record, frozen=True, kw_only=True):
    """Read a file into the next version of a dataset. `columns` leads from the file's names to a sample's fields, or to "" to leave one out."""

    name: str
    path: str
    form: str = ""
    """One of `core.datasets.worker.records.FORMS`; "" to tell it by its content."""
    columns: dict[str, str] = {}  # noqa: RUF012 (msgspec copies it)
    leave_out: bool = False
    """Leave out rows that can't be read; otherwise they are a reason not to store anything."""


class SaveSamples(Record, frozen=True, kw_only=True):
    """Keep samples as the next version of a dataset. `based_on` is the version that was changed; "" for a new dataset."""

    name: str
    samples: tuple[Sample, ...]
    based_on: str = ""
    note: str = ""


class SplitDataset(Record, frozen=True, kw_only=True):
    """Part a version into a new version; with `apart` each part becomes a dataset of its own too, named `NAME-PART`."""

    reference: str
    splitting: Splitting
    apart: bool = False


class SavedDataset(Record, frozen=True, kw_only=True):
    """A version with its digest; `created` is False when the file holds what the latest version holds."""

    digest: Digest
    dataset: Dataset
    created: bool
