"""What the vault's adapters were trained on, for whoever tests them."""

from core.datasets.screening import Learned
from core.records import Digest
from core.training import store
from core.training.records import TrainingResult, TrainingRun
from core.vault.unit import Reader
from core.vault.vault import Vault


def learned(vault: Vault) -> tuple[Learned, ...]:
    """Every training run with its datasets, and the names of the files that aren't kept in the vault, newest first."""
    with vault.read() as reader:
        return tuple(_learned(reader, row) for row in store.everything(reader))


def _learned(reader: Reader, row: store.Row) -> Learned:
    digest, ended = row.run, row.result
    run = reader.get(digest, TrainingRun)
    result = reader.get(Digest(ended), TrainingResult) if ended else None
    datasets = reader.links(digest)
    return Learned(
        adapter=run.id,
        digest=result.gguf if result is not None else "",
        datasets=datasets,
        files=tuple(source.reference for source in run.sources if source.digest not in datasets),
    )
