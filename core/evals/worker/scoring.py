"""The scoring worker: figures of libraries that are large or can be made to take for ever, away from the process that holds the key.

BLEU and chrF are given from 0 to 1, not from 0 to 100. ROUGE keeps the best reference. The libraries are imported at their first use.
"""

import os
import re
import tempfile
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import msgspec

from core.errors import BadInput
from core.evals.scoring.records import Measure, Measured
from core.records import Record
from core.workers.serving import Call, Handler

SHOWN: Final = 80
"""Characters of a match that a reason shows."""


@cache
def _metric(name: str) -> Any:
    # a library of sacrebleu's asks for the name of a temporary folder when it is imported; here is none, and nothing is written
    tempfile.tempdir = tempfile.tempdir or os.sep
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    return BLEU(effective_order=True) if name == "bleu" else CHRF()


class _Spaces:
    """What stands between white space, in lower case."""

    def tokenize(self, text: str) -> list[str]:
        return text.casefold().split()


@cache
def _rouge(name: str, words: str) -> Any:
    from rouge_score.rouge_scorer import RougeScorer  # type: ignore[import-untyped]

    return RougeScorer([name], use_stemmer=False, tokenizer=_Spaces() if words == "spaces" else None)


def _overlap(request: Measure) -> Measured:
    score = _metric(request.measure).sentence_score(request.text, list(request.references))
    return Measured(value=round(float(score.score) / 100, 6), reason=f"{request.measure} {score.score:.1f} of 100")


def _rouge_score(request: Measure) -> Measured:
    scorer = _rouge(request.measure, str(request.settings.get("words", "latin")))
    found = [scorer.score(reference, request.text)[request.measure] for reference in request.references]
    best = max(found, key=lambda score: float(score.fmeasure))
    reason = f"precision {best.precision:.2f}, recall {best.recall:.2f}"
    return Measured(value=round(float(best.fmeasure), 6), reason=reason)


def _regex(request: Measure) -> Measured:
    flags = re.IGNORECASE if request.settings.get("ignore_case") else 0
    pattern = re.compile(str(request.settings["pattern"]), flags)
    found = pattern.fullmatch(request.text) if request.settings.get("whole") else pattern.search(request.text)
    if found is None:
        return Measured(value=0.0)
    return Measured(value=1.0, reason=f"“{found.group()[:SHOWN]}”")


def _json_schema(request: Measure) -> Measured:
    import jsonschema
    import referencing

    try:
        value = msgspec.json.decode(request.text)
    except (msgspec.DecodeError, RecursionError):
        return Measured(value=0.0, reason="not readable as JSON")
    schema = request.settings.get("schema")
    if schema is None:
        return Measured(value=1.0, reason="JSON")
    # an empty registry: what a schema refers to outside of itself is never fetched
    validator = jsonschema.validators.validator_for(schema, jsonschema.Draft202012Validator)
    try:
        validator.check_schema(schema)
        problem = jsonschema.exceptions.best_match(
            validator(schema, registry=referencing.Registry()).iter_errors(value)
        )
    except (jsonschema.exceptions.SchemaError, referencing.exceptions.Unresolvable, RecursionError) as error:
        raise BadInput(source="json_schema", problem="the schema can't be followed.") from error
    if problem is None:
        return Measured(value=1.0, reason="JSON that fits the schema")
    place = "/".join(str(step) for step in problem.absolute_path) or "the whole"
    return Measured(value=0.0, reason=f"{place[:SHOWN]}: breaks `{problem.validator}`")


MEASURES: Final[dict[str, Callable[[Measure], Measured]]] = {
    "bleu": _overlap,
    "chrf": _overlap,
    "rouge1": _rouge_score,
    "rouge2": _rouge_score,
    "rougeL": _rouge_score,
    "regex": _regex,
    "json_schema": _json_schema,
}


def measure(request: Measure, call: Call) -> Measured:
    """Raises `BadInput` for a measure that isn't known or a schema that can't be followed."""
    if request.measure not in MEASURES:
        raise BadInput(source=request.measure, problem="no measure of that name.")
    return MEASURES[request.measure](request)


def handlers() -> dict[type[Record], Handler]:
    """What `core.workers.child` serves."""
    return {Measure: measure}
