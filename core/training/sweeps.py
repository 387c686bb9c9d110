"""Sweeps: one spec with lists of settings, whose combinations are trained one after another, as a queue that outlives the program.

A sweep is recorded before its first run, and each run names the place in it that it is for. What is still to do is read from that alone, so a
queue whose program was killed goes on with the run that was under way, at its checkpoint, and then with the next. A run that fails is told and
the queue goes on; a person who stops it pauses the run and the queue with it. Nothing runs at the same time: memory is what training lacks.
"""

from itertools import product
from pathlib import Path
from typing import Any, Final

import msgspec

from core.errors import AssayError, BadInput, Cancelled, NotFound, Refused
from core.jobs import Job
from core.records import Digest, Record, now
from core.training import contrasting, pausing, store
from core.training.alone import alone
from core.training.contrasting import Contrasted
from core.training.listening import Watch
from core.training.records import TrainingView, TrainSpec
from core.training.service import Trainings
from core.training.settings import chosen
from core.vault.connection import Database
from core.vault.migrations import Migrations
from core.vault.roles import Act, allowed
from core.vault.unit import Reader
from core.vault.vault import Vault

MOST: Final = 64
"""Runs of one sweep."""
WAITING, FINISHED, CANCELLED, ERASED = "waiting", "finished", "cancelled", "erased"
ENDED: Final = (FINISHED, "failed", ERASED)
"""How the run of a place stands that the queue is through with."""


class Sweep(Record, frozen=True, kw_only=True, tag="training-sweep"):
    """A sweep as it was asked for; `points` are the settings of its runs, in the order of the queue."""

    id: str
    name: str
    spec: TrainSpec
    points: tuple[dict[str, Any], ...]
    user: str
    started: str


class Place(Record, frozen=True, kw_only=True):
    """One run of the queue. `run` is "" before it began, and when it was erased; `status` is "waiting", "erased" or the run's."""

    settings: dict[str, Any]
    run: str = ""
    status: str = WAITING


class SweepView(Record, frozen=True, kw_only=True):
    """A sweep as it stands: "finished" when each run has ended by itself, "cancelled" by a person, else "waiting" to go on."""

    digest: Digest
    sweep: Sweep
    status: str
    places: tuple[Place, ...]
    compared: Contrasted


def _first(db: Database) -> None:
    db.execute(
        "CREATE TABLE training_sweeps (number INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, source TEXT NOT NULL,"
        " cancelled INTEGER NOT NULL DEFAULT 0) STRICT"
    )


SCHEMA = Migrations("training-sweeps", (_first,))


def points(spec: TrainSpec, source: str) -> tuple[dict[str, Any], ...]:
    """The settings of each run: every combination of what the spec lists, the last list changing first. `targets`, a list itself, is listed as a list
    of lists. Raises `BadInput` for a list of nothing, for too many runs, and as `chosen` for any of them."""
    lists = {name: value for name, value in spec.settings.items() if _listed(name, value)}
    if not lists:
        raise BadInput(
            source=source, problem="no setting is a list, such as rank: [4, 8]. Use `assay train run` for one run."
        )
    if empty := [name for name, value in lists.items() if not value]:
        raise BadInput(source=source, problem=f"the list of {empty[0]} is empty. Give values.")
    found = tuple({**spec.settings, **dict(zip(lists, values, strict=True))} for values in product(*lists.values()))
    if len(found) > MOST:
        raise BadInput(
            source=source, problem=f"these are {len(found)} runs, and a sweep has {MOST} at most. List less."
        )
    for one in found:
        chosen(spec.preset, one, source)
    return found


def _listed(name: str, value: Any) -> bool:
    if not isinstance(value, list | tuple):
        return False
    return name != "targets" or (len(value) > 0 and all(isinstance(one, list | tuple) for one in value))


class Sweeps:
    """The queues of one open vault."""

    def __init__(self, vault: Vault, trainings: Trainings) -> None:
        self._vault = vault
        self._trainings = trainings

    def start(self, spec: TrainSpec, source: str, job: Job, watch: Watch | None = None) -> SweepView:
        """Record a sweep, and train its runs one after another. `source`, `watch` as of a run.

        Raises `Refused`, and `BadInput` as `points`, before anything is recorded; what stops the first run before it is recorded; `Cancelled`."""
        self._check_right(spec.name)
        found = points(spec, source)
        self._trainings.check(tuple(_spec(spec, one, place) for place, one in enumerate(found)), source, job)
        where = str(Path(source).expanduser().absolute())
        with self._vault.write(Act.TRAIN, about=f"{spec.name}, a sweep of {len(found)}") as unit:
            number = int(unit.db.execute("SELECT coalesce(max(number), 0) + 1 FROM training_sweeps").fetchone()[0])
            sweep = Sweep(
                id=f"sweep-{number}",
                name=spec.name,
                spec=msgspec.structs.replace(spec, settings={**spec.settings}),
                points=found,
                user=self._vault.user.user,
                started=now(),
            )
            digest = unit.put(sweep)
            unit.db.execute(
                "INSERT INTO training_sweeps (number, digest, source) VALUES (?, ?, ?)", [number, digest, where]
            )
        return self._go(sweep.id, job, watch)

    def resume(self, name: str, job: Job, watch: Watch | None = None) -> SweepView:
        """Go on with a queue: with the run that was under way, then with the next. Raises `NotFound`, `BadInput` where none is left or it is under
        way, `Cancelled`."""
        view = self.show(name)
        self._check_right(view.sweep.name)
        if view.status == FINISHED:
            raise BadInput(source=name, problem="all of its runs have ended. Start another sweep.")
        if view.status == CANCELLED:
            self._mark(view, cancelled=False)
        return self._go(view.sweep.id, job, watch)

    def cancel(self, name: str) -> SweepView:
        """Take what hasn't ended out of the queue, until somebody resumes it. Its runs stay, with their checkpoints.

        Raises `NotFound`, `BadInput` where nothing is left."""
        view = self.show(name)
        self._check_right(view.sweep.name)
        if view.status == FINISHED:
            raise BadInput(source=name, problem="all of its runs have ended, so there is nothing to cancel.")
        self._mark(view, cancelled=True)
        return self.show(view.sweep.id)

    def pause(self, name: str, job: Job) -> SweepView:
        """Have a queue that is under way pause, with its run, and wait until it has. Raises `NotFound`, `BadInput` where it isn't under way."""
        view = self.show(name)
        pausing.pause(self._vault, view.digest, view.sweep.id, job)
        return self.show(view.sweep.id)

    def list(self) -> tuple[SweepView, ...]:
        """All sweeps, newest first."""
        with self._vault.read() as reader:
            rows = reader.db.execute("SELECT digest, cancelled FROM training_sweeps ORDER BY number DESC").fetchall()
            found = [(Digest(row[0]), reader.get(Digest(row[0]), Sweep), bool(row[1])) for row in rows]
            erased = store.erased_places(reader)
        views = self._trainings.list() if found else ()
        return tuple(_view(digest, sweep, cancelled, views, erased) for digest, sweep, cancelled in found)

    def show(self, name: str) -> SweepView:
        """A sweep by its id (`sweep-2`, or `latest`). Raises `NotFound`."""
        every = self.list()
        found = next((one for one in every if name in (one.sweep.id, "latest")), None)
        if found is None:
            raise NotFound(kind="sweep", name=name, step="`assay train sweeps` shows what there is.")
        return found

    def _go(self, name: str, job: Job, watch: Watch | None) -> SweepView:
        with alone(self.show(name).digest, name, job.cancel):
            for place in range(len(self.show(name).places)):
                view = self.show(name)
                now_there = view.places[place]
                if now_there.status in ENDED:
                    continue
                if view.status == CANCELLED:
                    break
                job.check()
                self._one(view, place, job, watch)
        return self.show(name)

    def _one(self, view: SweepView, place: int, job: Job, watch: Watch | None) -> None:
        there, source = view.places[place], self._source(view.digest)
        spec = _spec(view.sweep.spec, there.settings, place, mark(view.sweep.id, place))
        try:
            if there.run:
                self._trainings.resume(there.run, source, job, watch)
            else:
                self._trainings.run(spec, source, job, watch)
        except Cancelled:
            raise
        except AssayError:
            if self.show(view.sweep.id).places[place].status not in ENDED:
                raise

    def _source(self, digest: Digest) -> str:
        with self._vault.read() as reader:
            return _source(reader, digest)

    def _mark(self, view: SweepView, cancelled: bool) -> None:
        about = f"{view.sweep.id} {'cancelled' if cancelled else 'goes on'}"
        with self._vault.write(Act.TRAIN, about=about) as unit:
            unit.note(touched=(view.digest,))
            unit.db.execute("UPDATE training_sweeps SET cancelled = ? WHERE digest = ?", [int(cancelled), view.digest])

    def _check_right(self, about: str) -> None:
        if not allowed(Act.TRAIN, self._vault.user.roles):
            with self._vault.write(Act.TRAIN, about=about):
                raise Refused(act=Act.TRAIN, reason="your role doesn't allow it")


def _spec(spec: TrainSpec, settings: dict[str, Any], place: int, sweep: str = "") -> TrainSpec:
    """One run of a sweep. A file is named for runs of all weights alone."""
    full = chosen(spec.preset, settings, spec.name).method == "full"
    return msgspec.structs.replace(
        spec,
        name=f"{spec.name}-{place + 1}",
        settings=settings,
        out=_numbered(spec.out, place) if full else "",
        sweep=sweep,
    )


def _numbered(out: str, place: int) -> str:
    """Each run's own file, where the spec names one."""
    path = Path(out)
    return str(path.with_stem(f"{path.stem}-{place + 1}")) if out else ""


def mark(sweep: str, place: int) -> str:
    """How a run says what place of which sweep it is for."""
    return f"{sweep}/{place + 1}"


def _view(
    digest: Digest, sweep: Sweep, cancelled: bool, views: tuple[TrainingView, ...], erased: frozenset[str]
) -> SweepView:
    newest: dict[str, TrainingView] = {}
    for view in reversed(views):
        if view.run.spec.sweep:
            newest[view.run.spec.sweep] = view
    own = [newest.get(mark(sweep.id, place)) for place in range(len(sweep.points))]
    places = tuple(
        Place(settings=settings, run=view.run.id, status=view.status)
        if view is not None
        else Place(settings=settings, status=ERASED if mark(sweep.id, number) in erased else WAITING)
        for number, (settings, view) in enumerate(zip(sweep.points, own, strict=True))
    )
    over = all(place.status in ENDED for place in places)
    return SweepView(
        digest=digest,
        sweep=sweep,
        status=FINISHED if over else CANCELLED if cancelled else WAITING,
        places=places,
        compared=contrasting.contrast(tuple(view for view in own if view is not None)),
    )


def _source(reader: Reader, digest: Digest) -> str:
    return str(reader.db.execute("SELECT source FROM training_sweeps WHERE digest = ?", [digest]).fetchone()[0])
