"""Both verifiers at once: Assay's own and the standalone one must say the same of every pack."""

import importlib.util
import io
import json
import sys
from collections.abc import Callable
from datetime import datetime
from types import ModuleType
from typing import Any

from core.evidence import zipform
from core.evidence.records import Verdict
from core.evidence.verify import verify
from core.paths import RESOURCES
from core.trust.canonical import builtins, canonical
from core.trust.canonical import digest as digest_of
from core.trust.trustfile import TrustFile

AT = datetime.fromisoformat("2026-11-22T00:00:00+00:00")
SCRIPT = RESOURCES / "evidence" / "verify.py"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("standalone_verify", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    spec.loader.exec_module(module)
    sys.dont_write_bytecode = written
    return module


standalone = _load()


def judged(pack: bytes, trust: TrustFile, at: datetime = AT) -> Verdict:
    """The verdict, after both verifiers agreed on it."""
    own = verify(io.BytesIO(pack), trust, at)
    other = standalone.verify(pack, json.loads(canonical(builtins(trust))), at)
    assert own.verdict == other["verdict"], (own.reasons, other["reasons"])
    assert own.verdict == "invalid" or len(own.signatures) == len(other["signatures"])
    return own


def repacked(pack: bytes, change: Callable[[dict[str, bytes]], None]) -> bytes:
    """The pack with its entries changed, in the right byte form again."""
    entries = zipform.read(pack)
    change(entries)
    return zipform.write(entries)


def edited(pack: bytes, name: str, change: Callable[[Any], None]) -> bytes:
    """The pack with one JSON file changed, canonical again."""

    def edit(entries: dict[str, bytes]) -> None:
        value = json.loads(entries[name])
        change(value)
        entries[name] = canonical(value)

    return repacked(pack, edit)


def remanifested(entries: dict[str, bytes]) -> None:
    """Make the manifest fit the entries, as a forger would."""
    manifest = json.loads(entries["manifest.json"])
    for listed in (manifest["files"], manifest["renderings"]):
        for name in list(listed):
            if name in entries:
                listed[name] = {"version": 1, "sha256": digest_of(entries[name]), "size": len(entries[name])}
    entries["manifest.json"] = canonical(manifest)
