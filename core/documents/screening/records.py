"""What screening finds in documents on their way into a collection, and what people decide."""

from typing import Final, Literal

from core.documents.records import Refusal
from core.guards import instructions, invisible, personal
from core.guards.records import GuardPolicy
from core.records import Digest, Record

Action = Literal["keep", "redact", "exclude"]
Mode = Literal["off", "ask", "automatic"]
HIDDEN: Final = "hidden"
NEAR_DUPLICATE: Final = "near-duplicate"
KINDS: Final[dict[str, str]] = {
    **personal.KINDS,
    instructions.KIND: "instructions to a model",
    HIDDEN: "text that a reader of the page doesn’t see",
    invisible.KIND: "invisible characters",
    NEAR_DUPLICATE: "documents that are nearly the same",
}
"""All that is looked for, in words."""
MARKS: Final[dict[str, str]] = {
    **personal.MARKS,
    instructions.KIND: "[instruction]",
    HIDDEN: "[hidden text]",
    invisible.KIND: "",
}
"""What stands in the place of what was redacted. A document that is like another can be kept or excluded only."""
USUAL: Final = tuple(kind for kind in KINDS if kind not in ("url", "age"))
"""Looked for where nothing else is said: web addresses and ages are everywhere, and seldom what is meant."""


class ScreeningPolicy(Record, frozen=True, kw_only=True, tag="screening-policy"):
    """How a collection's documents are screened on the way in, and what guards do while it answers. Its record says who set it."""

    collection: str
    mode: Mode = "off"
    """Off; ask a person about each finding; or automatic: what `redact` names is redacted, the rest is counted and kept."""
    kinds: tuple[str, ...] = USUAL
    redact: tuple[str, ...] = ()
    """Kinds that are redacted without asking, in both modes."""
    guards: GuardPolicy = GuardPolicy()


class Finding(Record, frozen=True, kw_only=True):
    """One thing that was found in a document, at each of its places."""

    kind: str
    key: str
    """Names the same text of the same kind again in other versions; it says nothing of the text to who doesn't hold this vault."""
    places: tuple[tuple[int, int, int], ...] = ()
    """Page (from 1; 0 is the title, what is below stands in the file and on no page), start and end."""
    detail: str = ""
    """Why it isn't seen; which document is nearly the same."""


class Shown(Record, frozen=True, kw_only=True):
    """A finding as a person sees it."""

    id: int
    document: str
    kind: str
    page: int
    times: int
    text: str
    before: str
    after: str
    detail: str
    decision: str
    """keep, redact, exclude; empty while it is open."""
    by: str
    """Who decided: a user, "policy", or "earlier" for a decision on an earlier version."""


class Waiting(Record, frozen=True, kw_only=True):
    """A document that waits for decisions, or for being taken in."""

    name: str
    pages: int
    findings: int
    open: int
    excluded: bool


class ScreeningState(Record, frozen=True, kw_only=True):
    """Where a collection stands."""

    policy: ScreeningPolicy
    waiting: tuple[Waiting, ...]
    open: dict[str, int]
    """Open findings by kind."""
    excluded: tuple[str, ...]
    """Documents that were excluded for good."""


class Decide(Record, frozen=True, kw_only=True):
    """Decide findings: those with these ids, else those of these kinds and documents; all open ones where nothing is named."""

    collection: str
    action: Action | Literal["undo"]
    ids: tuple[int, ...] = ()
    kinds: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    reason: str = ""


class ScreeningDecision(Record, frozen=True, kw_only=True, tag="screening-decision"):
    """What was decided about a document's findings, by a person or by the policy. It holds no text of the document."""

    collection: str
    document: str
    content: Digest
    action: str
    findings: tuple[tuple[str, str, int], ...]
    """Kind, key and number of places."""
    by: str
    reason: str = ""


class Admitted(Record, frozen=True, kw_only=True):
    """What came of taking in what was decided."""

    collection: str
    added: int
    redacted: int
    """Documents of the added ones in which something was redacted."""
    excluded: int
    waiting: int
    """Documents with open findings."""
    chunks: int


class Rescreened(Record, frozen=True, kw_only=True):
    """What came of screening a collection's documents again."""

    collection: str
    clean: int
    """Documents in which nothing new was found, or nothing but what the policy keeps."""
    waiting: tuple[str, ...]
    """Those that went out of search and wait."""
    held: tuple[str, ...]
    """Those that would wait, and that a legal hold keeps in search."""
    refused: tuple[Refusal, ...]
    """Those that can't be read again, or of which a newer version waits; they stay in search."""
