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
from core.evidence.commitments import commitment
from core.evidence.records import Verdict
from core.evidence.verify import verify
from core.paths import RESOURCES
from core.trust.canonical import builtins, canonical, unb64
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
    if own.verdict != "invalid":
        assert len(own.signatures) == len(other["signatures"])
        assert (own.withheld, own.nonce, own.redaction_of) == tuple(
            other[key] for key in ("withheld", "nonce", "redaction_of")
        )
        assert [(f.field, f.count) for f in own.fields] == [(f["field"], f["count"]) for f in other["fields"]]
        assert [(m.variant, m.metric, m.samples, m.of) for m in own.lost] == [tuple(m.values()) for m in other["lost"]]
    return own


def first_file(kind: str) -> str:
    """The name, in its folder, of the first file of a kind."""
    return "outcome-0001.json" if kind == "outcome" else f"{kind}.json"


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
    listed = {name: {"version": 1, "sha256": digest_of(data), "size": len(data)} for name, data in entries.items()}
    manifest["files"].update((name, listed[name]) for name in manifest["files"] if name in entries)
    present = {name: listed[name] for name in manifest["renderings"] if name in entries}
    try:
        given = [opening for opening in json.loads(entries["openings/renderings.json"]) if opening[1][0] in present]
        told = [[salt, [name], present[name]] for salt, [name], _ in given]
    except (ValueError, TypeError, LookupError, RecursionError):
        told = []
    for salt, [name], value in told:
        if isinstance(salt, str) and len(salt) == 44:
            manifest["renderings"][name] = commitment(unb64(salt, "salt"), (name,), value)
    if told:
        entries["openings/renderings.json"] = canonical(told)
    entries["manifest.json"] = canonical(manifest)
