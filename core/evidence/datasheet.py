"""A datasheet of a run's dataset, and of each that an adapter was trained on, with the sections of "Datasheets for Datasets" (Gebru and
others, 2021), the questions in our words.

Everything in it follows from the dataset's record; what the record doesn't say is called not recorded. Where fields are withheld, the
counts are of what is open, and it says so.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

from core.evidence import contamination, origins
from core.evidence.lineage import Rows
from core.evidence.markdown import items, said, table
from core.evidence.opened import Row
from core.evidence.words import count, is_withheld, moment, shown

UNSAID = "Not recorded."
SYNTHETIC = "synthetic"
"""The tag of a sample that was made up."""
MOST_TAGS = 40


def datasheet(rows: Rows) -> str:
    """The whole sheet of the run's dataset, as Markdown."""
    purpose = f"it serves the evaluation {said(rows['run'][0].record.get('spec_reference'))}"
    return _sheet(rows["dataset"][0], purpose, _uses(rows))


def of_trainings(rows: Rows) -> dict[str, str]:
    """For each source of the trainings that isn't the run's own dataset, by its digest, a sheet: a short one where it isn't in the pack."""
    sheets = {}
    for training in origins.trainings(rows):
        name = shown(training.run.record.get("id"))
        for source in training.sources:
            row = origins.dataset_of(source, rows)
            if row is None:
                sheets[str(source["digest"])] = _unseen(source, name)
            elif row.digest != rows["dataset"][0].digest:
                use = (
                    f"- **Used here for:** the training {said(name)}.\n- **Not to be used for:** evaluating what was trained on it. "
                    f"{contamination.words(rows, training)}"
                )
                sheets[row.digest] = _sheet(row, f"it serves the training {said(name)}", use)
    return sheets


def _unseen(source: Any, training: str) -> str:
    """What is known of examples that aren't in the pack."""
    facts = items(
        (
            ("SHA-256", source.get("digest")),
            ("Form", source.get("form")),
            ("Examples", f"{source['examples']:,}" if isinstance(source.get("examples"), int) else None),
            ("Used here for", f"the training {training}"),
        )
    )
    return (
        f"# Datasheet: {said(source.get('reference'))}\n\n{facts}\n\nThe examples themselves aren't in this pack. Motivation, composition, "
        f"collection, preparation, distribution and maintenance: {UNSAID.lower()}\n"
    )


def _sheet(row: Row, purpose: str, uses: str) -> str:
    record: Any = row.record
    samples: list[Any] = record.get("samples") or []
    name = f"{shown(record.get('name'))}@{shown(record.get('number'))}"
    parts = (
        f"# Datasheet: {said(name)}",
        items(
            (
                ("Record", row.digest),
                ("Saved", moment(record.get("saved")) if record.get("saved") else None),
                ("By", record.get("author")),
                ("Made from version", record.get("parent")),
            )
        ),
        f"## Motivation\n\n- **For what it was made:** {UNSAID} In this pack {purpose}.\n- **Who made it, and who paid:** saved by "
        f"{said(record.get('author'))}; {UNSAID.lower()}",
        "## Composition\n\n" + _composition(samples),
        "## Collection\n\n" + _collection(record, samples),
        f"## Preparation\n\n- **Cleaning and labelling before it came here:** {UNSAID}\n- **Changes here:** none: a version is kept as it "
        "was read, and a change makes another version.",
        f"## Uses\n\n{uses}",
        "## Distribution\n\n- **Who has it:** whoever has this pack and its openings; fields can be withheld.\n"
        f"- **Licence and other rights:** {UNSAID}",
        "## Maintenance\n\n- **Versions:** numbered and immutable; each names the one that it was made from.\n"
        f"- **Who looks after it:** {said(record.get('author'))} saved this version; beyond that, {UNSAID.lower()}",
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def _composition(samples: list[Any]) -> str:
    withheld = sum(is_withheld(value) for sample in samples for value in sample.values())
    declined = sum(bool(sample.get("unanswerable")) for sample in samples)
    kinds: tuple[tuple[str, Callable[[Any], bool]], ...] = (
        ("a value that a right answer holds", lambda s: _given(s, "target")),
        ("a whole right answer", lambda s: _given(s, "answer")),
        ("the document that holds the answer", lambda s: _given(s, "document")),
        ("its page", lambda s: _given(s, "page")),
        ("the sentence on that page", lambda s: _given(s, "quote")),
        (
            "no target of any kind",
            lambda s: not any(_there(s, key) for key in ("target", "answer", "document", "quote")),
        ),
    )
    rows = [(name, f"{sum(holds(sample) for sample in samples):,}") for name, holds in kinds]
    lengths = sorted(len(str(sample["input"])) for sample in samples if _given(sample, "input"))
    points = [
        f"**What a sample is:** a question, with what a right answer holds. {count(len(samples), 'sample')}.",
        f"**Unanswerable:** {count(declined, 'sample')} {'asks' if declined == 1 else 'ask'} what the documents don't say; "
        "to decline is right there.",
    ]
    if lengths:
        middle = lengths[len(lengths) // 2]
        points.append(
            f"**Length of a question:** {lengths[0]:,} to {lengths[-1]:,} characters, {middle:,} in the middle."
        )
    same = Counter(" ".join(str(sample["input"]).casefold().split()) for sample in samples if _given(sample, "input"))
    points.append(f"**Asked more than once:** {count(sum(n - 1 for n in same.values()), 'question')}.")
    if withheld:
        points.append(f"**Withheld:** {count(withheld, 'field')}; the counts are of what is open.")
    points += [
        f"**Samples or the whole:** whether these are all such questions or some of them: {UNSAID.lower()}",
        f"**Personal or confidential data:** {UNSAID} Take it that there is some.",
    ]
    tags = Counter(shown(tag) for sample in samples for tag in sample.get("tags") or [])
    parts = ["\n".join(f"- {point}" for point in points), table(("A sample gives", "Samples"), rows)]
    if tags:
        common = sorted(tags.items(), key=lambda item: (-item[1], item[0]))
        more = f"\n\nand {count(len(common) - MOST_TAGS, 'other tag')}." if len(common) > MOST_TAGS else ""
        parts.append(table(("Tag", "Samples"), [(tag, f"{n:,}") for tag, n in common[:MOST_TAGS]]) + more)
    return "\n\n".join(parts)


def _collection(record: Any, samples: list[Any]) -> str:
    made_up = sum(SYNTHETIC in (sample.get("tags") or []) for sample in samples)
    synthetic = (
        f"{count(made_up, 'sample')} {'is' if made_up == 1 else 'are'} tagged as synthetic." if made_up else UNSAID
    )
    points = (
        f"**Where it came from:** read from the file {said(record.get('source')) or 'that is not named'}.",
        f"**How and by whom the questions were gathered:** {UNSAID}",
        f"**Synthetic:** {synthetic}",
        f"**Consent and review:** {UNSAID}",
    )
    return "\n".join(f"- {point}" for point in points)


def _uses(rows: Rows) -> str:
    run: Any = rows["run"][0].record
    points = (
        f"**Used here for:** {said(run.get('id'))}, {count(len(run.get('variants') or []), 'variant')}, scored by "
        f"{said(', '.join(map(str, run.get('scorers') or [])))}.",
        f"**Not to be used for:** {UNSAID} A model that is trained on it can't be evaluated with it.",
        *(
            f"**{said(one.run.record.get('id'))}:** {told}"
            for one in origins.trainings(rows)
            if (told := contamination.words(rows, one))
        ),
    )
    return "\n".join(f"- {point}" for point in points)


def _given(sample: Any, key: str) -> bool:
    return sample.get(key) not in (None, "") and not is_withheld(sample[key])


def _there(sample: Any, key: str) -> bool:
    return sample.get(key) not in (None, "")
