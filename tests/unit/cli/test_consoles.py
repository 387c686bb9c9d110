"""Commands reach streams, environment, folder and signals through their console alone: they may be running for somebody elsewhere."""

import ast
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import core.cli
from core.cli.main import assay
from core.cli.session import FILE

FOLDER = Path(core.cli.__file__).parent
OF_THE_PROCESS = {
    "click.echo", "click.secho", "click.prompt", "click.confirm", "click.getchar", "click.pause", "click.edit", "click.echo_via_pager",
    "sys.stdin", "sys.stdout", "sys.stderr", "sys.argv", "sys.exit", "os.environ", "os.getenv", "os.getcwd", "os.chdir", "os._exit",
    "Path.cwd", "Path.home", "signal.signal", "print", "input", "getpass.getpass",
}  # fmt: skip
ITS_OWN = {
    "here.py": OF_THE_PROCESS,
    "main.py": {"sys.argv", "sys.exit", "os.environ"},
    "joining.py": {"signal.signal"},
    "rendezvous.py": {"os.environ"},
}


def used(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id


@pytest.mark.parametrize("file", sorted(path.name for path in FOLDER.glob("*.py")))
def test_only_the_console_touches_the_process(file: str) -> None:
    found = set(used(ast.parse((FOLDER / file).read_text())))
    assert found & (OF_THE_PROCESS - ITS_OWN.get(file, set())) == set()


def commands(command: click.Command, path: str = "assay") -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from commands(child, f"{path} {name}")


def test_every_file_on_the_command_line_is_found_from_its_persons_folder() -> None:
    """Folders of vaults aside, which are named to the process that opens them."""
    wrong = [
        f"{path} {parameter.name}"
        for path, command in commands(assay)
        for parameter in command.params
        if isinstance(parameter.type, click.Path | click.File)
        or (parameter.metavar in ("FILE", "PATH") and parameter.type is not FILE)
    ]
    assert wrong == []
