"""`assay user` and the keys of `assay vault`, in this process: what each prints, and what it says when it refuses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from core.cli.main import assay
from core.errors import AssayError, BadInput, Refused, WrongPassphrase
from core.trust import passphrases
from core.vault.vault import Vault
from core.workbench import SCHEMA
from tests.conftest import PASSPHRASES

EVE, NEW = "eleven grey herons at dusk", "a bell rings under the lake"
CARD = {"user", "name", "roles", "card", "waits"}


class Line:
    """A person at the command line of one vault."""

    def __init__(self, folder: Path, vault: Path) -> None:
        self.folder = folder
        self.vault = vault

    def file(self, name: str, content: str) -> str:
        path = self.folder / name
        path.write_text(content)
        return str(path)

    def __call__(self, *words: str, user: str = "ines", passphrase: str = PASSPHRASES["ines"]) -> str:
        environment = {
            "ASSAY_VAULT": str(self.vault),
            "ASSAY_USER": user,
            "ASSAY_PASSPHRASE_FILE": self.file("passphrase.txt", passphrase),
        }
        done = CliRunner().invoke(assay, words, env=environment, catch_exceptions=True)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == 0
        return done.stdout

    def json(self, *words: str, keys: set[str], **who: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self("--json", *words, **who))
        assert set(content) == keys
        return content

    def refuses(self, *words: str, error: type[AssayError], saying: str, **who: str) -> None:
        with pytest.raises(error, match=saying):
            self(*words, **who)


@pytest.fixture
def line(tmp_path: Path, vault_factory: Callable[..., Vault], monkeypatch: pytest.MonkeyPatch) -> Line:
    """A closed vault of ines and tomas; new passphrases are derived cheaply."""
    monkeypatch.setattr(passphrases, "_measured", lambda: (passphrases.FLOOR_MEMORY, passphrases.FLOOR_PASSES))
    vault = vault_factory(SCHEMA)
    vault.close()
    return Line(tmp_path, vault.folder)


def test_a_person_comes_changes_and_goes(line: Line) -> None:
    first, second = line.file("eve.txt", EVE), line.file("new.txt", NEW)
    line.json(
        "user", "add", "eve", "--role", "author", "--passphrase-file", first, keys={"user", "name", "roles", "card"}
    )
    who = {"user": "eve", "passphrase": EVE}
    changed = line.json("user", "passphrase", "--passphrase-file", second, keys={"user", "changed"}, **who)
    assert changed["user"] == "eve"
    line.refuses("user", "list", error=WrongPassphrase, saying="passphrase is wrong", **who)
    who = {"user": "eve", "passphrase": NEW}
    roles = line.json("user", "roles", "eve", "--role", "admin", "--reason", "stand-in", keys=CARD)
    assert (roles["roles"], roles["waits"]) == (["admin"], True)
    own = line.json("user", "renew", "eve", keys=CARD, **who)
    assert (own["waits"], own["card"] != roles["card"]) == (False, True)
    again = line.json("user", "reset", "eve", "--passphrase-file", first, "--reason", "forgot", keys=CARD)
    assert again["waits"] is False
    line("vault", "recovery")
    told = line("user", "revoke", "eve", "--reason", "left")
    assert "Copies of the vault and backups from before stay readable to eve" in told
    assert "replace it with `assay vault recovery`" in told
    line.refuses("user", "list", error=WrongPassphrase, saying="Nothing was opened", user="eve", passphrase=EVE)
    users = line.json("user", "list", keys={"users"})["users"]
    assert {person["user"]: person["active"] for person in users} == {"ines": True, "tomas": True, "eve": False}
    assert "revoked" in line("user", "list")
    assert line.json("vault", "check", keys={"findings", "erased"})["findings"] == []


def test_what_a_revocation_prints(line: Line) -> None:
    keys = {"user", "card", "revoked", "entries", "epoch"}
    revoked = line.json("user", "revoke", "tomas", "--reason", "left", keys=keys)
    assert (revoked["user"], revoked["epoch"]) == ("tomas", 2)
    card = line.json(
        "user", "card", "tomas",
        keys={"user", "fingerprint", "card", "groups", "valid_from", "valid_until", "revoked"},
    )  # fmt: skip
    assert card["revoked"] == revoked["revoked"]
    line.refuses("user", "revoke", "ines", "--reason", "x", error=Refused, saying="last administrator")
    line.refuses(
        "user", "roles", "ines", "--role", "author", "--reason", "x", error=Refused, saying="last administrator"
    )


def test_a_vault_is_recovered_with_its_words(line: Line) -> None:
    assert line.json("vault", "rekey", "--reason", "yearly", keys={"epoch"}) == {"epoch": 2}
    words = line.json("vault", "recovery", keys={"words"})["words"]
    assert len(words) == 16
    new = line.file("new.txt", NEW)
    recover = ("vault", "recover", str(line.vault), "--passphrase-file", new)
    exchanged = line.file("bad.txt", " ".join([words[1], words[0], *words[2:]]))
    line.refuses(*recover, "--words-file", exchanged, error=BadInput, saying="words 1 and 2 are mistyped, or not in")
    line.refuses(*recover, "--words-file", str(line.folder / "absent"), error=BadInput, saying="can't be read")
    good = line.file("words.txt", " ".join(words[:7]) + "\n" + " ".join(words[7:]).upper())
    got = line.json(*recover, "--words-file", good, keys={"user", "name", "roles", "card"})
    assert got["user"] == "ines"
    line.refuses("user", "list", error=WrongPassphrase, saying="passphrase is wrong")
    assert line.json("vault", "check", keys={"findings", "erased"}, passphrase=NEW)["findings"] == []


def test_the_words_are_shown_with_their_places(line: Line) -> None:
    said = line("vault", "recovery")
    assert " 1 " in said
    assert "16 " in said
    assert "shown this once" in said


def test_a_vault_is_created_for_its_first_person(line: Line) -> None:
    folder = line.folder / "New.assay"
    made = line.json("vault", "create", str(folder), "--name", "Inês Duarte", keys={"vault", "user", "models"})
    assert (made["vault"], made["user"]) == (str(folder), "ines")
    (person,) = line.json("--vault", str(folder), "user", "list", keys={"users"})["users"]
    assert (person["name"], person["roles"]) == ("Inês Duarte", ["admin", "author"])
    line.refuses("vault", "create", str(folder), error=AssayError, saying="New.assay")
