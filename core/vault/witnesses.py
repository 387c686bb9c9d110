"""The vault's side of witnessing: what is asked of a witness, and what came back.

A request shows that the log continues the last state that this witness cosigned; what it cosigned is kept as a record. Rules: a cosigned
checkpoint is taken only when this log's key signed it, when it is a state of this log, and when a witness whose key was given vouches for
it; a witness's key is given once, by another way than the checkpoint, and is known from then on.
"""

from collections.abc import Sequence

from core.errors import BadInput, Damaged, NotFound
from core.records import Digest, Record
from core.trust.notes import WitnessKey, cosignatures, read_checkpoint, verify_checkpoint, witness_key_from
from core.trust.proofs import Extension, Inclusion, write_extension, write_inclusion
from core.vault import log
from core.vault.roles import Act
from core.vault.unit import Reader
from core.vault.vault import Vault

SHOWN = 16


class CosignedCheckpoint(Record, frozen=True, kw_only=True, tag="cosigned-checkpoint"):
    """That a witness vouched for a state of the log."""

    witness: str
    """The witness's verifier key."""
    time: int
    """When it cosigned, by its own clock, in seconds since 1970."""
    size: int
    root: Digest
    note: str
    """The whole note, with all its lines."""


def accepted(reader: Reader) -> tuple[CosignedCheckpoint, ...]:
    """What witnesses vouched for, in the order in which it came back."""
    return tuple(reader.get(digest, CosignedCheckpoint) for digest in reader.find(CosignedCheckpoint))


def known(reader: Reader) -> tuple[WitnessKey, ...]:
    """The witnesses whose checkpoints were accepted here."""
    return tuple(witness_key_from(vkey) for vkey in dict.fromkeys(kept.witness for kept in accepted(reader)))


def request(vault: Vault, witness: str = "", since: int | None = None) -> bytes:
    """What a witness is to cosign: the log as it is, and the proof that it continues the state of `since` entries.

    Where `since` isn't given, it is the last state that this witness (its name; the only one where none is named) cosigned, 0 for a new one.
    Raises `NotFound`, `BadInput`."""
    with vault.write(Act.EXPORT_CHECKPOINT, about=f"request to {witness or 'a witness'}") as unit:
        size = unit.log_size
        old = _last(unit, witness) if since is None else since
        if not 0 <= old <= size:
            raise BadInput(source=str(old), problem=f"the log has {size} entries; give a number up to that.")
        proof = tuple(unit.consistency(old, size)) if old else ()
        unit.note(after=_state(unit, size))
        return write_extension(Extension(old=old, proof=proof, checkpoint=unit.checkpoint()))


def accept(vault: Vault, note: bytes, witnesses: Sequence[str] = ()) -> tuple[CosignedCheckpoint, ...]:
    """Keep a cosigned checkpoint; what is new in it. `witnesses`: verifier keys of witnesses that are new here.

    Raises `Damaged` when it isn't of this log or a cosignature doesn't verify, `BadInput` when no witness that is known vouches for it."""
    keys = tuple(witness_key_from(vkey) for vkey in witnesses)
    size = read_checkpoint(note).size
    with vault.write(Act.WITNESS, about=f"{size} entries") as unit:
        point = verify_checkpoint(note, log.public_key(unit.db, vault.log_name))
        if point.size > unit.log_size or log.LogTree().root_at(unit.db, point.size) != point.root:
            raise Damaged(
                source="checkpoint",
                problem="cosigned, but not a state of this vault's log. Ask your auditor: one of both was rewritten.",
            )
        kept = {(found.witness, found.time, found.size) for found in accepted(unit)}
        candidates = tuple(dict.fromkeys((*known(unit), *keys)))
        vouched = cosignatures(note, candidates)
        if not vouched:
            raise BadInput(
                source="checkpoint",
                problem="no witness that is known here cosigned it. Give the witness's key, obtained from its owner.",
            )
        made = tuple(
            CosignedCheckpoint(
                witness=found.witness.vkey,
                time=found.time,
                size=point.size,
                root=Digest(point.root.hex()),
                note=note.decode("utf-8"),
            )
            for found in vouched
        )
        new = tuple(record for record in made if (record.witness, record.time, record.size) not in kept)
        for record in new:
            unit.put(record)
        unit.note(after="; ".join([_state(unit, point.size), *(found.witness.name for found in vouched)]))
    return new


def prove(vault: Vault, index: int) -> bytes:
    """The proof that an entry stands in the log, for somebody without the vault. Raises `NotFound`."""
    with vault.write(Act.EXPORT_CHECKPOINT, about=f"proof of entry {index}") as unit:
        size = unit.log_size
        content = unit.log_bytes(index)
        unit.note(after=_state(unit, size))
        proof = tuple(unit.inclusion(index, size))
        return write_inclusion(Inclusion(entry=content, index=index, proof=proof, checkpoint=unit.checkpoint()))


def checkpoint(vault: Vault) -> bytes:
    """The log's signed note of now, to keep outside the vault; that it was taken is logged."""
    with vault.write(Act.EXPORT_CHECKPOINT) as unit:
        unit.note(after=_state(unit, unit.log_size))
        return unit.checkpoint()


def consistency(vault: Vault, old: bytes, new: bytes) -> bytes:
    """The proof that one checkpoint of this log extends an earlier one. Raises `Damaged` when it doesn't, or isn't of this log."""
    with vault.read() as reader:
        key = log.public_key(reader.db, vault.log_name)
        earlier, later = verify_checkpoint(old, key), verify_checkpoint(new, key)
        for point in (earlier, later):
            if point.size > reader.log_size or log.LogTree().root_at(reader.db, point.size) != point.root:
                raise Damaged(
                    source=f"Checkpoint over {point.size} entries",
                    problem="signed by this log's key, but not a state of this vault's log: it was rewritten or rolled back.",
                )
        if earlier.size > later.size:
            raise BadInput(source="OLD", problem="it covers more entries than NEW. Give the earlier checkpoint first.")
        proof = tuple(reader.consistency(earlier.size, later.size)) if earlier.size else ()
        return write_extension(Extension(old=earlier.size, proof=proof, checkpoint=new))


def _last(reader: Reader, witness: str) -> int:
    sizes: dict[str, int] = {}
    for found in accepted(reader):
        name = witness_key_from(found.witness).name
        sizes[name] = max(found.size, sizes.get(name, 0))
    if witness and sizes and witness not in sizes:
        raise NotFound(
            kind="witness", name=witness, step=f"Known are {', '.join(sorted(sizes))}; for a new one, begin at 0."
        )
    if not witness and len(sizes) > 1:
        raise BadInput(source="witness", problem=f"say which one: {', '.join(sorted(sizes))}.")
    return sizes.get(witness, 0) if witness else next(iter(sizes.values()), 0)


def _state(reader: Reader, size: int) -> str:
    return f"{size} {log.LogTree().root_at(reader.db, size).hex()[:SHOWN]}"
