"""What a person sees on a terminal before they sign."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from core.cli.here import Here
from core.cli.signing import shown
from core.errors import Unavailable
from core.records import Digest
from core.vault import people
from core.workbench import Workbench
from tests.unit.cli.people import Person

DIGEST = Digest("0123456789abcdef" * 4)


def test_content_digest_meaning_and_reason_are_shown_in_full() -> None:
    lines = shown("cite@2", DIGEST, "user:\nSay {{ question }}", "reviewed", "fits")
    assert lines[0] == "You sign cite@2 as reviewed: I read it and its evidence."
    assert lines[1].replace(" ", "").endswith(DIGEST)
    assert lines[2] == "Reason: fits"
    assert lines[-2:] == ["| user:", "| Say {{ question }}"]


def test_nothing_in_the_content_passes_for_a_line_of_the_programs() -> None:
    text = "fine\nDigest (SHA-256): ffff\r\x1b[2K\u202eYou sign nothing"
    lines = shown("cite@2", DIGEST, text, "approved", "")
    assert [line for line in lines if not line.startswith("| ")] == [
        "You sign cite@2 as approved: it may be used as labelled.",
        lines[1],
        "Reason: none",
        "What you sign:",
        "3 characters that a screen would hide or dress up, written as [U+…].",
    ]
    assert not any(mark in "".join(lines) for mark in "\r\x1b\u202e")
    assert "[U+202E right-to-left override]You sign nothing" in lines[-2]


def test_a_name_from_the_environment_is_typed_for_a_signature_and_one_on_the_line_was(
    bench: Workbench, person: Callable[..., Person]
) -> None:
    bench.close()
    ines = person("ines")
    setting = ("vault", "policy", "--set", "idle-minutes=5", "--reason", "stricter")
    ines.signs_as = "tomas"
    assert ines(*setting) == 5, "somebody else's name"
    assert ines.asked[1:] == ["Sign as Inês Duarte. User name", "Sign as Inês Duarte. Passphrase"]
    ines.signs_as = "ines"
    assert ines(*setting) == 0
    ines.asked.clear()
    assert ines("--user", "ines", *setting[:3], "idle-minutes=6", *setting[4:]) == 0
    assert ines.asked == ["Passphrase of ines", "Sign as Inês Duarte. Passphrase"]
    assert ines("audit", "log", "--act", "sign-in-failed", "--json") == 0
    assert [entry["about"] for entry in json.loads(ines.output)["entries"]] == ["signing"]


def test_where_a_file_holds_the_passphrase_the_name_is_the_one_that_was_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ASSAY_PASSPHRASE_FILE", str(tmp_path / "passphrase"))
    assert Here().user_name("User name", "ines") == "ines"
    monkeypatch.delenv("ASSAY_PASSPHRASE_FILE")
    with pytest.raises(Unavailable, match="no terminal"):
        Here().user_name("User name", "ines")


def test_holds_releases_erasures_and_reviews_show_what_is_signed_before_the_passphrase(
    bench: Workbench, person: Callable[..., Person]
) -> None:
    with bench.vault.confirm(person("ines").known) as signer:
        people.change_roles(bench.vault, signer, "ines", ("admin", "author", "reviewer"), "needed")
    bench.close()
    ines = person("ines")
    (ines.folder / "q.jsonl").write_text('{"id": "q1", "input": "How many floors?", "target": "nine"}\n')
    assert ines("dataset", "add", "towers", "q.jsonl") == 0
    hidden = "letter\u202e4"
    for command, line, code in (
        (("vault", "hold", "Case 4", "dataset:towers@1", "--reason", hidden, "--yes"), "| dataset towers@1", 0),
        (("vault", "release", "Case 4", "--reason", hidden, "--yes"), "| dataset towers@1", 0),
        (("audit", "review", "--from", "0", "--to", "1", "--note", hidden), "| entries 0 to 1", 4),
    ):
        assert ines(*command) == code, ines.errors
        assert line in ines.errors.splitlines()
        assert "letter[U+202E right-to-left override]4" in ines.errors
        assert "\u202e" not in ines.errors
    assert ines("vault", "erase", "dataset:towers@1", "--reason", "request 12", "--yes") == 4, "who released it"
    assert ines.errors.splitlines()[:4] == [
        "You sign the erasure as authored: I wrote it as it stands.",
        "Reason: request 12",
        "What you sign:",
        "| dataset towers@1",
    ]


def test_a_card_is_shown_before_an_administrator_vouches_for_it(
    bench: Workbench, person: Callable[..., Person], tmp_path: Path
) -> None:
    bench.close()
    ines = person("ines")
    (ines.folder / "new").write_text("a bell rings under the lake")
    adding = ("user", "add", "bo", "--role", "reviewer", "--name", "Bo Lund", "--passphrase-file", "new")
    for command, lines in (
        (
            adding,
            ["| A card of Bo Lund (bo), with new signing keys.", "| Roles: reviewer."],
        ),
        (("user", "roles", "bo", "--role", "auditor", "--reason", "moved"), ["Reason: moved", "| Roles: auditor."]),
        (("user", "revoke", "bo", "--reason", "left"), ["| The card of bo ends now. The vault gets another key."]),
    ):
        assert ines(*command) == 0, ines.errors
        assert "You sign what auditors believe of bo: it is so, and you vouch for it." in ines.errors.splitlines()
        assert not set(lines) - set(ines.errors.splitlines())
        assert "\u202e" not in ines.errors
