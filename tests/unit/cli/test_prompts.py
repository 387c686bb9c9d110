"""Prompts on the command line: files in and out, what a version makes of values, and the library."""

import json
from collections.abc import Callable

from core.cli.main import share
from core.workbench import Workbench
from tests.unit.cli.people import Person

TYPED = """\
name: tone
variables: [{name: tone, kind: choice, choices: [calm, warm]}]
messages: [{role: user, content: "Be {{ tone }}: {{ question }}"}]
"""


def test_a_typed_prompt_goes_from_file_to_folder_and_back(bench: Workbench, person: Callable[..., Person]) -> None:
    share(bench)
    ines = person("ines")
    (ines.folder / "tone.yaml").write_text(TYPED)
    assert ines("prompt", "save", "tone", "--file", "tone.yaml") == 0
    assert ines("prompt", "render", "tone", "--set", "tone=warm", "--question", "Why?", "--json") == 0
    assert json.loads(ines.output)["messages"] == [{"role": "user", "content": "Be warm: Why?"}]
    assert ines("prompt", "render", "tone", "--set", "tone=loud") == 8
    assert "variable tone (message 1, user, line 1): it is none of calm, warm" in ines.errors
    assert ines("prompt", "render", "tone", "--set", "tone") == 2
    assert ines("prompt", "export", "prompts") == 0
    file = ines.folder / "prompts" / "tone.yaml"
    file.write_text(file.read_text().replace("Be ", "Stay "))
    assert ines("prompt", "import", "prompts", "--json") == 0
    assert json.loads(ines.output)["files"] == [
        {"file": "tone.yaml", "what": "saved", "prompt": "tone@2", "reason": ""}
    ]
    assert ines("prompt", "diff", "tone@1", "tone@2", "--rendered", "--set", "tone=calm") == 0
    assert "[-Be-]{+Stay+} calm" in ines.output
    file.write_text(file.read_text().replace("Stay ", "Remain "))
    assert ines("prompt", "import", "prompts") == 1
    assert "it was made from version 1, and the vault has tone@2" in ines.output
    assert ines("prompt", "show", "tone", "--json") == 0
    shown = json.loads(ines.output)
    assert shown["variables"][0]["choices"] == ["calm", "warm"]
    assert shown["contract"] == {"form": "text"}


def test_the_library_is_listed(bench: Workbench, person: Callable[..., Person]) -> None:
    share(bench)
    ines = person("ines")
    assert ines("prompt", "library", "--json") == 0
    listed = json.loads(ines.output)["library"]
    assert [entry["name"] for entry in listed] == [
        *("cite", "classify", "compare", "extract", "judge", "redact", "summarise"),
    ]
    assert ines("prompt", "library", "absent") == 6
