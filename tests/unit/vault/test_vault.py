"""An open vault, from the outside: who gets in, what is kept, and what a folder gives away."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.errors import (
    AlreadyExists,
    BadInput,
    Damaged,
    DiskFull,
    NewerVault,
    NotFound,
    Refused,
    Unavailable,
    VaultBusy,
    WrongPassphrase,
)
from core.records import Record
from core.trust.passphrases import Kdf, new_kdf
from core.vault import attempts, slots
from core.vault.check import check
from core.vault.events import Changed
from core.vault.migrations import Migrations
from core.vault.roles import Act
from core.vault.vault import Vault

REPOSITORY = Path(__file__).resolve().parents[3]
Make = Callable[..., Vault]
PASSPHRASE = "seven lanterns by the river"


class Note(Record, frozen=True, kw_only=True, tag="test-note"):
    text: str


class Other(Record, frozen=True, kw_only=True, tag="test-other"):
    text: str


def weak() -> Kdf:
    return new_kdf(memory=8192, passes=1)


def put(vault: Vault, text: str = "note", act: Act = Act.SAVE_PROMPT) -> str:
    with vault.write(act, about=text) as unit:
        return unit.put(Note(text=text))


# What is kept


def test_what_was_put_is_there_for_the_next_person(vault: Vault, reopen: Make) -> None:
    digest = put(vault, "Olá")
    again = reopen(vault, "tomas")
    with again.read() as reader:
        assert reader.get(digest, Note) == Note(text="Olá")
        assert reader.find("test-note") == reader.find(Note) == [digest]
        assert hashlib.sha256(reader.raw(digest)).hexdigest() == digest
        assert reader.author(digest) == "ines"
    assert again.user.roles == ("reviewer",)
    assert again.user.name == "Tomás Vidal"
    assert again.id == vault.id


def test_the_same_record_put_twice_has_two_digests(vault: Vault) -> None:
    assert put(vault, "same") != put(vault, "same")


def test_a_record_of_another_kind_or_none_is_not_found(vault: Vault) -> None:
    digest = put(vault)
    with vault.read() as reader:
        with pytest.raises(NotFound, match="test-other"):
            reader.get(digest, Other)
        with pytest.raises(NotFound, match="test-note"):
            reader.get("0" * 64, Note)


def test_links_lead_both_ways_and_only_to_what_is_there(vault: Vault) -> None:
    with vault.write(Act.SAVE_PROMPT) as unit:
        blob = unit.seal([b"source"])
        first = unit.put(Note(text="1"), links=(blob,))
        second = unit.put(Note(text="2"), links=(first, blob))
    with vault.read() as reader:
        assert reader.links(second) == (first, blob)
        assert reader.linked_from(blob) == (first, second)
        assert reader.linked_from(second) == ()
    with pytest.raises(NotFound), vault.write(Act.SAVE_PROMPT) as unit:
        unit.put(Note(text="3"), links=("f" * 64,))
    with vault.read() as reader:
        assert len(reader.find(Note)) == 2


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3_500_000])
def test_content_of_any_size_comes_back(vault: Vault, size: int) -> None:
    content = os.urandom(size)
    parts = [content[start : start + 300_000] for start in range(0, size, 300_000)]
    with vault.write(Act.ADD_DOCUMENTS) as unit:
        digest = unit.seal(parts)
    assert digest == hashlib.sha256(content).hexdigest()
    with vault.read() as reader:
        assert reader.blob(digest) == content
        assert reader.blob_size(digest) == size
        assert max((len(piece) for piece in reader.stream(digest)), default=0) <= 1 << 20


def test_the_same_content_is_kept_once(vault: Vault) -> None:
    for _ in range(3):
        with vault.write(Act.ADD_DOCUMENTS) as unit:
            first = unit.seal([b"same ", b"content"])
            unit.put(Note(text="made from it"), links=(first, unit.seal(iter([b"same content"]))))
    with vault.read() as reader:
        assert reader.db.execute("SELECT count(*) FROM blobs").fetchone() == (1,)
        assert reader.db.execute("SELECT count(*) FROM pieces").fetchone() == (1,)
    assert check(vault) == ()


def test_nothing_of_a_unit_that_fails_is_kept(vault: Vault) -> None:
    with vault.read() as reader:
        before = reader.log_size

    def fail() -> None:
        with vault.write(Act.SAVE_PROMPT) as unit:
            unit.put(Note(text="half"))
            unit.seal([b"half"])
            raise ZeroDivisionError

    heard: list[Changed] = []
    vault.events.subscribe(heard.append)
    with pytest.raises(ZeroDivisionError):
        fail()
    with vault.read() as reader:
        assert reader.find(Note) == []
        assert reader.log_size == before
    assert heard == []
    assert check(vault) == ()


def test_records_can_not_be_changed_even_by_statement(vault: Vault) -> None:
    put(vault)
    for statement in ("UPDATE records SET author = 'x'", "UPDATE log SET entry = x'00'", "DELETE FROM log"):
        with pytest.raises(Exception, match="immutable"), vault.write(Act.SAVE_PROMPT) as unit:
            unit.db.execute(statement)


def test_a_unit_and_a_reader_end_with_their_block(vault: Vault) -> None:
    with vault.write(Act.SAVE_PROMPT) as unit:
        pass
    with vault.read() as reader:
        pass
    with pytest.raises(RuntimeError, match="ended"):
        unit.put(Note(text="late"))
    with pytest.raises(RuntimeError, match="ended"):
        reader.find(Note)


def test_threads_read_one_state_while_another_writes(vault: Vault) -> None:
    digest = put(vault)
    with vault.read() as reader:
        others = reader.log_size - 1

    def read() -> bool:
        whole = True
        for _ in range(50):
            with vault.read() as reader:
                reader.get(digest, Note)
                whole &= len(reader.find(Note)) + others == reader.log_size
        return whole

    with ThreadPoolExecutor(6) as pool:
        answers = [pool.submit(read) for _ in range(6)]
        for number in range(30):
            put(vault, str(number))
    assert [answer.result() for answer in answers] == [True] * 6


# What the folder gives away


def test_no_file_of_the_folder_gives_content_away(vault: Vault) -> None:
    marker = "MARKER-63c1f0-PATIENT"
    with vault.write(Act.ADD_DOCUMENTS, about=marker) as unit:
        unit.put(Note(text=marker))
        unit.seal([marker.encode() * 1000])
        unit.db.execute("CREATE TABLE t(x)")
        unit.db.execute("INSERT INTO t VALUES (?)", (marker,))
    files = list(vault.folder.rglob("*"))
    assert len(files) >= 4
    assert not [file for file in files if marker.encode() in file.read_bytes()]
    vault.close()
    assert not [file for file in vault.folder.rglob("*") if marker.encode() in file.read_bytes()]


def test_files_are_private_to_the_user(vault: Vault) -> None:
    put(vault)
    loose = [file for file in [vault.folder, *vault.folder.iterdir()] if file.stat().st_mode & 0o077]
    assert loose == []


# Who gets in


@pytest.mark.parametrize(("user", "passphrase"), [("ines", "not her passphrase"), ("nobody", PASSPHRASE)])
def test_a_wrong_name_and_a_wrong_passphrase_get_the_same_answer(vault: Vault, user: str, passphrase: str) -> None:
    vault.close()
    with pytest.raises(WrongPassphrase) as refused:
        Vault.open(vault.folder, user, passphrase)
    assert str(refused.value) == f"{vault.folder}: the user name or the passphrase is wrong. Nothing was opened."


def test_a_wrong_passphrase_leaves_the_vault_openable(vault: Vault, reopen: Make) -> None:
    vault.close()
    with pytest.raises(WrongPassphrase):
        Vault.open(vault.folder, "tomas", "not his passphrase")
    assert reopen(vault, "tomas").user.user == "tomas"


def test_a_passphrase_is_the_same_however_accents_are_composed(tmp_path: Path) -> None:
    Vault.create(tmp_path / "A.assay", "ze", "Zé", "caf\u00e9 na esquina", kdf=weak).close()
    Vault.open(tmp_path / "A.assay", "ze", "cafe\u0301 na esquina").close()


@pytest.mark.parametrize("passphrase", ["", "short", "aaaaaaaaaaaaaaaa", "  short   "])
def test_a_passphrase_that_is_easy_to_guess_makes_no_vault(tmp_path: Path, passphrase: str) -> None:
    with pytest.raises(BadInput, match="at least 10 characters"):
        Vault.create(tmp_path / "A.assay", "ines", "Inês", passphrase, kdf=weak)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("user", "name"), [("", "X"), ("a b", "X"), ("a/b", "X"), ("x" * 65, "X"), ("x", ""), ("x", "a\u202eb")]
)
def test_names_that_could_deceive_make_no_vault(tmp_path: Path, user: str, name: str) -> None:
    with pytest.raises(BadInput):
        Vault.create(tmp_path / "A.assay", user, name, PASSPHRASE, kdf=weak)


def test_an_existing_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "A.assay").mkdir()
    with pytest.raises(AlreadyExists, match=r"A\.assay"):
        Vault.create(tmp_path / "A.assay", "ines", "Inês", PASSPHRASE, kdf=weak)
    assert list((tmp_path / "A.assay").iterdir()) == []


def test_a_folder_that_is_no_vault_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no vault"):
        Vault.open(tmp_path, "ines", PASSPHRASE)
    with pytest.raises(NotFound, match="no vault"):
        Vault.open(tmp_path / "missing", "ines", PASSPHRASE)
    with pytest.raises(NotFound, match="Create it first"):
        Vault.create(tmp_path / "missing" / "A.assay", "ines", "Inês", PASSPHRASE, kdf=weak)


def test_a_making_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fails(db: object) -> None:
        raise DiskFull(path="vault.db")

    with pytest.raises(DiskFull, match=r"A\.assay"):
        Vault.create(tmp_path / "A.assay", "ines", "Inês", PASSPHRASE, [Migrations("p", (fails,))], kdf=weak)
    assert list(tmp_path.iterdir()) == []


def test_the_names_for_the_unlock_page_need_no_passphrase(vault: Vault) -> None:
    vault.close()
    assert Vault.names(vault.folder) == ("ines", "tomas")


def test_a_closed_vault_answers_nothing(vault: Vault) -> None:
    vault.close()
    vault.close()
    with pytest.raises(Unavailable, match="locked"), vault.read():
        pass
    with pytest.raises(Unavailable, match="locked"), vault.write(Act.ASK):
        pass


# Damage


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"version":1}', b"\xff\xfe", b"null"])
def test_a_damaged_key_file_says_so(vault: Vault, content: bytes) -> None:
    vault.close()
    (vault.folder / "keys.json").write_bytes(content)
    with pytest.raises(Damaged, match=r"keys\.json.*backup"):
        Vault.open(vault.folder, "ines", PASSPHRASE)


def test_every_part_of_a_slot_is_authenticated(vault: Vault) -> None:
    vault.close()
    path = vault.folder / "keys.json"
    whole = json.loads(path.read_bytes())

    def opens(change: Callable[[dict[str, object]], None]) -> bool:
        changed = json.loads(json.dumps(whole))
        change(changed)
        path.write_text(json.dumps(changed))
        (vault.folder / attempts.NAME).unlink(missing_ok=True)  # or failures make the next ones wait
        try:
            Vault.open(vault.folder, "ines", PASSPHRASE).close()
        except (WrongPassphrase, Damaged):
            return False
        return True

    assert opens(lambda keys: None)
    assert not opens(lambda keys: keys["slots"][0]["kdf"].update(passes=2))
    assert not opens(lambda keys: keys["slots"][0]["kdf"].update(memory=1))
    assert not opens(lambda keys: keys["slots"][0].update(public=keys["slots"][1]["public"]))
    assert not opens(lambda keys: keys["slots"][0].update(user="other") or keys["slots"][1].update(user="ines"))
    assert not opens(lambda keys: keys.update(vault="0" * 32))
    assert not opens(lambda keys: keys["epochs"][0].update(number=2))
    assert not opens(lambda keys: keys["epochs"][0]["keys"].update(ines=keys["epochs"][0]["keys"]["tomas"]))


def test_the_database_of_another_vault_is_refused(vault_factory: Make) -> None:
    one, two = vault_factory(name="One"), vault_factory(name="Two")
    one.close()
    two.close()
    (two.folder / "vault.db").replace(one.folder / "vault.db")
    with pytest.raises(Damaged, match=r"vault\.db"):
        Vault.open(one.folder, "ines", PASSPHRASE)
    with pytest.raises(Damaged, match="missing"):
        Vault.open(two.folder, "ines", PASSPHRASE)


def test_a_newer_vault_is_refused_and_left_alone(vault_factory: Make) -> None:
    steps = (lambda db: db.execute("CREATE TABLE p(x)"), lambda db: db.execute("ALTER TABLE p ADD y"))
    newer = vault_factory([Migrations("package", steps)])
    newer.close()
    before = (newer.folder / "vault.db").read_bytes()
    with pytest.raises(NewerVault, match="package is at version 2; this program knows 1"):
        Vault.open(newer.folder, "ines", PASSPHRASE, [Migrations("package", steps[:1])])
    with pytest.raises(NewerVault, match="package is at version 2; this program knows 0"):
        Vault.open(newer.folder, "ines", PASSPHRASE)
    assert (newer.folder / "vault.db").read_bytes() == before
    keys = json.loads((newer.folder / "keys.json").read_bytes())
    (newer.folder / "keys.json").write_text(json.dumps({**keys, "version": slots.FORMAT + 1}))
    with pytest.raises(NewerVault, match=rf"keys\.json is at version {slots.FORMAT + 1}"):
        Vault.open(newer.folder, "ines", PASSPHRASE)


def test_a_vault_grows_with_its_program_or_stays_as_it_was(vault_factory: Make, reopen: Make) -> None:
    def first(db: object) -> None:
        db["things"].create({"id": int}, pk="id")  # type: ignore[index]

    def second(db: object) -> None:
        db["things"].add_column("name", str)  # type: ignore[index]

    def broken(db: object) -> None:
        second(db)
        raise ZeroDivisionError

    old = vault_factory([Migrations("things", (first,))])
    with pytest.raises(ZeroDivisionError):
        reopen(old, "ines", [Migrations("things", (first, broken))])
    same = reopen(old, "ines", [Migrations("things", (first,))])
    with same.read() as reader:
        assert [column.name for column in reader.db["things"].columns] == ["id"]
    new = reopen(same, "ines", [Migrations("things", (first, second))])
    with new.read() as reader:
        assert [column.name for column in reader.db["things"].columns] == ["id", "name"]


# One process at a time, and none that is missed

WRITER = """
import sys
from pathlib import Path
from core.records import Record
from core.vault.roles import Act
from core.vault.vault import Vault
class Note(Record, frozen=True, kw_only=True, tag="test-note"):
    text: str
vault = Vault.open(Path(sys.argv[1]), "ines", sys.argv[2])
for number in range(100_000):
    with vault.write(Act.SAVE_PROMPT, about=str(number)) as unit:
        blob = unit.seal([bytes([number % 251]) * 20_000, str(number).encode()])
        digest = unit.put(Note(text=str(number)), links=(blob,))
    print(digest, flush=True)
"""


def test_a_second_opening_is_told_who_has_it(vault: Vault) -> None:
    with pytest.raises(VaultBusy, match=f"process {os.getpid()}"):
        Vault.open(vault.folder, "tomas", "a quiet ladder in october")


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is Unix's")
@pytest.mark.parametrize("acknowledged", [1, 17, 60])
def test_a_killed_process_loses_nothing_that_it_acknowledged(vault: Vault, reopen: Make, acknowledged: int) -> None:
    vault.close()
    child = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(vault.folder), PASSPHRASE],
        stdout=subprocess.PIPE,
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    assert child.stdout is not None
    told = [child.stdout.readline().decode().strip() for _ in range(acknowledged)]
    with pytest.raises(VaultBusy, match=f"process {child.pid}"):
        Vault.open(vault.folder, "ines", PASSPHRASE)
    child.send_signal(signal.SIGKILL)
    told += [line.decode().strip() for line in child.stdout if line.endswith(b"\n")]
    child.wait()
    child.stdout.close()
    again = reopen(vault, "ines")
    with again.read() as reader:
        kept = reader.find(Note)
        assert kept[: len(told)] == told
        assert len(kept) - len(told) <= 1
        assert [reader.get(digest, Note).text for digest in told] == [str(number) for number in range(len(told))]
    assert check(again) == ()


# Roles and events


def test_a_role_that_does_not_allow_an_act_is_refused_and_the_attempt_logged(vault: Vault, reopen: Make) -> None:
    tomas = reopen(vault, "tomas")
    with tomas.read() as reader:
        before = reader.log_size
    with pytest.raises(Refused, match=r"Save prompt: refused.*author"), tomas.write(Act.SAVE_PROMPT):
        pass
    with tomas.read() as reader:
        (entry,) = reader.log(after=before - 1)
        assert (entry.user, entry.act, entry.about) == ("tomas", Act.REFUSAL, Act.SAVE_PROMPT)


def test_listeners_hear_of_a_change_after_its_commit(vault: Vault, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[tuple[Changed, int]] = []

    def listen(changed: Changed) -> None:
        with vault.read() as reader:
            heard.append((changed, len(reader.find(Note))))

    def fails(changed: Changed) -> None:
        raise ValueError("listener")

    vault.events.subscribe(fails)
    stop = vault.events.subscribe(listen)
    put(vault, "greeting")
    stop()
    put(vault, "again")
    assert heard == [(Changed(act=Act.SAVE_PROMPT, about="greeting"), 1)]
    assert "A listener failed" in caplog.text


def test_the_first_entry_of_the_log_names_the_vault(vault: Vault) -> None:
    with vault.read() as reader:
        first = reader.log(1)[0]
    assert (first.act, first.about) == (Act.CREATE_VAULT, vault.folder.name)
