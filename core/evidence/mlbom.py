"""The models, data and software of a run as a machine-learning bill of materials: CycloneDX 1.6 (ECMA-424).

Each model file is a component with its hash and a model card that holds the metrics measured here, one for each scorer and variant;
the dataset and the documents are data components, classified as confidential because nobody has said otherwise.
"""

import uuid
from typing import Any

from core.evidence.lineage import Rows
from core.evidence.opened import Row
from core.records import Json

SPEC = "1.6"
NAMESPACE = uuid.UUID("b3a9f0de-5c1f-4b2e-9a55-6e1c1f0a7d52")
"""Serial numbers are made from the run's digest in this namespace, so that the same run has the same one."""


def mlbom(rows: Rows, title: str, made: str) -> Json:
    """The document. Raises nothing: what a record doesn't say is left out."""
    run, result, dataset = rows["run"][0], rows["run-result"][0], rows["dataset"][0]
    environment: Any = run.record.get("environment") or {}
    packages: Any = environment.get("packages") or {}
    components: list[Json] = [_model(row, run, result, dataset) for row in rows["model"]]
    components.append(
        _data(dataset, f"{dataset.record.get('name')}@{dataset.record.get('number')}", "The samples of the run.")
    )
    components += [
        _data(row, f"document {row.digest[:12]}", "A document that was searched.") for row in rows["document"]
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
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": SPEC,
        "serialNumber": f"urn:uuid:{uuid.uuid5(NAMESPACE, run.digest)}",
        "version": 1,
        "metadata": {
            "timestamp": made,
            "tools": {
                "components": [{"type": "application", "name": "Assay", "version": str(environment.get("assay", ""))}]
            },
            "component": {"type": "application", "bom-ref": run.digest, "name": title},
        },
        "components": components,
        "dependencies": [
            {"ref": run.digest, "dependsOn": [str(c["bom-ref"]) for c in components if isinstance(c, dict)]},
        ],
    }


def _model(row: Row, run: Row, result: Row, dataset: Row) -> Json:
    record: Any = row.record
    parameters: dict[str, Json] = {"datasets": [{"ref": dataset.digest}]}
    if record.get("architecture"):
        parameters["architectureFamily"] = str(record["architecture"])
    properties: list[Json] = [
        {"name": f"assay:{name}", "value": str(record[name])}
        for name in ("purpose", "quantization", "parameters", "context", "dimensions")
        if record.get(name) not in (None, "", 0)
    ]
    file: Any = record.get("digest")
    metrics = _metrics(str(record.get("name", "")), str(file or ""), run, result)
    card: dict[str, Json] = {"modelParameters": parameters}
    if metrics:
        card["quantitativeAnalysis"] = {"performanceMetrics": metrics}
    component: dict[str, Json] = {
        "type": "machine-learning-model",
        "bom-ref": row.digest,
        "name": str(record.get("name", "")),
        "modelCard": card,
    }
    if file:
        component["hashes"] = [{"alg": "SHA-256", "content": str(file)}]
    if record.get("licence"):
        component["licenses"] = [{"license": {"name": str(record["licence"])}}]
    if properties:
        component["properties"] = properties
    return component


def _metrics(name: str, file: str, run: Row, result: Row) -> list[Json]:
    """What was measured of the variants that used this model."""
    variants: Any = run.record.get("variants") or []
    used = {v["name"]: v for v in variants if v.get("model") == name or (file and v.get("model_digest") == file)}
    results: Any = result.record.get("variants") or []
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


def _data(row: Row, name: str, description: str) -> Json:
    return {
        "type": "data",
        "bom-ref": row.digest,
        "name": name,
        "hashes": [{"alg": "SHA-256", "content": row.digest}],
        "data": [{"type": "dataset", "name": name, "classification": "confidential", "description": description}],
    }
