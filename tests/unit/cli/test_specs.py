"""Specs on the command line: what is shown is what was kept, and can be saved again."""

import json
from collections.abc import Callable

from core.cli.main import share
from core.workbench import Workbench
from tests.unit.cli.people import Person

SPEC = "name: small\ndataset: set\ncollection: sheets\ninclude_quotes: true\nscorers: [contains]\n"


def test_a_spec_that_is_shown_can_be_saved_again(bench: Workbench, person: Callable[..., Person]) -> None:
    share(bench)
    ines = person("ines")
    (ines.folder / "samples.jsonl").write_text('{"id": "a", "input": "Why?", "target": "x"}\n')
    (ines.folder / "small.yaml").write_text(SPEC)
    assert ines("eval", "save", "small.yaml") == 6, "its dataset isn't there yet"
    assert "There is no dataset set" in ines.errors
    assert ines("eval", "specs") == 0
    assert "There are no specs." in ines.output
    assert ines("dataset", "add", "set", "samples.jsonl") == 0
    assert ines("eval", "save", "small.yaml") == 0
    assert ines("eval", "spec", "small") == 0
    assert "Nobody has signed this version." in ines.output
    (ines.folder / "again.yaml").write_text(ines.output)
    assert ines("eval", "save", "again.yaml", "--json") == 0
    assert json.loads(ines.output)["created"] is False
    assert ines("eval", "sign", "small", "--meaning", "authored") == 0
    assert ines("eval", "spec", "small@1", "--json") == 0
    shown = json.loads(ines.output)
    assert shown["signed"] == [{"meaning": "authored", "name": "Inês Duarte"}]
    assert shown["content"]["dataset"] == shown["dataset"] == "set@1"
    assert ines("eval", "specs", "--json") == 0
    assert [spec["spec"] for spec in json.loads(ines.output)["specs"]] == ["small@1"]
    assert ines("eval", "spec", "absent") == 6
