"""How `assay eval show` tells a run's figures by group."""

from collections.abc import Sequence

from core.cli.output import table
from core.evals.grouped import Grouped
from core.records import Json


def groups_json(found: Sequence[Grouped]) -> Json:
    """By variant and scorer; empty where each sample stands for itself."""
    told: dict[str, dict[str, Json]] = {}
    for one in found:
        told.setdefault(one.variant, {})[one.scorer] = {
            "value": one.value,
            "low": one.low,
            "high": one.high,
            "n": one.n,
            "groups": one.groups,
        }
    return dict(told)


def groups_lines(found: Sequence[Grouped]) -> list[str]:
    """A table with a heading; nothing where each sample stands for itself."""
    if not found:
        return []
    rows = [
        (one.variant, one.scorer, f"{one.value:.2f} ({one.low:.2f}–{one.high:.2f})", str(one.n), str(one.groups))
        for one in found
    ]
    heading = "Some samples hang together, by their group or document. How sure the figures are of other groups:"
    return ["", heading, *table(("variant", "scorer", "value", "samples", "groups"), rows)]
