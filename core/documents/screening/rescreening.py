"""Documents that are in a collection already are screened again: those from before it was screened, and all when its policy or the rules changed.

Rules:

1. A document is read again from its bytes in the vault, and what was decided about it before holds. Only what is found anew counts.
2. Where all of that is kept by the policy, the document stays where it is. Else it goes out of search and waits for decisions, both in one
   transaction; `admit` takes it in again, as one that comes in does. Nothing is lost when this stops anywhere, and it goes on by running it again.
3. A document of which a newer version waits is left to that one. What a legal hold keeps in search stays there, and is named. Earlier versions
   stay readable, for the answers that cite them.
4. Near-duplicates aren't looked for: what is in already was let in beside each other.
"""

from collections.abc import Sequence
from contextlib import closing
from functools import partial

from core.documents import store as documents_store
from core.documents.reading import Reader as DocumentReader
from core.documents.reading import ahead
from core.documents.records import Document, Refusal
from core.documents.screening import entering, store
from core.documents.screening.finding import findings
from core.documents.screening.named import with_names
from core.documents.screening.records import NEAR_DUPLICATE, Finding, Rescreened, ScreeningPolicy
from core.documents.worker.records import Parsed
from core.errors import BadInput, NotFound, Refused
from core.jobs import Job
from core.records import Digest
from core.vault import holds
from core.vault.backup import required
from core.vault.roles import Act
from core.vault.vault import Vault


def rescreen(vault: Vault, reading: DocumentReader, collection: str, job: Job) -> Rescreened:
    """Screen a collection's documents by its policy. Progress in documents. Raises `NotFound`, `BadInput` (screening is off), `Refused`."""
    required(vault, Act.ADD_DOCUMENTS, collection)
    with vault.read() as reader:
        kept = documents_store.get(reader, collection)
        policy = store.policy(reader, collection)
        if policy.mode == "off":
            raise BadInput(
                source=collection, problem="its screening is off. Set it with `assay documents screen --mode` first."
            )
        salt = store.salt(reader, collection)
        digests = documents_store.current(reader, kept.id)
        current = [(digest, reader.get(digest, Document)) for digest in digests]
        newer = {one.name for one in store.waiting(reader, collection)}
    kinds = [kind for kind in policy.kinds if kind != NEAR_DUPLICATE]
    clean, waiting = 0, list[str]()
    held: list[str] = []
    refused: list[Refusal] = []
    tasks = (partial(_read, vault, reading, document) for _, document in current)
    with closing(ahead(tasks, job, [document.size for _, document in current])) as all_read:
        for at, ((digest, document), (data, parsed)) in enumerate(zip(current, all_read, strict=True)):
            job.report(at, len(current), "documents")
            if document.name in newer:
                parsed = Refusal(file=document.name, reason=str(_overtaken(document.name)))
            if isinstance(parsed, Refusal):
                refused.append(parsed)
                continue
            parsed = with_names(parsed, (document.name,))
            found = findings(parsed, kinds, salt)
            try:
                waits = _screened(vault, policy, digest, document, data, parsed, found)
            except (NotFound, BadInput) as error:  # it was replaced, removed or erased while it was looked at
                refused.append(Refusal(file=document.name, reason=str(error)))
                continue
            except Refused as error:
                if (held_by := _holds(vault, digest, document)) is None:
                    raise error
                held.append(held_by)
                continue
            clean += not waits
            waiting += [document.name] if waits else []
    job.report(len(current), len(current), "documents")
    return Rescreened(
        collection=collection, clean=clean, waiting=tuple(waiting), held=tuple(held), refused=tuple(refused)
    )


def _read(vault: Vault, reading: DocumentReader, document: Document, job: Job) -> tuple[bytes, Parsed | Refusal]:
    try:
        with vault.read() as reader:
            data = reader.blob(document.content)
    except NotFound as error:
        return b"", Refusal(file=document.name, reason=str(error))
    return data, reading.read_again(document.name, data, job)


def _screened(
    vault: Vault,
    policy: ScreeningPolicy,
    digest: Digest,
    document: Document,
    data: bytes,
    parsed: Parsed,
    found: Sequence[Finding],
) -> bool:
    """Whether the document waits now. Raises `NotFound`, `BadInput` where another version took its place meanwhile."""
    collection, name = policy.collection, document.name
    with vault.read() as reader:
        earlier = store.decided(reader, collection, name)
    decided = [(one, *_decision(policy, one, earlier)) for one in found]
    anew = [(one, action) for one, action, by in decided if by != "earlier"]
    if not anew:
        return False
    with vault.write(Act.ADD_DOCUMENTS, about=f"{collection}/{name}: screened again") as unit:
        unit.note(after=f"{len(found)} findings, {len(anew)} of them new", touched=(digest,))
        if all(action == "keep" for _, action in anew):
            entering.record(unit, collection, name, document.content, "keep", [one for one, _ in anew], "policy")
            store.remember(unit, collection, name, [(one.kind, one.key, action) for one, action in anew])
            return False
        holds.refuse_removal(unit, f"Take {name} out of search", _named(digest, document))
        documents_store.retire(unit, digest)
        if any(one.name == name for one in store.waiting(unit, collection)):
            raise _overtaken(name)
        store.hold(unit, collection, name, document.content, data, parsed, decided)
    return True


def _overtaken(name: str) -> BadInput:
    return BadInput(source=name, problem="a newer version waits for decisions, and takes its place then.")


def _decision(policy: ScreeningPolicy, one: Finding, earlier: dict[tuple[str, str], str]) -> tuple[str, str]:
    if (one.kind, one.key) in earlier:
        return earlier[one.kind, one.key], "earlier"
    if one.kind in policy.redact:
        return "redact", "policy"
    return ("keep", "policy") if policy.mode == "automatic" else ("", "")


def _named(digest: Digest, document: Document) -> list[tuple[str, str]]:
    return [("document", str(digest)), ("collection", document.collection)]


def _holds(vault: Vault, digest: Digest, document: Document) -> str | None:
    """The document's name where a legal hold keeps it."""
    with vault.read() as reader:
        try:
            holds.refuse_removal(reader, "", _named(digest, document))
        except Refused:
            return document.name
    return None
