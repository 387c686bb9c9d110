"""How a collection's documents are cut is chosen before they are indexed: strategy, size and overlap, within the embedder's window.

Rules: a collection keeps to what it was made with; where something else is asked for, adding is refused with the offer to make it anew. What is
chosen for a new collection makes it at once, empty, so that documents that wait for decisions, or come later, are cut by it too.
"""

import shlex
from typing import Final

import msgspec

from core.documents import preparing, store
from core.documents.records import Chunking, CuttingChoice, Strategy
from core.errors import BadInput
from core.inference.service import Engine
from core.models.records import ModelFile
from core.vault.roles import Act
from core.vault.unit import Reader
from core.vault.vault import Vault

SMALLEST: Final = 32
"""Tokens of a passage."""
STRATEGIES: Final[dict[Strategy, str]] = {
    "structure": "Headings, paragraphs, tables and lists first, then size",
    "size": "Sentences up to the size, whatever they stand under",
}
"""In words."""


def rules(choice: CuttingChoice, before: Chunking, room: int) -> Chunking:
    """What is chosen, and else what was before, for an embedder with `room` tokens for a passage. Raises `BadInput`."""
    strategy = next((one for one in STRATEGIES if one == (choice.strategy or before.strategy)), None)
    if strategy is None:
        known = ", ".join(STRATEGIES)
        raise BadInput(source="strategy", problem=f"{choice.strategy[:40]} isn't known. There are {known}.")
    most = room - before.headings
    size = min(before.target, most) if choice.size is None else choice.size
    if not SMALLEST <= size <= most:
        raise BadInput(source="size", problem=f"{size} tokens; this embedder allows {SMALLEST} to {most}.")
    overlap = min(before.overlap, size) if choice.overlap is None else choice.overlap
    if not 0 <= overlap <= size:
        raise BadInput(source="overlap", problem=f"{overlap} tokens; use 0 to {size}, the size of a passage.")
    return Chunking(
        target=size,
        limit=min(room, max(preparing.RULES.limit, size + before.headings)),
        alone=min(before.alone, size),
        headings=before.headings,
        overlap=overlap,
        strategy=strategy,
    )


def given(choice: CuttingChoice) -> bool:
    """Whether anything is chosen."""
    return choice != CuttingChoice()


def settle(vault: Vault, engine: Engine, collection: str, embedder: ModelFile, choice: CuttingChoice) -> None:
    """Make a collection that isn't there with what is chosen; one without documents takes it over. Nothing where nothing is chosen.

    Raises `BadInput` where it can't be, or where the collection's documents are cut otherwise; `Refused`."""
    if not given(choice):
        return
    with vault.read() as reader:
        kept = store.find(reader, collection)
        empty = kept is None or _empty(reader, kept.id)
    wanted = rules(
        choice, preparing.RULES if kept is None or empty else kept.chunking, preparing.room(engine, embedder)
    )
    if kept is not None and kept.chunking == wanted:
        return
    if not empty:
        asked = {"--strategy": choice.strategy or None, "--size": choice.size, "--overlap": choice.overlap}
        options = " ".join(f"{name} {value}" for name, value in asked.items() if value is not None)
        raise BadInput(
            source=collection,
            problem=f"its documents are cut otherwise ({said(kept.chunking) if kept else ''}). "
            f"`assay documents rebuild {shlex.quote(collection)} {options}` makes it anew, or leave that out.",
        )
    route = engine.route(embedder.digest)
    with vault.write(Act.ADD_DOCUMENTS, about=f"{collection}: cut by {said(wanted)}") as unit:
        kept = store.find(unit, collection)
        if kept is None:
            store.create(unit, collection, embedder.digest, embedder.name, embedder.dimensions, wanted, route)
        elif _empty(unit, kept.id):
            unit.db.execute(
                "UPDATE collections SET chunking = ?, generation = generation + 1 WHERE id = ?",
                (msgspec.json.encode(wanted).decode(), kept.id),
            )


def said(rules: Chunking) -> str:
    """In words."""
    return f"{rules.strategy}, passages of {rules.target} tokens, overlap {rules.overlap}"


def _empty(reader: Reader, collection: int) -> bool:
    return reader.db.execute("SELECT 1 FROM documents WHERE collection = ? LIMIT 1", (collection,)).fetchone() is None
