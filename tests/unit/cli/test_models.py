"""Models on the command line: signatures, cards, aliases and the disk, as people and scripts meet them."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.cli.main import share
from core.paths import RESOURCES
from core.workbench import Workbench
from tests.unit.cli.people import Person

STARTER = RESOURCES / "models" / "starter-chat.gguf"


@pytest.fixture
def ines(bench: Workbench, person: Callable[..., Person]) -> Person:
    share(bench)
    made = person("ines")
    shutil.copy(STARTER, made.folder / "tiny.gguf")
    return made


@pytest.fixture
def tomas(ines: Person, person: Callable[..., Person]) -> Person:
    return person("tomas")


def said(person: Person, *words: str, code: int = 0) -> Any:
    """What a command prints as JSON."""
    assert person(*words, "--json") == code, person.errors
    return json.loads(person.output) if code == 0 else None


def test_a_model_is_signed_exported_and_verified(ines: Person) -> None:
    added = said(ines, "model", "add", "tiny.gguf")
    assert (added["name"], added["signature"], added["parts"]) == ("tiny", "", [])
    signed = said(ines, "model", "sign", "tiny.gguf", "--reason", "for the hospital")
    assert Path(signed["signature"]).name == "tiny.gguf.sig"
    assert said(ines, "model", "key", "-o", "ines.pem")["key"] == signed["key"]
    assert ines("model", "verify", "tiny.gguf", "--key", "ines.pem") == 0
    assert ines.output.startswith("Valid: 1 file as signed")
    assert said(ines, "model", "export", "tiny", "out")["files"][0]["digest"] == added["digest"]
    assert said(ines, "model", "verify", "out", "--key", "ines.pem")["files"] == 1
    assert ines("model", "add", "tiny.gguf") == 0
    assert "Signature: not verified, nobody here trusts its signer (the key " in ines.output
    assert said(ines, "model", "trust", "ines", "ines.pem")["fingerprint"] == signed["fingerprint"]
    assert [key["name"] for key in said(ines, "model", "keys")["keys"]] == ["ines"]
    assert ines("model", "add", "tiny.gguf", "--key", "ines.pem") == 0
    assert ines("model", "add", "tiny.gguf") == 0
    assert ines("model", "show", "tiny") == 0
    for line in (
        "Signature: valid, by ines.",
        "tokenizer: ",
        "licence: ",
        "context: ",
        "quantization: ",
        "chat template: ",
    ):
        assert line in ines.output
    (ines.folder / "out" / "more").write_text("more")
    assert ines("model", "verify", "out", "--key", "ines.pem") == 10
    assert "what wasn't signed is there: more" in ines.errors
    assert ines("model", "distrust", "ines") == 0


def test_a_card_is_written_by_one_and_approved_by_another(ines: Person, tomas: Person) -> None:
    said(ines, "model", "add", "tiny.gguf")
    saved = said(ines, "model", "card", "save", "tiny", "--use", "stories", "--limits", "English only")
    assert (saved["card"], saved["created"]) == ("tiny@1", True)
    assert ines("vault", "policy", "--set", "approved-models=answers", "--reason", "model risk") == 0
    assert ines("ask", "nothing", "Why?", "--model", "tiny") == 4
    assert "nobody approved the card of tiny" in ines.errors
    assert ines("model", "card", "approve", "tiny@1") == 4
    assert tomas("model", "card", "show", "tiny") == 0
    assert "The model isn't approved by this version." in tomas.output
    given = said(tomas, "model", "card", "approve", "tiny@1", "--reason", "fits")
    assert (given["approved"], given["meaning"]) == (True, "approved")
    assert said(ines, "model", "card", "list")["cards"][0]["approved"] is True
    assert [card["card"] for card in said(ines, "model", "card", "versions", "tiny")["cards"]] == ["tiny@1"]
    assert ines("ask", "nothing", "Why?", "--model", "tiny") == 6
    assert ines("model", "remove", "tiny") == 4
    assert tomas("model", "card", "withdraw", "tiny") == 8
    assert said(tomas, "model", "card", "withdraw", "tiny", "--reason", "unfit")["approved"] is False
    assert ines("ask", "nothing", "Why?", "--model", "tiny") == 4


def test_an_alias_is_moved_and_keeps_its_model(ines: Person) -> None:
    digest = said(ines, "model", "add", "tiny.gguf")["digest"]
    moved = said(ines, "model", "alias", "summariser", "tiny")
    assert (moved["model"], moved["digest"]) == ("tiny", digest)
    assert said(ines, "model", "show", "summariser")["digest"] == digest
    assert ines("model", "alias", "summariser") == 2
    assert ines("model", "remove", "tiny") == 4
    assert "the alias summariser points at it" in ines.errors
    assert said(ines, "model", "aliases")["aliases"][0]["alias"] == "summariser"
    assert said(ines, "model", "alias", "summariser", "--end") == {"alias": "summariser", "model": None}
    assert [found["model"] for found in said(ines, "model", "aliases", "summariser")["aliases"]] == [None, "tiny"]


def test_the_disk_is_shown_and_a_file_deleted(ines: Person) -> None:
    said(ines, "model", "add", "tiny.gguf")
    shutil.copy(STARTER, ines.folder / "twin.gguf")
    view = said(ines, "model", "disk")
    assert [model["name"] for model in view["models"]] == ["tiny"]
    assert len(view["duplicates"][0]["paths"]) == 2
    assert ines("model", "disk") == 0
    assert "The same content 2 times" in ines.output
    assert said(ines, "model", "remove", "tiny", "--file")["freed"] > 0
    assert [path.name for path in ines.folder.glob("*.gguf")] == ["twin.gguf"]


def test_what_is_no_model_is_named(ines: Person) -> None:
    for name, content, sentence in (
        ("notes.gguf", b"some notes", "notes.gguf: a text, not a model."),
        ("model.bin", b"\x80\x02}q\x00.", "model.bin: a pickled checkpoint."),
    ):
        (ines.folder / name).write_bytes(content)
        assert ines("model", "add", name) == 9
        assert ines.errors.startswith(sentence)
