"""JSON, XML and RTF, read as text.

JSON keeps its own lines, a minified one is laid out first; of XML what the elements say is read, an element a line with its name before it;
entities that a file declares are not expanded. RTF gives its text. Nothing is fetched or run.
"""

import contextlib
import json
import re
from typing import Any, Final

import lxml.etree
import lxml.html

from core.documents import formats
from core.documents.worker import text
from core.documents.worker.records import PageWriter, Parsed
from core.errors import BadInput, Unsupported

LINES: Final = 30
"""Of a block: about what makes a passage."""
LONGEST_LINE: Final = 400
"""Characters; JSON with longer lines on average is laid out anew."""
_MARKUP = re.compile(r"</?[a-zA-Z][^<>]*>")


def read_json(name: str, data: bytes) -> Parsed:
    """Raises `BadInput`."""
    content = text.decode(name, data)
    if len(content) > LONGEST_LINE * (content.strip().count("\n") + 1):
        with contextlib.suppress(ValueError, RecursionError):  # what is no JSON is text as it stands
            content = json.dumps(json.loads(content), indent=1, ensure_ascii=False)
    content = content.encode("utf-8", "replace").decode()
    return Parsed(media=formats.JSON, title="", pages=(by_lines(content),))


def by_lines(content: str) -> Any:
    """A page of lines, so many to a block; each block's place is its first line's number."""
    writer = PageWriter(1)
    lines = content.split("\n")
    for start in range(0, len(lines), LINES):
        part = lines[start : start + LINES]
        first = next((at for at, line in enumerate(part) if line.strip()), 0)
        writer.add(
            "list",
            "\n".join(part[first:]).rstrip(),
            places=((0, f"line {start + first + 1}"),) if any(map(str.strip, part)) else (),
        )
    return writer.page()


def read_xml(name: str, data: bytes) -> Parsed:
    """Raises `BadInput`, `Unsupported`."""
    parser = lxml.etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root = lxml.etree.fromstring(data, parser)
    except lxml.etree.XMLSyntaxError as error:
        if "depth" in str(error):
            raise Unsupported(
                source=name, reason="elements nested too deep; what is inside could not be read."
            ) from error
        if "amplification" in str(error):
            raise Unsupported(source=name, reason="declares entities that unpack without end.") from error
        raise BadInput(source=name, problem=f"not readable as XML (line {error.lineno}). Check the file.") from error
    except ValueError as error:
        raise BadInput(source=name, problem="not readable as XML. Check the file.") from error
    writer = PageWriter(1)
    for event, element in lxml.etree.iterwalk(root, events=("start", "end")):
        holder = element if event == "start" else element.getparent()
        said = element.text if event == "start" else element.tail
        if holder is not None and isinstance(holder.tag, str) and isinstance(said, str) and said.strip():
            _element(writer, holder, said)
    return Parsed(media=formats.XML, title="", pages=(writer.page(),))


def _element(writer: PageWriter, element: Any, said: str) -> None:
    if len(_MARKUP.findall(said)) > 1:
        with contextlib.suppress(lxml.etree.LxmlError, ValueError):
            said = str(lxml.html.fragment_fromstring(said, create_parent="div").text_content())
    words = " ".join(said.split())
    if words:
        writer.add(
            "paragraph", f"{lxml.etree.QName(element).localname}: {words}", places=((0, f"line {element.sourceline}"),)
        )


def read_rtf(name: str, data: bytes) -> Parsed:
    """Raises `BadInput`."""
    content = rtf_text(name, data)
    writer = PageWriter(1)
    for line in content.split("\n"):
        if "|" in line:
            writer.add("paragraph", " | ".join(" ".join(cell.split()) for cell in line.split("|")).strip(" |"))
        else:
            writer.add("paragraph", " ".join(line.split()))
    return Parsed(media=formats.RTF, title="", pages=(writer.page(),))


def rtf_text(name: str, data: bytes) -> str:
    """An RTF's text. Raises `BadInput`."""
    from striprtf.striprtf import rtf_to_text

    if not data.lstrip().startswith(b"{\\rtf"):
        raise BadInput(source=name, problem="not an RTF; it doesn't begin like one. Check the file.")
    try:
        content = str(rtf_to_text(data.decode("latin-1"), errors="replace"))
    except (ValueError, LookupError, IndexError, TypeError, RecursionError) as error:
        raise BadInput(source=name, problem="damaged; it can't be read as RTF.") from error
    return content.encode("utf-8", "replace").decode()
