"""The bytes of an encrypted vault file, decrypted page by page without SQLite: what somebody with the key could dig up."""

from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from core.vault.connection import PAGE_SIZE

RESERVED, IV, SALT = 80, 16, 16
"""At the end of each SQLCipher 4 page: the IV, then an HMAC-SHA512; at the file's start, the salt."""
FRAME_HEADER, WAL_HEADER = 24, 32


def decrypted(file: Path, key: bytes) -> bytes:
    """All pages of the database file and of its write-ahead log, free ones too."""
    data = file.read_bytes()
    assert len(data) % PAGE_SIZE == 0
    pages = [data[start : start + PAGE_SIZE] for start in range(0, len(data), PAGE_SIZE)]
    found = [_page(pages[0][SALT:], key), *(_page(page, key) for page in pages[1:])]
    log = file.with_name(file.name + "-wal")
    if log.exists():
        frames = log.read_bytes()[WAL_HEADER:]
        step = FRAME_HEADER + PAGE_SIZE
        for start in range(0, len(frames) - step + 1, step):
            page = frames[start + FRAME_HEADER : start + step]
            found += [_page(page, key), _page(page[SALT:], key)]
    return b"".join(found)


def _page(page: bytes, key: bytes) -> bytes:
    content, iv = page[:-RESERVED], page[-RESERVED : -RESERVED + IV]
    decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
    return decryptor.update(content) + decryptor.finalize()
