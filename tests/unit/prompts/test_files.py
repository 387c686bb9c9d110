from pathlib import Path

import pytest

from core.errors import BadInput
from core.inference.records import Message
from core.prompts.files import read_prompt, write_prompt
from core.prompts.records import PromptVersion


def test_a_written_prompt_is_read_back(tmp_path: Path) -> None:
    messages = (Message(role="system", content="Cite.\nAlways."), Message(role="user", content="{{ question }}: «ja»"))
    version = PromptVersion(name="cite", number=3, messages=messages, notes="n", parent=None, author="ines", saved="")
    file = tmp_path / "cite.yaml"
    file.write_text(write_prompt(version), encoding="utf-8")
    read = read_prompt(file)
    assert (read.name, read.messages, read.notes) == ("cite", messages, "n")


def test_a_plain_text_is_one_user_message(tmp_path: Path) -> None:
    file = tmp_path / "plain.txt"
    file.write_text("Summarise {{ text }}", encoding="utf-8")
    assert read_prompt(file, "plain").messages == (Message(role="user", content="Summarise {{ text }}"),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("messages: [", "line 1: not readable as YAML"),
        ("message: []", "unknown field"),
        ("messages: 3", "Expected `array`"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=r"broken\.yaml") as caught:
        read_prompt(file)
    assert said in str(caught.value)


def test_an_empty_file_is_no_prompt(tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").write_text("\n")
    with pytest.raises(BadInput, match=r"empty\.yaml: empty"):
        read_prompt(tmp_path / "empty.yaml")
