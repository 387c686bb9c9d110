"""Ways to alter a pack, enumerated: what anybody can do to its bytes, what a forger does who makes the manifest fit, and what an insider does
who signs it again. Each gives a name, for the failing test, and the altered pack."""

import itertools
import json
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from core.evidence import zipform
from core.evidence.packing import Prepared, prepare
from core.evidence.records import PackContent
from core.trust.canonical import canonical
from tests.unit.evidence.building import ADA, GUIDE, VERIFIER, Person, release
from tests.unit.evidence.judging import remanifested

Mutation = tuple[str, bytes]
Lazy = tuple[str, Callable[[], bytes]]
ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    0.5,
    2**53 - 1,
    "",
    "0" * 64,
    [],
    {},
    {"$committed": "0" * 64},
    "2026-11-21T10:00:00Z",
    "authored",
)
EMPTY = (b"", b"null", b"[]", b"{}", b"0", b"\xff", b"[[]]", b"[" * 100)


def flips(data: bytes, step: int = 1, start: int = 0) -> Iterator[Mutation]:
    """Every bit, or every `step`-th."""
    altered = bytearray(data)
    for place in range(start, 8 * len(data), step):
        altered[place // 8] ^= 1 << place % 8
        yield f"bit {place}", bytes(altered)
        altered[place // 8] ^= 1 << place % 8


def cuts(data: bytes, step: int = 1) -> Iterator[Mutation]:
    """The first so many bytes, and the last."""
    for end in range(0, len(data), step):
        yield f"the first {end} bytes", data[:end]
        yield f"without the first {end + 1} bytes", data[end + 1 :]
    yield "twice", data + data
    yield "one byte more", data + b"\x00"
    yield "one byte before", b"\x00" + data


def archives(data: bytes) -> Iterator[Mutation]:
    """Entries dropped, renamed, added, given twice, in another order, emptied, exchanged, written by other means."""
    entries = zipform.read(data)
    names = sorted(entries)
    for name in names:
        without = {other: content for other, content in entries.items() if other != name}
        yield f"without {name}", zipform.write(without)
        for other in (f"x{name}", f"{name}x", name.upper(), f"old/{name}", name.replace("/", "-")):
            if other not in entries:
                yield f"{name} as {other}", zipform.write({**without, other: entries[name]})
                yield f"{name} also as {other}", zipform.write({**entries, other: entries[name]})
        yield f"{name} twice", raw([*entries.items(), (name, entries[name])])
        yield f"{name} twice, the second other", raw([*entries.items(), (name, entries[name][:-1] + b"?")])
        yield f"{name} twice in the directory", raw(list(entries.items()), again=name)
        for content in EMPTY:
            if content != entries[name]:
                yield f"{name} as {content[:5]!r}", zipform.write({**entries, name: content})
        yield f"{name} with a byte more", zipform.write({**entries, name: entries[name] + b"\n"})
        yield f"{name} cut", zipform.write({**entries, name: entries[name][:-1]})
    differing = ((first, second) for first, second in itertools.pairwise(names) if entries[first] != entries[second])
    for first, second in differing:
        yield (
            f"{first} and {second} exchanged",
            zipform.write({**entries, first: entries[second], second: entries[first]}),
        )
    for name in (
        "x",
        "redaction.json",
        "records/extra.json",
        f"envelopes/{'0' * 64}.json",
        "openings/run.json",
        "a/b/c",
    ):
        yield f"with {name}", zipform.write({**entries, name: b"[]"})
    for name in ("../x", "/x", "a/../x", "a//x", "./x", "a\\x", "C:x", "x\x00y", ".x", "x/", "é", "x" * 201, ""):
        yield f"with {name!r}", raw([*entries.items(), (name, b"[]")])
    yield "in the reverse order", raw(sorted(entries.items(), reverse=True))
    yield "first and last exchanged", raw([*sorted(entries.items())[1:], sorted(entries.items())[0]])
    yield "compressed", raw(sorted(entries.items()), compress=True)
    yield "with a comment", data[:-2] + b"\x01\x00x"
    yield "with another date", raw(sorted(entries.items()), date=0x22)
    yield "with something between", raw(sorted(entries.items()), gap=b"?")


def raw(
    entries: list[tuple[str, bytes]], again: str = "", date: int = 0x21, gap: bytes = b"", compress: bool = False
) -> bytes:
    """An archive of these entries, in this order, whether or not it may be one. `raw(sorted(entries.items()))` is `zipform.write`."""
    parts, directory = b"", []
    for name, plain in entries:
        label, crc, content = name.encode(), zlib.crc32(plain), plain
        if compress:
            packer = zlib.compressobj(wbits=-15)
            content = packer.compress(plain) + packer.flush()
        common = (20, 0, 8 if compress else 0, 0, date, crc, len(content), len(plain), len(label), 0)
        central = struct.pack(
            "<4sHHHHHHIIIHHHHHII", b"PK\x01\x02", 3 << 8 | 20, *common, 0, 0, 0, 0o100644 << 16, len(parts)
        )
        directory += [central + label] * (2 if name == again else 1)
        parts += struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", *common) + label + content + gap
    whole = b"".join(directory)
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, len(directory), len(directory), len(whole), len(parts), 0)
    return parts + whole + end


def contents(data: bytes) -> Iterator[Lazy]:
    """Every value in every JSON file, its release as it was: changed, taken out, given twice, exchanged with its neighbour; as it is, and
    with a manifest that fits."""
    entries = zipform.read(data)
    for name in json_files(entries):
        for what, change in changes(json.loads(entries[name])):
            yield (
                f"{name} {what}",
                lambda name=name, change=change: zipform.write({**entries, name: changed(entries[name], change)}),
            )
            if name not in ("manifest.json", "release.json") and not name.startswith("openings/"):
                yield (
                    f"{name} {what}, listed",
                    lambda name=name, change=change: zipform.write(fitted(entries, name, change)),
                )


def signed_again(content: PackContent, person: Person = ADA) -> Iterator[Lazy]:
    """The same changes by an insider, who makes the manifest fit and releases the pack with their own keys."""
    prepared = prepare(content, VERIFIER, GUIDE)
    for name in json_files(prepared.entries):
        for what, change in changes(json.loads(prepared.entries[name])):
            yield (
                f"{name} {what}, signed",
                lambda name=name, change=change: release(_fitted(prepared, name, change), content, person),
            )


def _fitted(prepared: Prepared, name: str, change: Callable[[Any], None]) -> Prepared:
    entries = fitted(prepared.entries, name, change)
    return prepared._replace(manifest=entries["manifest.json"], entries=entries)


def fitted(entries: dict[str, bytes], name: str, change: Callable[[Any], None]) -> dict[str, bytes]:
    made = {**entries, name: changed(entries[name], change)}
    if name != "manifest.json":
        remanifested(made)
    return made


def json_files(entries: dict[str, bytes]) -> list[str]:
    """Those that a verifier reads as JSON."""
    kept = ("records/", "openings/", "envelopes/", "log/", "cards", "manifest", "release", "redaction")
    return [name for name in sorted(entries) if name.startswith(kept) and name.endswith(".json")]


def changed(data: bytes, change: Callable[[Any], None]) -> bytes:
    value = [json.loads(data)]
    change(value)
    return canonical(value[0])


def changes(value: Any, path: tuple[Any, ...] = (0,)) -> Iterator[tuple[str, Callable[[Any], None]]]:
    """Each change of a value that stands at `path` in a list of one."""
    holder_path, step = path[:-1], path[-1]

    def put(new: Any) -> Callable[[Any], None]:
        def change(root: Any) -> None:
            walk(root, holder_path)[step] = new

        return change

    def drop(root: Any) -> None:
        walk(root, holder_path).pop(step)

    def double(root: Any) -> None:
        holder = walk(root, holder_path)
        holder.insert(step, holder[step])

    where = "/".join(map(str, path[1:])) or "all of it"
    for odd in ODD:
        if canonical(odd) != canonical(value):
            yield f"{where} = {str(odd)[:12]!r}", put(odd)
    if isinstance(value, str) and value:
        yield f"{where} ends otherwise", put(value[:-1] + ("0" if value[-1] != "0" else "1"))
        yield f"{where} is longer", put(value + "0")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        yield f"{where} + 1", put(value + 1)
    if len(path) > 1:
        yield f"{where} taken out", drop
        if isinstance(step, int):
            yield f"{where} twice", double
    if isinstance(value, dict):
        yield f"{where} with more", put({**value, "more": 1})
        for key, inner in value.items():
            yield from changes(inner, (*path, key))
    if isinstance(value, list):
        yield f"{where} with more", put([*value, 1])
        for place, inner in enumerate(value):
            if place + 1 < len(value) and canonical(inner) != canonical(value[place + 1]):
                yield f"{where}/{place} and the next exchanged", exchange(path, place)
            yield from changes(inner, (*path, place))


def exchange(path: tuple[Any, ...], place: int) -> Callable[[Any], None]:
    def change(root: Any) -> None:
        holder = walk(root, path)
        holder[place], holder[place + 1] = holder[place + 1], holder[place]

    return change


def walk(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value
