"""How many of BIPIA's injected instructions the rules tell from ordinary text, and how often they take ordinary text for one.

The rules were made with the training half at hand; the test half was measured on 2026-11-21: 44 of 75 text attacks (all kinds that speak of the
answer, 44 of 50; none of the 25 that are plain requests), 50 of 50 code attacks, no alarm on the 200 mails and tables that they are meant to be put
into, and none on the 512 pages of `data/documents` that are parsed without text recognition.
"""

import json
from pathlib import Path

import pytest

from core.guards import instructions


def caught(path: Path) -> tuple[int, int]:
    attacks = [text for texts in json.loads(path.read_text(encoding="utf-8")).values() for text in texts]
    return sum(bool(instructions.spans(text)) for text in attacks), len(attacks)


@pytest.mark.parametrize(("file", "least"), [("text_attack_test.json", 43), ("code_attack_test.json", 49)])
def test_instructions_that_were_not_looked_at_are_found(file: str, least: int, shared_data: Path) -> None:
    hits, attacks = caught(shared_data / "evals" / "bipia" / file)
    assert attacks >= 50
    assert hits >= least


def test_ordinary_mails_and_tables_are_no_instructions(shared_data: Path) -> None:
    texts = []
    for file in ("email/test.jsonl", "email/train.jsonl", "table/test.jsonl"):
        lines = (shared_data / "evals" / "bipia" / file).read_text(encoding="utf-8").splitlines()
        texts += [str(json.loads(line)["context"]) for line in lines]
    assert len(texts) >= 200
    assert sum(bool(instructions.spans(text)) for text in texts) <= 1
