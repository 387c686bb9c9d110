"""The example workspace: its questions hold on the pages that they name, and its documents are what their sources say.

Documents are parsed in a child process only, as everywhere in Assay.
"""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml
from jinja2 import StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from core.evals.files import read_spec

EXAMPLE = Path(__file__).resolve().parents[3] / "resources" / "example"
DOCUMENTS = EXAMPLE / "documents"
LARGEST = 600_000
"""Bytes of the whole example."""

READ_PAGES = """
import csv, json, sys
from pathlib import Path
import docx, lxml.html, pymupdf

def pages(path):
    if path.suffix == ".pdf":
        with pymupdf.open(path) as document:
            return [page.get_text() for page in document]
    if path.suffix == ".docx":
        blocks = docx.Document(path).iter_inner_content()
        return ["\\n".join(
            block.text if hasattr(block, "text") else "\\n".join(" ".join(c.text for c in r.cells) for r in block.rows)
            for block in blocks
        )]
    if path.suffix == ".html":
        return [lxml.html.fromstring(path.read_bytes()).find("body").text_content()]
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            return ["\\n".join(" ".join(row) for row in csv.reader(file))]
    return [path.read_text(encoding="utf-8")]

texts = {path.name: [" ".join(page.split()) for page in pages(path)] for path in sorted(Path(sys.argv[1]).iterdir())}
print(json.dumps(texts))
"""


def read_pages(folder: Path) -> dict[str, list[str]]:
    """The text of each page of each document in a folder, white space folded."""
    done = subprocess.run(
        [sys.executable, "-c", READ_PAGES, str(folder)], capture_output=True, check=True, encoding="utf-8", timeout=300
    )
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def pages() -> dict[str, list[str]]:
    return read_pages(DOCUMENTS)


@pytest.fixture(scope="module")
def questions() -> list[dict]:
    lines = (EXAMPLE / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def answerable(questions: list[dict]) -> list[dict]:
    return [question for question in questions if not question.get("unanswerable")]


def test_nine_documents_of_five_formats(pages: dict[str, list[str]]) -> None:
    formats = Counter(Path(name).suffix for name in pages)
    assert formats == {".pdf": 4, ".docx": 2, ".html": 1, ".md": 1, ".csv": 1}
    assert len(pages["quality-manual.pdf"]) >= 5
    assert len(pages["SOP-PV-014-case-intake.pdf"]) >= 6


def test_forty_questions_eight_without_an_answer(questions: list[dict]) -> None:
    assert [question["id"] for question in questions] == [f"q{number:02}" for number in range(1, 41)]
    assert len({question["input"] for question in questions}) == 40
    without = [question for question in questions if question.get("unanswerable")]
    assert len(without) == 8
    for question in without:
        assert question["target"] is question["document"] is question["page"] is None
        assert "unanswerable" in question["tags"]


def test_each_quote_stands_on_its_page(answerable: list[dict], pages: dict[str, list[str]]) -> None:
    missing = [
        question["id"]
        for question in answerable
        if question["quote"] not in pages[question["document"]][question["page"] - 1]
    ]
    assert missing == []


def test_each_quote_stands_in_one_place_only(answerable: list[dict], pages: dict[str, list[str]]) -> None:
    for question in answerable:
        found = [
            (name, number)
            for name, texts in pages.items()
            for number, text in enumerate(texts, start=1)
            if question["quote"] in text
        ]
        assert found == [(question["document"], question["page"])], question["id"]


def test_quote_and_answer_hold_the_target(answerable: list[dict]) -> None:
    for question in answerable:
        assert question["target"] in question["quote"], question["id"]
        assert question["target"] in question["answer"], question["id"]
        assert question["answer"].endswith("."), question["id"]


def test_every_document_is_asked_about(answerable: list[dict], pages: dict[str, list[str]]) -> None:
    assert {question["document"] for question in answerable} == set(pages)


def test_some_targets_stand_elsewhere_too(answerable: list[dict], pages: dict[str, list[str]]) -> None:
    """A reader that only looks for a likely value must be able to cite the wrong page."""
    text_of = {(name, number): text for name, texts in pages.items() for number, text in enumerate(texts, start=1)}
    repeated = [
        question["id"]
        for question in answerable
        if any(
            question["target"] in text
            for place, text in text_of.items()
            if place != (question["document"], question["page"])
        )
    ]
    assert len(repeated) >= 5


def test_documents_are_what_the_sources_say(pages: dict[str, list[str]], tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(EXAMPLE / "build.py"), str(tmp_path)], check=True, timeout=300)
    rebuilt = read_pages(tmp_path)
    assert len(rebuilt) == 6
    assert rebuilt == {name: pages[name] for name in rebuilt}


def test_words_with_ligatures_can_be_found(pages: dict[str, list[str]]) -> None:
    text = " ".join(page for name, texts in pages.items() if name.endswith(".pdf") for page in texts)
    assert "first" in text
    assert "staff" in text
    assert not set(text) & set("ﬀﬁﬂﬃﬄ")


def render(number: int) -> list[str]:
    content = yaml.safe_load((EXAMPLE / "prompts" / f"cite-answers-v{number}.yaml").read_text(encoding="utf-8"))
    assert content["name"] == "cite-answers"
    assert [message["role"] for message in content["messages"]] == ["system", "user"]
    environment = SandboxedEnvironment(undefined=StrictUndefined, trim_blocks=False)
    passages = [
        {"number": 1, "text": "The shelf life is\n14 months. It is stored at 4 °C.", "document": "a.pdf", "page": 2},
        {"number": 2, "text": "Delivery takes 9 days.", "document": "b.md", "page": 1},
    ]
    variables = {"question": "How long does it keep?", "passages": passages}
    return [environment.from_string(message["content"]).render(variables) for message in content["messages"]]


def test_first_prompt_numbers_each_passage_once() -> None:
    system, user = render(1)
    assert "cite" not in system
    assert user == (
        "[1] The shelf life is 14 months. It is stored at 4 °C.\n"
        "[2] Delivery takes 9 days.\n"
        "\n"
        "Question: How long does it keep?"
    )


def test_second_prompt_shows_the_nearest_passage_and_says_how_to_refuse() -> None:
    system, user = render(2)
    assert "cite its passage as [n]" in system
    assert "say: Not stated in the documents." in system
    assert user == (
        "[1] The shelf life is 14 months. [1] It is stored at 4 °C. [1]\n\nQuestion: How long does it keep?"
    )


def test_evaluation_names_what_the_example_holds() -> None:
    spec = yaml.safe_load((EXAMPLE / "evaluation.yaml").read_text(encoding="utf-8"))
    for prompt in spec["prompts"]:
        name, number = prompt.split("@")
        assert (EXAMPLE / "prompts" / f"{name}-v{number}.yaml").is_file()
    variants = {f"{prompt} / {model}" for prompt in spec["prompts"] for model in spec["models"]}
    for criterion in spec["criteria"]:
        assert criterion["variant"] in variants
        assert criterion["metric"] in spec["scorers"]


def test_the_example_stays_small() -> None:
    files = [path for path in EXAMPLE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert sum(path.stat().st_size for path in files) < LARGEST


def test_the_spec_on_searching_compares_sizes_and_numbers_of_passages() -> None:
    spec = read_spec(EXAMPLE / "retrieval.yaml")
    ways = {(settings.collection, settings.passages) for settings in spec.settings}
    assert {collection for collection, _ in ways} == {"merrowdale", "merrowdale-60"}
    assert len({passages for _, passages in ways}) == 3
    assert len(ways) == len(spec.settings)
    assert f"merrowdale-60 --size {60}" in (EXAMPLE / "README.md").read_text(encoding="utf-8")
    assert {criterion.metric for criterion in spec.criteria} <= set(spec.scorers)
