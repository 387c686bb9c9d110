import csv
import io
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.datasets import files
from core.datasets.files import ReadFile, read_file, read_samples, write_samples
from core.datasets.records import SYNTHETIC, Origin, Sample, Turn
from core.datasets.worker.records import MOST_PROBLEMS, Batch, checked_batch
from core.datasets.writing import written
from core.errors import BadInput, Damaged, Unsupported
from core.jobs import Job
from core.workers.supervisor import Supervisor

STEADY = settings(max_examples=30, deadline=None, suppress_health_check=tuple(HealthCheck))
letters = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="\ufffe\uffff")
words = st.text(alphabet=letters, min_size=1, max_size=30).map(lambda text: text.strip() or "x")
texts = words | st.sampled_from(
    ["=1+1", "'=1", "+49", "-2", "@SUM(A1)", "''-x", "＝a", "[1, 2]", '{"a"', "a\nb", "a\r\nb", 'say "no"', "a,b;c\td"]
)
turns = st.lists(
    st.builds(Turn, role=st.sampled_from(["system", "user", "assistant", "call", "tool"]), content=texts), max_size=3
).map(lambda found: (*found, Turn(role="user", content="And then?")))
samples = st.lists(
    st.builds(
        Sample,
        id=words,
        input=texts,
        target=texts,
        answer=texts,
        page=st.none() | st.integers(1, 900),
        tags=st.lists(st.sampled_from(["dose", "time limit"]), max_size=2).map(tuple),
        choices=st.lists(words, max_size=3).map(tuple),
        passages=st.lists(texts, max_size=2).map(tuple),
        metadata=st.dictionaries(words, words, max_size=2),
        turns=st.just(()) | turns,
        chosen=st.just("") | texts,
        rejected=st.just("") | texts,
        group=st.just("") | words,
        split=st.sampled_from(["", "train"]),
        origin=st.none() | st.builds(Origin, kind=st.sampled_from(["trace", "document"]), source=words, by=words),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda sample: sample.id,
).map(tuple)


def read(tmp_path: Path, name: str, content: str | bytes, **options: Any) -> ReadFile:
    file = tmp_path / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_file(file, Job("Read"), **options)


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv", ".xlsx"])
@STEADY
@given(kept=samples)
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, kept: tuple[Sample, ...]
) -> None:
    file = tmp_path_factory.mktemp("dataset") / f"questions{suffix}"
    file.write_bytes(write_samples(kept, suffix))
    assert read_samples(file) == kept


said = st.text(alphabet=letters, min_size=1, max_size=20).map(lambda text: text.strip() or "x")


@st.composite
def conversations(draw: st.DrawFn) -> Sample:
    """What all three forms can hold: alternating turns, an answer or a preference."""
    before: list[Turn] = []
    if draw(st.booleans()):
        before.append(Turn(role="system", content=draw(said)))
    for _ in range(draw(st.integers(0, 2))):
        before += [Turn(role="user", content=draw(said)), Turn(role="assistant", content=draw(said))]
    asked = Turn(role="user", content=draw(said))
    pair = draw(st.booleans())
    return Sample(
        id=draw(said),
        input=asked.content,
        turns=(*before, asked) if before else (),
        answer="" if pair else draw(said),
        chosen=draw(said) if pair else "",
        rejected=draw(said) if pair else "",
        tags=(SYNTHETIC,) if draw(st.booleans()) else (),
    )


@pytest.mark.parametrize("suffix", [".jsonl", ".json"])
@pytest.mark.parametrize("form", ["chat", "sharegpt", "alpaca"])
@STEADY
@given(kept=st.lists(conversations(), min_size=1, max_size=4, unique_by=lambda sample: sample.id).map(tuple))
def test_conversations_come_back_in_each_form(
    tmp_path_factory: pytest.TempPathFactory, form: str, suffix: str, kept: tuple[Sample, ...]
) -> None:
    file = tmp_path_factory.mktemp("dataset") / f"talks{suffix}"
    file.write_bytes(written(kept, suffix, form))
    found = read_file(file, Job("Read"))
    assert (found.form, found.samples) == (form, kept)


@pytest.mark.parametrize(
    ("file", "form", "count", "wrong"),
    [
        ("alpaca_en_demo.json", "alpaca", 999, 0),
        ("identity.json", "alpaca", 91, 0),
        ("dpo_en_demo.json", "sharegpt", 300, 0),
        ("kto_en_demo.json", "chat", 300, 0),
        ("glaive_toolcall_en_demo.json", "sharegpt", 300, 0),
    ],
)
def test_files_of_others_are_read_whole(
    shared_data: Path, tmp_path: Path, file: str, form: str, count: int, wrong: int
) -> None:
    path = shared_data / "training" / "llamafactory-demo" / file
    found = read_file(path, Job("Read"))
    assert (found.kind, found.form, len(found.samples), found.wrong) == ("JSON", form, count, wrong)
    rows = json.loads(path.read_bytes())
    again = read(tmp_path, "again.jsonl", written(found.samples, ".jsonl", "sharegpt"))
    assert again.samples == found.samples
    if file.startswith("alpaca"):
        assert [sample.answer for sample in found.samples] == [row["output"] for row in rows]
    if file.startswith("dpo"):
        assert [(s.chosen, s.rejected) for s in found.samples] == [
            (row["chosen"]["value"], row["rejected"]["value"]) for row in rows
        ]
    if file.startswith("kto"):
        assert [bool(sample.chosen) for sample in found.samples] == [row["label"] for row in rows]
    if file.startswith("glaive"):
        assert sum(turn.role == "call" for sample in found.samples for turn in sample.turns) == 211


def test_the_columns_of_a_public_suite_are_recognised(shared_data: Path) -> None:
    found = read_file(shared_data / "training" / "gsm8k-train.jsonl", Job("Read"), most=5)
    assert {column.name: column.field for column in found.columns} == {"question": "input", "answer": "answer"}
    assert found.samples[0].input.startswith("Natalia sold clips")


def test_columns_are_what_a_person_says(tmp_path: Path) -> None:
    text = "colour;said;note;page number\nred;stop;old;7\n"
    found = read(
        tmp_path, "q.csv", text, columns={"colour": "input", "said": "target", "page number": "page", "note": ""}
    )
    assert found.samples == (Sample(id="0001", input="red", target="stop", page=7),)
    assert {column.name: column.field for column in found.columns}["note"] == ""
    kept = read(tmp_path, "q.csv", text, columns={"colour": "input", "said": "target"})
    assert kept.samples[0].metadata == {"note": "old", "page number": "7"}
    with pytest.raises(BadInput, match="no column color"):
        read(tmp_path, "q.csv", text, columns={"color": "input"})
    with pytest.raises(BadInput, match="no field of a sample"):
        read(tmp_path, "q.csv", text, columns={"colour": "shade"})


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("q.txt", '{"input": "a", "target": "b"}\n', "JSON Lines"),
        ("q.csv", '[{"input": "a", "target": "b"}]', "JSON"),
        ("q.json", "input,target\na,b\n", "CSV"),
        ("q.tsv", "input\ttarget\na\tb\n", "CSV"),
        ("q.json", '{"info": "x", "data": [{"input": "a", "target": "b"}]}', "JSON"),
        ("q.csv", write_samples((Sample(id="1", input="a", target="b"),), ".xlsx"), "Excel"),
    ],
)
def test_the_content_tells_what_a_file_is(tmp_path: Path, name: str, content: str | bytes, kind: str) -> None:
    found = read(tmp_path, name, content)
    assert (found.kind, found.samples[0].input, found.samples[0].target) == (kind, "a", "b")


def test_a_separator_of_lines_inside_a_text_parts_nothing(tmp_path: Path) -> None:
    found = read(tmp_path, "q.jsonl", '{"input": "a\u2028b", "target": "\u0085c"}\n')
    assert found.samples[0].input == "a\u2028b"


def test_an_unanswerable_sample_needs_no_target(tmp_path: Path) -> None:
    found = read(tmp_path, "q.csv", "input,target,unanswerable\nWho?,,yes\nWhen?,Monday,\n")
    assert [(sample.input, sample.target, sample.unanswerable) for sample in found.samples] == [
        ("Who?", None, True),
        ("When?", "Monday", False),
    ]


def test_all_wrong_rows_are_told_up_to_a_bound(tmp_path: Path) -> None:
    good = '{"input": "a", "target": "b"}\n'
    found = read(tmp_path, "q.jsonl", good + '{"input"\n' + good + '{"input": "c"}\n' + "7\n")
    assert len(found.samples) == 2
    assert [problem.place for problem in found.problems] == ["line 2", "line 4", "line 5"]
    many = read(tmp_path, "q.jsonl", good + '{"input": "c"}\n' * (MOST_PROBLEMS + 50))
    assert (len(many.problems), many.wrong) == (MOST_PROBLEMS, MOST_PROBLEMS + 50)


def test_lines_are_counted_through_cells_of_several_lines(tmp_path: Path) -> None:
    found = read(tmp_path, "q.csv", 'input,target\n"a\nb",c\nd,\n')
    assert [(problem.place, "no target" in problem.problem) for problem in found.problems] == [("line 4", True)]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("q.jsonl", '{"input": "a", "target": "b"}\n{"input": "c"}\n', "line 2: no target"),
        ("q.jsonl", '{"input": "a", "target": "b"}\n{"input"', "line 2: not readable as JSON"),
        ("q.jsonl", '{"input": "  ", "target": "b"}', "line 1: the input is empty"),
        (
            "q.jsonl",
            '{"id": "1", "input": "a", "target": "b"}\n{"id": "1", "input": "c", "target": "d"}',
            "occurs twice",
        ),
        ("q.json", '[{"input": "a", "target": "b"},\n{"input": ', "line 2: not readable as JSON"),
        ("q.json", '[{"input": "a"}, 5]', "item 1: no target. Give one, or mark the sample"),
        ("q.csv", "colour,target\na,b\n", "one must be `input`"),
        ("q.csv", "input,input\na,b\n", "two columns are called input"),
        ("q.csv", "input,target,page\na,b,seven\n", "line 2: the page is no number"),
        ("q.csv", "input,target\na,b,c\n", "line 2: more cells than"),
        ("q.jsonl", "", "no samples in it"),
        ("q.jsonl", "[1, 2]", "a sample is an object"),
        ("q.jsonl", '{"messages": [{"role": "user", "content": "a"}]}', "isn't the assistant's"),
        ("q.jsonl", '{"messages": [{"role": "cat", "content": "a"}]}', "turn 1 is by cat"),
        ("q.jsonl", '{"conversations": []}', "it has no conversations"),
        ("q.jsonl", '{"instruction": "a", "output": ""}', "its output is empty"),
    ],
)
def test_a_wrong_row_is_named_by_its_place(tmp_path: Path, name: str, text: str, told: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        read_samples(tmp_path / name)
    assert name in str(caught.value)
    assert told in str(caught.value)


@pytest.mark.parametrize("content", [b"PK\x03\x04broken", b"\xff\xfe\x00", b"PK"])
def test_what_is_no_dataset_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "q.xlsx").write_bytes(content)
    with pytest.raises(BadInput, match=r"q\.xlsx"):
        read_samples(tmp_path / "q.xlsx")


def test_an_unknown_ending_is_not_written() -> None:
    with pytest.raises(Unsupported, match=r"\.jsonl, \.json, \.csv, \.xlsx"):
        write_samples((), ".ods")


@pytest.mark.parametrize("text", ["a\x0bb", "_x000D_", "x" * 40_000])
def test_what_a_cell_of_excel_cant_hold_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="a cell of Excel can't hold its target"):
        write_samples((Sample(id="7", input="a", target=text),), ".xlsx")


def test_no_cell_begins_a_formula(tmp_path: Path) -> None:
    """As a spreadsheet sees the file: a text that would be computed, or the command that hides in it."""
    evil = ("=cmd|' /C calc'!A0", "+1", "-1+2", "@SUM(1)", "\t=1", "\r=1", "＝1", "'=1")
    kept = tuple(Sample(id=str(n), input=text, target=text) for n, text in enumerate(evil))
    rows = list(csv.reader(io.StringIO(write_samples(kept, ".csv").decode(), newline="")))
    assert all(cell[0] not in "=+-@\t\r＝" for row in rows for cell in row)
    book = openpyxl.load_workbook(io.BytesIO(write_samples(kept, ".xlsx")))
    assert {cell.data_type for row in book.worksheets[0].iter_rows() for cell in row} == {"s"}
    (tmp_path / "q.csv").write_bytes(write_samples(kept, ".csv"))
    assert read_samples(tmp_path / "q.csv") == kept


def test_a_file_is_read_in_a_child(tmp_path: Path) -> None:
    kept = tuple(Sample(id=f"{n:05}", input=f"Question {n}?", target="yes") for n in range(5_000))
    (tmp_path / "q.jsonl").write_bytes(write_samples(kept, ".jsonl") + b'{"input": "no"}\n')
    with Supervisor() as supervisor:
        found = read_file(tmp_path / "q.jsonl", Job("Read"), supervisor)
        assert supervisor.workers() == ()
        few = kept[:20]
        for suffix in (".xlsx", ".csv", ".json"):
            (tmp_path / f"few{suffix}").write_bytes(write_samples(few, suffix))
            assert read_file(tmp_path / f"few{suffix}", Job("Read"), supervisor).samples == few
    assert found.samples == kept
    assert [problem.place for problem in found.problems] == ["line 5001"]
    assert files.SPEC.memory > 0
    assert files.SPEC.seconds is not None


def test_a_reader_that_lies_is_not_believed() -> None:
    one = Sample(id="1", input="a", target="b")
    with pytest.raises(Damaged):
        checked_batch("q.csv", (one, one), set())
    with pytest.raises(Damaged):
        checked_batch("q.csv", (Sample(id="2", input=" "),), set())
    assert Batch().samples == ()
