"""What goes into a pack, what comes out of making one, and what a verifier says of one."""

from typing import Literal

from core.records import Digest, Json, Record
from core.trust.cards import SignedCard

FORMAT = "assay-pack"
FORMAT_VERSION = 1


class ExportPack(Record, frozen=True, kw_only=True):
    """`run` is a run's id (`run-3`, `latest`), `out` the file to write, `reason` why it is released, `nonce` what an auditor wants to find in it.
    `reasons`: what people wrote beside their marks goes along."""

    run: str
    out: str
    reason: str = ""
    nonce: str = ""
    reasons: bool = True


class PackInfo(Record, frozen=True, kw_only=True):
    """A pack that was written; `sha256` and `size` (bytes) are the whole file's, `manifest` is what was signed."""

    path: str
    sha256: Digest
    size: int
    manifest: Digest


class Stored(Record, frozen=True, kw_only=True):
    """A record as the vault keeps it: its canonical bytes with the nonce, and the digest that names it."""

    digest: Digest
    content: bytes


class Logged(Record, frozen=True, kw_only=True):
    """An entry of the audit log: its canonical bytes, and the proof that it stands at `index` in the checkpoint's tree."""

    index: int
    content: bytes
    proof: tuple[bytes, ...]


class PackContent(Record, frozen=True, kw_only=True):
    """Everything that a pack is made of, as it was kept; the writer needs nothing else and looks nothing up."""

    title: str
    assay: str
    """The version of the program."""
    made: str
    """RFC 3339 with offset."""
    run: Stored
    result: Stored
    spec: Stored
    dataset: Stored
    prompts: tuple[Stored, ...]
    outcomes: tuple[Stored, ...]
    models: tuple[Stored, ...]
    documents: tuple[Stored, ...]
    signatures: tuple[Stored, ...]
    cards: tuple[SignedCard, ...]
    """Those of everybody who signed, the exporter among them."""
    checkpoint: bytes
    entries: tuple[Logged, ...]
    model_cards: tuple[Stored, ...] = ()
    """What the vault keeps of the models' uses and limits, one for each model that has a card."""
    training_runs: tuple[Stored, ...] = ()
    training_results: tuple[Stored, ...] = ()
    comparisons: tuple[Stored, ...] = ()
    """What adapters were found to do, each against its base."""
    training_data: tuple[Stored, ...] = ()
    """The datasets that adapters were trained on, the run's own not among them."""
    merges: tuple[Stored, ...] = ()
    """Where models of the run are from that are a base with an adapter in its weights."""
    merge_signatures: tuple[Stored, ...] = ()
    """The signatures on that."""
    marks: tuple[Stored, ...] = ()
    """What people say of the answers."""
    people: tuple[dict[str, Json], ...] = ()
    """How far they agree with the scorers and with each other."""
    reasons: bool = True
    """Whether what people wrote beside their marks can be read in the pack."""


State = Literal["valid", "unknown", "invalid"]


class SignatureCheck(Record, frozen=True, kw_only=True):
    """One signature in a pack. "unknown": it verifies by the card in the pack, and that card isn't in the trust file."""

    name: str
    meaning: str
    time: str
    subject: str
    reason: str
    card: Digest
    status: State
    problem: str = ""


class Check(Record, frozen=True, kw_only=True):
    """One thing that was checked. `state`: ok, attention (holds, with something to know), failed, open (couldn't be checked)."""

    name: str
    state: Literal["ok", "attention", "failed", "open"]
    detail: str
    count: int = 0


class WithheldField(Record, frozen=True, kw_only=True):
    """A field (`outcome answer.answer`), and in how many places it is withheld."""

    field: str
    count: int


class LostMetric(Record, frozen=True, kw_only=True):
    """A metric of which `samples` of the scores, `of` in all, rest on something that is withheld: they can be read, not worked out again."""

    variant: str
    metric: str
    samples: int
    of: int


class Verdict(Record, frozen=True, kw_only=True):
    """valid: whole, unaltered, signed by people in the trust file. incomplete: unaltered, but something couldn't be checked."""

    verdict: Literal["valid", "invalid", "incomplete"]
    reasons: tuple[str, ...]
    """Why it isn't valid; empty when it is."""
    signatures: tuple[SignatureCheck, ...] = ()
    checks: tuple[Check, ...] = ()
    title: str = ""
    made: str = ""
    withheld: int = 0
    """Fields whose openings were taken out."""
    fields: tuple[WithheldField, ...] = ()
    """The same, by name."""
    lost: tuple[LostMetric, ...] = ()
    redaction_of: str = ""
    """The digest of the manifest of the pack that this is a redaction of; it is this pack's own. Empty where nothing is withheld."""
    nonce: str = ""
    """What an auditor had signed into the release, to know that it was made for them."""
