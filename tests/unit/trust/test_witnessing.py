"""A witness by file: it vouches for what continues, and for nothing that is older or different."""

import msgspec
import pytest

from core.errors import BadInput, Damaged, NotFound, Refused, WrongPassphrase
from core.trust.merkle import Tree, leaf_hash
from core.trust.notes import cosignatures, log_key, new_log_key, sign_checkpoint, verify_checkpoint
from core.trust.passphrases import FLOOR_MEMORY, FLOOR_PASSES, new_kdf
from core.trust.proofs import Extension, write_extension
from core.trust.witnessing import State, new_key_file, open_key_file, read_state, witnessed, write_state

ORIGIN = "assay/3f2a"
LOG = new_log_key()
KEY = log_key(ORIGIN, LOG)
TREE = Tree([leaf_hash(bytes([number])) for number in range(40)])
FORK = Tree([leaf_hash(bytes([number])) for number in (*range(10), *range(50, 80))])
PASSPHRASE = "a witness across the street"
ANN, ANN_FILE = new_key_file("ann.example", PASSPHRASE, new_kdf(memory=FLOOR_MEMORY, passes=FLOOR_PASSES))
PRIVATE = open_key_file(ANN_FILE, PASSPHRASE, "ann.key")[1]
EMPTY = State(witness=ANN, logs={})


def request(old: int, new: int, tree: Tree = TREE, key: bytes = LOG) -> bytes:
    note = sign_checkpoint(ORIGIN, new, tree.root(new), key)
    proof = tree.consistency_proof(old, new) if 0 < old <= new else ()
    return write_extension(Extension(old=old, proof=proof, checkpoint=note))


def after(size: int) -> State:
    return witnessed(request(0, size), EMPTY, PRIVATE, (KEY,), 1)[0]


def test_a_log_that_continues_is_cosigned_each_time() -> None:
    state, at = EMPTY, 0
    for size in (5, 12, 12, 40):
        state, note = witnessed(request(at, size), state, PRIVATE, (KEY,) if not at else (), 1_700_000_000 + size)
        assert verify_checkpoint(note, KEY, (ANN,), needed=1).size == size
        assert [c.time for c in cosignatures(note, (ANN,))] == [1_700_000_000 + size]
        state = read_state(write_state(state), ANN, "ann.state")
        at = size


def test_an_older_state_is_refused() -> None:
    with pytest.raises(Refused, match="seen 12 entries"):
        witnessed(request(0, 5), after(12), PRIVATE, (), 2)


def test_another_history_is_refused() -> None:
    with pytest.raises(Refused, match="isn't a continuation"):
        witnessed(request(12, 30, FORK), after(12), PRIVATE, (), 2)
    with pytest.raises(Refused, match="isn't a continuation"):
        witnessed(request(12, 12, FORK), after(12), PRIVATE, (), 2)


def test_a_proof_from_another_state_is_refused_with_the_size_to_begin_at() -> None:
    for old in (0, 5, 13):
        with pytest.raises(Refused, match="--since 12"):
            witnessed(request(old, 30), after(12), PRIVATE, (), 2)


def test_a_log_counts_by_the_key_that_was_given_beforehand() -> None:
    with pytest.raises(NotFound, match="give its trust file"):
        witnessed(request(0, 5), EMPTY, PRIVATE, (), 1)
    with pytest.raises(Damaged):
        witnessed(request(0, 5, key=new_log_key()), EMPTY, PRIVATE, (KEY,), 1)
    usurper = new_log_key()
    with pytest.raises(Damaged):
        witnessed(request(5, 12, key=usurper), after(5), PRIVATE, (log_key(ORIGIN, usurper),), 1)


def test_what_a_witness_remembers_is_its_own() -> None:
    state = after(12)
    data = write_state(state)
    older = write_state(after(5))
    assert read_state(data, ANN, "ann.state") == state
    kept = state.logs[ORIGIN]
    for note in (
        kept.note.replace("\n12\n", "\n11\n"),
        sign_checkpoint(ORIGIN, 5, TREE.root(5), LOG).decode(),
        "nonsense",
    ):
        altered = msgspec.structs.replace(state, logs={ORIGIN: msgspec.structs.replace(kept, note=note)})
        with pytest.raises(Damaged):
            read_state(write_state(altered), ANN, "ann.state")
    moved = msgspec.structs.replace(state, logs={"other": kept})
    with pytest.raises(Damaged, match="altered"):
        read_state(write_state(moved), ANN, "ann.state")
    other, _ = new_key_file("ben.example", PASSPHRASE, new_kdf(memory=FLOOR_MEMORY, passes=FLOOR_PASSES))
    with pytest.raises(Damaged, match="another witness"):
        read_state(older, other, "ann.state")
    for bad in (b"", b"{}", data[:-1], data + b" "):
        with pytest.raises(Damaged):
            read_state(bad, ANN, "ann.state")


def test_a_witness_has_a_key_file_of_its_own() -> None:
    assert open_key_file(ANN_FILE, PASSPHRASE, "ann.key")[0] == ANN
    with pytest.raises(WrongPassphrase):
        open_key_file(ANN_FILE, "another", "ann.key")
    with pytest.raises(WrongPassphrase):
        open_key_file(ANN_FILE.replace(b"ann.example", b"eve.example"), PASSPHRASE, "ann.key")
    with pytest.raises(Damaged):
        open_key_file(ANN_FILE[:-9], PASSPHRASE, "ann.key")
    with pytest.raises(BadInput, match="without spaces"):
        new_key_file("ann of the hill", PASSPHRASE, new_kdf(memory=FLOOR_MEMORY, passes=FLOOR_PASSES))
