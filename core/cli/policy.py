"""`assay vault policy`: what a vault asks of its people beyond their roles."""

import click

from core.cli.output import table
from core.cli.session import Session, pass_session
from core.cli.signing import signing
from core.errors import BadInput
from core.records import Json
from core.trust.canonical import builtins, canonical, digest
from core.vault import policies
from core.vault.policies import Policy, PolicyVersion


@click.command("policy")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change a setting; give it again for more.")
@click.option("--reason", default="", help="Why; it is part of what is signed. A change needs one.")
@pass_session
def policy(session: Session, settings: tuple[str, ...], reason: str) -> None:
    """Show the vault's policy, or change it under an administrator's signature.

    LABEL.reviewers (0, 1, 2): how many people besides the author must have reviewed or approved a version before LABEL points at it.
    LABEL.signature (reviewed, approved, none): what one of them must have signed it as. reasons: the acts that need a reason, with commas.
    own-passphrase (yes, no): nobody signs with a passphrase that somebody else chose. approved-models (no, answers, all): whether
    only approved models answer questions, or are evaluated too (`assay model card`). approved-specs (no, releases): whether a version is
    released, and a run packed, only by a spec that somebody approved before the run (`assay eval approve`). passphrase-days,
    lockout-attempts, lockout-minutes, idle-minutes, backup-days: numbers; 0 days is never.
    """
    with session.workbench() as bench:
        wanted = parsed(settings)
        if wanted:
            with bench.vault.read() as reader:
                after = policies.changed(policies.current(reader), wanted)
            text = "\n".join(f"{key} = {value}" for key, value in policies.settings_of(after).items())
            content = digest(canonical(builtins(after)))
            with signing(session, bench, "the vault's policy", content, text, "authored", reason) as signer:
                policies.change(bench.vault, wanted, reason, signer)
        with bench.vault.read() as reader:
            version, held = policies.latest(reader), policies.current(reader)
        session.output.result(policy_json(version, held), policy_lines(version, held))


def parsed(settings: tuple[str, ...]) -> dict[str, str]:
    """The settings of a line, by key. Raises `BadInput` for what isn't KEY=VALUE."""
    found: dict[str, str] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key:
            raise BadInput(source=setting, problem="write a setting as KEY=VALUE.")
        found[key.strip()] = value.strip()
    return found


def policy_json(version: PolicyVersion | None, held: Policy) -> dict[str, Json]:
    """The interface's form of a policy."""
    return {
        "policy": version.reference if version else None,
        "author": version.author if version else None,
        "saved": version.saved if version else None,
        "settings": dict(policies.settings_of(held)),
    }


def policy_lines(version: PolicyVersion | None, held: Policy) -> list[str]:
    """Who made it, then its settings."""
    made = (
        f"{version.reference}, by {version.author}, {version.saved}"
        if version
        else "The defaults; nobody has changed them."
    )
    return [made, "", *table(("setting", "value"), list(policies.settings_of(held).items()))]
