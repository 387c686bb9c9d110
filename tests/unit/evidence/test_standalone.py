"""The verifier that goes with a pack: small, alone, and right about the primitives that it computes itself."""

import ast
import json
import re
import shutil
import subprocess
import sys
from base64 import b64decode, b64encode
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.trust.canonical import canonical
from core.trust.notes import log_key_from
from core.trust.trustfile import dump
from tests.unit.evidence.building import TRUST, pack
from tests.unit.evidence.judging import SCRIPT, standalone

OLD_ENOUGH = re.compile(r"3\.(9|1\d)\b")
LINES = 751
"""An auditor reads it in one sitting."""


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A pack and its trust file, dated so that they are in the past by any clock."""
    past = "2026-01-02T00:00:00+00:00"
    (tmp_path / "pack").write_bytes(pack(time=past))
    (tmp_path / "trust").write_bytes(dump(TRUST))
    return tmp_path / "pack", tmp_path / "trust"


def run(*arguments: object) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=300
    )
    return done.returncode, done.stdout


def test_it_is_short_needs_only_the_standard_library_and_parses_as_python_3_9() -> None:
    source = SCRIPT.read_text("utf-8")
    assert len(source.splitlines()) < LINES
    tree = ast.parse(source, feature_version=(3, 9))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert imported <= set(sys.stdlib_module_names)
    others = {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert all(name.startswith("cryptography.") for name in others)
    assert "Apache License" in source


def test_without_cryptography_a_pack_is_at_best_incomplete(files: tuple[Path, Path]) -> None:
    code, out = run("-I", "-S", SCRIPT, files[0], "--trust", files[1])
    verdict = json.loads(out)
    assert (code, verdict["verdict"]) == (1, "incomplete")
    assert any("ML-DSA-65" in reason for reason in verdict["reasons"])


def interpreters() -> list[str]:
    """The other Pythons at hand from 3.9 on, on the path or in pyenv's folder."""
    found = [shutil.which(f"python3.{minor}") for minor in range(9, 20)]
    kept = sorted((Path.home() / ".pyenv" / "versions").glob("3.*/bin/python"))
    some = [path for path in (*filter(None, found), *map(str, kept)) if OLD_ENOUGH.search(str(Path(path).resolve()))]
    some = [path for path in some if "shims" not in path]
    return list(dict.fromkeys(some))


@pytest.mark.parametrize("python", interpreters() or [sys.executable])
def test_every_python_at_hand_runs_it(files: tuple[Path, Path], python: str) -> None:
    command = [python, "-I", "-S", str(SCRIPT), str(files[0]), "--trust", str(files[1])]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["verdict"] == "incomplete"


def test_its_exit_code_is_the_verdict(files: tuple[Path, Path], tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_bytes(files[0].read_bytes()[:-1])
    code, out = run(SCRIPT, broken, "--trust", files[1])
    assert (code, json.loads(out)["verdict"]) == (1, "invalid")
    assert run(SCRIPT, tmp_path / "missing", "--trust", files[1])[0] == 2
    assert run(SCRIPT, files[0], "--trust", files[0])[0] == 2
    assert run(SCRIPT, files[0])[0] == 2


def test_wycheproof_ed25519(shared_data: Path) -> None:
    groups = json.loads((shared_data / "vectors" / "ed25519" / "ed25519_test.json").read_text())["testGroups"]
    cases = 0
    for group in groups:
        public = bytes.fromhex(group["publicKey"]["pk"])
        for case in group["tests"]:
            signature = bytes.fromhex(case["sig"])
            good = len(signature) == 64 and standalone.ed25519_verify(public, bytes.fromhex(case["msg"]), signature)
            assert good == (case["result"] == "valid"), case
            cases += 1
    assert cases > 100


@settings(max_examples=500)
@given(st.floats(allow_nan=False, allow_infinity=False))
@example(1e21)
@example(1e-7)
@example(123456789012345680000.0)
@example(-0.0)
@example(5e-324)
@example(0.000001)
def test_it_writes_numbers_as_assay_does(value: float) -> None:
    assert standalone.canonical(value) == canonical(value)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_it_writes_text_as_assay_does(value: str) -> None:
    assert standalone.canonical({value: [value, {}]}) == canonical({value: [value, {}]})


def test_rfc_8785_vectors(shared_data: Path) -> None:
    folder = shared_data / "vectors" / "jcs" / "testdata"
    for path in sorted((folder / "input").iterdir()):
        expected = bytes.fromhex((folder / "outhex" / f"{path.stem}.txt").read_text().replace("\n", " "))
        assert standalone.canonical(json.loads(path.read_text("utf-8"))) == expected
        assert standalone.canonical(standalone.parse(expected, path.stem, (dict, list))) == expected


def test_inclusion_vectors(shared_data: Path) -> None:
    for path in sorted((shared_data / "vectors" / "merkle" / "testdata" / "inclusion").rglob("*.json")):
        case = json.loads(path.read_text())
        proof = [b64decode(step) for step in case["proof"] or ()]
        leaf, root = b64decode(case["leafHash"] or ""), b64decode(case["root"] or "")
        try:
            standalone.verify_inclusion(case["leafIdx"], case["treeSize"], leaf, proof, root)
            refused = False
        except standalone.Invalid:
            refused = True
        # What it hashes itself has 32 bytes; the vectors' empty leaves and roots can't come from a pack.
        assert refused == case["wantErr"] or not (leaf and root), path


def test_it_reads_a_known_logs_key() -> None:
    known = log_key_from("sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8")
    note = (
        "sum.golang.org\n1\n"
        + b64encode(bytes(32)).decode()
        + "\n\n\u2014 sum.golang.org "
        + b64encode(b"\x03\x3d\xe0\xae" + bytes(64)).decode()
    )
    origin, size, root, text, signatures = standalone.read_checkpoint((note + "\n").encode())
    assert (origin, size, root) == ("sum.golang.org", 1, bytes(32))
    with pytest.raises(standalone.Invalid, match="isn't signed"):
        standalone.verify_note(origin, text, signatures, known.ed25519)
