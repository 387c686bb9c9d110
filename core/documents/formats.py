"""Which files can be read, told by name and by first bytes. Every refusal is one sentence that names the file.

A name and a content that contradict each other are refused rather than guessed at: what a person sees in a list is what was read.
"""

from pathlib import PurePath
from typing import Final

from core.errors import BadInput, Unsupported

PDF: Final = "application/pdf"
DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
HTML: Final = "text/html"
MARKDOWN: Final = "text/markdown"
TEXT: Final = "text/plain"
CSV: Final = "text/csv"

MEDIA: Final = {
    ".pdf": PDF,
    ".docx": DOCX,
    ".html": HTML,
    ".htm": HTML,
    ".xhtml": HTML,
    ".md": MARKDOWN,
    ".markdown": MARKDOWN,
    ".txt": TEXT,
    ".text": TEXT,
    ".log": TEXT,
    "": TEXT,
    ".csv": CSV,
    ".tsv": CSV,
}
"""By the name's ending; a file without one is read as text if it is text."""
READABLE: Final = "PDF, DOCX, HTML, Markdown, text and CSV files can be read"

NOT_YET: Final = {
    ".pptx": "PowerPoint",
    ".ppt": "PowerPoint",
    ".xlsx": "Excel",
    ".xls": "Excel",
    ".doc": "old Word (.doc)",
    ".odt": "OpenDocument",
    ".ods": "OpenDocument",
    ".odp": "OpenDocument",
    ".rtf": "RTF",
    ".epub": "EPUB",
    ".eml": "e-mail",
    ".msg": "Outlook",
    ".mbox": "mailbox",
    ".zip": "ZIP",
    ".7z": "archive",
    ".tar": "archive",
    ".gz": "archive",
    ".xml": "XML",
    ".rss": "RSS",
    ".json": "JSON",
    ".png": "image",
    ".jpg": "image",
    ".jpeg": "image",
    ".tif": "image",
    ".tiff": "image",
    ".gif": "image",
    ".webp": "image",
}

SIGNATURES: Final = (
    (b"%PDF-", "a PDF"),
    (b"PK\x03\x04", "a ZIP or an Office file"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old or an encrypted Office file"),
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
    (b"\x1f\x8b", "a compressed archive"),
)
SHOWN_BYTES: Final = 1024
"""A PDF's signature may stand anywhere in its first kilobyte (ISO 32000, implementation note 13)."""


def media_type(name: str) -> str:
    """What a file is by its name. Raises `Unsupported`."""
    ending = PurePath(name).suffix.lower()
    if ending in MEDIA:
        return MEDIA[ending]
    kind = NOT_YET.get(ending, ending)
    raise Unsupported(source=name, reason=f"{kind} files are not supported yet. {READABLE}.")


def check_content(name: str, data: bytes, media: str) -> None:
    """Raise `BadInput` or `Unsupported` when the first bytes say that the file is something else, or nothing at all."""
    if not data.strip(b"\x00 \t\r\n"):
        raise BadInput(source=name, problem="empty; there is nothing to read.")
    start = data[:SHOWN_BYTES]
    found = next((what for signature, what in SIGNATURES if start.startswith(signature)), None)
    if media == PDF:
        if b"%PDF-" not in start:
            raise BadInput(
                source=name, problem=f"not a PDF; its content is {found or 'something else'}. Check the file."
            )
        return
    if media == DOCX:
        if found == "an old or an encrypted Office file":
            raise Unsupported(
                source=name, reason="encrypted, or in the old Word format. Save it as a DOCX without a password."
            )
        if found != "a ZIP or an Office file":
            raise BadInput(source=name, problem=f"not a DOCX; its content is {found or 'something else'}.")
        return
    if found is not None:
        raise BadInput(source=name, problem=f"named as text, but its content is {found}. Give it its right name.")
