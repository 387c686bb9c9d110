"""Writing a pack: from what the vault kept to one file. Pure: the same content and the same seed of the salts give the same bytes.

It goes in two steps, because the release is signed in between: `prepare` makes every file and the manifest over them, `finish` adds
the envelope over the manifest. The layout is that of `opened`.
"""

from collections.abc import Sequence
from typing import NamedTuple, cast

import msgspec

from core.evidence import mlbom, opened, zipform
from core.evidence.commitments import WITHHOLDABLE, hide, hide_digests, in_order
from core.evidence.opened import FileDigest, Manifest, Row
from core.evidence.records import FORMAT, PackContent, Stored
from core.evidence.renderings import renderings
from core.evidence.salts import new_seed, salts
from core.records import Digest, Json
from core.trust.canonical import builtins, canonical
from core.trust.canonical import digest as digest_of


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
    rows = plain_rows(content)
    seed = new_seed() if seed is None else seed
    signed: dict[str, bytes] = {
        opened.CARDS: canonical([cast(Json, builtins(card)) for card in content.cards]),
        opened.CHECKPOINT: content.checkpoint,
        opened.ENTRIES: canonical(
            [
                {"index": e.index, "entry": msgspec.json.decode(e.content), "proof": [step.hex() for step in e.proof]}
                for e in content.entries
            ]
        ),
        opened.MLBOM: canonical(mlbom.mlbom(rows, content.title)),
        opened.VERIFIER: verifier,
        opened.GUIDE: guide,
    }
    unsigned: dict[str, bytes] = {}
    for kind, some in _by_kind(content).items():
        hidden = [
            hide(kind, place, msgspec.json.decode(stored.content), salts(seed, kind, stored.digest))
            for place, stored in enumerate(some)
        ]
        signed[f"records/{kind}.json"] = canonical(
            [{"digest": stored.digest, "stored": item.stored} for stored, item in zip(some, hidden, strict=True)]
        )
        if kind in WITHHOLDABLE:
            unsigned[f"openings/{kind}.json"] = canonical(in_order([o for item in hidden for o in item.openings]))
    for row in rows["signature"]:
        envelope = str(row.record["envelope"]).encode("utf-8")
        signed[f"envelopes/{digest_of(envelope)}.json"] = envelope
    rendered = renderings(rows, content.title)
    listed: dict[str, Json] = {name: builtins(_listed(data)) for name, data in rendered.items()}
    hidden_digests, told = hide_digests(listed, salts(seed, "renderings", listed))
    unsigned[opened.RENDERED] = canonical(told)
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
    return Prepared(manifest, {opened.MANIFEST: manifest, **signed, **unsigned, **rendered})


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
    }


def _listed(content: bytes) -> FileDigest:
    return FileDigest(sha256=digest_of(content), size=len(content))
