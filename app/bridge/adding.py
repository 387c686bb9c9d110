"""Add-ons for the window: which are there and whether they can be used, taking one from its file, removing one."""

from dataclasses import dataclass
from pathlib import Path

from core.errors import AssayError
from core.jobs import Job

PURPOSES = {"training": "Training", "graphics": "Graphics cards"}
KINDS = "Add-ons (*.addon);;All files (*)"
KEYS = "Public keys (*.pub);;All files (*)"


@dataclass(frozen=True)
class Added:
    """An add-on that is there. `why` it can't be used is empty where it can; `own` says that it is this person's and not everybody's."""

    name: str
    title: str
    release: str
    size: int
    folder: Path
    own: bool
    why: str = ""


def found(job: Job) -> tuple[Added, ...]:
    """All that are there, those for everybody first."""
    from core.workers import addons

    own, every = addons.user_folder(), []
    for folder in addons.installed():
        mine = folder.parent == own
        try:
            manifest = addons.read(folder)
        except AssayError as error:
            every.append(Added(folder.name, named(folder.name), "", 0, folder, mine, str(error)))
            continue
        why = ""
        try:
            addons.check_fits(manifest, folder.name)
            addons.check_there(folder, manifest)
        except AssayError as error:
            why = str(error)
        title = named(manifest.purpose)
        every.append(Added(folder.name, title, manifest.release, manifest.size, folder, mine, why))
    return tuple(every)


def install(file: Path, key: Path | None, job: Job) -> Added:
    """Take one from its file, for this person. Raises as `core.installation.addons.install`."""
    from core.installation import addons as installing
    from core.workers import addons

    manifest = installing.install(file, job, key)
    folder = addons.user_folder() / manifest.name
    return Added(manifest.name, named(manifest.purpose), manifest.release, manifest.size, folder, own=True)


def remove(added: Added) -> Path:
    """Remove one with all its files; returns where it was. Raises `NotFound`, `Unavailable`."""
    from core.installation import addons as installing

    return installing.remove(added.name, added.folder.parent)


def carries_key() -> bool:
    """Whether this program knows whose add-ons to trust; one that runs from its source doesn't."""
    from core.installation import addons as installing

    return installing.RELEASE_KEY.is_file()


def named(purpose: str) -> str:
    """What an add-on is for, as a row names it."""
    return PURPOSES.get(purpose, purpose[:1].upper() + purpose[1:])
