"""Proofs about the log as files, in the forms of C2SP: that an entry is in it, and that one state of it extends another.

    c2sp.org/tlog-proof@v1                 old 42
    extra <the entry's bytes, base64>      <hash, base64> …
    index 17
    <hash, base64> …                       <checkpoint>

    <checkpoint>

The left one (c2sp.org/tlog-proof) shows that the entry in `extra` stands at that index of the checkpoint's tree; the right one
(c2sp.org/tlog-witness, add-checkpoint) that the checkpoint's tree begins with that of the old size. Verification is pure: bytes in, verdict
out.
"""

import re
from collections.abc import Sequence

from core.errors import Damaged
from core.records import Record
from core.trust import merkle
from core.trust.canonical import b64, unb64
from core.trust.notes import Checkpoint, LogKey, WitnessKey, read_checkpoint, verify_checkpoint

LARGEST = 64 << 20
"""Bytes: a log entry that names a hundred thousand records has 7 MiB."""
MOST_HASHES = 63
HEAD = "c2sp.org/tlog-proof@v1"
_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)


class Inclusion(Record, frozen=True, kw_only=True):
    """An entry's canonical bytes, its index, the hashes from its sibling up, and the checkpoint's note."""

    entry: bytes
    index: int
    proof: tuple[bytes, ...]
    checkpoint: bytes


class Extension(Record, frozen=True, kw_only=True):
    """The hashes by which the note's tree begins with that of `old` entries; none for `old` = 0. What a witness is asked with."""

    old: int
    proof: tuple[bytes, ...]
    checkpoint: bytes


def write_inclusion(proof: Inclusion) -> bytes:
    """The file of an inclusion proof."""
    return _written([HEAD, f"extra {b64(proof.entry)}", f"index {proof.index}"], proof.proof, proof.checkpoint)


def write_extension(proof: Extension) -> bytes:
    """The file of a consistency proof."""
    return _written([f"old {proof.old}"], proof.proof, proof.checkpoint)


def is_inclusion(data: bytes) -> bool:
    """Whether a file begins as an inclusion proof does."""
    return data.startswith(HEAD.encode() + b"\n")


def read_inclusion(data: bytes) -> Inclusion:
    """What `write_inclusion` wrote, nothing verified. Raises `Damaged`."""
    lines, checkpoint = _parted(data)
    if len(lines) < 3 or lines[0] != HEAD or not lines[1].startswith("extra "):
        raise _malformed()
    return Inclusion(
        entry=unb64(lines[1].removeprefix("extra "), "proof's entry"),
        index=_number(lines[2], "index "),
        proof=_hashes(lines[3:]),
        checkpoint=checkpoint,
    )


def read_extension(data: bytes) -> Extension:
    """What `write_extension` wrote, nothing verified. Raises `Damaged`."""
    lines, checkpoint = _parted(data)
    return Extension(old=_number(lines[0], "old "), proof=_hashes(lines[1:]), checkpoint=checkpoint)


def origin(data: bytes) -> str:
    """Which log a proof of either form speaks of, nothing verified. Raises `Damaged`."""
    return read_checkpoint(_parted(data)[1]).origin


def verify_inclusion(
    proof: Inclusion, key: LogKey, witnesses: Sequence[WitnessKey] = (), needed: int = 0
) -> Checkpoint:
    """The checkpoint under which the entry is proven to stand at its index. Raises `InvalidCheckpoint`, `InvalidProof`."""
    checkpoint = verify_checkpoint(proof.checkpoint, key, witnesses, needed)
    leaf = merkle.leaf_hash(proof.entry)
    merkle.verify_inclusion(proof.index, checkpoint.size, leaf, proof.proof, checkpoint.root)
    return checkpoint


def verify_extension(
    proof: Extension, old: Checkpoint | None, key: LogKey, witnesses: Sequence[WitnessKey] = (), needed: int = 0
) -> Checkpoint:
    """The checkpoint, if it extends `old`; None for a log of which nothing is known. Raises `InvalidCheckpoint`, `InvalidProof`."""
    checkpoint = verify_checkpoint(proof.checkpoint, key, witnesses, needed)
    if proof.old != (old.size if old is not None else 0):
        raise merkle.InvalidProof(
            source="consistency proof", problem=f"about another earlier state, of {proof.old} entries."
        )
    if old is None or old.size == 0:
        if proof.proof:
            raise merkle.InvalidProof(source="consistency proof", problem="nothing can be proven about an empty log.")
        return checkpoint
    if old.origin != checkpoint.origin:
        raise merkle.InvalidProof(source="consistency proof", problem="the checkpoints are of different logs.")
    merkle.verify_consistency(old.size, checkpoint.size, old.root, checkpoint.root, proof.proof)
    return checkpoint


def _written(lines: list[str], proof: Sequence[bytes], checkpoint: bytes) -> bytes:
    return "".join(f"{line}\n" for line in [*lines, *map(b64, proof)]).encode() + b"\n" + checkpoint


def _parted(data: bytes) -> tuple[list[str], bytes]:
    if len(data) > LARGEST:
        raise Damaged(source="proof", problem="too large to be one.")
    head, gap, checkpoint = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise _malformed() from error
    if not gap:
        raise _malformed()
    return lines, checkpoint


def _hashes(lines: Sequence[str]) -> tuple[bytes, ...]:
    if len(lines) > MOST_HASHES:
        raise _malformed()
    return tuple(unb64(line, "proof's hash", merkle.SIZE) for line in lines)


def _number(line: str, word: str) -> int:
    digits = line.removeprefix(word)
    if not line.startswith(word) or _NUMBER.fullmatch(digits) is None:
        raise _malformed()
    return int(digits)


def _malformed() -> Damaged:
    return Damaged(source="proof", problem="not of the form expected. Get the file again from whoever made it.")
