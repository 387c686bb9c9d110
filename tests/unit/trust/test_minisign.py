"""minisign's signatures: those of other people's tools stand, and nothing that was changed does."""

import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.errors import BadInput, Damaged
from core.trust import minisign
from tests import minisigning

# From the documentation of minisign-verify: the file holds "test".
KEY = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"
PUBLISHED = """untrusted comment: signature from minisign secret key
RUQf6LRCGA9i559r3g7V1qNyJDApGip8MfqcadIgT9CuhV3EMhHoN1mGTkUidF/z7SrlQgXdy8ofjb7bNJJylDOocrCo8KLzZwo=
trusted comment: timestamp:1556193335\tfile:test
y/rUw2y8/hOUYjZU71eHp/Wo1KZ40fGy2VJEDl34XMJM+TX48Ss/17u3IvIfbVR1FkZZSNCisQbuQY+bHwhEBg==
"""


def test_a_published_signature_stands_with_its_comment() -> None:
    key = minisign.read_key(KEY, "key")
    assert minisign.verify(b"test", PUBLISHED, (key,), "file") == (key, "timestamp:1556193335\tfile:test")
    assert key.name == "E7620F1842B4E81F"


@pytest.mark.parametrize(
    ("content", "old", "new"),
    [
        (b"Test", "", ""),
        (b"test", "timestamp:1556193335", "timestamp:1556193336"),
        (b"test", "RUQf6LRCGA9i559r", "RUQf6LRCGA9i559s"),
        (b"test", "RUQf", "RWQf"),
        (b"test", "RUQf6LRCGA9i559r", "RUQf6LRCGA9j559r"),
        (b"test", "y/rUw2y8", "z/rUw2y8"),
        (b"test", "trusted comment: t", "t"),
        (b"test", "hEBg==\n", "hEBg==\nmore\n"),
        (b"test", "hEBg==", "hEBg"),
    ],
)
def test_whatever_is_changed_is_refused(content: bytes, old: str, new: str) -> None:
    key = minisign.read_key(KEY, "key")
    with pytest.raises(Damaged):
        minisign.verify(content, PUBLISHED.replace(old, new) if old else PUBLISHED, (key,), "file")


def test_another_key_with_the_same_number_is_refused_and_no_key_trusts_nothing() -> None:
    own, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    made = minisigning.signature(b"x", own)
    good = minisign.read_key(minisigning.public(own), "key")
    assert minisign.verify(b"x", made, (good,), "file") == (good, "a test")
    for keys in ((minisign.read_key(minisigning.public(other), "key"),), ()):
        with pytest.raises(Damaged):
            minisign.verify(b"x", made, keys, "file")


@pytest.mark.parametrize(
    "text", ["", "x", KEY[:-2], f"a\nb\n{KEY}", KEY.replace("RW", "XX", 1), "untrusted comment: é\nä"]
)
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        minisign.read_key(text, "key.pub")


def test_a_signature_of_minisign_itself_stands(tmp_path: Path) -> None:
    minisign_ = shutil.which("minisign")
    if minisign_ is None:
        pytest.skip("minisign isn't installed")
    file, secret, public = tmp_path / "f", tmp_path / "k", tmp_path / "k.pub"
    file.write_bytes(b"content")
    subprocess.run([minisign_, "-G", "-W", "-p", public, "-s", secret], check=True, capture_output=True)
    subprocess.run([minisign_, "-S", "-s", secret, "-m", file, "-t", "for é"], check=True, capture_output=True)
    key = minisign.read_key(public.read_text(), "k.pub")
    assert minisign.verify(b"content", (tmp_path / "f.minisig").read_text(), (key,), "f")[1] == "for é"
