"""Content for the pages on its life, put into a vault without any worker: documents with their versions, answers that quote them, a dataset."""

from collections.abc import Sequence

import numpy as np

from core.assistants import store as traces
from core.assistants.records import QUOTES, Answer, Citation, Question
from core.datasets.records import Dataset, Sample
from core.documents import store
from core.documents.chunking import Cut
from core.documents.records import Chunking, Document
from core.documents.worker.records import READER, Page, Parsed
from core.records import Digest
from core.vault import versions
from core.vault.roles import Act
from core.vault.vault import Vault

WHEN = "2026-11-03T09:00:00+00:00"
DIMENSIONS = 8


def put_documents(vault: Vault, collection: str, texts: dict[str, str]) -> list[Digest]:
    """Add documents of one page; a name that is there already gets another version."""
    made = []
    with vault.write(Act.ADD_DOCUMENTS, about=collection) as unit:
        if store.find(unit, collection) is None:
            store.create(unit, collection, Digest("e0" * 32), "starter-embed", DIMENSIONS, Chunking())
        for name, text in texts.items():
            content = unit.seal([text.encode()])
            document = Document(
                name=name,
                content=content,
                media="text/markdown",
                pages=1,
                size=len(text),
                title=name,
                collection=collection,
                added=unit.time,
            )
            digest = unit.put(document, links=(content,))
            cut = Cut(page=1, start=0, end=len(text), shown=text, heading="", embedded=text, rects=())
            parsed = Parsed(
                media="text/markdown", title=name, pages=(Page(number=1, text=text, blocks=()),), reader=READER
            )
            vector = np.ones((1, DIMENSIONS), dtype=np.float32)
            store.insert(unit, store.get(unit, collection), digest, document, parsed, [cut], vector)
            made.append(digest)
    return made


def put_answers(vault: Vault, collection: str, given: Sequence[tuple[str, str]], document: Digest) -> list[Digest]:
    """Answers, each with its question, that cite a document."""
    made = []
    with vault.write(Act.ASK, about=collection) as unit:
        for question, text in given:
            cited = Citation(
                number=1, document=document, name="a", page=1, quote=text, score=1.0, supported=True, start=0, end=1
            )
            answer = Answer(
                question=Question(collection=collection, text=question, passages=1),
                answer=text,
                abstained=False,
                citations=(cited,),
                passages=(),
                sentences=1,
                unsupported=(),
                best_score=1.0,
                needed_score=0.5,
                model=QUOTES,
                model_digest="",
                prompt_digest="",
                rendered="",
                finish="stop",
                tokens=1,
                prompt_tokens=1,
                first_token_seconds=0.1,
                seconds=0.1,
                backend=QUOTES,
            )
            digest = unit.put(answer, links=(document,))
            traces.insert(unit, digest, collection)
            made.append(digest)
    return made


def put_dataset(vault: Vault, name: str, question: str) -> Digest:
    """A dataset of one sample."""
    sample = Sample(id="S-1", input=question, target="x")

    def make(number: int, parent: Digest | None) -> Dataset:
        return Dataset(
            name=name, number=number, samples=(sample,), source="q.jsonl", parent=parent, author="ines", saved=WHEN
        )

    with vault.write(Act.ADD_DATASET, about=name) as unit:
        digest, _, _ = versions.save(unit, "dataset", name, Dataset, lambda last: False, make)
    return Digest(digest)


def fill(vault: Vault) -> None:
    """A handbook of three documents, one of them in two versions, three answers and a dataset."""
    put_documents(
        vault,
        "handbook",
        {"rules.md": "Reports go to Maria\nNovák within a day.", "desk.md": "The desk opens at nine."},
    )
    rules, _ = put_documents(
        vault, "handbook", {"rules.md": "Reports go to the desk within a day.", "map.md": "The desk is in the hall."}
    )
    put_answers(
        vault,
        "handbook",
        [
            ("Who takes reports?", "Maria Novák takes them."),
            ("When does the desk open?", "At nine."),
            ("Where is the desk?", "In the hall."),
        ],
        rules,
    )
    put_dataset(vault, "questions", "Whom did Maria Novák replace?")
