"""Legal holds: while one lasts, nothing that it covers is erased, by whatever rule or law, nor taken out of a collection.

Rules: a hold is a signed record with a name and a reason; so is its release, which lists what it covered. A hold on a collection covers what
comes into it later too. Whoever released a hold doesn't erase what it covered, wherever that went: it takes another person (`duties`), whoever
placed it. Everything here is in the log.
"""

from collections.abc import Sequence
from datetime import datetime

from core.errors import AlreadyExists, BadInput, NotFound, Refused
from core.records import Digest, Record, kind
from core.vault import cards, duties, users
from core.vault.erasable import Erasable, Erasables, by_kind
from core.vault.records import User
from core.vault.roles import Act
from core.vault.signing import Signer
from core.vault.unit import Reader
from core.vault.vault import Vault

COLLECTION = "collection"
KINDS = (COLLECTION, "document", "run", "dataset", "trace")
"""What may be held."""
LONGEST_NAME = 80
NO_DIGEST = Digest("")
"""Of a hold that isn't placed yet."""


class Thing(Record, frozen=True, kw_only=True):
    """Something as a person names it: its kind, and a name or a digest."""

    kind: str
    reference: str


class Held(Record, frozen=True, kw_only=True):
    """One thing under a hold; `id` is its record's digest, or a collection's name."""

    kind: str
    id: str
    label: str


class Hold(Record, frozen=True, kw_only=True, tag="hold"):
    """A hold as it was placed."""

    name: str
    reason: str
    things: tuple[Held, ...]
    user: str
    time: str


class HoldRelease(Record, frozen=True, kw_only=True, tag="hold-release"):
    """The end of a hold."""

    hold: Digest
    name: str
    reason: str
    user: str
    time: str
    covered: tuple[Digest, ...] = ()
    """The records that it kept when it ended; empty in a release from before that was noted."""


class PlaceHold(Record, frozen=True, kw_only=True):
    """Hold these things; the name, such as a case number, isn't in use by another hold that lasts."""

    name: str
    reason: str
    things: tuple[Thing, ...]


class HoldState(Record, frozen=True, kw_only=True):
    """A hold, and how it ended if it did."""

    digest: Digest
    hold: Hold
    release: HoldRelease | None = None


def check(reader: Reader, kinds: Erasables, request: PlaceHold) -> Hold:
    """The hold that `place` would place, without user and time. Raises `BadInput`, `NotFound`, `AlreadyExists`."""
    name = request.name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise BadInput(source="hold", problem=f"its name has 1 to {LONGEST_NAME} printable characters.")
    if not request.reason.strip():
        raise BadInput(source=name, problem="a hold needs a reason.")
    if not request.things:
        raise BadInput(source=name, problem=f"a hold needs something to hold: {', '.join(KINDS)}.")
    if any(state.hold.name == name and state.release is None for state in holds(reader)):
        raise AlreadyExists(kind="hold", name=name, step="Release it, or choose another name.")
    things = tuple(held for thing in request.things for held in _things(reader, kinds, thing))
    return Hold(name=name, reason=request.reason.strip(), things=things, user="", time="")


def place(vault: Vault, kinds: Erasables, signer: Signer, request: PlaceHold) -> HoldState:
    """Place and sign a hold. Raises as `check`, and `Refused`."""
    with vault.write(Act.HOLD, about=request.name, reason=request.reason) as unit:
        wanted = check(unit, kinds, request)
        hold = Hold(name=wanted.name, reason=wanted.reason, things=wanted.things, user=unit.user.user, time=unit.time)
        digest = unit.put(hold)
        unit.sign(signer, digest, f"hold {hold.name}", "authored", hold.reason)
        unit.note(touched=[Digest(held.id) for held in hold.things if held.kind != COLLECTION])
        return HoldState(digest=digest, hold=hold)


def release(vault: Vault, kinds: Erasables, signer: Signer, name: str, reason: str) -> HoldState:
    """End a hold, and sign that. Raises `NotFound`, `BadInput`, `Refused`."""
    if not reason.strip():
        raise BadInput(source=name, problem="releasing a hold needs a reason.")
    with vault.write(Act.HOLD, about=f"release of {name}", reason=reason) as unit:
        state = show(unit, name)
        ended = HoldRelease(
            hold=state.digest,
            name=name,
            reason=reason.strip(),
            user=unit.user.user,
            time=unit.time,
            covered=tuple(sorted(_covered(unit, kinds, state.hold))),
        )
        digest = unit.put(ended, links=(state.digest,))
        unit.sign(signer, digest, f"release of hold {name}", "authored", ended.reason)
        return HoldState(digest=state.digest, hold=state.hold, release=ended)


def holds(reader: Reader) -> tuple[HoldState, ...]:
    """All holds ever placed, oldest first."""
    ended = {release.hold: release for release in (reader.get(d, HoldRelease) for d in reader.find(HoldRelease))}
    return tuple(
        HoldState(digest=digest, hold=reader.get(digest, Hold), release=ended.get(digest))
        for digest in reader.find(Hold)
    )


def show(reader: Reader, name: str) -> HoldState:
    """The lasting hold of that name. Raises `NotFound`."""
    for state in holds(reader):
        if state.hold.name == name and state.release is None:
            return state
    raise NotFound(kind="hold", name=name, step="`assay vault hold` lists those that last.")


class Cover:
    """What holds cover in one state of the vault: computed once, asked many times."""

    def __init__(self, reader: Reader, kinds: Erasables) -> None:
        self._lasting: dict[Digest, list[str]] = {}
        self._released: dict[Digest, list[HoldRelease]] = {}
        self._reader = reader
        self._barred: dict[tuple[Digest, Digest], str] = {}
        for state in holds(reader):
            covered = _covered(reader, kinds, state.hold)
            if state.release is None:
                for digest in covered:
                    self._lasting.setdefault(digest, []).append(state.hold.name)
            else:
                for digest in covered.union(state.release.covered):
                    self._released.setdefault(digest, []).append(state.release)

    @property
    def empty(self) -> bool:
        """No hold covers anything, or ever did."""
        return not self._lasting and not self._released

    def holding(self, digests: Sequence[Digest]) -> tuple[str, ...]:
        """The names of the holds that last and cover any of these."""
        return tuple(dict.fromkeys(name for digest in digests for name in self._lasting.get(digest, ())))

    def barred(self, digests: Sequence[Digest], user: User, at: datetime) -> tuple[tuple[str, str], ...]:
        """The released holds on any of these after which this person may not erase, each with the reason, a sentence."""
        ended = dict.fromkeys(ended for digest in digests for ended in self._released.get(digest, ()))
        found = ((one.name, self._why(one, user, at)) for one in ended)
        return tuple((name, why) for name, why in found if why)

    def _why(self, ended: HoldRelease, user: User, at: datetime) -> str:
        if ended.user == user.user:
            return f"You released the hold {ended.name} on it, so somebody else must erase it."
        asked = (ended.hold, user.card)
        if asked not in self._barred:
            card = _releasing_card(self._reader, ended)
            why = duties.one_hand(self._reader, user.card, card, cards.place(self._reader, ended.hold), at)
            self._barred[asked] = why and (
                f"{ended.user} released the hold {ended.name} on it, and somebody else than who did must erase it. {why}"
            )
        return self._barred[asked]


def refuse_removal(reader: Reader, act: str, things: Sequence[tuple[str, str]]) -> None:
    """Raise `Refused` when a lasting hold names one of these (kind, id) itself."""
    for state in holds(reader):
        if state.release is None and any((held.kind, held.id) in things for held in state.hold.things):
            raise Refused(act=act, reason=f"The hold {state.hold.name} keeps it, until somebody releases that.")


def _things(reader: Reader, kinds: Erasables, thing: Thing) -> list[Held]:
    if thing.kind not in KINDS:
        raise BadInput(source=thing.kind, problem=f"this can't be held. Use {', '.join(KINDS)}.")
    owner: Erasable = by_kind(kinds, thing.kind)
    found = owner.find(reader, thing.reference)
    if thing.kind == COLLECTION:
        return [Held(kind=COLLECTION, id=thing.reference, label=thing.reference)]
    return [Held(kind=thing.kind, id=digest, label=owner.label(reader, digest)) for digest in found]


def _releasing_card(reader: Reader, ended: HoldRelease) -> Digest:
    """The card under which a hold was released; where no signature tells, the person's card of today."""
    for digest in reader.linked_from(ended.hold):
        if reader.kind(digest) == kind(HoldRelease) and reader.get(digest, HoldRelease) == ended:
            for signature in reader.signatures(digest):
                if signature.user == ended.user:
                    return signature.card
    return users.find(reader.db, ended.user).card


def _covered(reader: Reader, kinds: Erasables, hold: Hold) -> set[Digest]:
    return {digest for held in hold.things for owner in kinds for digest in owner.held(reader, held.kind, held.id)}
