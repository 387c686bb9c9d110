"""The part of a report on the models' cards and on adapters that were trained here: what they learned from, how, and who answers for it."""

from typing import Any

from core.evidence import origins
from core.evidence.blocks import Block, Heading, Paragraph, Span, Table, plain
from core.evidence.lineage import Rows
from core.evidence.words import count, fingerprint, moment, number, shown, whole


def section(rows: Rows) -> tuple[Block, ...]:
    """Both parts, each where there is something to tell."""
    return (*_trainings(rows), *_merges(rows), *_cards(rows))


def _trainings(rows: Rows) -> tuple[Block, ...]:
    found = origins.trainings(rows)
    if not found:
        return ()
    body = []
    sources = []
    for one in found:
        made: Any = one.run.record
        ended: Any = one.result.record
        body.append(
            (
                plain(f"{shown(made.get('id'))}, {shown(made.get('name'))}", "strong"),
                plain(made.get("base")),
                plain(f"{count(whole(made.get('examples')), 'example')}, {count(whole(ended.get('step')), 'step')}"),
                plain(f"{shown(made.get('user'))}, {moment(ended.get('finished'))}"),
                plain(_signed(rows, one.result.digest)) or plain("nobody", "quiet"),
                plain(fingerprint(one.adapter), "code"),
            )
        )
        sources += [
            (
                plain(made.get("id"), "strong"),
                plain(source.get("reference")),
                plain(f"{whole(source.get('examples')):,}"),
                plain("in this pack" if origins.dataset_of(source, rows) else "not in this pack"),
                plain(fingerprint(str(source.get("digest"))), "code"),
            )
            for source in one.sources
        ]
    return (
        Heading(2, "Trained here"),
        Table(
            "Adapters that change how a model answers. Each was recorded before this run, and fits the model that it was used with.",
            ("Adapter", "Base", "Training", "By", "Signed by", "Adapter file, SHA-256"),
            tuple(body),
            (16, 13, 15, 20, 16, 20),
        ),
        Table(
            "What they learned from. A source that isn't in the pack is named by its digest.",
            ("Adapter", "Source", "Examples", "Where", "SHA-256"),
            tuple(sources),
            (18, 30, 14, 18, 20),
            numbers=(2,),
        ),
        *_compared(found),
    )


def _merges(rows: Rows) -> tuple[Block, ...]:
    body = []
    for row in rows.get("merged-model", ()):
        made: Any = row.record
        body.append(
            (
                plain(made.get("name"), "strong"),
                plain(made.get("base")),
                plain(fingerprint(str(made.get("base_digest"))), "code"),
                plain(made.get("run")),
                plain(fingerprint(str(made.get("adapter"))), "code"),
                plain(_settings(made.get("settings") or {})),
                plain(f"{shown(made.get('by'))}, {moment(made.get('made'))}"),
                plain(_signed(rows, row.digest)) or plain("nobody", "quiet"),
            )
        )
    if not body:
        return ()
    caption = "Models that are a base with a trained adapter in its weights, as recorded before this run. Digests are SHA-256."
    heads = ("Model", "Base", "Base file", "Training", "Adapter file", "Settings", "By", "Signed by")
    return (Heading(2, "Merged here"), Table(caption, heads, tuple(body), (13, 11, 14, 10, 14, 14, 12, 12)))


def _settings(settings: Any) -> str:
    """The few that tell most; all of them stand in the record."""
    named = ("method", "objective", "rank", "learning_rate", "epochs", "seed")
    return (
        ", ".join(f"{name.replace('_', ' ')} {shown(settings[name])}" for name in named if name in settings)
        or "not recorded"
    )


def _compared(found: tuple[origins.Training, ...]) -> tuple[Block, ...]:
    body = []
    for one in found:
        record: Any = one.comparison.record if one.comparison is not None else {}
        body += [
            (
                plain(record.get("run"), "strong"),
                plain(rated.get("measure")),
                plain(number(rated.get("base"))),
                plain(number(rated.get("adapter"))),
                plain(f"{number(rated.get('difference'))}, {number(rated.get('low'))} to {number(rated.get('high'))}"),
                plain(rated.get("n")),
            )
            for rated in record.get("rated") or []
        ]
    if not body:
        return ()
    caption = "Base against adapter after the training, on samples of its own, with the 95 % interval of the paired difference."
    heads = ("Adapter", "Measure", "Base", "Adapter", "Difference", "Samples")
    return (Table(caption, heads, tuple(body), (18, 18, 12, 12, 28, 12), numbers=(2, 3, 4, 5)),)


def _cards(rows: Rows) -> tuple[Block, ...]:
    blocks: list[Block] = []
    for row in rows["model-card"]:
        card: Any = row.record
        signed = _signed(rows, row.digest)
        said = f"{shown(card.get('name'))}@{shown(card.get('number'))}, by {shown(card.get('author'))}; "
        blocks.append(Heading(3, f"Card of {shown(card.get('name'))}"))
        blocks.append(Paragraph(plain(said + (f"signed by {signed}." if signed else "nobody signed it."), "quiet")))
        for key, name in (("intended", "Intended use"), ("unsuited", "Not intended for"), ("limits", "Limits")):
            blocks.append(
                Paragraph((Span(f"{name}: ", "strong"), *(plain(card.get(key)) or plain("not recorded", "quiet"))))
            )
    if not blocks:
        return ()
    return (Heading(2, f"What {'the models are' if len(rows['model-card']) > 1 else 'the model is'} for"), *blocks)


def _signed(rows: Rows, digest: str) -> str:
    """Who signed a record, as what."""
    return ", ".join(
        f"{shown(row.record.get('name'))} ({shown(row.record.get('meaning'))})"
        for row in rows["signature"]
        if row.record.get("subject") == digest
    )
