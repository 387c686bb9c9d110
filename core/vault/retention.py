"""Retention rules: how many days a kind of content is kept, and what is due.

Rules: nothing goes by itself. An administrator sees what is due and applies the rules; each batch is one erasure with its own signed
tombstone. What a hold covers stays, and is told. The log, signatures, tombstones and holds are never due.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from core.errors import BadInput
from core.jobs import Job
from core.records import Digest, Record
from core.trust.times import parse_time
from core.vault import erasure
from core.vault.erasable import Erasable, Erasables
from core.vault.erasure import ErasedContent
from core.vault.holds import Cover
from core.vault.records import User
from core.vault.roles import Act, allowed
from core.vault.signing import Signer
from core.vault.unit import Reader
from core.vault.vault import Vault

BATCH = 500
"""Things in one tombstone: a stop or a crash loses the batch that was under way."""
MOST_DAYS = 36_500
ANY_OFFSET = timedelta(days=3)
"""More than two clocks can differ by their offsets: local dates that far after a limit needn't be looked at."""


class RetentionRule(Record, frozen=True, kw_only=True, tag="retention-rule"):
    """Keep a kind of content so long. The newest rule of a name counts."""

    name: str
    days: int | None
    """None: for ever."""
    user: str
    time: str

    @property
    def words(self) -> str:
        """The rule as it stands on a tombstone."""
        return f"{self.name} after {self.days} days"


class SetRetention(Record, frozen=True, kw_only=True):
    name: str
    days: int | None
    reason: str = ""


class Due(Record, frozen=True, kw_only=True):
    """Something whose days are over."""

    rule: str
    """Its name."""
    kind: str
    digest: Digest
    label: str
    since: str
    """From when its days count."""
    holds: tuple[str, ...]
    """The holds that keep it all the same, and those that have ended and after which the person who asks may not erase."""


def set_rule(vault: Vault, kinds: Erasables, request: SetRetention) -> RetentionRule:
    """Keep a kind of content for so many days from now on; nothing is erased by that. Raises `BadInput`, `Refused`."""
    known = [kind.rule for kind in kinds if kind.rule]
    if request.name not in known:
        never = "The log is kept for ever." if request.name in ("log", "audit", "audit-log") else ""
        raise BadInput(source=request.name, problem=f"there are rules for {', '.join(known)}. {never}".rstrip())
    if request.days is not None and not 1 <= request.days <= MOST_DAYS:
        raise BadInput(source=request.name, problem=f"give a number of days from 1 to {MOST_DAYS}.")
    days = "for ever" if request.days is None else f"{request.days} days"
    with vault.write(Act.SET_RETENTION, about=f"{request.name}: {days}", reason=request.reason) as unit:
        rule = RetentionRule(name=request.name, days=request.days, user=unit.user.user, time=unit.time)
        unit.put(rule)
    return rule


def rules(reader: Reader) -> tuple[RetentionRule, ...]:
    """The rules in force, by name; a kind without one is kept for ever."""
    newest = {rule.name: rule for rule in (reader.get(digest, RetentionRule) for digest in reader.find(RetentionRule))}
    return tuple(rule for _, rule in sorted(newest.items()) if rule.days is not None)


def tried(rules: Sequence[RetentionRule], request: SetRetention) -> tuple[RetentionRule, ...]:
    """The rules as they would be after a request, for `preview`."""
    new = RetentionRule(name=request.name, days=request.days, user="", time="")
    kept = [rule for rule in rules if rule.name != request.name]
    return tuple(rule for rule in (*kept, new) if rule.days is not None)


def preview(
    reader: Reader,
    kinds: Erasables,
    at: datetime,
    trial: Sequence[RetentionRule] | None = None,
    user: User | None = None,
) -> tuple[Due, ...]:
    """What is due at a time (with its offset), oldest first within each rule, and which holds keep of it what.

    `trial`: other rules than those in force. `user`: who would erase it."""
    return tuple(_due(reader, kinds, at, rules(reader) if trial is None else trial, user))


def reminder(vault: Vault, kinds: Erasables, at: datetime) -> str:
    """A sentence for an administrator who opens a vault in which something is due; else empty."""
    if not allowed(Act.ERASE, vault.user.roles):
        return ""
    with vault.read() as reader:
        number = sum(1 for _ in _free(reader, kinds, at))
    if not number:
        return ""
    return f"Retention: {number} contents have been kept as long as the rules say. `assay vault retention` shows them."


def apply(vault: Vault, kinds: Erasables, signer: Signer, at: datetime, reason: str, job: Job) -> ErasedContent:
    """Erase what is due and not held, in batches; what somebody else must erase stays. Progress in contents.

    Raises `Refused`, `DiskFull`; `Cancelled` between batches."""
    with vault.read() as reader:
        in_force = {rule.name: rule for rule in rules(reader)}
        going = [due for due in preview(reader, kinds, at, user=vault.user) if not due.holds]
    stones: list[Digest] = []
    items = records = blobs = 0
    for name, some in groupby(going, key=lambda due: due.rule):
        batches = list(some)
        for start in range(0, len(batches), BATCH):
            job.report(items, len(going), "contents")
            job.check()
            batch = batches[start : start + BATCH]
            words = in_force[name].words
            about = f"{erasure.counted(kinds, [due.kind for due in batch])}, {words}"
            with vault.write(Act.ERASE, about=about, reason=reason) as unit:
                done = erasure.erase_in(
                    unit, kinds, signer, [(due.kind, due.digest) for due in batch], "rule", words, reason or words
                )
            stones += done.tombstones
            items, records, blobs = items + done.items, records + done.records, blobs + done.blobs
    if going:
        erasure.settle(vault)
    job.report(items, len(going), "contents")
    return ErasedContent(tombstones=tuple(stones), items=items, records=records, blobs=blobs)


def _due(
    reader: Reader, kinds: Erasables, at: datetime, some: Sequence[RetentionRule], user: User | None
) -> Iterator[Due]:
    in_force = {rule.name: rule for rule in some}
    due = [(owner, rule, _aged(reader, owner, rule, at)) for owner in kinds if (rule := in_force.get(owner.rule))]
    if not any(found for _, _, found in due):
        return
    cover = Cover(reader, kinds)
    for owner, rule, found in due:
        for digest, since in found:
            yield Due(
                rule=rule.name,
                kind=owner.kind,
                digest=digest,
                label=owner.label(reader, digest),
                since=since,
                holds=() if cover.empty else _keeping(cover, owner.parts(reader, digest), user, at),
            )


def _keeping(cover: Cover, parts: Sequence[Digest], user: User | None, at: datetime) -> tuple[str, ...]:
    ended = cover.barred(parts, user, at) if user is not None else ()
    return (*cover.holding(parts), *(f"{name} (released; somebody else must erase it)" for name, _ in ended))


def _free(reader: Reader, kinds: Erasables, at: datetime) -> Iterator[Digest]:
    """What is due and not held, by its digest alone."""
    in_force = {rule.name: rule for rule in rules(reader)}
    due = [(owner, _aged(reader, owner, rule, at)) for owner in kinds if (rule := in_force.get(owner.rule))]
    if not any(found for _, found in due):
        return
    cover = Cover(reader, kinds)
    for owner, found in due:
        for digest, _ in found:
            if cover.empty or not cover.holding(owner.parts(reader, digest)):
                yield digest


def _aged(reader: Reader, owner: Erasable, rule: RetentionRule, at: datetime) -> Sequence[tuple[Digest, str]]:
    limit = at - timedelta(days=rule.days or 0)
    before = (limit + ANY_OFFSET).date().isoformat()
    aged = [(parse_time(since, "clock"), digest, since) for digest, since in owner.aged(reader, before)]
    return [(digest, since) for time, digest, since in sorted(aged) if time < limit]
