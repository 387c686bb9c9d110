"""The manual page: every command is on it, and nothing in a text is taken for a command of roff."""

import shutil
import subprocess

import click
import pytest

from core.cli.main import assay
from installers.manual import page

EPOCH = 1_700_000_000


@click.group()
def tool() -> None:
    """Do a thing.

    .hidden at a line's beginning, and a back\\slash, and a café.
    """


@tool.command()
@click.argument("place")
@click.option("--how-much", help="'quoted first.")
def work(place: str, how_much: str) -> None:
    """.TH is no title here."""


def test_texts_are_not_taken_for_commands() -> None:
    text = page(tool, "tool", "1.0", EPOCH)
    assert "\\&.hidden" in text
    assert "\\&.TH is no title" in text
    assert "\\&'quoted first" in text
    assert "back\\eslash" in text
    assert "\\-\\-how\\-much" in text
    assert text == page(tool, "tool", "1.0", EPOCH)
    assert text.isascii()
    assert "\\[u00E9]" in text
    assert text.startswith('.TH TOOL 1 "2023-11-14" "tool 1.0"')


def test_every_command_is_on_the_page() -> None:
    text = page(assay, "assay", "0", EPOCH)

    def names(group: click.Group, path: tuple[str, ...]) -> list[str]:
        found = []
        for name, command in group.commands.items():
            found += names(command, (*path, name)) if isinstance(command, click.Group) else [" ".join((*path, name))]
        return found

    for name in names(assay, ()):
        assert f".SS\n{name.replace('-', chr(92) + '-')}" in text


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff isn't installed")
def test_groff_has_nothing_to_say_against_it() -> None:
    text = page(assay, "assay", "0", EPOCH)
    done = subprocess.run(["groff", "-man", "-Tutf8", "-z"], input=text, capture_output=True, text=True, check=False)  # noqa: S607
    assert done.returncode == 0
    assert not done.stderr
