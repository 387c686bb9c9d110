"""ZIP packing, below Office files, OpenDocument, EPUB and archives.

Rules: what a packed file unpacks to is summed up from its directory before anything is unpacked, and no member gives more than its entry says
(zipfile stops there); XML with a document type declaration is refused in Office files, whose programs write none, so that no entity expands;
macros and other programs inside are never run, nor read.
"""

import io
import lzma
import zipfile
import zlib
from typing import Any, Final

import lxml.etree

from core.errors import BadInput, Unsupported

LARGEST_UNPACKED: Final = 512 * 1024 * 1024
"""Bytes of all parts together; a file that unpacks to more is refused before anything is unpacked."""
MOST_PARTS: Final = 50_000
PROLOGUE: Final = 4096
"""Bytes at the start of a part in which a document type declaration stands, if anywhere."""
BROKEN: Final = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError),
    *(NotImplementedError, RuntimeError, OSError, EOFError, ValueError),
)
"""What zipfile raises for packing that isn't what it should be."""
XML_ENDINGS: Final = (".xml", ".rels", ".vml")


def check_parts(name: str, data: bytes, needed: str, kind: str) -> frozenset[str]:
    """The names of the parts. `needed` starts one of them in a document of this `kind` ("a Word document"). Raises `BadInput`, `Unsupported`."""
    archive = opened(name, data)
    names = frozenset(archive.namelist())
    if "[Content_Types].xml" not in names:
        raise BadInput(source=name, problem=f"a ZIP archive, not {kind}. Give it its right name.")
    if not any(part.startswith(needed) for part in names):
        raise BadInput(source=name, problem=f"an Office file of another kind, not {kind}.")
    for part in names:
        if part.endswith(XML_ENDINGS) and b"<!DOCTYPE" in _start(name, archive, part):
            raise Unsupported(source=name, reason="declares entities of its own, which no Office program does.")
    return names


def opened(name: str, data: bytes) -> zipfile.ZipFile:
    """The archive, its sizes checked. Raises `BadInput`, `Unsupported`."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise BadInput(source=name, problem="damaged; its packing can't be read. Get another copy.") from error
    if len(parts) > MOST_PARTS:
        raise Unsupported(source=name, reason=f"holds over {MOST_PARTS:,} parts, too many for a document.")
    if sum(part.file_size for part in parts) > LARGEST_UNPACKED:
        raise Unsupported(source=name, reason="unpacks to over 512 MB, too large for a document.")
    return archive


def part(name: str, archive: zipfile.ZipFile, member: str) -> bytes:
    """One part's bytes. Raises `BadInput` where it isn't there or damaged."""
    try:
        return archive.read(member)
    except (KeyError, *BROKEN) as error:
        raise BadInput(source=name, problem=f"damaged; its part {member[:80]} can't be read.") from error


def tree(name: str, data: bytes) -> Any:
    """The root of an XML part; entities stay unresolved, nothing is fetched. Raises `BadInput`."""
    parser = lxml.etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return lxml.etree.fromstring(data, parser)
    except (lxml.etree.XMLSyntaxError, ValueError) as error:
        raise BadInput(source=name, problem="damaged; its XML can't be read. Get another copy.") from error


def _start(name: str, archive: zipfile.ZipFile, member: str) -> bytes:
    try:
        with archive.open(member) as file:
            return file.read(PROLOGUE)
    except BROKEN:
        return b""  # the reader of the format meets it again, or never needs it
