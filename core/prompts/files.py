"""A prompt as a YAML file, so that a team can keep its prompts in version control.

name: cite-answers
version: 3            # written by Assay: the version that the file was made from
notes: one line
variables:
  - name: tone
    kind: choice
    choices: [plain, technical]
contract:
  form: json
  schema: {…}
settings:
  temperature: 0.2
messages:
  - role: system
    content: |
      …

Rules: the same version makes the same bytes everywhere; reading what was written gives the same content, by its fingerprint. What has its
default is left out.
"""

from pathlib import Path
from typing import Any

import msgspec
import yaml

from core.errors import BadInput
from core.inference.records import Message
from core.paths import read_yaml
from core.prompts.records import Contract, PromptVersion, Sampling, SavePrompt, Variable
from core.prompts.service import content
from core.records import Record
from core.trust.canonical import builtins, canonical, digest

PARTS = "name, version, notes, variables, contract, settings and messages"


class _Writer(yaml.SafeDumper):
    """Texts of several lines stand as they are, so that a difference shows line by line."""


def _text(writer: yaml.SafeDumper, value: str) -> yaml.Node:
    style = "|" if "\n" in value else None
    return writer.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Writer.add_representer(str, _text)


class _File(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: int = 0
    """Of the prompt, not of the record; 0 where a person wrote the file."""
    messages: tuple[Message, ...]
    name: str = ""
    notes: str = ""
    variables: tuple[Variable, ...] = ()
    contract: Contract = Contract()
    settings: Sampling = Sampling()


class PromptFile(Record, frozen=True, kw_only=True):
    """What a file holds. `based_on`: the number of the version that it was made from, 0 where it doesn't say."""

    prompt: SavePrompt
    based_on: int


def read_prompt(path: Path, name: str | None = None) -> SavePrompt:
    """The prompt in a file; `name` wins over the file's own. Raises `BadInput` with what doesn't fit."""
    return read_file(path, name).prompt


def read_file(path: Path, name: str | None = None) -> PromptFile:
    """The same, with the version that it was made from."""
    found = read_yaml(path)
    if found is None:
        raise BadInput(source=str(path), problem=f"empty. A prompt file has {PARTS}, or is a text.")
    if not isinstance(found, dict):
        found = {"messages": [{"role": "user", "content": str(found)}]}
    try:
        file = msgspec.convert(found, _File)
    except msgspec.ValidationError as error:
        raise BadInput(source=str(path), problem=f"{error}. A prompt file has {PARTS}.") from error
    prompt = SavePrompt(
        name=name or file.name or path.stem,
        messages=file.messages,
        notes=file.notes,
        variables=file.variables,
        contract=file.contract,
        settings=file.settings,
    )
    return PromptFile(prompt=prompt, based_on=file.version)


def write_prompt(version: PromptVersion) -> str:
    """The YAML text from which `read_prompt` gives the same content; the same for the same version, everywhere."""
    said = content(version)
    file: dict[str, Any] = {"name": version.name, "version": version.number, "notes": version.notes}
    if said.variables:
        file["variables"] = [_plain(variable) for variable in said.variables]
    for part in ("contract", "settings"):
        if plain := _plain(getattr(said, part)):
            file[part] = plain
    file["messages"] = [{"role": message.role, "content": message.content} for message in version.messages]
    return yaml.dump(file, Dumper=_Writer, allow_unicode=True, sort_keys=False, width=100)


def fingerprint(prompt: SavePrompt) -> str:
    """SHA-256 of what a prompt says, without its notes, number, author and nonce: equal in every vault and for the file."""
    plain = builtins(prompt)
    return digest(canonical({name: plain[name] for name in ("messages", "variables", "contract", "settings")}))


def _plain(record: Record) -> dict[str, Any]:
    """A record's fields that differ from their defaults."""
    usual = {field.name: field.default for field in msgspec.structs.fields(record)}
    return {
        name: _ordered(msgspec.to_builtins(getattr(record, name)))
        for name in usual
        if name != "version" and getattr(record, name) != usual[name]
    }


def _ordered(value: Any) -> Any:
    """The same with names in order, as the vault keeps them."""
    if isinstance(value, dict):
        return {name: _ordered(value[name]) for name in sorted(value)}
    return [_ordered(part) for part in value] if isinstance(value, list | tuple) else value
