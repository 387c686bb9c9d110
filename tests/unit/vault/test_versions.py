import pytest

from core.errors import BadInput, NotFound, Refused
from core.records import Digest, Record
from core.vault import versions
from core.vault.roles import Act
from core.vault.vault import Vault


class Note(Record, frozen=True, kw_only=True, tag="test-note"):
    text: str
    number: int
    parent: Digest | None


def save(vault: Vault, name: str, text: str) -> tuple[Digest, Note, bool]:
    with vault.write(Act.SAVE_PROMPT, about=name) as unit:
        return versions.save(
            unit,
            "note",
            name,
            Note,
            lambda last: last.text == text,
            lambda number, parent: Note(text=text, number=number, parent=parent),
        )


def test_versions_count_from_one_and_know_their_parent(vault: Vault) -> None:
    first, _, created = save(vault, "intake", "a")
    again, _, created_again = save(vault, "intake", "a")
    _, note, _ = save(vault, "intake", "b")
    assert (created, created_again, first) == (True, False, again)
    assert (note.number, note.parent) == (2, first)


def test_a_reference_names_a_version_a_label_or_the_latest(vault: Vault) -> None:
    first, _, _ = save(vault, "intake", "a")
    second, _, _ = save(vault, "intake", "b")
    with vault.write(Act.LABEL) as unit:
        versions.set_label(unit, "note", "intake", "production", 1)
    with vault.read() as reader:
        found = [versions.resolve(reader, "note", f"intake{which}") for which in ("", "@2", "@1", "@production")]
        assert found == [second, second, first, first]
        assert versions.latest(reader, "note") == (second,)
        for unknown in ("other", "intake@3", "intake@nobody", "intake@0"):
            with pytest.raises(NotFound):
                versions.resolve(reader, "note", unknown)
        with pytest.raises(NotFound):
            versions.resolve(reader, "prompt", "intake")


@pytest.mark.parametrize("name", ["", "a b", "7", "ä", "-x", "x" * 81, "a@b", "a/b"])
def test_a_name_can_be_typed(vault: Vault, name: str) -> None:
    with pytest.raises(BadInput):
        save(vault, name, "a")


def test_who_may_sign_what() -> None:
    versions.check_signer("intake@1", ("ines", "jan"), "ines", "authored")
    versions.check_signer("intake@1", ("ines", "jan"), "tomas", "approved")
    for signer, meaning in [("ines", "approved"), ("jan", "reviewed"), ("tomas", "authored")]:
        with pytest.raises(Refused):
            versions.check_signer("intake@1", ("ines", "jan"), signer, meaning)


def test_the_log_says_which_version_and_which_label_gave_way(vault: Vault) -> None:
    first, _, _ = save(vault, "intake", "a")
    second, _, _ = save(vault, "intake", "b")
    for number in (1, 2):
        with vault.write(Act.LABEL, about=f"intake@{number} production") as unit:
            versions.set_label(unit, "note", "intake", "production", number)
    with vault.read() as reader:
        *_, one, two, label, moved = reader.log()
    assert (one.before or "", one.after, one.objects) == ("", "intake@1", (first,))
    assert (two.before, two.after, two.touched) == ("intake@1", "intake@2", (first,))
    assert (label.before, label.after, label.touched) == ("production: none", "production: 1", (first,))
    assert (moved.before, moved.after, moved.touched) == ("production: 1", "production: 2", (second,))
