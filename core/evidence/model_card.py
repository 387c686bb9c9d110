"""A card of each model of a run, in the form of Hugging Face's model cards: a head in YAML, then Markdown.

The head has the licence, the base model, tags and the results as `model-index`; the text follows the sections that readers of such cards
know. What people wrote of a model, and signed, comes from the card that the vault keeps of it. What the records don't say is called not
recorded; nothing is made up. Figures of a model with adapters are the adapters', not its own.
"""

from typing import Any

import yaml

from core.evals.scorers import SCORERS
from core.evidence import origins
from core.evidence.lineage import Rows
from core.evidence.markdown import items, said, table
from core.evidence.opened import Row
from core.evidence.words import count, moment, number, shown, size, whole

LICENCES = frozenset(
    "apache-2.0 mit openrail bigscience-openrail-m bigcode-openrail-m cc0-1.0 cc-by-4.0 cc-by-sa-4.0 cc-by-nc-4.0 bsd-2-clause"
    " bsd-3-clause gpl-3.0 lgpl-3.0 agpl-3.0 mpl-2.0 llama2 llama3 llama3.1 llama3.2 llama3.3 gemma unlicense".split()
)
"""Names that the form knows; any other licence is `other`, with its name beside it."""
TASKS = {
    "chat": ("text-generation", "Answering questions over documents"),
    "embed": ("sentence-similarity", "Finding passages"),
}


def card(row: Row, rows: Rows) -> str:
    """The card of one model."""
    record: Any = row.record
    run: Any = rows["run"][0].record
    result: Any = rows["run-result"][0].record
    dataset: Any = rows["dataset"][0]
    every = [v for v in run.get("variants") or [] if _uses(v, record)]
    used = [v for v in every if not origins.uses(v) or record.get("purpose") == "adapter"]
    results = [v for v in result.get("variants") or [] if v.get("name") in {u.get("name") for u in used}]
    kept = origins.card_of(rows, str(record.get("digest")))
    head = head_of(record, run, dataset, results)
    parts = (
        f"# {said(record.get('name'))}",
        f"This card was made from the records of {said(run.get('id'))} of {said(run.get('spec_reference'))}.",
        "## Model details\n\n" + _details(record),
        "## Uses\n\n" + _uses_in(run, record, used, every) + "\n\n" + meant(kept, rows),
        "## Training\n\n" + _training(record, kept),
        "## Evaluation\n\n" + evaluation(run, result, dataset, results),
        "## Bias, risks and limitations\n\n" + limits(run, results, kept),
        "## Environmental impact\n\nNot recorded.",
    )
    return f"{head}\n" + "\n\n".join(parts) + "\n"


def meant(kept: Row | None, rows: Rows) -> str:
    """What the vault's card says a model is for and isn't, and who signed that."""
    if kept is None:
        return "What its makers meant it for, and what it must not be used for, is not recorded."
    card: Any = kept.record
    signed = [
        f"{shown(row.record.get('meaning'))} by {said(row.record.get('name'))}, {said(moment(row.record.get('time')))}"
        for row in rows["signature"]
        if row.record.get("subject") == kept.digest
    ]
    reference = f"{said(card.get('name'))}@{said(card.get('number'))}"
    facts = items(
        (
            ("Intended use", card.get("intended") or "not recorded"),
            ("Not intended for", card.get("unsuited") or "not recorded"),
            ("Where it comes from", card.get("source") or "not recorded"),
            ("Licence, as the card says it", card.get("licence") or "not recorded"),
        )
    )
    told = "; ".join(signed) or "nobody signed it"
    return (
        f"{facts}\n\nThis is what the card {reference} of the vault says (record `{kept.digest}`), written by "
        f"{said(card.get('author'))}: {told}."
    )


def _uses(variant: Any, record: Any) -> bool:
    digest = variant.get("model_digest")
    own = digest == record.get("digest") if digest else variant.get("model") == record.get("name")
    return bool(own) or record.get("digest") in {adapter for adapter, _ in origins.uses(variant)}


def head_of(record: Any, run: Any, dataset: Row, results: list[Any], **more: object) -> str:
    """The head between its lines; `more` replaces what is in it."""
    head = {**_head(record, run, dataset, results), **more}
    return f"---\n{yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=120)}---\n"


def _head(record: Any, run: Any, dataset: Row, results: list[Any]) -> dict[str, object]:
    head: dict[str, object] = {}
    licence = str(record.get("licence") or "").lower()
    if licence in LICENCES:
        head["license"] = licence
    elif licence:
        head |= {"license": "other", "license_name": shown(record["licence"])}
    if record.get("base_model"):
        head["base_model"] = shown(record["base_model"])
    tags = ["gguf", *(shown(record[key]) for key in ("architecture", "quantization", "purpose") if record.get(key))]
    head["tags"] = list(dict.fromkeys(tags))
    if not results:
        return head
    kind, name = TASKS.get(str(record.get("purpose")), TASKS["chat"])
    reference = shown(run.get("dataset_reference"))
    metrics = [
        {
            "type": shown(metric["scorer"]),
            "value": metric["value"],
            "name": f"{shown(metric['scorer'])}, {shown(variant['name'])}",
            "args": {"low": metric["low"], "high": metric["high"], "confidence": 0.95, "samples": metric["n"]},
        }
        for variant in results
        for metric in variant["metrics"]
    ]
    about = {"type": reference, "name": reference, "revision": dataset.digest}
    found = {"task": {"type": kind, "name": name}, "dataset": about, "metrics": metrics}
    return {**head, "model-index": [{"name": shown(record.get("name")), "results": [found]}]}


def _details(record: Any) -> str:
    pairs = (
        ("Architecture", record.get("architecture")),
        ("Purpose", record.get("purpose")),
        ("Parameters", f"{whole(record.get('parameters')):,}" if record.get("parameters") else None),
        ("Quantization", record.get("quantization")),
        ("Context", count(whole(record.get("context")), "token") if record.get("context") else None),
        ("Length of its vectors", record.get("dimensions") or None),
        ("Size", size(whole(record.get("size"))) if record.get("size") else None),
        ("Licence, as the file says it", record.get("licence") or "not recorded"),
        ("SHA-256 of the file", record.get("digest")),
        ("Registered", moment(record.get("added")) if record.get("added") else None),
    )
    return items(pairs)


def _uses_in(run: Any, record: Any, used: list[Any], every: list[Any]) -> str:
    over = f"questions over the collection {said(run['collection'])}" if run.get("collection") else "questions"
    if every:
        names = ", ".join(said(variant.get("name")) for variant in used)
        others = ", ".join(said(variant.get("name")) for variant in every if variant not in used)
        done = f"In this run it answered {over}: {names}." if used else f"In this run it answered {over}."
        return f"{done} With adapters, which have cards of their own: {others}." if others else done
    if record.get("purpose") == "embed":
        return f"In this run it computed the vectors by which passages of the collection {said(run.get('collection'))} were found."
    return "It belongs to this run's records."


def _training(record: Any, kept: Row | None) -> str:
    known = "The card says where it comes from; what" if kept is not None and kept.record.get("source") else "What"
    base = f" It was made from {said(record['base_model'])}." if record.get("base_model") else ""
    made = f" It was made for the model `{shown(record['base_digest'])}`." if record.get("base_digest") else ""
    return f"{known} it was trained on is not recorded: it came as a file.{base}{made}"


def evaluation(run: Any, result: Any, dataset: Row, results: list[Any]) -> str:
    """What was measured of these variants."""
    if not results:
        return "It wasn't measured by itself in this run."
    rows = [
        (
            metric["scorer"],
            variant["name"],
            number(metric["value"]),
            f"{number(metric['low'])} to {number(metric['high'])}",
            metric["n"],
        )
        for variant in results
        for metric in variant["metrics"]
    ]
    figures = table(("Metric", "Variant", "Mean", "95 % interval", "Samples"), rows)
    about = (
        f"{count(whole(run.get('samples')), 'sample')} of {said(run.get('dataset_reference'))} (record `{dataset.digest}`), "
        f"finished {said(moment(result.get('finished')))}, seed {said(run.get('seed'))}."
    )
    scorers = items((name, SCORERS[name].measures) for name in map(str, run.get("scorers") or []) if name in SCORERS)
    return f"{about}\n\n{figures}\n\n{scorers}".rstrip()


def limits(run: Any, results: list[Any], kept: Row | None) -> str:
    """What the vault's card says, then what the figures don't."""
    errors = sum(whole(variant.get("errors")) for variant in results)
    points = [str(kept.record["limits"])] if kept is not None and kept.record.get("limits") else []
    points += ["The figures hold for these questions and these documents; they say nothing of others."]
    points += [
        f"{name}: {SCORERS[name].limits}" for name in map(str, run.get("scorers") or []) if name in SCORERS and results
    ]
    if errors:
        points.append(f"{count(errors, 'sample')} ended in an error and count in no figure.")
    points.append("Bias towards or against groups of people was not measured.")
    return "\n".join(f"- {said(point)}" for point in points)
