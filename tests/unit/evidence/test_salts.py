"""The salts of a pack's commitments: the same again under one seed, and otherwise unrelated."""

import json
from collections.abc import Callable

from core.evidence.packing import prepare
from core.evidence.salts import SCHEMA, SEED, new_seed, salts, seed_of
from core.records import Digest
from core.vault.roles import Act
from core.vault.vault import Vault
from tests.unit.evidence.building import CONTENT_TITLE, GUIDE, VERIFIER, altered, content

CONTENT = content()


def taken(seed: bytes, kind: str = "outcome", of: str = "a", count: int = 50) -> list[bytes]:
    following = salts(seed, kind, of)
    return [following() for _ in range(count)]


def test_a_salt_follows_from_the_seed_and_what_it_is_for() -> None:
    seed = new_seed()
    assert taken(seed) == taken(seed)
    many = [*taken(seed), *taken(seed, of="b"), *taken(seed, "dataset"), *taken(new_seed())]
    assert len(set(many)) == len(many)
    assert {len(salt) for salt in many} == {SEED}


def test_the_same_content_and_seed_give_the_same_pack_and_another_seed_other_commitments() -> None:
    seed = new_seed()
    one, two = (prepare(CONTENT, VERIFIER, GUIDE, seed) for _ in range(2))
    assert CONTENT_TITLE.encode() in one.manifest
    assert one == two
    other = prepare(CONTENT, VERIFIER, GUIDE)
    for name in ("records/outcome-0001.json", "openings/outcome-0001.json", "openings/renderings.json"):
        assert other.entries[name] != one.entries[name]
    assert other.entries["report.pdf"] == one.entries["report.pdf"]


def test_no_salt_serves_two_values() -> None:
    seed = new_seed()
    changed = CONTENT.outcomes[0]
    changed = altered(changed, lambda record: record["answer"].update(answer="another"))
    packs = [CONTENT, content(), type(CONTENT)(**{**fields(CONTENT), "outcomes": (changed, *CONTENT.outcomes[1:])})]
    found: dict[str, set[str]] = {}
    for made in packs:
        entries = prepare(made, VERIFIER, GUIDE, seed).entries
        for name, data in entries.items():
            if name.startswith("openings/"):
                for salt, path, value in json.loads(data):
                    found.setdefault(salt, set()).add(json.dumps([name, path, value]))
    assert len(found) > 50
    assert all(len(values) == 1 for values in found.values())


def fields(record: object) -> dict[str, object]:
    return {name: getattr(record, name) for name in record.__struct_fields__}  # type: ignore[attr-defined]


def test_a_runs_seed_is_kept_and_another_run_has_another(vault_factory: Callable[..., Vault]) -> None:
    vault = vault_factory((SCHEMA,))
    seeds = []
    for run in ("a" * 64, "b" * 64, "a" * 64):
        with vault.write(Act.EXPORT_PACK) as unit:
            seeds.append(seed_of(unit, Digest(run)))
    assert seeds[0] == seeds[2] != seeds[1]
    assert {len(seed) for seed in seeds} == {SEED}
