"""The form that a prompt's answers promise: how it is asked for, and whether a finished answer kept it.

Rules: a grammar keeps the form while the answer is written; the finished answer is checked once more, in the worker for JSON, here for a choice. A
broken contract is said with the answer, never hidden.
"""

import json
from typing import Any, Literal

from core.errors import BadInput
from core.prompts.records import Contract

MOST_CHOICES = 200


def check_contract(contract: Contract, name: str) -> None:
    """Raise `BadInput` for a contract that no answer could keep."""
    problem = ""
    if contract.form == "choice":
        if not contract.choices or len(set(contract.choices)) < len(contract.choices) or not all(contract.choices):
            problem = "a choice needs the answers that there are, each once and none empty."
        elif len(contract.choices) > MOST_CHOICES:
            problem = f"a choice has at most {MOST_CHOICES} answers."
    elif contract.choices:
        problem = f"only a choice has choices; its form is {contract.form}."
    if contract.form == "json" and contract.schema is None:
        problem = "JSON needs its schema. `{}` takes any JSON."
    if contract.form != "json" and contract.schema is not None:
        problem = f"only JSON has a schema; its form is {contract.form}."
    if problem:
        raise BadInput(source=f"{name}, contract", problem=problem)


def asked_for(contract: Contract) -> dict[str, Any]:
    """What a request needs so that the answer keeps the contract: fields of `Generate`."""
    if contract.form == "json":
        return {"schema": contract.schema, "when_broken": "say"}
    if contract.form == "choice":
        return {"grammar": grammar(contract.choices), "when_broken": "say"}
    return {}


def grammar(choices: tuple[str, ...]) -> str:
    """GBNF that one of these texts follows, whole."""
    return "root ::= " + " | ".join(json.dumps(choice, ensure_ascii=False) for choice in choices)


def kept(contract: Contract, text: str, broken: str) -> tuple[Literal["", "kept", "broken"], str]:
    """("kept" or "broken", why): `broken` is what the engine said of the answer. ("", "") where the form is text: that is always kept."""
    if contract.form == "text":
        return "", ""
    if not broken and contract.form == "choice" and text.strip() not in contract.choices:
        broken = "the answer is none of the choices."
    return ("broken", broken) if broken else ("kept", "")
