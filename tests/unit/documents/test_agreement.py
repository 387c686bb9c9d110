"""What is read of other people's documents agrees with what they say should come out: words in their order, and the cells of tables."""

import re
from collections import Counter
from difflib import SequenceMatcher
from pathlib import Path

import pytest

from core.documents.worker import pdf
from core.documents.worker.records import Parsed
from core.documents.worker.tabular import CELLS

BROKEN = re.compile(r"(\w)- ?\n?(\w)")
MARKUP = re.compile(r"<[^>]+>|\]\([^)]*\)")


def words(text: str) -> list[str]:
    """Those of a text, put together where a hyphen breaks them."""
    return re.findall(r"\w+", BROKEN.sub(r"\1\2", MARKUP.sub(" ", text)).casefold())


def in_order(wanted: list[str], found: list[str]) -> float:
    """The share of the wanted words that are found in their order."""
    blocks = SequenceMatcher(None, wanted, found, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks) / len(wanted)


def folded(cell: str) -> str:
    return re.sub(r"\W+", " ", cell).casefold().strip()


def wanted_cells(text: str) -> Counter[str]:
    rows = [line.strip().strip("|").split("|") for line in text.splitlines() if line.strip().startswith("|")]
    return Counter(folded(cell) for row in rows for cell in row if folded(cell))


def found_cells(document: Parsed) -> Counter[str]:
    return Counter(
        folded(cell)
        for page in document.pages
        for block in page.blocks
        if block.kind == "table"
        for line in page.text[block.start : block.end].split("\n")
        for cell in line.split(CELLS)
    )


@pytest.mark.parametrize(
    ("name", "order", "cells"),
    [
        ("RECEIPT-2024-TXN-98765_retail_purchase", 1.0, 1.0),
        ("REPAIR-2022-INV-001_multipage", 1.0, 1.0),
        ("SPARSE-2024-INV-1234_borderless_table", 1.0, 1.0),
        ("movie-theater-booking-2024", 1.0, 0.97),
        ("test", 0.99, 1.0),
    ],
)
def test_what_is_read_agrees_with_what_is_expected(shared_data: Path, name: str, order: float, cells: float) -> None:
    folder = shared_data / "documents" / "office"
    expected = (folder / "expected_outputs" / f"{name}.md").read_text()
    document = pdf.read(f"{name}.pdf", (folder / f"{name}.pdf").read_bytes())
    assert in_order(words(expected), words("\n".join(page.text for page in document.pages))) >= order
    wanted = wanted_cells(expected)
    assert (wanted & found_cells(document)).total() >= cells * wanted.total()
