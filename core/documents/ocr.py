"""Whether scanned pages can be read: the language data of Tesseract, found on this machine or bundled with the program.

The engine itself is built into MuPDF and runs in the parse worker, which starts no programs and may read the data's folder only. Languages:
those that TESSDATA_LANGUAGES names ("eng+deu"), else English if it is there, else the first ones by name.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FOLDERS: Final = (
    "/usr/share/tesseract-ocr/5/tessdata",
    "/usr/share/tesseract-ocr/4.00/tessdata",
    "/usr/share/tessdata",
    "/usr/local/share/tessdata",
    "/opt/homebrew/share/tessdata",
    "C:/Program Files/Tesseract-OCR/tessdata",
)
BUNDLED: Final = Path(__file__).resolve().parent.parent.parent / "resources" / "tessdata"
PREFIX: Final = "TESSDATA_PREFIX"
LANGUAGES: Final = "TESSDATA_LANGUAGES"
ENDING: Final = ".traineddata"
MOST: Final = 3
"""Languages at once where none are named: each makes reading slower."""
MISSING: Final = (
    "no text; these are scanned pages or a picture, and no text recognition is at hand. "
    "Install Tesseract's language data (tesseract-ocr-eng) and add the file again."
)
NOTHING: Final = "no text; text recognition found none on its pages."


@dataclass(frozen=True)
class Recognition:
    """Where the language data are, and which of them are used."""

    folder: str
    languages: str


def find(environment: Mapping[str, str] = os.environ) -> Recognition | None:
    """The language data, or None where there are none."""
    given = environment.get(PREFIX, "")
    candidates = [Path(given), Path(given) / "tessdata"] if given else []
    if getattr(sys, "frozen", False):
        candidates.append(Path(sys.executable).parent / "tessdata")
    for folder in (*candidates, BUNDLED, *map(Path, FOLDERS)):
        known = _languages(folder)
        if not known:
            continue
        wanted = [each for each in environment.get(LANGUAGES, "").split("+") if each in known]
        if not wanted:
            wanted = ["eng"] if "eng" in known else known[:MOST]
        return Recognition(folder=str(folder.resolve()), languages="+".join(wanted))
    return None


def state(found: Recognition | None) -> str:
    """One sentence for a person who asks what this installation can do."""
    if found is None:
        return (
            "Scanned pages can't be read: Tesseract's language data are missing. Install the package tesseract-ocr-eng."
        )
    return f"Scanned pages are read by text recognition (languages: {found.languages.replace('+', ', ')})."


def _languages(folder: Path) -> list[str]:
    try:
        return sorted(
            file.name.removesuffix(ENDING) for file in folder.glob(f"*{ENDING}") if file.stem not in ("osd", "equ")
        )
    except OSError:
        return []
