"""Where artefacts come from: an in-toto Statement with SLSA's provenance predicate (v1), as plain JSON beside them.

It is a claim of whoever ran the build; the signature over SHA256SUMS, which lists this file too, binds it.
"""

import datetime
import hashlib
import platform
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

STATEMENT: Final = "https://in-toto.io/Statement/v1"
PREDICATE: Final = "https://slsa.dev/provenance/v1"
BUILD_TYPE: Final = "https://assay.invalid/build/installers/v1"
BUILDER: Final = "https://assay.invalid/builder/one-machine"


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def statement(
    artefacts: Iterable[Path], commit: str, epoch: int, version: str, materials: Mapping[str, str]
) -> dict[str, Any]:
    """The statement over files, built from a commit and from `materials` (SHA-256 by name: wheels, models, fonts)."""
    when = datetime.datetime.fromtimestamp(epoch, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "_type": STATEMENT,
        "subject": [{"name": path.name, "digest": {"sha256": digest(path)}} for path in sorted(artefacts)],
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {"version": version, "sourceDateEpoch": epoch},
                "internalParameters": {
                    "python": platform.python_version(),
                    "machine": platform.machine(),
                    "libc": " ".join(platform.libc_ver()),
                },
                "resolvedDependencies": [
                    {"name": "source", "digest": {"gitCommit": commit}},
                    *({"name": name, "digest": {"sha256": value}} for name, value in sorted(materials.items())),
                ],
            },
            "runDetails": {"builder": {"id": BUILDER}, "metadata": {"invocationId": commit, "startedOn": when}},
        },
    }
