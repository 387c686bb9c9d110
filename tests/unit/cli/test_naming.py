"""What the core says names no option; the command line adds it."""

import ast
from pathlib import Path

import pytest

from core.cli.naming import option
from core.errors import AlreadyExists, AssayError, BadInput

CORE = Path(__file__).resolve().parents[3] / "core"
QUIET = ("models", "vault", "trust", "assistants", "server", "inference", "training", "evidence")


def test_an_option_stands_at_the_end_of_the_sentence_that_it_answers() -> None:
    with (
        pytest.raises(AlreadyExists, match=r"Choose another name \(--out\)\.$"),
        option("--out", field="step", says="another"),
    ):
        raise AlreadyExists(kind="file", name="a", step="Choose another name.")


@pytest.mark.parametrize(
    "error",
    [AlreadyExists(kind="model", name="a", step="Remove it first."), BadInput(source="a", problem="another name.")],
)
def test_other_errors_stay_as_they_are(error: AssayError) -> None:
    with pytest.raises(type(error)) as raised, option("--out", field="step", says="another"):
        raise error
    assert raised.value is error


@pytest.mark.parametrize("package", QUIET)
def test_no_sentence_below_the_command_line_names_an_option(package: str) -> None:
    found = []
    for path in (CORE / package).rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        texts = [
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation
        ]
        found += [f"{path.name}: {text}" for text in texts if " --" in text and "`" not in text]
    assert found == []
