"""A card of each adapter that was trained here, in the form of the model cards: what it was made from and how, and what the run measured."""

from typing import Any

from core.evidence import contamination, model_card, origins
from core.evidence.lineage import Rows
from core.evidence.markdown import items, said, table
from core.evidence.words import count, moment, number, shown, size, whole

SETTINGS = ("rank", "alpha", "dropout", "learning_rate", "epochs", "steps", "batch", "dtype", "seed")
"""Of a training's settings, those that a card tells, where they are there."""


def card(training: origins.Training, rows: Rows) -> str:
    """The card of one adapter."""
    made: Any = training.run.record
    ended: Any = training.result.record
    run: Any = rows["run"][0].record
    result: Any = rows["run-result"][0].record
    dataset = rows["dataset"][0]
    names = {v.get("name") for v in run.get("variants") or [] if training.adapter in dict(origins.uses(v))}
    results = [variant for variant in result.get("variants") or [] if variant.get("name") in names]
    kept = origins.card_of(rows, training.adapter)
    about = {"name": made.get("id"), "purpose": "chat"}
    tags = ["lora", *([shown(ended["architecture"])] if ended.get("architecture") else [])]
    head = model_card.head_of(
        about, run, dataset, results, library_name="peft", base_model=shown(made.get("base")), tags=tags
    )
    told = contamination.words(rows, training)
    parts = (
        f"# {said(made.get('id'))}, {said(made.get('name'))}",
        f"This card was made from the records of {said(run.get('id'))} of {said(run.get('spec_reference'))}.",
        "## Model details\n\n" + _details(training, made, ended),
        "## Uses\n\n" + _used(training, run) + "\n\n" + model_card.meant(kept, rows),
        "## Training\n\n" + _training(training, made, ended, rows),
        "## Evaluation\n\n" + model_card.evaluation(run, result, dataset, results) + (f"\n\n{told}" if told else ""),
        *_compared(training),
        "## Bias, risks and limitations\n\n" + model_card.limits(run, results, kept),
        "## Environmental impact\n\nNot recorded.",
    )
    return f"{head}\n" + "\n\n".join(parts) + "\n"


def _details(training: origins.Training, made: Any, ended: Any) -> str:
    return items(
        (
            ("Kind", "LoRA adapter"),
            ("Base model", made.get("base")),
            ("SHA-256 of the base's file", made.get("base_digest")),
            ("Architecture", ended.get("architecture")),
            ("Size", size(whole(ended.get("gguf_size"))) if ended.get("gguf_size") else None),
            ("SHA-256 of the adapter's file (GGUF)", training.adapter),
            ("SHA-256 of its weights as PEFT keeps them", ended.get("weights")),
            ("Licence", "not recorded"),
        )
    )


def _used(training: origins.Training, run: Any) -> str:
    ways = [
        f"{said(variant.get('name'))} (on {said(variant.get('model'))}, scale {number(scale)})"
        for variant in run.get("variants") or []
        for adapter, scale in origins.uses(variant)
        if adapter == training.adapter
    ]
    return f"In this run it was used in: {', '.join(ways)}."


def _training(training: origins.Training, made: Any, ended: Any, rows: Rows) -> str:
    settings: Any = made.get("settings") or {}
    curve: Any = ended.get("curve") or []
    held: Any = ended.get("measured") or []
    facts = items(
        (
            ("By", made.get("user")),
            ("Begun", moment(made.get("started"))),
            ("Ended", moment(ended.get("finished"))),
            ("Examples", f"{whole(made.get('examples')):,}, {len(made.get('left_out') or []):,} left out"),
            ("Steps", f"{whole(ended.get('step')):,}, {whole(ended.get('tokens')):,} tokens"),
            (
                "Loss",
                f"{number(curve[0].get('loss'))} at the first step, {number(curve[-1].get('loss'))} at the last"
                if curve
                else None,
            ),
            ("Loss on held-out examples", number(min(one["loss"] for one in held)) if held else None),
            *_remembered(ended.get("memorised") or {}),
            ("Settings", ", ".join(f"{name} {shown(settings[name])}" for name in SETTINGS if name in settings)),
            ("Device", made.get("device")),
            (
                "Made with",
                ", ".join(f"{name} {version}" for name, version in sorted((made.get("versions") or {}).items())),
            ),
            ("Record of the training", training.run.digest),
        )
    )
    sources = [
        (
            source.get("reference"),
            source.get("form"),
            f"{whole(source.get('examples')):,}",
            "in this pack" if origins.dataset_of(source, rows) else "not in this pack",
            source.get("digest"),
        )
        for source in training.sources
    ]
    return f"{facts}\n\n{table(('Learned from', 'Form', 'Examples', 'Where', 'SHA-256'), sources)}"


def _remembered(found: Any) -> tuple[tuple[str, str], ...]:
    """What was measured of memorising; nothing where it wasn't."""
    planted = found.get("canaries") or []
    bits = [one.get("adapter") for one in planted]
    most = max((one for one in bits if isinstance(one, int | float)), default=0.0)
    word_for_word = [
        f"{whole(one.get('copied'))} of {whole(one.get('n'))} {said(one.get('of'))} texts by the {said(one.get('model'))}"
        for one in found.get("verbatim") or []
    ]
    return (
        *(
            (("Planted sentences", f"{len(planted)}, exposure {most:.1f} bits at most; not for use"),)
            if planted
            else ()
        ),
        *((("Repeated word for word", ", ".join(word_for_word)),) if word_for_word else ()),
    )


def _compared(training: origins.Training) -> tuple[str, ...]:
    if training.comparison is None:
        return ()
    found: Any = training.comparison.record
    rows = [
        (
            one.get("measure"),
            number(one.get("base")),
            number(one.get("adapter")),
            f"{number(one.get('difference'))} ({number(one.get('low'))} to {number(one.get('high'))})",
            f"{len(one.get('worse') or [])} of {count(whole(one.get('n')), 'sample')}",
        )
        for one in found.get("rated") or []
    ]
    heads = ("Measure", "Base", "Adapter", "Difference, 95 %", "Worse")
    return (
        f"## Against its base\n\nAsked the same of {said(found.get('dataset'))}, after the training.\n\n{table(heads, rows)}",
    )
