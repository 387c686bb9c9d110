"""`assay vault retention`, `erase`, `hold` and `release`: how long content is kept, what must stay, what must go.

Each shows what it would do, and does it only with `--yes`. Things are named KIND:NAME, as in `document:handbook/rules.pdf`,
`collection:handbook`, `dataset:questions@2`, `run:run-3`, `trace:DIGEST`.
"""

from datetime import datetime

import click

from core.cli.output import table
from core.cli.session import Session, pass_session
from core.cli.signing import announced
from core.errors import BadInput
from core.vault import erasure, holds, retention
from core.vault.erasure import Erase, Plan
from core.vault.holds import Hold, HoldState, PlaceHold, Thing
from core.vault.retention import Due, RetentionRule, SetRetention
from core.workbench import ERASABLES, Workbench

NOT_DONE = "Nothing was changed. Add --yes to do it."
NEVER = "never"
yes_option = click.option("--yes", is_flag=True, help="Do it; without this, only show what would happen.")


@click.command("retention")
@click.option("--set", "wanted", metavar="KIND=DAYS", help="Keep a kind of content so many days; KIND=never for ever.")
@click.option("--reason", default="", help="Why; it stays in the log and on the tombstones.")
@yes_option
@pass_session
def retention_command(session: Session, wanted: str | None, reason: str, yes: bool) -> None:
    """How long content is kept, and what is due. With --yes, erase what is due and not held, or set the rule of --set."""
    request = _rule(wanted, reason) if wanted else None
    at = datetime.now().astimezone()
    with session.workbench() as bench:
        done = 0
        stones: tuple[str, ...] = ()
        if request is not None and yes:
            retention.set_rule(bench.vault, ERASABLES, request)
        with bench.vault.read() as reader:
            rules = retention.rules(reader)
            trial = retention.tried(rules, request) if request is not None and not yes else rules
            due = retention.preview(reader, ERASABLES, at, trial, bench.vault.user)
        if request is None and yes and any(not one.holds for one in due):
            going = "\n".join(f"{one.kind} {one.label}" for one in due if not one.holds)
            with announced(session, bench, "the erasure of what is due", going, reason) as signer:
                told = retention.apply(bench.vault, ERASABLES, signer, at, reason, session.output.job("Erasing"))
            done, stones = told.items, told.tombstones
        content = {
            "rules": [{"name": rule.name, "days": rule.days} for rule in rules],
            "due": [
                {
                    "rule": one.rule,
                    "kind": one.kind,
                    "digest": one.digest,
                    "label": one.label,
                    "since": one.since,
                    "holds": list(one.holds),
                }
                for one in due
            ],
            "erased": done,
            "tombstones": list(stones),
            "done": yes,
        }
        lines = _rules(rules) + _due(due, trial)
        if done:
            lines.append(f"Erased {done}, told by {len(stones)} signed tombstones. {erasure.COMPACT}")
        elif not yes and (due or request is not None):
            lines.append(NOT_DONE)
        session.output.result(content, lines)


@click.command("erase")
@click.argument("things", metavar="KIND:NAME...", nargs=-1, required=True)
@click.option("--reason", required=True, help="Why it must go; it stays on the tombstone, so name nobody in it.")
@click.option("--quoting", is_flag=True, help="Also the traces and outcomes that quote it.")
@click.option("--copies", is_flag=True, help="Also documents with the same bytes, in any collection.")
@yes_option
@pass_session
def erase_command(
    session: Session, things: tuple[str, ...], reason: str, quoting: bool, copies: bool, yes: bool
) -> None:
    """Erase content for good, by law. A signed tombstone stays; the log and the signatures still verify."""
    request = Erase(things=_things(things), reason=reason, quoting=quoting, copies=copies)
    with session.workbench() as bench:
        with bench.vault.read() as reader:
            plan = erasure.plan(reader, ERASABLES, request)
        stones: tuple[str, ...] = ()
        if yes:
            going = "\n".join(f"{item.kind} {item.label}" for item in plan.items)
            asking = session.signer(bench) if plan.held else announced(session, bench, "the erasure", going, reason)
            with asking as signer:
                stones = erasure.erase(
                    bench.vault, ERASABLES, signer, request, session.output.job("Erasing")
                ).tombstones
        session.output.result(
            {
                "items": [
                    {"kind": i.kind, "digest": i.digest, "label": i.label, "time": i.time, "holds": list(i.holds)}
                    for i in plan.items
                ],
                "records": plan.records,
                "blobs": plan.blobs,
                "bytes": plan.bytes,
                "remains": list(plan.remains),
                "tombstones": list(stones),
                "done": yes,
            },
            _planned(plan, yes),
        )


@click.command("hold")
@click.argument("name", required=False)
@click.argument("things", metavar="KIND:NAME...", nargs=-1)
@click.option("--reason", default="", help="Why it must be kept.")
@yes_option
@pass_session
def hold_command(session: Session, name: str | None, things: tuple[str, ...], reason: str, yes: bool) -> None:
    """Keep things from being erased until the hold is released; without a name, list the holds."""
    with session.workbench() as bench:
        if name is None:
            with bench.vault.read() as reader:
                _show_holds(session, holds.holds(reader), True)
            return
        request = PlaceHold(name=name, reason=reason, things=_things(things))
        if yes:
            with bench.vault.read() as reader:
                text = _keeps(holds.check(reader, ERASABLES, request))
            with announced(session, bench, f"hold {name}", text, reason) as signer:
                state = holds.place(bench.vault, ERASABLES, signer, request)
        else:
            with bench.vault.read() as reader:
                state = HoldState(digest=holds.NO_DIGEST, hold=holds.check(reader, ERASABLES, request))
        _show_holds(session, (state,), yes)


@click.command("release")
@click.argument("name")
@click.option("--reason", required=True, help="Why it may go.")
@yes_option
@pass_session
def release_command(session: Session, name: str, reason: str, yes: bool) -> None:
    """End a hold. Whoever does can't erase what it covered: that takes another administrator, whose keys you didn't give them lately."""
    with session.workbench() as bench:
        if yes:
            state = _released(session, bench, name, reason)
        else:
            with bench.vault.read() as reader:
                state = holds.show(reader, name)
        _show_holds(session, (state,), yes)


COMMANDS = (retention_command, erase_command, hold_command, release_command)


def _released(session: Session, bench: Workbench, name: str, reason: str) -> HoldState:
    with bench.vault.read() as reader:
        text = _keeps(holds.show(reader, name).hold)
    with announced(session, bench, f"the release of hold {name}", text, reason) as signer:
        return holds.release(bench.vault, ERASABLES, signer, name, reason)


def _keeps(hold: Hold) -> str:
    return "\n".join(f"{held.kind} {held.label}" for held in hold.things)


def _things(given: tuple[str, ...]) -> tuple[Thing, ...]:
    found = []
    for one in given:
        kind, colon, reference = one.partition(":")
        if not colon or not reference:
            raise BadInput(source=one, problem="name a thing as KIND:NAME, as in document:handbook/rules.pdf.")
        found.append(Thing(kind=kind, reference=reference))
    return tuple(found)


def _rule(wanted: str, reason: str) -> SetRetention:
    name, _, days = wanted.partition("=")
    if days != NEVER and not (days.isdigit() and len(days) < 7):
        raise BadInput(source=wanted, problem=f"give it as KIND=DAYS, as in traces=365, or KIND={NEVER}.")
    return SetRetention(name=name, days=None if days == NEVER else int(days), reason=reason)


def _rules(rules: tuple[RetentionRule, ...]) -> list[str]:
    if not rules:
        return ["No rule is set: everything is kept."]
    return [f"{rule.name} are kept for {rule.days} days." for rule in rules]


def _due(due: tuple[Due, ...], rules: tuple[RetentionRule, ...]) -> list[str]:
    if not due:
        return ["Nothing is due."] if rules else []
    return table(
        ("rule", "what", "since", "kept by the hold"),
        [(one.rule, one.label, one.since[:10], ", ".join(one.holds)) for one in due],
    )


def _planned(plan: Plan, done: bool) -> list[str]:
    lines = table(
        ("kind", "what", "recorded", "kept by the hold"),
        [(item.kind, item.label, item.time[:10], ", ".join(item.holds)) for item in plan.items],
    )
    verb = "Erased" if done else "This would erase"
    lines.append(f"{verb} {plan.records} records and {plan.blobs} files ({plan.bytes} bytes) for good.")
    lines += plan.remains
    if plan.held and not done:
        lines.append("Holds keep some of it: it is refused until they are released by somebody else than who erases.")
    return lines if done else [*lines, NOT_DONE]


def _show_holds(session: Session, states: tuple[HoldState, ...], done: bool) -> None:
    session.output.result(
        {
            "holds": [
                {
                    "name": state.hold.name,
                    "reason": state.hold.reason,
                    "things": [{"kind": h.kind, "id": h.id, "label": h.label} for h in state.hold.things],
                    "user": state.hold.user,
                    "time": state.hold.time,
                    "released": None
                    if state.release is None
                    else {"user": state.release.user, "time": state.release.time, "reason": state.release.reason},
                }
                for state in states
            ],
            "done": done,
        },
        [
            *table(
                ("hold", "keeps", "reason", "by", "since", "released"),
                [
                    (
                        state.hold.name,
                        ", ".join(f"{held.kind} {held.label}" for held in state.hold.things),
                        state.hold.reason,
                        state.hold.user,
                        state.hold.time[:10],
                        "" if state.release is None else f"{state.release.time[:10]} by {state.release.user}",
                    )
                    for state in states
                ],
                "There are no holds.",
            ),
            *([] if done else [NOT_DONE]),
        ],
    )
