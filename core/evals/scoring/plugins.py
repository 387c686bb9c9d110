"""Scorers that others wrote, found by entry point and run in a worker.

A plugin is a distribution with an entry point in the group `assay.scorers` that names a function
`score(sample, answer, settings) -> {"value": float, "passed": bool, "reason": str}` over plain JSON values. Finding one reads its metadata only:
no code of it runs in this process. Where a distribution lies and what its files hold at the time is its digest, which a run records.
"""

import hashlib
import importlib.metadata
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import msgspec

from core.errors import BadInput, NotFound, Unsupported
from core.evals.scoring.base import Case, Scored, Scorer, always
from core.evals.scoring.records import AskPlugin
from core.records import Digest, Record

GROUP: Final = "assay.scorers"
LARGEST: Final = 50_000_000
"""Bytes of a plugin's files that are hashed; a larger plugin is refused."""
LONGEST_REASON: Final = 600


class Plugin(Record, frozen=True, kw_only=True):
    """`name` is its entry point; `distribution` says what was installed and in which version."""

    name: str
    target: str
    distribution: str
    folder: str


def plugins(folders: Iterable[Path] = ()) -> tuple[Plugin, ...]:
    """The plugins in the environment and in these folders, by name."""
    places = [str(folder) for folder in folders]
    found: dict[str, Plugin] = {}
    sources = [importlib.metadata.distributions()]
    if places:
        sources.insert(0, importlib.metadata.distributions(path=places))
    for distribution in (one for source in sources for one in source):
        for entry in distribution.entry_points:
            if entry.group == GROUP and entry.name not in found:
                found[entry.name] = Plugin(
                    name=entry.name,
                    target=entry.value,
                    distribution=f"{distribution.metadata['Name']} {distribution.version}",
                    folder=str(distribution.locate_file("")),
                )
    return tuple(found[name] for name in sorted(found))


def find(name: str, folders: Iterable[Path] = ()) -> Plugin:
    """Raises `NotFound`."""
    for plugin in plugins(folders):
        if plugin.name == name:
            return plugin
    raise NotFound(kind="scorer plugin", name=name, step="`assay eval scorers` lists those that are installed.")


class PluginSettings(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    settings: dict[str, Any] = msgspec.field(default_factory=dict)
    """What the plugin gets as its settings."""
    entry: str = ""
    """The entry point's name; empty for the label after `plugin:`."""


def digest(plugin: Plugin) -> Digest:
    """SHA-256 over the names and bytes of the files of a plugin's top-level package or module. Raises `Unsupported` for one that is too large."""
    root = Path(plugin.folder) / plugin.target.partition(":")[0].partition(".")[0]
    files = sorted(root.rglob("*.py")) if root.is_dir() else [root.with_suffix(".py")]
    whole, size = hashlib.sha256(), 0
    for file in files:
        data = file.read_bytes() if file.is_file() else b""
        size += len(data)
        if size > LARGEST:
            raise Unsupported(source=plugin.name, reason="the plugin's code is over 50 MB.")
        whole.update(b"%s\0%d\0" % (str(file.relative_to(plugin.folder)).encode(), len(data)) + data)
    return Digest(whole.hexdigest())


def _plugin(case: Case, settings: PluginSettings) -> Scored:
    found = case.tools.plugin(
        AskPlugin(
            name=settings.entry,
            sample=msgspec.to_builtins(case.sample),
            answer=msgspec.to_builtins(case.answer),
            settings=settings.settings,
        )
    )
    if not math.isfinite(found.value):
        raise BadInput(source=f"plugin {settings.entry}", problem="it gave no finite number.")
    return found.value, found.passed, " ".join(found.reason.split())[:LONGEST_REASON]


SCORERS = (
    Scorer(
        "plugin",
        "What a scorer that others wrote gives an answer; it is installed as an entry point of the group assay.scorers.",
        "Known to its author. Its code runs in a worker without a network; the run records its version and a digest of its code.",
        "bootstrap",
        always,
        _plugin,
        "as its author says",
        "The plugin.",
        PluginSettings,
    ),
)
