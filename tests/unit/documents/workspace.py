"""A vault with the services that documents need, and small documents made on the spot."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import docx
import pymupdf

from core.documents import store
from core.documents.records import AddDocuments, AddedDocuments
from core.documents.service import Documents
from core.inference.service import Engine
from core.jobs import Job
from core.models import store as models_store
from core.models.records import FAKE
from core.models.service import Models
from core.trust.passphrases import Kdf, new_kdf
from core.vault.vault import Vault
from core.workers.supervisor import Supervisor

PASSPHRASE = "seven lanterns by the river"
SCHEMA = (models_store.SCHEMA, store.SCHEMA)


def weak() -> Kdf:
    return new_kdf(memory=8192, passes=1)


class Workspace:
    """An open vault, its workers and its documents. A context manager."""

    def __init__(self, folder: Path, embedder: str = FAKE, vault: Vault | None = None) -> None:
        self.vault = vault or Vault.create(folder / "Team.assay", "ann", "Ann Author", PASSPHRASE, SCHEMA, weak)
        self.supervisor = Supervisor()
        self.models = Models(self.vault, self.supervisor)
        self.engine = Engine(self.models, self.supervisor)
        self.documents = Documents(self.vault, self.supervisor, self.engine, embedder)

    @classmethod
    def reopened(cls, vault: Path) -> Self:
        return cls(vault.parent, vault=Vault.open(vault, "ann", PASSPHRASE, SCHEMA))

    def add(self, *paths: Path, collection: str = "manuals", job: Job | None = None) -> AddedDocuments:
        request = AddDocuments(collection=collection, paths=tuple(map(str, paths)))
        return self.documents.add(request, job or Job("Add"))

    def names(self, collection: str = "manuals") -> list[str]:
        return [document.name for _, document in self.documents.list(collection)]

    def close(self) -> None:
        self.documents.close()
        self.engine.close()
        self.supervisor.close()
        self.vault.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


Piece = tuple[float, float, str, float]
"""x, y of the base line, text, size."""


def pdf(*pages: Sequence[Piece], password: str | None = None, owner: str | None = None) -> bytes:
    """A PDF with these pieces of text on its pages."""
    document = pymupdf.open()
    for pieces in pages:
        page = document.new_page(width=595, height=842)
        for x, y, text, size in pieces:
            page.insert_text((x, y), text, fontsize=size, fontname="hebo" if text.startswith("#") else "helv")
    options = {}
    if password is not None or owner is not None:
        options = {
            "encryption": pymupdf.PDF_ENCRYPT_AES_256,
            "user_pw": password or "",
            "owner_pw": owner or "owner",
        }
    return bytes(document.tobytes(**options))


def paragraph(x: float, y: float, lines: Sequence[str], size: float = 10) -> list[Piece]:
    return [(x, y + number * size * 1.2, line, size) for number, line in enumerate(lines)]


def scanned_pdf() -> bytes:
    """A PDF whose only page is a picture."""
    return scanned_pages(1)


def scanned_pages(number: int) -> bytes:
    """A PDF of so many pages that are pictures."""
    document = pymupdf.open()
    picture = pymupdf.Pixmap(pymupdf.csRGB, pymupdf.IRect(0, 0, 40, 40), False)
    picture.clear_with(90)
    for _ in range(number):
        document.new_page().insert_image(pymupdf.Rect(10, 10, 500, 700), pixmap=picture)
    return bytes(document.tobytes())


def word_document() -> bytes:
    """A DOCX with headings, a list, a table and a header."""
    document = docx.Document()
    document.add_heading("Spills", level=1)
    document.add_paragraph("Solvent is taken up with binder.")
    document.add_paragraph("Close the doors.", style="List Bullet")
    document.add_paragraph("Call 5511.", style="List Bullet")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip(
        (cell for row in table.rows for cell in row.cells), ("Room", "Litres", "B7", "800"), strict=True
    ):
        cell.text = text
    document.sections[0].header.paragraphs[0].text = "Controlled copy"
    packed = io.BytesIO()
    document.save(packed)
    return packed.getvalue()
