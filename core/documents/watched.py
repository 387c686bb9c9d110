"""Which collections are watched: their folders are looked at while somebody who may keep them in step has the vault open.

Rules:

1. What is watched is kept in the vault; what was seen is known while the vault is open only, so the first look of each opening is followed by a
   refresh, which finds by comparing what happened meanwhile.
2. A look reads names, sizes and times, no content, and changes nothing. Whoever asked for it starts the refresh of what is due.
3. A folder that isn't there is a problem that is said, and takes nothing out.
"""

from collections.abc import Sequence

from core.documents.refreshing import Changes, Refreshed, Refreshing
from core.documents.watching import Watch
from core.errors import BadInput, Unavailable
from core.jobs import Job
from core.records import Record, now
from core.vault.roles import Act, allowed
from core.vault.vault import Vault


class Seen(Record, frozen=True, kw_only=True):
    """What a look at a collection's folders found."""

    collection: str
    time: str
    """When, RFC 3339."""
    due: bool = False
    """Whether there is something to refresh, which stands still."""
    waiting: int = 0
    """Files that differ from when folders and collection were last in step."""
    problem: str = ""
    """Why there was nothing to be seen, in a sentence."""


class Following(Record, frozen=True, kw_only=True):
    """How a collection stands to its folders."""

    folders: tuple[str, ...] = ()
    watched: bool = False
    may: bool = True
    """Whether the person who has the vault open may keep it in step."""
    changes: Changes | None = None


class Watched:
    """The watched collections of one open vault."""

    def __init__(self, vault: Vault, refreshing: Refreshing) -> None:
        self._vault = vault
        self._refreshing = refreshing
        self._watches: dict[str, tuple[tuple[str, ...], Watch]] = {}

    def collections(self) -> tuple[str, ...]:
        """Those that are watched and follow a folder, by name."""
        with self._vault.read() as reader:
            rows = reader.db.execute(
                "SELECT collection FROM watched_collections WHERE collection IN (SELECT collection FROM followed_folders)"
                " ORDER BY collection"
            ).fetchall()
        return tuple(str(name) for (name,) in rows)

    def following(self, collection: str) -> Following:
        """How a collection stands to its folders; also one without documents."""
        folders = self._refreshing.folders(collection)
        return Following(
            folders=folders,
            watched=collection in self.collections(),
            may=self._may(),
            changes=self._refreshing.changes(collection) if folders else None,
        )

    def begin(self, collection: str, folders: Sequence[str] = ()) -> None:
        """Watch a collection from now on, with these folders too. Raises `BadInput` where it follows none, or for what is no folder; `Refused`."""
        if folders:
            self._refreshing.follow(collection, folders)
        if not self._refreshing.folders(collection):
            raise BadInput(source=collection, problem="it follows no folder. Choose one to watch.")
        with self._vault.write(Act.ADD_DOCUMENTS, about=f"{collection} is watched") as unit:
            unit.db.execute("INSERT OR IGNORE INTO watched_collections VALUES (?)", (collection,))

    def pause(self, collection: str) -> None:
        """Look no more at its folders, which it goes on to follow. Raises `Refused`."""
        with self._vault.write(Act.ADD_DOCUMENTS, about=f"{collection} is not watched") as unit:
            unit.db.execute("DELETE FROM watched_collections WHERE collection = ?", (collection,))
        self._watches.pop(collection, None)

    def look(self, job: Job) -> tuple[Seen, ...]:
        """One look at the folders of all that are watched; nothing for a person who may not keep them in step."""
        if not self._may():
            return ()
        found = []
        for collection in self.collections():
            job.check()
            watch = self._watch(collection)
            try:
                due = watch.due()
            except Unavailable as error:
                found.append(Seen(collection=collection, time=now(), problem=str(error)))
            else:
                found.append(Seen(collection=collection, time=now(), due=due, waiting=watch.waiting))
        return tuple(found)

    def refresh(self, collection: str, job: Job) -> Refreshed:
        """Bring a watched collection in step after a look that found it due. Progress and errors as `Refreshing.refresh`."""
        watch = self._watch(collection)
        done = self._refreshing.refresh(collection, job)
        watch.done()
        return done

    def _may(self) -> bool:
        roles = self._vault.user.roles
        return allowed(Act.ADD_DOCUMENTS, roles) and allowed(Act.REMOVE_DOCUMENTS, roles)

    def _watch(self, collection: str) -> Watch:
        folders = self._refreshing.folders(collection)
        if collection not in self._watches or self._watches[collection][0] != folders:
            self._watches[collection] = folders, Watch(folders)
        return self._watches[collection][1]
