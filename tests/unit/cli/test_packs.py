"""`assay pack` without a vault: redacting, sealing, opening, and what verifying says of it; the keys of each JSON document are an interface."""

import json
from pathlib import Path
from typing import Any

import pytest

from core.errors import AlreadyExists, BadInput, Damaged, NotFound, WrongPassphrase
from core.evidence import sealing
from core.trust.passphrases import new_kdf
from core.trust.trustfile import dump
from tests.unit.cli.people import Person
from tests.unit.evidence.building import TRUST, pack
from tests.unit.evidence.judging import standalone

PAST = "2026-01-02T00:00:00+00:00"
PREVIEW = {"redaction_of", "openings", "left", "fields", "samples", "renderings", "lost", "warnings"}
VERDICT = {"verdict", "reasons", "signatures", "nonce", "redaction_of", "withheld", "lost"}
WHOLE = pack(time=PAST, nonce="seen by Nora on Monday")


@pytest.fixture
def nora(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Person:
    """An auditor, who has no vault; keys are made with a weak derivation."""
    monkeypatch.setattr(sealing.make_keys, "__defaults__", (lambda: new_kdf(8 * 1024, 1),))
    (tmp_path / "run.pack").write_bytes(WHOLE)
    (tmp_path / "trust.json").write_bytes(dump(TRUST))
    person = Person(tmp_path / "none", "nora", tmp_path)
    person.known = "a stick and a train"
    return person


def printed(person: Person, keys: set[str], *arguments: str, code: int = 0) -> Any:
    assert person("--json", "pack", *arguments) == code, person.errors
    content = json.loads(person.output)
    assert set(content) == keys
    return content


def test_a_preview_writes_nothing_and_asks_nothing(nora: Person) -> None:
    told = printed(nora, PREVIEW, "redact", "run.pack", "--field", "answer", "--preview")
    assert (told["openings"], told["fields"]["outcome answer.answer"], told["samples"]) == (12, 3, ["q1", "q2"])
    assert told["lost"][0] == {"variant": "cite@1 / starter", "metric": "contains", "samples": 1, "of": 1}
    assert "give away the answer of q1" in told["warnings"][0]
    assert nora("pack", "redact", "run.pack", "--kind", "iban", "--preview") == 0
    assert "holds nothing of that" in nora.output
    assert nora.asked == []


def test_a_redacted_pack_is_written_once_somebody_agrees_and_says_what_it_is(nora: Person, tmp_path: Path) -> None:
    nora.answers.append("no")
    assert nora("pack", "redact", "run.pack", "-o", "left.pack", "--text", "Handbook") == 1
    assert "Mind: records/run.json is signed and still shows" in nora.errors
    assert not (tmp_path / "left.pack").exists()
    nora.answers.append("yes")
    assert nora("pack", "redact", "run.pack", "-o", "left.pack", "--sample", "q2", "--report", "left.html") == 0
    assert "(withheld)" in (tmp_path / "left.html").read_text("utf-8")
    made = printed(
        nora, PREVIEW | {"pack", "sha256", "size"}, "redact", "run.pack", "-o", "two.pack", "--field", "answer", "--yes"
    )
    said = printed(nora, VERDICT, "verify", "two.pack", "--trust", "trust.json")
    assert (said["verdict"], said["redaction_of"], said["withheld"]) == ("valid", made["redaction_of"], made["fields"])
    assert (said["lost"], said["nonce"]) == (made["lost"], "seen by Nora on Monday")
    assert nora("pack", "verify", "two.pack", "--trust", "trust.json") == 0
    assert "withheld: outcome answer.answer, 3 times" in nora.output
    assert "contains of quotes: 2 of 2 scores can't be worked out again." in nora.output
    assert "seen by Nora on Monday" in nora.output


def test_what_cant_be_withheld_is_refused(nora: Person, tmp_path: Path) -> None:
    for arguments, code in (
        (("--field", "scores"), BadInput.exit_code),
        (("--sample", "q9"), NotFound.exit_code),
        ((), BadInput.exit_code),
        (("--kind", "names"), 2),
    ):
        assert nora("pack", "redact", "run.pack", "-o", "left.pack", "--yes", *arguments) == code
    assert nora("pack", "redact", "run.pack", "--field", "answer") == 2
    (tmp_path / "run.pack").write_bytes(WHOLE[:-1])
    assert nora("pack", "redact", "run.pack", "-o", "left.pack", "--field", "answer", "--yes") == Damaged.exit_code
    assert not (tmp_path / "left.pack").exists()


def test_a_pack_travels_sealed_to_an_auditor(nora: Person, tmp_path: Path) -> None:
    made = printed(nora, {"keys", "public", "name", "fingerprint"}, "keys", "-o", "nora.keys", "--name", "Nora Auditor")
    assert (made["keys"], made["public"]) == ("nora.keys", "nora.keys.pub")
    assert (tmp_path / "nora.keys").stat().st_mode & 0o077 == 0
    sealed = printed(
        nora, {"sealed", "to", "fingerprint"}, "seal", "run.pack", "--to", "nora.keys.pub", "-o", "run.sealed"
    )
    assert (sealed["to"], sealed["fingerprint"]) == ("Nora Auditor", made["fingerprint"])
    assert b"manifest.json" not in (tmp_path / "run.sealed").read_bytes()
    opened = printed(nora, {"pack", "sha256", "size"}, "open", "run.sealed", "--keys", "nora.keys", "-o", "back.pack")
    assert (tmp_path / "back.pack").read_bytes() == WHOLE
    assert opened["size"] == len(WHOLE)
    nora.known = "another"
    assert nora("pack", "open", "run.sealed", "--keys", "nora.keys", "-o", "no.pack") == WrongPassphrase.exit_code
    nora.known = "a stick and a train"
    (tmp_path / "cut").write_bytes((tmp_path / "run.sealed").read_bytes()[:-1])
    assert nora("pack", "open", "cut", "--keys", "nora.keys", "-o", "no.pack") == Damaged.exit_code
    assert nora("pack", "open", "run.sealed", "--keys", "nora.keys.pub", "-o", "no.pack") == BadInput.exit_code
    assert nora("pack", "keys", "-o", "nora.keys") == AlreadyExists.exit_code
    assert nora("pack", "seal", "trust.json", "--to", "nora.keys.pub", "-o", "no.pack") == Damaged.exit_code
    assert not (tmp_path / "no.pack").exists()


def test_a_whole_pack_withholds_nothing(nora: Person) -> None:
    said = printed(nora, VERDICT, "verify", "run.pack", "--trust", "trust.json")
    assert (said["verdict"], said["withheld"], said["lost"], said["redaction_of"]) == ("valid", {}, [], "")


@pytest.mark.parametrize(("nonce", "code"), [("seen by Nora on Monday", 0), ("seen by Nora on Tuesday", 1)])
def test_a_pack_that_was_made_before_it_was_asked_for_is_known_by_its_nonce(
    nora: Person, tmp_path: Path, nonce: str, code: int
) -> None:
    assert nora("pack", "verify", "run.pack", "--trust", "trust.json", "--nonce", nonce) == code
    assert ("isn't the pack that was asked for" in nora.output) == bool(code)
    files = (str(tmp_path / "run.pack"), "--trust", str(tmp_path / "trust.json"))
    assert standalone.main([*files, "--nonce", nonce]) == code
