"""The gate of an import: each document that was read is let in, redacted by the policy, excluded, or made to wait for a person's decisions.

Rules: nothing is looked for where the policy is off; what was decided about an earlier version of a document holds for the same text in the next
one; a document with one open finding waits whole, and an earlier version of it stays in search until then; each decision that the policy makes
leaves a record.
"""

from dataclasses import dataclass, field

import numpy as np

from core.documents.screening import keeping, store
from core.documents.screening.finding import findings, key_of
from core.documents.screening.named import with_names
from core.documents.screening.records import NEAR_DUPLICATE, Finding, ScreeningDecision
from core.documents.screening.redacting import redacted
from core.documents.worker.records import Parsed
from core.guards import similar
from core.records import Digest
from core.vault.roles import Act
from core.vault.unit import Unit
from core.vault.vault import Vault


@dataclass
class Gate:
    """Screens the documents of one import into a collection."""

    vault: Vault
    collection: str
    held: int = 0
    excluded: int = 0
    redacted: int = 0
    _names: list[tuple[str, str]] = field(default_factory=list)
    _matrix: np.ndarray[tuple[int, int], np.dtype[np.uint32]] | None = None

    def __post_init__(self) -> None:
        with self.vault.read() as reader:
            self._policy = store.policy(reader, self.collection)
            self._tables = store.known(reader)
            self._salt = store.salt(reader, self.collection) if self._policy.mode != "off" else b""

    @property
    def off(self) -> bool:
        """Whether every document goes on as it was read."""
        return self._policy.mode == "off"

    def knows(self, content: Digest) -> bool:
        """Whether a document with these bytes waits or was excluded: it isn't read again."""
        if not self._tables:
            return False
        with self.vault.read() as reader:
            return store.waits(reader, self.collection, content)

    def enter(self, name: str, content: Digest, data: bytes, parsed: Parsed) -> Parsed | None:
        """The document as it may go on; None where it waits or stays out. Raises `Refused`, `DiskFull`."""
        if self.off:
            return parsed
        parsed = with_names(parsed, (name,))
        signature = (
            similar.signature("\n".join(page.text for page in parsed.pages))
            if NEAR_DUPLICATE in self._policy.kinds
            else None
        )
        found = [*findings(parsed, self._policy.kinds, self._salt), *self._alike(name, signature)]
        with self.vault.read() as reader:
            earlier = store.decided(reader, self.collection, name)
        decided = [(one, *self._decision(one, earlier)) for one in found]
        actions = {action for _, action, _ in decided}
        if not found and signature is None:
            return parsed
        with self.vault.write(Act.ADD_DOCUMENTS, about=f"{self.collection}/{name}: screened") as unit:
            if signature is not None:
                store.keep_signature(unit, self.collection, content, signature)
                self._remember(name, content, signature)
            unit.note(after=f"{len(found)} findings")
            if "exclude" in actions or "" in actions:
                keeping.make_room(unit, self.collection, name)
            if "exclude" in actions:
                store.exclude(unit, self.collection, name, content)
                self.excluded += 1
            elif "" in actions:
                store.hold(unit, self.collection, name, content, data, parsed, decided)
                self.held += 1
                return None
            for action in sorted(actions):
                record(
                    unit,
                    self.collection,
                    name,
                    content,
                    action,
                    [one for one, done, _ in decided if done == action],
                    "policy",
                )
        if "exclude" in actions:
            return None
        gone = [one for one, action, _ in decided if action == "redact"]
        self.redacted += bool(gone)
        return redacted(parsed, gone)

    def _decision(self, one: Finding, earlier: dict[tuple[str, str], str]) -> tuple[str, str]:
        if (one.kind, one.key) in earlier:
            return earlier[one.kind, one.key], "earlier"
        if one.kind in self._policy.redact and one.kind != NEAR_DUPLICATE:
            return "redact", "policy"
        return ("keep", "policy") if self._policy.mode == "automatic" else ("", "")

    def _alike(self, name: str, signature: similar.Signature | None) -> list[Finding]:
        if signature is None:
            return []
        if self._matrix is None:
            with self.vault.read() as reader:
                self._names, self._matrix = store.signatures(reader, self.collection)
        found = []
        for at in (
            np.flatnonzero(similar.likeness(signature, self._matrix) >= similar.NEAR) if len(self._matrix) else ()
        ):
            other, content = self._names[at]
            if other != name:
                share = float(similar.likeness(signature, self._matrix[at : at + 1])[0])
                key = key_of(NEAR_DUPLICATE, f"{other}\0{content}", self._salt)
                found.append(Finding(kind=NEAR_DUPLICATE, key=key, detail=f"{other}, about {share:.0%} alike"))
        return found

    def _remember(self, name: str, content: Digest, signature: similar.Signature) -> None:
        self._names.append((name, content))
        rows = [] if self._matrix is None or not len(self._matrix) else [self._matrix]
        self._matrix = np.vstack([*rows, signature[None]])


def record(
    unit: Unit,
    collection: str,
    name: str,
    content: Digest,
    action: str,
    found: list[Finding],
    by: str,
    reason: str = "",
) -> Digest:
    """Keep what was decided about some of a document's findings."""
    return unit.put(
        ScreeningDecision(
            collection=collection,
            document=name,
            content=content,
            action=action,
            findings=tuple((one.kind, one.key, max(len(one.places), 1)) for one in found),
            by=by,
            reason=reason,
        )
    )
