"""A witness: another machine that vouches for each state of a log after checking that it extends the one before.

It needs no vault and no network: a request comes as a file, the cosigned checkpoint leaves as one. The rules (c2sp.org/tlog-witness):

1. A log counts only by the key that the witness was given beforehand, by another way than the request.
2. A checkpoint is cosigned when it extends the last one cosigned for that log, never when it is older or differs; the request's proof must
   begin at exactly that one.
3. What was cosigned is remembered before the cosignature is given out. What is remembered carries the witness's own cosignature, so that
   nobody else can have it forget or believe another state; who loses the file begins anew with rule 1.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import msgspec

from core.errors import Damaged, NotFound, Refused, WrongPassphrase
from core.records import Record
from core.trust.canonical import b64, builtins, canonical, parse, unb64
from core.trust.merkle import InvalidProof
from core.trust.notes import (
    LogKey,
    WitnessKey,
    cosign,
    cosignatures,
    log_key_from,
    new_log_key,
    read_checkpoint,
    verify_checkpoint,
    witness_key,
)
from core.trust.passphrases import Kdf, derive
from core.trust.proofs import read_extension, verify_extension
from core.trust.sealing import InvalidSeal, seal, unseal

R = TypeVar("R", bound=Record)
LARGEST = 16 << 20
"""Bytes of a key file or of a state."""


class KeyFile(Record, frozen=True, kw_only=True, tag="witness-key", forbid_unknown_fields=True):
    """A witness's key at rest: its private half sealed under a passphrase, base64."""

    witness: WitnessKey
    kdf: Kdf
    sealed: str


class Remembered(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The last state of one log: the verifier key that counts for it, and the note with the witness's cosignature."""

    log: str
    note: str


class State(Record, frozen=True, kw_only=True, tag="witness-state", forbid_unknown_fields=True):
    """All that a witness remembers, by the logs' origins."""

    witness: WitnessKey
    logs: Mapping[str, Remembered]


def new_key_file(name: str, passphrase: str, kdf: Kdf) -> tuple[WitnessKey, bytes]:
    """A new witness: its public key and its key file. Takes as long as one key derivation. Raises `BadInput` for a name with spaces."""
    private = new_log_key()
    witness = witness_key(name, private)
    sealed = seal(derive(passphrase, kdf), private, _context(witness, kdf))
    return witness, canonical(builtins(KeyFile(witness=witness, kdf=kdf, sealed=b64(sealed))))


def open_key_file(data: bytes, passphrase: str, source: str) -> tuple[WitnessKey, bytes]:
    """The public and the private key. Raises `WrongPassphrase`, `Damaged`."""
    file = _read(data, KeyFile, source)
    sealed = unb64(file.sealed, source)
    try:
        private = unseal(derive(passphrase, file.kdf), sealed, _context(file.witness, file.kdf))
    except InvalidSeal as error:
        raise WrongPassphrase(vault=source) from error
    return file.witness, private


def read_state(data: bytes | None, witness: WitnessKey, source: str) -> State:
    """What the witness remembers; nothing where there is no file yet. Raises `Damaged` when it is another's, or was altered."""
    if data is None:
        return State(witness=witness, logs={})
    state = _read(data, State, source)
    if state.witness != witness:
        raise Damaged(source=source, problem=f"the memory of another witness, {state.witness.name}.")
    for origin, kept in state.logs.items():
        note = kept.note.encode()
        if verify_checkpoint(note, log_key_from(kept.log), (witness,), needed=1).origin != origin:
            raise Damaged(source=source, problem="altered: what it holds of a log isn't that log's.")
    return state


def write_state(state: State) -> bytes:
    """The file of what a witness remembers."""
    return canonical(builtins(state))


def witnessed(
    request: bytes, state: State, private: bytes, trusted: Sequence[LogKey], time: int
) -> tuple[State, bytes]:
    """What to remember from now on, and the cosigned checkpoint. `trusted`: keys of logs that may be new to the witness.

    Raises `NotFound` (an unknown log), `Refused` (older, inconsistent, or a proof from another state), `Damaged`."""
    asked = read_extension(request)
    origin = read_checkpoint(asked.checkpoint).origin
    kept = state.logs.get(origin)
    key = log_key_from(kept.log) if kept else next((key for key in trusted if key.origin == origin), None)
    if key is None:
        raise NotFound(
            kind="log",
            name=origin,
            step="This witness doesn't know it: give its trust file, obtained beforehand.",
        )
    last = read_checkpoint(kept.note.encode()) if kept else None
    found = verify_checkpoint(asked.checkpoint, key)
    seen = last.size if last else 0
    act = f"Cosign {found.size} entries of {origin}"
    if found.size < seen:
        raise Refused(
            act=act, reason=f"This witness has seen {seen} entries: the log was rolled back, or the request is old."
        )
    if asked.old != seen:
        raise Refused(
            act=act,
            reason=f"The proof begins at {asked.old} entries, this witness last saw {seen}: `assay audit request --since {seen}`.",
        )
    try:
        verify_extension(asked, last, key)
    except InvalidProof as error:
        raise Refused(
            act=act,
            reason=f"It isn't a continuation of the {seen} entries seen before: history was rewritten, or the proof is wrong.",
        ) from error
    note = cosign(asked.checkpoint, state.witness.name, private, time)
    assert cosignatures(note, (state.witness,))
    remembered = Remembered(log=key.vkey, note=note.decode())
    return msgspec.structs.replace(state, logs={**state.logs, origin: remembered}), note


def _read(data: bytes, type: type[R], source: str) -> R:
    if len(data) > LARGEST:
        raise Damaged(source=source, problem="too large to be a witness's file.")
    try:
        return msgspec.convert(parse(data, source), type)
    except msgspec.ValidationError as error:
        raise Damaged(source=source, problem="not of the form expected. Take the file that was made for it.") from error


def _context(witness: WitnessKey, kdf: Kdf) -> bytes:
    return canonical({"purpose": "assay witness key", "witness": builtins(witness), "kdf": builtins(kdf)})
