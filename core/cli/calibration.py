"""`assay documents calibration`: how far the scores of quotes can be trusted."""

import click

from core.assistants import calibration as calibrated
from core.assistants.calibration import Share
from core.assistants.quotes import NEEDED
from core.cli.output import table
from core.cli.session import Session, pass_session
from core.records import Json


@click.command()
@pass_session
def calibration(session: Session) -> None:
    """What the score of a quotes answer means: how often answers were right, and how many were given, by the score that is needed.

    Measured on questions of ours over public documents, each left out of the fit that scored it. Your documents may differ.
    """
    curve = calibrated.curve()
    needed = [calibrated.at_needed(curve.points, one) for one in calibrated.NEEDED]
    ranges = [calibrated.in_range(curve.points, low, high) for low, high in calibrated.RANGES]
    answerable = sum(point.answerable for point in curve.points)
    session.output.result(
        {
            "questions": len(curve.points),
            "answerable": answerable,
            "documents": list(curve.collections),
            "needed": NEEDED,
            "curve": [
                {
                    "needed": one.needed,
                    "answered": _share(one.answered),
                    "right": _share(one.right),
                    "answered_unanswerable": _share(one.unanswerable),
                }
                for one in needed
            ],
            "reliability": [
                {"low": one.low, "high": one.high, "said": one.said, "right": _share(one.right)} for one in ranges
            ],
        },
        [
            f"{len(curve.points)} questions over {' and '.join(curve.collections)}, {answerable} of which the documents answer. "
            f"An answer needs a score of {NEEDED:.2f}. Shares with 95 % intervals.",
            "",
            *table(
                ("needed", "answered", "right of these", "answered though nothing says it"),
                [
                    (f"{one.needed:.2f}", _said(one.answered), _said(one.right), _said(one.unanswerable))
                    for one in needed
                ],
            ),
            "",
            *table(
                ("score", "mean score", "right"),
                [
                    (
                        f"{one.low:.1f} to {one.high:.1f}",
                        "-" if one.said is None else f"{one.said:.2f}",
                        _said(one.right),
                    )
                    for one in ranges
                ],
            ),
        ],
    )


def _share(one: Share) -> Json:
    return {
        "number": one.number,
        "of": one.of,
        "share": one.value,
        "low": round(one.low, 4),
        "high": round(one.high, 4),
    }


def _said(one: Share) -> str:
    if one.value is None:
        return "-"
    return f"{one.number} of {one.of}, {one.value:.2f} ({one.low:.2f} to {one.high:.2f})"
