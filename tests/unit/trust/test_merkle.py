"""The Merkle tree, against 518 vectors of another implementation, and as properties."""

import json
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput
from core.trust.merkle import (
    EMPTY,
    InvalidProof,
    Tree,
    leaf_hash,
    node_hash,
    verify_consistency,
    verify_inclusion,
    verify_subtree_consistency,
    verify_subtree_inclusion,
)

LEAVES = [leaf_hash(bytes([i])) for i in range(70)]
TREE = Tree(LEAVES)


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 9162, section 2.1.1, read literally."""
    if not leaves:
        return EMPTY
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(naive_root(leaves[:k]), naive_root(leaves[k:]))


def vectors(folder: Path, kind: str) -> Iterator[tuple[str, dict[str, Any], list[bytes]]]:
    for path in sorted((folder / "vectors" / "merkle" / "testdata" / kind).rglob("*.json")):
        case = json.loads(path.read_text())
        yield str(path), case, [b64decode(part) for part in case["proof"] or ()]


def refused(check: Any, *arguments: Any) -> bool:
    try:
        check(*arguments)
    except InvalidProof:
        return True
    return False


def hashed(case: dict[str, Any], name: str) -> bytes:
    return b64decode(case[name] or "")


def test_inclusion_vectors(shared_data: Path) -> None:
    cases = list(vectors(shared_data, "inclusion"))
    assert len(cases) == 98
    for path, case, proof in cases:
        arguments = (case["leafIdx"], case["treeSize"], hashed(case, "leafHash"), proof, hashed(case, "root"))
        assert refused(verify_inclusion, *arguments) == case["wantErr"], path


def test_consistency_vectors(shared_data: Path) -> None:
    cases = list(vectors(shared_data, "consistency"))
    assert len(cases) == 98
    for path, case, proof in cases:
        arguments = (case["size1"], case["size2"], hashed(case, "root1"), hashed(case, "root2"), proof)
        assert refused(verify_consistency, *arguments) == case["wantErr"], path


def test_subtree_inclusion_vectors(shared_data: Path) -> None:
    cases = list(vectors(shared_data, "subtreeinclusion"))
    assert len(cases) == 204
    for path, case, proof in cases:
        arguments = (case["leafIdx"], case["start"], case["end"], hashed(case, "leafHash"), proof, hashed(case, "root"))
        assert refused(verify_subtree_inclusion, *arguments) == case["wantErr"], path


def test_subtree_consistency_vectors(shared_data: Path) -> None:
    cases = list(vectors(shared_data, "subtreeconsistency"))
    assert len(cases) == 118
    for path, case, proof in cases:
        arguments = (case["start"], case["end"], case["size"], hashed(case, "root1"), hashed(case, "root2"), proof)
        assert refused(verify_subtree_consistency, *arguments) == case["wantErr"], path


def test_the_root_is_that_of_the_rfc_at_every_size() -> None:
    assert Tree().root() == EMPTY
    for size in range(len(LEAVES) + 1):
        assert TREE.root(size) == naive_root(LEAVES[:size])


@given(st.data())
def test_proofs_verify_and_nothing_else_does(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, TREE.size))
    index = data.draw(st.integers(0, size - 1))
    proof = TREE.inclusion_proof(index, size)
    verify_inclusion(index, size, LEAVES[index], proof, TREE.root(size))
    other = data.draw(st.integers(0, size - 1).filter(lambda i: i != index)) if size > 1 else size
    assert refused(verify_inclusion, other, size, LEAVES[index], proof, TREE.root(size))
    assert refused(verify_inclusion, index, size, leaf_hash(b"other"), proof, TREE.root(size))
    earlier = data.draw(st.integers(1, size))
    steps = TREE.consistency_proof(earlier, size)
    verify_consistency(earlier, size, TREE.root(earlier), TREE.root(size), steps)
    assert refused(verify_consistency, earlier, size, leaf_hash(b"other"), TREE.root(size), steps)
    assert refused(verify_consistency, earlier, size, TREE.root(earlier), TREE.root(size), (*steps, EMPTY))


def test_questions_that_make_no_sense_are_refused() -> None:
    for ask in (
        lambda: TREE.root(71),
        lambda: TREE.inclusion_proof(5, 5),
        lambda: TREE.inclusion_proof(-1, 5),
        lambda: TREE.consistency_proof(0, 5),
        lambda: TREE.consistency_proof(6, 5),
        lambda: TREE.append(b"short"),
    ):
        with pytest.raises(BadInput):
            ask()
