"""What the vault knows of a model file, and what is asked of the worker that reads one."""

from pathlib import Path

from core.records import Digest, Record

FAKE = "fake"
"""The built-in deterministic model, known without a file."""


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
    """"chat", "embed" or "other"."""
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
    parts: tuple[Part, ...] = ()
    """The files of a model in several, in order; empty for one file."""
    identity: str = ""
    """Of the one file, as in `core.models.files`; "" where it isn't known."""
    signature: str = ""
    """Of an OpenSSF Model Signing signature that lay beside it: "valid", "unchecked" (nobody trusts its key here), or "" for none."""
    signed_by: str = ""
    """The trusted key's name, or whom an unchecked signature names."""

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
    tokenizer: str = ""
    base_model: str = ""
