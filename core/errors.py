"""Every error that a user can act on, drawn once.

Each class owns its sentence, its exit code and its HTTP status. A sentence names the thing, says what is wrong and gives the
next step. Whatever is not an `AssayError` is a bug, and is reported as one. An error crosses a process boundary as its class
name and its fields, never as an object: `to_fields` and `from_fields`.

    AssayError              3
    ├── Refused             4   the person may not do this
    ├── WrongPassphrase     5
    ├── NotFound            6
    ├── AlreadyExists       7
    ├── BadInput            8   a file, a row, a setting that can't be used
    │   └── TemplateError       a prompt's Jinja, with its line
    ├── Unsupported         9   a format or a feature that this build doesn't have
    ├── Damaged            10   content that differs from its digest, ends early or can't be decoded
    │   └── Changed             a registered file that is now another one
    ├── NewerVault         11
    ├── VaultBusy          12
    ├── WorkerFailed       13   a child process ended, ran out of memory or took too long
    ├── DiskFull           14
    ├── ContextExceeded    15   a prompt longer than the model's window
    ├── Unavailable        16   something that must be installed or chosen first
    ├── InvalidAnswer      17   a model's answer that breaks the form that was asked for
    └── Cancelled         130   a person stopped it; quiet
"""

from collections.abc import Mapping
from typing import ClassVar


class AssayError(Exception):
    """Base of all errors that carry a sentence for the user. Its fields fill the class's template."""

    template: ClassVar[str] = "{problem}"
    exit_code: ClassVar[int] = 3
    http_status: ClassVar[int] = 500

    def __init__(self, **fields: str | int | float) -> None:
        self.fields: dict[str, str | int | float] = dict(fields)
        super().__init__(self.template.format_map(_Fields(self.fields)))


class _Fields(dict[str, str | int | float]):
    def __missing__(self, key: str) -> str:
        return "?"


class Refused(AssayError):
    """Fields: `act`, `reason`."""

    template = "{act}: refused. {reason}"
    exit_code = 4
    http_status = 403


class WrongPassphrase(AssayError):
    """Fields: `vault`. Says nothing about which of name and passphrase was wrong."""

    template = "{vault}: the user name or the passphrase is wrong. Nothing was opened."
    exit_code = 5
    http_status = 401


class NotFound(AssayError):
    """Fields: `kind`, `name`, `step` (what to do)."""

    template = "There is no {kind} {name}. {step}"
    exit_code = 6
    http_status = 404


class AlreadyExists(AssayError):
    """Fields: `kind`, `name`, `step`."""

    template = "The {kind} {name} exists already. {step}"
    exit_code = 7
    http_status = 409


class BadInput(AssayError):
    """Fields: `source` (file, row or setting), `problem` (a whole sentence with its next step)."""

    template = "{source}: {problem}"
    exit_code = 8
    http_status = 422


class TemplateError(BadInput):
    """Fields: `source`, `line` (counted from 1), `problem`."""

    template = "{source}, line {line}: {problem}"


class Unsupported(AssayError):
    """Fields: `source`, `reason`."""

    template = "{source}: {reason}"
    exit_code = 9
    http_status = 415


class Damaged(AssayError):
    """Fields: `source`, `problem`."""

    template = "{source}: {problem}"
    exit_code = 10
    http_status = 409


class Changed(Damaged):
    """Fields: `source`, `since` (a date)."""

    template = "{source}: the file changed since it was registered on {since}. Register it again to use it."


class NewerVault(AssayError):
    """Fields: `vault`, `package`, `found`, `known`."""

    template = (
        "{vault}: written by a newer Assay ({package} is at version {found}; this program knows {known}). "
        "Open it with that version. Nothing was changed."
    )
    exit_code = 11
    http_status = 409


class VaultBusy(AssayError):
    """Fields: `vault`, `process`."""

    template = "{vault}: open in another Assay (process {process}). Close it there first."
    exit_code = 12
    http_status = 423


class WorkerFailed(AssayError):
    """Fields: `worker`, `reason`, `safe` (what is kept)."""

    template = "{worker} stopped: {reason}. {safe}"
    exit_code = 13
    http_status = 502


class DiskFull(AssayError):
    """Fields: `path`."""

    template = "{path}: the disk is full. Nothing half-written was kept; free some space and try again."
    exit_code = 14
    http_status = 507


class ContextExceeded(AssayError):
    """Fields: `prompt`, `answer`, `window` (tokens)."""

    template = (
        "The prompt has {prompt} tokens and the answer may take {answer}; the window holds {window}. "
        "Use fewer passages or a shorter answer."
    )
    exit_code = 15
    http_status = 413


class Unavailable(AssayError):
    """Fields: `what`, `step`."""

    template = "{what}. {step}"
    exit_code = 16
    http_status = 503


class InvalidAnswer(AssayError):
    """Fields: `source` (the model), `problem`."""

    template = "{source}: {problem}"
    exit_code = 17
    http_status = 422


class Cancelled(AssayError):
    """A person stopped the work. Fields: `what`."""

    template = "{what}: stopped. What was recorded until then is kept."
    exit_code = 130
    http_status = 499


def to_fields(error: AssayError) -> tuple[str, dict[str, str | int | float]]:
    """What of an error crosses a process boundary: its class name and its fields."""
    return type(error).__name__, error.fields


def from_fields(name: str, fields: Mapping[str, str | int | float]) -> AssayError:
    """The error that `to_fields` described; an unknown name (a worker is not trusted) becomes a plain `AssayError`."""
    kind = _tree(AssayError).get(name, AssayError)
    plain = {str(key): value for key, value in fields.items()}
    if kind is AssayError and "problem" not in plain:
        plain["problem"] = f"An unknown error was reported ({name[:80]})."
    return kind(**plain)


def _tree(base: type[AssayError]) -> dict[str, type[AssayError]]:
    found = {base.__name__: base}
    for child in base.__subclasses__():
        found.update(_tree(child))
    return found
