"""A spec as a YAML file."""

from pathlib import Path

import msgspec

from core.errors import BadInput
from core.evals import gates
from core.evals.records import Spec
from core.evals.scorers import chosen, listed
from core.paths import read_yaml
from core.retrieval.service import MOST

MOST_REPETITIONS = 100


def read_spec(path: Path) -> Spec:
    """The spec in a file. Raises `BadInput` with the line or the field that is wrong."""
    content = read_yaml(path)
    try:
        spec = msgspec.convert(with_labels(content, path.name), Spec)
    except msgspec.ValidationError as error:
        raise BadInput(source=path.name, problem=f"{error}.") from error
    return checked(spec, path.name)


def with_labels(content: object, source: str) -> object:
    """The same with its scorers as labels, and their settings beside."""
    if not isinstance(content, dict) or not isinstance(content.get("scorers"), list):
        return content
    labels, scoring = listed(content["scorers"], source)
    given = content.get("scoring") or {}
    return {**content, "scorers": labels, "scoring": {**given, **scoring} if isinstance(given, dict) else given}


def checked(spec: Spec, source: str) -> Spec:
    """The same spec, if it can be run at all. Raises `BadInput`."""
    chosen(spec.scorers, spec.scoring)
    if not 1 <= spec.passages <= MOST:
        raise BadInput(source=source, problem=f"passages is {spec.passages}. Use a number from 1 to {MOST}.")
    if spec.max_tokens < 1:
        raise BadInput(source=source, problem=f"max_tokens is {spec.max_tokens}. Use 1 or more.")
    if not spec.scorers:
        raise BadInput(source=source, problem="no scorers. Name at least one.")
    if bool(spec.prompts) != bool(spec.models):
        raise BadInput(source=source, problem="prompts and models go together: give both, or neither.")
    _check_settings(spec, source)
    gates.check(spec.gate, spec.scorers)
    if spec.include_quotes and not spec.collection:
        raise BadInput(source=source, problem="quotes need documents. Name a collection, or leave include_quotes out.")
    if not spec.prompts and not spec.include_quotes:
        raise BadInput(source=source, problem="nothing to compare. Give prompts and models, or include_quotes: true.")
    for criterion in spec.criteria:
        if criterion.metric not in spec.scorers:
            raise BadInput(
                source=source, problem=f"a criterion names {criterion.metric}, which is not among the scorers."
            )
        if criterion.at_least is None and criterion.at_most is None:
            raise BadInput(
                source=source, problem=f"the criterion on {criterion.metric} has neither at_least nor at_most."
            )
    return spec


def _check_settings(spec: Spec, source: str) -> None:
    if not 1 <= spec.repetitions <= MOST_REPETITIONS:
        raise BadInput(
            source=source, problem=f"repetitions is {spec.repetitions}. Use a number from 1 to {MOST_REPETITIONS}."
        )
    names = [settings.name for settings in spec.settings]
    if len(set(names)) < len(names) or not all(name.strip() for name in names):
        raise BadInput(source=source, problem="settings need a name each, and no two the same.")
    for settings in spec.settings:
        in_bounds = (
            (0 <= settings.temperature <= 5, "temperature", "0 to 5"),
            (0 < settings.top_p <= 1, "top_p", "above 0 to 1"),
            (settings.top_k >= 0, "top_k", "0 or more"),
            (settings.repeat_penalty > 0, "repeat_penalty", "more than 0"),
            (settings.max_tokens is None or settings.max_tokens >= 1, "max_tokens", "1 or more"),
            (settings.passages is None or 1 <= settings.passages <= MOST, "passages", f"1 to {MOST}"),
        )
        for good, field, bounds in in_bounds:
            if not good:
                raise BadInput(source=source, problem=f"{field} of the settings {settings.name}: use {bounds}.")
