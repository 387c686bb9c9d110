from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.datasets.files import read_samples, write_samples
from core.datasets.records import Sample
from core.errors import AssayError, BadInput, Unsupported

words = st.text(
    alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=30
).map(lambda text: text.strip() or "x")
samples = st.lists(
    st.builds(
        Sample,
        id=words,
        input=words,
        target=words,
        answer=words,
        page=st.none() | st.integers(1, 900),
        tags=st.lists(st.sampled_from(["dose", "time limit"]), max_size=2).map(tuple),
        choices=st.lists(words, max_size=3).map(tuple),
        passages=st.lists(words, max_size=2).map(tuple),
        metadata=st.dictionaries(words, words, max_size=2),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda sample: sample.id,
).map(tuple)


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv"])
@given(kept=samples)
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, kept: tuple[Sample, ...]
) -> None:
    file = tmp_path_factory.mktemp("dataset") / f"questions{suffix}"
    file.write_bytes(write_samples(kept, suffix))
    assert read_samples(file) == kept


def test_an_unanswerable_sample_needs_no_target(tmp_path: Path) -> None:
    file = tmp_path / "q.csv"
    file.write_text("input,target,unanswerable\nWho?,,yes\nWhen?,Monday,\n", encoding="utf-8")
    read = read_samples(file)
    assert [(sample.input, sample.target, sample.unanswerable) for sample in read] == [
        ("Who?", None, True),
        ("When?", "Monday", False),
    ]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("q.jsonl", '{"input": "a", "target": "b"}\n{"input": "c"}\n', "line 2: no target"),
        ("q.jsonl", '{"input": "a", "target": "b"}\n{"input"', "line 2: not readable as JSON"),
        ("q.jsonl", '{"input": "  ", "target": "b"}', "line 1: the input is empty"),
        (
            "q.jsonl",
            '{"id": "1", "input": "a", "target": "b"}\n{"id": "1", "input": "c", "target": "d"}',
            "the id 1 occurs twice",
        ),
        ("q.json", '{"input": "a"}', "one list of samples"),
        ("q.csv", "question,target\na,b\n", "one must be `input`"),
        ("q.csv", "input,target,page\na,b,seven\n", "line 2: not readable as CSV"),
        ("q.jsonl", "", "no samples in it"),
        ("q.jsonl", "[1, 2]", "a sample is an object"),
    ],
)
def test_a_wrong_row_is_named_by_its_line(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        read_samples(tmp_path / name)
    assert name in str(caught.value)
    assert said in str(caught.value)


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "q.xlsx").write_bytes(b"PK")
    with pytest.raises(Unsupported, match=r"\.jsonl, \.json, \.csv"):
        read_samples(tmp_path / "q.xlsx")
    with pytest.raises(AssayError):
        write_samples((), ".xlsx")
