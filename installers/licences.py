"""The licences of all that is carried: what each distribution declares, and the texts that it brings."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from installers.plan import BuildProblem

_TEXTS: Final = re.compile(r"(^|/)(licen[cs]es?|copying|notice|copyright|authors)[^/]*$|/licenses/", re.IGNORECASE)
_CODE: Final = (".py", ".pyc", ".pyi", ".so")
"""A package may have modules of such names."""
_CLASSIFIER: Final = "License :: "
KNOWN: Final = {
    "BSD": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "BSD-3": "BSD-3-Clause",
    "3-Clause BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
    "The MIT License (MIT)": "MIT",
    "Apache 2.0": "Apache-2.0",
    "Apache-2": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache License Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "Apache": "Apache-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "ISC License (ISCL)": "ISC",
    "Python Software Foundation License": "PSF-2.0",
    "PSF": "PSF-2.0",
    "GNU Affero General Public License v3": "AGPL-3.0-only",
    "Dual License": "",
}
"""Names that packages use, as SPDX writes them."""
_SPDX: Final = re.compile(r"[A-Za-z0-9.+-]+(?: (?:AND|OR|WITH) [A-Za-z0-9.+()-]+)*")


@dataclass(frozen=True)
class Licence:
    """A distribution's licence: an SPDX expression where one is known, else the words that it uses."""

    name: str
    version: str
    expression: str
    words: str
    texts: tuple[Path, ...]


def of(distribution: metadata.Distribution) -> Licence:
    """What a distribution declares, and where the texts lie that it brings."""
    fields = distribution.metadata
    expression = _field(fields, "License-Expression")
    declared = _field(fields, "License")
    classified = [
        line.rsplit(" :: ", 1)[-1] for line in fields.get_all("Classifier") or () if line.startswith(_CLASSIFIER)
    ]
    words = declared if declared and "\n" not in declared and len(declared) < 80 else ", ".join(classified)
    if not expression:
        named = KNOWN.get(words, words)
        expression = named if " " not in named and _SPDX.fullmatch(named) and named.upper() != "UNKNOWN" else ""
    texts = tuple(
        sorted(
            path
            for entry in distribution.files or ()
            if _TEXTS.search(entry.as_posix())
            and (path := Path(str(entry.locate()))).is_file()
            and path.suffix not in _CODE
        )
    )
    return Licence(fields["Name"], distribution.version, expression, words or "not declared", texts)


def _field(fields: metadata.PackageMetadata, name: str) -> str:
    return str(fields[name]).strip() if name in fields else ""


def all_in(folder: Path) -> list[Licence]:
    """Every distribution of an environment's folder of packages, by name. Raises `BuildProblem` where there is none."""
    found = {licence.name.lower(): licence for licence in map(of, metadata.distributions(path=[str(folder)]))}
    if not found:
        raise BuildProblem(f"{folder}: no packages are installed there.")
    return [found[name] for name in sorted(found)]


def of_names(names: Iterable[str]) -> list[Licence]:
    """Those of distributions in this environment."""
    return [of(metadata.distribution(name)) for name in names]


def write(licences: list[Licence], target: Path) -> None:
    """The texts, a folder for each distribution, and a list of all."""
    target.mkdir(parents=True, exist_ok=True)
    lines = [
        "Packages in this program, their licences, and where the texts are. Their sources are public under these names.",
        "",
    ]
    for licence in licences:
        lines.append(f"{licence.name} {licence.version}: {licence.expression or licence.words}")
        for number, text in enumerate(licence.texts):
            place = target / licence.name / (text.name if number == 0 else f"{number}-{text.name}")
            place.parent.mkdir(exist_ok=True)
            place.write_bytes(text.read_bytes())
    (target / "LIST.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
