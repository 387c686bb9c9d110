"""Checks that the files of a release go together: `python installers/check.py FOLDER --key FILE.pub`.

Rules, in order: the signature over SHA256SUMS is good under the given key; the folder holds exactly what SHA256SUMS lists, with those bytes;
the provenance names each artefact with the same digest; the SBOM is CycloneDX, names this program, and every component has a licence or a hash.
It needs Python and minisign, nothing of this project.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

SUMS, SIGNATURE, PROVENANCE, SBOM = "SHA256SUMS", "SHA256SUMS.minisig", "provenance.json", "sbom.cdx.json"
BESIDE = {SUMS, SIGNATURE, "TRIAL-KEY.pub"}
LINE = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9._+~-]+)")


def problems(folder: Path, key: Path | None) -> list[str]:
    """What is wrong, a sentence each; nothing when all goes together. Without a key the signature isn't checked, which is a problem too."""
    found = [] if key is not None else ["The signature wasn't checked: give the releaser's public key with --key."]
    if key is not None:
        found += _signature(folder, key)
    try:
        listed = _listed(folder)
    except (OSError, ValueError) as error:
        return [*found, f"{SUMS} can't be read: {error}"]
    found += _files(folder, listed)
    found += _provenance(folder, listed)
    found += _bill(folder)
    return found


def _signature(folder: Path, key: Path) -> list[str]:
    command = ["minisign", "-V", "-q", "-p", str(key), "-m", str(folder / SUMS), "-x", str(folder / SIGNATURE)]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        return ["The signature wasn't checked: minisign isn't installed."]
    return [] if done.returncode == 0 else [f"The signature over {SUMS} isn't good under this key."]


def _listed(folder: Path) -> dict[str, str]:
    listed: dict[str, str] = {}
    for line in (folder / SUMS).read_text(encoding="utf-8").splitlines():
        match = LINE.fullmatch(line)
        if match is None or match[2] in listed or match[2].startswith("."):
            raise ValueError(f"a line is of another form, or a name comes twice ({line[:80]!r}).")
        listed[match[2]] = match[1]
    return listed


def _files(folder: Path, listed: dict[str, str]) -> list[str]:
    found = []
    there = {path.name for path in folder.iterdir()} - BESIDE
    found += [f"{name}: listed in {SUMS}, but missing." for name in sorted(set(listed) - there)]
    found += [f"{name}: not listed in {SUMS}." for name in sorted(there - set(listed))]
    for name in sorted(there & set(listed)):
        with (folder / name).open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != listed[name]:
                found.append(f"{name}: its bytes are not those that {SUMS} lists.")
    return found


def _provenance(folder: Path, listed: dict[str, str]) -> list[str]:
    try:
        content = json.loads((folder / PROVENANCE).read_text(encoding="utf-8"))
        named = {str(one["name"]): str(one["digest"]["sha256"]) for one in content["subject"]}
        sources = content["predicate"]["buildDefinition"]["resolvedDependencies"]
        kind = content["predicateType"]
    except (OSError, ValueError, KeyError, TypeError):
        return [f"{PROVENANCE} isn't a statement of provenance."]
    found = (
        [] if str(kind).startswith("https://slsa.dev/provenance/") else [f"{PROVENANCE}: another kind of statement."]
    )
    expected = {name: value for name, value in listed.items() if name != PROVENANCE}
    found += [
        f"{name}: {PROVENANCE} names another digest or none."
        for name in sorted(expected)
        if named.get(name) != expected[name]
    ]
    found += [f"{name}: {PROVENANCE} names it, but {SUMS} doesn't." for name in sorted(set(named) - set(expected))]
    if not any("gitCommit" in one.get("digest", {}) for one in sources):
        found.append(f"{PROVENANCE} names no commit.")
    return found


def _bill(folder: Path) -> list[str]:
    try:
        content = json.loads((folder / SBOM).read_text(encoding="utf-8"))
        components = content["components"]
        good = content["bomFormat"] == "CycloneDX" and content["metadata"]["component"]["name"] == "assay-workbench"
    except (OSError, ValueError, KeyError, TypeError):
        return [f"{SBOM} isn't a CycloneDX document."]
    found = [] if good else [f"{SBOM} is about another program."]
    found += [
        f"{SBOM}: {one.get('name')} has neither licence nor hash."
        for one in components
        if not (one.get("licenses") or one.get("hashes"))
    ]
    return found if components else [*found, f"{SBOM} lists nothing."]


def main() -> int:
    """0 when all goes together, 1 when not."""
    parser = argparse.ArgumentParser(description="Check that the files of a release go together.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--key", type=Path, help="The releaser's minisign public key, obtained beforehand.")
    given = parser.parse_args()
    found = problems(given.folder, given.key)
    sys.stdout.write("".join(f"{one}\n" for one in found) or "All files go together.\n")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
