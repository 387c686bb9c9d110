"""Each thing that can be wrong with a vault, wrong once: the check says where and what, and what to do, and goes on."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.errors import Cancelled
from core.jobs import Job, Progress
from core.records import Record
from core.vault import slots, versions
from core.vault.check import check
from core.vault.connection import PAGE_SIZE, Database, connect
from core.vault.roles import Act
from core.vault.vault import Vault
from tests.conftest import PASSPHRASES, weak_kdf


class Draft(Record, frozen=True, kw_only=True, tag="test-draft"):
    text: str


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed vault with two people, two versions with a label and a signature, and a linked content of three pieces."""
    folder = tmp_path_factory.mktemp("whole") / "Study.assay"
    with Vault.create(folder, "ines", "Inês Duarte", PASSPHRASES["ines"], kdf=weak_kdf) as vault:
        with vault.confirm(PASSPHRASES["ines"]) as signer:
            vault.add_user(signer, "tomas", "Tomás Vidal", ("reviewer",), PASSPHRASES["tomas"], kdf=weak_kdf)
        with vault.write(Act.SAVE_PROMPT) as unit:
            content = unit.seal([b"scan" * 700_000])
            first = unit.put(Draft(text="one"), links=(content,))
            second = unit.put(Draft(text="two"), links=(first,))
            for number, digest in enumerate((first, second), 1):
                versions.add(unit, "draft", "plan", number, digest)
            versions.set_label(unit, "draft", "plan", "trial", 2)
        with vault.confirm(PASSPHRASES["ines"]) as signer, vault.write(Act.SIGN) as unit:
            unit.sign(signer, second, "plan@2", "authored", "")
        assert check(vault) == ()
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole, tmp_path / "Study.assay")
    return tmp_path / "Study.assay"


@pytest.fixture
def tampered(folder: Path) -> Iterator[Callable[[str], None]]:
    """Runs SQL as somebody does who has the vault key and no scruples."""
    key = slots.vault_keys(folder, slots.read(folder), "ines", PASSPHRASES["ines"])[0]

    def run(statements: str) -> None:
        db: Database = connect(folder / "vault.db", key, writable=True)
        db.conn.execute("PRAGMA foreign_keys = OFF")
        for (trigger,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {trigger}")
        db.conn.executescript(statements)
        db.conn.close()

    return run


def found(folder: Path) -> list[str]:
    """What the check says, a line each: where, what. No finding is without a step."""
    with Vault.open(folder, "ines", PASSPHRASES["ines"]) as vault:
        findings = check(vault)
    assert all(finding.step for finding in findings)
    return [f"{finding.where}: {finding.what}" for finding in findings]


def one(lines: list[str], where: str, what: str) -> None:
    matching = [line for line in lines if line.startswith(where) and what in line]
    assert len(matching) == 1, lines


@pytest.mark.parametrize(
    ("statements", "where", "what"),
    [
        ("UPDATE records SET content = x'00' WHERE seq IN (FIRST)", "test-draft ", "its digest"),
        ("UPDATE records SET author = 'tomas' WHERE seq IN (FIRST)", "test-draft ", "is said to be by tomas"),
        (
            "UPDATE records SET time = '2020-01-01T00:00:00Z' WHERE seq IN (FIRST)",
            "test-draft ",
            "is said to be by ines",
        ),
        ("DELETE FROM records WHERE kind = 'signature'", "log entry", "neither there nor erased"),
        (
            "INSERT INTO records(digest, kind, author, time, content) VALUES ('ab', 'test-draft', 'ines', '', x'00')",
            "test-draft ab",
            "past the audit log",
        ),
        ("UPDATE blobs SET nonce = x'00'", "content ", "past the audit log"),
        ("UPDATE pieces SET content = x'00' WHERE number = 1", "content ", "differs from its digest"),
        ("DELETE FROM pieces WHERE number = 2", "content ", "differs from its digest"),
        ("INSERT INTO pieces VALUES (99, 0, x'00')", "vault.db, pieces", "leads to nothing in blobs"),
        ("INSERT INTO blobs(size, nonce) VALUES (0, x'00')", "content in row", "never finished"),
        ("DELETE FROM links WHERE position = 0 AND target IN (SELECT digest FROM blobs)", "content ", "nothing leads"),
        ("INSERT INTO links VALUES ('a', 0, 'b')", "link from a", "leads to b"),
        (
            "DELETE FROM links WHERE source IN (SELECT digest FROM records WHERE kind = 'signature')",
            "signature ",
            "isn't linked",
        ),
        ("UPDATE versions SET digest = 'ab' WHERE number = 2", "draft plan@2", "leads to ab"),
        ("DELETE FROM versions WHERE number = 1", "test-draft ", "isn't a version"),
        ("UPDATE labels SET number = 3", "label trial of draft plan", "points at version 3"),
        (
            "UPDATE log SET entry = CAST(replace(CAST(entry AS TEXT), 'ines', 'eves') AS BLOB) WHERE seq = 1",
            "log entry 1",
            "leaf",
        ),
        (
            "UPDATE users SET card = (SELECT card FROM users WHERE user = 'ines') WHERE user = 'tomas'",
            "user tomas",
            "card",
        ),
        ("UPDATE users SET public = x'00' WHERE user = 'tomas'", "keys.json, tomas", "isn't the one"),
        ("UPDATE users SET active = 0 WHERE user = 'tomas'", "keys.json, tomas", "nobody who may open"),
        (
            "UPDATE records SET content = CAST(replace(CAST(content AS TEXT), 'authored', 'approved') AS BLOB)"
            " WHERE kind = 'signature'",
            "signature ",
            "differs from its digest",
        ),
    ],
)
def test_what_is_damaged_in_the_database_is_found(
    folder: Path, tampered: Callable[[str], None], statements: str, where: str, what: str
) -> None:
    tampered(statements.replace("FIRST", "SELECT min(seq) FROM records WHERE kind = 'test-draft'"))
    one(found(folder), where, what)


def test_a_page_that_is_damaged_is_found_and_the_rest_is_checked(folder: Path, tampered: Callable[[str], None]) -> None:
    tampered("UPDATE labels SET number = 3")
    file = folder / "vault.db"
    content = bytearray(file.read_bytes())
    place = len(content) // PAGE_SIZE * PAGE_SIZE // 2 + 100
    content[place] ^= 1
    file.write_bytes(content)
    lines = found(folder)
    assert any(line.startswith("vault.db: HMAC verification failed for page") for line in lines), lines
    assert any(line.startswith("label trial of draft plan") for line in lines), lines


@pytest.mark.parametrize(
    ("change", "where", "what"),
    [
        (lambda keys: keys["slots"].pop(1), "keys.json, tomas", "has no slot"),
        (
            lambda keys: keys["slots"].append({**keys["slots"][1], "user": "eve"}),
            "keys.json, eve",
            "nobody who may open",
        ),
        (lambda keys: keys["epochs"][0]["keys"].pop("tomas"), "keys.json, tomas", "has a slot but no key"),
        (lambda keys: keys["epochs"][0]["keys"].update(eve="AA=="), "keys.json, eve", "has a key but no slot"),
    ],
)
def test_what_is_wrong_in_the_key_file_is_found(
    folder: Path, change: Callable[[dict[str, object]], None], where: str, what: str
) -> None:
    keys = json.loads((folder / "keys.json").read_bytes())
    change(keys)
    (folder / "keys.json").write_text(json.dumps(keys))
    one(found(folder), where, what)


@pytest.mark.parametrize(
    ("name", "what"), [("notes.txt", "isn't part of a vault"), (".attempts.json.ab12_xyz", "was left when writing")]
)
def test_files_that_do_not_belong_are_found(folder: Path, name: str, what: str) -> None:
    (folder / name).write_text("x")
    (folder / "cache").mkdir()
    (folder / "cache" / "index").write_text("x")
    assert [line.startswith(f"{name}: {what}") for line in found(folder)] == [True]


def test_what_a_killed_process_left_half_written_is_swept_away(folder: Path) -> None:
    for name in (".keys.json.ab12_xyz", ".vault.db.ab12_xyz"):
        (folder / name).write_text("x")
    (folder / ".notes.ab12_xyz").write_text("x")
    assert [line.partition(":")[0] for line in found(folder)] == [".notes.ab12_xyz"]


def test_a_whole_vault_has_no_findings_for_anybody(folder: Path) -> None:
    for user, passphrase in PASSPHRASES.items():
        with Vault.open(folder, user, passphrase) as vault:
            assert check(vault) == ()


def test_the_check_reports_and_is_cancelled(folder: Path) -> None:
    reports: list[Progress] = []
    job = Job("Check", lambda progress: (reports.append(progress), job.cancel())[0])
    with Vault.open(folder, "ines", PASSPHRASES["ines"]) as vault:
        with pytest.raises(Cancelled):
            check(vault, job)
        assert reports
        assert check(vault) == ()
