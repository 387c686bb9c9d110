"""What is written for Windows and macOS, as far as this machine can tell: nothing of it was run there."""

import ast
import re
import subprocess

import pytest

from installers import contents
from installers.plan import HERE

SCRIPT = (HERE / "windows" / "assay.iss").read_text()
SECTIONS = {
    "Setup": {"AppId", "AppName", "AppVersion", "DefaultDirName", "PrivilegesRequired", "OutputBaseFilename"},
    "Files": {"Source", "DestDir"},
    "Icons": {"Name", "Filename"},
    "Registry": {"Root", "Subkey", "ValueType"},
    "Messages": set(),
}
"""Those that the script uses, with what Inno Setup asks of each line (of Setup: of the section)."""
CONSTANTS = {"app", "autopf", "group"}


def parts(line: str) -> dict[str, str]:
    """The parameters of a line such as `Source: "a"; DestDir: "b"`, quoted ones without their quotes."""
    found: dict[str, str] = {}
    rest = line
    while rest:
        match = re.match(r'\s*(\w+):\s*(?:"((?:[^"]|"")*)"|([^";]*))\s*(?:;|$)', rest)
        assert match is not None, line
        assert match[1] not in found, line
        found[match[1]] = (match[2] or match[3] or "").replace('""', '"').strip()
        rest = rest[match.end() :]
    return found


def test_the_script_for_windows_has_the_sections_lines_and_constants_that_inno_setup_knows() -> None:
    sections: dict[str, list[str]] = {}
    depth, name = 0, ""
    for line in map(str.strip, SCRIPT.splitlines()):
        if line.startswith("#"):
            word = line[1:].split()[0]
            depth += {"ifndef": 1, "endif": -1, "define": 0}[word]
            assert depth >= 0
        elif match := re.fullmatch(r"\[(\w+)\]", line):
            name = match[1]
            sections[name] = []
        elif line and not line.startswith(";"):
            sections[name].append(line)
    assert depth == 0
    assert sections.keys() == SECTIONS.keys()
    settings = dict(line.split("=", 1) for line in sections["Setup"])
    assert len(settings) == len(sections["Setup"])
    assert SECTIONS["Setup"] <= settings.keys()
    assert settings["PrivilegesRequiredOverridesAllowed"] == "dialog commandline"
    for section in ("Files", "Icons", "Registry"):
        for line in sections[section]:
            assert SECTIONS[section] <= parts(line).keys(), line
    for brace in re.findall(r"(?<!\{)\{([^{}]*)\}", re.sub(r"\{\{[^}]*\}", "", SCRIPT)):
        assert brace in CONSTANTS or brace in ("#Version", "#Folder"), brace


@pytest.mark.parametrize("system", ["linux", "win32", "darwin"])
def test_one_spec_can_be_read_for_each_system_and_names_what_is_there(
    system: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = (HERE / "program.spec").read_text()
    tree = ast.parse(spec)
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "contents"
    }
    assert used
    assert all(hasattr(contents, name) for name in used)
    assert f'"{system}"' in spec or system == "linux"
    monkeypatch.setattr("sys.platform", system)
    modules = list(contents.standard_library())
    assert "json" in modules
    assert not {"idlelib", "tkinter"} & set(modules)


def test_the_script_for_macos_is_one_that_a_shell_reads() -> None:
    subprocess.run(["/bin/sh", "-n", str(HERE / "macos" / "make_dmg.sh")], check=True)
