"""What a file is that isn't GGUF, told by its content, in one sentence with what to do; its name decides nothing.

Rules: at most some kilobytes of the file are looked at, and of an archive its list of members. Nothing is unpacked or decoded, and a pickle
is never loaded: it is a program, which would run. `pickletools` names its instructions without following them.
"""

import pickletools
import struct
import zipfile
from io import BytesIO
from typing import BinaryIO, Final

LOOK: Final = 4096
MEMBERS: Final = 10_000
WHISPER_CONTEXT: Final = 1500
"""Steps of sound that a Whisper model hears at once; the second number in its file."""
PICKLE: Final = (
    "a pickled checkpoint{}. Loading such a file can run any program hidden in it, so it is never opened here. "
    "Take the model as GGUF, or as safetensors for `assay model import`."
)
_OLD_GGML: Final = (b"lmgg", b"fmgg", b"tjgg", b"algg")
_FIRST: Final[dict[bytes, str]] = {
    b"\x89HDF": "an HDF5 file, as Keras writes it. Take the model as GGUF.",
    b"\x1f\x8b": "a compressed file (gzip). Unpack it, and choose the .gguf file in it.",
    b"BZh": "a compressed file (bzip2). Unpack it, and choose the .gguf file in it.",
    b"\xfd7zXZ": "a compressed file (xz). Unpack it, and choose the .gguf file in it.",
    b"(\xb5/\xfd": "a compressed file (zstd). Unpack it, and choose the .gguf file in it.",
    b"7z\xbc\xaf": "a 7z archive. Unpack it, and choose the .gguf file in it.",
    b"Rar!": "a RAR archive. Unpack it, and choose the .gguf file in it.",
    b"%PDF": "a PDF document. `assay documents add` reads it.",
    b"\x93NUMPY": "an array of NumPy. Take the model as GGUF.",
    b"\x7fELF": "a program. Take the model as GGUF.",
    b"MZ": "a program. Take the model as GGUF.",
}
_LONGEST_JSON: Final = 100_000_000
"""Bytes of a safetensors header; the format allows no more."""


def sentence(file: BinaryIO, size: int) -> str:
    """What the file seems to be, as the end of a sentence that begins with its name, and the next step."""
    file.seek(0)
    head = file.read(LOOK)
    if not head:
        return "an empty file. Take another copy."
    for begin, said in _FIRST.items():
        if head.startswith(begin):
            return said
    if head[:4] in _OLD_GGML:
        return _ggml(head)
    if head.startswith(b"PK"):
        return _archive(file)
    if head[257:262] == b"ustar":
        return "a tar archive. Unpack it, and choose the .gguf file in it."
    if _pickle(head):
        return PICKLE.format("")
    if _safetensors(head, size):
        return "safetensors, the weights alone. `assay model import` makes a GGUF of their folder."
    if head[4:8] == b"TFL3":
        return "a TensorFlow Lite model. Take the model as GGUF."
    if _onnx(head):
        return "an ONNX model. Take the model as GGUF."
    if _text(head):
        return "a text, not a model. Choose a file that ends in .gguf."
    return "not a GGUF file. Choose a file that ends in .gguf."


def _ggml(head: bytes) -> str:
    if len(head) >= 12 and struct.unpack_from("<i", head, 8)[0] == WHISPER_CONTEXT:
        return "a Whisper model for speech, in the old GGML format. Choose a language model in GGUF."
    return "an old GGML file, which is another format than GGUF. Convert it to GGUF."


def _archive(file: BinaryIO) -> str:
    try:
        file.seek(0)
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()[:MEMBERS]
            for name in names:
                if name.lower().endswith((".pkl", ".pickle")) or name.endswith("/data.pkl"):
                    return PICKLE.format(" in a zip archive, as PyTorch writes it")
                if not name.endswith((".gguf", ".safetensors", ".json", ".txt", "/")):
                    with archive.open(name) as member:
                        if _pickle(member.read(LOOK)):
                            return PICKLE.format(" in a zip archive")
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, EOFError, struct.error):
        return "a damaged zip archive. Take another copy, and choose the .gguf file in it."
    return "a zip archive. Unpack it, and choose the .gguf file in it."


def _pickle(head: bytes) -> bool:
    """Whether a pickle's instructions begin here: of protocol 2 and later by its mark, of earlier ones by making sense for a while."""
    if len(head) > 2 and head[0] == 0x80 and 2 <= head[1] <= 5:
        return True
    if head[:1] not in (b"(", b"c", b"]", b"}", b"I", b"S", b"V", b"F", b"L", b"l", b"d"):
        return False
    made = 0
    try:
        for operation, _, _ in pickletools.genops(BytesIO(head)):
            made += 1
            if operation.name in ("REDUCE", "BUILD", "INST", "OBJ", "STOP", "GLOBAL"):
                return True
    except (ValueError, IndexError, UnicodeDecodeError, struct.error, OverflowError):
        return made > LOOK // 16
    return made > 0


def _safetensors(head: bytes, size: int) -> bool:
    if len(head) < 9 or head[8:9] != b"{":
        return False
    length: int = struct.unpack_from("<Q", head)[0]
    return 2 <= length <= min(_LONGEST_JSON, size - 8)


def _onnx(head: bytes) -> bool:
    """A protocol buffer that begins with a small version and a producer's name, or an operator set."""
    return len(head) > 4 and head[0] == 0x08 and 1 <= head[1] <= 20 and head[2] in (0x12, 0x1A, 0x22, 0x3A, 0x42)


def _text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:
            return False
        text = head[: error.start].decode("utf-8")
    return all(character.isprintable() or character in "\r\n\t\f\ufeff" for character in text)
