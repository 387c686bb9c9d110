"""Writing a pack: from what the vault kept to one file. Pure: the same content and the same seed of the salts give the same bytes.

It goes in two steps, because the release is signed in between: `prepare` makes every file and the manifest over them, `finish` adds
the envelope over the manifest. The layout is that of `opened`.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

import msgspec

from core.errors import BadInput
from core.evidence import merges, mlbom, opened, people, zipform
from core.evidence.commitments import WITHHOLDABLE, hide, hide_digests, in_order
from core.evidence.opened import PARTED, FileDigest, Manifest, Row, opening_file, part, too_large
from core.evidence.records import FORMAT, PackContent, Stored
from core.evidence.renderings import renderings
from core.evidence.salts import new_seed, salts
from core.records import Digest, Json
from core.trust.canonical import builtins, canonical, read, write_plain
from core.trust.canonical import digest as digest_of

PART = 4 * 1024 * 1024
"""Bytes of outcomes, as the vault keeps them, after which the next file begins: so a reader needs memory for one such file at a time."""


class Prepared(NamedTuple):
    """A pack that lacks only its release: sign the digest of `manifest`."""

    manifest: bytes
    entries: dict[str, bytes]

    @property
    def digest(self) -> Digest:
        """What the release names as its subject."""
        return digest_of(self.manifest)


def prepare(content: PackContent, verifier: bytes, guide: bytes, seed: bytes | None = None) -> Prepared:
    """Every file of the pack. `verifier` and `guide` are the enclosed `verify.py` and `VERIFY.md`; the salts of the commitments come from
    `seed`, or from chance. Raises `BadInput`, `Damaged`."""
    seed = new_seed() if seed is None else seed
    marked = people.write(content.marks, content.people, seed, content.reasons)
    merged = merges.write(content.merges, content.merge_signatures)
    plain = plain_rows(content) | opened.marked_rows(marked.marked if marked else people.Marked())
    rows = opened.merged_rows(plain, merges.read_text(merged) if merged else merges.Merges())
    signed: dict[str, bytes] = {
        opened.CARDS: canonical([cast(Json, builtins(card)) for card in content.cards]),
        opened.CHECKPOINT: content.checkpoint,
        opened.ENTRIES: canonical(
            [
                {"index": e.index, "entry": msgspec.json.decode(e.content), "proof": [step.hex() for step in e.proof]}
                for e in content.entries
            ]
        ),
        opened.MLBOM: canonical(mlbom.mlbom(rows, content.title, marked.text if marked else "", merged)),
        opened.VERIFIER: verifier,
        opened.GUIDE: guide,
    }
    unsigned: dict[str, bytes] = {}
    for kind, some in _by_kind(content).items():
        if kind in opened.EXTRA and not some:
            continue
        for number, few in enumerate(_parted(some) if kind == PARTED else [some], 1):
            name = part(number) if kind == PARTED else f"records/{kind}.json"
            signed[name], openings = _hidden(kind, few, seed)
            if kind in WITHHOLDABLE:
                unsigned[opening_file(name)] = openings
    for row in plain["signature"]:
        envelope = str(row.record["envelope"]).encode("utf-8")
        signed[f"envelopes/{digest_of(envelope)}.json"] = envelope
    rendered = renderings(rows, content.title)
    if marked and marked.openings:
        rendered[people.REASONS] = marked.openings
    listed: dict[str, Json] = {name: builtins(_listed(data)) for name, data in rendered.items()}
    hidden_digests, unsigned[opened.RENDERED] = hide_digests(listed, salts(seed, "renderings", listed))
    manifest = canonical(
        builtins(
            Manifest(
                format=FORMAT,
                title=content.title,
                assay=content.assay,
                made=content.made,
                files={name: _listed(data) for name, data in signed.items()},
                renderings=hidden_digests,
            )
        )
    )
    entries = {opened.MANIFEST: manifest, **signed, **unsigned, **rendered}
    problem = too_large(entries, {*rendered} - {people.REASONS})
    if problem:
        raise BadInput(source="pack", problem=f"{problem}. Split the dataset, and export a run of each part.")
    return Prepared(manifest, entries)


def _hidden(kind: str, some: Sequence[Stored], seed: bytes) -> tuple[bytes, bytes]:
    """A file of records, and the file that opens its commitments."""
    items: list[Json] = []
    openings: list[bytes] = []
    plain = True
    for place, stored in enumerate(some):
        kept = read(stored.content, f"record {stored.digest[:8]}")
        plain = plain and kept.plain
        item = hide(
            kind,
            place,
            cast(dict[str, Json], kept.value),
            salts(seed, kind, stored.digest),
            write_plain if kept.plain else canonical,
        )
        items.append({"digest": stored.digest, "stored": item.stored})
        openings += item.openings
    return (write_plain if plain else canonical)(items), in_order(openings)


def _parted(some: Sequence[Stored]) -> Iterator[list[Stored]]:
    """The outcomes in the order they have, in lists of about `PART` bytes; at least one list."""
    few: list[Stored] = []
    size = 0
    for stored in some:
        if size >= PART:
            yield few
            few, size = [], 0
        few.append(stored)
        size += len(stored.content)
    yield few


def finish(prepared: Prepared, release: bytes) -> bytes:
    """The pack's bytes; `release` is the DSSE envelope over the manifest's digest."""
    return zipform.write({**prepared.entries, opened.RELEASE: release})


def plain_rows(content: PackContent) -> dict[str, tuple[Row, ...]]:
    """The records as a reader of the pack sees them, nothing withheld."""
    return {
        kind: tuple(Row(stored.digest, msgspec.json.decode(stored.content)["record"], 0) for stored in some)
        for kind, some in _by_kind(content).items()
    }


def _by_kind(content: PackContent) -> dict[str, Sequence[Stored]]:
    return {
        "run": (content.run,),
        "run-result": (content.result,),
        "spec": (content.spec,),
        "dataset": (content.dataset,),
        "prompt-version": content.prompts,
        "outcome": content.outcomes,
        "model": content.models,
        "document": content.documents,
        "signature": content.signatures,
        "model-card": content.model_cards,
        "training-run": content.training_runs,
        "training-result": content.training_results,
        "adapter-comparison": content.comparisons,
        "training-data": content.training_data,
    }


def _listed(content: bytes) -> FileDigest:
    return FileDigest(sha256=digest_of(content), size=len(content))
