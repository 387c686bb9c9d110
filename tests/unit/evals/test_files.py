from pathlib import Path

import pytest

from core.errors import BadInput
from core.evals.files import read_spec

SPEC = "name: a\ndataset: d\ncollection: c\ninclude_quotes: true\nscorers: [contains]\n"


def spec(folder: Path, more: str = "") -> Path:
    path = folder / "spec.yaml"
    path.write_text(SPEC + more)
    return path


def test_a_criterion_on_an_end_of_the_interval_is_read_as_written(tmp_path: Path) -> None:
    read = read_spec(spec(tmp_path, "criteria:\n  - {metric: contains, variant: quotes, at_least: 0.5, on: low}\n"))
    assert read.criteria[0].on == "low"
    assert read.include_quotes


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("passages: 0\n", "passages is 0. Use a number from 1"),
        ("max_tokens: 0\n", "max_tokens is 0. Use 1 or more"),
        ("criteria: [{metric: exact, variant: quotes, at_least: 0}]\n", "names exact, which is not among the scorers"),
        ("criteria: [{metric: contains, variant: quotes}]\n", "neither at_least nor at_most"),
        ("scorer: x\n", "unknown field `scorer`"),
    ],
)
def test_what_cannot_be_run_is_refused_with_the_file(tmp_path: Path, more: str, said: str) -> None:
    with pytest.raises(BadInput, match=rf"^spec\.yaml: .*{said}"):
        read_spec(spec(tmp_path, more))


def test_a_spec_without_anything_to_compare(tmp_path: Path) -> None:
    path = spec(tmp_path)
    path.write_text(path.read_text().replace("true", "false"))
    with pytest.raises(BadInput, match="nothing to compare"):
        read_spec(path)
