"""Tables that grow step by step: by whatever way a vault came to a version, it is the same."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import NewerVault
from core.vault.connection import Connections, Database
from core.vault.migrations import Migrations, Step, migrate, versions

KEY = bytes(range(32))


def step(package: str, number: int) -> Step:
    def change(db: Database) -> None:
        if number == 0:
            db.execute(f"CREATE TABLE {package}(id INTEGER PRIMARY KEY)")
        else:
            db.execute(f"ALTER TABLE {package} ADD COLUMN c{number} TEXT")
            db.execute(f"INSERT INTO {package}(c{number}) VALUES (?)", (str(number),))

    return change


def schema(counts: dict[str, int]) -> list[Migrations]:
    return [Migrations(name, tuple(step(name, number) for number in range(count))) for name, count in counts.items()]


def state(connections: Connections) -> list[str]:
    with connections.reader() as db:
        tables = [sql for (sql,) in db.execute("SELECT sql FROM sqlite_master WHERE sql NOT NULL ORDER BY name")]
        names = [name for name in ("apples", "pears") if db[name].exists()]
        return tables + [str(list(db[name].rows)) for name in names]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=2, max_size=4).map(sorted), st.integers(0, 4))
def test_any_way_to_a_version_gives_the_same_vault(path: list[int], pears: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        stepwise, at_once = Connections(Path(folder) / "a.db", KEY), Connections(Path(folder) / "b.db", KEY)
        for apples in path:
            migrate(stepwise, schema({"apples": apples, "pears": pears}), "now")
        migrate(at_once, schema({"apples": path[-1], "pears": pears}), "now")
        assert state(stepwise) == state(at_once)
        reached = {"apples": path[-1], "pears": pears}
        assert versions(stepwise.writer) == {name: count for name, count in reached.items() if count}
        stepwise.close()
        at_once.close()


def test_a_step_that_fails_takes_all_pending_steps_back(tmp_path: Path) -> None:
    def broken(db: Database) -> None:
        db.execute("CREATE TABLE half(x)")
        raise ZeroDivisionError

    connections = Connections(tmp_path / "a.db", KEY)
    migrate(connections, schema({"apples": 1}), "now")
    before = state(connections)
    with pytest.raises(ZeroDivisionError):
        migrate(connections, [*schema({"apples": 3}), Migrations("pears", (broken,))], "now")
    assert state(connections) == before
    assert versions(connections.writer) == {"apples": 1}
    connections.close()


def test_a_newer_file_is_left_untouched(tmp_path: Path) -> None:
    connections = Connections(tmp_path / "a.db", KEY)
    migrate(connections, schema({"apples": 3}), "now")
    before = state(connections)
    with pytest.raises(NewerVault, match="apples is at version 3; this program knows 2"):
        migrate(connections, schema({"pears": 2, "apples": 2}), "now")
    assert state(connections) == before
    connections.close()
