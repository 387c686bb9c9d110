"""Encrypted Office files: opened with a password that a person gave, and kept nowhere."""

import io
from collections.abc import Sequence

from core.documents import formats
from core.errors import BadInput, Unsupported

ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
"""The stream that an encrypted DOCX, XLSX or PPTX has in its OLE directory."""


def opened(name: str, data: bytes, passwords: Sequence[str]) -> bytes:
    """The document in clear; the same bytes where it isn't encrypted. Raises `Unsupported`, `BadInput`."""
    if not data.startswith(formats.OLE):
        return data
    if ENCRYPTED not in data:
        raise Unsupported(source=name, reason="in Office's format of before 2007 under a new name. Save it in today's.")
    import msoffcrypto
    import msoffcrypto.exceptions

    for password in passwords:
        clear = io.BytesIO()
        try:
            file = msoffcrypto.OfficeFile(io.BytesIO(data))
            file.load_key(password=password, verify_password=True)
            file.decrypt(clear)
        except msoffcrypto.exceptions.InvalidKeyError:
            continue
        except Exception as error:  # the library reads the file's own parameters without checks
            raise BadInput(source=name, problem="encrypted in a way that can't be opened, or damaged.") from error
        return clear.getvalue()
    raise Unsupported(source=name, reason=formats.LOCKED)
