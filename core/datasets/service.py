"""Datasets: immutable versions of samples, read from files, edited, parted, screened, and written to files.

What a model wrote stays marked so: a sample that was synthetic in the version before is synthetic in the next one, whatever an edit or a file says.
"""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from core.datasets import changes, screening, splitting
from core.datasets.changes import Change
from core.datasets.files import ReadFile, read_file, whole
from core.datasets.keeping import KIND, keep
from core.datasets.records import AddDataset, Dataset, Sample, SavedDataset, SaveSamples, SplitDataset
from core.datasets.screening import Contaminated, Learned, Screening, Source
from core.datasets.writing import written
from core.errors import BadInput, NotFound
from core.jobs import Job
from core.paths import write_whole
from core.records import Digest
from core.trust.canonical import digest as digest_of
from core.trust.canonical import record_from
from core.vault import blobs, versions
from core.vault.roles import Act
from core.vault.vault import Vault
from core.workers.supervisor import Supervisor


class Datasets:
    """The operations on datasets of one open vault."""

    def __init__(
        self,
        vault: Vault,
        supervisor: Supervisor | None = None,
        personal: Callable[[str], Collection[str]] | None = None,
    ) -> None:
        """`personal` says which kinds of personal data a text holds. Without a supervisor, files are read in this process."""
        self._vault = vault
        self._supervisor = supervisor
        self._personal = personal or (lambda text: ())
        self.learned: Callable[[], Sequence[Learned]] = tuple
        """What the vault's adapters were trained on; told by the training service, which lies above."""

    def preview(self, request: AddDataset, job: Job, most: int = 0) -> ReadFile:
        """What a file holds and what is wrong with it, line by line; nothing is stored. Raises `BadInput`, `Unsupported`, `WorkerFailed`."""
        return read_file(Path(request.path), job, self._supervisor, request.form, request.columns, most)

    def add(self, request: AddDataset, job: Job) -> SavedDataset:
        """Read a file into a new version, or find that it equals the latest. Raises `BadInput` with file and line."""
        versions.check_name(KIND, request.name)
        path = Path(request.path)
        samples = whole(self.preview(request, job), request.leave_out)
        job.report(len(samples), len(samples), "samples")
        with self._vault.write(Act.ADD_DATASET, about=request.name) as unit:
            return keep(unit, request.name, samples, path.name, "file")

    def save(self, request: SaveSamples) -> SavedDataset:
        """Keep edited samples as the next version. Raises `BadInput` where the dataset has a newer version than the one that was edited."""
        versions.check_name(KIND, request.name)
        if not request.samples:
            raise BadInput(source=request.name, problem="a dataset has at least one sample.")
        _check(request.name, request.samples)
        with self._vault.write(Act.ADD_DATASET, about=request.name) as unit:
            known = versions.left(unit, KIND, request.name)
            based = versions.resolve(unit, KIND, request.based_on) if request.based_on else None
            if known and known[max(known)] != based:
                problem = f"version {max(known)} was kept meanwhile. Open it, and make your changes there."
                raise BadInput(source=request.name, problem=problem)
            last = unit.get(based, Dataset) if based is not None else None
            return keep(unit, request.name, request.samples, last.source if last else "", "person", request.note)

    def split(self, request: SplitDataset, job: Job) -> tuple[SavedDataset, ...]:
        """Part a version into a new one; with `apart`, each part becomes a dataset too. The parted version comes first. Raises `BadInput`."""
        shown = self.show(request.reference)
        name = shown.dataset.name
        samples = splitting.split(shown.dataset.samples, request.splitting)
        job.report(len(samples), len(samples), "samples")
        note = f"split by {request.splitting.by}, seed {request.splitting.seed}"
        with self._vault.write(Act.ADD_DATASET, about=name) as unit:
            known = versions.left(unit, KIND, name)
            if known[max(known)] != shown.digest:
                problem = f"version {max(known)} is the latest. Split that one, so that the parts belong to it."
                raise BadInput(source=shown.dataset.reference, problem=problem)
            made = [keep(unit, name, samples, shown.dataset.source, "person", note, request.splitting)]
            for part in request.splitting.shares if request.apart else ():
                own = tuple(sample for sample in samples if sample.split == part)
                said = f"the part {part} of {made[0].dataset.reference}"
                made.append(keep(unit, f"{name}-{part}", own, made[0].dataset.reference, "person", said))
        return tuple(made)

    def list(self) -> tuple[Dataset, ...]:
        """The latest version of each dataset, by name."""
        with self._vault.read() as reader:
            return tuple(reader.get(digest, Dataset) for digest in versions.latest(reader, KIND))

    def show(self, reference: str) -> SavedDataset:
        """A version, by `name@number` or `name` (its latest). Raises `NotFound`."""
        with self._vault.read() as reader:
            digest = versions.resolve(reader, KIND, reference)
            return SavedDataset(digest=digest, dataset=reader.get(digest, Dataset), created=False)

    def versions(self, name: str) -> tuple[tuple[int, Digest], ...]:
        """Number and digest of each version that wasn't erased, newest first."""
        with self._vault.read() as reader:
            return tuple(sorted(versions.left(reader, KIND, name).items(), reverse=True))

    def changes(self, reference: str, before: str = "") -> tuple[Change, ...]:
        """What a version changed, against another one or its parent; everything is new where there is none. Raises `NotFound`."""
        shown = self.show(reference).dataset
        if before:
            return changes.changes(self.show(before).dataset.samples, shown.samples)
        with self._vault.read() as reader:
            if shown.parent is None or shown.parent not in versions.left(reader, KIND, shown.name).values():
                return changes.changes((), shown.samples)
            return changes.changes(reader.get(shown.parent, Dataset).samples, shown.samples)

    def screen(self, reference: str, job: Job, adapters: Sequence[str] = ("*",)) -> Screening:
        """Duplicates, personal data, and samples that adapters learned: runs by id or digest, or "*" for all. Raises `NotFound`."""
        shown = self.show(reference)
        samples = shown.dataset.samples
        sources, unknown = self._sources(adapters, shown.digest)
        return Screening(
            reference=shown.dataset.reference,
            samples=len(samples),
            repeats=screening.repeats(samples, job),
            personal=screening.personal(samples, self._personal, job),
            contaminated=screening.contaminated(samples, sources, job),
            unknown=unknown,
        )

    def contaminated(
        self, reference: str, adapters: Sequence[str], job: Job
    ) -> tuple[tuple[Contaminated, ...], tuple[str, ...]]:
        """The samples that these adapters learned, and what of them couldn't be compared."""
        if not adapters:
            return (), ()
        shown = self.show(reference)
        sources, unknown = self._sources(adapters, shown.digest)
        return screening.contaminated(shown.dataset.samples, sources, job), unknown

    def export(self, reference: str, path: Path, reason: str = "", form: str = "samples", part: str = "") -> int:
        """Write a version's samples, or those of a part, to a file of the format that its ending names; returns how many.

        The log tells the file by a digest that is salted with the nonce of the version's record: a plain one would let whoever reads the
        log try out what a short dataset holds, also after it was erased.
        """
        shown = self.show(reference)
        dataset = shown.dataset
        samples = tuple(sample for sample in dataset.samples if not part or sample.split == part)
        if not samples:
            raise NotFound(kind="part", name=part, step=f"{dataset.reference} has {_parts(dataset.samples)}.")
        content = written(samples, path.suffix.lower(), form)
        with self._vault.write(Act.EXPORT_DATASET, about=f"{dataset.reference} to {path.name}", reason=reason) as unit:
            nonce = record_from(unit.raw(shown.digest), Dataset)[1]
            unit.note(after=f"salted sha256 {blobs.commitment(nonce, digest_of(content))}", touched=(shown.digest,))
            write_whole(path, content)
        return len(samples)

    def _sources(self, adapters: Sequence[str], own: Digest) -> tuple[tuple[Source, ...], tuple[str, ...]]:
        """The datasets that these adapters learned, and the files and erased versions that can't be compared."""
        found: list[Source] = []
        unknown: list[str] = []
        with self._vault.read() as reader:
            for one in self.learned():
                if (
                    "*" not in adapters
                    and one.adapter not in adapters
                    and (not one.digest or one.digest not in adapters)
                ):
                    continue
                unknown += [f"{one.adapter}: {name}" for name in one.files]
                for digest in one.datasets:
                    try:
                        held = reader.get(digest, Dataset)
                    except NotFound:
                        unknown.append(f"{one.adapter}: an erased dataset")
                        continue
                    found.append(Source(one.adapter, held.reference, held.samples))
        return tuple(found), tuple(dict.fromkeys(unknown))


def _check(name: str, samples: Sequence[Sample]) -> None:
    """Raise `BadInput` for a sample that asks nothing, has no answer of any kind, or an id that is there already."""
    seen: set[str] = set()
    for sample in samples:
        where = f"{name}, {sample.id or 'a sample'}"
        if not sample.id.strip() or not sample.input.strip():
            raise BadInput(source=where, problem="it needs an id and an input.")
        if sample.id in seen:
            raise BadInput(source=where, problem="the id occurs twice.")
        if not (sample.target or sample.answer or sample.chosen or sample.rejected or sample.unanswerable):
            raise BadInput(source=where, problem="no target. Give one, or mark the sample unanswerable.")
        seen.add(sample.id)


def _parts(samples: Sequence[Sample]) -> str:
    named = [part for part in splitting.counts(samples) if part]
    return ", ".join(named) or "no parts; `assay dataset split` makes some"
