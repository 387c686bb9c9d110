"""What the help pages say can be checked: every test that they name is there, every command exists, no paragraph is left out."""

import re

import click
import pytest

from core.cli.main import assay
from core.paths import RESOURCES
from tests.conftest import REPOSITORY

PAGES = (
    "security.md",
    "part-11.md",
    "roles.md",
    "models.md",
    "running.md",
    "api.md",
    "documents.md",
    "guards.md",
    "datasets.md",
    "training.md",
    "scorers.md",
    "prompts.md",
    "installing.md",
)
NAMED = re.compile(r"`(tests/[a-z0-9_/]+\.py)(?:::(test_[a-z0-9_]+))?`")
COMMAND = re.compile(r"`assay ((?:[a-z-]+ ?)+)")


def text(page: str) -> str:
    return (RESOURCES / "help" / page).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("page", "least"),
    [
        ("security.md", 30),
        ("part-11.md", 30),
        ("models.md", 10),
        ("running.md", 9),
        ("documents.md", 7),
        ("guards.md", 15),
        ("datasets.md", 9),
        ("training.md", 7),
        ("scorers.md", 7),
        ("prompts.md", 7),
        ("installing.md", 7),
    ],
)
def test_every_test_that_a_page_names_is_there(page: str, least: int) -> None:
    named = NAMED.findall(text(page))
    assert len(named) > least
    for file, function in named:
        assert (REPOSITORY / file).is_file(), file
        if function:
            assert f"def {function}(" in (REPOSITORY / file).read_text(encoding="utf-8"), f"{file}::{function}"
    assert text(page).count("`tests/") == len(named), "a test is named in another form"


@pytest.mark.parametrize("page", PAGES)
def test_every_command_that_a_page_names_exists(page: str) -> None:
    for words in COMMAND.findall(text(page)):
        found: click.Command = assay
        for word in words.split():
            if isinstance(found, click.Group):
                assert word in found.commands, f"assay {words}"
                found = found.commands[word]


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_leads_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", text(page)):
        assert (RESOURCES / "help" / target).is_file(), target


def test_every_attacker_and_system_is_spoken_of() -> None:
    page = text("security.md")
    heads = re.findall(r"^## (.+)$", page, re.MULTILINE)
    assert heads[:6] == [
        "Somebody has the disk",
        "A curious colleague",
        "An administrator",
        "A malicious document",
        "A malicious model",
        "An insider who rewrites history",
    ]
    assert page.count("**What it can't do.**") == 6
    for subject in ("Swap", "hibernation", "Crash dumps", "Wiped memory", "Checkpoints", "Old copies", "clock"):
        assert subject in page
    assert "| | Linux | Windows | macOS |" in page


def test_every_paragraph_is_mapped() -> None:
    page = text("part-11.md")
    paragraphs = [f"11.10({letter})" for letter in "abcdefghijk"]
    paragraphs += ["11.50(a)", "11.50(b)", "11.70", "11.100(a)", "11.100(b)", "11.100(c)"]
    paragraphs += ["11.200(a)(1)", "11.200(a)(2)", "11.200(a)(3)", "11.200(b)"]
    paragraphs += [f"11.300({letter})" for letter in "abcde"]
    paragraphs += [f"Annex 11, {number}" for number in range(1, 18)]
    paragraphs += ["Article 11", "Article 12(1)", "Article 12(2)", "Article 12(3)"]
    paragraphs += [f"Annex IV, {number}" for number in range(1, 10)]
    rows = [line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| ")]
    assert [row for row in rows if row in paragraphs] == paragraphs
