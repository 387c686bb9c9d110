"""The table of registered models: which record a name stands for."""

from core.errors import AlreadyExists, NotFound
from core.models.records import ModelAlias, ModelFile, ModelKey
from core.records import Digest
from core.vault import versions
from core.vault.connection import Database
from core.vault.migrations import Migrations
from core.vault.unit import Reader, Unit


def _first(db: Database) -> None:
    db.execute(
        "CREATE TABLE models("
        "name TEXT PRIMARY KEY, digest TEXT NOT NULL UNIQUE, record TEXT NOT NULL REFERENCES records(digest)) STRICT"
    )


def _second(db: Database) -> None:
    db.execute("CREATE TABLE model_keys(name TEXT PRIMARY KEY, record TEXT NOT NULL REFERENCES records(digest)) STRICT")


SCHEMA = Migrations("models", (_first, _second))


ALIAS = "model-alias"
"""The kind of the aliases' versions."""


def insert(unit: Unit, model: ModelFile, replaced: ModelFile | None = None) -> Digest:
    """Record a model under its name, in place of `replaced` where that is given. Raises `AlreadyExists`."""
    if replaced is not None:
        unit.db.execute("DELETE FROM models WHERE name = ?", (replaced.name,))
    if unit.db.execute("SELECT 1 FROM models WHERE name = ?", (model.name,)).fetchone():
        raise AlreadyExists(kind="model", name=model.name, step="Choose another name.")
    if pointed(unit, model.name):
        raise AlreadyExists(kind="alias", name=model.name, step="Choose another name for the model.")
    record = unit.put(model)
    unit.db.execute("INSERT INTO models VALUES (?, ?, ?)", (model.name, model.digest, record))
    return record


def delete(unit: Unit, name: str) -> None:
    """Forget a name; the record stays. Raises `NotFound`."""
    if unit.db.execute("DELETE FROM models WHERE name = ?", (name,)).rowcount == 0:
        raise missing(name)


def everything(reader: Reader) -> tuple[ModelFile, ...]:
    """All registered models, by name."""
    rows = reader.db.execute("SELECT record FROM models ORDER BY name").fetchall()
    return tuple(reader.get(Digest(record), ModelFile) for (record,) in rows)


def find(reader: Reader, name: str) -> ModelFile | None:
    """The model of that name, or whose file has that digest, if it is registered."""
    row = reader.db.execute("SELECT record FROM models WHERE name = ? OR digest = ?", (name, name)).fetchone()
    return None if row is None else reader.get(Digest(row[0]), ModelFile)


def aliases(reader: Reader) -> tuple[ModelAlias, ...]:
    """Where each alias points now, by name; those that ended are not among them."""
    latest = (reader.get(digest, ModelAlias) for digest in versions.latest(reader, ALIAS))
    return tuple(alias for alias in latest if alias.model)


def pointed(reader: Reader, name: str) -> Digest:
    """The digest that an alias points at; "" where there is no such alias."""
    known = versions.digests(reader, ALIAS, name)
    return reader.get(known[max(known)], ModelAlias).model if known else Digest("")


def keys(reader: Reader) -> tuple[ModelKey, ...]:
    """The keys that are trusted for signatures on model files, by name."""
    rows = reader.db.execute("SELECT record FROM model_keys ORDER BY name").fetchall()
    return tuple(reader.get(Digest(record), ModelKey) for (record,) in rows)


def insert_key(unit: Unit, key: ModelKey) -> None:
    """Trust a key; its name must be free."""
    unit.db.execute("INSERT INTO model_keys VALUES (?, ?)", (key.name, unit.put(key)))


def delete_key(unit: Unit, name: str) -> None:
    """Trust a key no more; its record stays."""
    unit.db.execute("DELETE FROM model_keys WHERE name = ?", (name,))


def missing(name: str) -> NotFound:
    """The error for an unknown name."""
    return NotFound(
        kind="model", name=name, step="`assay model list` shows the known ones; add a file with `assay model add`."
    )
