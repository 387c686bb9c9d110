"""Confidential content is nowhere in clear: not while the program works, not after it was killed, not after it ended in order.

Every piece of content that a person brings in carries one random mark. After the work no file of the program, in whatever folder, holds the mark in
any usual coding, nor the vectors that were made of it, nor the vault key.
"""

import base64
import contextlib
import gzip
import io
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core import paths
from tests.processes import runs, until

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("marked_work.py")
FOLDERS = ("home", "config", "cache", "state", "data", "temporary", "working")
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 (looked through, not written)
LARGEST = 4 << 20
"""Bytes of a compressed stream that are looked into."""
_PACKED = {b"\x1f\x8b\x08": 31, b"x\x01": 15, b"x\x5e": 15, b"x\x9c": 15, b"x\xda": 15}
"""How compressed streams begin, and the window that zlib needs for them."""


def codings(mark: str) -> list[bytes]:
    """The mark as text, as hexadecimal, and as what base64 makes of it wherever it begins."""
    plain = mark.encode()
    found = [plain, plain.upper(), mark.encode("utf-16-le"), mark.encode("utf-16-be"), plain.hex().encode()]
    for offset in range(3):
        whole = base64.b64encode(b"\0" * offset + plain)
        found.append(whole[(offset * 8 + 5) // 6 : len(plain) * 8 // 6 - 2])
    return found


def unpacked(data: bytes) -> Iterator[bytes]:
    """What the compressed streams in `data` hold; mostly nothing."""
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield from (archive.read(name) for name in archive.namelist())
    for start, window in _PACKED.items():
        at = data.find(start)
        while at >= 0:
            with contextlib.suppress(zlib.error):
                yield zlib.decompressobj(window).decompress(memoryview(data)[at : at + LARGEST], LARGEST)
            at = data.find(start, at + 1)


def places(folders: list[Path], needles: list[bytes]) -> list[str]:
    """The files in which one of the needles is found, in their names or their content. What other programs keep in shared memory may
    go while it is looked through."""
    found = []
    held = (
        Path(where, name) for folder in folders for where, below, files in os.walk(folder) for name in below + files
    )
    for path in held:
        if any(needle in os.fsencode(path.name) for needle in needles):
            found.append(f"{path} (its name)")
        with contextlib.suppress(FileNotFoundError):
            data = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
            if any(needle in part for part in (data, *unpacked(data)) for needle in needles):
                found.append(str(path))
    return found


class Study:
    """The folders of one person's program, and the runs in them."""

    def __init__(self, root: Path, runtime: Path) -> None:
        self.root = root
        self.runtime = runtime
        self.mark = "mq" + "".join(str(secrets.randbelow(10)) for _ in range(16))
        for name in (*FOLDERS, "sources", "out", "backups"):
            (root / name).mkdir(mode=0o700)
        (root / "sources" / "passphrase").write_text("seven lanterns by the river\n")
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "ASSAY_"))},
            **{f"XDG_{name.upper()}_HOME": str(root / name) for name in ("config", "cache", "state", "data")},
            "XDG_RUNTIME_DIR": str(runtime),
            "HOME": str(root / "home"),
            "TMPDIR": str(root / "temporary"),
            "PYTHONPATH": str(ROOT),
        }

    def start(self, stage: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-P", str(SCRIPT), stage, str(self.root), self.mark],
            env=self.environment,
            cwd=self.root / "working",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def folders(self) -> list[Path]:
        """Wherever the program may have written; not what the person gave it and asked it to export."""
        own = [self.root / name for name in (*FOLDERS, "backups", "Team.assay", "Restored.assay")] + [self.runtime]
        assert all(folder.is_dir() for folder in own)
        return own + list(SHARED_MEMORY.glob("assay*"))


def wait_for_end(processes: list[int]) -> None:
    assert until(lambda: not any(runs(process) for process in processes))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    """Its runtime folder lies in memory where there is such storage, as a desktop's does."""
    memory = SHARED_MEMORY if paths.in_memory(SHARED_MEMORY) else None
    with tempfile.TemporaryDirectory(dir=memory) as runtime:
        yield Study(tmp_path_factory.mktemp("study"), Path(runtime))


@pytest.fixture(scope="module")
def held(study: Study) -> dict[str, Any]:
    """What the process held when it was killed in the middle of an evaluation, its index open."""
    with study.start("work") as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            pytest.fail(process.communicate()[1][-3000:])
        process.send_signal(signal.SIGKILL)
        process.communicate()
    content: dict[str, Any] = json.loads(line)
    assert {"The index worker", "The model fake"} <= set(content["workers"])
    wait_for_end(content["processes"])
    return content


def needles(study: Study, held: dict[str, Any]) -> list[bytes]:
    vectors = [bytes.fromhex(vector) for vector in held["vectors"]]
    assert len(vectors) >= 4
    key = bytes.fromhex(held["key"])
    return [*codings(study.mark), *vectors, key, held["key"].encode(), held["key"].upper().encode()]


def test_the_search_itself_finds_a_mark_in_every_coding(tmp_path: Path) -> None:
    mark = "mq1234567890123456"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", mark * 5)
    contents = {
        "plain": f"of {mark} it".encode(),
        "utf16": f"of {mark} it".encode("utf-16"),
        "big": f"of {mark} it".encode("utf-16-be"),
        "hex": f"of {mark} it".encode().hex().encode(),
        **{f"base{n}": base64.b64encode(b"x" * n + f"{mark} it".encode()) for n in range(4)},
        "gzip": b"junk" + gzip.compress(mark.encode() * 3),
        "zlib": b"junk" + zlib.compress(mark.encode() * 3),
        "zip": packed.getvalue(),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / f"{mark}x").write_bytes(b"")
    (tmp_path / "other").write_bytes(b"mq123456789012345" + os.urandom(100_000))
    found = places([tmp_path], codings(mark))
    assert {Path(place.split(" (")[0]).name for place in found} == {*contents, f"{mark}x"}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no index is opened without consent")
def test_a_killed_program_leaves_nothing_in_clear(study: Study, held: dict[str, Any]) -> None:
    if "storage" not in held["workers"]["The index worker"]:  # then the next start sweeps
        assert paths.sweep(study.runtime) == 1
    assert list((study.root / "Team.assay" / "cache").iterdir()) != []
    assert places(study.folders(), needles(study, held)) == []
    assert sorted(path.name for path in (study.root / "out").iterdir()) == ["rows.csv", "run.pack"]
    assert study.mark.encode() in (study.root / "out" / "rows.csv").read_bytes()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no index is opened without consent")
def test_a_program_that_ends_in_order_leaves_nothing_at_all(study: Study, held: dict[str, Any]) -> None:
    with study.start("commands") as process:
        said, problem = process.communicate()
    assert process.returncode == 0, problem[-3000:]
    assert study.mark in said
    assert places(study.folders(), needles(study, held)) == []
    empty = (study.root / "temporary", study.root / "working", study.runtime)
    assert [path for folder in empty for path in folder.rglob("*") if not path.is_dir()] == []
    assert {path.name for path in (study.root / "out").iterdir()} == {"rows.csv", "run.pack", "again.jsonl"}
