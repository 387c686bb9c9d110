"""Views of a comparison that a team keeps: which runs against which baseline, and how they are shown. They hold no results of their own.

A view is replaced by saving another one under its name. Views of runs that were erased are not offered any more.
"""

from collections.abc import Sequence

import msgspec

from core.errors import BadInput
from core.evals import store
from core.evals.records import Run
from core.records import Record
from core.vault.roles import Act
from core.vault.unit import Reader
from core.vault.vault import Vault

LONGEST = 80
"""Characters of a view's name."""


class SavedView(Record, frozen=True, kw_only=True):
    """`runs` are compared with the baseline; `kind` and `filter` say how the window shows them."""

    name: str
    baseline_run: str
    baseline_variant: str
    runs: tuple[str, ...] = ()
    by_tag: bool = False
    kind: str = "table"
    filter: str = "all"


def save_view(vault: Vault, view: SavedView) -> None:
    """Keep a view, in place of one with its name. Raises `BadInput` for a name that isn't one, `Refused`."""
    if not view.name.strip() or len(view.name) > LONGEST or not view.name.isprintable():
        raise BadInput(source="view", problem=f"its name has 1 to {LONGEST} characters in one line.")
    with vault.write(Act.SAVE_SPEC, about=f"view {view.name}") as unit:
        content = msgspec.json.encode(view).decode()
        unit.db.execute("INSERT OR REPLACE INTO views (name, content) VALUES (?, ?)", [view.name, content])


def remove_view(vault: Vault, name: str) -> None:
    """Forget a view, if it is there. Raises `Refused`."""
    with vault.write(Act.SAVE_SPEC, about=f"view {name} removed") as unit:
        unit.db.execute("DELETE FROM views WHERE name = ?", [name])


def log_picture(vault: Vault, file: str, runs: Sequence[str]) -> None:
    """Log that a picture of compared runs leaves the vault in clear, under that file's name; before it is written. Raises `Refused`."""
    with vault.write(Act.EXPORT_PICTURE, about=f"{', '.join(runs)} to {file}"):
        pass


def views(reader: Reader) -> tuple[SavedView, ...]:
    """All views by name, but those of which a run is gone."""
    there = {reader.get(digest, Run).id for digest, _ in store.runs(reader)}
    rows = reader.db.execute("SELECT content FROM views ORDER BY name").fetchall()
    kept = (msgspec.json.decode(row[0], type=SavedView) for row in rows)
    return tuple(view for view in kept if {view.baseline_run, *view.runs} <= there)
