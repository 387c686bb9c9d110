"""A comparison of runs as lines and as JSON."""

import math

from core.cli.output import table
from core.evals.comparison import Compared, Comparison
from core.evals.records import SIGNIFICANT
from core.records import Json

MOST_NAMED = 10
"""Samples that a line names."""


def comparison_json(found: Comparison) -> dict[str, Json]:
    """The interface's form of a comparison."""
    return {
        "baseline": {"run": found.baseline_run, "variant": found.baseline_variant},
        "left_out": found.left_out,
        "differences": [_row_json(row) for row in found.rows],
        "changed": [
            {"run": c.run, "variant": c.variant, "improved": list(c.improved), "regressed": list(c.regressed)}
            for c in found.changed
        ],
    }


def comparison_lines(found: Comparison) -> list[str]:
    """The table of differences, which samples changed sides, and what so few samples would not show."""
    lines = [f"Against {found.baseline_run}: {found.baseline_variant}"]
    if found.left_out:
        lines.append(
            f"{found.left_out} of its samples are left out: the other datasets don't have them as they are here."
        )
    header = ("run", "variant", "metric", "samples", "before", "after", "difference", "p", "p corrected", "size", "")
    lines += table(header, [_row(row) for row in found.rows], empty="There is nothing else to compare.")
    for changed in found.changed:
        for word, samples in (("improved", changed.improved), ("regressed", changed.regressed)):
            if samples:
                more = f" and {len(samples) - MOST_NAMED} more" if len(samples) > MOST_NAMED else ""
                named = ", ".join(samples[:MOST_NAMED])
                lines.append(f"{changed.run}: {changed.variant}: {len(samples)} {word}: {named}{more}")
    least = {row.scorer: row for row in found.rows if not row.tag and row.effect_name == "h"}
    lines += [
        f"{row.scorer}: with {row.n} samples, a difference under {row.detectable * 100:.0f} points would not show."
        for row in least.values()
        if row.detectable < 1
    ]
    return lines


def _row(row: Compared) -> tuple[str, ...]:
    sure = row.holm < SIGNIFICANT
    word = "" if row.better is None else "better" if row.better else "worse"
    return (
        row.run,
        row.variant,
        row.scorer,
        f"{row.n}{f' {row.tag}' if row.tag else ''}",
        f"{row.before:.2f}",
        f"{row.after:.2f}",
        f"{row.value:+.2f} ({row.low:+.2f} to {row.high:+.2f})",
        f"{row.p:.3f}",
        f"{row.holm:.3f}",
        f"{row.effect_name} {row.effect:+.2f}",
        (word if sure else "may be chance") if word else "no difference",
    )


def _row_json(row: Compared) -> Json:
    return {
        "run": row.run,
        "variant": row.variant,
        "metric": row.scorer,
        "tag": row.tag,
        "before": row.before,
        "after": row.after,
        "value": row.value,
        "low": row.low,
        "high": row.high,
        "p": row.p,
        "holm": row.holm,
        "false_discovery": row.false_discovery,
        "effect": row.effect,
        "effect_name": row.effect_name,
        "test": row.test,
        "n": row.n,
        "groups": row.groups,
        "detectable": row.detectable if math.isfinite(row.detectable) else None,
        "better": row.better,
    }
