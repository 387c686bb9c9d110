"""What the vault knows of a model file, and what is asked of the worker that reads one."""

from core.records import Digest, Record

FAKE = "fake"
"""The built-in deterministic model, known without a file."""


class ModelFile(Record, frozen=True, kw_only=True, tag="model"):
    """A registered model file. Its identity is `digest`; the other facts come from the file's own header."""

    name: str
    digest: Digest
    """SHA-256 of the file."""
    path: str
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


class AddModel(Record, frozen=True, kw_only=True):
    """Register a file; `name` is made from the file's name where it is not given."""

    path: str
    name: str | None = None


class ReadModel(Record, frozen=True, kw_only=True, tag="read-model"):
    """To the reading worker: what does this file say of itself?"""

    path: str


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
