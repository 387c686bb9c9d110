"""Outlook messages (MSG): properties in an OLE file ([MS-OXMSG]), read as a mail: headers, text, attachments as files inside.

The text is the plain one, else the HTML, else what the compressed RTF ([MS-OXRTFCP]) says. A message within a message is an attachment
whose own text and attachments are read along with it.
"""

import datetime
import io
import struct
from typing import Any, Final

from core.documents import formats
from core.documents.worker import asides, html, mail, structured, text
from core.documents.worker.records import Inside, Parsed
from core.errors import BadInput, Unsupported

DEEPEST: Final = 4
SUBJECT, SENT, SENDER, ADDRESS, SMTP, HEADERS = 0x0037, 0x0039, 0x0C1A, 0x0C1F, 0x5D01, 0x007D
TO, CC, BCC, BODY, HTML, RTF, DELIVERED = 0x0E04, 0x0E03, 0x0E02, 0x1000, 0x1013, 0x1009, 0x0E06
DATA, LONG_NAME, SHORT_NAME, CODEPAGE = 0x3701, 0x3707, 0x3704, 0x3FFD
FIXED_AT: Final = {0: 32, 1: 24}
"""Bytes before the fixed properties: of the message itself, of one within it."""
EPOCH: Final = datetime.datetime(1601, 1, 1, tzinfo=datetime.UTC)


def read(name: str, data: bytes) -> Parsed:
    """Raises `BadInput`, `Unsupported`."""
    import olefile

    try:
        with olefile.OleFileIO(io.BytesIO(data)) as file:
            return _Message(name, file, (), 0).parsed()
    except (BadInput, Unsupported):
        raise
    except Exception as error:  # the library reads sectors without checks
        raise BadInput(source=name, problem="damaged, or no Outlook message. Save it again in Outlook.") from error


class _Message:
    """One message: the streams below `path`."""

    def __init__(self, name: str, file: Any, path: tuple[str, ...], depth: int) -> None:
        self._name, self._file, self._path, self._depth = name, file, path, depth
        self._entries = [tuple(entry) for entry in file.listdir(streams=True, storages=True)]
        self._encoding = "cp1252"
        codepage = self._fixed(CODEPAGE)
        if codepage is not None:
            number = struct.unpack("<I", codepage[:4])[0]
            self._encoding = "utf-8" if number == 65001 else f"cp{number}"

    def parsed(self) -> Parsed:
        if not any(entry[:-1] == self._path and entry[-1].startswith("__properties") for entry in self._entries):
            raise BadInput(source=self._name, problem="an old Office file, not an Outlook message.")
        sender = " ".join(dict.fromkeys(part for part in (self._string(SENDER), self._address()) if part))
        headers = [("From", sender), ("To", self._string(TO)), ("Cc", self._string(CC)), ("Bcc", self._string(BCC))]
        headers.append(("Date", self._sent()))
        texts, inside = self._texts(), self._attachments()
        return mail.parsed(
            formats.MSG,
            self._string(SUBJECT),
            [(key, value) for key, value in headers if value],
            texts,
            tuple(inside),
            asides.cleaned([("the headers of its transport", self._string(HEADERS, keep_lines=True))]),
        )

    def _address(self) -> str:
        address = self._string(SMTP) or self._string(ADDRESS)
        return f"<{address}>" if "@" in address else ""

    def _sent(self) -> str:
        for tag in (SENT, DELIVERED):
            if (raw := self._fixed(tag)) is not None:
                moment = EPOCH + datetime.timedelta(microseconds=struct.unpack("<Q", raw)[0] // 10)
                return moment.isoformat(" ", "seconds")
        return ""

    def _texts(self) -> list[str]:
        if (plain := self._string(BODY, keep_lines=True)).strip():
            return [plain]
        page = self._stream(HTML, "0102") or self._string(HTML, keep_lines=True).encode()
        if page.strip():
            return ["\n\n".join(each.text for each in html.read_part(self._name, page).pages)]
        packed = self._stream(RTF, "0102")
        return [structured.rtf_text(self._name, unpacked(packed))] if packed else []

    def _attachments(self) -> list[Inside]:
        found: list[Inside] = []
        depth = len(self._path) + 1
        storages = sorted(
            {entry[:depth] for entry in self._entries if entry[:-1] == self._path and entry[-1].startswith("__attach")}
        )
        for number, storage in enumerate(storages, start=1):
            part = _Message(self._name, self._file, storage, self._depth)
            name = part._string(LONG_NAME) or part._string(SHORT_NAME)
            embedded = (*storage, f"__substg1.0_{DATA:04X}000D")
            if embedded in self._entries:
                found += self._within(embedded, name or f"message-{number}")
            else:
                found.append(Inside(name=name or f"part-{number}.bin", data=part._stream(DATA, "0102")))
        return found

    def _within(self, path: tuple[str, ...], name: str) -> list[Inside]:
        """A message inside, as its text and its attachments."""
        if self._depth + 1 >= DEEPEST:
            return [Inside(name=name, refused="a message nested too deep to be read. Save it by itself.")]
        try:
            parsed = _Message(self._name, self._file, path, self._depth + 1).parsed()
        except BadInput:
            return [Inside(name=name, refused="an object of another program, which can't be read.")]
        stem = name if name.lower().endswith(".txt") else f"{name}.txt"
        content = "\n\n".join(page.text for page in parsed.pages).encode()
        return [
            Inside(name=stem, data=content),
            *(Inside(name=f"{name}/{file.name}", data=file.data, refused=file.refused) for file in parsed.inside),
        ]

    def _stream(self, tag: int, kind: str) -> bytes:
        path = (*self._path, f"__substg1.0_{tag:04X}{kind}")
        return bytes(self._file.openstream(list(path)).read()) if path in self._entries else b""

    def _string(self, tag: int, keep_lines: bool = False) -> str:
        said = self._stream(tag, "001F").decode("utf-16-le", "replace")
        if not said and (raw := self._stream(tag, "001E")):
            try:
                said = raw.decode(self._encoding, "replace")
            except LookupError:
                said = raw.decode("cp1252", "replace")
        said = text.cleaned(said.rstrip("\x00"))
        return said if keep_lines else " ".join(said.split())

    def _fixed(self, tag: int) -> bytes | None:
        """The eight bytes of a property of fixed length."""
        path = (*self._path, "__properties_version1.0")
        if path not in self._entries:
            return None
        raw = bytes(self._file.openstream(list(path)).read())
        start = 8 if self._path and self._path[-1].startswith("__attach") else FIXED_AT[min(self._depth, 1)]
        for at in range(start, len(raw) - 15, 16):
            if struct.unpack_from("<H", raw, at + 2)[0] == tag:
                return raw[at + 8 : at + 16]
        return None


_PRELOADED: Final = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor "
    b"MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par "
    b"\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
LARGEST_RTF: Final = 50_000_000


def unpacked(packed: bytes) -> bytes:
    """Decompress RTF ([MS-OXRTFCP]): runs out of a window of 4,096 bytes that begins with the standard's dictionary."""
    if len(packed) < 16:
        return b""
    _, size, kind = struct.unpack_from("<III", packed)
    if kind == 0x414C454D:
        return packed[16 : 16 + size]
    window = bytearray(_PRELOADED.ljust(4096, b"\x00"))
    at, write = 16, len(_PRELOADED)
    made = bytearray()
    while at < len(packed) and len(made) < min(size, LARGEST_RTF):
        control = packed[at]
        at += 1
        for bit in range(8):
            if at >= len(packed):
                break
            if control >> bit & 1:
                if at + 1 >= len(packed):
                    return bytes(made)
                token = packed[at] << 8 | packed[at + 1]
                at += 2
                offset, length = token >> 4, (token & 15) + 2
                if offset == write:
                    return bytes(made)
                for step in range(length):
                    letter = window[(offset + step) % 4096]
                    made.append(letter)
                    window[write] = letter
                    write = (write + 1) % 4096
            else:
                made.append(packed[at])
                window[write] = packed[at]
                write = (write + 1) % 4096
                at += 1
    return bytes(made)
