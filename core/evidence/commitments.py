"""Hiding fields behind commitments, so that a pack can be redacted and still verify.

A record goes into a signed file with each withholdable field replaced by `{"$committed": HEX}`, where HEX is
SHA-256(domain ‖ salt ‖ JCS([path, value])) with a salt of 32 bytes for each field, which nobody can guess. The openings,
`[salt, path, value]`, lie in an unsigned file: who deletes one withholds that field, and nothing else changes. The rules:

1. Only the fields in `WITHHOLDABLE` may be hidden; counts, scores, criteria, identities and times never.
2. Each opening fits exactly one commitment; there are no others, and they are in order of their paths' canonical bytes.
3. A record whose fields are all opened must have the digest that names it in the vault. One with a field withheld must not tell its
   nonce: with it, and the digest, whoever knows the other fields could try out what a short field holds. So the nonce stands behind a
   commitment too, at the path of the record itself, and is open exactly where all fields are.
4. Renderings show everything, so their digests are hidden in the same way, and go with the renderings.
"""

import binascii
import hashlib
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from core.errors import BadInput, Damaged
from core.records import Digest, Json
from core.trust.canonical import b64, canonical, checked_digest, items, read
from core.trust.canonical import digest as digest_of

DOMAIN = b"assay pack commitment v1\x00"
MARK = "$committed"
MARKED = b'"$committed":'
"""How it stands in canonical bytes, and nothing else does."""
SALT = 32
_SALTED = 48
"""Bytes of an opening before its path: `["`, the salt in base64, `",`. What is hashed after the salt is "[" and the rest."""
ANY = "*"
"""In a pattern: every place of a list."""

Path = tuple[str | int, ...]
Pattern = tuple[str, ...]

_SAMPLES: tuple[Pattern, ...] = tuple(
    ("samples", ANY, field)
    for field in (
        *("input", "target", "answer", "document", "quote", "choices", "targets", "passages", "metadata"),
        *("turns", "chosen", "rejected", "group", "origin"),
    )
)
WITHHOLDABLE: Mapping[str, tuple[Pattern, ...]] = MappingProxyType(
    {
        "dataset": _SAMPLES,
        "training-data": _SAMPLES,
        "prompt-version": (("messages", ANY, "content"), ("notes",)),
        "outcome": (
            ("answer", "question"),
            ("answer", "answer"),
            ("answer", "rendered"),
            ("answer", "tokens"),
            ("answer", "prompt_tokens"),
            ("answer", "sentences"),
            ("answer", "unsupported"),
            ("answer", "best_score"),
            ("answer", "citations", ANY),
            ("answer", "passages", ANY),
            ("scores", ANY, "reason"),
            ("error",),
        ),
        "document": (("name",), ("title",), ("collection",)),
        "model": (("path",),),
        "training-run": (
            ("folder",),
            ("spec", "folder"),
            ("spec", "data", ANY, "file"),
            ("spec", "data", ANY, "system"),
            ("spec", "evaluation", "file"),
            ("spec", "evaluation", "system"),
            ("sources", ANY, "reference"),
            ("left_out", ANY),
        ),
    }
)
"""For each kind of record, the fields that may be hidden, those among them that would tell how long a hidden text is."""

_LAST = frozenset(b"AEIMQUYcgkosw048")
"""What a salt ends with in base64, before the padding, where no bit is left over."""
_STEPS = frozenset({str, int})
_PATTERNS = {kind: frozenset(patterns) for kind, patterns in WITHHOLDABLE.items()}


class Hidden(NamedTuple):
    """A record for a signed file, and what opens its commitments, each in canonical bytes."""

    stored: Json
    openings: list[bytes]


class Opening(NamedTuple):
    """One opening: its canonical bytes, the commitment that it opens, and what is at which place."""

    data: bytes
    commitment: Digest
    path: Path
    value: Json


class Revealed(NamedTuple):
    """A record with its openings put in; `hidden` has the places in it that none opens, in order, its nonce not among them."""

    stored: dict[str, Json]
    hidden: tuple[Path, ...]

    @property
    def withheld(self) -> int:
        """How many fields are withheld."""
        return len(self.hidden)


def commitment(salt: bytes, path: Path, value: Json) -> Digest:
    """What stands in a signed file for the value at that path."""
    return _commitment(salt, canonical([list(path), value]))


def _commitment(salt: bytes, opened: bytes) -> Digest:
    """The same, of [path, value] in its canonical form."""
    return Digest(hashlib.sha256(b"%s%s%s" % (DOMAIN, salt, opened)).hexdigest())


def hide(
    kind: str,
    index: int,
    stored: dict[str, Json],
    new_salt: Callable[[], bytes] = lambda: secrets.token_bytes(SALT),
    write: Callable[[Json], bytes] = canonical,
) -> Hidden:
    """Replace the withholdable fields of record `index` of its file, and its nonce. Raises `BadInput` if a field could pass for a commitment.

    `new_salt` gives 32 bytes at each call that can't be worked out from anything that stays in a redacted pack; `write` gives the canonical
    bytes of any part of the record.
    """
    openings: list[bytes] = []

    def hidden(path: Path, value: Json) -> Json:
        salt, opened = new_salt(), write([list(path), value])
        openings.append(_opening(salt, opened))
        return {MARK: _commitment(salt, opened)}

    if kind in WITHHOLDABLE:
        stored["nonce"] = hidden((index,), stored["nonce"])
    allowed: set[Path] = set()
    for pattern in WITHHOLDABLE.get(kind, ()):
        for path in list(_matching(stored.get("record"), pattern)):
            holder = _at(stored["record"], path[:-1])
            allowed.add(path)
            _put(holder, path[-1], hidden((index, *path), _item(holder, path[-1])))
    for path, _ in _marks(stored.get("record"), ()):
        if path not in allowed:
            raise BadInput(source=f"record of kind {kind}", problem=f"a field that holds {MARK} can't go into a pack.")
    return Hidden(stored, openings)


def hide_digests(
    renderings: Mapping[str, Json], new_salt: Callable[[], bytes] = lambda: secrets.token_bytes(SALT)
) -> tuple[dict[str, Digest], bytes]:
    """For each rendering's digest and size, by its name, a commitment; and the file of the openings."""
    hidden: dict[str, Digest] = {}
    openings: list[bytes] = []
    for name, listed in renderings.items():
        salt, opened = new_salt(), canonical([[name], listed])
        hidden[name] = _commitment(salt, opened)
        openings.append(_opening(salt, opened))
    return hidden, in_order(openings)


def reveal_digests(hidden: Mapping[str, Digest], data: bytes, source: str) -> dict[str, Json]:
    """The renderings' digests and sizes, by name: of all of them, or of none once they are gone. Raises `Damaged`."""
    found: dict[str, Json] = {}
    for opening in read_openings(data, source).openings:
        match opening.path:
            case (str(name),) if hidden.get(name) == opening.commitment:
                found[name] = opening.value
            case _:
                raise Damaged(source=source, problem="an opening doesn't fit what was signed.")
    if found and found.keys() != hidden.keys():
        raise Damaged(source=source, problem="not for all renderings.")
    return found


def in_order(openings: Iterable[bytes]) -> bytes:
    """The file of these openings: a list, in order of their paths' canonical bytes."""
    ordered: list[bytes] = sorted(openings, key=lambda opening: opening[_SALTED:])
    return b"[%s]" % b",".join(ordered)


class Openings(NamedTuple):
    """What a file of openings holds; `plain` as in `canonical.Read`."""

    openings: list[Opening]
    plain: bool


def read_openings(data: bytes, source: str) -> Openings:
    """The openings of a file, which are well formed, in order, and of different places. Raises `Damaged`."""
    whole = read(data, source)
    found: list[Opening] = []
    before = b""
    for raw, opening in zip(items(data, source), whole.value, strict=True):  # type: ignore[arg-type]
        match opening:
            case [str(), [_, *_] as path, value] if _STEPS.issuperset(map(type, path)):
                pass
            case _:
                raise Damaged(source=source, problem="an opening is not of the form [salt, path, value].")
        rest = raw[_SALTED:]
        if rest <= before:
            raise Damaged(source=source, problem="not in order, or one is there twice.")
        before = rest
        hashed = hashlib.sha256(b"%s%s[%s" % (DOMAIN, _salt(raw, source), rest))
        found.append(Opening(raw, Digest(hashed.hexdigest()), tuple(path), value))  # type: ignore[arg-type]
    return Openings(found, whole.plain)


def reveal(kind: str, records: Sequence[dict[str, Json]], openings: Sequence[Opening], marks: int) -> list[Revealed]:
    """Put the openings into the records of one file, which hold so many commitments. Raises `Damaged` for a forbidden commitment or an
    opening that fits none.

    Openings are of different places. So where each fits one, and there are as many, there are no other commitments to look for.
    """
    source = f"records/{kind}"
    secret = kind in WITHHOLDABLE
    if not all(isinstance(stored.get("nonce"), dict if secret else str) for stored in records):
        raise Damaged(source=source, problem="a record's nonce is not of the form expected.")
    waiting = _waiting(kind, records) if marks != len(openings) else {}
    for opening in openings:
        _put_in(kind, records, opening)
        waiting.pop(opening.path, None)
    if marks == len(openings):
        if sum(len(opening.path) == 1 for opening in openings) != len(records) * secret:
            raise Damaged(source=source, problem="a record's nonce is not of the form expected.")
        return [Revealed(stored, ()) for stored in records]
    hidden: list[list[Path]] = [[] for _ in records]
    for path in waiting:
        if len(path) > 1:
            hidden[int(path[0])].append(path[1:])
    for index, paths in enumerate(hidden):
        if bool(paths) != ((index,) in waiting):
            problem = "withholds a field and tells the nonce, so that the field could be guessed."
            raise Damaged(source=source, problem=problem if paths else "tells no nonce, though no field is withheld.")
    return [Revealed(stored, tuple(paths)) for stored, paths in zip(records, hidden, strict=True)]


def _waiting(kind: str, records: Sequence[dict[str, Json]]) -> dict[Path, Digest]:
    """Every commitment by its place, each where one may be."""
    source = f"records/{kind}"
    waiting: dict[Path, Digest] = {}
    for index, stored in enumerate(records):
        for path, found in _marks(stored.get("record"), ()):
            if not _may_hide(kind, path):
                raise Damaged(source=source, problem="hides a field that may not be withheld.")
            waiting[(index, *path)] = checked_digest(found, source)
        match stored.get("nonce"):
            case {"$committed": found, **others} if not others:
                waiting[(index,)] = checked_digest(found, source)
            case dict():
                raise Damaged(source=source, problem="a record's nonce is not of the form expected.")
    return waiting


def _put_in(kind: str, records: Sequence[dict[str, Json]], opening: Opening) -> None:
    """Put the value in its place, if the commitment that stands there is the opening's and may."""
    index, *steps = opening.path
    try:
        if steps:
            if not _may_hide(kind, opening.path[1:]):
                raise KeyError
            holder: Any = records[index]["record"]  # type: ignore[index]
            last = steps.pop()
            for step in steps:
                holder = holder[step]
        else:
            holder, last = records[index], "nonce"  # type: ignore[index]
        if holder[last] != {MARK: opening.commitment} or index < 0:  # type: ignore[operator]
            raise KeyError
        holder[last] = opening.value
    except (LookupError, TypeError) as error:
        raise Damaged(source=f"openings/{kind}", problem="an opening doesn't fit what was signed.") from error


def _opening(salt: bytes, opened: bytes) -> bytes:
    """The canonical bytes of [salt, path, value], from those of [path, value]."""
    return b'["%s",%s' % (b64(salt).encode("ascii"), opened[1:])


def _salt(opening: bytes, source: str) -> bytes:
    """The salt that an opening's canonical bytes begin with, in base64."""
    text = opening[2 : _SALTED - 2]
    try:
        salt = binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error as error:
        raise Damaged(source=source, problem="not readable as base64.") from error
    if len(salt) != SALT or text[42] not in _LAST or opening[46:48] != b'",':
        raise Damaged(source=source, problem=f"a salt is not of {SALT} bytes, or in a form of its own.")
    return salt


def check_digest(kind: str, digest: Digest, revealed: Revealed, write: Callable[[Json], bytes] = canonical) -> None:
    """Returns if a record that is wholly open has that digest, or if it isn't wholly open. Raises `Damaged`."""
    if not revealed.withheld and digest_of(write(revealed.stored)) != digest:
        raise Damaged(source=f"records/{kind}", problem=f"record {digest[:8]} differs from its digest.")


def _matching(value: Json, pattern: Pattern) -> Iterator[Path]:
    """The places in `value` that the pattern names."""
    if not pattern:
        yield ()
        return
    first, rest = pattern[0], pattern[1:]
    if first == ANY and isinstance(value, list):
        for place, inner in enumerate(value):
            yield from ((place, *path) for path in _matching(inner, rest))
    elif isinstance(value, dict) and first in value:
        yield from ((first, *path) for path in _matching(value[first], rest))


@lru_cache(maxsize=4096)
def _may_hide(kind: str, path: Path) -> bool:
    """Whether the rules let the field at that path be withheld."""
    steps = [ANY if isinstance(step, int) and step >= 0 else step for step in path]
    return ANY not in path and tuple(steps) in _PATTERNS.get(kind, ())


def _marks(value: Json, path: Path) -> Iterator[tuple[Path, Json]]:
    """Every commitment in `value` with its place."""
    if isinstance(value, dict):
        if MARK in value:
            yield path, value[MARK] if len(value) == 1 else None
            return
        for name, inner in value.items():
            yield from _marks(inner, (*path, name))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _marks(inner, (*path, place))


def _at(value: Json, path: Path) -> Json:
    for step in path:
        value = _item(value, step)
    return value


def _item(holder: Json, step: str | int) -> Json:
    if isinstance(holder, dict) and isinstance(step, str):
        return holder[step]
    assert isinstance(holder, list)
    return holder[int(step)]


def _put(holder: Json, step: str | int, value: Json) -> None:
    if isinstance(holder, dict):
        holder[str(step)] = value
    else:
        assert isinstance(holder, list)
        holder[int(step)] = value
