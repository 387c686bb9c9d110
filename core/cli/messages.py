"""What two processes say to each other when one works through the other's open vault. Framed as `core.workers.frames` does it.

    who joins                      the open vault
    Hello                    →
                             ←     Sealed            (or Failed)
    Proof                    →
                             ←     Welcome           (or Failed)
    Run                      →
                             ←     Out, Err, Ask     any number
    Given, Failed, Cancel    →
                             ←     Ended             (or Failed, where the vault was locked)

With the answer to the question for a socket, the socket itself crosses: the descriptor of one that listens on the loopback address.

Both sides of a connection are the same person's processes, and still neither believes a length: a frame is short until the person is known,
and never long. The records carry no path of the program and no key.
"""

import importlib.metadata
from typing import Final, Literal

import msgspec

from core.errors import AssayError, from_fields, to_fields
from core.records import Record
from core.workers.frames import BadFrame, pack

FIRST_FRAMES: Final = 16 * 1024
"""Bytes of a frame before the person is known; a challenge has 1.2 KB."""
LARGEST: Final = 4 * 1024 * 1024
"""Bytes of a later frame: Linux passes 2 MiB of arguments to a program at most; longer output is sent in pieces."""
PIECE: Final = 256 * 1024
"""Characters of output in a frame."""
PROTOCOL: Final = 2


class Hello(Record, frozen=True, kw_only=True, tag="hello"):
    """Who wants to join, with which program; `token` is what the open vault left for this system's user to read."""

    program: str
    token: bytes
    user: str
    nonce: bytes


class Proof(Record, frozen=True, kw_only=True, tag="proof"):
    """See `core.vault.joining`."""

    proof: bytes


class Run(Record, frozen=True, kw_only=True, tag="run"):
    """The command, and what of the person's surroundings it may see. Names of files are bytes: not all of them are text."""

    arguments: tuple[bytes, ...]
    vault: bytes
    user: str
    folder: bytes
    draws: bool


class Given(Record, frozen=True, kw_only=True, tag="given"):
    """The answer to a question; None where the person broke it off."""

    text: str | None


class Cancel(Record, frozen=True, kw_only=True, tag="cancel"):
    """The person wants it to stop."""


class Failed(Record, frozen=True, kw_only=True, tag="failed"):
    """An error of `core.errors`: the end of the connection, or from the person's side why a question has no answer."""

    error: str
    fields: dict[str, str | int | float]


class Sealed(Record, frozen=True, kw_only=True, tag="sealed"):
    """The challenge. See `core.vault.joining`."""

    sealed: bytes


class Welcome(Record, frozen=True, kw_only=True, tag="welcome"):
    """The open vault's own proof."""

    proof: bytes


class Out(Record, frozen=True, kw_only=True, tag="out"):
    """A piece of the result."""

    text: str


class Err(Record, frozen=True, kw_only=True, tag="err"):
    """A piece of what isn't the result."""

    text: str


class Ask(Record, frozen=True, kw_only=True, tag="ask"):
    """A question: the person's own passphrase (from their file or terminal), another one from the terminal, their user name, yes or no, or the
    socket that their process made for the API."""

    what: Literal["own", "other", "name", "yes", "socket"]
    prompt: str
    confirm: bool = False
    step: str = ""
    """What to do where nobody can be asked; of a user name, the one that was set beforehand."""


class Ended(Record, frozen=True, kw_only=True, tag="ended"):
    """The command's exit code."""

    code: int


FromGuest = Hello | Proof | Run | Given | Cancel | Failed
FromHost = Sealed | Welcome | Out | Err | Ask | Ended | Failed
_from_guest: "msgspec.msgpack.Decoder[FromGuest]" = msgspec.msgpack.Decoder(FromGuest)
_from_host: "msgspec.msgpack.Decoder[FromHost]" = msgspec.msgpack.Decoder(FromHost)


def program() -> str:
    """Who understands whom: the same version of the program, and of these messages."""
    return f"{importlib.metadata.version('assay-workbench')}/{PROTOCOL}"


def frame(message: FromGuest | FromHost) -> bytes:
    """The message as it travels. Raises `BadFrame` where it is too large."""
    return pack(message, LARGEST)


def from_guest(payload: bytes) -> FromGuest:
    """What a person who joins sent. Raises `BadFrame`."""
    try:
        return _from_guest.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadFrame("bytes that are not a message") from error


def from_host(payload: bytes) -> FromHost:
    """What the open vault sent. Raises `BadFrame`."""
    try:
        return _from_host.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadFrame("bytes that are not a message") from error


def failed(error: AssayError) -> Failed:
    """An error as it travels."""
    name, fields = to_fields(error)
    return Failed(error=name, fields=fields)


def error_of(message: Failed) -> AssayError:
    """The error that travelled."""
    return from_fields(message.error, message.fields)
