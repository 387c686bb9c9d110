"""Making model files: a Hugging Face folder converted, a file quantized, and what was lost measured. What is asked, of the service and of
its workers, and what comes back."""

from core.models.records import ModelFile
from core.records import Record

CONVERTED_TYPES = ("bf16", "f16", "f32", "q8_0")
"""What matrices of an imported model can be stored as."""
QUANTIZATIONS = tuple(
    "Q4_K_M Q5_K_M Q6_K Q8_0 Q4_K_S Q5_K_S Q3_K_S Q3_K_M Q3_K_L Q2_K Q2_K_S Q4_0 Q4_1 Q5_0 Q5_1 IQ4_NL IQ4_XS IQ3_M IQ3_S IQ3_XS IQ3_XXS "
    "IQ2_M IQ2_S IQ2_XS IQ2_XXS IQ1_M IQ1_S TQ1_0 TQ2_0 MXFP4_MOE NVFP4 Q1_0 Q2_0 F16 BF16 F32".split()
)
"""llama.cpp's types, the usual ones first."""


class ImportModel(Record, frozen=True, kw_only=True):
    """Make a GGUF of a Hugging Face folder, and register it. `quantization`: of its matrices (f32, f16, bf16, q8_0); `out`: the new file, else beside
    the folder and named after it; `name`: how the vault calls it."""

    folder: str
    quantization: str = "bf16"
    out: str | None = None
    name: str | None = None


class ConvertFolder(Record, frozen=True, kw_only=True, tag="convert-folder"):
    """To the converting worker. `name`: what the file will call itself."""

    folder: str
    out: str
    quantization: str
    name: str


class Converted(Record, frozen=True, kw_only=True, tag="converted"):
    """A file was written. `texts`: on how many texts its tokens equal those of the folder; `notes`: what is worth knowing, as clauses."""

    architecture: str
    tensors: int
    texts: int
    notes: tuple[str, ...]


class ImportedModel(Record, frozen=True, kw_only=True):
    """The new model, and what its conversion noted."""

    model: ModelFile
    converted: Converted


class QuantizeModel(Record, frozen=True, kw_only=True):
    """Write a registered model anew as `quantization`, and register it. `out`: the new file, else beside the old one; `again`: also when the
    old one is quantized already; `pure`: every matrix alike, where llama.cpp would keep some finer; `importance`: learn from this text which numbers
    matter, and keep those nearer; `text`: measure the loss on it."""

    model: str
    quantization: str
    out: str | None = None
    name: str | None = None
    again: bool = False
    pure: bool = False
    importance: str = ""
    text: str = ""


class QuantizeFile(Record, frozen=True, kw_only=True, tag="quantize-file"):
    """To the worker. `expected`: bytes of the result, roughly, for progress; `threads` 0 takes all cores."""

    path: str
    out: str
    name: str
    quantization: str
    threads: int
    again: bool
    pure: bool
    expected: int
    importance: str = ""


class Quantized(Record, frozen=True, kw_only=True, tag="quantized"):
    """A file of so many bytes was written; `learnt`: from so many tokens of the text for importance."""

    size: int
    learnt: int = 0


class CompareModels(Record, frozen=True, kw_only=True, tag="compare-models"):
    """To the worker: how far the second file's predictions are from the first one's."""

    first: str
    second: str
    text: str


class Compared(Record, frozen=True, kw_only=True, tag="compared"):
    """Over `tokens` predictions: both perplexities; the Kullback-Leibler divergence of the second model from the first (nats a token), its mean
    and the value that 99 % stay under; the share of tokens whose likeliest is the same."""

    tokens: int
    first_perplexity: float
    second_perplexity: float
    divergence: float
    divergence_99: float
    same_top: float


class QuantizedModel(Record, frozen=True, kw_only=True):
    """The new model, and what was lost, where a text was given."""

    model: ModelFile
    before: int
    """Bytes of the old files."""
    compared: Compared | None
    learnt: int = 0
    """Tokens of the text that its importance matrix was computed from; 0 where it was made without one."""
