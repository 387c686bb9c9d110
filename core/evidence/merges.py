"""Models of a pack that are merges, a base with an adapter in its weights: what the vault keeps of where they are from, and who signed it.

The rules, which both verifiers check:

1. It stands in `mlbom.cdx.json`, which is signed and stays in a redacted pack, as the property `assay:merges`: a text that is itself canonical
   JSON, with the records as the vault keeps them. So a verifier that knows nothing of merges passes over it. Nothing of it can be withheld.
2. Each record has the digest that names it, is about the file of a model in the pack, and no two are about the same. Where the
   pack has the training too, base and adapter are the training's.
3. The record stands in the log before the run. Signatures on it are judged like all others; who merged doesn't approve.

The base and the adapter need not be in the pack: their digests are, with the training's settings and the digests of what was learned.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

import msgspec

from core.errors import Damaged
from core.evidence.people import property_of
from core.evidence.records import Stored
from core.records import Digest, Json
from core.trust.canonical import canonical, checked_digest, parse
from core.trust.canonical import digest as digest_of

PROPERTY = "assay:merges"
KIND = "merged-model"
SOURCE = "merges"


class Kept(NamedTuple):
    """A record by its digest."""

    digest: Digest
    record: dict[str, Json]


class Merges(NamedTuple):
    """The records on merges, and those of the signatures on them."""

    merges: tuple[Kept, ...] = ()
    signatures: tuple[Kept, ...] = ()

    @property
    def envelopes(self) -> dict[Digest, bytes]:
        """What was signed, by its digest."""
        found = (str(one.record.get("envelope", "")).encode("utf-8") for one in self.signatures)
        return {digest_of(data): data for data in found}


class _Merge(msgspec.Struct, frozen=True):
    name: str
    digest: str
    size: int
    quantization: str
    run: str
    result: str
    adapter: str
    base: str
    base_digest: str
    by: str
    made: str


class _Stored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kind: str
    nonce: str
    record: dict[str, Any]


class _Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    digest: str
    stored: _Stored


class _Held(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    merges: list[_Item]
    signatures: list[_Item]


def write(merges: Sequence[Stored], signatures: Sequence[Stored]) -> str:
    """The property's value; "" where no model of the run is a merge."""
    if not merges:
        return ""
    lists: dict[str, Json] = {
        name: [{"digest": one.digest, "stored": msgspec.json.decode(one.content)} for one in some]
        for name, some in (("merges", merges), ("signatures", signatures))
    }
    return canonical({"version": 1, **lists}).decode()


def read(mlbom: bytes) -> Merges:
    """What a pack says of merges. Raises `Damaged` for what is not of the form of rules 1 and 2."""
    text = property_of(mlbom, PROPERTY)
    return Merges() if text is None else read_text(text)


def read_text(text: str) -> Merges:
    """The same, from the property's value."""
    value: Any = parse(text.encode("utf-8"), SOURCE)
    try:
        held = msgspec.convert(value, _Held)
        for item in held.merges:
            msgspec.convert(item.stored.record, _Merge)
    except msgspec.ValidationError as error:
        raise Damaged(source=SOURCE, problem=f"not of the form expected ({error}).") from error
    _require(bool(held.merges) and held.version == 1, "not of the form expected.")
    merges, signatures = (
        tuple(_kept(item, raw, kind) for item, raw in zip(items, value[name], strict=True))
        for items, name, kind in ((held.merges, "merges", KIND), (held.signatures, "signatures", "signature"))
    )
    subjects = {one.digest for one in merges}
    _require(all(one.record.get("subject") in subjects for one in signatures), "a signature is on something else.")
    return Merges(merges, signatures)


def _kept(item: _Item, raw: dict[str, Any], kind: str) -> Kept:
    checked_digest(item.digest, SOURCE)
    same = item.stored.kind == kind and digest_of(canonical(raw["stored"])) == item.digest
    _require(same, f"record {item.digest[:8]} is no {kind}, or differs from its digest.")
    return Kept(Digest(item.digest), cast(dict[str, Json], item.stored.record))


def check(
    merges: Sequence[Mapping[str, Any]],
    models: Sequence[Mapping[str, Any]],
    results: Mapping[Digest, Mapping[str, Any]],
    runs: Mapping[Digest, Mapping[str, Any]],
) -> None:
    """Returns if each merge is of a model, and of a training's base and adapter where that is in the pack (rule 2). Raises `Damaged`."""
    files = {str(model.get("digest")) for model in models}
    found = [msgspec.convert(dict(merge), _Merge) for merge in merges]
    _require(len({one.digest for one in found}) == len(found), "two are about the same file.")
    for one in found:
        good = one.digest in files and one.digest != one.base_digest
        _require(good, f"{one.name} is no model of the run, or its own base.")
        result = results.get(Digest(one.result))
        if result is not None:
            base = runs.get(Digest(str(result.get("run"))), {}).get("base_digest")
            good = (result.get("gguf"), base) == (one.adapter, one.base_digest)
            _require(good, f"{one.name} is of another base or adapter than the training’s.")


def _require(holds: bool, problem: str) -> None:
    if not holds:
        raise Damaged(source=SOURCE, problem=problem)
