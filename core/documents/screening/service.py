"""Screening: what a collection looks for on the way in, what waits, what people decide, and taking in what is decided.

Rules: deciding changes nothing in search, and can be undone until `admit`; `admit` takes in the documents of which nothing is open, redacted where
that was decided, and drops the excluded ones; interrupted anywhere it is finished by the next one. Every decision leaves a record and an entry in the
log, neither of which holds any text of the document; showing findings is logged as the showing of documents is.
"""

from collections.abc import Sequence

from core.documents import store as documents_store
from core.documents.reading import Read
from core.documents.screening import entering, keeping, rescreening, store
from core.documents.screening.records import (
    KINDS,
    MARKS,
    NEAR_DUPLICATE,
    Admitted,
    Decide,
    Rescreened,
    ScreeningPolicy,
    ScreeningState,
    Shown,
)
from core.documents.screening.redacting import redacted
from core.documents.service import Documents, checked_name
from core.errors import BadInput, NotFound
from core.jobs import Job
from core.records import Digest
from core.vault.backup import required
from core.vault.roles import Act
from core.vault.vault import Vault


class Screening:
    """The screening of one open vault's collections."""

    def __init__(self, vault: Vault, documents: Documents) -> None:
        self._vault = vault
        self._documents = documents

    def policy(self, collection: str) -> ScreeningPolicy:
        """A collection's policy; off where none was set."""
        with self._vault.read() as reader:
            return store.policy(reader, collection)

    def set_policy(self, policy: ScreeningPolicy) -> ScreeningPolicy:
        """Set how documents are screened from now on; what is in the collection already stays as it is. The collection need not be there yet.

        Raises `BadInput` (unknown kinds, a kind that can't be redacted), `Refused`."""
        name = checked_name(policy.collection)
        for kind in (*policy.kinds, *policy.redact):
            if kind not in KINDS:
                raise BadInput(source=f"kind {kind[:40]}", problem=f"not known. There are {', '.join(KINDS)}.")
        if NEAR_DUPLICATE in policy.redact:
            raise BadInput(source=f"kind {NEAR_DUPLICATE}", problem="it can be kept or excluded, not redacted.")
        missing = [kind for kind in policy.redact if kind not in policy.kinds]
        if missing:
            raise BadInput(
                source=f"kind {missing[0]}", problem="it is to be redacted and isn't looked for. Name it in both."
            )
        with self._vault.write(Act.ADD_DOCUMENTS, about=f"{name}: screening {policy.mode}") as unit:
            before = store.policy(unit, name)
            digest = unit.put(policy)
            store.set_policy(unit, digest, name)
            unit.note(
                before=before.mode, after=f"{policy.mode}, redacts {', '.join(policy.redact) or 'nothing'} by itself"
            )
        return policy

    def collections(self) -> tuple[str, ...]:
        """The collections for which documents wait; such a collection need not be there yet."""
        with self._vault.read() as reader:
            return store.collections(reader)

    def state(self, collection: str) -> ScreeningState:
        """The policy, what waits and what was excluded."""
        with self._vault.read() as reader:
            return ScreeningState(
                policy=store.policy(reader, collection),
                waiting=store.waiting(reader, collection),
                open=store.open_kinds(reader, collection),
                excluded=store.excluded(reader, collection),
            )

    def findings(self, collection: str, documents: Sequence[str] = (), kinds: Sequence[str] = ()) -> tuple[Shown, ...]:
        """What was found in documents that wait, with its text. Logged as a showing. Raises `Refused`."""
        with self._vault.write(Act.SHOW_DOCUMENT, about=f"{collection}: findings of screening") as unit:
            return tuple(store.shown(unit, collection, documents, kinds))

    def decide(self, request: Decide) -> int:
        """Decide findings, or undo decisions; how many. Raises `NotFound` (an id, a document), `BadInput` (redacting what can't be), `Refused`."""
        with self._vault.write(
            Act.ADD_DOCUMENTS, about=f"{request.collection}: {request.action} findings", reason=request.reason
        ) as unit:
            waiting = [one.name for one in store.waiting(unit, request.collection)]
            for name in request.documents:
                if name not in waiting:
                    raise NotFound(
                        kind="document", name=name, step="`assay documents screen COLLECTION` shows what waits."
                    )
            done: set[int] = set()
            for name in waiting:
                if request.documents and name not in request.documents:
                    continue
                content, _, _, found = store.load(unit, request.collection, name)
                chosen = [one for one in found if _is_meant(one[0], one[1].kind, one[2], request)]
                if request.action == "redact" and any(one.kind not in MARKS for _, one, _, _ in chosen):
                    if request.ids or NEAR_DUPLICATE in request.kinds:
                        raise BadInput(source=NEAR_DUPLICATE, problem="it can be kept or excluded, not redacted.")
                    chosen = [one for one in chosen if one[1].kind in MARKS]
                if not chosen:
                    continue
                undo = request.action == "undo"
                store.decide(
                    unit, [one[0] for one in chosen], "" if undo else request.action, "" if undo else unit.user.user
                )
                entering.record(
                    unit,
                    request.collection,
                    name,
                    content,
                    request.action,
                    [one[1] for one in chosen],
                    unit.user.user,
                    request.reason,
                )
                done |= {one[0] for one in chosen}
            if unknown := set(request.ids) - done:
                raise NotFound(
                    kind="finding",
                    name=str(min(unknown)),
                    step="`assay documents findings COLLECTION` shows the numbers.",
                )
            unit.note(after=f"{len(done)} findings")
            return len(done)

    def admit(self, collection: str, job: Job) -> Admitted:
        """Take in every document of which all findings are decided. Progress in documents.

        Raises as `Documents.add`, and `Refused` where a legal hold keeps a document that is to be excluded; the others are in then."""
        required(self._vault, Act.ADD_DOCUMENTS, collection)
        with self._vault.read() as reader:
            ready = [one for one in store.waiting(reader, collection) if one.open == 0 or one.excluded]
            left = len(store.waiting(reader, collection)) - len(ready)
        added = changed = out = chunks = 0
        ready.sort(key=lambda one: one.excluded)
        for number, one in enumerate(ready):
            job.report(number, len(ready), "documents")
            job.check()
            with self._vault.read() as reader:
                content, data, parsed, found = store.load(reader, collection, one.name)
            gone = [finding for _, finding, decision, _ in found if decision == "redact"]
            if one.excluded:
                out += 1
            elif not self._has(collection, content):
                read = Read(name=one.name, data=data, content=content, parsed=parsed)
                chunks += self._documents.take_in(collection, read, redacted(parsed, gone), job)
                added += 1
                changed += bool(gone)
            with self._vault.write(Act.ADD_DOCUMENTS, about=f"{collection}/{one.name}: screening ended") as unit:
                decisions = [(finding.kind, finding.key, decision) for _, finding, decision, _ in found if decision]
                store.remember(unit, collection, one.name, decisions)
                if one.excluded:
                    keeping.refuse_exclusion(unit, collection, one.name)
                    unit.db.execute("PRAGMA secure_delete = ON")
                    store.exclude(unit, collection, one.name, content)
                else:
                    store.drop(unit, collection, one.name)
                unit.note(before="waiting", after="excluded" if one.excluded else "in search")
        job.report(len(ready), len(ready), "documents")
        return Admitted(collection=collection, added=added, redacted=changed, excluded=out, waiting=left, chunks=chunks)

    def again(self, collection: str, job: Job, passwords: Sequence[str] = ()) -> Rescreened:
        """Screen what is in a collection already: what is found anew, and isn't kept by the policy, takes its document out of search to wait.
        Progress in documents. `passwords` are tried on what is encrypted, and kept nowhere. Raises as `rescreening.rescreen`."""
        return rescreening.rescreen(self._vault, self._documents.reader(passwords), collection, job)

    def readmit(self, collection: str, name: str) -> None:
        """Let an excluded document be read again by the next import. Raises `NotFound`, `Refused`."""
        with self._vault.write(Act.ADD_DOCUMENTS, about=f"{collection}/{name}: excluded no longer") as unit:
            if not store.readmit(unit, collection, name):
                raise NotFound(
                    kind="excluded document", name=name, step="`assay documents screen COLLECTION` shows them."
                )
            unit.note(before="excluded", after="can be added")

    def _has(self, collection: str, content: Digest) -> bool:
        with self._vault.read() as reader:
            kept = documents_store.find(reader, collection)
            return kept is not None and documents_store.has_content(reader, kept.id, content)


def _is_meant(id_: int, kind: str, decision: str, request: Decide) -> bool:
    if request.ids:
        return id_ in request.ids
    if request.kinds and kind not in request.kinds:
        return False
    named = bool(request.kinds or request.documents)
    return bool(decision) if request.action == "undo" else named or not decision
