"""A run put into words for people who read it: what was tested, by whom, what came out, what it doesn't say, and who signed.

It is made from the records of a pack that are open, and from nothing else: whoever has the pack can make it again, and where a field
is withheld it says so. Nothing is left out silently: a part that would be too long to be read says how much of it is shown. The page
itself is drawn by `report_html` and `report_pdf`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from core.evals.scorers import SCORERS
from core.evidence import contamination, failures, figures, judges, origins, picture, trained
from core.evidence.blocks import (
    Block,
    Document,
    Figure,
    Heading,
    Items,
    Pairs,
    Paragraph,
    Quote,
    Span,
    Spans,
    Table,
    joined,
    plain,
)
from core.evidence.opened import EXTRA, Row
from core.evidence.words import count, fingerprint, moment, number, shown, whole

Rows = Mapping[str, tuple[Row, ...]]
MOST_ANSWERS = 600
"""Answers that the table of all of them shows; a report of thousands of pages helps nobody, and the records hold the rest."""
LONGEST = 240
"""Characters of a question or an answer that this table shows."""
FEW = 30
"""Samples under which an interval is called wide."""
SECTION_11 = (
    "Each signature is shown with its printed name, the date and time of signing with the offset from UTC, and its meaning "
    "(21 CFR 11.50). It is bound to the exact content that it names, by its SHA-256 digest, with the keys on the card named here."
)


class Facts(NamedTuple):
    """What the parts of a report look up again and again."""

    rows: Rows
    run: Any
    result: Any
    spec: Any
    dataset: Any
    withheld: int

    @property
    def signatures(self) -> tuple[Row, ...]:
        return self.rows["signature"]

    def person(self, user: Any) -> str:
        """Somebody who wrote or ran something, with the printed name if they signed anything: "Ines Korhan (ines)"."""
        names = {row.record.get("user"): row.record.get("name") for row in self.signatures}
        return f"{shown(names[user])} ({shown(user)})" if user and names.get(user) else shown(user)


def report(rows: Rows, title: str) -> Document:
    """The whole report, as blocks. `rows` may come from a redacted pack."""
    withheld = sum(row.withheld for some in rows.values() for row in some)
    run, result, spec, dataset = (rows[kind][0].record for kind in ("run", "run-result", "spec", "dataset"))
    facts = Facts(rows, run, result, spec, dataset, withheld)
    blocks = (
        *_verdict(facts),
        *_signatures(facts),
        *_tested(facts),
        *trained.section(rows),
        *_results(facts),
        *_differences(facts),
        *judges.section(rows),
        *_limits(facts),
        *failures.section(rows),
        *_lineage(rows),
        *_prompts(rows["prompt-version"]),
        *_answers(rows),
        *_made_with(facts),
        *_identities(rows),
    )
    made = str(facts.result.get("finished", ""))
    environment = facts.run.get("environment") or {}
    return Document(
        title=shown(title),
        subject=f"Evaluation of {shown(facts.run.get('spec_reference'))}",
        producer=f"Assay {shown(environment.get('assay'))}".strip(),
        made=made,
        blocks=blocks,
    )


def _verdict(facts: Facts) -> tuple[Block, ...]:
    run, result = facts.run, facts.result
    if not result.get("criteria"):
        verdict = Span("No criteria were set", "strong")
    elif result.get("passed"):
        verdict = Span("All criteria met", "pass")
    else:
        verdict = Span("Criteria not met", "fail")
    outcomes = facts.rows["outcome"]
    passed = sum(failures.passed(row.record) for row in outcomes)
    pairs = (
        ("Run", plain(f"{shown(run.get('id'))}, {shown(result.get('status'))}")),
        ("Plan", plain(f"{shown(run.get('spec_reference'))}, written by {facts.person(facts.spec.get('author'))}")),
        ("Run by", plain(facts.person(run.get("user")))),
        ("Begun", plain(moment(run.get("started")))),
        ("Ended", plain(moment(result.get("finished")))),
        ("Samples", plain(f"{count(run.get('samples') or 0, 'sample')} of {shown(run.get('dataset_reference'))}")),
        ("Answers", plain(f"{count(len(outcomes), 'answer')}, {passed:,} of them satisfied every scorer")),
    )
    error = result.get("error")
    blocks: list[Block] = [Paragraph((verdict,), large=True), Pairs(pairs)]
    if error:
        blocks.append(Paragraph((Span(f"The run ended early: {shown(error)}", "fail"),)))
    if facts.withheld:
        said = f"{count(facts.withheld, 'field')} of the records {'is' if facts.withheld == 1 else 'are'} withheld from this pack."
        blocks.append(Paragraph((Span(said, "strong"),)))
    note = (
        "This report is a rendering, made for reading. What counts are the signed files of the pack that it came in: check them with a "
        "verifier and a trust file that were obtained beforehand."
    )
    return (*blocks, Paragraph((Span(note, "quiet"),)), *_criteria(result))


def _criteria(result: Any) -> tuple[Block, ...]:
    errors = {str(variant.get("name")): int(variant.get("errors") or 0) for variant in result.get("variants") or []}
    rows = []
    for item in result.get("criteria") or []:
        criterion = item.get("criterion") or {}
        bounds = [
            f"{word} {criterion[key]:g}"
            for key, word in (("at_least", "at least"), ("at_most", "at most"))
            if criterion.get(key) is not None
        ]
        met = bool(item.get("met"))
        measured = "nothing measured" if item.get("measured") is None else number(item.get("measured"))
        word = "met" if met else _unmet(errors.get(str(criterion.get("variant")), 0))
        rows.append(
            (
                plain(criterion.get("metric")),
                plain(criterion.get("variant")),
                plain(f"{shown(criterion.get('on'))} {' and '.join(bounds)}"),
                plain(measured),
                (Span(word, "pass" if met else "fail"),),
            )
        )
    if not rows:
        return ()
    caption = "What had to hold. A sample that ended in an error fails the criteria of its variant."
    heads = ("Metric", "Variant", "Must be", "Measured", "Outcome")
    return (
        Heading(2, "Criteria, fixed before the run"),
        Table(caption, heads, tuple(rows), (19, 30, 21, 13, 17), numbers=(3,)),
    )


def _unmet(errors: int) -> str:
    return f"not met: {count(errors, 'sample')} ended in an error" if errors else "not met"


def _tested(facts: Facts) -> tuple[Block, ...]:
    run, spec = facts.run, facts.spec.get("spec") or {}
    models: dict[str, Any] = {str(row.record.get("digest")): row.record for row in facts.rows["model"]}
    adapters = {one.adapter: shown(one.run.record.get("id")) for one in origins.trainings(facts.rows)}
    variants = tuple(
        (
            plain(variant.get("name"), "strong"),
            plain(variant.get("prompt")) or plain("none"),
            _model(variant, models, adapters),
            plain(fingerprint(str(variant.get("model_digest"))), "code") or plain("none"),
        )
        for variant in run.get("variants") or []
    )
    scorers = tuple(
        (
            plain(name, "strong"),
            plain(SCORERS[name].measures if name in SCORERS else ""),
            plain(SCORERS[name].limits if name in SCORERS else ""),
        )
        for name in map(str, run.get("scorers") or [])
    )
    documents = facts.rows["document"]
    pages = sum(whole(row.record.get("pages")) for row in documents)
    searched = f"{count(len(documents), 'document')}, {count(pages, 'page')}" if documents else "none"
    pairs = (
        ("Dataset", plain(f"{shown(run.get('dataset_reference'))}, by {facts.person(facts.dataset.get('author'))}")),
        ("Documents", plain(f"collection {shown(run.get('collection'))}: {searched}")),
        ("Passages shown", plain(spec.get("passages"))),
        ("Longest answer", plain(f"{shown(spec.get('max_tokens'))} tokens" if spec.get("max_tokens") else "")),
        ("Mode and seed", plain(f"{shown(spec.get('mode'))}, seed {shown(run.get('seed'))}".lstrip(", "))),
    )
    return (
        Heading(2, "What was tested"),
        Pairs(tuple(pair for pair in pairs if pair[1])),
        Table(
            "Every sample was asked of each variant.",
            ("Variant", "Prompt version", "Model", "Model file, SHA-256"),
            variants,
            (27, 19, 32, 22),
        ),
        Table(
            "What each scorer measures, and what it can't tell.",
            ("Scorer", "Measures", "Limits"),
            scorers,
            (18, 42, 40),
        ),
    )


def _model(variant: Any, models: Mapping[str, Any], adapters: Mapping[str, str]) -> Spans:
    record = models.get(str(variant.get("model_digest"))) or {}
    facts = [shown(record.get(name)) for name in ("architecture", "quantization", "licence") if record.get(name)]
    for adapter, scale in origins.uses(variant):
        name = adapters.get(adapter) or shown((models.get(adapter) or {}).get("name")) or fingerprint(adapter)
        facts.append(f"with the adapter {name}, scale {scale:g}")
    return plain(", ".join([shown(variant.get("model")), *facts]))


def _results(facts: Facts) -> tuple[Block, ...]:
    variants = facts.result.get("variants") or []
    rows = tuple(
        (
            plain(metric.get("scorer")),
            plain(variant.get("name")),
            plain(number(metric.get("value"))),
            plain(f"{number(metric.get('low'))} to {number(metric.get('high'))}"),
            plain(metric.get("n")),
            plain(metric.get("method")),
        )
        for scorer in facts.run.get("scorers") or []
        for variant in variants
        for metric in variant.get("metrics") or []
        if metric.get("scorer") == scorer
    )
    counts = tuple(
        (plain(v.get("name")), plain(v.get("passed")), plain(v.get("failed")), plain(v.get("errors"))) for v in variants
    )
    return (
        Heading(2, "Results"),
        *figures.results(facts.result),
        Table(
            "Means with 95 % intervals (Wilson for shares of yes and no, percentile bootstrap for the rest).",
            ("Scorer", "Variant", "Mean", "95 % interval", "Samples", "Interval by"),
            rows,
            (20, 30, 10, 17, 11, 12),
            numbers=(2, 3, 4),
        ),
        Table(
            "Samples on which every scorer was satisfied, or not, or that ended in an error.",
            ("Variant", "Passed", "Failed", "Errors"),
            counts,
            (55, 15, 15, 15),
            numbers=(1, 2, 3),
        ),
    )


def _differences(facts: Facts) -> tuple[Block, ...]:
    found = facts.result.get("differences") or []
    baselines = sorted({shown(d.get("baseline")) for d in found})
    alone = len(baselines) == 1
    rows = tuple(
        (
            plain(d.get("scorer")),
            plain(shown(d.get("variant")) + ("" if alone else f" minus {shown(d.get('baseline'))}")),
            plain(number(d.get("value"))),
            plain(f"{number(d.get('low'))} to {number(d.get('high'))}"),
            plain(f"{d['p']:.4f}" if isinstance(d.get("p"), float) else d.get("p")),
            plain(d.get("n")),
        )
        for d in found
    )
    if not rows:
        return ()
    caption = "Paired by sample, with the bootstrap interval and a two-sided permutation p-value."
    if alone:
        caption = f"Each variant minus {baselines[0]}. {caption}"
    return (
        Heading(2, "Differences"),
        *figures.differences(facts.result),
        Table(
            caption,
            ("Scorer", "Variant" if alone else "Compared", "Difference", "95 % interval", "p", "Samples"),
            rows,
            (19, 31, 13, 18, 8, 11),
            numbers=(2, 3, 4, 5),
        ),
    )


def _limits(facts: Facts) -> tuple[Block, ...]:
    """What the figures don't say, as far as the records show it."""
    result = facts.result
    metrics = [metric for variant in result.get("variants") or [] for metric in variant.get("metrics") or []]
    differences = result.get("differences") or []
    least = min((figure["n"] for figure in (*metrics, *differences)), default=0)
    compared = len(differences)
    errors = sum(variant.get("errors") or 0 for variant in result.get("variants") or [])
    approved = [
        f"{shown(row.record.get('name'))} on {moment(row.record.get('time'))}"
        for row in facts.signatures
        if row.record.get("meaning") == "approved" and row.record.get("subject") == facts.run.get("spec")
    ]
    items = [
        "The intervals tell how far the figures may be off because there are only so many samples. They don't tell how the variants would do "
        "on other questions, other documents or other people's way of asking.",
        f"The plan with its criteria was approved by {' and by '.join(approved)}. A verifier checks that the log has this before the run."
        if approved
        else "Nobody had signed the plan with its criteria as approved. That it was recorded before the run can be checked in the log.",
        f"The smallest number of samples under a figure or a difference is {least:,}"
        + (f", fewer than {FEW}: its interval is wide." if least < FEW else "."),
        *_near(result),
    ]
    if compared > 1:
        items.append(
            f"{compared} differences were tested, each by itself. Of twenty such tests, one is expected to have a p-value below 0.05 by "
            "chance alone."
        )
    items += [told for one in origins.trainings(facts.rows) if (told := contamination.words(facts.rows, one))]
    if errors:
        items.append(f"{count(errors, 'answer')} ended in an error and {'has' if errors == 1 else 'have'} no score.")
    if facts.withheld:
        items.append(
            "What is withheld can't be read here. Scores, counts, criteria, times and identities are never withheld."
        )
    items += [
        "Every answer was made once, with one seed. Another machine or another number of threads can give other words.",
        "Times are those of the workstation's clock.",
        "It isn't said that the documents are true, or that the reference answers are right.",
    ]
    return (Heading(2, "Limits"), Items(tuple(plain(item) for item in items)))


def _near(result: Any) -> list[str]:
    """A sentence for each criterion that is met by a mean whose interval reaches beyond the bound: chance alone may have met it."""
    found = []
    for item in result.get("criteria") or []:
        criterion = item.get("criterion") or {}
        ends = [
            (metric["low"], metric["high"])
            for variant in result.get("variants") or []
            if variant.get("name") == criterion.get("variant")
            for metric in variant.get("metrics") or []
            if metric["scorer"] == criterion.get("metric")
        ]
        low, high = criterion.get("at_least"), criterion.get("at_most")
        if not item.get("met") or criterion.get("on") != "value" or not ends:
            continue
        (bottom, top), *_ = ends
        if (low is not None and bottom < low) or (high is not None and top > high):
            found.append(
                f"{shown(criterion.get('metric'))} of {shown(criterion.get('variant'))} meets its criterion by the mean; its interval, "
                f"{number(bottom)} to {number(top)}, reaches beyond the bound. Other samples of the same kind may not meet it."
            )
    return found


def _signatures(facts: Facts) -> tuple[Block, ...]:
    rows = tuple(
        (
            (Span(shown(row.record.get("name")), "signed"),),
            plain(row.record.get("meaning"), "strong"),
            plain(moment(row.record.get("time"))),
            plain(row.record.get("subject_name")),
            plain(row.record.get("reason")) or plain("none given", "quiet"),
            plain(fingerprint(str(row.record.get("card"))), "code"),
        )
        for row in facts.signatures
    )
    heads = ("Printed name", "Meaning", "Date and time", "Signed", "Reason", "Card")
    table: Block = (
        Table("Before the release, the oldest first for each subject.", heads, rows, (16, 11, 19, 20, 15, 19))
        if rows
        else Paragraph(plain("Nobody signed before the release."))
    )
    release = "The release of the pack is signed apart, over the manifest, which fixes every file of the pack, this report too."
    return (Heading(2, "Signatures"), Paragraph(plain(SECTION_11)), table, Paragraph(plain(release, "quiet")))


def _lineage(rows: Rows) -> tuple[Block, ...]:
    drawing = picture.lineage(rows)
    caption = "What was made from what. The same stands for machines in lineage.prov.json (W3C PROV)."
    return (Heading(2, "Lineage"), Figure(drawing, caption))


def _prompts(prompts: Sequence[Row]) -> tuple[Block, ...]:
    blocks: list[Block] = []
    for row in prompts:
        prompt: Any = row.record
        reference = f"{shown(prompt.get('name'))}@{shown(prompt.get('number'))}"
        blocks.append(Heading(3, f"{reference}, by {shown(prompt.get('author'))}"))
        if prompt.get("notes"):
            blocks.append(Paragraph(plain(prompt.get("notes"), "quiet")))
        for message in prompt.get("messages") or []:
            blocks.append(Quote(plain(message.get("content"), "code"), plain(message.get("role"))))
    return (Heading(2, "Prompt versions"), *blocks) if blocks else ()


def _answers(rows: Rows) -> tuple[Block, ...]:
    inputs = failures.inputs(rows)
    outcomes = rows["outcome"]
    body = []
    for row in outcomes[:MOST_ANSWERS]:
        outcome: Any = row.record
        answer = outcome.get("answer")
        sample = str(outcome.get("sample"))
        said = shown(answer.get("answer")) if answer is not None else f"No answer: {shown(outcome.get('error'))}"
        reasons = [shown(score.get("scorer")) for score in outcome.get("scores") or [] if not score.get("passed")]
        good = failures.passed(outcome)
        word = "passed" if good else f"failed: {', '.join(reasons)}" if reasons else "failed"
        body.append(
            (
                plain(sample),
                plain(_begun(shown(inputs.get(sample)))),
                plain(outcome.get("variant")),
                plain(_begun(said)),
                (Span(word, "quiet" if good else "fail"),),
            )
        )
    caption = f"One row for each sample and variant; what is longer than {LONGEST} characters ends with an ellipsis."
    if len(outcomes) > MOST_ANSWERS:
        caption = f"The first {MOST_ANSWERS:,} of {len(outcomes):,}. {caption}"
    caption += (
        " All of it, with every score, is in the pack's files records/outcome-*.json and openings/outcome-*.json."
    )
    heads = ("Sample", "Asked", "Variant", "Answer", "Outcome")
    return (Heading(2, "All answers"), Table(caption, heads, tuple(body), (9, 25, 17, 31, 18)))


def _begun(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST].rstrip() + "…"


def _made_with(facts: Facts) -> tuple[Block, ...]:
    environment = facts.run.get("environment") or {}
    packages = sorted((environment.get("packages") or {}).items())
    seconds = facts.result.get("seconds")
    pairs = (
        ("Assay", plain(environment.get("assay"))),
        ("Python", plain(environment.get("python"))),
        ("System", plain(f"{shown(environment.get('system'))}, {shown(environment.get('processor'))}")),
        ("Packages", plain(", ".join(f"{shown(name)} {shown(version)}" for name, version in packages))),
        ("Network barrier", plain(", ".join(map(shown, environment.get("barrier") or [])) or "none in force")),
        ("Took", plain(f"{seconds:,.1f} seconds" if isinstance(seconds, (int, float)) else "")),
    )
    return (Heading(2, "Made with"), Pairs(tuple(pair for pair in pairs if pair[1])))


def _identities(rows: Rows) -> tuple[Block, ...]:
    kinds = ("run", "run-result", "spec", "dataset", "prompt-version", "model", "document", *EXTRA, "merged-model")
    body = [(plain(kind), _label(row), plain(row.digest, "code")) for kind in kinds for row in rows.get(kind, ())]
    body += [
        (plain("model file"), _label(row), plain(row.record.get("digest"), "code"))
        for row in rows["model"]
        if row.record.get("digest")
    ]
    body += [
        (plain("adapter file"), plain(one.run.record.get("id")), plain(one.adapter, "code"))
        for one in origins.trainings(rows)
    ]
    cards = {str(row.record.get("card")): shown(row.record.get("name")) for row in rows["signature"]}
    body += [(plain("card"), plain(name), plain(card, "code")) for card, name in cards.items()]
    caption = "The SHA-256 digest that names each record and each card, to compare with what you have."
    return (Heading(2, "Identities"), Table(caption, ("Kind", "Name", "Digest"), tuple(body), (13, 21.5, 65.5)))


def _label(row: Row) -> Spans:
    record: Any = row.record
    if isinstance(record.get("number"), int):
        return plain(f"{shown(record.get('name'))}@{record['number']}")
    return joined((plain(record.get("name") or record.get("id") or record.get("status")),), "")
