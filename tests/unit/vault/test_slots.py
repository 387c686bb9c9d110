"""`keys.json` as bytes from outside: whatever stands in it, reading it ends in a key file or in an error with a sentence."""

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import AssayError, Damaged, NewerVault, WrongPassphrase
from core.trust.passphrases import Kdf, new_kdf
from core.vault import slots

KEY = bytes(range(32))
PASSPHRASE = "seven lanterns by the river"


def weak() -> Kdf:
    return new_kdf(memory=8192, passes=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture(scope="module")
def keys() -> slots.KeyFile:
    empty = slots.KeyFile(vault="a" * 32, slots=(), epochs=(slots.Epoch(number=1, keys={}),))
    return slots.with_slot(empty, slots.new_slot("a" * 32, "ines", PASSPHRASE, weak()), KEY)


def test_what_was_written_leads_to_the_key(folder: Path, keys: slots.KeyFile) -> None:
    slots.write(folder, keys)
    again = slots.read(folder)
    assert again == keys
    assert slots.vault_keys(folder, again, "ines", PASSPHRASE) == [KEY]
    assert list(folder.iterdir()) == [folder / "keys.json"]


def test_two_epochs_give_the_newer_key_first(folder: Path, keys: slots.KeyFile) -> None:
    slot = keys.slots[0]
    public = slots.unb64(slot.public, "slot")
    newer = slots.Epoch(number=2, keys={"ines": slots.key_for(keys.vault, "ines", 2, public, b"n" * 32)})
    both = msgspec.structs.replace(keys, epochs=(*keys.epochs, newer))
    assert slots.vault_keys(folder, both, "ines", PASSPHRASE) == [b"n" * 32, KEY]


def test_a_slot_made_again_replaces_the_one_of_the_same_user(folder: Path, keys: slots.KeyFile) -> None:
    again = slots.with_slot(keys, slots.new_slot(keys.vault, "ines", "another few words", weak()), KEY)
    assert len(again.slots) == 1
    assert slots.vault_keys(folder, again, "ines", "another few words") == [KEY]
    with pytest.raises(WrongPassphrase):
        slots.vault_keys(folder, again, "ines", PASSPHRASE)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300) | st.integers(1, 60_000).map(lambda count: b"[" * count))
def test_any_bytes_are_refused_with_a_sentence(folder: Path, content: bytes) -> None:
    (folder / "keys.json").write_bytes(content)
    with pytest.raises((Damaged, NewerVault)):
        slots.read(folder)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_change_of_one_value_never_gives_another_key(
    folder: Path, keys: slots.KeyFile, data: st.DataObject
) -> None:
    changed = json.loads(msgspec.json.encode(keys))
    places = list(_places(changed))
    holder, name = data.draw(st.sampled_from(places))
    small = st.text(max_size=5) | st.integers(-5, 20_000) | st.none() | st.lists(st.none(), max_size=2)
    holder[name] = data.draw(small)
    (folder / "keys.json").write_text(json.dumps(changed))
    try:
        found = slots.vault_keys(folder, slots.read(folder), "ines", PASSPHRASE)
    except AssayError:
        return
    assert found == [KEY]


def _places(value: object) -> list[tuple[dict[str, object] | list[object], object]]:
    found: list[tuple[dict[str, object] | list[object], object]] = []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in items:
        found.append((value, name))  # type: ignore[arg-type]
        found.extend(_places(inner))
    return found
