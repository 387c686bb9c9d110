"""How large a pack is, and how long an auditor waits for its verdict."""

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from core.evidence.opened import take_apart
from core.evidence.packing import prepare
from core.evidence.records import ExportPack, PackContent
from core.evidence.redaction import Request, redact
from core.evidence.renderings import renderings
from core.evidence.verify import verify
from core.jobs import Job
from core.trust.canonical import canonical, parse
from core.trust.trustfile import dump
from tests.benchmarks.figures import Figure, figures, median_seconds, seconds
from tests.benchmarks.large_run import PASSPHRASE, large_run
from tests.unit.evidence.building import GUIDE, TRUST, VERIFIER, altered, content, pack, release
from tests.unit.evidence.judging import AT, standalone

PASSAGES = 6
MANY = 10_000
"""Samples of a large run."""
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


def _large() -> Iterator[Figure]:
    """A run of `MANY` samples, from the vault to a file and from the file to a verdict, each once."""
    with large_run(MANY) as run, TemporaryDirectory(prefix="assay-bench-") as folder:
        out = Path(folder) / "large.pack"
        with run.vault.confirm(PASSPHRASE) as signer:
            export = ExportPack(run="run-1", out=str(out))
            yield Figure(
                "evidence.export_10000",
                seconds(lambda: run.evidence.export(export, signer, Job("pack"))),
                "s",
                "<= 20",
            )
        trust, data = run.vault.trust_file(), out.read_bytes()
        took = seconds(lambda: verify(io.BytesIO(data), trust, datetime.now(UTC)))
        yield Figure("evidence.verify_10000", took, "s", "<= 5")
        plain = json.loads(dump(trust))
        verdicts: list[dict[str, Any]] = []
        took = seconds(lambda: verdicts.append(standalone.verify(data, plain, datetime.now(UTC))))
        assert verdicts[0]["verdict"] == "valid", verdicts[0]["reasons"]
        yield Figure("evidence.standalone_10000", took, "s")
        request = Request(fields=("answer",))
        yield Figure("evidence.redact_10000", seconds(lambda: redact(data, request)), "s")
        yield Figure("evidence.pack_over_content", len(data) / run.content, "times")
        opened = take_apart(data)
        yield Figure("evidence.renderings_10000", seconds(lambda: renderings(opened.rows, "large@1, run-1")), "s")


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
    openings = prepared.entries["openings/outcome-0001.json"]
    records = prepared.entries["records/outcome-0001.json"]
    outcomes = len(made.outcomes)
    yield Figure("evidence.bytes_per_outcome", (len(openings) + len(records)) / outcomes / 1000, "kB", "<= 30")
    yield Figure(
        "evidence.pack_small", median_seconds(lambda: release(prepare(made, VERIFIER, GUIDE), made)) * 1000, "ms"
    )
    yield from _large()
    value = json.loads(openings)
    yield Figure("evidence.canonical_write", len(openings) / median_seconds(lambda: canonical(value)) / 1e6, "MB/s")
    yield Figure(
        "evidence.canonical_read", len(openings) / median_seconds(lambda: parse(openings, "openings")) / 1e6, "MB/s"
    )
