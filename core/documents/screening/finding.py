"""What is in a parsed document: personal data, instructions, hidden text, invisible characters. Pure; each page and the title by itself.

What a file holds beside its pages (its properties, say) is looked through for instructions and invisible characters. It has places of its own:
"pages" -1, -2 and so on.

The same text of the same kind is one finding, however often it stands there. Its key is an HMAC of kind and text under the collection's salt, so that
decisions can be kept without keeping what they were about.
"""

import hashlib
import hmac
import unicodedata
from collections.abc import Collection, Iterator

from msgspec.structs import replace

from core.documents.screening.records import HIDDEN, Finding
from core.documents.worker.records import Parsed
from core.guards import instructions, invisible, personal
from core.guards.sieving import SIEVE

TITLE = 0
"""Instead of a page's number."""


def texts(parsed: Parsed) -> dict[int, str]:
    """All that findings have places in, by page."""
    asides = {-at: aside.text for at, aside in enumerate(parsed.asides, start=1)}
    return {TITLE: parsed.title, **{page.number: page.text for page in parsed.pages}, **asides}


def findings(parsed: Parsed, kinds: Collection[str], salt: bytes) -> tuple[Finding, ...]:
    """In the order in which they first stand in the document."""
    wanted = tuple(kind for kind in personal.KINDS if kind in kinds)
    unseen: dict[int, list[tuple[int, int, str]]] = {}
    for one in parsed.hidden if HIDDEN in kinds else ():
        unseen.setdefault(one.page, []).append((one.start, one.end, one.why))
    known: dict[tuple[str, str], Finding] = {}
    for page, text in ((TITLE, parsed.title), *((page.number, page.text) for page in parsed.pages)):
        for kind, start, end, detail in (
            *_rules(text, wanted, kinds),
            *((HIDDEN, *one) for one in unseen.get(page, ())),
        ):
            key = key_of(kind, text[start:end], salt)
            earlier = known.get((kind, key))
            places = (*earlier.places, (page, start, end)) if earlier else ((page, start, end),)
            known[kind, key] = Finding(kind=kind, key=key, places=places, detail=earlier.detail if earlier else detail)
    for at, aside in enumerate(parsed.asides, start=1):
        for kind, start, end, said in _rules(aside.text, (), kinds):
            key = key_of(kind, aside.text[start:end], salt)
            detail = f"in {aside.where}: {said}" if said else f"in {aside.where}"
            first = known.get((kind, key)) or Finding(kind=kind, key=key, detail=detail)
            known[kind, key] = replace(first, places=(*first.places, (-at, start, end)))
    return tuple(known.values())


def _rules(text: str, wanted: tuple[str, ...], kinds: Collection[str]) -> Iterator[tuple[str, int, int, str]]:
    sifted = SIEVE.sift(text)
    spans = personal.spans(text, wanted, sifted) if wanted else []
    if instructions.KIND in kinds:
        spans += instructions.spans(text, sifted)
    for span in spans:
        yield span.kind, span.start, span.end, ""
    if invisible.KIND in kinds:
        for span in invisible.spans(text):
            yield span.kind, span.start, span.end, invisible.spelled(text[span.start : span.end])[:80]


def key_of(kind: str, text: str, salt: bytes) -> str:
    """The same for texts that differ in white space and case only."""
    plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split()) or text
    return hmac.new(salt, f"{kind}\0{plain}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:32]
