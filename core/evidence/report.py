"""A pack as a page to read: `report.html`, one file without scripts, images or anything from outside.

It is a rendering: whoever has the pack can make it again. Everything that comes from records is escaped, and characters that would
change how text reads without being seen (bidirectional controls, zero width, controls) are shown by their code points. The page is
plain semantic HTML: headings in order, tables with captions and scopes, states in words and not by colour alone.
"""

import html
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

from core.evidence.commitments import MARK
from core.evidence.lineage import Rows
from core.evidence.opened import Row

WITHHELD = "(withheld)"
_CRITERIA = "What had to hold. A sample that ended in an error fails the criteria of its variant."
_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #1b1f23; background: #fff; margin: 2rem auto; max-width: 68rem; padding: 0 1rem;
  overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; margin: 0; } h2 { font-size: 1.2rem; margin: 2.2rem 0 .5rem; } h3 { font-size: 1rem; margin: 1.4rem 0 .3rem; }
p.lead { margin: .2rem 0 1rem; } .pass { color: #11603f; } .fail { color: #a11a1a; } .signed { color: #5a2a6e; }
strong.verdict { font-size: 1.3rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; } caption { text-align: left; color: #4a5157; padding-bottom: .3rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .7rem .35rem 0; border-bottom: 1px solid #d5d9d6; }
thead th { border-bottom: 2px solid #8a9096; } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
code { font: .85em ui-monospace, monospace; overflow-wrap: anywhere; } blockquote { margin: .2rem 0 .2rem 1rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.2rem; } dd { margin: 0; } .quiet { color: #4a5157; }
@media print { body { margin: 0; max-width: none; } h2 { break-after: avoid; } tr { break-inside: avoid; } }
"""


def render(rows: Rows, title: str, made: str) -> str:
    """The whole page. `rows` may come from a redacted pack: what is withheld says so."""
    run: Any = rows["run"][0].record
    result: Any = rows["run-result"][0].record
    parts = (
        _head(run, result, title, made),
        _criteria(result),
        _results(result),
        _differences(result),
        _failures(rows),
        _samples(rows),
        _prompts(rows["prompt-version"]),
        _signatures(rows["signature"]),
        _identities(rows, run, result),
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{_text(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(part for part in parts if part)
        + "\n</main>\n</body>\n</html>\n"
    )


def _head(run: Any, result: Any, title: str, made: str) -> str:
    passed = bool(result.get("passed"))
    if not result.get("criteria"):
        verdict = '<strong class="verdict">No criteria were set</strong>'
    else:
        word, style = ("All criteria met", "pass") if passed else ("Criteria not met", "fail")
        verdict = f'<strong class="verdict {style}">{word}</strong>'
    names = ", ".join(_text(v.get("name")) for v in run.get("variants") or [])
    return (
        f"<header><h1>{_text(title)}</h1>\n<p>{verdict}</p>\n"
        f'<p class="lead">Run {_text(run.get("id"))} of {_text(run.get("spec_reference"))}, {_text(result.get("status"))}. '
        f"{_text(run.get('samples'))} samples of {_text(run.get('dataset_reference'))}, each asked of {names}. "
        f"Begun {_text(run.get('started'))}, ended {_text(result.get('finished'))}. This page was made {_text(made)}.</p>\n"
        '<p class="quiet">This page is a rendering for reading. What counts are the pack\'s signed files: check them with '
        "<code>assay pack verify</code> or <code>verify.py</code> and a trust file that you obtained beforehand.</p></header>"
    )


def _criteria(result: Any) -> str:
    rows = []
    errors = {str(variant.get("name")): int(variant.get("errors") or 0) for variant in result.get("variants") or []}
    for item in result.get("criteria") or []:
        criterion = item.get("criterion") or {}
        bounds = [
            f"{word} {criterion[key]:g}"
            for key, word in (("at_least", "at least"), ("at_most", "at most"))
            if criterion.get(key) is not None
        ]
        met = bool(item.get("met"))
        measured = "nothing measured" if item.get("measured") is None else _number(item.get("measured"))
        failed = errors.get(str(criterion.get("variant")), 0)
        word = "met" if met else _unmet(failed)
        rows.append(
            (
                _text(criterion.get("metric")),
                _text(criterion.get("variant")),
                f"{_text(criterion.get('on'))} {' and '.join(bounds)}",
                measured,
                f'<span class="{"pass" if met else "fail"}">{word}</span>',
            )
        )
    heads = ("Metric", "Variant", "Must be", "Measured", "Outcome")
    return "<h2>Criteria, fixed before the run</h2>\n" + _table(_CRITERIA, heads, rows, numbers=(3,)) if rows else ""


def _unmet(errors: int) -> str:
    if not errors:
        return "not met"
    return f"not met: {errors} {'sample' if errors == 1 else 'samples'} ended in an error"


def _results(result: Any) -> str:
    rows = [
        (
            _text(variant.get("name")),
            _text(metric.get("scorer")),
            _number(metric.get("value")),
            f"{_number(metric.get('low'))} to {_number(metric.get('high'))}",
            _text(metric.get("n")),
            _text(metric.get("method")),
        )
        for variant in result.get("variants") or []
        for metric in variant.get("metrics") or []
    ]
    counts = [
        (_text(v.get("name")), _text(v.get("passed")), _text(v.get("failed")), _text(v.get("errors")))
        for v in result.get("variants") or []
    ]
    return (
        "<h2>Results</h2>\n"
        + _table(
            "Means with 95 % intervals (Wilson for shares of yes and no, percentile bootstrap for the rest).",
            ("Variant", "Scorer", "Mean", "95 % interval", "Samples", "Interval by"),
            rows,
            numbers=(2, 3, 4),
        )
        + _table(
            "Samples on which every scorer was satisfied.",
            ("Variant", "Passed", "Failed", "Errors"),
            counts,
            numbers=(1, 2, 3),
        )
    )


def _differences(result: Any) -> str:
    rows = [
        (
            f"{_text(d.get('variant'))} minus {_text(d.get('baseline'))}",
            _text(d.get("scorer")),
            _number(d.get("value")),
            f"{_number(d.get('low'))} to {_number(d.get('high'))}",
            _number(d.get("p")),
            _text(d.get("n")),
        )
        for d in result.get("differences") or []
    ]
    heads = ("Compared", "Scorer", "Difference", "95 % interval", "p", "Samples")
    caption = "Paired by sample, with the bootstrap interval and a two-sided permutation p-value."
    return "<h2>Differences</h2>\n" + _table(caption, heads, rows, numbers=(2, 3, 4, 5)) if rows else ""


def _failures(rows: Rows) -> str:
    inputs = _inputs(rows)
    failed = [row.record for row in rows["outcome"] if not _passed(row.record)]
    parts = [f"<h2>Failures</h2>\n<p>{len(failed)} of {len(rows['outcome'])} answers didn't satisfy every scorer.</p>"]
    for record in failed:
        outcome: Any = record
        answer = outcome.get("answer")
        parts.append(f"<h3>{_text(outcome.get('sample'))}, {_text(outcome.get('variant'))}</h3>")
        parts.append(f"<p>Asked: {_text(inputs.get(str(outcome.get('sample')), WITHHELD))}</p>")
        if answer is None:
            parts.append(f'<p class="fail">No answer: {_text(outcome.get("error"))}</p>')
            continue
        parts.append(f"<blockquote>{_text(answer.get('answer'))}</blockquote>")
        reasons = [
            f"<li>{_text(score.get('scorer'))}: {_number(score.get('value'))}, {_text(score.get('reason'))}</li>"
            for score in outcome.get("scores") or []
            if not score.get("passed")
        ]
        parts.append(f"<ul>{''.join(reasons)}</ul>")
        parts.append(_citations(answer))
    return "\n".join(parts)


def _citations(answer: Any) -> str:
    items = []
    for citation in answer.get("citations") or []:
        if MARK in citation:
            items.append(f"<li>{WITHHELD}</li>")
        else:
            items.append(
                f"<li>{_text(citation.get('name'))}, page {_text(citation.get('page'))}: “{_text(citation.get('quote'))}”</li>"
            )
    return f'<p class="quiet">Cited:</p><ol>{"".join(items)}</ol>' if items else ""


def _samples(rows: Rows) -> str:
    inputs = _inputs(rows)
    body = []
    for row in rows["outcome"]:
        outcome: Any = row.record
        answer = outcome.get("answer")
        shown = f"No answer: {_text(outcome.get('error'))}" if answer is None else _text(answer.get("answer"))
        scores = ", ".join(f"{_text(s.get('scorer'))} {_number(s.get('value'))}" for s in outcome.get("scores") or [])
        passed = _passed(outcome)
        sample = str(outcome.get("sample"))
        body.append(
            (
                _text(sample),
                _text(inputs.get(sample, WITHHELD)),
                _text(outcome.get("variant")),
                shown,
                scores,
                f'<span class="{"pass" if passed else "fail"}">{"passed" if passed else "failed"}</span>',
            )
        )
    heads = ("Sample", "Asked", "Variant", "Answer", "Scores", "Outcome")
    return "<h2>All answers</h2>\n" + _table("One row for each sample and variant.", heads, body)


def _prompts(prompts: Sequence[Row]) -> str:
    parts = []
    for row in prompts:
        prompt: Any = row.record
        parts.append(
            f"<h3>{_text(prompt.get('name'))}@{_text(prompt.get('number'))}, by {_text(prompt.get('author'))}</h3>"
        )
        for message in prompt.get("messages") or []:
            parts.append(
                f"<p>{_text(message.get('role'))}:</p><blockquote>{_text(message.get('content'))}</blockquote>"
            )
    return "<h2>Prompt versions</h2>\n" + "\n".join(parts) if parts else ""


def _signatures(signatures: Sequence[Row]) -> str:
    rows = []
    for row in signatures:
        record: Any = row.record
        rows.append(
            (
                f'<span class="signed">{_text(record.get("name"))}</span>',
                _text(record.get("meaning")),
                _text(record.get("subject_name")),
                _text(record.get("time")),
                _text(record.get("reason")),
                f"<code>{_text(record.get('card'))}</code>",
            )
        )
    heads = ("Printed name", "Meaning", "Signed", "Time (workstation clock)", "Reason", "Card")
    note = "<p>The release of this pack is signed apart, over the manifest that this page is listed in.</p>"
    return (
        "<h2>Signatures</h2>\n"
        + (_table("Before the release, oldest first.", heads, rows) if rows else "<p>None before the release.</p>")
        + note
    )


def _identities(rows: Rows, run: Any, result: Any) -> str:
    digests = [
        (kind, _label(row), f"<code>{row.digest}</code>")
        for kind in ("run", "run-result", "spec", "dataset", "prompt-version", "model", "document")
        for row in rows[kind]
    ]
    environment = run.get("environment") or {}
    packages = ", ".join(
        f"{_text(name)} {_text(version)}" for name, version in sorted((environment.get("packages") or {}).items())
    )
    pairs = (
        ("Assay", _text(environment.get("assay"))),
        ("Python", _text(environment.get("python"))),
        ("System", f"{_text(environment.get('system'))}, {_text(environment.get('processor'))}"),
        ("Packages", packages),
        ("Network barrier", ", ".join(_text(name) for name in environment.get("barrier") or []) or "none in force"),
        ("Run by", _text(run.get("user"))),
        ("Seconds", _number(result.get("seconds"))),
        ("Seed", _text(run.get("seed"))),
    )
    listed = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in pairs)
    return f"<h2>Made with</h2>\n<dl>{listed}</dl>\n<h2>Identities</h2>\n" + _table(
        "The SHA-256 digest that names each record.", ("Kind", "Name", "Digest"), digests
    )


def _label(row: Row) -> str:
    record: Any = row.record
    if isinstance(record.get("number"), int):
        return f"{_text(record.get('name'))}@{record['number']}"
    return _text(record.get("name") or record.get("id") or record.get("status") or "")


def _inputs(rows: Rows) -> dict[str, Any]:
    samples: Any = rows["dataset"][0].record.get("samples") or []
    return {str(sample.get("id")): sample.get("input") for sample in samples}


def _passed(outcome: Any) -> bool:
    return outcome.get("answer") is not None and all(score.get("passed") for score in outcome.get("scores") or [])


def _table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = ()) -> str:
    def cells(values: Sequence[str], tag: str, scope: str) -> str:
        number = ' class="n"'
        return "".join(
            f"<{tag}{scope}{number if place in numbers else ''}>{value}</{tag}>" for place, value in enumerate(values)
        )

    body = "\n".join(f"<tr>{cells(row, 'td', '')}</tr>" for row in rows)
    head = cells(heads, "th", ' scope="col"')
    return (
        f"<table>\n<caption>{caption}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n"
    )


def _number(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, (int, float)) and not isinstance(value, bool) else _text(value)


def _text(value: Any) -> str:
    """A value for the page: escaped, invisible characters made visible; what is withheld says so."""
    if isinstance(value, dict) and MARK in value:
        return WITHHELD
    text = "" if value is None else str(value)
    shown = "".join(character if _visible(character) else f"[U+{ord(character):04X}]" for character in text)
    return html.escape(shown).replace("\n", "<br>")


def _visible(character: str) -> bool:
    return character in "\n\t" or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
