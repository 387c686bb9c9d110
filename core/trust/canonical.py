"""Canonical bytes: the one form in which content is hashed, signed and compared.

The form is RFC 8785 (JSON Canonicalization Scheme). Its rules, kept here:

1. A value has exactly one form; `parse` refuses every other one, so a flipped bit, a repeated key or a space can't hide.
2. Integers lie within ±(2^53 - 1), numbers are finite, text is valid Unicode, nesting is at most `DEEPEST`.
3. A stored record is hashed with a random nonce beside it, so that a digest says nothing about content that was erased.
"""

import binascii
import hashlib
import json
import re
import secrets
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar, cast

import msgspec
import rfc8785

from core.errors import BadInput, Damaged
from core.records import Digest, Json, Record, kind

R = TypeVar("R", bound=Record)

DEEPEST = 64
"""Levels of lists and objects that `parse` accepts; our own records stay under 12."""
MOST_VALUES = 12_000_000
"""Commas and opening brackets that `parse` accepts, before it reads: what bounds its memory. A run of 10,000 samples has 5 million."""
NONCE = 32
"""Bytes of a record's nonce."""
SAFE_INTEGER = 2**53 - 1
"""The largest integer that every JSON implementation keeps exactly."""
SAFE_FLOAT = 1e15
"""Below it, every way of writing a number writes a whole one without an exponent."""

_ENCODER = msgspec.json.Encoder(order="sorted")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_ZEROES = bytes.maketrans(b"123456789", b"000000000")
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_LONG = b"0" * 16
_ALIKE, _BUT_WHOLE = 1, 2
_IDLE = re.compile(rb"\.0(?=[],}]|$)")
_SIMPLE = frozenset({str, bool, type(None)})
_OTHER = object()
"""What has to be written by `rfc8785`."""


class Read(NamedTuple):
    """What canonical bytes hold. `plain`: whether `write_plain` writes any part of it as RFC 8785 does."""

    value: Json
    plain: bool


def canonical(value: Json) -> bytes:
    """The RFC 8785 form of `value`. Raises `BadInput` for what has none: NaN, an integer beyond 2^53, a lone surrogate."""
    try:
        data = _fast(value)
        if data is not None:
            return data
        alike = _alike(value)
        if alike is not _OTHER:
            return _ENCODER.encode(alike)
        # rfc8785 types its arguments more narrowly than what it takes
        return rfc8785.dumps(cast(Any, value))
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise BadInput(source="canonical JSON", problem=f"this value has no canonical form ({error}).") from error


def _fast(value: Any) -> bytes | None:
    """What msgspec, which is a hundred times as fast, writes of `value`, where that is what RFC 8785 wants but for the ".0" of whole numbers, which
    is taken away; None where it isn't. Raises `UnicodeEncodeError`, `RecursionError`."""
    written = _written_alike(value)
    if not written:
        return None
    data = _ENCODER.encode(value)
    if written == _ALIKE:
        return data
    quoted = b'\\"' in data
    if quoted:  # bytes that are in no UTF-8 stand for what isn't the end of a text
        data = data.replace(rb"\\", b"\xff\xff").replace(rb"\"", b"\xff\xfe")
    parts = data.split(b'"')  # text is at the odd places
    parts[::2] = _IDLE.sub(b"", b'"'.join(parts[::2])).split(b'"')
    data = b'"'.join(parts)
    return data.replace(b"\xff\xfe", rb"\"").replace(b"\xff\xff", rb"\\") if quoted else data


def _written_alike(value: Any) -> int:
    """Whether msgspec writes every part of `value` as RFC 8785 does: `_ALIKE`, `_BUT_WHOLE` where numbers like 1.0 are to be changed, or 0.

    It does for text, and for numbers that need neither an exponent nor the point of "1.0" taken away; names are sorted alike while they are
    ASCII. A record is looked through as it is, and written as `builtins` would give it. A property test holds it to that.
    """
    found = _ALIKE
    waiting: list[Iterable[Any]] = [(value,)]
    while waiting:
        for part in waiting.pop():
            of: type[Any] = type(part)
            if of in _SIMPLE:
                continue
            if of is int:
                if not -SAFE_INTEGER <= part <= SAFE_INTEGER:
                    return 0
            elif of is float:
                written = repr(part)
                if "e" in written or "n" in written:
                    return 0
                if written.endswith(".0"):
                    if not -SAFE_FLOAT < part < SAFE_FLOAT or written == "-0.0":
                        return 0
                    found = _BUT_WHOLE
            elif of is list or of is tuple:
                if part:
                    waiting.append(part)
            elif of is dict:
                for name in part:
                    if type(name) is not str or not name.isascii():
                        return 0
                waiting.append(part.values())
            elif issubclass(of, Record):
                values = _values_of(of)
                if values is None:
                    return 0
                waiting.append(values(part))
            else:
                return 0
    return found


@cache
def _values_of(cls: type[Record]) -> Callable[[Any], tuple[Any, ...]] | None:
    """Gives the values of a record's fields; None where their names or its tag aren't written as they stand."""
    config, names = cls.__struct_config__, cls.__struct_encode_fields__
    simple = not config.array_like and (config.tag is None or type(config.tag) is str)
    if not simple or len(names) < 2 or not all(name.isascii() for name in (*names, config.tag_field or "")):
        return None
    return attrgetter(*cls.__struct_fields__)


def _alike(value: Any) -> Any:
    """`value` with each number in the form in which msgspec writes it as RFC 8785 does, or `_OTHER` where one thing in it isn't simple.

    A whole float is an integer there, and one that needs an exponent is written by `rfc8785` itself.
    """
    of = type(value)
    if of is str or value is None or of is bool:
        return value
    if of is float:
        if value.is_integer() and -SAFE_INTEGER <= value <= SAFE_INTEGER:
            return int(value)
        written = repr(value)
        if "n" in written:
            return _OTHER
        return msgspec.Raw(rfc8785.dumps(value)) if "e" in written or written.endswith(".0") else value
    if of is int:
        return value if -SAFE_INTEGER <= value <= SAFE_INTEGER else _OTHER
    if of is dict:
        found = {}
        for name, inner in value.items():
            if type(name) is not str or not name.isascii():
                return _OTHER
            inner = inner if type(inner) is str else _alike(inner)
            if inner is _OTHER:
                return _OTHER
            found[name] = inner
        return found
    if of is list or of is tuple:
        items = [_alike(inner) for inner in value]
        return _OTHER if any(inner is _OTHER for inner in items) else items
    return _OTHER


def write_plain(value: Json) -> bytes:
    """The RFC 8785 form of what was put together from values that are `plain`, without a look at each."""
    return _ENCODER.encode(value)


def parse(data: bytes, source: str) -> Json:
    """The value whose canonical form is exactly `data`. Raises `Damaged`, naming `source`, for anything else."""
    return read(data, source).value


def read(data: bytes, source: str) -> Read:
    """The same, and whether it is written the fast way. Raises `Damaged`.

    Whether msgspec writes it as RFC 8785 does is seen, as is its depth, in the bytes that stand between its texts, all at once: that takes a
    tenth of the time of a look at each value. `_written_alike` has the reasons.
    """
    if len(data) > MOST_VALUES and data.count(b",") + data.count(b"[") + data.count(b"{") > MOST_VALUES:
        raise Damaged(source=source, problem="holds too much to be read.")
    try:
        value = _decoded(data)
        parts = data.replace(rb"\\", b"").replace(rb"\"", b"").split(b'"')
        between = b",%s," % b"".join(parts[::2])
        if _too_deep(between):
            raise Damaged(source=source, problem=f"nested over {DEEPEST} levels deep.")
        names = () if data.isascii() else zip(parts[1::2], parts[2::2], strict=True)
        plain = _plain_numbers(between) and all(name.isascii() for name, after in names if after.startswith(b":"))
        if plain and _ENCODER.encode(value) == data:
            return Read(value, True)
        value = json.loads(data.decode("utf-8"), parse_int=_number)
        same = canonical(value) == data
    except (ValueError, RecursionError, BadInput) as error:
        raise Damaged(source=source, problem="not readable as canonical JSON.") from error
    if not same:
        raise Damaged(source=source, problem="not in canonical form: written by something else, or altered.")
    return Read(value, False)


def _decoded(data: bytes) -> Json:
    """The value, by whichever decoder takes it. Raises `ValueError`, `RecursionError`."""
    try:
        value: Json = msgspec.json.decode(data)
    except msgspec.DecodeError:
        value = json.loads(data.decode("utf-8"), parse_int=_number)
    return value


def items(data: bytes, source: str) -> list[bytes]:
    """The bytes of each item of the list that the canonical `data` holds: each is canonical too. Raises `Damaged` where it is no list."""
    try:
        return [bytes(item) for item in msgspec.json.decode(data, type=list[msgspec.Raw])]
    except msgspec.DecodeError as error:
        raise Damaged(source=source, problem="not a list.") from error


def _plain_numbers(between: bytes) -> bool:
    """Whether no number between the texts of valid JSON has an exponent, an idle ".0", 16 digits before the point, or is near 10^-7."""
    if between.count(b"e") + between.count(b"E") != between.count(b"true") + between.count(b"false"):
        return False
    if any(idle in between for idle in (b".0,", b".0]", b".0}", b"0.000000")):
        return False
    digits = between.translate(_ZEROES)
    return not any(before + _LONG in digits for before in (b",", b"[", b":", b"-"))


def _too_deep(between: bytes) -> bool:
    """Whether there are over `DEEPEST` levels: taking away what is innermost takes away one level."""
    left = between.translate(_BRACKETS, _NO_BRACKETS)
    for _ in range(DEEPEST):
        if not left:
            break
        left = left.replace(b"[]", b"")
    return bool(left)


def digest(data: bytes) -> Digest:
    """SHA-256."""
    return Digest(hashlib.sha256(data).hexdigest())


def checked_digest(text: object, source: str) -> Digest:
    """`text`, if it is 64 lower-case hexadecimal characters. Raises `Damaged`."""
    if not isinstance(text, str) or _DIGEST.fullmatch(text) is None:
        raise Damaged(source=source, problem="a digest has the wrong form.")
    return Digest(text)


def new_nonce() -> bytes:
    """`NONCE` random bytes."""
    return secrets.token_bytes(NONCE)


def builtins(record: Record) -> dict[str, Json]:
    """A record as plain JSON values: bytes as base64, tuples as lists, its tag under "type"."""
    return cast(dict[str, Json], msgspec.to_builtins(record, str_keys=True))


def record_bytes(record: Record, nonce: bytes) -> bytes:
    """What is stored and hashed of a record: its kind, a nonce of `NONCE` bytes, and its fields."""
    if len(nonce) != NONCE:
        raise BadInput(source=kind(record), problem=f"a record's nonce has {NONCE} bytes, not {len(nonce)}.")
    stored: dict[str, Any] = {"kind": kind(record), "nonce": nonce.hex(), "record": record}
    with suppress(UnicodeEncodeError, RecursionError):  # said below
        data = _fast(stored)
        if data is not None:
            return data
    return canonical(stored | {"record": builtins(record)})


def record_from(data: bytes, type: type[R]) -> tuple[R, bytes]:
    """The record that `record_bytes` wrote, and its nonce. Raises `Damaged`, also when it is of another kind."""
    try:
        stored = msgspec.json.decode(data, type=_Stored)
        nonce = bytes.fromhex(stored.nonce)
        if stored.kind != kind(type):
            raise Damaged(source=f"record of kind {stored.kind}", problem=f"expected one of kind {kind(type)}.")
        return msgspec.json.decode(stored.record, type=type), nonce
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise Damaged(source=f"record of kind {kind(type)}", problem=f"not readable ({error}).") from error


def b64(data: bytes) -> str:
    """Standard base64 with padding."""
    return b64encode(data).decode("ascii")


def unb64(text: str, source: str, size: int | None = None) -> bytes:
    """The bytes that `b64` wrote as `text`, `size` of them if given. Raises `Damaged` for any other spelling of the same bytes."""
    try:
        data = b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Damaged(source=source, problem="not readable as base64.") from error
    if b64(data) != text:
        raise Damaged(source=source, problem="base64 in a form of its own.")
    if size is not None and len(data) != size:
        raise Damaged(source=source, problem=f"has {len(data)} bytes instead of {size}.")
    return data


class _Stored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kind: str
    nonce: str
    record: msgspec.Raw


def _number(text: str) -> int | float:
    # A float beyond 2^53 is written without a point, e.g. 1e20 as 100000000000000000000.
    value = int(text) if len(text) < 18 else None
    return value if value is not None and abs(value) <= SAFE_INTEGER else float(text)
