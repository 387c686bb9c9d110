"""A pack taken apart: from bytes to records, with everything checked that needs no trust.

The layout, version 1. Signed, by their digests in the manifest:

    manifest.json            the digest and size of every other file but those marked *
    records/KIND.json        the records of one kind, withholdable fields behind commitments; the outcomes, which are many, stand in
                             several files, records/outcome-0001.json and on without a gap, each of as many records as its maker liked;
                             a kind in `EXTRA` has a file where there is a record of it
    envelopes/DIGEST.json    the DSSE envelope of each earlier signature
    cards.json               the cards of everybody who signed
    log/checkpoint.txt       the audit log's signed note
    log/entries.json         the entries that tell of these records, with their inclusion proofs
    mlbom.cdx.json           models, data and software (CycloneDX); people's marks and `merges` among its properties
    verify.py VERIFY.md      a second implementation of these rules, and how to use it

Not in the manifest's list of files:

    release.json *           the envelope over the manifest itself
    openings/KIND.json *     what opens the commitments of the file records/KIND.json; deleting an opening withholds a field
    openings/renderings.json *
                             what opens the commitments to the renderings' digests
    redaction.json *         where a field is withheld: of which manifest this is a redaction, and how many fields are. Nothing else,
                             so that it can hold nothing that isn't so
    report.html report.pdf lineage.prov.json lineage.svg datasheet.md datasheets/DIGEST.md model-cards/DIGEST.md marks/reasons.json *
                             renderings; their digests are signed apart, behind commitments, under names of their own choice. They must
                             all be there as signed, or, once a field is withheld, all be gone

`take_apart` refuses anything else: another entry, a missing one, a digest that differs, a record that isn't what its digest says. It reads
one file after the other, each within `LARGEST_JSON`, and keeps of the outcomes what it is asked to.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple, cast

import msgspec

from core.errors import Damaged
from core.evidence import merges, people, zipform
from core.evidence.commitments import (
    MARKED,
    WITHHOLDABLE,
    Openings,
    Path,
    check_digest,
    read_openings,
    reveal,
    reveal_digests,
)
from core.evidence.records import FORMAT, FORMAT_VERSION
from core.jobs import Job
from core.records import Digest, Json, Record
from core.trust.canonical import builtins, canonical, checked_digest, parse, read, write_plain
from core.trust.canonical import digest as digest_of
from core.trust.cards import SignedCard

LARGEST_JSON = 96 * 1024 * 1024
"""Bytes of one JSON file; reading one takes some fifteen times as much memory at worst."""
LARGEST_REST = 256 * 1024 * 1024
"""Bytes of all files together but those of the outcomes, of which little is kept, and the renderings, which aren't read."""
MOST_SIGNATURES = 500
"""Signatures, and cards; a verifier that computes Ed25519 by itself takes some 30 ms for each."""
MANIFEST, RELEASE, CARDS = "manifest.json", "release.json", "cards.json"
CHECKPOINT, ENTRIES = "log/checkpoint.txt", "log/entries.json"
MLBOM, REPORT, REPORT_PDF = "mlbom.cdx.json", "report.html", "report.pdf"
LINEAGE, LINEAGE_PICTURE, DATASHEET = "lineage.prov.json", "lineage.svg", "datasheet.md"
VERIFIER, GUIDE = "verify.py", "VERIFY.md"
REDACTION, RENDERED = "redaction.json", "openings/renderings.json"
KINDS = ("run", "run-result", "spec", "dataset", "prompt-version", "outcome", "model", "document", "signature")
EXTRA = ("model-card", "training-run", "training-result", "adapter-comparison", "training-data")
"""Kinds of which most packs hold nothing: what was kept of models, and where an adapter comes from that was trained in the vault."""
KEPT_AS: Mapping[str, str] = MappingProxyType({"training-data": "dataset"})
"""Kinds that the vault keeps under another name."""
SINGLE = ("run", "run-result", "spec", "dataset")
"""Kinds of which a pack holds exactly one record."""
PARTED = "outcome"
"""The kind whose records stand in several files."""
FIXED = frozenset(
    {CARDS, CHECKPOINT, ENTRIES, MLBOM, VERIFIER, GUIDE, *(f"records/{kind}.json" for kind in KINDS if kind != PARTED)}
)
_PART = re.compile(r"records/outcome-([0-9]{4})\.json", re.ASCII)


def part(number: int) -> str:
    """The name of a file of outcomes, the first being 1."""
    return f"records/{PARTED}-{number:04}.json"


def opening_file(records: str) -> str:
    """The file that opens the commitments of a file of records."""
    return f"openings/{records.partition('/')[2]}"


def record_files(names: Iterable[str]) -> dict[str, list[str]]:
    """The files of records of each kind among these names, in order. Those of `KINDS` are there whether they are named or not."""
    named = set(names)
    parts = sorted(name for name in named if _PART.fullmatch(name))
    always = {kind: parts if kind == PARTED else [f"records/{kind}.json"] for kind in KINDS}
    return always | {kind: [name] if (name := f"records/{kind}.json") in named else [] for kind in EXTRA}


def opening_files(names: Iterable[str]) -> set[str]:
    """The files of openings that a pack with these files of records has."""
    files = record_files(names)
    return {RENDERED, *(opening_file(name) for kind in WITHHOLDABLE for name in files[kind])}


def too_large(entries: Mapping[str, bytes], renderings: Iterable[str]) -> str:
    """What is wrong with the sizes of a pack's files, or ""."""
    read_in = {name: len(content) for name, content in entries.items() if name not in set(renderings)}
    for name, size in read_in.items():
        if size > LARGEST_JSON:
            return f"{name} has {size >> 20} MiB; one file has at most {LARGEST_JSON >> 20}"
    rest = sum(size for name, size in read_in.items() if f"/{PARTED}-" not in name)
    if rest > LARGEST_REST:
        return f"there are {rest >> 20} MiB beside the outcomes; there may be {LARGEST_REST >> 20}"
    return ""


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
    contents: Mapping[str, bytes]
    """Every file by its name."""
    counts: Mapping[str, int]
    """How many records each file of records has."""
    withheld: int
    marked: people.Marked = people.Marked()

    def one(self, kind: str) -> Row:
        """The only record of a kind in `SINGLE`."""
        return self.rows[kind][0]


def take_apart(
    data: bytes, keep: Callable[[dict[str, Json]], dict[str, Json]] = lambda outcome: outcome, job: Job | None = None
) -> Opened:
    """A pack's content; of each outcome, once it is checked, what `keep` gives. `job` is told how many bytes of records are read.

    Raises `Damaged` for anything that isn't whole and unaltered under its own manifest, `Cancelled`.
    """
    job = job or Job("Read a pack")
    entries = zipform.read(data)
    job.check()
    for name in (MANIFEST, RELEASE):
        if name not in entries:
            raise Damaged(source="pack", problem=f"has no {name}.")
    if len(entries[MANIFEST]) > LARGEST_JSON:
        raise Damaged(source=MANIFEST, problem="too large to be read.")
    manifest = _manifest(entries[MANIFEST])
    problem = too_large(entries, {*manifest.renderings} - {people.REASONS})
    if problem:
        raise Damaged(source="pack", problem=f"too large to be read: {problem}.")
    _compare(manifest, entries)
    files = record_files(manifest.files)
    found: dict[str, list[Row]] = {}
    done, total = 0, sum(len(entries[name]) for names in files.values() for name in names)
    for kind, names in files.items():
        for name in names:
            job.report(done, total, "bytes")
            found[name] = _rows(kind, name, entries, keep if kind == PARTED else lambda record: record)
            done += len(entries[name])
    job.report(total, total, "bytes")
    rows = {kind: tuple(row for name in names for row in found[name]) for kind, names in files.items()}
    for kind, some in rows.items():
        if len({row.digest for row in some}) != len(some):
            raise Damaged(source=f"records/{kind}", problem="holds a record twice.")
    for kind in EXTRA:
        if files[kind] and not rows[kind]:
            raise Damaged(source=f"records/{kind}.json", problem="holds no record.")
    for kind in SINGLE:
        if len(rows[kind]) != 1:
            raise Damaged(source=f"records/{kind}.json", problem=f"holds {len(rows[kind])} records instead of one.")
    if len(rows["signature"]) > MOST_SIGNATURES:
        raise Damaged(source="pack", problem=f"has over {MOST_SIGNATURES} signatures.")
    withheld = sum(row.withheld for some in rows.values() for row in some)
    _check_renderings(manifest, entries, withheld)
    _check_redaction(entries, withheld)
    marked = people.read(entries[MLBOM], entries.get(people.REASONS))
    rows = merged_rows(rows, merged := merges.read(entries[MLBOM]))
    if len(rows["signature"]) > MOST_SIGNATURES or len({row.digest for row in rows["signature"]}) < len(
        rows["signature"]
    ):
        raise Damaged(source=merges.SOURCE, problem="too many signatures, or one twice.")
    return Opened(
        manifest=manifest,
        manifest_digest=digest_of(entries[MANIFEST]),
        release=entries[RELEASE],
        rows=rows | marked_rows(marked),
        marked=marked,
        envelopes=_envelopes(entries) | merged.envelopes,
        cards=_cards(entries[CARDS]),
        checkpoint=entries[CHECKPOINT],
        entries=_entries(entries[ENTRIES]),
        contents=entries,
        counts={name: len(some) for name, some in found.items()},
        withheld=withheld,
    )


def merged_rows(rows: Mapping[str, tuple[Row, ...]], merged: merges.Merges) -> dict[str, tuple[Row, ...]]:
    """The records of a pack with those on merges, and the signatures on these."""
    if not merged.merges:
        return dict(rows)
    made, signed = (tuple(Row(one.digest, one.record, 0) for one in some) for some in merged)
    return {**rows, merges.KIND: made, "signature": (*rows["signature"], *signed)}


def marked_rows(marked: people.Marked) -> dict[str, tuple[Row, ...]]:
    """People's marks and the figures on them as rows, where there are any. They are no kind of file of their own."""
    if not marked.marks:
        return {}
    figures = tuple(Row(Digest(""), cast(dict[str, Json], one), 0) for one in marked.figures)
    return {"mark": tuple(Row(one.digest, one.record, 0) for one in marked.marks), "people": figures}


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
    files = record_files(manifest.files)
    parts = files[PARTED]
    expected = manifest.files.keys() | opening_files(manifest.files) | {MANIFEST, RELEASE}
    if parts != [part(place + 1) for place in range(max(1, len(parts)))]:
        raise Damaged(source=MANIFEST, problem="its files of outcomes aren't numbered from 1 without a gap.")
    if not manifest.files.keys() >= FIXED or REPORT not in manifest.renderings:
        raise Damaged(source=MANIFEST, problem="doesn't list what a pack must have.")
    if not (expected | {REDACTION}).isdisjoint(manifest.renderings):
        raise Damaged(source=MANIFEST, problem="lists a file as a rendering too.")
    for name in manifest.files.keys() - FIXED - {name for some in files.values() for name in some}:
        if not name.startswith("envelopes/"):
            raise Damaged(source=MANIFEST, problem=f"lists {name[:80]!r}, which no pack has.")
    for name in sorted((entries.keys() ^ expected) - manifest.renderings.keys() - {REDACTION}):
        problem = "is in the pack but not in its manifest." if name in entries else "is missing from the pack."
        raise Damaged(source=name[:80], problem=problem)
    for name, listed in manifest.files.items():
        if not _is(entries[name], listed):
            raise Damaged(source=name, problem="differs from what was signed.")


def _check_renderings(manifest: Manifest, entries: Mapping[str, bytes], withheld: int) -> None:
    told = reveal_digests(manifest.renderings, entries[RENDERED], RENDERED)
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


def _rows(
    kind: str, source: str, entries: Mapping[str, bytes], keep: Callable[[dict[str, Json]], dict[str, Json]]
) -> list[Row]:
    """The records of one file."""
    whole = read(entries[source], source)
    if not isinstance(whole.value, list):
        raise Damaged(source=source, problem="not a list.")
    digests: list[Digest] = []
    stored: list[dict[str, Json]] = []
    for item in whole.value:
        match item:
            case {
                "digest": str(digest),
                "stored": {"kind": str(its), "nonce": str() | dict(), "record": dict(), **others} as content,
                **more,
            } if its == KEPT_AS.get(kind, kind) and not others and not more:
                digests.append(checked_digest(digest, source))
                stored.append(cast(dict[str, Json], content))
            case _:
                raise Damaged(source=source, problem="holds something that is no record of its kind.")
    name = opening_file(source)
    opens = read_openings(entries[name], name) if kind in WITHHOLDABLE else Openings([], True)
    revealed = reveal(kind, stored, opens.openings, entries[source].count(MARKED))
    write = write_plain if whole.plain and opens.plain else canonical
    rows: list[Row] = []
    for digest, found in zip(digests, revealed, strict=True):
        check_digest(kind, digest, found, write)
        rows.append(Row(digest, keep(cast(dict[str, Json], found.stored["record"])), found.withheld, found.hidden))
    return rows


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
