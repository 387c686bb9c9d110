"""What a person sees on a terminal before they sign."""

from core.cli.signing import shown
from core.records import Digest

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
