"""Datasets of an open vault: what leaves it, and what the log says of that."""

from hashlib import sha256
from pathlib import Path

from core.datasets.records import AddDataset, Dataset
from core.datasets.service import Datasets
from core.jobs import Job
from core.trust.canonical import record_from
from core.vault.vault import Vault


def test_the_log_tells_an_exported_file_by_a_digest_that_nobody_can_try_out(vault: Vault, tmp_path: Path) -> None:
    """A dataset of one question with a yes or a no has few contents: their plain digests must not be in the log."""
    source, out = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    source.write_text('{"id":"q1","input":"Is it confidential?","target":"yes"}\n')
    datasets = Datasets(vault)
    saved = datasets.add(AddDataset(name="short", path=str(source)), Job("add"))
    assert datasets.export("short@1", out) == 1
    plain = sha256(out.read_bytes())
    with vault.read() as reader:
        log = b"\n".join(reader.log_bytes(place) for place in range(reader.log_size)).decode()
        nonce = record_from(reader.raw(saved.digest), Dataset)[1]
    assert plain.hexdigest() not in log
    assert nonce.hex() not in log
    salted = sha256(b"assay blob\x00" + nonce + plain.digest()).hexdigest()
    assert f"salted sha256 {salted}" in log
