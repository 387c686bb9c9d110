"""The manual page of `assay`, made from the command line's own declarations."""

import datetime
import re
from collections.abc import Iterator

import click

SECTION = "1"
_FILES = """.TP
.I NAME.assay/
A vault: a folder that holds all that is confidential, encrypted. It lies where you create it.
.TP
.I ~/.config/assay/
Settings that are not confidential.
"""
_ENVIRONMENT = (
    ("ASSAY_VAULT", "The vault to work in, where --vault isn't given."),
    ("ASSAY_USER", "Who works, where --user isn't given."),
    ("ASSAY_PASSPHRASE_FILE", "A file that holds the passphrase, for scripts."),
)


def page(command: click.Group, name: str, version: str, epoch: int) -> str:
    """The page in roff. The same command, version and time give the same text."""
    date = datetime.datetime.fromtimestamp(epoch, datetime.UTC).date().isoformat()
    lines = [
        f'.TH {name.upper()} {SECTION} "{date}" "{name} {version}" "User commands"',
        ".SH NAME",
        f"{name} \\- {_text(_sentence(command)).rstrip('.').lower()}",
        ".SH SYNOPSIS",
        f".B {name}",
        "[\\fIOPTIONS\\fR] \\fICOMMAND\\fR [\\fIARGUMENTS\\fR]",
        ".br",
        f".B {name} app",
        "[\\fIVAULT\\fR | \\fIPACK\\fR]",
        ".SH DESCRIPTION",
        _text(command.help or ""),
        f".PP\n\\fB{name} app\\fR opens the window. \\fB{name}\\fR \\fICOMMAND\\fR \\fB\\-\\-help\\fR tells more of a command.",
        ".SH OPTIONS",
        *_options(command, name),
        ".SH COMMANDS",
        *_commands(command, (name,)),
        ".SH EXIT STATUS",
        "0: done. 1: the answer is no. 2: the line can't be understood. From 3 on, one for each kind of error.",
        ".SH ENVIRONMENT",
        *(line for key, text in _ENVIRONMENT for line in (".TP", f".B {key}", _text(text))),
        ".SH FILES",
        _FILES.rstrip(),
    ]
    return "\n".join(lines) + "\n"


def _commands(group: click.Group, path: tuple[str, ...]) -> Iterator[str]:
    for name, command in sorted(group.commands.items()):
        if command.hidden:
            continue
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))
            continue
        words = " ".join(str(parameter.make_metavar(click.Context(command))) for parameter in _arguments(command))
        yield ".SS"
        yield _text(" ".join((*path[1:], name, words)).strip())
        yield _text(command.help or "")
        yield from _options(command, name)


def _arguments(command: click.Command) -> list[click.Argument]:
    return [parameter for parameter in command.params if isinstance(parameter, click.Argument)]


def _options(command: click.Command, name: str) -> Iterator[str]:
    context = click.Context(command, info_name=name)
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None:
            yield ".TP"
            yield f"\\fB{_text(record[0])}\\fR"
            yield _text(record[1])


def _sentence(command: click.Command) -> str:
    return (command.help or "").strip().split("\n")[0]


def _text(text: str) -> str:
    """Plain text for roff: no line begins with a command, hyphens and backslashes stand for themselves, and all is ASCII."""
    text = re.sub(r"[\x08\x0c]", "", text).strip().replace("\\", "\\e").replace("-", "\\-")
    text = "".join(letter if letter.isascii() else f"\\[u{ord(letter):04X}]" for letter in text)
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n", text)]
    return "\n.PP\n".join(re.sub(r"^([.'])", r"\\&\1", part) for part in paragraphs)
