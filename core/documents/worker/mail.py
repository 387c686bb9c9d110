"""Mail (EML): its headers, its text, and its attachments as files inside.

Rules: of two forms of one text the plain one is read, or the HTML one where the plain one is blank; every other part is an attachment, and a
message within a message is one too; what a broken header holds is shown as it stands, so that nothing is lost to an error.
What it quotes of earlier mails, and its signature, are kept and marked as what they are.
"""

import email
import email.errors
import email.header
import email.message
import email.policy
from collections.abc import Iterable, Iterator
from typing import Final

from core.documents import formats
from core.documents.worker import asides, html, quoting, text
from core.documents.worker.records import Aside, Inside, PageWriter, Parsed
from core.errors import BadInput, Unsupported

SHOWN: Final = ("From", "Sender", "To", "Cc", "Bcc", "Reply-To", "Date")
READ: Final = ("text/plain", "text/html")
REPORTS: Final = ("message/delivery-status", "message/disposition-notification", "text/rfc822-headers", "text/enriched")
ENDINGS: Final = {media: ending for ending, media in reversed(formats.MEDIA.items())}
"""What a nameless part is called by; the system's own list can't be read here."""
MOST_PARTS: Final = 2_000
TNEF: Final = ("application/ms-tnef", "application/vnd.ms-tnef")
WINMAIL: Final = "winmail.dat"
PACKAGE: Final = "attachments in a form that only Outlook reads. Open the mail there and save them by themselves."


class _AsItStands(email.policy.Compat32):
    """Headers with the bytes that the file has, undecodable ones as surrogates."""

    def header_fetch_parse(self, name: str, value: str) -> str:
        return value


AS_IT_STANDS: Final = _AsItStands()


def read(name: str, data: bytes) -> Parsed:
    """Raises `BadInput`, `Unsupported`."""
    try:
        message = email.message_from_bytes(data, policy=AS_IT_STANDS)
        if not message.keys():
            raise BadInput(source=name, problem="not a mail; it has no headers. Check the file.")
        texts, inside = _parts(name, message)
    except RecursionError as error:
        raise Unsupported(source=name, reason="parts nested too deep; what is inside could not be read.") from error
    headers = [(header, value) for header in SHOWN for value in _values(message, header)]
    unseen = asides.of_headers(_items(message), SHOWN)
    return parsed(formats.EML, " ".join(_values(message, "Subject")), headers, texts, tuple(inside), unseen)


def parsed(
    media: str,
    subject: str,
    headers: Iterable[tuple[str, str]],
    texts: Iterable[str],
    inside: tuple[Inside, ...],
    asides: tuple[Aside, ...] = (),
) -> Parsed:
    """A mail as a page."""
    writer = PageWriter(1)
    writer.add("heading", subject, level=1, places=((0, "subject"),) if subject else ())
    said = "\n".join(f"{header}: {value}" for header, value in headers)
    writer.add("list", said, places=((0, "headers"),) if said else ())
    line = 1
    for content in texts:
        at = 0
        for mark, part in quoting.parts(content):
            for kind, block, _ in text.blocks(part):
                found = content.index(block, at)
                line += content.count("\n", at, found)
                place = f"{mark.lower() or 'text'}, line {line}"
                writer.add("paragraph" if kind == "heading" else kind, block, places=((0, place),), mark=mark)
                at = found + len(block)
                line += block.count("\n")
        line += content.count("\n", at) + 2
    names = [file.name for file in inside]
    if names:
        writer.add("list", "\n".join(["Attachments:", *(f"• {each}" for each in names)]), places=((0, "attachments"),))
    return Parsed(media=media, title=subject, pages=(writer.page(),), inside=inside, asides=asides)


def _parts(name: str, message: email.message.Message) -> tuple[list[str], list[Inside]]:
    texts: list[str] = []
    inside: list[Inside] = []
    for number, part in enumerate(_walk(message)):
        if number > MOST_PARTS:
            raise Unsupported(source=name, reason=f"over {MOST_PARTS:,} parts, too many for a mail.")
        if part.get_content_type() == "multipart/alternative" and part.is_multipart():
            texts += _chosen(part)
            continue
        if part.is_multipart() and part.get_content_type() not in ("message/rfc822", *REPORTS):
            continue
        if _is_text(part):
            texts += [content for content in (_text(part),) if content.strip()]
        elif _filename(part) or part.is_multipart() or _payload(part).strip():
            inside.append(_attachment(part, len(inside) + 1))
    return texts, inside


def _walk(message: email.message.Message) -> Iterator[email.message.Message]:
    """The parts in order; not into messages within it, nor into the text's alternatives (`_chosen` has them), but into what stands beside those."""
    waiting = [message]
    while waiting:
        part = waiting.pop()
        yield part
        kind = part.get_content_type()
        if not part.is_multipart() or kind.startswith("message/"):
            continue
        below = [each for each in part.get_payload() if isinstance(each, email.message.Message)]
        if kind == "multipart/alternative":
            below = [each for each in _below(below) if not _is_text(each)]
        waiting += reversed(below)


def _below(parts: list[email.message.Message]) -> Iterator[email.message.Message]:
    for part in parts:
        for each in part.walk():
            if not each.is_multipart():
                yield each


def _chosen(part: email.message.Message) -> list[str]:
    """The best form of a text."""
    leaves = [each for each in part.walk() if not each.is_multipart() and _is_text(each)]
    for kind in READ:
        found = [content for each in leaves if each.get_content_type() == kind if (content := _text(each)).strip()]
        if found:
            return found
    return [content for each in leaves if (content := _text(each)).strip()]


def _is_text(part: email.message.Message) -> bool:
    kind = part.get_content_type()
    if kind in REPORTS:
        return True
    disposition = _header(part, "Content-Disposition").lower()
    return kind in READ and not disposition.startswith("attachment") and not (_filename(part) and kind == READ[1])


def _text(part: email.message.Message) -> str:
    if part.is_multipart():  # a delivery report: blocks of headers
        below = [each for each in part.get_payload() if isinstance(each, email.message.Message)]
        return "\n\n".join("\n".join(f"{key}: {value}" for key, value in _items(each)) for each in below)
    data = _payload(part)
    charset = part.get_param("charset", "")
    content = _decoded(data, charset if isinstance(charset, str) else "")
    if part.get_content_type() == READ[1] and content.strip():
        try:
            pages = html.read_part("", content.encode("utf-8", "replace"), declared=False).pages
        except (BadInput, Unsupported):
            return content
        return "\n".join(page.text for page in pages)
    return content


def _decoded(data: bytes, charset: str) -> str:
    try:
        content = data.decode(charset.strip(" \"'") or "utf-8")
    except (LookupError, UnicodeError, ValueError):
        try:
            return text.decode("", data)
        except BadInput:
            content = data.decode("latin-1")
    return text.cleaned(content)


def _payload(part: email.message.Message) -> bytes:
    try:
        data = part.get_payload(decode=True)
    except (ValueError, LookupError, TypeError, AssertionError):
        data = None
    if isinstance(data, bytes):
        return data
    raw = part.get_payload()
    return raw.encode("utf-8", "surrogateescape") if isinstance(raw, str) else b""


def _attachment(part: email.message.Message, number: int) -> Inside:
    kind = part.get_content_type()
    name = _filename(part)
    if kind == "message/rfc822" and part.is_multipart():
        enclosed = part.get_payload(0)
        assert isinstance(enclosed, email.message.Message)
        name = name or " ".join(_values(enclosed, "Subject")) or f"message-{number}"
        try:
            data = enclosed.as_bytes(policy=email.policy.compat32)
        except (ValueError, LookupError, TypeError, AttributeError):
            return Inside(
                name=f"{name}.eml", refused="a message that can't be taken out of this mail. Save it by itself."
            )
        return Inside(name=name if name.lower().endswith(".eml") else f"{name}.eml", data=data)
    if kind in TNEF or name.lower() == WINMAIL:
        return Inside(name=name or WINMAIL, refused=PACKAGE)
    data = _payload(part)
    if not name and kind not in ENDINGS and _decodes(data):
        return Inside(name=f"part-{number}.txt", data=data)
    ending = ENDINGS.get(kind, ".bin")
    return Inside(name=name or f"part-{number}{ending}", data=data)


def _decodes(data: bytes) -> bool:
    try:
        return bool(text.decode("", data).strip())
    except BadInput:
        return False


def _filename(part: email.message.Message) -> str:
    try:
        name = part.get_filename("") or part.get_param("name", "")
    except (ValueError, LookupError, TypeError, AttributeError):
        name = ""
    return _header_text(name) if isinstance(name, str) else ""


def _values(message: email.message.Message, header: str) -> list[str]:
    return [value for key, value in _items(message) if key.lower() == header.lower() and value]


def _items(message: email.message.Message) -> Iterator[tuple[str, str]]:
    for key, value in message.raw_items():
        yield str(key), _header_text(value)


def _header(part: email.message.Message, name: str) -> str:
    return next((value for key, value in _items(part) if key.lower() == name.lower()), "")


def _header_text(value: object) -> str:
    raw = str(value)
    if not raw.isascii():
        raw = _decoded(raw.encode("utf-8", "surrogateescape"), "")
    try:
        pieces = email.header.decode_header(raw.replace("\r", " ").replace("\n", " "))
        said = "".join(
            piece if isinstance(piece, str) else _decoded(piece, charset or "ascii") for piece, charset in pieces
        )
    except (email.errors.HeaderParseError, ValueError, LookupError):
        said = raw
    return " ".join(text.cleaned(said).split())
