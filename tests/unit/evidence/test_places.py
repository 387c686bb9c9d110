"""Reports and lineage say where in a document a passage is, as people look for it."""

import msgspec

from core.evidence.lineage import lineage
from core.evidence.words import where
from tests.unit.evidence.test_lineage import with_passages


def test_a_passage_is_where_its_place_says_and_else_on_its_page() -> None:
    assert where({"page": 2, "place": "sheet Costs, A5:D5"}) == "sheet Costs, A5:D5"
    assert where({"page": 2, "place": ""}) == "page 2"
    assert where({"page": 2}) == "page 2"
    assert where({"page": 2, "place": {"sha256-commitment": "x"}}) == "page 2"
    assert where({"page": 2, "place": "sheet \u202eC"}) == "sheet [U+202E]C"


def test_the_lineage_names_the_place_of_a_chunk() -> None:
    assert b"chunk 3, page 2" in msgspec.json.encode(lineage(with_passages()))
