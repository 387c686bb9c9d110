import errno
from pathlib import Path

import click
import pytest

from core.cli.main import assay, from_system, reordered, unforeseen
from core.cli.session import ask_passphrase, read_passphrase
from core.errors import BadInput, DiskFull, Unavailable


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (["ask", "law", "Who?", "--vault", "V", "--json"], ["--vault", "V", "--json", "ask", "law", "Who?"]),
        (["vault", "create", "V", "--user", "ines"], ["--user", "ines", "vault", "create", "V"]),
        (["--json", "model", "list", "--vault=V"], ["--json", "--vault=V", "model", "list"]),
        (["ask", "law", "--", "--json"], ["ask", "law", "--", "--json"]),
    ],
)
def test_global_options_are_accepted_anywhere(given: list[str], meant: list[str]) -> None:
    assert reordered(given) == meant


def test_a_global_option_without_its_value_is_named() -> None:
    with pytest.raises(click.UsageError, match="'--vault' requires an argument"):
        reordered(["model", "list", "--vault"])


def test_what_the_system_refuses_becomes_a_sentence() -> None:
    full = from_system(OSError(errno.ENOSPC, "No space left on device"))
    assert isinstance(full, DiskFull)
    other = from_system(PermissionError(errno.EACCES, "Permission denied", "a.json"))
    assert isinstance(other, Unavailable)
    assert str(other).startswith("a.json: Permission denied. Check")


def test_a_fault_is_told_by_kind_and_place_without_its_content() -> None:
    try:
        raise KeyError("a patient's name")
    except KeyError as error:
        said = unforeseen(error)
    assert said.startswith("A fault of Assay's own: KeyError in test_main.py, line ")
    assert "patient" not in said


def test_a_passphrase_nobody_can_type_names_what_to_give() -> None:
    with pytest.raises(Unavailable, match=r"New passphrase of eve.*Give --passphrase-file FILE"):
        ask_passphrase("New passphrase of eve", step="Give --passphrase-file FILE.")


def test_a_passphrase_is_the_first_line_of_its_file(tmp_path: Path) -> None:
    file = tmp_path / "p.txt"
    file.write_text("a quiet ladder \nsecond line\n")
    assert read_passphrase(file) == "a quiet ladder "
    file.write_text("\n")
    with pytest.raises(BadInput, match="empty"):
        read_passphrase(file)
    with pytest.raises(BadInput, match="can't be read"):
        read_passphrase(tmp_path / "absent.txt")


def test_every_command_and_option_has_a_help_text() -> None:
    def walk(command: click.Command, path: str) -> list[str]:
        lacking = [] if command.help else [path]
        lacking += [f"{path} {p.opts[0]}" for p in command.params if isinstance(p, click.Option) and not p.help]
        if isinstance(command, click.Group):
            for name, child in command.commands.items():
                lacking += walk(child, f"{path} {name}")
        return lacking

    assert walk(assay, "assay") == []
