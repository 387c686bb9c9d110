"""Datasets: immutable versions of samples, read from files and written to them."""

from pathlib import Path

from core.datasets.files import read_samples, write_samples
from core.datasets.records import AddDataset, Dataset, SavedDataset
from core.jobs import Job
from core.paths import write_whole
from core.records import Digest, now
from core.trust.canonical import digest as digest_of
from core.trust.canonical import record_from
from core.vault import blobs, versions
from core.vault.roles import Act
from core.vault.vault import Vault

_KIND = "dataset"


class Datasets:
    """The operations on datasets of one open vault."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def add(self, request: AddDataset, job: Job) -> SavedDataset:
        """Read a file into a new version, or find that it equals the latest. Raises `BadInput` with file and line."""
        versions.check_name(_KIND, request.name)
        path = Path(request.path)
        samples = read_samples(path)
        job.report(len(samples), len(samples), "samples")

        def make(number: int, parent: Digest | None) -> Dataset:
            return Dataset(
                name=request.name,
                number=number,
                samples=samples,
                source=path.name,
                parent=parent,
                author=self._vault.user.user,
                saved=now(),
            )

        with self._vault.write(Act.ADD_DATASET, about=request.name) as unit:
            digest, dataset, created = versions.save(
                unit, _KIND, request.name, Dataset, lambda last: last.samples == samples, make
            )
        return SavedDataset(digest=digest, dataset=dataset, created=created)

    def list(self) -> tuple[Dataset, ...]:
        """The latest version of each dataset, by name."""
        with self._vault.read() as reader:
            return tuple(reader.get(digest, Dataset) for digest in versions.latest(reader, _KIND))

    def show(self, reference: str) -> SavedDataset:
        """A version, by `name@number` or `name` (its latest). Raises `NotFound`."""
        with self._vault.read() as reader:
            digest = versions.resolve(reader, _KIND, reference)
            return SavedDataset(digest=digest, dataset=reader.get(digest, Dataset), created=False)

    def export(self, reference: str, path: Path, reason: str = "") -> int:
        """Write a version's samples to a file of the format that its ending names; returns how many.

        The log tells the file by a digest that is salted with the nonce of the version's record: a plain one would let whoever reads the
        log try out what a short dataset holds, also after it was erased.
        """
        shown = self.show(reference)
        dataset = shown.dataset
        content = write_samples(dataset.samples, path.suffix.lower())
        with self._vault.write(Act.EXPORT_DATASET, about=f"{dataset.reference} to {path.name}", reason=reason) as unit:
            nonce = record_from(unit.raw(shown.digest), Dataset)[1]
            unit.note(after=f"salted sha256 {blobs.commitment(nonce, digest_of(content))}", touched=(shown.digest,))
            write_whole(path, content)
        return len(dataset.samples)
