"""Collections of short texts for measuring retrieval: other people's test collections, indexed as the program would, many in one transaction."""

import hashlib
import json
import re
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from core.documents import store
from core.documents.chunking import chunk
from core.documents.records import Chunking, Document
from core.documents.worker.records import PageWriter, Parsed
from core.records import Digest, now
from core.vault.roles import Act
from tests.unit.documents.workspace import Workspace

AT_ONCE = 256
"""Texts in one transaction."""
Text = tuple[str, str]
"""A name and what it says."""


def vaswani(folder: Path) -> list[Text]:
    """The 11,429 abstracts of the Vaswani (NPL) collection, by their number."""
    found = (folder / "vaswani_npl" / "corpus" / "doc-text.trec").read_text(encoding="utf-8")
    return re.findall(r"<DOCNO>(\d+)</DOCNO>\s(.*?)</DOC>", found, re.DOTALL)


def pubmed(path: Path) -> tuple[list[Text], dict[str, str], dict[str, dict[str, int]]]:
    """PubMedQA as a search: (parts of abstracts, questions, judgements). What a question seeks is every part of its own abstract."""
    texts, questions, wanted = [], {}, {}
    for key, entry in json.loads(path.read_text(encoding="utf-8")).items():
        names = [f"{key}-{number}" for number in range(len(entry["CONTEXTS"]))]
        texts += list(zip(names, entry["CONTEXTS"], strict=True))
        questions[key] = entry["QUESTION"]
        wanted[key] = dict.fromkeys(names, 1)
    return texts, questions, wanted


def index_texts(made: Workspace, model: str, collection: str, texts: Sequence[Text]) -> int:
    """Cut, embed and keep texts as documents of their names; the number of chunks."""
    embedder = made.models.show(model)
    rules, chunks = Chunking(), 0

    def count(several: Sequence[str]) -> list[int]:
        counted = made.engine.count_tokens(["", *several], embedder.digest)
        return [number - counted[0] for number in counted[1:]]

    for batch in _batches(texts):
        parsed = [_parsed(name, text) for name, text in batch]
        cuts = [chunk(one, count, rules) for one in parsed]
        vectors = made.engine.embed([cut.embedded for several in cuts for cut in several], embedder.digest)
        with made.vault.write(Act.ADD_DOCUMENTS, about=collection) as unit:
            if store.find(unit, collection) is None:
                route = made.engine.route(embedder.digest)
                store.create(unit, collection, embedder.digest, model, embedder.dimensions, rules, route)
            kept = store.get(unit, collection)
            for (name, text), one, several in zip(batch, parsed, cuts, strict=True):
                document = _document(collection, name, text)
                own, vectors = vectors[: len(several)], vectors[len(several) :]
                store.insert(unit, kept, unit.put(document), document, one, several, own)
                chunks += len(several)
    return chunks


def _batches(texts: Sequence[Text]) -> Iterator[Sequence[Text]]:
    for start in range(0, len(texts), AT_ONCE):
        yield texts[start : start + AT_ONCE]


def _parsed(name: str, text: str) -> Parsed:
    writer = PageWriter(1)
    writer.add("paragraph", " ".join(text.split()))
    return Parsed(media="text/plain", title=name, pages=(writer.page(),))


def _document(collection: str, name: str, text: str) -> Document:
    data = text.encode()
    return Document(
        name=name,
        content=Digest(hashlib.sha256(data).hexdigest()),
        media="text/plain",
        pages=1,
        size=len(data),
        title=name,
        collection=collection,
        added=now(),
    )


def tokens(texts: Sequence[str]) -> list[list[str]]:
    """Each text's tokens as the vault's full-text index makes them."""
    db = sqlite3.connect(":memory:")
    db.execute("CREATE VIRTUAL TABLE words USING fts5(text, tokenize = 'porter unicode61 remove_diacritics 2')")
    db.execute("CREATE VIRTUAL TABLE terms USING fts5vocab(words, 'instance')")
    db.executemany("INSERT INTO words(rowid, text) VALUES (?, ?)", list(enumerate(texts, start=1)))
    found: list[list[str]] = [[] for _ in texts]
    for term, text in db.execute("SELECT term, doc FROM terms ORDER BY doc, offset"):
        found[text - 1].append(term)
    db.close()
    return found
