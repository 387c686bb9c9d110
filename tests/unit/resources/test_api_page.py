"""The page on the API names each address that there is, and commands and tests that exist."""

import re

import click

from core.cli.main import assay
from core.paths import RESOURCES
from core.server.app import KNOWN
from core.server.listening import PORT
from core.server.sampling import UNASKED
from tests.conftest import REPOSITORY

PAGE = (RESOURCES / "help" / "api.md").read_text(encoding="utf-8")


def test_the_page_names_each_address() -> None:
    assert set(re.findall(r"`(?:GET|POST) (/\S+)`", PAGE)) == set(KNOWN)
    assert f"127.0.0.1:{PORT}/v1" in PAGE
    assert f"up to {UNASKED:,} tokens" in PAGE


def test_the_page_names_commands_and_tests_that_exist() -> None:
    commands = re.findall(r"`assay ([a-z ]+)`", PAGE)
    assert {"serve", "token make", "token list", "token revoke"} <= set(commands)
    for words in commands:
        found: click.Command = assay
        for word in words.split():
            assert isinstance(found, click.Group)
            found = found.commands[word]
    named = re.findall(r"`(tests/[a-z0-9_/]+\.py)`", PAGE)
    assert len(named) >= 4
    for file in named:
        assert (REPOSITORY / file).is_file(), file


def test_the_command_line_and_the_server_know_the_same_port() -> None:
    from core.cli import serve

    assert serve.PORT == PORT
