from pathlib import Path

import msgspec
import pytest
import yaml

from core.errors import BadInput
from core.evals.files import read_spec
from core.evals.records import Spec
from core.trust.canonical import NONCE, builtins, record_bytes, record_from

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


def test_scorers_may_have_settings_and_labels(tmp_path: Path) -> None:
    path = spec(tmp_path)
    scorers = (
        "[contains, {name: numeric, tolerance: 0.01}, {name: regex, label: date, pattern: '[0-9]{4}'}, {name: length}]"
    )
    path.write_text(path.read_text().replace("[contains]", scorers))
    read = read_spec(path)
    assert read.scorers == ("contains", "numeric", "regex:date", "length")
    assert read.scoring == {"numeric": {"tolerance": 0.01}, "regex:date": {"pattern": "[0-9]{4}"}}
    stored = record_bytes(read, bytes(NONCE))
    assert record_from(stored, Spec)[0] == read
    path.write_text(yaml.safe_dump({key: value for key, value in builtins(read).items() if key != "version"}))
    assert read_spec(path) == read


def test_a_spec_that_was_stored_before_scorers_had_settings_is_read(tmp_path: Path) -> None:
    old = builtins(read_spec(spec(tmp_path)))
    del old["scoring"]
    assert msgspec.convert(old, Spec).scoring == {}


@pytest.mark.parametrize(
    ("scorers", "said"),
    [
        ("[{tolerance: 1}]", "a scorer is a name"),
        ("[3]", "a scorer is a name"),
        ("[{name: numeric, tolerance: much}]", "Expected `float`"),
        ("[{name: regex, pattern: a, label: ''}]", "a label of its own"),
        ("[{name: numeric, tolerance: .nan}]", "canonical"),
    ],
)
def test_settings_that_cannot_be_followed_are_refused(tmp_path: Path, scorers: str, said: str) -> None:
    path = spec(tmp_path)
    path.write_text(path.read_text().replace("[contains]", scorers))
    with pytest.raises(BadInput, match=said):
        read_spec(path)
