import json
import signal
import threading

import pytest

from core.cli.here import Here
from core.cli.output import Output, one_line, table, visible
from core.errors import Cancelled


def test_figures_stand_to_the_right_and_texts_to_the_left() -> None:
    assert table(("name", "pages"), [("a", "7"), ("long name", "128")]) == [
        "name       pages",
        "a              7",
        "long name    128",
    ]


def test_a_row_is_one_line_whatever_its_name_holds() -> None:
    assert table(("name",), [("two\nlines\x1b[2J",)]) == ["name", "two[U+000A]lines[U+001B][2J"]
    assert one_line("a\tb") == "a[U+0009]b"


def test_wide_and_combining_characters_keep_the_columns() -> None:
    rows = table(("name", "n"), [("文書", "1"), ("abcd", "2"), ("e\u0301abc", "3")])
    assert rows[1:] == ["文書  1", "abcd  2", "e\u0301abc  3"]


def test_an_empty_table_says_what_to_do() -> None:
    assert table(("name",), [], empty="There are no models.") == ["There are no models."]
    assert table(("name",), []) == ["name"]


def test_text_keeps_its_lines_and_loses_its_commands() -> None:
    assert visible("one\n\ttwo\u202ethree") == "one\n\ttwo[U+202E]three"


def test_json_is_one_document_with_the_exact_content(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(json_wanted=True, console=Here())
    output.text("streamed")
    output.say("a remark")
    output.result({"name": "a\x1bb é"}, ["never printed"])
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {"name": "a\x1bb é"}
    assert printed.err == "a remark\n"


def test_the_first_interrupt_cancels_the_job_and_the_second_ends_the_command() -> None:
    before = signal.getsignal(signal.SIGINT)
    try:
        job = Output(json_wanted=False, console=Here()).job("Reading")
        cancelled = threading.Event()
        job.on_cancel(cancelled.set)
        signal.raise_signal(signal.SIGINT)
        assert cancelled.wait(timeout=120)
        with pytest.raises(Cancelled, match="Reading: stopped"):
            job.check()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
