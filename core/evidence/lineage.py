"""What was made from what, as PROV-JSON (W3C PROV-DM; member submission PROV-JSON of 2013).

Entities are records, by their digests; activities are the run and the signings; agents are people. Only identities, names of versions
and times are in it, nothing that a pack may withhold.
"""

from collections.abc import Mapping, Sequence

from core.evidence.opened import Row
from core.records import Json

Rows = Mapping[str, tuple[Row, ...]]
PREFIXES: dict[str, Json] = {"assay": "urn:assay:", "prov": "http://www.w3.org/ns/prov#"}


def lineage(rows: Rows) -> Json:
    """The document. Shapes as in PROV-JSON: each relation is an object of named statements."""
    run, result = rows["run"][0], rows["run-result"][0]
    activity = f"assay:{run.digest}"
    entities: dict[str, Json] = {}
    made_by: list[tuple[Row, str]] = []
    for kind in ("spec", "dataset", "prompt-version", "document", "model"):
        for row in rows[kind]:
            entities[_id(row)] = _entity(kind, row)
            author = row.record.get("author")
            if isinstance(author, str):
                made_by.append((row, author))
    entities[_id(result)] = _entity("run-result", result)
    outcomes = f"assay:{run.digest}/outcomes"
    entities[outcomes] = {"prov:type": "outcomes", "assay:count": len(rows["outcome"])}
    signings, associated = _signings(rows)
    people = {author for _, author in made_by} | {str(run.record.get("user", ""))}
    return {
        "prefix": PREFIXES,
        "entity": entities,
        "activity": {
            activity: {
                "prov:type": "run",
                "prov:label": str(run.record.get("id", "")),
                "prov:startTime": str(run.record.get("started", "")),
                "prov:endTime": str(result.record.get("finished", "")),
            },
            **signings,
        },
        "agent": {
            **{_person(name): {"prov:type": "prov:Person", "prov:label": name} for name in sorted(people)},
            **{
                f"assay:card/{row.record.get('card')}": {
                    "prov:type": "prov:Person",
                    "prov:label": str(row.record.get("name")),
                }
                for row in rows["signature"]
            },
        },
        "used": _numbered(
            "used",
            [
                {"prov:activity": activity, "prov:entity": _id(row)}
                for kind in ("spec", "dataset", "prompt-version", "document", "model")
                for row in rows[kind]
            ]
            + [
                {"prov:activity": f"assay:{row.digest}", "prov:entity": f"assay:{row.record.get('subject')}"}
                for row in rows["signature"]
            ],
        ),
        "wasGeneratedBy": _numbered(
            "generated", [{"prov:entity": entity, "prov:activity": activity} for entity in (outcomes, _id(result))]
        ),
        "wasDerivedFrom": _numbered("derived", [{"prov:generatedEntity": _id(result), "prov:usedEntity": outcomes}]),
        "wasAttributedTo": _numbered(
            "attributed", [{"prov:entity": _id(row), "prov:agent": _person(author)} for row, author in made_by]
        ),
        "wasAssociatedWith": _numbered(
            "associated",
            [{"prov:activity": activity, "prov:agent": _person(str(run.record.get("user", "")))}, *associated],
        ),
    }


def _signings(rows: Rows) -> tuple[dict[str, Json], list[dict[str, Json]]]:
    activities: dict[str, Json] = {}
    associated: list[dict[str, Json]] = []
    for row in rows["signature"]:
        time = str(row.record.get("time"))
        activities[f"assay:{row.digest}"] = {
            "prov:type": "signing",
            "assay:meaning": str(row.record.get("meaning")),
            "prov:startTime": time,
            "prov:endTime": time,
        }
        agent = f"assay:card/{row.record.get('card')}"
        associated.append({"prov:activity": f"assay:{row.digest}", "prov:agent": agent})
    return activities, associated


def _entity(kind: str, row: Row) -> Json:
    name, number = row.record.get("name"), row.record.get("number")
    label = {"prov:label": f"{name}@{number}"} if isinstance(number, int) and isinstance(name, str) else {}
    return {"prov:type": kind, "assay:sha256": row.digest, **label}


def _id(row: Row) -> str:
    return f"assay:{row.digest}"


def _person(user: str) -> str:
    return f"assay:user/{user}"


def _numbered(name: str, statements: Sequence[Mapping[str, Json]]) -> Json:
    return {f"_:{name}{place}": dict(statement) for place, statement in enumerate(statements, 1)}
