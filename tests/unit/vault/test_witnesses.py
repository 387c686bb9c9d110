"""Checkpoints and proofs that leave the vault, and what comes back from a witness."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import BadInput, Damaged, NotFound, Refused
from core.records import Record
from core.trust import proofs
from core.trust.canonical import record_from
from core.trust.notes import WitnessKey, cosign, new_log_key, read_checkpoint, verify_checkpoint, witness_key
from core.trust.witnessing import State, witnessed
from core.vault import witnesses
from core.vault.check import check
from core.vault.records import LogEntry
from core.vault.roles import Act
from core.vault.vault import Vault

Make = Callable[..., Vault]
ANN, BEN = new_log_key(), new_log_key()
ANN_KEY, BEN_KEY = witness_key("ann.example", ANN), witness_key("ben.example", BEN)


class Note(Record, frozen=True, kw_only=True, tag="test-note"):
    text: str


class Machine:
    """A witness's machine: what it remembers, and what it does with a request."""

    def __init__(self, vault: Vault, key: WitnessKey, private: bytes) -> None:
        self.trusted = vault.trust_file().logs
        self.private = private
        self.state = State(witness=key, logs={})

    def __call__(self, asked: bytes, time: int = 1) -> bytes:
        self.state, note = witnessed(asked, self.state, self.private, self.trusted, time)
        return note


def work(vault: Vault, count: int = 3) -> None:
    for number in range(count):
        with vault.write(Act.SAVE_PROMPT, about=str(number)) as unit:
            unit.put(Note(text=str(number)))


def last(vault: Vault) -> LogEntry:
    with vault.read() as reader:
        return reader.log(after=reader.log_size - 2)[0]


def test_a_log_is_witnessed_again_and_again(vault: Vault) -> None:
    ann = Machine(vault, ANN_KEY, ANN)
    first = witnesses.accept(vault, ann(witnesses.request(vault)), (ANN_KEY.vkey,))
    assert [found.witness for found in first] == [ANN_KEY.vkey]
    assert last(vault).act == Act.WITNESS
    work(vault)
    asked = witnesses.request(vault)
    assert proofs.read_extension(asked).old == first[0].size
    note = ann(asked, 2)
    second = witnesses.accept(vault, note)
    assert second[0].size > first[0].size
    assert witnesses.accept(vault, note) == ()
    with vault.read() as reader:
        assert witnesses.accepted(reader) == (*first, *second)
        assert witnesses.known(reader) == (ANN_KEY,)
    key = vault.trust_file().logs[0]
    assert verify_checkpoint(second[0].note.encode(), key, (ANN_KEY,), needed=1).size == second[0].size
    assert check(vault) == ()


def test_each_of_several_witnesses_is_asked_from_where_it_was(vault: Vault) -> None:
    ann, ben = Machine(vault, ANN_KEY, ANN), Machine(vault, BEN_KEY, BEN)
    (one,) = witnesses.accept(vault, ann(witnesses.request(vault)), (ANN_KEY.vkey,))
    work(vault)
    with pytest.raises(NotFound, match="begin at 0"):
        witnesses.request(vault, "ben.example")
    (two,) = witnesses.accept(vault, ben(witnesses.request(vault, "ben.example", since=0)), (BEN_KEY.vkey,))
    with pytest.raises(BadInput, match="say which"):
        witnesses.request(vault)
    assert proofs.read_extension(witnesses.request(vault, "ann.example")).old == one.size
    assert proofs.read_extension(witnesses.request(vault, "ben.example")).old == two.size
    with pytest.raises(BadInput, match="the log has"):
        witnesses.request(vault, since=10_000)


def test_a_witness_refuses_a_vault_that_was_rolled_back(vault: Vault, reopen: Make, tmp_path: Path) -> None:
    ann = Machine(vault, ANN_KEY, ANN)
    vault.close()
    copy = shutil.copytree(vault.folder, tmp_path / "copy.assay")
    later = reopen(vault, "ines")
    work(later, 9)
    ann(witnesses.request(later))
    later.close()
    shutil.rmtree(later.folder)
    shutil.copytree(copy, later.folder)
    back = reopen(later, "ines")
    with pytest.raises(Refused, match="rolled back"):
        ann(witnesses.request(back))
    work(back, 30)
    with back.read() as reader:
        seen = read_checkpoint(next(iter(ann.state.logs.values())).note.encode()).size
        assert reader.log_size > seen
    with pytest.raises(Refused, match="isn't a continuation"):
        ann(witnesses.request(back, since=seen))


def test_what_no_known_witness_vouches_for_is_not_accepted(vault: Vault) -> None:
    note = Machine(vault, ANN_KEY, ANN)(witnesses.request(vault))
    with pytest.raises(BadInput, match="Give the witness's key"):
        witnesses.accept(vault, note)
    with pytest.raises(BadInput, match="Give the witness's key"):
        witnesses.accept(vault, note, (BEN_KEY.vkey,))
    with pytest.raises(Damaged):
        witnesses.accept(vault, note, ("nonsense",))
    assert last(vault).act == Act.EXPORT_CHECKPOINT


def test_another_logs_checkpoint_is_not_accepted(vault_factory: Make) -> None:
    one, two = vault_factory(name="One"), vault_factory(name="Two")
    note = cosign(witnesses.checkpoint(two), ANN_KEY.name, ANN, 1)
    with pytest.raises(Damaged, match="another log"):
        witnesses.accept(one, note, (ANN_KEY.vkey,))


def test_only_administrators_and_auditors_accept(vault: Vault, reopen: Make) -> None:
    note = Machine(vault, ANN_KEY, ANN)(witnesses.request(vault))
    with pytest.raises(Refused, match="auditor"):
        witnesses.accept(reopen(vault, "tomas"), note, (ANN_KEY.vkey,))


def test_an_entry_is_proven_without_the_vault(vault: Vault) -> None:
    work(vault)
    key = vault.trust_file().logs[0]
    with vault.read() as reader:
        size = reader.log_size
    for index in range(size):
        proof = proofs.read_inclusion(witnesses.prove(vault, index))
        assert proofs.verify_inclusion(proof, key).size == size + index
        assert record_from(proof.entry, LogEntry)[0].index == index
    assert (last(vault).act, last(vault).about) == (Act.EXPORT_CHECKPOINT, f"proof of entry {size - 1}")
    with pytest.raises(NotFound):
        witnesses.prove(vault, 10_000)


def test_two_checkpoints_of_one_log_are_consistent(vault: Vault) -> None:
    old = witnesses.checkpoint(vault)
    work(vault)
    new = witnesses.checkpoint(vault)
    key = vault.trust_file().logs[0]
    proof = proofs.read_extension(witnesses.consistency(vault, old, new))
    assert proofs.verify_extension(proof, verify_checkpoint(old, key), key) == read_checkpoint(new)
    with pytest.raises(BadInput, match="earlier checkpoint first"):
        witnesses.consistency(vault, new, old)


def test_a_checkpoint_of_another_history_is_noticed(vault: Vault, reopen: Make, tmp_path: Path) -> None:
    old = witnesses.checkpoint(vault)
    vault.close()
    copy = shutil.copytree(vault.folder, tmp_path / "copy.assay")
    later = reopen(vault, "ines")
    work(later, 5)
    taken = witnesses.checkpoint(later)
    later.close()
    shutil.rmtree(later.folder)
    shutil.copytree(copy, later.folder)
    back = reopen(later, "ines")
    work(back, 20)
    with pytest.raises(Damaged, match="rewritten or rolled back"):
        witnesses.consistency(back, old, taken)
    with pytest.raises(Damaged, match="rewritten"):
        witnesses.accept(back, cosign(taken, ANN_KEY.name, ANN, 1), (ANN_KEY.vkey,))
