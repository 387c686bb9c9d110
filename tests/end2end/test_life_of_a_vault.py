"""A vault backed up, lost, restored and compacted from the command line. What `--json` prints there: keys are only ever added."""

import shutil
from pathlib import Path

from tests.end2end.conftest import Assay


def test_a_vault_that_was_lost_comes_back(ines: Assay, tomas: Assay, tmp_path: Path) -> None:
    file, folder = tmp_path / "one.backup", tmp_path / "Again.assay"
    made = ines("vault", "backup", file, "--json")
    assert made.code == 0, made
    assert set(made.json) == {"backup", "sha256", "size", "entries"}
    assert made.json["size"] == file.stat().st_size
    tomas.refuses("vault", "backup", tmp_path / "two.backup", code=4, saying="Back up: refused")
    ines.refuses("vault", "backup", file, code=7, saying="one.backup")

    restored = tomas("vault", "restore", file, folder, "--json")
    assert restored.code == 0, restored
    assert set(restored.json) == {"vault", "made", "entries", "sha256"}
    assert (restored.json["sha256"], restored.json["entries"]) == (made.json["sha256"], made.json["entries"])
    again = Assay(folder, "ines", ines.passphrase)
    assert again("vault", "check", "--json").code == 0
    acts = [entry["act"] for entry in again("audit", "log", "--json").json["entries"]]
    assert acts.count("restore") == 1

    compacted = again("vault", "compact", "--json")
    assert set(compacted.json) == {"before", "after"}
    assert again("vault", "check", "--json").code == 0
    again.refuses("vault", "restore", file, folder, code=7, saying="Again.assay")
    words = tmp_path / "words"
    words.write_text("\n".join(ines("vault", "recovery", "--json").json["words"]))
    saved, third = tmp_path / "two.backup", tmp_path / "Third.assay"
    assert ines("vault", "backup", saved).code == 0
    nobody = Assay(third, "", tmp_path / "no passphrase")
    by_words = nobody("vault", "restore", saved, third, "--words-file", words)
    assert by_words.code == 0, by_words
    assert "assay vault recover" in by_words.out
    new = tmp_path / "new passphrase"
    new.write_text("a bell rings under the lake\n")
    back = Assay(third, "ines", new)
    assert back("vault", "recover", third, "--words-file", words, "--passphrase-file", new).code == 0

    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    shutil.rmtree(folder)
    file.write_bytes(content)
    again.refuses("vault", "restore", file, folder, code=10, saying="damaged or incomplete")
    assert not folder.exists()
