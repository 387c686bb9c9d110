"""`assay model card`: what a model is for, signed and approved as prompts are."""

import click
import msgspec

from core.cli.output import short, table
from core.cli.session import Session, pass_session
from core.cli.signing import signing
from core.models.cards import signing_text
from core.models.records import CardState, SaveCard, SignCard
from core.records import Json

REASON = click.option("--reason", default="", help="Why, in your own words; it is part of what is signed.")


@click.group()
def card() -> None:
    """Model cards and their approval."""


@card.command()
@click.argument("model")
@click.option("--use", "intended", help="What the model is for.")
@click.option("--not-for", "unsuited", help="What it isn't for.")
@click.option("--source", help="Where it comes from, and who made it.")
@click.option("--licence", help="The licence; the one that its file says where it isn't given.")
@click.option("--limits", help="What it can't do, or does badly.")
@click.option("--run", "runs", multiple=True, metavar="RUN", help="An evaluation run with its results; again for more.")
@pass_session
def save(
    session: Session,
    model: str,
    intended: str | None,
    unsuited: str | None,
    source: str | None,
    licence: str | None,
    limits: str | None,
    runs: tuple[str, ...],
) -> None:
    """Keep a new version of a model's card; what isn't given stays as it was."""
    with session.workbench() as bench:
        request = SaveCard(
            model=model,
            intended=intended,
            unsuited=unsuited,
            source=source,
            licence=licence,
            limits=limits,
            evaluations=runs or None,
        )
        saved = bench.model_cards.save(request)
        state = "Saved" if saved.created else "Unchanged:"
        session.output.result(
            {"card": saved.card.reference, "digest": saved.digest, "created": saved.created},
            [f"{state} {saved.card.reference}, digest {short(saved.digest)}."],
        )


@card.command("list")
@pass_session
def list_cards(session: Session) -> None:
    """The latest card of each model."""
    with session.workbench() as bench:
        _print(session, bench.model_cards.list())


@card.command()
@click.argument("model")
@pass_session
def versions(session: Session, model: str) -> None:
    """All versions of a model's card, newest first."""
    with session.workbench() as bench:
        _print(session, bench.model_cards.versions(model))


@card.command()
@click.argument("reference", metavar="MODEL[@VERSION]")
@pass_session
def show(session: Session, reference: str) -> None:
    """A version's exact text, who signed it, and whether the model is approved by it."""
    with session.workbench() as bench:
        state = bench.model_cards.show(reference)
        signed = [f"Signed as {meaning}: {name}." for meaning, name in state.signed]
        about = [] if state.current else ["Another file is registered under this name now; this card isn't about it."]
        approved = (
            "The model is approved by this version." if state.approved else "The model isn't approved by this version."
        )
        session.output.result(
            {**_json(state), "content": msgspec.to_builtins(state.card)},
            [signing_text(state.card), "", *(signed or ["Nobody has signed this version."]), *about, approved],
        )


@card.command()
@click.argument("reference", metavar="MODEL@V")
@click.option(
    "--meaning",
    type=click.Choice(["authored", "reviewed", "approved"]),
    required=True,
    help="What you stand for with your name.",
)
@REASON
@pass_session
def sign(session: Session, reference: str, meaning: str, reason: str) -> None:
    """Sign a version's exact content. The passphrase is asked for again."""
    _sign(session, reference, meaning, reason)


@card.command()
@click.argument("reference", metavar="MODEL@V")
@REASON
@pass_session
def approve(session: Session, reference: str, reason: str) -> None:
    """Sign a card as approved: the model counts as approved once the policy's signatures are there. Nobody approves their own work."""
    _sign(session, reference, "approved", reason)


@card.command()
@click.argument("model")
@click.option("--reason", default="", help="Why; it stands in the audit log. Needed.")
@pass_session
def withdraw(session: Session, model: str, reason: str) -> None:
    """End a model's approval."""
    with session.workbench() as bench:
        state = bench.model_cards.withdraw(model, reason)
        session.output.result(_json(state), [f"{state.card.name} is no longer approved."])


def _sign(session: Session, reference: str, meaning: str, reason: str) -> None:
    with session.workbench() as bench:
        state = bench.model_cards.show(reference)
        name, text = state.card.reference, signing_text(state.card)
        request = SignCard(reference=name, meaning=meaning, reason=reason)  # type: ignore[arg-type]
        with signing(session, bench, f"the card {name}", state.digest, text, meaning, reason) as signer:
            signature = bench.model_cards.sign(request, signer)
        approved = bench.model_cards.show(name).approved
        session.output.result(
            {
                "card": name,
                "meaning": signature.meaning,
                "name": signature.name,
                "time": signature.time,
                "digest": state.digest,
                "approved": approved,
            },
            [
                f"Signed {name} as {meaning}: {signature.name}, {signature.time}.",
                *([f"{state.card.name} is approved now."] if approved else []),
            ],
        )


def _print(session: Session, states: tuple[CardState, ...]) -> None:
    session.output.result(
        {"cards": [_json(state) for state in states]},
        table(
            ("card", "author", "saved", "approved", "signed"),
            [
                (
                    state.card.reference,
                    state.card.author,
                    state.card.saved,
                    "yes" if state.approved else "no",
                    ", ".join(f"{meaning}: {name}" for meaning, name in state.signed),
                )
                for state in states
            ],
        ),
    )


def _json(state: CardState) -> dict[str, Json]:
    return {
        "card": state.card.reference,
        "model": state.card.name,
        "file": state.card.model,
        "digest": state.digest,
        "current": state.current,
        "approved": state.approved,
        "signed": [{"meaning": meaning, "name": name} for meaning, name in state.signed],
    }
