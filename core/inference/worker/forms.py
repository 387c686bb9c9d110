"""The form that an answer must have: a grammar, or a JSON schema.

The grammar that is made from a schema keeps an answer to the schema's shape while it is written, but knows no bounds of numbers and no
patterns, so the whole answer is checked against the schema once more. Schemas are untrusted: no reference leaves the schema, and its size is
limited.
"""

import json
from typing import Any, Final

from core.errors import BadInput, InvalidAnswer
from core.inference.records import Generate

LARGEST: Final = 64 * 1024
"""Characters of a grammar or a schema."""


def grammar(request: Generate) -> str:
    """The GBNF that a request asks for; empty where it asks for none. Raises `BadInput`."""
    if request.schema is None:
        if len(request.grammar) > LARGEST:
            raise BadInput(source="The grammar", problem=f"it has over {LARGEST:,} characters. Make it shorter.")
        return request.grammar
    text = json.dumps(request.schema)
    if len(text) > LARGEST:
        raise BadInput(source="The schema", problem=f"it has over {LARGEST:,} characters. Make it smaller.")
    _check_references(request.schema)
    _validator(request.schema)
    from llama_cpp.llama_grammar import json_schema_to_gbnf

    try:
        return str(json_schema_to_gbnf(text))
    except Exception as error:
        raise BadInput(
            source="The schema", problem=f"no grammar can be made from it ({type(error).__name__}). Use plainer parts."
        ) from error


def check(request: Generate, model: str, text: str, reason: str) -> str:
    """How the finished answer breaks the form that was asked for; "" where it doesn't. `reason` is why it ended.

    Raises `InvalidAnswer` instead where the request wants that."""
    problem = _broken(request, text, reason)
    if problem and request.when_broken != "say":
        raise InvalidAnswer(source=model, problem=problem)
    return problem


def _broken(request: Generate, text: str, reason: str) -> str:
    if request.schema is None:
        return _too_short(request) if request.grammar and reason == "length" else ""
    try:
        value = json.loads(text)
    except ValueError:
        return _too_short(request) if reason == "length" else "the answer ended before its JSON was whole."
    error = next(iter(_validator(request.schema).iter_errors(value)), None)
    if error is None:
        return ""
    where = "/".join(str(part) for part in error.absolute_path) or "the whole"
    return (
        f"the answer has the schema's shape but breaks its rule {error.validator} at {where}. "
        "Ask again, or take another model."
    )


def _too_short(request: Generate) -> str:
    return f"the answer wasn't whole after {request.max_tokens} tokens. Give max_tokens more room."


def _validator(schema: dict[str, Any]) -> Any:
    import jsonschema

    kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    try:
        kind.check_schema(schema)
    except jsonschema.SchemaError as error:
        raise BadInput(source="The schema", problem=f"it isn't a JSON schema: {error.message[:200]}.") from error
    return kind(schema)


def _check_references(part: Any) -> None:
    if isinstance(part, dict):
        found = part.get("$ref")
        if isinstance(found, str) and not found.startswith("#"):
            raise BadInput(source="The schema", problem="a $ref leads out of it. Put what it names into $defs.")
        for value in part.values():
            _check_references(value)
    elif isinstance(part, list):
        for value in part:
            _check_references(value)
