"""The encrypted file: nothing readable without its key, changes whole or absent, and clear words when something is wrong."""

import secrets
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from core.errors import Damaged, DiskFull, Unavailable
from core.vault.connection import Connections, DriverError, connect

KEY = bytes(range(32))


@pytest.fixture
def connections(tmp_path: Path):
    made = Connections(tmp_path / "vault.db", KEY)
    made.writer.execute("CREATE TABLE notes(id INTEGER PRIMARY KEY, text TEXT)")
    yield made
    made.close()


def rows(connections: Connections) -> list[str]:
    with connections.reader() as db:
        return [text for (text,) in db.execute("SELECT text FROM notes ORDER BY id")]


def test_what_sqlite_utils_does_inside_a_transaction_joins_it(connections: Connections) -> None:
    def change() -> None:
        with connections.transaction() as db:
            db["notes"].insert({"text": "one"})
            db["others"].insert({"a": 1})
            db["notes"].add_column("more", str)
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        change()
    assert rows(connections) == []
    with connections.transaction() as db:
        db["notes"].insert_all([{"text": "one"}, {"text": "two"}])
        assert db["others"].exists() is False
    assert rows(connections) == ["one", "two"]


def test_full_text_search_works_through_sqlite_utils(connections: Connections) -> None:
    with connections.transaction() as db:
        db["notes"].insert({"id": 1, "text": "hepatic failure in two patients"})
        db["notes"].enable_fts(["text"], create_triggers=True)
    with connections.reader() as db:
        assert [row["id"] for row in db["notes"].search("hepatic")] == [1]


def test_a_reader_sees_one_state_while_it_is_held(connections: Connections) -> None:
    with connections.reader() as db:
        assert db.execute("SELECT count(*) FROM notes").fetchone() == (0,)
        with connections.transaction() as writer:
            writer.execute("INSERT INTO notes(text) VALUES ('later')")
        assert db.execute("SELECT count(*) FROM notes").fetchone() == (0,)
    assert rows(connections) == ["later"]


def test_a_reader_refuses_to_write(connections: Connections) -> None:
    with pytest.raises(Unavailable, match="can't be written"), connections.reader() as db:
        db.execute("INSERT INTO notes(text) VALUES ('x')")
    assert rows(connections) == []


def test_units_in_several_threads_follow_each_other(connections: Connections) -> None:
    def write(number: int) -> None:
        for turn in range(20):
            with connections.transaction() as db:
                count = db.execute("SELECT count(*) FROM notes").fetchone()[0]
                db.execute("INSERT INTO notes(id, text) VALUES (?, ?)", (count + 1, f"{number} {turn}"))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(rows(connections)) == 80


def test_a_transaction_in_a_transaction_is_a_bug_and_says_so(connections: Connections) -> None:
    with connections.transaction(), pytest.raises(RuntimeError, match="open already"), connections.transaction():
        pass


def test_the_file_can_not_be_read_without_the_key(tmp_path: Path, connections: Connections) -> None:
    with connections.transaction() as db:
        db.execute("INSERT INTO notes(text) VALUES ('MARKER-0123456789')")
        db.execute("CREATE TABLE marker_table(x)")
    for file in tmp_path.iterdir():
        content = file.read_bytes()
        assert b"MARKER-" not in content
        assert b"marker_table" not in content
        assert b"SQLite format 3" not in content


def test_another_key_opens_nothing(tmp_path: Path, connections: Connections) -> None:
    with pytest.raises(Damaged, match=r"vault\.db"):
        connect(tmp_path / "vault.db", secrets.token_bytes(32), writable=False)


def test_a_flipped_byte_is_noticed(tmp_path: Path, connections: Connections) -> None:
    with connections.transaction() as db:
        db["notes"].insert_all({"text": "x" * 1000} for _ in range(200))
    connections.close()
    content = bytearray((tmp_path / "vault.db").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "vault.db").write_bytes(content)
    again = Connections(tmp_path / "vault.db", KEY)
    with pytest.raises(Damaged, match="damaged"):
        rows(again)
    again.close()


def test_a_full_disk_keeps_the_state_before(connections: Connections) -> None:
    pages = connections.writer.execute("PRAGMA page_count").fetchone()[0]
    connections.writer.execute(f"PRAGMA max_page_count = {pages + 2}").fetchone()
    with pytest.raises(DiskFull, match="disk is full"), connections.transaction() as db:
        db["notes"].insert_all({"text": "x" * 1000} for _ in range(200))
    assert rows(connections) == []
    with connections.transaction() as db:
        db.execute("INSERT INTO notes(text) VALUES ('small')")
    assert rows(connections) == ["small"]


def test_durability_settings_are_in_force(connections: Connections) -> None:
    asked = {
        name: connections.writer.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")
    }
    assert asked == {"journal_mode": "wal", "synchronous": 2}
    assert connections.writer.execute("PRAGMA foreign_keys").fetchone()[0] in (1, "1")
    assert connections.writer.execute("PRAGMA temp_store").fetchone()[0] in (2, "2")


def test_a_mistake_in_a_statement_goes_through_as_a_bug(connections: Connections) -> None:
    with pytest.raises(DriverError, match="no such table"), connections.transaction() as db:
        db.execute("SELECT * FROM elsewhere")


def test_sqlite_utils_speaks_to_this_driver() -> None:
    assert issubclass(sys.modules["sqlite_utils.utils"].OperationalError, DriverError)


# Holding the file alone, and another key


def test_another_key_replaces_the_first_and_the_rows_stay(tmp_path: Path) -> None:
    old, new = secrets.token_bytes(32), secrets.token_bytes(32)
    connections = Connections(tmp_path / "v.db", old)
    connections.writer.execute("CREATE TABLE t(x)")
    connections.writer.execute("INSERT INTO t VALUES (7)")
    with connections.reader() as db:
        assert db.execute("SELECT x FROM t").fetchall() == [(7,)]
    with connections.alone():
        connections.fold()
        connections.rekey(new)
        connections.reopen([(2, new), (1, old)])
    assert (connections.epoch, connections.key) == (2, new)
    with connections.reader() as db:
        assert db.execute("SELECT x FROM t").fetchall() == [(7,)]
    connections.close()
    with pytest.raises(Damaged):
        connect(tmp_path / "v.db", old, writable=False)
    with pytest.raises(Unavailable):
        connections.key
    assert connections._key == bytearray(32)


def test_alone_means_that_no_reader_is_out_and_none_comes_in(tmp_path: Path) -> None:
    connections = Connections(tmp_path / "v.db", secrets.token_bytes(32))
    with connections.reader(), pytest.raises(Unavailable, match="being read"), connections.alone(seconds=0):
        pass
    with connections.alone(), pytest.raises(RuntimeError, match="alone"), connections.reader():
        pass
    entered = threading.Event()

    def read() -> None:
        with connections.reader():
            entered.set()

    with connections.alone():
        reading = threading.Thread(target=read)
        reading.start()
        assert not entered.wait(0.05)
    reading.join()
    assert entered.is_set()
    connections.close()


def test_a_vault_takes_no_pandas_into_memory_and_leaves_it_to_others(tmp_path: Path) -> None:
    (tmp_path / "pandas.py").write_text("print('taken')")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import core.vault.connection; print('vault'); import pandas"
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True, timeout=300
    )
    assert done.stdout.split() == ["vault", "taken"]
