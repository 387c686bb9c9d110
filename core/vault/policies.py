"""The policy of a vault: what it asks of its people beyond their roles, as 21 CFR Part 11 and Annex 11 leave it to each firm.

Rules: a policy is a version in the vault, signed as authored by the administrator who made it, and in the log; it holds from its commit
on; where none was ever made, the defaults hold. People are counted, not cards and not signatures, and only signatures that verify
(`judging`). Labels move through `move_label` alone.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

import msgspec

from core.errors import BadInput, Refused
from core.records import Digest, Record, now
from core.trust.times import parse_time
from core.vault import judging, users, versions
from core.vault.records import Finding, Signature
from core.vault.roles import Act, Role
from core.vault.signing import Signer
from core.vault.unit import Reader, Unit

if TYPE_CHECKING:
    from core.vault.vault import Vault

KIND = NAME = "policy"
MOST_REVIEWERS = 2
REASONED = (
    Act.SIGN,
    Act.APPROVE,
    Act.LABEL,
    Act.REMOVE_DOCUMENTS,
    Act.REMOVE_MODEL,
    Act.EXPORT_PACK,
    Act.EXPORT_DATASET,
    Act.EXPORT_TRAIL,
    Act.REVOKE_USER,
    Act.RESET_USER,
    Act.CHANGE_ROLES,
    Act.ROTATE_KEY,
    Act.SET_RETENTION,
)
"""The acts for which a reason can be asked: their operations take one. Erasing, holds and the policy itself need one always."""
SIGNING = frozenset({Act.SIGN, Act.APPROVE, Act.EXPORT_PACK, Act.REVIEW_TRAIL, Act.CHANGE_SETTINGS})
"""The acts that are a person's signature."""
Judgement = Literal["", "reviewed", "approved"]


class LabelRule(Record, frozen=True, kw_only=True):
    """What a version needs before a label may point at it."""

    label: str
    reviewers: int
    """How many different people must have reviewed or approved it, none of them its author: 0, 1 or 2."""
    meaning: Judgement
    """What one of them must have signed it as; empty where it doesn't matter."""


class Policy(Record, frozen=True, kw_only=True):
    """Each field has a default that suits Part 11."""

    labels: tuple[LabelRule, ...] = (
        LabelRule(label="approved", reviewers=1, meaning="approved"),
        LabelRule(label="production", reviewers=1, meaning="approved"),
    )
    reasons: tuple[str, ...] = tuple(
        act.value for act in (Act.REVOKE_USER, Act.RESET_USER, Act.CHANGE_ROLES, Act.SET_RETENTION)
    )
    """The acts that need a reason, beside those that need one always. By default those that are rare and change who may do what, or how long
    content lasts: what is signed says its meaning already, and what is done every day would get reasons that say nothing."""
    passphrase_days: int = 365
    """After so many days a passphrase must be changed before anything else is; 0: never."""
    own_passphrase: bool = False
    """Whether nobody signs with a passphrase that an administrator chose for them: it must be changed first."""
    lockout_attempts: int = 5
    """After so many wrong passphrases in a row nobody gets in or signs under that name for a while."""
    lockout_minutes: int = 15
    idle_minutes: int = 15
    """After so long without a touch the window locks, and a sitting of signing ends."""
    approved_models: Literal["no", "answers", "all"] = "no"
    """Whether only approved models answer questions ("answers"), or are evaluated too ("all")."""
    approved_specs: Literal["no", "releases"] = "no"
    """Whether only runs whose spec somebody approved before they started count for a release, and are packed."""
    backup_days: int = 7
    """After so many days without a backup the program reminds of it; 0: never."""

    def rule(self, label: str) -> LabelRule:
        """What a label needs; nothing, where the policy doesn't name it."""
        none = LabelRule(label=label, reviewers=0, meaning="")
        return next((rule for rule in self.labels if rule.label == label), none)


class PolicyVersion(Record, frozen=True, kw_only=True, tag="policy"):
    """One version of the policy, as it is stored and signed."""

    number: int
    parent: Digest | None
    author: str
    saved: str
    policy: Policy

    @property
    def reference(self) -> str:
        """`policy@number`."""
        return f"{NAME}@{self.number}"


DEFAULT = Policy()
_NUMBERS = {
    "passphrase-days": (0, 3650),
    "lockout-attempts": (3, 100),
    "lockout-minutes": (1, 1440),
    "idle-minutes": (1, 480),
    "backup-days": (0, 365),
}
"""The settings that are numbers, with the least and the most."""


def current(reader: Reader) -> Policy:
    """The policy in force. Raises `Damaged`."""
    version = latest(reader)
    return DEFAULT if version is None else version.policy


def latest(reader: Reader) -> PolicyVersion | None:
    """The newest version, or None while the defaults hold. Raises `Damaged`."""
    row = reader.db.execute(
        "SELECT digest FROM versions WHERE kind = ? AND name = ? ORDER BY number DESC LIMIT 1", (KIND, NAME)
    ).fetchone()
    return None if row is None else reader.get(Digest(row[0]), PolicyVersion)


def history(reader: Reader) -> tuple[PolicyVersion, ...]:
    """All versions, newest first."""
    found = versions.digests(reader, KIND, NAME)
    return tuple(reader.get(found[number], PolicyVersion) for number in sorted(found, reverse=True))


def change(vault: "Vault", settings: Mapping[str, str], reason: str, signer: Signer) -> Policy:
    """Change some settings (see `settings_of`), signed as authored by the administrator who does.

    What equals the policy in force makes no version. Raises `BadInput` without a reason or for a setting that there is none of, `Refused`.
    """
    if not reason.strip():
        raise BadInput(source="Policy", problem="a change of the policy needs a reason. Give one.")
    with vault.write(Act.CHANGE_SETTINGS, about=NAME, reason=reason) as unit:
        before = current(unit)
        wanted = changed(before, settings)
        if wanted == before:
            return wanted

        def make(number: int, parent: Digest | None) -> PolicyVersion:
            return PolicyVersion(number=number, parent=parent, author=unit.user.user, saved=now(), policy=wanted)

        digest, version, _ = versions.save(unit, KIND, NAME, PolicyVersion, lambda last: last.policy == wanted, make)
        unit.sign(signer, digest, version.reference, "authored", reason)
        was, now_is = settings_of(before), settings_of(wanted)
        for name in now_is:
            if was.get(name) != now_is[name]:
                unit.note(before=f"{name} {was.get(name, '')}".rstrip(), after=f"{name} {now_is[name]}".rstrip())
    return wanted


def sign(vault: "Vault", reference: str, meaning: str, reason: str, signer: Signer) -> Signature:
    """Sign a version of the policy (`policy@2`, or `policy` for the latest) as reviewed or approved by somebody else than its author."""
    with vault.write(Act.APPROVE if meaning == "approved" else Act.SIGN, about=reference, reason=reason) as unit:
        digest = versions.resolve(unit, KIND, reference)
        name = unit.get(digest, PolicyVersion).reference
        versions.check_signer(name, unit.authors(digest), signer.user.user, meaning)
        return unit.sign(signer, digest, name, meaning, reason)


def settings_of(policy: Policy) -> dict[str, str]:
    """A policy as the settings that `changed` takes, all of them."""
    found: dict[str, str] = {}
    for rule in policy.labels:
        found[f"{rule.label}.reviewers"] = str(rule.reviewers)
        found[f"{rule.label}.signature"] = rule.meaning or "none"
    found["reasons"] = ",".join(policy.reasons)
    found["own-passphrase"] = "yes" if policy.own_passphrase else "no"
    found["approved-models"] = policy.approved_models
    found["approved-specs"] = policy.approved_specs
    for key in _NUMBERS:
        found[key] = str(getattr(policy, key.replace("-", "_")))
    return found


def changed(policy: Policy, settings: Mapping[str, str]) -> Policy:
    """The policy with some settings changed. Raises `BadInput`.

    LABEL.reviewers: 0 to 2. LABEL.signature: reviewed, approved or none. reasons: acts, with commas between. own-passphrase: yes or no.
    approved-models: no, answers or all. approved-specs: no or releases. The others are numbers.
    """
    for key, value in settings.items():
        label, dot, what = key.rpartition(".")
        if dot and what in ("reviewers", "signature"):
            policy = _with_label(policy, label, what, value)
        elif key == "reasons":
            policy = msgspec.structs.replace(policy, reasons=_acts(value))
        elif key == "own-passphrase" and value in ("yes", "no"):
            policy = msgspec.structs.replace(policy, own_passphrase=value == "yes")
        elif key == "approved-models" and value in ("no", "answers", "all"):
            policy = msgspec.structs.replace(policy, approved_models=value)
        elif key == "approved-specs" and value in ("no", "releases"):
            policy = msgspec.structs.replace(policy, approved_specs=value)
        elif key in _NUMBERS:
            number = _number(key, value, *_NUMBERS[key])
            policy = msgspec.structs.replace(policy, **{key.replace("-", "_"): number})
        else:
            known = ", ".join(
                (
                    "LABEL.reviewers",
                    "LABEL.signature",
                    "reasons",
                    "own-passphrase (yes, no)",
                    "approved-models (no, answers, all)",
                    "approved-specs (no, releases)",
                    *_NUMBERS,
                )
            )
            raise BadInput(source=key, problem=f"there is no such setting, or not with that value. There are {known}.")
    return policy


def missing(reader: Reader, label: str, digest: Digest) -> str:
    """What a version still needs before `label` may point at it, in one sentence; "" when it may."""
    rule = current(reader).rule(label)
    if not rule.reviewers and not rule.meaning:
        return ""
    given = judging.judges(reader, digest)
    if len(given) < rule.reviewers:
        people = "one person" if rule.reviewers == 1 else f"{rule.reviewers} people"
        return f"The policy asks for signatures of {people} besides its author; so far there are {len(given)}."
    if rule.meaning and not any(rule.meaning in meanings for meanings in given.values()):
        return f"The policy asks that somebody besides its author signed it as {rule.meaning}."
    return ""


def approved(reader: Reader, digest: Digest) -> bool:
    """Whether somebody approved a version, and all that the policy asks for the label `approved` is there."""
    given = judging.judges(reader, digest).values()
    return any("approved" in meanings for meanings in given) and not missing(reader, "approved", digest)


def move_label(unit: Unit, kind: str, name: str, label: str, number: int) -> None:
    """Point a label at a version. Raises `Refused` while signatures that the policy asks for are missing."""
    problem = missing(unit, label, versions.digests(unit, kind, name)[number])
    if problem:
        raise Refused(act=f"Label {name}@{number} {label}", reason=problem)
    versions.set_label(unit, kind, name, label, number)


def check_write(reader: Reader, act: Act, reason: str, user: str) -> None:
    """What the policy asks of every change, before it begins.

    Raises `BadInput` when it asks for a reason and none is given, `Refused` when the person must change their passphrase first.
    """
    policy = current(reader)
    if act not in (Act.CHANGE_PASSPHRASE, Act.RECOVER):
        _check_passphrase(reader, policy, act, user)
    if not reason.strip() and act in policy.reasons:
        raise BadInput(
            source=act.replace("-", " ").capitalize(), problem="this vault's policy asks for a reason. Give one."
        )


def findings(reader: Reader) -> Iterator[Finding]:
    """Versions of the policy that no administrator signed."""
    for version in history(reader):
        digest = versions.digests(reader, KIND, NAME)[version.number]
        by = [given for given in judging.counting(reader, digest) if given.meaning == "authored"]
        if not any(Role.ADMIN in users.card(reader.db, given.card).roles for given in by):
            yield Finding(
                where=version.reference,
                what="isn't signed by an administrator.",
                step="Look at the audit log, and set the policy again.",
            )


def _check_passphrase(reader: Reader, policy: Policy, act: Act, user: str) -> None:
    step = "Change it with `assay user passphrase`."
    said = act.replace("-", " ").capitalize()
    if policy.passphrase_days:
        changed = parse_time(users.passphrase_changed(reader.db, user), "passphrase")
        if datetime.now().astimezone() - changed > timedelta(days=policy.passphrase_days):
            raise Refused(act=said, reason=f"Your passphrase is over {policy.passphrase_days} days old. {step}")
    if policy.own_passphrase and act in SIGNING and users.passphrase_by(reader.db, user) not in ("", user):
        raise Refused(act=said, reason=f"Somebody else chose your passphrase. {step}")


def _with_label(policy: Policy, label: str, what: str, value: str) -> Policy:
    versions.check_name("label", label)
    rule = policy.rule(label)
    if what == "reviewers":
        number = _number(f"{label}.reviewers", value, 0, MOST_REVIEWERS)
        rule = msgspec.structs.replace(rule, reviewers=number)
    elif value in ("reviewed", "approved", "none"):
        rule = msgspec.structs.replace(rule, meaning="" if value == "none" else value)
    else:
        raise BadInput(source=f"{label}.signature", problem=f"{value} is none of reviewed, approved, none.")
    others = [other for other in policy.labels if other.label != label]
    return msgspec.structs.replace(policy, labels=tuple(sorted((*others, rule), key=lambda rule: rule.label)))


def _acts(value: str) -> tuple[str, ...]:
    wanted = {word.strip() for word in value.split(",")} - {""}
    able = [act.value for act in REASONED]
    for word in sorted(wanted - set(able)):
        raise BadInput(source="reasons", problem=f"{word} takes no reason. These do: {', '.join(able)}.")
    return tuple(act for act in able if act in wanted)


def _number(key: str, value: str, least: int, most: int) -> int:
    if not value.isascii() or not value.isdigit() or not least <= int(value) <= most:
        raise BadInput(source=key, problem=f"{value} is no whole number from {least} to {most}.")
    return int(value)
