"""What this program put on the clipboard, taken back when the vault is locked."""

import hashlib

from PySide6.QtGui import QClipboard, QGuiApplication

MODES = (QClipboard.Mode.Clipboard, QClipboard.Mode.Selection)
_copied: list[bytes] = []
"""The digest of the last text that was put there by `copy`: some platforms don't say who owns the clipboard."""


def copy(text: str) -> None:
    """Put text on the clipboard."""
    QGuiApplication.clipboard().setText(text)
    _copied[:] = [_digest(text)]


def take_back() -> bool:
    """Empty the clipboard where it holds something of ours, whoever copied it; what another program put there stays."""
    clipboard = QGuiApplication.clipboard()
    taken = False
    for mode in MODES:
        if mode is QClipboard.Mode.Selection and not clipboard.supportsSelection():
            continue
        owned = clipboard.ownsSelection() if mode is QClipboard.Mode.Selection else clipboard.ownsClipboard()
        text = clipboard.text(mode)
        if text and (owned or _digest(text) in _copied):
            clipboard.clear(mode)
            taken = True
    _copied.clear()
    return taken


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
