"""A pack taken apart: from bytes to records, with everything checked that needs no trust.

The layout, version 1. Signed, by their digests in the manifest:

    manifest.json            the digest and size of every other file but those marked *
    records/KIND.json        the records of one kind, withholdable fields behind commitments
    envelopes/DIGEST.json    the DSSE envelope of each earlier signature
    cards.json               the cards of everybody who signed
    log/checkpoint.txt       the audit log's signed note
    log/entries.json         the entries that tell of these records, with their inclusion proofs
    mlbom.cdx.json           models, data and software (CycloneDX)
    verify.py VERIFY.md      a second implementation of these rules, and how to use it

Not in the manifest's list of files:

    release.json *           the envelope over the manifest itself
    openings/KIND.json *     what opens the commitments; deleting an opening withholds a field
    openings/renderings.json *
                             what opens the commitments to the renderings' digests
    redaction.json *         where a field is withheld: of which manifest this is a redaction, and how many fields are. Nothing else,
                             so that it can hold nothing that isn't so
    report.html report.pdf lineage.prov.json lineage.svg datasheet.md model-cards/DIGEST.md *
                             renderings; their digests are signed apart, behind commitments, under names of their own choice. They must
                             all be there as signed, or, once a field is withheld, all be gone

`take_apart` refuses anything else: another entry, a missing one, a digest that differs, a record that isn't what its digest says.
"""

from collections.abc import Mapping
from typing import NamedTuple, cast

import msgspec

from core.errors import Damaged
from core.evidence import zipform
from core.evidence.commitments import WITHHOLDABLE, Path, check_digest, reveal, reveal_digests
from core.evidence.records import FORMAT, FORMAT_VERSION
from core.records import Digest, Json, Record
from core.trust.canonical import builtins, canonical, checked_digest, parse
from core.trust.canonical import digest as digest_of
from core.trust.cards import SignedCard

LARGEST_JSON = 96 * 1024 * 1024
"""Bytes of one JSON file; reading one takes some fifteen times as much memory at worst."""
MOST_SIGNATURES = 500
"""Signatures, and cards; a verifier that computes Ed25519 by itself takes some 30 ms for each."""
MANIFEST, RELEASE, CARDS = "manifest.json", "release.json", "cards.json"
CHECKPOINT, ENTRIES = "log/checkpoint.txt", "log/entries.json"
MLBOM, REPORT, REPORT_PDF = "mlbom.cdx.json", "report.html", "report.pdf"
LINEAGE, LINEAGE_PICTURE, DATASHEET = "lineage.prov.json", "lineage.svg", "datasheet.md"
VERIFIER, GUIDE = "verify.py", "VERIFY.md"
REDACTION, RENDERED = "redaction.json", "openings/renderings.json"
KINDS = ("run", "run-result", "spec", "dataset", "prompt-version", "outcome", "model", "document", "signature")
SINGLE = ("run", "run-result", "spec", "dataset")
"""Kinds of which a pack holds exactly one record."""
FIXED = frozenset({CARDS, CHECKPOINT, ENTRIES, MLBOM, VERIFIER, GUIDE, *(f"records/{kind}.json" for kind in KINDS)})
OPENINGS = frozenset({RENDERED, *(f"openings/{kind}.json" for kind in WITHHOLDABLE)})


class FileDigest(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    sha256: Digest
    size: int


class Manifest(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the release signs: `files` by name; `renderings` apart, each with the commitment to its digest and size."""

    format: str
    title: str
    assay: str
    made: str
    files: dict[str, FileDigest]
    renderings: dict[str, Digest]


class Row(NamedTuple):
    """A record of a pack: `record` has its fields; one that is withheld is a dict with the single key `$committed`, its place in `hidden`."""

    digest: Digest
    record: dict[str, Json]
    withheld: int
    hidden: tuple[Path, ...] = ()


class Entry(NamedTuple):
    """A log entry of a pack: its canonical bytes, its fields, the records it tells of, and its proof."""

    place: int
    content: bytes
    record: dict[str, Json]
    objects: tuple[Digest, ...]
    proof: tuple[bytes, ...]


class Opened(NamedTuple):
    """A pack whose files fit its manifest and whose records fit their digests. Nothing is said yet about who signed."""

    manifest: Manifest
    manifest_digest: Digest
    release: bytes
    rows: Mapping[str, tuple[Row, ...]]
    envelopes: Mapping[Digest, bytes]
    cards: tuple[SignedCard, ...]
    checkpoint: bytes
    entries: tuple[Entry, ...]
    files: int
    withheld: int

    def one(self, kind: str) -> Row:
        """The only record of a kind in `SINGLE`."""
        return self.rows[kind][0]


def take_apart(data: bytes) -> Opened:
    """A pack's content. Raises `Damaged` for anything that isn't whole and unaltered under its own manifest."""
    entries = zipform.read(data)
    for name in (MANIFEST, RELEASE):
        if name not in entries:
            raise Damaged(source="pack", problem=f"has no {name}.")
    for name, content in entries.items():
        if len(content) > LARGEST_JSON:
            raise Damaged(source=name, problem="too large to be read.")
    manifest = _manifest(entries[MANIFEST])
    _compare(manifest, entries)
    rows = {kind: _rows(kind, entries) for kind in KINDS}
    for kind in SINGLE:
        if len(rows[kind]) != 1:
            raise Damaged(source=f"records/{kind}.json", problem=f"holds {len(rows[kind])} records instead of one.")
    if len(rows["signature"]) > MOST_SIGNATURES:
        raise Damaged(source="pack", problem=f"has over {MOST_SIGNATURES} signatures.")
    withheld = sum(row.withheld for some in rows.values() for row in some)
    _check_renderings(manifest, entries, withheld)
    _check_redaction(entries, withheld)
    return Opened(
        manifest=manifest,
        manifest_digest=digest_of(entries[MANIFEST]),
        release=entries[RELEASE],
        rows=rows,
        envelopes=_envelopes(entries),
        cards=_cards(entries[CARDS]),
        checkpoint=entries[CHECKPOINT],
        entries=_entries(entries[ENTRIES]),
        files=len(entries),
        withheld=withheld,
    )


def _manifest(data: bytes) -> Manifest:
    value = parse(data, MANIFEST)
    try:
        manifest = msgspec.convert(value, Manifest)
    except msgspec.ValidationError as error:
        if isinstance(value, dict) and value.get("version") != FORMAT_VERSION and value.get("format") == FORMAT:
            raise Damaged(source=MANIFEST, problem="of another version than this program reads.") from error
        raise Damaged(source=MANIFEST, problem=f"not of the form expected ({error}).") from error
    if manifest.format != FORMAT or manifest.version != FORMAT_VERSION:
        raise Damaged(source=MANIFEST, problem="of another format or version than this program reads.")
    for hidden in manifest.renderings.values():
        checked_digest(hidden, MANIFEST)
    if canonical(builtins(manifest)) != data:
        raise Damaged(source=MANIFEST, problem="leaves something out.")
    return manifest


def _compare(manifest: Manifest, entries: Mapping[str, bytes]) -> None:
    """Exactly the files of the manifest, each as it says, and those that it need not list."""
    expected = manifest.files.keys() | OPENINGS | {MANIFEST, RELEASE}
    if not manifest.files.keys() >= FIXED or REPORT not in manifest.renderings:
        raise Damaged(source=MANIFEST, problem="doesn't list what a pack must have.")
    if not (expected | {REDACTION}).isdisjoint(manifest.renderings):
        raise Damaged(source=MANIFEST, problem="lists a file as a rendering too.")
    for name in manifest.files.keys() - FIXED:
        if not name.startswith("envelopes/"):
            raise Damaged(source=MANIFEST, problem=f"lists {name[:80]!r}, which no pack has.")
    for name in sorted((entries.keys() ^ expected) - manifest.renderings.keys() - {REDACTION}):
        problem = "is in the pack but not in its manifest." if name in entries else "is missing from the pack."
        raise Damaged(source=name[:80], problem=problem)
    for name, listed in manifest.files.items():
        if not _is(entries[name], listed):
            raise Damaged(source=name, problem="differs from what was signed.")


def _check_renderings(manifest: Manifest, entries: Mapping[str, bytes], withheld: int) -> None:
    told = reveal_digests(manifest.renderings, _list(entries[RENDERED], RENDERED), RENDERED)
    for name in manifest.renderings:
        if (name in entries) != (name in told) or (name in entries) == (withheld > 0):
            problem = "shows what the pack withholds." if withheld else "is missing from the pack."
            raise Damaged(source=name[:80], problem=problem)
    for name, listed in told.items():
        if canonical(listed) != canonical(
            builtins(FileDigest(sha256=digest_of(entries[name]), size=len(entries[name])))
        ):
            raise Damaged(source=name[:80], problem="differs from what was signed.")


def redaction(manifest: bytes, withheld: int) -> bytes:
    """What `redaction.json` holds: the digest of the manifest of the pack that this is a redaction of, and how many fields are withheld."""
    return canonical({"type": "redaction", "version": 1, "of": digest_of(manifest), "withheld": withheld})


def _check_redaction(entries: Mapping[str, bytes], withheld: int) -> None:
    expected = redaction(entries[MANIFEST], withheld) if withheld else None
    if entries.get(REDACTION) != expected:
        problem = "doesn't say what this pack is a redaction of." if withheld else "nothing is withheld."
        raise Damaged(source=REDACTION, problem=problem)


def _is(content: bytes, listed: FileDigest) -> bool:
    return len(content) == listed.size and digest_of(content) == listed.sha256


def _rows(kind: str, entries: Mapping[str, bytes]) -> tuple[Row, ...]:
    source = f"records/{kind}.json"
    digests: list[Digest] = []
    stored: list[dict[str, Json]] = []
    for item in _list(entries[source], source):
        match item:
            case {
                "digest": str(digest),
                "stored": {"kind": str(its), "nonce": str() | dict(), "record": dict(), **others} as content,
                **more,
            } if its == kind and not others and not more:
                digests.append(checked_digest(digest, source))
                stored.append(cast(dict[str, Json], content))
            case _:
                raise Damaged(source=source, problem="holds something that is no record of its kind.")
    if len(set(digests)) != len(digests):
        raise Damaged(source=source, problem="holds a record twice.")
    name = f"openings/{kind}.json"
    revealed = reveal(kind, stored, _list(entries[name], name) if name in OPENINGS else [])
    for digest, found in zip(digests, revealed, strict=True):
        check_digest(kind, digest, found)
    return tuple(
        Row(digest, cast(dict[str, Json], found.stored["record"]), found.withheld, found.hidden)
        for digest, found in zip(digests, revealed, strict=True)
    )


def _envelopes(entries: Mapping[str, bytes]) -> dict[Digest, bytes]:
    found: dict[Digest, bytes] = {}
    for name, content in entries.items():
        if name.startswith("envelopes/"):
            digest = digest_of(content)
            if name != f"envelopes/{digest}.json":
                raise Damaged(source=name, problem="isn't named by its digest.")
            found[digest] = content
    return found


def _cards(data: bytes) -> tuple[SignedCard, ...]:
    try:
        cards = msgspec.convert(parse(data, CARDS), tuple[SignedCard, ...])
    except msgspec.ValidationError as error:
        raise Damaged(source=CARDS, problem=f"not of the form expected ({error}).") from error
    if len(cards) > MOST_SIGNATURES:
        raise Damaged(source=CARDS, problem=f"holds over {MOST_SIGNATURES} cards.")
    if canonical([cast(Json, builtins(card)) for card in cards]) != data:
        raise Damaged(source=CARDS, problem="leaves something out.")
    return cards


def _entries(data: bytes) -> tuple[Entry, ...]:
    return tuple(_entry(item) for item in _list(data, ENTRIES))


def _entry(item: Json) -> Entry:
    match item:
        case {
            "index": int(index),
            "entry": {"kind": "log-entry", "record": dict(record)} as stored,
            "proof": list(proof),
            **more,
        } if not more and not isinstance(index, bool) and index >= 0 and all(isinstance(step, str) for step in proof):
            objects = record.get("objects")
            if not isinstance(objects, list) or not all(isinstance(digest, str) for digest in objects):
                raise Damaged(source=ENTRIES, problem="holds an entry that doesn't say what it recorded.")
            hashes = tuple(bytes.fromhex(checked_digest(step, ENTRIES)) for step in proof)
            named = tuple(Digest(str(digest)) for digest in objects)
            return Entry(index, canonical(cast(Json, stored)), cast(dict[str, Json], record), named, hashes)
    raise Damaged(source=ENTRIES, problem="holds something that is no log entry.")


def _list(data: bytes, source: str) -> list[Json]:
    value = parse(data, source)
    if not isinstance(value, list):
        raise Damaged(source=source, problem="not a list.")
    return value
