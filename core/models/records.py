"""What the vault knows of a model file, and what is asked of the worker that reads one."""

from pathlib import Path
from typing import Literal

from core.records import Digest, Record

FAKE = "fake"
"""The built-in deterministic model, known without a file."""
LEGACY = "ggml-"
"""Before the family's name in the architecture of an old GGML file."""


class Part(Record, frozen=True, kw_only=True):
    """One file of a model in several; `identity` as in `core.models.files`."""

    name: str
    digest: Digest
    size: int
    identity: str


class ModelFile(Record, frozen=True, kw_only=True, tag="model"):
    """A registered model file. Its identity is `digest`; the other facts come from the file's own header."""

    name: str
    digest: Digest
    """SHA-256 of the file; of a model in several files, of the lines that `sha256sum` prints of them."""
    path: str
    """Of several files, the first."""
    size: int
    modified_us: int
    """When the file was last changed, microseconds since 1970 (canonical JSON holds no nanoseconds)."""
    architecture: str
    purpose: str
    """"chat", "embed", "rerank", "adapter" or "other"."""
    quantization: str
    parameters: int
    context: int
    """Tokens that the model was made for."""
    dimensions: int
    """Length of its vectors."""
    has_template: bool
    """Whether the file brings a chat template."""
    licence: str
    added: str
    title: str = ""
    """What the file calls itself."""
    tokenizer: str = ""
    """Its kind, its rules for splitting a text, and how many tokens it knows."""
    base_model: str = ""
    """What the model was made from, where the file says so."""
    base_digest: str = ""
    """Of an adapter: the digest of the model that it was made for, where the file says so (`assay.base.digest`)."""
    parts: tuple[Part, ...] = ()
    """The files of a model in several, in order; empty for one file."""
    identity: str = ""
    """Of the one file, as in `core.models.files`; "" where it isn't known."""
    signature: str = ""
    """Of an OpenSSF Model Signing signature that lay beside it: "valid", "unchecked" (nobody trusts its key here), or "" for none."""
    signed_by: str = ""
    """The trusted key's name, or whom an unchecked signature names."""
    importance: str = ""
    """What a quantized file says of the text from which was learnt which of its numbers matter: `sha256:` with the digest where it was made
    here, else what its maker wrote; empty where it was made without one."""

    @property
    def files(self) -> tuple[str, ...]:
        """The paths of all its files."""
        return (self.path, *(str(Path(self.path).with_name(part.name)) for part in self.parts[1:]))


class AddModel(Record, frozen=True, kw_only=True):
    """Register a file; `name` is made from the file's name where it is not given.

    `signature`: its signature, where that doesn't lie beside it; `key`: the file of the key or certificate that it must be by."""

    path: str
    name: str | None = None
    signature: str | None = None
    key: str | None = None


class ModelKey(Record, frozen=True, kw_only=True, tag="model-key"):
    """A public key, or root certificates, trusted for signatures on model files. `fingerprint`: SHA-256 of the PEM as written anew."""

    name: str
    pem: str
    fingerprint: Digest
    by: str
    added: str


class TrustKey(Record, frozen=True, kw_only=True):
    name: str
    path: str
    reason: str = ""


class SignModel(Record, frozen=True, kw_only=True):
    """Sign a file or a folder; `out` is where the signature goes, beside it or in it where that isn't given."""

    path: str
    out: str | None = None
    reason: str = ""


class ExportModel(Record, frozen=True, kw_only=True):
    """Copy a registered model into a new folder, signed."""

    name: str
    folder: str
    reason: str = ""


class CheckModel(Record, frozen=True, kw_only=True):
    """Verify a file or folder; `ignored` are paths below it that needn't be signed."""

    path: str
    key: str
    signature: str | None = None
    ignored: tuple[str, ...] = ()


class VerifiedModel(Record, frozen=True, kw_only=True):
    """A signature that holds. `model`: what the signer called it; `files`: how many files, or pieces of files, are as signed."""

    signature: str
    fingerprint: Digest
    model: str
    files: int


class SignedFile(Record, frozen=True, kw_only=True):
    name: str
    digest: Digest


class ModelSignature(Record, frozen=True, kw_only=True, tag="model-signature"):
    """A signature that left the vault: on what, by which P-256 key, and the bundle itself. Its author's card signs this record."""

    name: str
    files: tuple[SignedFile, ...]
    key: str
    bundle: str
    author: str
    signed: str


class SignedModel(Record, frozen=True, kw_only=True):
    """Where a signature was written, and the public key that verifies it, as PEM."""

    signature: str
    key: str
    fingerprint: Digest
    files: tuple[SignedFile, ...]
    record: Digest


class ModelCard(Record, frozen=True, kw_only=True, tag="model-card"):
    """One immutable version of a model's card, about one file. `evaluations` are the digests of runs."""

    name: str
    number: int
    model: Digest
    intended: str
    unsuited: str
    """What it isn't meant for."""
    source: str
    licence: str
    limits: str
    evaluations: tuple[Digest, ...]
    parent: Digest | None
    author: str
    saved: str

    @property
    def reference(self) -> str:
        """How the version is named: `name@number`."""
        return f"{self.name}@{self.number}"


class SaveCard(Record, frozen=True, kw_only=True):
    """What is given replaces what the latest version says; `evaluations` are the names of runs."""

    model: str
    intended: str | None = None
    unsuited: str | None = None
    source: str | None = None
    licence: str | None = None
    limits: str | None = None
    evaluations: tuple[str, ...] | None = None


class SavedCard(Record, frozen=True, kw_only=True):
    """`created` is False when the content equals the latest version's, and nothing was written."""

    digest: Digest
    card: ModelCard
    created: bool


class SignCard(Record, frozen=True, kw_only=True):
    reference: str
    meaning: Literal["authored", "reviewed", "approved"]
    reason: str = ""


class CardState(Record, frozen=True, kw_only=True):
    """A version as lists show it. `current`: whether it is about the file that is registered now; `approved`: whether it is what makes the
    model approved."""

    digest: Digest
    card: ModelCard
    current: bool
    approved: bool
    signed: tuple[tuple[str, str], ...]


class ModelAlias(Record, frozen=True, kw_only=True, tag="model-alias"):
    """One pointing of an alias at a model's file."""

    name: str
    number: int
    model: Digest
    model_name: str
    """What the model was called then."""
    parent: Digest | None
    author: str
    saved: str


class MoveAlias(Record, frozen=True, kw_only=True):
    """Point `name` at the model; an empty `model` ends the alias."""

    name: str
    model: str
    reason: str = ""


class OnDisk(Record, frozen=True, kw_only=True):
    """A model's files. `space`: bytes that they take on the disk; `uses`: what keeps the model from being removed."""

    name: str
    digest: Digest
    paths: tuple[str, ...]
    size: int
    space: int
    missing: tuple[str, ...]
    uses: tuple[str, ...]


class Duplicate(Record, frozen=True, kw_only=True):
    """Files of the same content that each take `size` bytes."""

    digest: Digest
    size: int
    paths: tuple[str, ...]


class DiskView(Record, frozen=True, kw_only=True):
    """`free`: the bytes free where models lie, by folder; `others`: model files that lie there too and aren't registered, with their sizes."""

    models: tuple[OnDisk, ...]
    total: int
    free: tuple[tuple[str, int], ...]
    duplicates: tuple[Duplicate, ...]
    others: tuple[tuple[str, int], ...]


class ReadModel(Record, frozen=True, kw_only=True, tag="read-model"):
    """To the reading worker: what does this file say of itself?"""

    path: str
    more: tuple[str, ...] = ()
    """The other files of a model in several."""


class Facts(Record, frozen=True, kw_only=True, tag="model-facts"):
    """What a GGUF header says."""

    architecture: str
    purpose: str
    quantization: str
    parameters: int
    context: int
    dimensions: int
    has_template: bool
    licence: str
    title: str
    tensors: int
    base_digest: str = ""
    tokenizer: str = ""
    base_model: str = ""
    importance: str = ""
