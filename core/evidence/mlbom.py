"""The models, data and software of a run as a machine-learning bill of materials: CycloneDX 1.6 (ECMA-424).

Each model file is a component with its hash, its licence and a model card that holds the metrics measured here, one for each scorer and
variant, and what the scorers can't tell; the dataset, the documents and the prompt versions are data components, classified as
confidential because nobody has said otherwise. An adapter that was trained here is a component whose ancestor is its base; a model that is
a merge has base and adapter for ancestors. It is signed
and stays in a redacted pack, so nothing in it may be withheld.
"""

import uuid
from collections.abc import Sequence
from typing import Any

from core.evals.scorers import SCORERS
from core.evidence import merges, origins, people
from core.evidence.lineage import Rows
from core.evidence.opened import Row
from core.records import Json

SPEC = "1.6"
NAMESPACE = uuid.UUID("b3a9f0de-5c1f-4b2e-9a55-6e1c1f0a7d52")
"""Serial numbers are made from the run's digest in this namespace, so that the same run has the same one."""


SPDX = {
    "apache-2.0": "Apache-2.0",
    "mit": "MIT",
    "bsd-2-clause": "BSD-2-Clause",
    "bsd-3-clause": "BSD-3-Clause",
    "cc0-1.0": "CC0-1.0",
    "cc-by-4.0": "CC-BY-4.0",
    "cc-by-sa-4.0": "CC-BY-SA-4.0",
    "cc-by-nc-4.0": "CC-BY-NC-4.0",
    "mpl-2.0": "MPL-2.0",
}
"""Licences that model files name in lower case, by their SPDX identifiers; any other is given by the name that the file says."""
TASKS = {"chat": "text-generation", "embed": "feature-extraction"}


def mlbom(rows: Rows, title: str, marks: str = "", merged: str = "") -> Json:
    """The document, dated when the run ended; `marks` is what `people` writes of people's marks, `merged` what `merges` does
    of merges. Raises nothing: what a record doesn't say is left out."""
    run, result, dataset = rows["run"][0], rows["run-result"][0], rows["dataset"][0]
    environment: Any = run.record.get("environment") or {}
    packages: Any = environment.get("packages") or {}
    trainings = origins.trainings(rows)
    components: list[Json] = [_model(row, rows) for row in rows["model"]]
    components += [_adapter(training, rows) for training in trainings]
    components.append(
        _data(dataset, f"{dataset.record.get('name')}@{dataset.record.get('number')}", "The samples of the run.")
    )
    components += [
        _data(row, f"{row.record.get('name')}@{row.record.get('number')}", "What an adapter was trained on.")
        for row in rows["training-data"]
    ]
    components += [
        _data(row, f"document {row.digest[:12]}", "A document that was searched.") for row in rows["document"]
    ]
    components += [
        _data(row, f"{row.record.get('name')}@{row.record.get('number')}", "A prompt version.", "configuration")
        for row in rows["prompt-version"]
    ]
    components += [
        {
            "type": "library",
            "bom-ref": f"pypi:{name}",
            "name": str(name),
            "version": str(version),
            "purl": f"pkg:pypi/{name}@{version}",
        }
        for name, version in sorted(packages.items())
    ]
    said = ((people.PROPERTY, marks), (merges.PROPERTY, merged))
    properties: list[Json] = [{"name": name, "value": value} for name, value in said if value]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": SPEC,
        "serialNumber": f"urn:uuid:{uuid.uuid5(NAMESPACE, run.digest)}",
        "version": 1,
        "metadata": {
            "timestamp": str(result.record.get("finished", "")),
            "tools": {
                "components": [{"type": "application", "name": "Assay", "version": str(environment.get("assay", ""))}]
            },
            "component": {"type": "application", "bom-ref": run.digest, "name": title},
        },
        "components": components,
        "dependencies": [
            {"ref": run.digest, "dependsOn": [str(c["bom-ref"]) for c in components if isinstance(c, dict)]},
            *_on_bases(rows, trainings),
        ],
        **({"properties": properties} if properties else {}),
    }


def _on_bases(rows: Rows, trainings: Sequence[origins.Training]) -> list[Json]:
    """That each adapter depends on the model that it was made for, where that is in the pack."""
    models = {str(row.record.get("digest")): row for row in rows["model"]}
    made = [(str(one.result.digest), str(one.run.record.get("base_digest"))) for one in trainings]
    made += [(str(row.digest), str(row.record.get("base_digest") or "")) for row in rows["model"]]
    return [{"ref": ref, "dependsOn": [models[base].digest]} for ref, base in made if base in models]


def _ancestor(name: str, digest: str) -> Json:
    component: dict[str, Json] = {"type": "machine-learning-model", "name": name or f"model {digest[:12]}"}
    if digest:
        component["hashes"] = [{"alg": "SHA-256", "content": digest}]
    return {"ancestors": [component]}


def _merged(merge: Row) -> Json:
    """A base, and an adapter that is in its weights now."""
    said: Any = merge.record
    parts = ((said["base"], said["base_digest"]), (f"adapter of {said['run']}", said["adapter"]))
    ancestors: list[Json] = [
        {
            "type": "machine-learning-model",
            "name": str(name),
            "hashes": [{"alg": "SHA-256", "content": str(digest)}],
        }
        for name, digest in parts
    ]
    return {"ancestors": ancestors}


def _adapter(training: origins.Training, rows: Rows) -> Json:
    """An adapter that was trained here."""
    made: Any = training.run.record
    ended: Any = training.result.record
    learned: list[Json] = [
        {"ref": row.digest}
        if (row := origins.dataset_of(source, rows)) is not None
        else {"type": "dataset", "name": f"source {str(source.get('digest'))[:12]}", "classification": "confidential"}
        for source in training.sources
    ]
    parameters: dict[str, Json] = {"approach": {"type": "supervised"}, "task": TASKS["chat"], "datasets": learned}
    if ended.get("architecture"):
        parameters["architectureFamily"] = str(ended["architecture"])
    facts = {
        "training": training.run.digest,
        "examples": made.get("examples"),
        "steps": ended.get("step"),
        "purpose": "adapter",
    }
    return {
        "type": "machine-learning-model",
        "bom-ref": training.result.digest,
        "name": f"{made.get('id')}, {made.get('name')}",
        "hashes": [{"alg": "SHA-256", "content": training.adapter}],
        "pedigree": _ancestor(str(made.get("base", "")), str(made.get("base_digest", ""))),
        "modelCard": _measured(parameters, _metrics("", training.adapter, rows), training.adapter, rows),
        "properties": [{"name": f"assay:{name}", "value": str(value)} for name, value in facts.items()],
    }


def _measured(parameters: dict[str, Json], metrics: list[Json], file: str, rows: Rows) -> Json:
    """A model card with what was measured, if anything was, and what the vault's card says."""
    card: dict[str, Json] = {"modelParameters": parameters}
    kept = origins.card_of(rows, file)
    if metrics:
        card["quantitativeAnalysis"] = {"performanceMetrics": metrics}
    if metrics or kept is not None:
        card["considerations"] = _considerations(rows, bool(metrics), kept)
    return card


def _model(row: Row, rows: Rows) -> Json:
    record: Any = row.record
    parameters: dict[str, Json] = {}
    if str(record.get("purpose")) in TASKS:
        parameters["task"] = TASKS[str(record["purpose"])]
    if record.get("architecture"):
        parameters["architectureFamily"] = str(record["architecture"])
    properties: list[Json] = [
        {"name": f"assay:{name}", "value": str(record[name])}
        for name in (
            *("purpose", "quantization", "parameters", "context", "dimensions"),
            *("tokenizer", "base_model", "importance", "signature", "signed_by"),
        )
        if record.get(name) not in (None, "", 0)
    ]
    file: Any = record.get("digest")
    metrics = _metrics(str(record.get("name", "")), str(file or ""), rows)
    component: dict[str, Json] = {
        "type": "machine-learning-model",
        "bom-ref": row.digest,
        "name": str(record.get("name", "")),
        "modelCard": _measured(parameters, metrics, str(file), rows),
    }
    if record.get("base_digest") or record.get("base_model"):
        base = str(record.get("base_digest") or "")
        names = (
            str(other.record.get("name")) for other in rows["model"] if base and other.record.get("digest") == base
        )
        component["pedigree"] = _ancestor(next(names, str(record.get("base_model") or "")), base)
    merge = origins.merge_of(rows, str(file))
    if merge is not None:
        component["pedigree"] = _merged(merge)
    if file:
        component["hashes"] = [{"alg": "SHA-256", "content": str(file)}]
    if record.get("licence"):
        known = SPDX.get(str(record["licence"]).lower())
        component["licenses"] = [{"license": {"id": known} if known else {"name": str(record["licence"])}}]
    if properties:
        component["properties"] = properties
    return component


def _metrics(name: str, file: str, rows: Rows) -> list[Json]:
    """What was measured of the variants that used this model without adapters, or this adapter."""
    variants: Any = rows["run"][0].record.get("variants") or []
    used = {
        v["name"]
        for v in variants
        if file in dict(origins.uses(v))
        or (not origins.uses(v) and ((name and v.get("model") == name) or (file and v.get("model_digest") == file)))
    }
    results: Any = rows["run-result"][0].record.get("variants") or []
    return [
        {
            "type": metric["scorer"],
            "value": str(metric["value"]),
            "slice": f"{variant['name']}, {metric['n']} samples",
            "confidenceInterval": {"lowerBound": str(metric["low"]), "upperBound": str(metric["high"])},
        }
        for variant in results
        if variant["name"] in used
        for metric in variant["metrics"]
    ]


def _considerations(rows: Rows, measured: bool, kept: Row | None) -> Json:
    """What the vault's card says, what the figures were measured for, and what they can't tell."""
    dataset = rows["dataset"][0]
    scorers: Any = rows["run"][0].record.get("scorers") or []
    name = f"{dataset.record.get('name')}@{dataset.record.get('number')}"
    said: Any = kept.record if kept is not None else {}
    uses = [str(said["intended"])] if said.get("intended") else []
    limits = [str(said[key]) for key in ("unsuited", "limits") if said.get(key)]
    if measured:
        uses.append(f"Answering the questions of {name}.")
        limits.append(f"The figures hold for the samples of {name} (record {dataset.digest}); intervals are at 95 %.")
        limits += [f"{name}: {SCORERS[name].limits}" for name in map(str, scorers) if name in SCORERS]
    return {key: list(some) for key, some in (("useCases", uses), ("technicalLimitations", limits)) if some}


def _data(row: Row, name: str, description: str, kind: str = "dataset") -> Json:
    return {
        "type": "data",
        "bom-ref": row.digest,
        "name": name,
        "hashes": [{"alg": "SHA-256", "content": row.digest}],
        "data": [{"type": kind, "name": name, "classification": "confidential", "description": description}],
    }
