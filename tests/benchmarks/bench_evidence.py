"""How large a pack is, and how long an auditor waits for its verdict."""

import io
import json
from collections.abc import Iterator
from typing import Any

import msgspec

from core.evidence.packing import prepare
from core.evidence.records import PackContent
from core.evidence.verify import verify
from core.trust.canonical import canonical, parse
from tests.benchmarks.figures import Figure, figures, median_seconds
from tests.unit.evidence.building import GUIDE, TRUST, VERIFIER, altered, content, pack, release
from tests.unit.evidence.judging import AT

PASSAGES = 6
TEXT = (
    "The investigator reports every serious adverse event to the safety desk within 24 hours of becoming aware of it. "
    * 8
)
"""About as long as a passage of a real document."""


def realistic() -> PackContent:
    """The small pack with answers as long as real ones; still two samples and two variants."""

    def lengthen(record: Any) -> None:
        if record["answer"]:
            record["answer"]["passages"] = [{"name": "handbook.pdf", "text": TEXT} for _ in range(PASSAGES)]

    made = content()
    return msgspec.structs.replace(made, outcomes=tuple(altered(outcome, lengthen) for outcome in made.outcomes))


@figures("evidence.")
def evidence() -> Iterator[Figure]:
    small = pack()
    verdict = verify(io.BytesIO(small), TRUST, AT)
    assert verdict.verdict == "valid", verdict.reasons
    yield Figure(
        "evidence.verify_small", median_seconds(lambda: verify(io.BytesIO(small), TRUST, AT)) * 1000, "ms", "<= 200"
    )
    made = realistic()
    prepared = prepare(made, VERIFIER, GUIDE)
    openings = prepared.entries["openings/outcome.json"]
    records = prepared.entries["records/outcome.json"]
    outcomes = len(made.outcomes)
    yield Figure("evidence.bytes_per_outcome", (len(openings) + len(records)) / outcomes / 1000, "kB", "<= 30")
    yield Figure(
        "evidence.pack_small", median_seconds(lambda: release(prepare(made, VERIFIER, GUIDE), made)) * 1000, "ms"
    )
    value = json.loads(openings)
    yield Figure("evidence.canonical_write", len(openings) / median_seconds(lambda: canonical(value)) / 1e6, "MB/s")
    yield Figure(
        "evidence.canonical_read", len(openings) / median_seconds(lambda: parse(openings, "openings")) / 1e6, "MB/s"
    )
