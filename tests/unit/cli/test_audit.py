"""`assay audit`, command by command; the keys of each JSON document are an interface, only ever added to."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.cli.demo import _Demo
from core.cli.output import Output
from core.errors import Unavailable
from core.paths import alone
from core.vault import checkpoints
from core.vault.vault import Vault
from core.workbench import SCHEMA
from tests.unit.cli.people import Person

ENTRY = {"entry", "time", "user", "act", "about", "reason", "before", "after", "objects", "touched"}
REVIEW = {"digest", "first", "last", "root", "reviewer", "time", "findings", "own"}
VERDICT = {"verdict", "reasons", "origin", "size", "root", "witnesses"}


@pytest.fixture
def folder(vault_factory: Callable[..., Vault], private_runtime: Path) -> Path:
    vault = vault_factory(SCHEMA)
    vault.close()
    return vault.folder


@pytest.fixture
def ines(folder: Path, tmp_path: Path) -> Person:
    return Person(folder, "ines", tmp_path)


@pytest.fixture
def tomas(folder: Path, tmp_path: Path) -> Person:
    return Person(folder, "tomas", tmp_path)


def printed(person: Person, keys: set[str], *arguments: str | Path, code: int = 0) -> Any:
    assert person("audit", *arguments, "--json") == code, person.errors
    content = json.loads(person.output)
    assert set(content) == keys
    return content


def trust_of(person: Person) -> Path:
    assert person("pack", "trust", "-o", "trust.json") == 0
    return person.folder / "trust.json"


def test_the_log_is_searched_page_by_page(ines: Person) -> None:
    found = printed(ines, {"entries", "size", "next"}, "log", "--by", "ines", "--act", "add-user")
    (entry,) = found["entries"]
    assert set(entry) == ENTRY
    assert (entry["about"], entry["user"]) == ("tomas", "ines")
    first = printed(ines, {"entries", "size", "next"}, "log", "--limit", "2", "--text", "tomas")
    assert (len(first["entries"]), first["next"]) == (1, None)
    page = printed(ines, {"entries", "size", "next"}, "log", "--limit", "2")
    older = printed(ines, {"entries", "size", "next"}, "log", "--before", str(page["next"]))
    assert older["entries"][0]["entry"] == page["next"] - 1
    assert ines("audit", "log", "--limit", "2") == 0
    assert "--before" in ines.output
    assert ines("audit", "log", "--to", "2001-01-01") == 0
    assert "No entry fits." in ines.output
    assert ines("audit", "log", "--from", "yesterday") == 8
    assert "give a day" in ines.errors


def test_an_export_is_verified_by_somebody_without_the_vault(ines: Person, tmp_path: Path) -> None:
    trust = trust_of(ines)
    done = printed(ines, {"file", "sha256", "entries", "size"}, "export", "trail.json", "--reason", "yearly")
    assert (done["file"], done["entries"]) == ("trail.json", done["size"])
    auditor = Person(tmp_path / "nowhere", "nobody", tmp_path)
    keys = {"verdict", "reasons", "origin", "size", "root", "entries"}
    assert printed(auditor, keys, "verify", "trail.json", "--trust", trust)["verdict"] == "valid"
    assert ines("audit", "export", "part.json", "--act", "add-user") == 0
    part = printed(auditor, keys, "verify", "part.json", "--trust", trust, code=1)
    assert part["verdict"] == "incomplete"
    (tmp_path / "altered.json").write_text((tmp_path / "trail.json").read_text().replace('"tomas"', '"eve"', 1))
    assert printed(auditor, {"verdict", "reasons"}, "verify", "altered.json", "--trust", trust, code=1)["verdict"] == (
        "invalid"
    )
    assert ines("audit", "export", "trail.csv", "--text", "tomas") == 0
    assert (tmp_path / "trail.csv").read_text().startswith("entry,time,user,act")
    assert ines("audit", "export", "trail.xls") == 8


def test_a_part_of_the_log_is_reviewed(ines: Person, tomas: Person) -> None:
    done = printed(tomas, REVIEW, "review", "--from", "0", "--to", "2", "--note", "Nothing to remark.")
    assert (done["reviewer"], done["own"]) == ("tomas", [])
    known = printed(ines, {"reviews", "unreviewed"}, "reviews")
    assert [set(found) for found in known["reviews"]] == [REVIEW]
    assert known["unreviewed"][0][0] == 3
    assert ines("audit", "reviews") == 0
    assert "Nothing to remark." in ines.output
    assert ines("audit", "review", "--from", "0", "--to", "2", "--note", "Fine.") == 4


def test_a_witness_on_another_machine(ines: Person, tomas: Person, tmp_path: Path) -> None:
    trust = trust_of(ines)
    owner = Person(tmp_path / "nowhere", "nobody", tmp_path)
    owner.known = "a witness across the street"
    made = printed(owner, {"file", "name", "key"}, "witness-key", "w.example", "-o", "w.key")
    assert owner("audit", "witness-key", "w.example", "-o", "w.key") == 7
    for number in ("1", "2"):
        printed(ines, {"file", "old", "size"}, "request", "-o", f"{number}.req")
        command = ("witness", f"{number}.req", "--key", "w.key", "--state", "w.state", "-o", f"{number}.note")
        new_log = ("--trust", trust) if number == "1" else ()
        vouched = printed(owner, {"file", "origin", "size", "witness"}, *command, *new_log)
        new_witness = ("--witness", made["key"]) if number == "1" else ()
        (kept,) = printed(ines, {"accepted"}, "accept", f"{number}.note", *new_witness)["accepted"]
        assert set(kept) == {"witness", "key", "size", "root", "time"}
        assert kept["size"] == vouched["size"]
    assert owner("audit", "witness", "1.req", "--key", "w.key", "--state", "w.state", "-o", "x") == 4
    assert "rolled back" in owner.errors
    assert not (tmp_path / "x").exists()
    with alone(
        tmp_path / "w.state"
    ):  # of two at once on one state, the second would cosign from what the first had forgotten
        again = owner("audit", "witness", "2.req", "--key", "w.key", "--state", "w.state", "-o", "x")
    assert (again, (tmp_path / "x").exists()) == (Unavailable.exit_code, False)
    assert len(printed(tomas, {"witnessed"}, "witnesses")["witnessed"]) == 2
    need = ("--trust", trust, "--witness", made["key"], "--needed", "1")
    told = printed(owner, VERDICT, "verify", "2.note", *need)
    assert (told["verdict"], told["witnesses"][0]["name"]) == ("valid", "w.example")
    shown = printed(ines, {"file", "old", "new"}, "consistency", "1.note", "2.note", "-o", "c.proof")
    assert shown["old"] < shown["new"]
    printed(owner, VERDICT | {"old"}, "verify", "c.proof", "--old", "1.note", *need)
    assert owner("audit", "verify", "c.proof", *need) == 8
    assert "--old" in owner.errors


def test_an_entry_and_a_checkpoint_are_proven_without_the_vault(ines: Person, tmp_path: Path) -> None:
    trust = trust_of(ines)
    auditor = Person(tmp_path / "nowhere", "nobody", tmp_path)
    printed(ines, {"file", "entry", "size", "proof"}, "prove", "2", "-o", "2.proof")
    keys = VERDICT | {"entry", "time", "user", "act", "about", "reason"}
    proven = printed(auditor, keys, "verify", "2.proof", "--trust", trust)
    assert (proven["entry"], proven["act"], proven["about"]) == (2, "add-user", "tomas")
    unknown = printed(auditor, {"verdict", "reasons"}, "verify", "2.proof", code=1)
    assert unknown["verdict"] == "incomplete"
    (tmp_path / "altered.proof").write_text((tmp_path / "2.proof").read_text().replace("index 2", "index 1"))
    spoiled = printed(auditor, {"verdict", "reasons"}, "verify", "altered.proof", "--trust", trust, code=1)
    assert spoiled["verdict"] == "invalid"
    taken = printed(ines, {"checkpoint", "file"}, "checkpoint", "-o", "c.note")
    assert (tmp_path / "c.note").read_text() == taken["checkpoint"]
    assert printed(auditor, VERDICT, "verify", "c.note", "--trust", trust)["verdict"] == "valid"
    needed = ("--trust", trust, "--needed", "1")
    assert printed(auditor, {"verdict", "reasons"}, "verify", "c.note", *needed, code=1)["verdict"] == "invalid"
    (tmp_path / "noise").write_bytes(b"\x00\xff")
    assert printed(auditor, {"verdict", "reasons"}, "verify", "noise", "--trust", trust, code=1)["verdict"] == (
        "invalid"
    )
    assert auditor("audit", "verify", "missing") == 8


def test_a_vault_that_was_rolled_back_says_so_with_every_command(ines: Person, folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy.assay")
    assert ines("audit", "log") == 0
    assert ines.errors == ""
    shutil.rmtree(folder)
    shutil.copytree(copy, folder)
    assert ines("audit", "log", "--json") == 0
    assert "older than the one last opened here" in ines.errors
    assert json.loads(ines.output)["entries"]
    printed(ines, {"settled", "size"}, "settle", "--reason", "Taken back from the copy of Monday.")
    assert ines("audit", "log") == 0
    assert ines.errors == ""
    assert ines("audit", "settle", "--reason", "again") == 4


def test_a_vault_that_is_thrown_away_after_a_demonstration_leaves_no_checkpoint(vault: Vault, tmp_path: Path) -> None:
    story = _Demo(vault.folder, tmp_path, Output(json_wanted=False, console=Person(tmp_path, "nobody", tmp_path)))
    assert checkpoints.place(vault.id).exists()
    story.forget()
    assert not checkpoints.place(vault.id).exists()
    _Demo(tmp_path / "never made", tmp_path, story._output).forget()
