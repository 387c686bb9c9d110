"""Documents: read them in, show their pages, find a quote on a page.

A file goes in whole or not at all: it is read, cut and embedded first, and then kept in one transaction. So stopping, a crash or a power loss
leaves the files that were finished. A file with the same bytes as one in the collection is unchanged; one with the name of another replaces it in
what is searched, and the earlier version stays for the answers that cite it. A collection remembers its embedder and how its documents are cut,
and keeps to them: vectors of two models can't be compared. `rebuilding` makes it anew with others. Every page that is shown is in the audit log.
"""

import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import PurePosixPath
from typing import Final

from core.documents import cutting, files, formats, history, ocr, passages, places, preparing, previewing, store
from core.documents.dropping import drop_missing
from core.documents.pipeline import Pace, Pipeline, Prepared
from core.documents.previewing import Preview, Sample
from core.documents.reading import SPEC, Read, Reader
from core.documents.records import (
    AddDocuments,
    AddedDocuments,
    Collection,
    CuttingChoice,
    Document,
    PageImage,
    Rect,
    Refusal,
)
from core.documents.screening.entering import Gate
from core.documents.worker.records import Located, LocateQuote, Opened, OpenPages, Parsed, RenderPage
from core.errors import BadInput, Changed, NotFound, Unavailable, Unsupported, WorkerFailed
from core.inference.service import Engine
from core.jobs import Job
from core.models.records import ModelFile
from core.models.service import Models
from core.models.starter import EMBEDDER
from core.records import Digest, now
from core.vault import holds
from core.vault.backup import required
from core.vault.roles import Act
from core.vault.vault import Vault
from core.workers.supervisor import Supervisor, Worker

LONGEST_NAME: Final = 80


class Documents:
    """The collections of one open vault."""

    def __init__(self, vault: Vault, supervisor: Supervisor, engine: Engine, embedder: str = EMBEDDER) -> None:
        self._vault = vault
        self._supervisor = supervisor
        self._engine = engine
        self._embedder = embedder
        self._models = Models(vault, supervisor)
        self._viewer: tuple[Digest, Worker] | None = None
        self._viewing = threading.Lock()
        self._shown: set[tuple[Digest, int]] = set()

    def add(self, request: AddDocuments, job: Job, passwords: Sequence[str] = ()) -> AddedDocuments:
        """Read files and folders into a collection, which is made with its first document. Progress in files, with pages, chunks
        and the time left.

        `passwords` are tried on what is encrypted, and kept nowhere.

        Raises `NotFound` (a path), `Unavailable` (no embedder), `BadInput` (its name, an embedder that isn't here as it was, only empty folders,
        documents that are cut otherwise), `Refused` (role; before anything is read), `DiskFull`, `Cancelled`. What is wrong with one file is a
        refusal, and the others go on."""
        started = time.monotonic()
        name = checked_name(request.collection)
        required(self._vault, Act.ADD_DOCUMENTS, name)
        found, refused = files.collect(request.paths)
        if not found:
            raise BadInput(source=name, problem=refused[0].reason if refused else "no file was given. Name one.")
        self._check_embedder(name, job)
        cutting.settle(self._vault, self._engine, name, self._embedder_of(name), request.cutting)
        added = replaced = unchanged = chunks = pages = finished = furnished = 0
        gate = Gate(self._vault, name)
        pace = Pace([files.size(path) for _, path in found])
        reader = Reader(
            self._supervisor,
            lambda content: self._has(name, content) or gate.knows(content),
            tuple(passwords),
            ocr.find(),
        )
        with ExitStack() as stack:
            pipeline = stack.enter_context(self._pipeline(name, job))

            def early(documents: tuple[Read | Refusal, ...]) -> None:
                for one in documents if gate.off else ():  # where it screens, it says first what goes on
                    if isinstance(one, Read):
                        pipeline.begin(one)

            reading = stack.enter_context(closing(reader.read_all(found, job, early)))

            def tell(files: int) -> None:
                nonlocal finished
                for number in range(finished + 1, files + 1):
                    job.report(number, len(found), "files", pace.said(number, pages, chunks))
                    finished = number

            def keep(read: int, *, every: bool = False) -> None:
                nonlocal added, replaced, chunks, pages, furnished
                for one in pipeline.ready(every=every):
                    job.check()
                    replaced += self._has_name(name, one.read.name)
                    self._insert(name, one, pipeline)
                    chunks += len(one.cuts)
                    pages += len(one.parsed.pages)
                    furnished += any(block.kind == "furniture" for page in one.parsed.pages for block in page.blocks)
                    added += 1
                    tell(read if pipeline.first is None else pipeline.first)
                tell(read if pipeline.first is None else pipeline.first)

            job.report(0, len(found), "files")
            for done, documents in enumerate(reading):
                drop_missing(self._vault, name, found[done][0], documents)
                for read in documents:
                    job.check()
                    if isinstance(read, Refusal):
                        refused.append(read)
                    elif read.parsed is None or pipeline.has(read.content) or self._has(name, read.content):
                        unchanged += 1
                    elif parsed := gate.enter(read.name, read.content, read.data, read.parsed):
                        pipeline.put(read, parsed, done)
                    keep(done)
                keep(done + 1)
            keep(len(found), every=True)
        return AddedDocuments(
            collection=name,
            added=added,
            replaced=replaced,
            unchanged=unchanged,
            refused=tuple(refused),
            chunks=chunks,
            pages=pages,
            seconds=time.monotonic() - started,
            held=gate.held,
            excluded=gate.excluded,
            redacted=gate.redacted,
            with_furniture=furnished,
        )

    def sample(self, paths: Sequence[str], job: Job, passwords: Sequence[str] = ()) -> Sample:
        """Read some of the files there, to see how they would be cut; nothing is kept. Progress in files. Raises `NotFound`, `BadInput`."""
        return previewing.sample(self.reader(passwords), tuple(paths), job)

    def reader(self, passwords: Sequence[str] = ()) -> Reader:
        """What reads documents as an import does, also those whose bytes are known."""
        return Reader(self._supervisor, lambda _: False, tuple(passwords), ocr.find())

    def preview(self, sample: Sample, choice: CuttingChoice, job: Job, collection: str = "") -> Preview:
        """What would come of cutting a sample like this, for a new collection or for one that is there. Nothing is kept.

        Raises `Unavailable` (no embedder), `BadInput` (a strategy, size or overlap that can't be)."""
        with self._vault.read() as reader:
            kept = store.find(reader, collection)
        embedder = self.embedder() if kept is None else self._models.show(kept.embedder)
        before = preparing.RULES if kept is None else kept.chunking
        rules = cutting.rules(choice, before, preparing.room(self._engine, embedder))
        return previewing.preview(self._engine, embedder, sample, rules, job)

    def take_in(self, collection: str, read: Read, parsed: Parsed, job: Job) -> int:
        """Keep a document that was read before, as `parsed` has it; the number of its passages. Raises as `add`."""
        required(self._vault, Act.ADD_DOCUMENTS, collection)
        self._check_embedder(collection, job)
        with self._pipeline(collection, job) as pipeline:
            pipeline.put(read, parsed)
            for one in pipeline.ready(every=True):
                self._insert(collection, one, pipeline)
                return len(one.cuts)
        raise AssertionError

    def collections(self) -> tuple[Collection, ...]:
        """All collections, by name."""
        with self._vault.read() as reader:
            return store.collections(reader)

    def collection(self, name: str) -> Collection:
        """One collection. Raises `NotFound`."""
        with self._vault.read() as reader:
            store.get(reader, name)
            return next(found for found in store.collections(reader) if found.name == name)

    def list(self, collection: str) -> tuple[tuple[Digest, Document], ...]:
        """The current documents of a collection with their digests, by name. Raises `NotFound`."""
        with self._vault.read() as reader:
            digests = store.current(reader, store.get(reader, collection).id)
            return tuple((digest, reader.get(digest, Document)) for digest in digests)

    def gone(self, collection: str) -> tuple[tuple[Digest, Document, str], ...]:
        """The last version of each document that was taken out of a collection, and when; latest first. They stay readable."""
        with self._vault.read() as reader:
            kept = store.find(reader, collection)
            found = history.gone(reader, kept.id) if kept is not None else []
            return tuple((digest, reader.get(digest, Document), time) for digest, time in found)

    def show(self, document: Digest) -> Document:
        """One document, also an earlier version. Raises `NotFound`."""
        with self._vault.read() as reader:
            return reader.get(document, Document)

    def out_of_search(self, document: Digest) -> tuple[str, bool]:
        """Since when a version is no longer searched, empty while it is; and whether one of its name or its bytes is searched in its place."""
        with self._vault.read() as reader:
            return history.out_of_search(reader, document)

    def text(self, document: Digest, page: int) -> str:
        """The text of a page (from 1), as it was read. Raises `NotFound`, `Refused`."""
        with self._vault.read() as reader:
            name = reader.get(document, Document).name
            text = passages.page_text(reader, document, page)
        self._log_showing(document, name, page)
        return text

    def place(self, document: Digest, page: int, start: int) -> str:
        """Where the page's text at `start` comes from, in words: "sheet Costs, A5:D5", "slide 3, notes", "line 12"; empty where nothing is known.

        Raises `NotFound`."""
        with self._vault.read() as reader:
            label, place = passages.place(reader, document, page, start)
            return places.said(reader.get(document, Document).media, page, label, place)

    def page(self, document: Digest, page: int, zoom: float = 1.5) -> PageImage:
        """A PDF's page (from 1), rendered at `zoom` pixels a point, or smaller where that would be too large: see its `scale`.

        Raises `NotFound`, `Unsupported` for other formats (show `text`), `WorkerFailed`, `Refused`."""
        known = self.show(document)
        self._log_showing(document, known.name, page)
        with self._viewing:
            return self._opened(document, known).call(RenderPage(page=page, scale=zoom), PageImage)

    def locate(self, document: Digest, page: int, quote: str) -> tuple[Rect, ...]:
        """Where a quote stands on a PDF's page, a rectangle a line; the passage that has it where the page's text was recognised.

        None where it isn't found, and for formats without pages."""
        known = self.show(document)
        if known.media not in formats.DRAWN:
            return ()
        if found := self._located(document, known, page, quote).rects:
            return found
        with self._vault.read() as reader:  # a page that was recognised has no words of its own
            return passages.passage_of(reader, document, page, quote)

    def locate_overleaf(self, document: Digest, page: int, quote: str) -> tuple[Rect, ...]:
        """The rest of a quote that begins on a PDF's page and goes on over its end: where that stands on the next page; none where it doesn't."""
        known = self.show(document)
        if known.media not in formats.DRAWN or not 1 <= page < known.pages:
            return ()
        return self._located(document, known, page, quote).overleaf

    def _located(self, document: Digest, known: Document, page: int, quote: str) -> Located:
        with self._viewing:
            return self._opened(document, known).call(LocateQuote(page=page, quote=quote), Located)

    def remove(self, document: Digest, reason: str = "") -> None:
        """Take a document out of its collection's search. What was recorded of it stays, for the answers that cite it.

        Raises `NotFound`, `Refused` (role, a legal hold)."""
        known = self.show(document)
        with self._vault.write(Act.REMOVE_DOCUMENTS, about=known.name, reason=reason) as unit:
            named = [("document", str(document)), ("collection", known.collection)]
            holds.refuse_removal(unit, f"Remove {known.name}", named)
            store.retire(unit, document)
            unit.note(before="in search", after="retired", touched=(document,))

    def close(self) -> None:
        """Close the document that is being shown."""
        with self._viewing:
            if self._viewer is not None:
                self._viewer[1].close()
            self._viewer = None

    def _check_embedder(self, name: str, job: Job) -> None:
        """Raise `Unavailable` without an embedder for a new collection, and `BadInput` where a collection's own embedder isn't here as it was, or
        the collection was made in another way."""
        with self._vault.read() as reader:
            kept = store.find(reader, name)
        if kept is None:
            self.embedder()
            return
        try:
            route = self._engine.route(self._models.show(kept.embedder).digest, job)
        except (NotFound, Changed) as error:
            raise store.outdated(
                name, f"made with the embedder {kept.embedder_name}, which isn't here as it was: {error}"
            ) from error
        store.check_route(kept, route)
        if kept.chunking.version != preparing.RULES.version:
            raise store.outdated(name, "made by another version of Assay, which cut documents differently.")

    def outdated(self, collection: str, job: Job) -> str:
        """Why a collection can't be searched or added to as it was made, in a sentence; empty where it can. Raises `NotFound`."""
        with self._vault.read() as reader:
            store.get(reader, collection)
        try:
            self._check_embedder(collection, job)
        except BadInput as error:
            return str(error)
        return ""

    def embedder(self, name: str = "") -> ModelFile:
        """The model of that name; that for new collections without one. Raises `Unavailable`."""
        name = name or self._embedder
        try:
            return self._models.show(name)
        except NotFound as error:
            raise Unavailable(
                what=f"Documents can't be prepared: this vault knows no embedder {name}",
                step=f"Set-up builds its file; `assay model add FILE --name {name}` registers it here.",
            ) from error

    def _has(self, collection: str, content: Digest) -> bool:
        with self._vault.read() as reader:
            kept = store.find(reader, collection)
            return kept is not None and store.has_content(reader, kept.id, content)

    def _has_name(self, collection: str, name: str) -> bool:
        with self._vault.read() as reader:
            kept = store.find(reader, collection)
            return kept is not None and store.has_name(reader, kept.id, name)

    def _pipeline(self, collection: str, job: Job) -> Pipeline:
        with self._vault.read() as reader:
            kept = store.find(reader, collection)
        model = self._embedder_of(collection)
        return Pipeline(
            self._engine, model, preparing.rules(self._engine, model) if kept is None else kept.chunking, job
        )

    def _embedder_of(self, collection: str) -> ModelFile:
        with self._vault.read() as reader:
            kept = store.find(reader, collection)
        return self._models.show(self._embedder if kept is None else kept.embedder)

    def _insert(self, collection: str, one: Prepared, pipeline: Pipeline) -> None:
        """Keep a document, whole. Raises `BadInput` where the collection was made anew in the meantime."""
        read, parsed = one.read, one.parsed
        document = Document(
            name=read.name,
            content=read.content,
            media=parsed.media,
            pages=len(parsed.pages),
            pages_without_text=sum(page.textless for page in parsed.pages),
            size=len(read.data),
            title=parsed.title or PurePosixPath(read.name).stem,
            collection=collection,
            added=now(),
        )
        model, rules = pipeline.model, pipeline.rules
        route = self._engine.route(model.digest)
        with self._vault.write(Act.ADD_DOCUMENTS, about=f"{collection}/{read.name}") as unit:
            content = unit.seal((read.data,))
            digest = unit.put(document, links=(content,))
            if store.find(unit, collection) is None:
                store.create(unit, collection, model.digest, model.name, model.dimensions, rules, route)
            kept = store.get(unit, collection)
            if (kept.embedder, kept.chunking) != (model.digest, rules):
                raise BadInput(source=collection, problem="it was made anew in the meantime. Add the files again.")
            store.insert(unit, kept, digest, document, parsed, one.cuts, one.matrix)

    def _opened(self, document: Digest, known: Document) -> Worker:
        """The worker that holds this document's pages; the one before is ended. Called with `_viewing` held."""
        if known.media not in formats.DRAWN:
            raise Unsupported(
                source=known.name, reason="only pages of PDFs and pictures can be drawn; its text can be shown."
            )
        if self._viewer is not None and self._viewer[0] == document and self._viewer[1].alive:
            return self._viewer[1]
        if self._viewer is not None:
            self._viewer[1].close()
            self._viewer = None
        with self._vault.read() as reader:
            data = reader.blob(known.content)
        worker = self._supervisor.start(SPEC)
        try:
            worker.call(OpenPages(name=known.name, data=data), Opened)
        except (BadInput, Unsupported, WorkerFailed):
            worker.close()
            raise
        self._viewer = (document, worker)
        return worker

    def _log_showing(self, document: Digest, name: str, page: int) -> None:
        """Once for each page and open vault: turning back to a page shows nothing new."""
        if (document, page) in self._shown:
            return
        with self._vault.write(Act.SHOW_DOCUMENT, about=f"{name}, page {page}") as unit:
            unit.note(touched=(document,))
            self._shown.add((document, page))


def checked_name(name: str) -> str:
    """A collection's name, white space made single. Raises `BadInput`."""
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable() or name.startswith("-"):
        raise BadInput(
            source="collection",
            problem=f"its name has 1 to {LONGEST_NAME} printable characters and doesn't begin with a dash.",
        )
    return name
