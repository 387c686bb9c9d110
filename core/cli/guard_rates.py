"""`assay documents guard-rates`: how much guards find, and how often they take ordinary text for an attack, on texts of your own."""

from pathlib import Path

import click

from core.cli.output import table
from core.cli.session import FILE, Session, pass_session
from core.errors import BadInput
from core.evals.statistics import wilson
from core.guards import measuring
from core.guards.classifiers import ByLikelihood
from core.guards.measuring import Share
from core.records import Json


@click.command("guard-rates")
@click.option("--attacks", type=FILE, multiple=True, help="Texts that speak to a model; more files may be given.")
@click.option("--ordinary", type=FILE, multiple=True, help="Texts that don't; more files may be given.")
@click.option("--personal", type=FILE, help="Texts with marked personal data, as presidio-research writes them.")
@click.option("--classifier", metavar="MODEL", help="A chat model that judges each text too, at several thresholds.")
@click.option("--threshold", type=click.FloatRange(0, 1), multiple=True, help="Beside 0.1, 0.25, 0.5, 0.75 and 0.9.")
@pass_session
def guard_rates(
    session: Session,
    attacks: tuple[Path, ...],
    ordinary: tuple[Path, ...],
    personal: Path | None,
    classifier: str | None,
    threshold: tuple[float, ...],
) -> None:
    """What guards find in texts of which you know what they are, with 95 % intervals. Nothing of the texts is kept.

    Files: a JSON list, JSON lines, or paragraphs with blank lines between them.
    """
    if not (attacks or ordinary or personal):
        raise click.UsageError("Give --attacks, --ordinary or --personal.")
    if classifier and not (attacks or ordinary):
        raise click.UsageError("--classifier goes with --attacks and --ordinary.")
    bad, good = _texts(attacks), _texts(ordinary)
    kinds = measuring.by_kind(personal.name, _bytes(personal)) if personal else []
    rates = [measuring.by_rules(bad, good)] if bad or good else []
    if classifier:
        with session.workbench() as bench:
            model = bench.models.show(classifier)
            judge = ByLikelihood(bench.engine.weigh, model.digest, model.name)
            limits = (*measuring.THRESHOLDS, *threshold)
            rates += measuring.by_classifier(judge, bad, good, limits, session.output.job("Judging"))
    session.output.result(
        {
            "rates": [
                {
                    "method": one.method,
                    "threshold": one.threshold,
                    "attacks": _json(one.attacks),
                    "ordinary": _json(one.ordinary),
                }
                for one in rates
            ],
            "personal": [
                {"kind": one.kind, "recall": _json(one.recall), "precision": _json(one.precision)} for one in kinds
            ],
        },
        [
            *(
                table(
                    ("method", "from", "attacks found", "alarms on ordinary texts"),
                    [
                        (
                            one.method,
                            "" if one.method == "rules" else f"{one.threshold:.2f}",
                            _said(one.attacks),
                            _said(one.ordinary),
                        )
                        for one in rates
                    ],
                )
                if rates
                else []
            ),
            *(
                table(
                    ("kind", "found", "right of what was found"),
                    [(one.kind, _said(one.recall), _said(one.precision)) for one in kinds],
                )
                if kinds
                else []
            ),
        ],
    )


def _texts(paths: tuple[Path, ...]) -> list[str]:
    return [text for path in paths for text in measuring.texts(path.name, _bytes(path))]


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(source=path.name, problem="it can't be read. Check the path and its permissions.") from error


def _json(share: Share) -> Json:
    low, high = wilson(share.found, share.of)
    return {"found": share.found, "of": share.of, "low": round(low, 4), "high": round(high, 4)}


def _said(share: Share) -> str:
    if not share.of:
        return "none given"
    low, high = wilson(share.found, share.of)
    return f"{share.found:,} of {share.of:,} ({low:.1%} to {high:.1%})"
