"""Connections to the encrypted file.

SQLCipher with a raw 256-bit key, driven through sqlite-utils. The rules:

1. sqlite-utils is imported here, after it was pointed at SQLCipher's driver (it catches the driver's own exceptions); every other
   file takes `Database` from here.
2. A transaction begins and ends where this package says so: connections are in autocommit mode, and what sqlite-utils runs inside
   an open transaction joins it.
3. An acknowledged write is on the disk: write-ahead log with `synchronous = FULL`.
4. Nothing is written in clear: temporary tables and sorting stay in memory.
5. What the driver raises becomes an error with a sentence: a full disk, damage, a file that another process holds.
6. What was deleted is overwritten with zeros in its page (`secure_delete`).

Key material, as far as Python allows: the vault key is held in memory that is overwritten at closing and when the key changes, and so are keys
that were derived from a passphrase and private halves that were unsealed, at once after their use. What can't be wiped: the key as the text of
the `PRAGMA key` statement and as the `bytes` that others ask for, which stay where they were until Python reuses the place; the passphrase
itself, a `str`. OpenSSL and SQLCipher wipe their own copies. No core file and no other process of the same user gets at it where
`core.egress.harden` could see to that.

Pages are 8 KiB: against SQLCipher's 4 KiB, bulk insertion and scans take a fifth less time (measured; 16 KiB gains little more
and makes single commits slower). `cipher_memory_security` stays off: it costs a tenth of every statement to wipe
copies of what the interpreter holds in its own memory all the same; SQLCipher wipes its key material in any case.
"""

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

import sqlcipher3.dbapi2 as driver

from core.errors import AssayError, Damaged, DiskFull, Unavailable, VaultBusy
from core.jobs import Job
from core.trust.sealing import wipe

sys.modules["pysqlite3"] = sys.modules["pysqlite3.dbapi2"] = driver

# sqlite-utils takes pandas where it is installed (for training), only to recognise its types: 75 MiB that nothing here uses.
_without_pandas = "pandas" not in sys.modules
if _without_pandas:
    sys.modules["pandas"] = None  # type: ignore[assignment]
try:
    import sqlite_utils  # after the driver is in place
finally:
    if _without_pandas:
        del sys.modules["pandas"]

if sqlite_utils.utils.OperationalError is not driver.OperationalError:
    raise ImportError("sqlite_utils was imported before core.vault.connection: take Database from there.")

Database: TypeAlias = sqlite_utils.Database
DriverError = driver.Error

PAGE_SIZE = 8192
BUSY_MILLISECONDS = 5_000
LARGEST_LOG = 64 << 20
"""Bytes that the write-ahead log keeps after a large transaction."""
LONGEST_WAIT = 30.0
"""Seconds that a change of the key waits for readers to end."""
IDLE_READERS = 4
"""Reader connections that are kept open; opening one takes under a millisecond."""
KEY_BYTES = 32
WRITER_CACHE, READER_CACHE = 32_768, 16_384
"""KiB of decrypted pages: a page that falls out of the cache is decrypted and authenticated again."""
COPIED_AT_ONCE = 256
"""Pages between two reports of a copy: 2 MiB, some 20 ms."""
STEPS_AT_ONCE = 50_000
"""Steps of SQLite's machine between two looks at whether a long statement was cancelled: about a millisecond."""


def connect(path: Path, key: bytes, writable: bool) -> Database:
    """One connection. `writable` ones may create the file; the others refuse every change. Raises `Damaged`, `DiskFull`."""
    assert len(key) == KEY_BYTES
    with translated(path):
        connection = driver.connect(str(path), isolation_level=None, check_same_thread=False, cached_statements=256)
        try:
            _unlock(connection, key)
            connection.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
            connection.execute("PRAGMA temp_store = MEMORY")
            connection.execute(f"PRAGMA cache_size = -{WRITER_CACHE if writable else READER_CACHE}")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if writable:
                connection.execute("PRAGMA secure_delete = ON")
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute(f"PRAGMA journal_size_limit = {LARGEST_LOG}")
            else:
                connection.execute("PRAGMA query_only = ON")
            return sqlite_utils.Database(connection, execute_plugins=False)
        except BaseException:
            connection.close()
            raise


def copy_pages(source: Database, target: Path, key: bytes, progress: Callable[[int, int], None]) -> None:
    """Copy the state that `source` sees into a new file under `key`, which is the file's own; others go on writing meanwhile.

    `source` is in a transaction and has read something, so that the state doesn't move. `progress` is told the pages copied and all pages;
    what it raises ends the copy. The copy isn't synced, and lies there half made when this raises. Raises `Damaged`, `DiskFull`.
    """
    assert source.conn.in_transaction
    with translated(target):
        made = driver.connect(str(target), isolation_level=None)
        try:
            _unlock(made, key)
            made.execute("PRAGMA journal_mode = OFF")
            made.execute("PRAGMA synchronous = OFF")
            source.conn.backup(
                made, pages=COPIED_AT_ONCE, progress=lambda _, remaining, total: progress(total - remaining, total)
            )
        finally:
            made.close()


@contextmanager
def words_of(db: Database, table: str) -> Iterator[str]:
    """The name of a table, until the block ends, of every word in a full-text index: term, doc, col, offset.

    It is a temporary table, in memory, that reads the index; `db` may be a reader's, which changes nothing of the file meanwhile either."""
    name = f'temp."{table} instances"'
    (reading,) = db.execute("PRAGMA query_only").fetchone()

    def change(statement: str) -> None:
        db.execute("PRAGMA query_only = OFF")
        try:
            db.execute(statement)
        finally:
            db.execute(f"PRAGMA query_only = {reading}")

    change(f'CREATE VIRTUAL TABLE {name} USING fts5vocab(main, "{table}", instance)')
    try:
        yield name
    finally:
        with suppress(driver.Error):  # a connection that met a damaged page
            change(f"DROP TABLE {name}")


def in_memory() -> Database:
    """A database of its own that is never a file."""
    connection = driver.connect(":memory:", isolation_level=None)
    connection.execute("PRAGMA temp_store = MEMORY")
    return sqlite_utils.Database(connection, execute_plugins=False)


@contextmanager
def cancellable(db: Database, job: Job, listen: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Long statements of this connection end with `Cancelled` when the job is cancelled; `listen` is called now and then."""

    def step() -> bool:
        if not job.cancelled:
            listen()
        return job.cancelled

    db.conn.set_progress_handler(step, STEPS_AT_ONCE)
    try:
        yield
    except DriverError as error:
        if "interrupted" not in str(error):
            raise
        job.check()
        raise
    finally:
        db.conn.set_progress_handler(None, 0)


def _unlock(connection: driver.Connection, key: bytes) -> None:
    connection.execute("PRAGMA cipher_log_level = NONE")
    connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
    connection.execute(f"PRAGMA cipher_page_size = {PAGE_SIZE}")


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn what the driver raises into an error with a sentence; anything that it can't name goes through as a bug."""
    try:
        yield
    except DriverError as error:
        named = _named(path, str(error))
        if named is None:
            raise
        raise named from error


def _named(path: Path, said: str) -> AssayError | None:
    # The driver gives no error codes, only SQLite's own fixed sentences.
    if "disk is full" in said:
        return DiskFull(path=str(path))
    if "not a database" in said or "malformed" in said:
        return Damaged(
            source=str(path), problem="the file is damaged or not this vault's. Restore the folder from a backup."
        )
    if "disk I/O error" in said:
        return Damaged(
            source=str(path),
            problem="the disk refused to read or write. Nothing half-written was kept; check the disk and its free space.",
        )
    if said == "database is locked":
        return VaultBusy(vault=str(path.parent), process="unknown")
    if "readonly database" in said:
        return Unavailable(what=f"{path} can't be written", step="Make the file and its folder writable.")
    if "unable to open" in said:
        return Unavailable(what=f"{path} can't be opened", step="Check that the file is there and may be read.")
    return None


class Connections:
    """The one writer and the readers of an open vault's file.

    The writer belongs to whoever holds `lock`. A reader belongs to whoever took it until it is given back, from any thread.
    """

    def __init__(self, path: Path, key: bytes, epoch: int = 1) -> None:
        self.path = path
        self.epoch = epoch
        """The number under which `keys.json` has the key."""
        self.lock = threading.RLock()
        self.writer = connect(path, key, writable=True)
        self._key = bytearray(key)
        self._idle: list[Database] = []
        self._out = 0
        self._guard = threading.Condition()
        self._alone: int | None = None
        self._closed = False

    @property
    def key(self) -> bytes:
        """The vault key: a copy, which stays in memory until Python reuses its place. Raises `Unavailable` when closed."""
        with self._guard:
            self._check_open()
            return bytes(self._key)

    @contextmanager
    def reader(self) -> Iterator[Database]:
        """A connection that sees one state of the file for as long as it is held."""
        with self._guard:
            if self._alone == threading.get_ident():
                raise RuntimeError("Whoever holds the file alone reads through the writer.")
            self._guard.wait_for(lambda: self._alone is None)
            self._check_open()
            db = self._idle.pop() if self._idle else None
            key = bytes(self._key)
            self._out += 1
        try:
            db = db or connect(self.path, key, writable=False)
            with translated(self.path):
                db.conn.execute("BEGIN")
                try:
                    yield db
                except DriverError:
                    db.conn.close()  # after a page that can't be decrypted, it reads nothing more
                    db = None
                    raise
                finally:
                    if db is not None and db.conn.in_transaction:
                        db.conn.execute("ROLLBACK")
        finally:
            self._give_back(db)

    @contextmanager
    def alone(self, seconds: float = LONGEST_WAIT) -> Iterator[None]:
        """Hold the file alone: no other thread writes, no reader is out or kept. Raises `Unavailable` when reading doesn't end in time."""
        with self.lock:
            with self._guard:
                self._check_open()
                if not self._guard.wait_for(lambda: self._out == 0, seconds):
                    raise Unavailable(
                        what=f"{self.path.parent} is being read, perhaps for a backup or a check",
                        step="Try again when that is done.",
                    )
                self._alone = threading.get_ident()
                idle, self._idle = self._idle, []
            try:
                for db in idle:
                    db.conn.close()
                yield
            finally:
                with self._guard:
                    self._alone = None
                    self._guard.notify_all()

    def fold(self) -> None:
        """Fold the write-ahead log into the file and empty it; for whoever holds the file alone. Raises `VaultBusy`, `DiskFull`."""
        with translated(self.path):
            (busy, _, _) = self.writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise VaultBusy(vault=str(self.path.parent), process="unknown")

    def rekey(self, key: bytes) -> None:
        """Encrypt the whole file under another key, in one transaction; for whoever holds the file alone. `reopen` afterwards, also when
        this raises."""
        assert len(key) == KEY_BYTES
        with translated(self.path):
            self.writer.execute(f"PRAGMA rekey = \"x'{key.hex()}'\"").fetchall()

    def reopen(self, keys: Sequence[tuple[int, bytes]]) -> None:
        """Close the writer and open it with the first of `keys` (their epochs' numbers beside them) that the file opens with.

        Raises `Damaged` when none does.
        """
        self.writer.conn.close()
        for epoch, key in keys:
            try:
                self.writer = connect(self.path, key, writable=True)
            except Damaged:
                if epoch == keys[-1][0]:
                    raise
                continue
            wipe(self._key)
            self._key, self.epoch = bytearray(key), epoch
            return

    @contextmanager
    def transaction(self) -> Iterator[Database]:
        """The writer in a transaction that commits at the end, or rolls back when anything is raised."""
        with self.lock:
            self._check_open()
            conn = self.writer.conn
            if conn.in_transaction:
                raise RuntimeError("A transaction is open already: one unit of work can't contain another.")
            with translated(self.path):
                conn.execute("BEGIN IMMEDIATE")
                try:
                    yield self.writer
                    conn.execute("COMMIT")
                except BaseException:
                    if conn.in_transaction:
                        conn.execute("ROLLBACK")
                    raise

    def close(self) -> None:
        """Fold the write-ahead log into the file and close. Readers that are out are closed when they come back."""
        with self.lock:
            with self._guard:
                self._closed = True
                idle, self._idle = self._idle, []
            for db in idle:
                db.conn.close()
            self.writer.conn.close()
            wipe(self._key)

    def _check_open(self) -> None:
        if self._closed:
            raise Unavailable(what=f"{self.path.parent} is locked", step="Open it again.")

    def _give_back(self, db: Database | None) -> None:
        with self._guard:
            self._out -= 1
            self._guard.notify_all()
            if db is not None and not self._closed and len(self._idle) < IDLE_READERS:
                self._idle.append(db)
                return
        if db is not None:
            db.conn.close()
