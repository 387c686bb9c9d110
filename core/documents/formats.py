"""Which files can be read, told by name and by first bytes. Every refusal is one sentence that names the file.

A name and a content that contradict each other are refused rather than guessed at: what a person sees in a list is what was read.
"""

from pathlib import PurePath
from typing import Final

from core.errors import BadInput, Unsupported

PDF: Final = "application/pdf"
DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PPTX: Final = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
XLS: Final = "application/vnd.ms-excel"
ODT: Final = "application/vnd.oasis.opendocument.text"
ODS: Final = "application/vnd.oasis.opendocument.spreadsheet"
ODP: Final = "application/vnd.oasis.opendocument.presentation"
EPUB: Final = "application/epub+zip"
ZIP: Final = "application/zip"
EML: Final = "message/rfc822"
MSG: Final = "application/vnd.ms-outlook"
HTML: Final = "text/html"
MARKDOWN: Final = "text/markdown"
TEXT: Final = "text/plain"
CSV: Final = "text/csv"
RTF: Final = "application/rtf"
JSON: Final = "application/json"
XML: Final = "application/xml"
PNG: Final = "image/png"
JPEG: Final = "image/jpeg"
TIFF: Final = "image/tiff"
GIF: Final = "image/gif"

MEDIA: Final = {
    ".pdf": PDF,
    ".docx": DOCX,
    ".xlsx": XLSX,
    ".xlsm": XLSX,
    ".xls": XLS,
    ".pptx": PPTX,
    ".odt": ODT,
    ".ods": ODS,
    ".odp": ODP,
    ".epub": EPUB,
    ".zip": ZIP,
    ".eml": EML,
    ".msg": MSG,
    ".html": HTML,
    ".htm": HTML,
    ".xhtml": HTML,
    ".md": MARKDOWN,
    ".markdown": MARKDOWN,
    ".txt": TEXT,
    ".text": TEXT,
    ".log": TEXT,
    ".ics": TEXT,
    ".vcf": TEXT,
    "": TEXT,
    ".csv": CSV,
    ".tsv": CSV,
    ".rtf": RTF,
    ".json": JSON,
    ".jsonl": JSON,
    ".xml": XML,
    ".rss": XML,
    ".png": PNG,
    ".jpg": JPEG,
    ".jpeg": JPEG,
    ".tif": TIFF,
    ".tiff": TIFF,
    ".gif": GIF,
}
"""By the name's ending; a file without one is read as text if it is text."""
READABLE: Final = (
    "PDF, Office, OpenDocument, EPUB, mail, HTML, Markdown, text, RTF, CSV, JSON, XML, pictures and ZIP can be read"
)

PICTURES: Final = {PNG: "png", JPEG: "jpeg", TIFF: "tiff", GIF: "gif"}
"""With the names that MuPDF has for them. They are read by text recognition only."""
DRAWN: Final = (PDF, *PICTURES)
"""Formats whose pages are drawn."""
OPEN_DOCUMENTS: Final = (ODT, ODS, ODP)
LOCKABLE: Final = (DOCX, XLSX, PPTX)
"""Office formats that lie in an OLE file where they are encrypted."""
PACKED: Final = (DOCX, XLSX, PPTX, *OPEN_DOCUMENTS, EPUB, ZIP)
LOCKED: Final = "encrypted; a password is needed to open it. Give its password, or add a copy that has none."

NOT_YET: Final = {
    ".ppt": "old PowerPoint (.ppt)",
    ".doc": "old Word (.doc)",
    ".docm": "Word with macros (.docm)",
    ".pptm": "PowerPoint with macros (.pptm)",
    ".xlsb": "binary Excel (.xlsb)",
    ".mbox": "mailbox",
    ".7z": "archive",
    ".tar": "archive",
    ".gz": "archive",
    ".rar": "archive",
    ".webp": "WebP",
    ".svg": "SVG",
    ".heic": "HEIC",
    ".p7s": "digital signature (.p7s)",
    ".asc": "digital signature (.asc)",
}
OTHERS: Final = {
    ".doc": "Save it as a DOCX in Word.",
    ".docm": "Save it as a DOCX in Word.",
    ".ppt": "Save it as a PPTX in PowerPoint.",
    ".pptm": "Save it as a PPTX in PowerPoint.",
    ".xlsb": "Save it as an XLSX in Excel.",
    ".7z": "Unpack it and add its folder.",
    ".tar": "Unpack it and add its folder.",
    ".gz": "Unpack it and add its folder.",
    ".rar": "Unpack it and add its folder.",
    ".webp": "Save it as a PNG.",
    ".heic": "Save it as a PNG.",
    ".svg": "Save it as a PDF.",
    **dict.fromkeys((".p7s", ".asc"), "What they sign is read without them."),
}
"""What helps with a format that can't be read."""

OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
SIGNATURES: Final = (
    (b"%PDF-", "a PDF"),
    (b"PK\x03\x04", "a ZIP or an Office file"),
    (b"PK\x05\x06", "an empty ZIP"),
    (OLE, "an old or an encrypted Office file"),
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
    (b"\x1f\x8b", "a compressed archive"),
)
EXPECTED: Final = {
    PNG: ("PNG", ("a PNG image",)),
    JPEG: ("JPEG", ("a JPEG image",)),
    TIFF: ("TIFF", ("a TIFF image",)),
    GIF: ("GIF", ("a GIF image",)),
    **dict.fromkeys((XLS, MSG), ("file of its kind", ("an old or an encrypted Office file",))),
    **{
        media: (what, ("a ZIP or an Office file", "an old or an encrypted Office file"))
        for media, what in ((DOCX, "DOCX"), (XLSX, "XLSX"), (PPTX, "PPTX"))
    },
    **dict.fromkeys(OPEN_DOCUMENTS, ("OpenDocument file", ("a ZIP or an Office file",))),
    EPUB: ("EPUB", ("a ZIP or an Office file",)),
    ZIP: ("ZIP", ("a ZIP or an Office file", "an empty ZIP")),
}
"""By media type: its name in a sentence, and what its content must be. Formats that aren't here are text."""
SHOWN_BYTES: Final = 1024
"""A PDF's signature may stand anywhere in its first kilobyte (ISO 32000, implementation note 13)."""


def media_type(name: str) -> str:
    """What a file is by its name. Raises `Unsupported`."""
    ending = PurePath(name).suffix.lower()
    if ending in MEDIA:
        return MEDIA[ending]
    kind = NOT_YET.get(ending, ending)
    raise Unsupported(
        source=name,
        reason=f"{kind} files are not supported yet. {OTHERS.get(ending, f'{READABLE}.')}",
    )


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
    if media in EXPECTED:
        what, allowed = EXPECTED[media]
        if found not in allowed:
            raise BadInput(source=name, problem=f"not a {what}; its content is {found or 'something else'}.")
        return
    if found is not None:
        raise BadInput(source=name, problem=f"named as text, but its content is {found}. Give it its right name.")
