"""The models, data and software of a run as a machine-learning bill of materials: CycloneDX 1.6 (ECMA-424).

Each model file is a component with its hash, its licence and a model card that holds the metrics measured here, one for each scorer and
variant, and what the scorers can't tell; the dataset, the documents and the prompt versions are data components, classified as
confidential because nobody has said otherwise. It is signed and stays in a redacted pack, so nothing in it may be withheld.
"""

import uuid
from typing import Any

from core.evals.scorers import SCORERS
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


def mlbom(rows: Rows, title: str) -> Json:
    """The document, dated when the run ended. Raises nothing: what a record doesn't say is left out."""
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
        ],
    }


def _model(row: Row, run: Row, result: Row, dataset: Row) -> Json:
    record: Any = row.record
    parameters: dict[str, Json] = {}
    if str(record.get("purpose")) in TASKS:
        parameters["task"] = TASKS[str(record["purpose"])]
    if record.get("trained_on"):
        parameters["datasets"] = [{"ref": str(digest)} for digest in record["trained_on"]]
    if record.get("architecture"):
        parameters["architectureFamily"] = str(record["architecture"])
    properties: list[Json] = [
        {"name": f"assay:{name}", "value": str(record[name])}
        for name in (
            *("purpose", "quantization", "parameters", "context", "dimensions"),
            *("tokenizer", "base_model", "signature", "signed_by"),
        )
        if record.get(name) not in (None, "", 0)
    ]
    file: Any = record.get("digest")
    metrics = _metrics(str(record.get("name", "")), str(file or ""), run, result)
    card: dict[str, Json] = {"modelParameters": parameters}
    if metrics:
        card["quantitativeAnalysis"] = {"performanceMetrics": metrics}
        card["considerations"] = _considerations(run, dataset)
    component: dict[str, Json] = {
        "type": "machine-learning-model",
        "bom-ref": row.digest,
        "name": str(record.get("name", "")),
        "modelCard": card,
    }
    if file:
        component["hashes"] = [{"alg": "SHA-256", "content": str(file)}]
    if record.get("licence"):
        known = SPDX.get(str(record["licence"]).lower())
        component["licenses"] = [{"license": {"id": known} if known else {"name": str(record["licence"])}}]
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


def _considerations(run: Row, dataset: Row) -> Json:
    """What the figures were measured for, and what they can't tell."""
    scorers: Any = run.record.get("scorers") or []
    limits = [f"{name}: {SCORERS[name].limits}" for name in map(str, scorers) if name in SCORERS]
    name = f"{dataset.record.get('name')}@{dataset.record.get('number')}"
    return {
        "useCases": [f"Answering the questions of {name} from documents."],
        "technicalLimitations": [
            f"The figures hold for the samples of {name} (record {dataset.digest}); intervals are at 95 %.",
            *limits,
        ],
    }


def _data(row: Row, name: str, description: str, kind: str = "dataset") -> Json:
    return {
        "type": "data",
        "bom-ref": row.digest,
        "name": name,
        "hashes": [{"alg": "SHA-256", "content": row.digest}],
        "data": [{"type": kind, "name": name, "classification": "confidential", "description": description}],
    }
