"""Where a merged model is from: which adapter went into which base, so that the way leads from the file back to the data that was learned.

The record is sealed and signed like the others, and links to the training's run and result; erasing the run erases it. Whoever registers the same
file anew, under another name, still finds it by the file's digest.
"""

from core.errors import NotFound
from core.models.records import ModelFile
from core.records import Digest, Record, now
from core.training.records import TrainingView
from core.training.settings import Settings
from core.vault import versions
from core.vault.records import Signature
from core.vault.roles import Act
from core.vault.signing import Signer
from core.vault.unit import Reader, Unit
from core.vault.vault import Vault

KIND = "merged-model"


class MergedModel(Record, frozen=True, kw_only=True, tag=KIND):
    """A base with an adapter in its weights. `digest`: of the file; `adapter`: of the adapter's GGUF, or of all weights where those were trained;
    `result`: the record that it is sealed with; `settings` and `learned`, the digests of what it learned from: those of the training. Records
    of before these were kept say nothing of them."""

    name: str
    digest: Digest
    size: int
    quantization: str
    run: str
    result: Digest
    adapter: Digest
    base: str
    base_digest: Digest
    by: str
    made: str
    settings: Settings | None = None
    learned: tuple[Digest, ...] = ()


def record(unit: Unit, view: TrainingView, model: ModelFile) -> Digest:
    """Record what that file is from."""
    assert view.result is not None
    assert view.result_digest is not None
    merged = MergedModel(
        name=model.name,
        digest=model.digest,
        size=model.size,
        quantization=model.quantization,
        run=view.run.id,
        result=view.result_digest,
        adapter=Digest(view.result.gguf or view.result.weights),
        base=view.run.base,
        base_digest=view.run.base_digest,
        by=unit.user.user,
        made=now(),
        settings=view.run.settings,
        learned=tuple(source.digest for source in view.run.sources),
    )
    return unit.put(merged, links=(view.digest, view.result_digest))


def of_run(vault: Vault, run: Digest) -> tuple[MergedModel, ...]:
    """The files that a run's adapter went into, oldest first."""
    with vault.read() as reader:
        return tuple(reader.get(one, MergedModel) for one in reader.linked_from(run) if reader.kind(one) == KIND)


def of_file(vault: Vault, digest: str) -> MergedModel | None:
    """What a model's file was merged from; None where it wasn't merged here."""
    with vault.read() as reader:
        found = _by_file(reader, digest)
        return found[1] if found else None


def told(merged: MergedModel | None) -> list[str]:
    """The same in a line."""
    if merged is None:
        return []
    return [
        f"Merged from {merged.base} ({merged.base_digest[:12]}) and {merged.run} (adapter {merged.adapter[:12]}), by {merged.by}."
    ]


def sign(vault: Vault, model: ModelFile, meaning: str, reason: str, signer: Signer) -> Signature:
    """Sign what a merged model is from. Raises `NotFound` where it wasn't merged here, `Refused` when an author approves their own work."""
    with vault.write(Act.APPROVE if meaning == "approved" else Act.SIGN, about=model.name, reason=reason) as unit:
        found = _by_file(unit, model.digest)
        if found is None:
            raise NotFound(kind="merge of", name=model.name, step="`assay train merge` records one.")
        versions.check_signer(model.name, unit.authors(found[0]), signer.user.user, meaning)
        return unit.sign(signer, found[0], model.name, meaning, reason)


def recorded(reader: Reader, before: Digest) -> tuple[Digest, ...]:
    """The records that are older than another record, oldest first."""
    query = (
        "SELECT digest FROM records WHERE kind = ? AND seq < (SELECT seq FROM records WHERE digest = ?) ORDER BY seq"
    )
    return tuple(Digest(found) for (found,) in reader.db.execute(query, (KIND, before)).fetchall())


def _by_file(reader: Reader, digest: str) -> tuple[Digest, MergedModel] | None:
    rows = reader.db.execute("SELECT digest FROM records WHERE kind = ? ORDER BY seq DESC", (KIND,)).fetchall()
    every = ((Digest(found), reader.get(Digest(found), MergedModel)) for (found,) in rows)
    return next((one for one in every if one[1].digest == digest), None)
