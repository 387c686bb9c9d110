"""What the doctor says of a machine, from what its kernel tells."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from core import paths
from core.installation import machine

CPU = "processor\t: 0\nmodel name\t: Example 9000\nflags\t\t: fpu avx avx2 fma f16c\n\nprocessor\t: 1\nmodel name\t: Example 9000\n"
ROOMY = "MemTotal:       32000000 kB\nMemFree:  1 kB\nMemAvailable:   20000000 kB\n"


def test_a_processor_is_named_with_what_models_can_use() -> None:
    found = machine.processor(CPU)
    assert found.state == "good"
    assert "Example 9000" in found.sentence
    assert found.figures["features"] == "avx avx2 fma f16c"


def test_a_processor_without_avx2_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.platform, "machine", lambda: "x86_64")
    found = machine.processor(CPU.replace("avx2 ", ""))
    assert (found.state, "AVX2" in found.sentence) == ("warning", True)


def test_memory_is_what_is_free_or_what_a_container_may_take(tmp_path: Path) -> None:
    limit = tmp_path / "memory.max"
    limit.write_text("max\n")
    assert machine.memory(ROOMY, [limit]).figures == {"total": 32_768_000_000, "free": 20_480_000_000}
    limit.write_text(str(2 * machine.GIB))
    found = machine.memory(ROOMY, [limit, tmp_path / "absent"])
    assert found.state == "warning"
    assert found.figures == {"total": 2 * machine.GIB, "free": 2 * machine.GIB}
    assert machine.memory("", []).state == "note"


def test_memory_that_goes_to_a_disk_is_warned_of_and_compressed_memory_is_not() -> None:
    header = "Filename\t\t\t\tType\t\tSize\tUsed\tPriority\n"
    assert machine.swap(header).state == "good"
    assert machine.swap(header + "/dev/zram0 partition 100 0 5\n").state == "good"
    found = machine.swap(header + "/dev/sda2 partition 100 0 -2\n/swapfile file 100 0 -3\n")
    assert (found.state, "/dev/sda2 and /swapfile" in found.sentence) == ("warning", True)


def test_a_vault_on_a_network_file_system_is_warned_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert machine.disk(tmp_path / "not" / "yet").figures["free"]
    monkeypatch.setattr(machine, "_file_system", lambda place: 0x6969)
    found = machine.disk(tmp_path)
    assert (found.state, "NFS" in found.sentence) == ("warning", True)


def test_a_full_disk_is_warned_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "LITTLE_DISK", 2**62)
    assert machine.disk(tmp_path).state == "warning"


def test_missing_storage_in_memory_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "_candidates", lambda: iter(()))
    assert machine.storage().state == "warning"


def test_a_clock_from_before_the_program_is_a_fault_and_one_that_nothing_keeps_is_noted() -> None:
    early, later = datetime(2020, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    assert machine.clock(early, synchronised=True).state == "fault"
    assert machine.clock(later, synchronised=False).state == "note"
    assert machine.clock(later, synchronised=True).state == "good"


def test_text_recognition_is_there_or_its_absence_said(tmp_path: Path) -> None:
    (tmp_path / "eng.traineddata").write_bytes(b"data")
    found = machine.recognition({"TESSDATA_PREFIX": str(tmp_path)})
    assert (found.state, found.figures) == ("good", {"languages": "eng"})


def test_a_machine_without_fonts_is_warned_of_unless_the_window_brings_its_own(tmp_path: Path) -> None:
    bundled = tmp_path / "fonts"
    assert machine.fonts((str(tmp_path / "system"),), bundled).state == "warning"
    bundled.mkdir()
    (bundled / "Letters.otf").write_bytes(b"font")
    assert machine.fonts((str(tmp_path / "system"),), bundled).state == "note"
    assert machine.fonts((str(bundled),), bundled).state == "good"
