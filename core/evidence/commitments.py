"""Hiding fields behind commitments, so that a pack can be redacted and still verify.

A record goes into a signed file with each withholdable field replaced by `{"$committed": HEX}`, where HEX is
SHA-256(domain ‖ salt ‖ JCS([path, value])) with a salt of 32 bytes for each field, which nobody can guess. The openings,
`[salt, path, value]`, lie in an unsigned file: who deletes one withholds that field, and nothing else changes. The rules:

1. Only the fields in `WITHHOLDABLE` may be hidden; counts, scores, criteria, identities and times never.
2. Each opening fits exactly one commitment; there are no others, and they are in order.
3. A record whose fields are all opened must have the digest that names it in the vault. One with a field withheld must not tell its
   nonce: with it, and the digest, whoever knows the other fields could try out what a short field holds. So the nonce stands behind a
   commitment too, at the path of the record itself, and is open exactly where all fields are.
4. Renderings show everything, so their digests are hidden in the same way, and go with the renderings.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from core.errors import BadInput, Damaged
from core.records import Digest, Json
from core.trust.canonical import b64, canonical, checked_digest, unb64
from core.trust.canonical import digest as digest_of

DOMAIN = b"assay pack commitment v1\x00"
MARK = "$committed"
SALT = 32
ANY = "*"
"""In a pattern: every place of a list."""

Path = tuple[str | int, ...]
Pattern = tuple[str, ...]

WITHHOLDABLE: Mapping[str, tuple[Pattern, ...]] = MappingProxyType(
    {
        "dataset": tuple(("samples", ANY, field) for field in ("input", "target", "answer", "document", "quote")),
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
    }
)
"""For each kind of record, the fields that may be hidden, those among them that would tell how long a hidden text is."""


class Hidden(NamedTuple):
    """A record for a signed file, and what opens its commitments."""

    stored: Json
    openings: list[Json]


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
    return _commitment(salt, canonical(list(path)), value)


def _commitment(salt: bytes, path: bytes, value: Json) -> Digest:
    """The same, of a path in its canonical form."""
    return Digest(hashlib.sha256(b"%s%s[%s,%s]" % (DOMAIN, salt, path, canonical(value))).hexdigest())


def hide(
    kind: str, index: int, stored: dict[str, Json], new_salt: Callable[[], bytes] = lambda: secrets.token_bytes(SALT)
) -> Hidden:
    """Replace the withholdable fields of record `index` of its kind, and its nonce. Raises `BadInput` if a field could pass for a commitment.

    `new_salt` gives 32 bytes at each call that can't be worked out from anything that stays in a redacted pack.
    """
    openings: list[Json] = []
    if kind in WITHHOLDABLE:
        salt, nonce = new_salt(), stored["nonce"]
        stored["nonce"] = {MARK: commitment(salt, (index,), nonce)}
        openings.append([b64(salt), [index], nonce])
    for pattern in WITHHOLDABLE.get(kind, ()):
        for path in list(_matching(stored.get("record"), pattern)):
            holder = _at(stored["record"], path[:-1])
            salt, whole = new_salt(), (index, *path)
            value = _item(holder, path[-1])
            _put(holder, path[-1], {MARK: commitment(salt, whole, value)})
            openings.append([b64(salt), list(whole), value])
    allowed = {tuple(_path(opening)[1:]) for opening in openings}
    for path, _ in _marks(stored.get("record"), ()):
        if path not in allowed:
            raise BadInput(source=f"record of kind {kind}", problem=f"a field that holds {MARK} can't go into a pack.")
    return Hidden(stored, openings)


def hide_digests(
    renderings: Mapping[str, Json], new_salt: Callable[[], bytes] = lambda: secrets.token_bytes(SALT)
) -> tuple[dict[str, Digest], list[Json]]:
    """For each rendering's digest and size, by its name, a commitment; and the openings."""
    hidden: dict[str, Digest] = {}
    openings: list[Json] = []
    for name, listed in renderings.items():
        salt = new_salt()
        hidden[name] = commitment(salt, (name,), listed)
        openings.append([b64(salt), [name], listed])
    return hidden, in_order(openings)


def reveal_digests(hidden: Mapping[str, Digest], openings: Sequence[Json], source: str) -> dict[str, Json]:
    """The renderings' digests and sizes, by name: of all of them, or of none once they are gone. Raises `Damaged`."""
    found: dict[str, Json] = {}
    for opening in openings:
        match opening:
            case [str(salt), [str(name)], value] if name not in found:
                if hidden.get(name) != commitment(unb64(salt, source, SALT), (name,), value):
                    raise Damaged(source=source, problem="an opening doesn't fit what was signed.")
                found[name] = value
            case _:
                raise Damaged(source=source, problem="an opening is not of the form [salt, path, value].")
    if list(openings) != in_order(openings) or (found and found.keys() != hidden.keys()):
        raise Damaged(source=source, problem="not in order, or not for all renderings.")
    return found


def in_order(openings: Sequence[Json]) -> list[Json]:
    """Openings as they stand in a file: by the canonical bytes of their paths."""
    return sorted(openings, key=lambda opening: canonical(list(_path(opening))))


def reveal(kind: str, records: Sequence[dict[str, Json]], openings: Sequence[Json]) -> list[Revealed]:
    """Put the openings into the records of one kind. Raises `Damaged` for a forbidden commitment or an opening that fits none."""
    source = f"records/{kind}.json"
    waiting: dict[Path, Digest] = {}
    for index, stored in enumerate(records):
        for path, found in _marks(stored.get("record"), ()):
            if not _may_hide(kind, path):
                raise Damaged(source=source, problem="hides a field that may not be withheld.")
            waiting[(index, *path)] = checked_digest(found, source)
        match stored.get("nonce"):
            case {"$committed": found, **others} if kind in WITHHOLDABLE and not others:
                waiting[(index,)] = checked_digest(found, source)
            case str() if kind not in WITHHOLDABLE:
                pass
            case _:
                raise Damaged(source=source, problem="a record's nonce is not of the form expected.")
    before = b""
    for opening in openings:
        salt, path, value = _taken_apart(kind, opening)
        here = canonical(list(path))
        if here <= before:
            raise Damaged(source=f"openings/{kind}.json", problem="not in order, or one is there twice.")
        before = here
        if waiting.pop(path, None) != _commitment(salt, here, value):
            raise Damaged(source=f"openings/{kind}.json", problem="an opening doesn't fit what was signed.")
        if len(path) == 1:
            records[int(path[0])]["nonce"] = value
        else:
            _put(_at(records[int(path[0])]["record"], path[1:-1]), path[-1], value)
    hidden: list[list[Path]] = [[] for _ in records]
    for path in waiting:
        if len(path) > 1:
            hidden[int(path[0])].append(path[1:])
    for index, paths in enumerate(hidden):
        if bool(paths) != ((index,) in waiting):
            problem = "withholds a field and tells the nonce, so that the field could be guessed."
            raise Damaged(source=source, problem=problem if paths else "tells no nonce, though no field is withheld.")
    return [Revealed(stored, tuple(paths)) for stored, paths in zip(records, hidden, strict=True)]


def check_digest(kind: str, digest: Digest, revealed: Revealed) -> None:
    """Returns if a record that is wholly open has that digest, or if it isn't wholly open. Raises `Damaged`."""
    if not revealed.withheld and digest_of(canonical(revealed.stored)) != digest:
        raise Damaged(source=f"records/{kind}.json", problem=f"record {digest[:8]} differs from its digest.")


def _taken_apart(kind: str, opening: Json) -> tuple[bytes, Path, Json]:
    match opening:
        case [str(salt), [int(index), *rest], value] if all(isinstance(step, (str, int)) for step in rest):
            return unb64(salt, f"openings/{kind}.json", SALT), (index, *rest), value  # type: ignore[arg-type]
    raise Damaged(source=f"openings/{kind}.json", problem="an opening is not of the form [salt, path, value].")


def _path(opening: Json) -> list[str | int]:
    assert isinstance(opening, list)
    path = opening[1]
    assert isinstance(path, list)
    return path  # type: ignore[return-value]


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


def _may_hide(kind: str, path: Path) -> bool:
    """Whether the rules let the field at that path be withheld."""
    return ANY not in path and tuple(ANY if isinstance(step, int) else step for step in path) in WITHHOLDABLE.get(
        kind, ()
    )


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
