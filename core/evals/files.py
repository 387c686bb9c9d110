"""A spec as a YAML file."""

from pathlib import Path

import msgspec

from core.errors import BadInput
from core.evals.records import Spec
from core.evals.scorers import chosen
from core.paths import read_yaml
from core.retrieval.service import MOST


def read_spec(path: Path) -> Spec:
    """The spec in a file. Raises `BadInput` with the line or the field that is wrong."""
    content = read_yaml(path)
    try:
        spec = msgspec.convert(content, Spec)
    except msgspec.ValidationError as error:
        raise BadInput(source=path.name, problem=f"{error}.") from error
    return checked(spec, path.name)


def checked(spec: Spec, source: str) -> Spec:
    """The same spec, if it can be run at all. Raises `BadInput`."""
    chosen(spec.scorers)
    if not 1 <= spec.passages <= MOST:
        raise BadInput(source=source, problem=f"passages is {spec.passages}. Use a number from 1 to {MOST}.")
    if spec.max_tokens < 1:
        raise BadInput(source=source, problem=f"max_tokens is {spec.max_tokens}. Use 1 or more.")
    if not spec.scorers:
        raise BadInput(source=source, problem="no scorers. Name at least one.")
    if bool(spec.prompts) != bool(spec.models):
        raise BadInput(source=source, problem="prompts and models go together: give both, or neither.")
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
