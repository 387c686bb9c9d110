"""The commands of VERIFY.md, run as they are written, on a pack that holds and on ones that don't."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.evidence import zipform
from core.evidence.redaction import Request, redact
from core.paths import RESOURCES
from core.trust.canonical import canonical
from core.trust.trustfile import TrustFile, dump
from tests.unit.evidence.building import ADA, BEN, TRUST, pack
from tests.unit.evidence.judging import edited, remanifested, repacked

GUIDE = (RESOURCES / "evidence" / "VERIFY.md").read_text("utf-8")
[COMMANDS] = re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL)
[LIBRARY] = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
TOOLS = ("sh", "unzip", "sha256sum", "openssl", "grep", "sed", "base64")
WHOLE = pack()


def missing() -> str:
    gone = [tool for tool in TOOLS if shutil.which(tool) is None]
    if gone:
        return f"without {', '.join(gone)}"
    version = subprocess.run(
        [str(shutil.which("openssl")), "version"], capture_output=True, text=True, check=False
    ).stdout
    return "" if re.match(r"OpenSSL ([3-9]|\d\d)\.", version) else f"openssl is {version.strip()}, before 3.0"


pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "all there")


def run(folder: Path, data: bytes, trust: TrustFile = TRUST) -> subprocess.CompletedProcess[str]:
    (folder / "run.pack").write_bytes(data)
    (folder / "trust.json").write_bytes(dump(trust))
    work = folder / "empty"
    work.mkdir()
    environment = {**os.environ, "PACK": str(folder / "run.pack"), "TRUST": str(folder / "trust.json"), "LC_ALL": "C"}
    return subprocess.run(
        [str(shutil.which("sh")), "-eu", "-c", COMMANDS],
        cwd=work,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_a_pack_that_holds_passes_and_a_dsse_library_agrees(tmp_path: Path) -> None:
    done = run(tmp_path, WHOLE)
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert done.stdout.count("Signature Verified Successfully") == 2
    assert "Ada Nov" in done.stdout
    library = subprocess.run(
        [sys.executable, "-c", LIBRARY],
        cwd=tmp_path / "empty" / "pack",
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert library.returncode == 0, library.stderr
    assert "'meaning': 'released'" in library.stdout


def test_a_redacted_pack_passes_too(tmp_path: Path) -> None:
    assert run(tmp_path, redact(WHOLE, Request(fields=("answer",)))).returncode == 0


def in_record(entries: dict[str, bytes]) -> None:
    entries["records/run.json"] = entries["records/run.json"].replace(b"run-1", b"run-2")


def in_record_and_manifest(entries: dict[str, bytes]) -> None:
    in_record(entries)
    remanifested(entries)


def in_opening(entries: dict[str, bytes]) -> None:
    entries["openings/model.json"] = entries["openings/model.json"].replace(b"/home/ada", b"/home/eve")


def in_checkpoint(entries: dict[str, bytes]) -> None:
    entries["log/checkpoint.txt"] = entries["log/checkpoint.txt"].replace(b"\n9\n", b"\n8\n")
    manifest = json.loads(entries["manifest.json"])
    remanifested(entries)
    assert json.loads(entries["manifest.json"]) != manifest


def released_by_another(entries: dict[str, bytes]) -> None:
    other = zipform.read(pack(person=BEN))
    wire, theirs = json.loads(entries["release.json"]), json.loads(other["release.json"])
    wire["signatures"] = theirs["signatures"]
    entries["release.json"] = canonical(wire)


@pytest.mark.parametrize("change", [in_record, in_record_and_manifest, in_opening, in_checkpoint, released_by_another])
def test_a_forged_pack_doesnt_pass(tmp_path: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    assert run(tmp_path, repacked(WHOLE, change)).returncode != 0


def test_a_signer_or_a_log_that_isnt_trusted_doesnt_pass(tmp_path: Path) -> None:
    assert run(tmp_path, WHOLE, msgspec.structs.replace(TRUST, cards=(BEN.signed,))).returncode != 0
    other = TrustFile(cards=(ADA.signed,), logs=(), made=TRUST.made)
    (tmp_path / "second").mkdir()
    assert run(tmp_path / "second", WHOLE, other).returncode != 0


def test_an_altered_signature_doesnt_pass(tmp_path: Path) -> None:
    def change(wire: Any) -> None:
        wire["signatures"][0]["sig"] = "AAAA" + wire["signatures"][0]["sig"][4:]

    assert run(tmp_path, edited(WHOLE, "release.json", change)).returncode != 0
