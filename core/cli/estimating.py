"""What a run would take, as lines and as JSON."""

import msgspec

from core.cli.output import table
from core.evals.estimating import Estimate
from core.records import Json


def estimate_json(found: Estimate) -> dict[str, Json]:
    """The interface's form of an estimate."""
    content = msgspec.to_builtins(found)
    content.pop("version")
    for variant in content["variants"]:
        variant.pop("version")
    return {"dry_run": True, **content}


def estimate_lines(found: Estimate) -> list[str]:
    """The variants, then the sum."""
    rows = [
        (
            one.name,
            f"{one.requests:,}",
            f"{one.prompt_tokens:,}",
            f"{one.tokens:,}",
            f"{one.most_tokens:,}",
            duration(one.seconds),
            "a probe" if one.source == "probe" else one.source,
        )
        for one in found.variants
    ]
    head = ("variant", "requests", "prompt tokens", "answer tokens", "at most", "time", "known from")
    lines = [
        f"{found.spec}: {found.samples:,} samples, {len(found.variants)} variants, {found.requests:,} requests",
        *table(head, rows),
        f"Together about {found.prompt_tokens + found.tokens:,} tokens and {duration(found.seconds)}.",
    ]
    if found.judge_requests:
        lines.append(f"Judges are asked up to {found.judge_requests:,} times.")
    if found.probed:
        lines.append("Where the time comes from a probe, scorers and judges aren't in it.")
    return [*lines, "Nothing was recorded."]


def duration(seconds: float) -> str:
    """For a person: `4 s`, `12 min`, `3 h 20 min`."""
    if seconds < 90:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
