"""A prompt as a YAML file, so that a team can keep its prompts in version control.

name: cite-answers
notes: one line
messages:
  - role: system
    content: |
      …
"""

from pathlib import Path

import msgspec
import yaml

from core.errors import BadInput
from core.inference.records import Message
from core.paths import read_yaml
from core.prompts.records import PromptVersion, SavePrompt
from core.records import Record


class _File(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    messages: tuple[Message, ...]
    name: str = ""
    notes: str = ""


def read_prompt(path: Path, name: str | None = None) -> SavePrompt:
    """The prompt in a file; `name` wins over the file's own. Raises `BadInput` with what doesn't fit."""
    content = read_yaml(path)
    if content is None:
        raise BadInput(source=str(path), problem="empty. A prompt file has name, notes and messages, or is a text.")
    if not isinstance(content, dict):
        content = {"messages": [{"role": "user", "content": str(content)}]}
    try:
        file = msgspec.convert(content, _File)
    except msgspec.ValidationError as error:
        raise BadInput(source=str(path), problem=f"{error}. A prompt file has name, notes and messages.") from error
    chosen = name or file.name or path.stem
    return SavePrompt(name=chosen, messages=file.messages, notes=file.notes)


def write_prompt(version: PromptVersion) -> str:
    """The YAML text from which `read_prompt` gives the same messages."""
    content = {
        "name": version.name,
        "notes": version.notes,
        "messages": [{"role": message.role, "content": message.content} for message in version.messages],
    }
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=100)
