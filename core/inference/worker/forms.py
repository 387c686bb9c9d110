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


def check(request: Generate, model: str, text: str, reason: str) -> None:
    """Raise `InvalidAnswer` unless the finished answer has the form that was asked for. `reason` is why it ended."""
    if request.schema is None:
        if request.grammar and reason == "length":
            raise InvalidAnswer(source=model, problem=_too_short(request))
        return
    try:
        value = json.loads(text)
    except ValueError:
        cut = _too_short(request) if reason == "length" else "the answer ended before its JSON was whole."
        raise InvalidAnswer(source=model, problem=cut) from None
    error = next(iter(_validator(request.schema).iter_errors(value)), None)
    if error is not None:
        where = "/".join(str(part) for part in error.absolute_path) or "the whole"
        raise InvalidAnswer(
            source=model,
            problem=f"the answer has the schema's shape but breaks its rule {error.validator} at {where}. "
            "Ask again, or take another model.",
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
