"""Specs and runs as the vault holds them."""

from core.evals.records import Run, RunResult, RunView, SavedSpec, SpecVersion
from core.records import Digest
from core.vault.unit import Reader


def saved(reader: Reader, digest: Digest, created: bool) -> SavedSpec:
    """A version of a spec, with who signed it as what."""
    signed = tuple((signature.meaning, signature.name) for signature in reader.signatures(digest))
    return SavedSpec(digest=digest, spec=reader.get(digest, SpecVersion), created=created, signed=signed)


def view(reader: Reader, run: Digest, result: str) -> RunView:
    """A run and how it ended; `result` is empty while it has not."""
    ended = reader.get(Digest(result), RunResult) if result else None
    return RunView(digest=run, run=reader.get(run, Run), result_digest=result, result=ended)


def number(run: str) -> int:
    """The number in a run's id; 0 where it is none."""
    digits = run.removeprefix("run-")
    return int(digits) if digits.isdigit() else 0
